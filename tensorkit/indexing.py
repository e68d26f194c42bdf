"""Indexing: reading some cells, and its gradient, which puts them back among zeros.

An index of ints, slices, None and Ellipsis only changes the layout, so nothing is copied. An index
with arrays picks cells into a fresh storage. A cell that was picked twice receives both gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DtypeError, IndexingError, ShapeError
from .functions import recording
from .graph import Node, record
from .layout import Shape, as_shape, in_order, layout, normal_dim
from .moves import TO, Move, need_tensor, reread
from .view import View


def as_index(index: Any) -> Any:
    """Return an index of its own: a later change of the arrays in it does not reach backward.

    Raises DtypeError for a tensor: its floats could be meant as a mask or as positions.
    """
    if isinstance(index, tuple):
        return tuple(as_index(part) for part in index)
    if isinstance(index, View):
        raise DtypeError(
            "a tensor holds floats, which are no index: use mask.numpy() != 0 to choose the cells "
            "where a comparison holds, and t.numpy().astype(int) for positions"
        )
    if isinstance(index, (list, np.ndarray)):
        try:
            array = np.array(index)
        except ValueError:
            raise IndexingError(f"index {index!r} has lists of unequal lengths") from None
        return array if array.size or array.dtype.kind in "iub" else array.astype(np.intp)
    return index


def is_basic(index: Any) -> bool:
    """Whether an index only changes the layout."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or (isinstance(part, (slice, int, np.integer)) and not isinstance(part, (bool, np.bool_)))
        for part in parts
    )


class Index(Move):
    """Read the cells at an index; NumPy's rules."""

    def __call__(self, x: Any, index: Any) -> Any:
        """Return the cells of ``x`` at ``index``: on the same storage if it holds no arrays.

        Raises IndexingError if the index does not fit the shape.
        """
        need_tensor(self.name, x)
        index = as_index(index)
        basic = is_basic(index)
        # with Ellipsis NumPy returns a view of even a single cell, which tells where it lies
        whole = index if isinstance(index, tuple) else (index,)
        open_ended = basic and not any(part is ... for part in whole)
        picked = look_up(x.numpy(), (*whole, ...) if open_ended else index)
        if basic:
            item = x.storage.itemsize
            start = picked.__array_interface__["data"][0] - x.storage.__array_interface__["data"][0]
            strides = tuple(s // item for s in picked.strides)
            offset = start // item if picked.size else 0
            out = reread(x, layout(picked.shape, strides, offset, x.dtype))
        else:
            flat = np.array(picked, order="C").reshape(-1)
            out = x.made._of(flat, in_order(picked.shape, x.dtype))
        return self.moved(x, out, index=index)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Zeros everywhere else; gradients of a cell that was read twice add up."""
        return (SCATTER.put(grad_out, ctx.settings["index"], ctx.settings["from_shape"]),)


def look_up(array: NDArray[Any], index: Any) -> NDArray[Any]:
    """Return the cells of an array; raise IndexingError if the index does not fit its shape."""
    try:
        return np.asarray(array[index])
    except (IndexError, TypeError, ValueError) as error:
        raise IndexingError(f"index {index!r} does not fit shape {array.shape}: {error}") from None


class Scatter(Move):
    """Put cells at an index among zeros, adding where the index repeats: the opposite of index."""

    def __call__(self, g: Any, index: Any, shape: Any) -> Any:
        """Return zeros of ``shape`` with the cells of ``g`` added at ``index``.

        Raises IndexingError if the index does not fit ``shape``, ShapeError if ``g`` does not have
        the shape that is read at that index.
        """
        need_tensor(self.name, g)
        shape, index = as_shape(shape), as_index(index)
        place = look_up(np.broadcast_to(np.empty(()), shape), index)
        if place.shape != g.shape:
            raise ShapeError(
                f"the cells of {shape} at {index!r} have shape {place.shape}, but {g.shape} was "
                "given: one number for each cell"
            )
        return self.put(g, index, shape)

    def put(self, g: Any, index: Any, shape: Shape) -> Any:
        """Do so for what is known to fit."""
        out = np.zeros(shape, g.dtype)
        if is_basic(index):
            out[index] = g.numpy()
        else:
            np.add.at(out, index, g.numpy())
        made = g.made._of(out.reshape(-1), in_order(shape, g.dtype))
        return self.moved(g, made, index=index)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Read the cells back."""
        return (INDEX(grad_out, ctx.settings["index"]),)


class Cat(Move):
    """Join tensors along a dim."""

    def __call__(self, tensors: Any, dim: int = 0) -> Any:
        """Return the tensors one after the other along ``dim``; other lengths must agree.

        Raises ShapeError naming the tensor that does not fit.
        """
        parts = tuple(tensors)
        if not parts:
            raise ShapeError("cat needs at least one tensor")
        for t in parts:
            need_tensor(self.name, t)
        first = parts[0]
        dim = normal_dim(dim, first.shape)
        for number, t in enumerate(parts):
            rest = t.shape[:dim] + t.shape[dim + 1 :]
            if t.ndim != first.ndim or rest != first.shape[:dim] + first.shape[dim + 1 :]:
                raise ShapeError(
                    f"cannot join {first.shape} and {t.shape} (tensor {number}) along dim {dim}: "
                    "all other lengths must be equal"
                )
        if len({t.dtype for t in parts}) > 1:
            parts = tuple(TO(t, np.float64) for t in parts)
        joined = np.concatenate([t.numpy() for t in parts], axis=dim)
        out = first.made._of(joined.reshape(-1), in_order(joined.shape, joined.dtype))
        if recording(parts):
            lengths = tuple(t.shape[dim] for t in parts)
            record(self, parts, out, settings={"dim": dim, "lengths": lengths})
        return out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Cut the gradient where the tensors met."""
        before = (slice(None),) * ctx.settings["dim"]
        grads, start = [], 0
        for length in ctx.settings["lengths"]:
            grads.append(INDEX(grad_out, (*before, slice(start, start + length))))
            start += length
        return tuple(grads)


INDEX = Index("getitem", "[ ]", r"x_{\mathrm{index}}", "read the cells at an index")
SCATTER = Scatter("scatter", "[ ]ᵀ", r"x_{\mathrm{index}}", "put cells at an index among zeros")
CAT = Cat("cat", "⧺", r"[x_1, x_2, \dots]", "join tensors along a dim")
