"""Large storages are used again once nobody can reach them.

The system hands memory out page by page, each emptied first. For a large tensor that takes longer
than computing it, so the memory that one leaves behind is kept for the next one of its size. Python
counts who refers to an array, and every view of it, here, in NumPy or in PyTorch, refers to it too.
So an array that only this file refers to can be read by nobody.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from .view import Storage

LARGE = 1 << 14  # cells: what is smaller the C library keeps anyway
MOST = 1 << 30  # bytes that are kept, in use or not

kept: dict[tuple[int, np.dtype[Any]], list[Storage]] = {}
# What Python counts for an array in one list: the list, the name in a loop, and the call itself.
ALONE = next(getrefcount(memory) for memory in [np.empty(1)])


def reused(size: int, dtype: np.dtype[Any]) -> Storage:
    """Return a storage of ``size`` cells, whatever they hold, that nobody else reads or writes."""
    for memory in kept.get((size, dtype), ()):
        # another thread that looks at it at this moment is counted too: then neither takes it
        if getrefcount(memory) == ALONE:
            return memory[:]
    memory = np.empty(size, dtype)
    if held() + memory.nbytes > MOST:
        forget()
    if held() + memory.nbytes <= MOST:
        kept.setdefault((size, dtype), []).append(memory)
    return memory[:]


def held() -> int:
    """Return how many bytes are kept, in use or not."""
    return sum(memory.nbytes for known in list(kept.values()) for memory in known)


def forget() -> None:
    """Give back what nobody uses."""
    for key, known in list(kept.items()):
        kept[key] = [memory for memory in known if getrefcount(memory) > ALONE]
        if not kept[key]:
            del kept[key]
