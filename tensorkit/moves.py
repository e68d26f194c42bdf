"""Moves: operations that compute nothing and only change how storage is read.

Each is undone by an opposite move, which is its gradient. (Expand, whose gradient is a sum, stands
with the reductions.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from .errors import DtypeError
from .functions import Operation
from .graph import Node, Variable, grad_mode, record
from .kernels import run_copy
from .layout import (
    Layout,
    Shape,
    dim_order,
    flat_shape,
    normal_dim,
    permuted,
    regrouped,
    viewed,
)
from .view import new


def need_tensor(name: str, x: Any) -> None:
    """Raise DtypeError unless ``x`` is a tensor."""
    if not isinstance(x, Variable):
        raise DtypeError(
            f"{name} needs a tensor, but was given {type(x).__name__}: wrap it with tk.tensor(...)"
        )


def reread(x: Any, at: Layout) -> Any:
    """Return the storage of ``x`` read by another layout, as a tensor outside the graph."""
    out = new(x.made)
    out.storage, out.layout = x.storage, at
    out.base = x if x.base is None else x.base
    return out


class Move(Operation):
    """An operation that changes the layout. ``settings`` keeps what backward needs."""

    kind: ClassVar[str] = "move"

    def moved(self, x: Any, out: Any, **settings: Any) -> Any:
        """Record ``out`` as made from ``x`` by this move."""
        if x.requires_grad and grad_mode.on:
            settings["from_shape"] = x.layout.shape
            record(self, (x,), out, settings=settings)
        return out


class Permute(Move):
    """Reorder the dims: new dim k is old dim order[k]."""

    def __call__(self, x: Any, *order: Any) -> Any:
        """Return ``x`` with its dims in ``order``; nothing is copied."""
        need_tensor(self.name, x)
        dims = dim_order(order, x.shape)
        return self.moved(x, reread(x, permuted(x.layout, dims)), order=dims)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Put every dim back: the inverse of ``order``, which is ``order`` only for plain swaps."""
        order = ctx.settings["order"]
        inverse = tuple(order.index(d) for d in range(len(order)))
        return (self(grad_out, inverse),)


@lru_cache(maxsize=1 << 12)
def swapped(at: Layout, dim0: int, dim1: int) -> tuple[Shape, Layout]:
    """Return the order that swaps two dims, and the layout. Raises IndexingError if one misses."""
    order = list(range(len(at.shape)))
    first, second = normal_dim(dim0, at.shape), normal_dim(dim1, at.shape)
    order[first], order[second] = second, first
    return tuple(order), permuted(at, tuple(order))


class Transpose(Move):
    """Swap two dims: the permutation that is its own inverse."""

    def __call__(self, x: Any, dim0: int = -2, dim1: int = -1) -> Any:
        """Return ``x`` with two dims swapped, the last two unless told otherwise; no copy."""
        need_tensor(self.name, x)
        order, at = swapped(x.layout, dim0, dim1)
        out = reread(x, at)
        return self.moved(x, out, order=order) if x.requires_grad else out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Swap the same two dims back."""
        return (PERMUTE(grad_out, ctx.settings["order"]),)


class Reshape(Move):
    """Read the same cells in the same order under a new shape."""

    def __call__(self, x: Any, *shape: Any) -> Any:
        """Return ``x`` under ``shape``; one length may be -1. Nothing is copied.

        Raises ShapeError if the sizes differ, or if the cells do not lie in reading order.
        """
        need_tensor(self.name, x)
        at = viewed(x.layout, flat_shape(shape, free=True))
        return self.moved(x, reread(x, at), shape=at.shape)

    def regroup(self, x: Any, shape: Shape) -> Any:
        """Return ``x`` under a shape known to fit, copied first if its cells are out of order."""
        at = regrouped(x.layout, shape)
        if at is None:
            x = CONTIGUOUS(x)
            at = regrouped(x.layout, shape)
            assert at is not None  # cells in order can be grouped in any way
        out = reread(x, at)
        return self.moved(x, out, shape=shape) if x.requires_grad else out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Give the gradient the old shape; copy it first if it lies in another order."""
        return (self.regroup(grad_out, ctx.settings["from_shape"]),)


class Contiguous(Move):
    """Copy into a fresh storage in reading order, if the cells do not lie so already."""

    def __call__(self, x: Any) -> Any:
        """Return ``x`` itself where it is contiguous, else a copy that is."""
        need_tensor(self.name, x)
        return x if x.is_contiguous() else self.moved(x, run_copy(x, x.dtype))

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Pass on: a copy of each cell has slope 1."""
        return (grad_out,)


class To(Move):
    """Convert to float64 or float32."""

    def __call__(self, x: Any, dtype: Any) -> Any:
        """Return ``x`` in ``dtype``; itself where nothing changes."""
        need_tensor(self.name, x)
        wanted = as_dtype(dtype)
        return x if x.dtype == wanted else self.moved(x, run_copy(x, wanted), dtype=x.dtype)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Convert the gradient back."""
        return (self(grad_out, ctx.settings["dtype"]),)


FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Return float64 or float32 as a NumPy dtype; raise DtypeError for any other."""
    for known in FLOATS:
        try:
            if np.dtype(dtype) == known:
                return known
        except TypeError:
            break
    raise DtypeError(f"dtype {dtype!r} is not supported: use tk.float64 or tk.float32")


PERMUTE = Permute("permute", "⇄", r"x_{ij} \to x_{ji}", "put the dims in another order")
VIEW = Reshape("view", "▭", r"x \to \mathrm{shape}", "read the cells in order under a new shape")
CONTIGUOUS = Contiguous("contiguous", "▤", r"x \to x", "copy the cells into reading order")
TO = To("to", "→", r"x \to \mathrm{dtype}", "convert to float64 or float32")
TRANSPOSE = Transpose("transpose", "ᵀ", r"x^{\mathsf{T}}", "swap two dims")
