"""A check is data: some tensors, how they lie in memory, a gradient, and what must hold.

The same numbers can be stored in many ways. A rule that is right reads cells by index and never
notices; a rule that reads ``storage`` does. So every check says how its tensors are laid out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import tensorkit as tk

from ..layout import row_major

Array = NDArray[np.float64]
Layout = Literal["plain", "permuted", "gapped", "stretched"]
JUNK = 777.0  # stands between the cells of a gapped tensor; no answer contains it


@dataclass(frozen=True)
class Laid:
    """Numbers and the way they lie in storage."""

    values: Array
    layout: Layout = "plain"

    def tensor(self, requires_grad: bool = False) -> tk.Tensor:
        """Build the tensor, on storage of its own."""
        storage, strides, offset = _lay_out(self.values, self.layout)
        made = tk.Tensor(storage, self.values.shape, strides, offset)
        return made.requires_grad_() if requires_grad else made


def _lay_out(values: Array, layout: Layout) -> tuple[Array, tuple[int, ...], int]:
    shape = values.shape
    if layout == "plain":
        return values.ravel().copy(), row_major(shape), 0
    if layout == "permuted":
        return values.T.ravel().copy(), row_major(shape[::-1])[::-1], 0
    if layout == "stretched":
        small = values
        for dim in range(values.ndim):
            first = small.take([0], axis=dim)
            if np.array_equal(np.broadcast_to(first, small.shape), small):
                small = first
        steps = zip(row_major(small.shape), small.shape, shape, strict=True)
        strides = tuple(0 if have == 1 and want > 1 else step for step, have, want in steps)
        return small.ravel().copy(), strides, 0
    storage = np.full(2 * values.size + 3, JUNK)
    storage[3 : 3 + 2 * values.size : 2] = values.ravel()
    return storage, tuple(2 * step for step in row_major(shape)), 3


def laid(data: object, layout: Layout = "plain") -> Laid:
    """Write numbers as nested lists; they become float64."""
    return Laid(np.array(data, dtype=np.float64), layout)


def mixed(shape: Sequence[int], seed: int = 1) -> Array:
    """Return halves with distinct sizes and both signs, so that no cell passes for another."""
    size = int(np.prod(shape, dtype=int))
    values: Array = np.frombuffer(_mixed(size, seed)).copy()
    return values.reshape(shape)


@lru_cache(maxsize=1 << 10)
def _mixed(size: int, seed: int) -> bytes:  # bytes, since nobody can change them
    prime = next(p for p in range(size + 2, 4 * size + 8) if all(p % d for d in range(2, p)))
    steps = [(seed * 3 + 2) % (prime - 1) + 1, (seed * 5 + 1) % 3]
    numbers = [((k + 1) * steps[0]) % prime for k in range(size)]
    signs = [-1.0 if (k + steps[1]) % 3 == 0 else 1.0 for k in range(size)]
    return bytes((np.array(numbers) * np.array(signs) / 2.0).tobytes())


@dataclass(frozen=True)
class Case:
    """One check. ``about`` is its data in words or, when hidden, the property that must hold."""

    about: str
    inputs: tuple[Laid, ...] = ()
    extra: tuple[Any, ...] = ()
    grad_out: Laid | None = None
    how: str = "once"  # which way the exam is to go about it
    untouched: bool = False  # also require that no argument is changed in place
    strict: bool = False  # also require one returned value for each argument
    may_refuse: bool = False  # a TensorkitError from forward is a right answer, too
    other: tuple[Laid, ...] = ()  # the second use, when interleaved
    buffer: Any = None  # what stands in the buffer that is to be filled: a list or an array
    hint: str = ""
    shown: bool = field(default=True)  # False for a hidden check: its message must not show data
