"""A view: a flat storage and the layout by which it is read as a grid.

Several views may read one storage, each in its own way: a number changed through one is changed for
all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from .errors import DtypeError, IndexingError, ShapeError
from .layout import (
    Layout,
    Shape,
    as_shape,
    dim_order,
    expanded,
    flat_shape,
    layout,
    permuted,
    row_major,
    viewed,
    whole_numbers,
)

Storage = NDArray[Any]
new = object.__new__


class View:
    """A grid of ``shape`` read from a flat ``storage`` by ``strides`` (elements) from ``offset``.

    Raises ShapeError if the strides would leave the storage: compiled kernels do not check bounds,
    so a view that could read outside is refused before it exists.
    """

    storage: Storage
    layout: Layout
    made: ClassVar[type[Any]]  # the class of what is computed from a view of this class

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
        view: Self = new(cls)
        view.storage, view.layout = storage, layout
        return view

    def __repr__(self) -> str:
        at = self.layout
        return f"View(shape={at.shape}, strides={at.strides}, offset={at.offset}, {at.dtype})"

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
        return self.layout.contiguous

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

    def expand(self, *shape: Any) -> Any:
        """Return a view in which dims of length 1, or new ones on the left, are stretched."""
        return self._of(self.storage, expanded(self.layout, flat_shape(shape)))

    def permute(self, *order: Any) -> Any:
        """Return a view with the dims in another order: new dim k is old dim order[k]."""
        return self._of(self.storage, permuted(self.layout, dim_order(order, self.shape)))

    def view(self, *shape: Any) -> Any:
        """Return the same cells, in the same order, under ``shape``; one length may be -1."""
        return self._of(self.storage, viewed(self.layout, flat_shape(shape, free=True)))

    def numpy(self) -> NDArray[Any]:
        """Return a read-only NumPy array over the same memory; ``np.array(t)`` makes a copy."""
        array = self._array()
        array.setflags(write=False)
        return array

    def _array(self) -> NDArray[Any]:
        """Return a NumPy array over the same memory, in the same shape, that may be written."""
        at, storage = self.layout, self.storage
        if at.contiguous and at.size == storage.size:  # most are, and this is quicker
            return storage.reshape(at.shape)
        return np.ndarray(at.shape, at.dtype, storage, at.first_byte, at.byte_strides)


View.made = View
