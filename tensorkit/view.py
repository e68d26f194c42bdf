"""A view: how a flat run of numbers is read as a grid.

A stride says how far to move in storage, in elements, for one step along a dim. A stride of 0
stays put: read through it and one number is seen many times (broadcasting); write through it and
many numbers land in one place (reduction). Permuting, expanding and most reshaping change only the
layout; no number moves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .errors import DtypeError, IndexingError, ShapeError

Shape = tuple[int, ...]
Storage = NDArray[Any]


FLOAT64 = np.dtype(np.float64)


class Layout:
    """Offset, shape and strides in elements, and their dtype. Equal layouts are one object."""

    __slots__ = ("dtype", "high", "low", "offset", "shape", "size", "strides")

    def __init__(self, shape: Shape, strides: Shape, offset: int, dtype: np.dtype[Any]) -> None:
        self.shape, self.strides, self.offset, self.dtype = shape, strides, offset, dtype
        self.size = math.prod(shape)
        reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
        self.low = offset + sum(r for r in reach if r < 0)
        self.high = offset + sum(r for r in reach if r > 0)

    def __repr__(self) -> str:
        return f"Layout({self.shape}, strides={self.strides}, offset={self.offset}, {self.dtype})"


@lru_cache(maxsize=1 << 14)
def layout(shape: Shape, strides: Shape, offset: int = 0, dtype: np.dtype[Any] = FLOAT64) -> Layout:
    """Return the one Layout with these numbers: layouts are looked up by identity."""
    return Layout(shape, strides, offset, dtype)


class View:
    """A grid of ``shape`` read from a flat ``storage`` by ``strides`` (elements) from ``offset``.

    Raises ShapeError if the strides would leave the storage: compiled kernels do not check bounds,
    so a view that could read outside is refused before it exists.
    """

    storage: Storage
    layout: Layout

    def __init__(
        self,
        storage: Storage,
        shape: Iterable[int],
        strides: Iterable[int] | None = None,
        offset: int = 0,
    ) -> None:
        if not isinstance(storage, np.ndarray) or storage.ndim != 1:
            raise DtypeError("storage must be a 1-D NumPy array: one flat run of numbers")
        if not (storage.flags.c_contiguous and storage.flags.aligned):
            raise DtypeError("storage must be one unbroken, aligned run: copy the array first")
        shape = as_shape(shape)
        strides = row_major(shape) if strides is None else whole_numbers(strides, "strides")
        if len(strides) != len(shape):
            raise ShapeError(
                f"shape {shape} has {len(shape)} dims but strides {strides} has {len(strides)}: "
                "give one stride for each dim"
            )
        (start,) = whole_numbers([offset], "offset")
        self.storage, self.layout = storage, layout(shape, strides, start, storage.dtype)
        reach = self.layout
        if reach.size and (reach.low < 0 or reach.high >= storage.size):
            where = reach.high if reach.high >= storage.size else reach.low
            raise ShapeError(
                f"shape {shape} with strides {strides} and offset {offset} reaches position "
                f"{where}, but the storage has positions 0 to {storage.size - 1}"
            )

    @classmethod
    def _of(cls, storage: Storage, layout: Layout) -> Self:
        """Make a view from parts known to fit, without checking."""
        view = cls.__new__(cls)
        view.storage, view.layout = storage, layout
        return view

    @property
    def shape(self) -> Shape:
        """The length of each dim."""
        return self.layout.shape

    @property
    def strides(self) -> Shape:
        """The step in storage, in elements, for one step along each dim."""
        return self.layout.strides

    @property
    def offset(self) -> int:
        """The position in storage of the cell whose index is all zeros."""
        return self.layout.offset

    @property
    def size(self) -> int:
        """How many cells the grid has."""
        return self.layout.size

    @property
    def ndim(self) -> int:
        """How many dims the grid has."""
        return len(self.layout.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one number: float64 or float32."""
        return self.layout.dtype

    def is_contiguous(self) -> bool:
        """Whether the cells lie in storage in reading order, with no gaps."""
        return is_contiguous(self.layout)

    def position(self, index: Sequence[int]) -> int:
        """Return where in storage the cell at ``index`` lives.

        Raises IndexingError if ``index`` has the wrong length or leaves the grid.
        """
        index = tuple(index)
        if len(index) != self.ndim:
            raise IndexingError(
                f"index {index} has {len(index)} numbers, but {self.shape} has {self.ndim} dims"
            )
        for dim, (i, n) in enumerate(zip(index, self.shape, strict=True)):
            if not 0 <= i < n:
                raise IndexingError(
                    f"index {index} leaves shape {self.shape}: dim {dim} goes from 0 to {n - 1}"
                )
        return self.offset + sum(i * s for i, s in zip(index, self.strides, strict=True))

    def index(self, ordinal: int) -> Shape:
        """Return the index of the ``ordinal``-th cell in reading order: the last dim turns fastest.

        Raises IndexingError if the grid has no such cell.
        """
        if not 0 <= ordinal < self.size:
            raise IndexingError(
                f"{self.shape} has {self.size} cells: there is no ordinal {ordinal}"
            )
        digits = []
        for n in reversed(self.shape):
            ordinal, digit = divmod(ordinal, n)
            digits.append(digit)
        return tuple(reversed(digits))

    def numpy(self) -> NDArray[Any]:
        """Return a read-only NumPy array over the same memory, in the same shape."""
        at, item = self.layout, self.storage.itemsize
        array: NDArray[Any] = np.ndarray(
            at.shape,
            self.storage.dtype,
            buffer=self.storage,
            offset=at.offset * item if at.size else 0,
            strides=[s * item for s in at.strides],
        )
        array.flags.writeable = False
        return array


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
def is_contiguous(at: Layout) -> bool:
    """Whether a layout reads its storage in order. Dims of length 1 never matter."""
    wanted = row_major(at.shape)
    return at.size == 0 or all(
        n == 1 or have == want for n, have, want in zip(at.shape, at.strides, wanted, strict=True)
    )


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
