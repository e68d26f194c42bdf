"""Moves: operations that compute nothing and only change how storage is read.

Each is undone by an opposite. The gradient of a copy is a sum: expand reads one cell many times,
so its gradient adds what all the copies received. Broadcasting is undone here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from .autodiff import Node, Variable, record
from .errors import DtypeError, ShapeError
from .functions import Operation, recording
from .kernels import reduce_kernel, run_copy, run_reduce
from .view import Layout, Shape, as_shape, expanded, normal_dim, permuted, regrouped, whole_numbers

SUM = reduce_kernel("reduce_sum", "t + x", ("x",))


def need_tensor(name: str, x: Any) -> None:
    """Raise DtypeError unless ``x`` is a tensor."""
    if not isinstance(x, Variable):
        raise DtypeError(
            f"{name} needs a tensor, but was given {type(x).__name__}: wrap it with tk.tensor(...)"
        )


def reread(x: Any, at: Layout) -> Any:
    """Return the storage of ``x`` read by another layout, as a tensor outside the graph."""
    out = type(x)._of(x.storage, at)
    out.base = x if x.base is None else x.base
    return out


def unbroadcast(grad: Any, shape: Shape) -> Any:
    """Sum ``grad`` over the dims along which ``shape`` was stretched, and give it that shape.

    Shapes: grad (..., n, ...) -> shape, where shape expands to grad.shape.
    """
    missing = grad.ndim - len(shape)
    padded = (1,) * missing + shape
    stretched = tuple(
        d for d, (have, want) in enumerate(zip(grad.shape, padded, strict=True)) if have != want
    )
    if stretched:
        grad = run_reduce(SUM, 0.0, stretched, grad)
    return reread(grad, without_copy(grad.layout, shape)) if missing else grad


def without_copy(at: Layout, shape: Shape) -> Layout:
    """Regroup where it is known to need no copy: only dims of length 1 come or go."""
    regroup = regrouped(at, shape)
    assert regroup is not None
    return regroup


class Move(Operation):
    """An operation that changes the layout. ``settings`` keeps what backward needs."""

    kind: ClassVar[str] = "move"

    def moved(self, x: Any, out: Any, **settings: Any) -> Any:
        """Record ``out`` as made from ``x`` by this move."""
        if recording((x,)):
            ctx = Node()
            ctx.settings = {"from_shape": x.layout.shape, **settings}
            ctx.needs_input_grad = (True,)
            record(ctx, self, (x,), out)
        return out


class Expand(Move):
    """Stretch dims of length 1, and add dims on the left, with stride 0."""

    def __call__(self, x: Any, *shape: Any) -> Any:
        """Return ``x`` seen in ``shape``; no copy is made. Raises ShapeError if it does not fit."""
        need_tensor(self.name, x)
        return self.stretch(x, flat_shape(shape))

    def stretch(self, x: Any, shape: Shape) -> Any:
        """Do so for a shape that is known to be one."""
        out = reread(x, expanded(x.layout, shape))
        return self.moved(x, out, shape=shape) if x.requires_grad else out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Copies forward, sums backward."""
        return (unbroadcast(grad_out, ctx.settings["from_shape"]),)


class Permute(Move):
    """Reorder the dims: new dim k is old dim order[k]."""

    def __call__(self, x: Any, *order: Any) -> Any:
        """Return ``x`` with its dims in ``order``; nothing is copied."""
        need_tensor(self.name, x)
        given = order[0] if len(order) == 1 and np.ndim(order[0]) else order
        dims = tuple(normal_dim(d, x.shape) for d in given)
        return self.moved(x, reread(x, permuted(x.layout, dims)), order=dims)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Put every dim back: the inverse of ``order``, which is ``order`` only for plain swaps."""
        order = ctx.settings["order"]
        inverse = tuple(order.index(d) for d in range(len(order)))
        return (reread(grad_out, permuted(grad_out.layout, inverse)),)


class Reshape(Move):
    """Read the same cells in the same order under a new shape."""

    def __call__(self, x: Any, *shape: Any) -> Any:
        """Return ``x`` under ``shape``; one length may be -1. Nothing is copied.

        Raises ShapeError if the sizes differ, or if the cells do not lie in reading order.
        """
        need_tensor(self.name, x)
        wanted = fill_in(flat_shape(shape, free=True), x.size)
        if math.prod(wanted) != x.size:
            raise ShapeError(
                f"cannot view {x.shape} as {wanted}: {x.size} cells do not fill {math.prod(wanted)}"
            )
        at = regrouped(x.layout, wanted)
        if at is None:
            raise ShapeError(
                f"cannot view {x.shape} with strides {x.strides} as {wanted}: read in order, its "
                "cells jump about in storage. Call .contiguous() first: it copies them into order"
            )
        return self.moved(x, reread(x, at), shape=wanted)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Give the gradient the old shape; copy it first if it lies in another order."""
        old = ctx.settings["from_shape"]
        at = regrouped(grad_out.layout, old)
        if at is None:
            grad_out = run_copy(grad_out, grad_out.dtype)
            at = regrouped(grad_out.layout, old)
            assert at is not None
        return (reread(grad_out, at),)


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
        return (run_copy(grad_out, ctx.settings["dtype"]),)


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


EXPAND = Expand("expand", "⇉", r"x_{j} \to x_{ij}", "read one cell many times, with stride 0")
TO = To("to", "→", r"x \to \mathrm{dtype}", "convert to float64 or float32")
