"""A layout: how a flat run of numbers is read as a grid.

A stride says how far to move in storage, in elements, for one step along a dim. A stride of 0
stays put: read through it and one number is seen many times (broadcasting); write through it and
many numbers land in one place (reduction). Permuting, expanding and most reshaping change only the
layout; no number moves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from .errors import DtypeError, IndexingError, ShapeError

Shape = tuple[int, ...]

FLOAT64 = np.dtype(np.float64)


class Layout:
    """Offset, shape and strides in elements, and their dtype. Equal layouts are one object.

    ``low`` and ``high`` are the outermost positions it reads. ``contiguous``: the cells lie in
    storage in reading order, with no gaps; dims of length 1 never matter. ``overlaps``: several
    cells are one number, by a stride of 0.
    """

    __slots__ = (
        *("shape", "strides", "offset", "dtype", "size", "low", "high", "contiguous"),
        *("overlaps", "first_byte", "byte_strides"),
    )

    def __init__(self, shape: Shape, strides: Shape, offset: int, dtype: np.dtype[Any]) -> None:
        self.shape, self.strides, self.offset, self.dtype = shape, strides, offset, dtype
        self.size = math.prod(shape)
        reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
        self.low = offset + sum(r for r in reach if r < 0)
        self.high = offset + sum(r for r in reach if r > 0)
        dims = zip(shape, strides, row_major(shape), strict=True)
        self.contiguous = self.size == 0 or all(n == 1 or have == want for n, have, want in dims)
        self.overlaps = self.size > 0 and any(
            n > 1 and stride == 0 for n, stride in zip(shape, strides, strict=True)
        )
        self.first_byte = offset * dtype.itemsize if self.size else 0
        self.byte_strides = tuple(stride * dtype.itemsize for stride in strides)

    def __repr__(self) -> str:
        return f"Layout({self.shape}, strides={self.strides}, offset={self.offset}, {self.dtype})"


@lru_cache(maxsize=1 << 14)
def layout(shape: Shape, strides: Shape, offset: int = 0, dtype: np.dtype[Any] = FLOAT64) -> Layout:
    """Return the one Layout with these numbers: layouts are looked up by identity."""
    return Layout(shape, strides, offset, dtype)


def whole_numbers(numbers: Iterable[Any], what: str) -> tuple[int, ...]:
    """Return ``numbers`` as a tuple of ints; raise DtypeError rather than round."""
    try:
        return tuple(operator.index(n) for n in numbers)
    except TypeError:
        raise DtypeError(f"{what} {numbers!r} must be whole numbers") from None


def as_shape(lengths: Iterable[int]) -> Shape:
    """Return ``lengths`` as a tuple of ints, refusing negative ones."""
    shape = whole_numbers(lengths, "shape")
    if any(n < 0 for n in shape):
        raise ShapeError(f"shape {shape} has a negative length: every dim needs 0 cells or more")
    return shape


def row_major(shape: Shape) -> Shape:
    """Return the strides that read ``shape`` in order: the last dim moves by one element."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


@lru_cache(maxsize=1 << 14)
def in_order(shape: Shape, dtype: np.dtype[Any] = FLOAT64) -> Layout:
    """Return the layout of ``shape`` that reads a storage from its start, cell after cell."""
    return layout(shape, row_major(shape), 0, dtype)


def normal_dim(dim: int, shape: Shape) -> int:
    """Return ``dim`` counted from the front. Raises IndexingError if there is no such dim."""
    if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)):
        raise DtypeError(f"dim {dim!r} is not a whole number: give the number of a dim of {shape}")
    if not -len(shape) <= dim < len(shape):
        has = f"has dims 0 to {len(shape) - 1}" if shape else "has no dims"
        raise IndexingError(f"there is no dim {dim}: shape {shape} {has}")
    return int(dim) % len(shape)


@lru_cache(maxsize=1 << 14)
def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the smallest shape that all ``shapes`` expand to, aligned from the right.

    Raises ShapeError naming the operands, the dim (counted in the result) and the two lengths.
    """
    ndim = max(map(len, shapes), default=0)
    result: list[int] = []
    for dim in range(ndim):
        length = 1
        for number, shape in enumerate(shapes):
            at = dim - (ndim - len(shape))
            n = shape[at] if at >= 0 else 1
            if n == 1 or n == length:
                continue
            if length != 1:
                raise ShapeError(
                    f"cannot broadcast {' with '.join(map(str, shapes))}: aligned from the right, "
                    f"dim {dim} has lengths {length} and {n} (operand {number}); "
                    "they must be equal or 1"
                )
            length = n
        result.append(length)
    return tuple(result)


@lru_cache(maxsize=1 << 14)
def expanded(at: Layout, shape: Shape) -> Layout:
    """Stretch dims of length 1, and add dims on the left, by giving them stride 0."""
    missing = len(shape) - len(at.shape)
    old = (1,) * missing + at.shape
    if missing < 0 or any(have not in (1, want) for have, want in zip(old, shape, strict=True)):
        raise ShapeError(
            f"cannot expand {at.shape} to {shape}: aligned from the right, every length must "
            "already be equal or be 1"
        )
    strides = (0,) * missing + at.strides
    stretched = tuple(
        stride if have == want else 0
        for have, want, stride in zip(old, shape, strides, strict=True)
    )
    return layout(shape, stretched, at.offset, at.dtype)


@lru_cache(maxsize=1 << 14)
def permuted(at: Layout, order: Shape) -> Layout:
    """Reorder the dims: new dim k is old dim ``order[k]``. Shape and strides move together."""
    if sorted(order) != list(range(len(at.shape))):
        raise ShapeError(
            f"order {order} must name each of the {len(at.shape)} dims of {at.shape} exactly once"
        )
    shape, strides = tuple(at.shape[d] for d in order), tuple(at.strides[d] for d in order)
    return layout(shape, strides, at.offset, at.dtype)


@lru_cache(maxsize=1 << 14)
def regrouped(at: Layout, shape: Shape) -> Layout | None:
    """Read the same cells, in the same order, under a new shape; None if that needs a copy.

    A group of old dims can be split or merged without moving a number when its strides chain:
    each is the next one's length times the next one's stride.
    """
    if at.size == 0:
        return layout(shape, row_major(shape), at.offset, at.dtype)
    old = [(n, s) for n, s in zip(at.shape, at.strides, strict=True) if n != 1]
    chains: list[tuple[int, int]] = []  # (cells, smallest stride) of each unbroken run of dims
    for n, s in old:
        if chains and chains[-1][1] == n * s:
            chains[-1] = (chains[-1][0] * n, s)
        else:
            chains.append((n, s))
    strides = [0] * len(shape)
    cells, step = chains.pop() if chains else (1, 1)
    for dim in range(len(shape) - 1, -1, -1):
        if cells == 1 and chains and shape[dim] != 1:
            cells, step = chains.pop()
        if cells % shape[dim]:
            return None
        strides[dim] = step
        cells, step = cells // shape[dim], step * shape[dim]
    return layout(shape, tuple(strides), at.offset, at.dtype)


def viewed(at: Layout, shape: Shape) -> Layout:
    """Regroup to ``shape``, one length of which may be -1; refuse what does not fit or would copy.

    Raises ShapeError.
    """
    wanted = fill_in(shape, at.size)
    if math.prod(wanted) != at.size:
        raise ShapeError(
            f"cannot view {at.shape} as {wanted}: {at.size} cells do not fill {math.prod(wanted)}"
        )
    regroup = regrouped(at, wanted)
    if regroup is None:
        raise ShapeError(
            f"cannot view {at.shape} with strides {at.strides} as {wanted}: read in order, its "
            "cells jump about in storage. Call .contiguous() first: it copies them into order"
        )
    return regroup


def dim_order(given: tuple[Any, ...], shape: Shape) -> Shape:
    """Accept ``f(1, 0)`` and ``f((1, 0))`` alike, and dims counted from the end."""
    order = given[0] if len(given) == 1 and isinstance(given[0], Iterable) else given
    return tuple(normal_dim(d, shape) for d in order)


def flat_shape(given: tuple[Any, ...], free: bool = False) -> Shape:
    """Accept ``f(2, 3)`` and ``f((2, 3))`` alike; ``free`` admits one -1."""
    lengths = given[0] if len(given) == 1 and isinstance(given[0], Iterable) else given
    shape = whole_numbers(lengths, "shape")
    return shape if free and min(shape, default=0) >= -1 else as_shape(shape)


def fill_in(shape: Shape, size: int) -> Shape:
    """Replace one -1 by the length that makes the sizes agree."""
    if shape.count(-1) > 1:
        raise ShapeError(f"shape {shape} leaves {shape.count(-1)} lengths open: only one may be -1")
    if -1 not in shape:
        return shape
    rest = -math.prod(shape)
    if rest == 0 or size % rest:
        raise ShapeError(f"{size} cells cannot fill {shape}: no whole length fits in place of -1")
    return tuple(size // rest if n == -1 else n for n in shape)
