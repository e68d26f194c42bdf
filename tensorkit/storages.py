"""Fresh storages: large memory that nobody can reach any more is used again.

The system hands memory out page by page, each emptied first. For a large tensor that takes longer
than computing it, so what a tensor leaves behind is kept for the next one of its size. Python
counts who refers to an array; every view of it, here, in NumPy or in PyTorch, refers to it too. So
an array that only this file refers to can be read by nobody.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from .view import Storage

LARGE = 1 << 14  # cells: what is smaller is kept by the C library anyway
MOST = 1 << 30  # bytes that are kept

kept: dict[tuple[int, np.dtype[Any]], list[Storage]] = {}


def reused(size: int, dtype: np.dtype[Any]) -> Storage:
    """Return a storage of ``size`` cells, whatever they hold, that nobody else reads or writes."""
    known = kept.setdefault((size, dtype), [])
    found = unused(known)
    if found is not None:
        return found[:]
    memory = np.empty(size, dtype)
    if memory.nbytes + held() > MOST:
        forget()
    if memory.nbytes + held() <= MOST:
        kept.setdefault((size, dtype), []).append(memory)
    return memory[:]


def unused(known: list[Storage]) -> Storage | None:
    """Return the first array that nothing but the list refers to, if there is one.

    Another thread that looks at it at this moment refers to it too: then neither gets it.
    """
    for memory in known:
        if getrefcount(memory) == ALONE:
            return memory
    return None


def held() -> int:
    """Return how many bytes are kept, be they in use or not."""
    return sum(size * dtype.itemsize * len(known) for (size, dtype), known in kept.items())


def forget() -> None:
    """Give back what nobody uses."""
    for key, known in list(kept.items()):
        while (found := unused(known)) is not None:
            known[:] = [memory for memory in known if memory is not found]
        if not known:
            del kept[key]


def count_of_one() -> int:
    """Return what ``unused`` counts for an array that only its list refers to."""
    for memory in [np.empty(1)]:
        return getrefcount(memory)
    raise AssertionError


ALONE = count_of_one()
