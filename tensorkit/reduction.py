"""Reduce: many cells fold into one, and one gradient goes back to many.

The fold runs over the input with an output whose stride is 0 along the reduced dims. Backward reads
the upstream gradient through the same stride of 0, so that every cell that met in an output cell
receives that cell's gradient, times its own local derivative. Expand and sum are each other's
gradient; broadcasting is undone here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, ClassVar

import numpy as np

from .calculus import chain_rule
from .elementwise import REALS, derived
from .errors import DtypeError, ShapeError
from .functions import Operation
from .graph import Node, Variable, filled, grad_mode, record
from .kernels import (
    Call,
    elementwise_kernel,
    reduce_kernel,
    run_elementwise,
    run_reduce,
    run_zip,
)
from .layout import Layout, Shape, expanded, flat_shape, in_order, normal_dim
from .loops import names_in
from .moves import VIEW, Move, need_tensor, reread
from .swaps import swaps
from .view import new


@dataclass(slots=True)
class ReducePlan:
    """Which dims a call reduces, the layout of its result, and what backward is told."""

    dims: Shape
    out: Layout
    settings: dict[str, Any]
    call: Call | None = None


class Reduce(Operation):
    """Fold the cells along dims into one: t = formula(t, x), from ``start``.

    ``finish`` turns the folded t into the result; n is how many cells met. ``helpers`` are further
    folds that only the local derivative needs: (start, formula in t, x, z).
    ``slope`` may return the slope as a tensor, made of operations, where ``derivative`` would not
    do: where it has no slope itself, or leaves the range of floats. It is given (x, out, dims).
    """

    kind: ClassVar[str] = "reduce"

    def __init__(
        self,
        name: str,
        symbol: str,
        formula: str,
        derivative: str,
        *,
        start: float,
        latex: str,
        about: str,
        finish: str = "",
        helpers: dict[str, tuple[float, str]] | None = None,
        of_nothing: bool = True,
        slope: Callable[[Any, Any, Shape], Any] | None = None,
    ) -> None:
        super().__init__(name, symbol, latex, about)
        self.formula, self.derivatives, self.start = formula, (derivative,), start
        self.finish, self.of_nothing, self.helpers = finish, of_nothing, helpers or {}
        self.slope = slope
        self.domain = (REALS,)
        self.kernel = reduce_kernel(f"reduce_{name}", formula, ("x",))
        self.last = elementwise_kernel(f"finish_{name}", finish, ("t", "n")) if finish else None
        available = ("x", "z", "n", *self.helpers)
        self.reads = tuple(v for v in available if v in names_in(derivative))
        self.back = (
            elementwise_kernel(f"reduce_{name}_back", chain_rule(derivative), ("g", *self.reads))
            if derivative != "1.0"
            else None
        )
        self.saves = not set(self.reads) <= {"n"}
        self.plans: dict[Any, ReducePlan] = {}

    def __call__(
        self, x: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool | None = None
    ) -> Any:
        """Reduce over ``dim``, which stays with length 1; ``keepdim=False`` drops it.

        Without ``dim`` all cells meet and the result is 0-d. NumPy and PyTorch drop a reduced dim
        unless told to keep it; here it is kept, as the lecture draws it, so that a result always
        broadcasts back against its input.
        Shapes: (..., n, ...) -> (..., 1, ...). Raises IndexingError if there is no such dim.
        """
        if not isinstance(x, Variable):
            need_tensor(self.name, x)
        dim = tuple(dim) if isinstance(dim, list) else dim
        # True is equal to 1, but it is no dim; and 1 is no answer to whether a dim is kept
        key = (x.layout, type(dim), dim, type(keepdim), keepdim)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self.plan(x, dim, keepdim)
        call = plan.call
        if call is not None:
            storage = call.empty(call.size, call.dtype)
            storage.fill(self.start)
            call.entry(storage, x.storage, call.dims)
            out = new(x.made)
            out.storage, out.layout = storage, plan.out
        else:
            out = self.fold(x, plan.dims)
            out.layout = plan.out  # the same cells; the dims of length 1 may be gone
            if self.last is None:
                plan.call = self.kernel.calls[plan.dims, x.layout]
        if grad_mode.on and x.requires_grad:
            saved = (x, out._shadow()) if self.saves else ()
            record(self, (x,), out, saved, plan.settings)
        return out

    def plan(self, x: Any, dim: int | tuple[int, ...] | None, keepdim: bool | None) -> ReducePlan:
        """Check the arguments, and return what a call on this layout with them needs."""
        shape = x.layout.shape
        dims = chosen_dims(dim, shape)
        if not isinstance(keepdim, (bool, np.bool_, NoneType)):
            raise DtypeError(
                f"keepdim of {self.name} is True or False, not {keepdim!r}: to reduce over several "
                "dims give them as a tuple, such as dim=(0, 1)"
            )
        keep = dim is not None if keepdim is None else bool(keepdim)
        if not self.of_nothing and math.prod(shape[d] for d in dims) == 0:
            raise ShapeError(
                f"{self.name} of no numbers has no answer: shape {shape} has no cells along "
                f"dim {dims[0] if len(dims) == 1 else dims}"
            )
        kept = tuple(1 if d in dims else n for d, n in enumerate(shape))
        final = kept if keep else tuple(n for d, n in enumerate(kept) if d not in dims)
        settings = {"dims": dims, "keepdim": keep, "from_shape": shape, "kept": kept}
        out = in_order(final, x.layout.dtype)
        if len(self.plans) >= 1 << 12:
            self.plans.clear()
        return ReducePlan(dims, out, settings)

    def fold(self, x: Any, dims: Shape) -> Any:
        """Return the reduction of ``x`` over ``dims``, kept with length 1, outside the graph."""
        out = run_reduce(self.kernel, self.start, dims, x)
        return out if self.last is None else run_zip(self.last, out, self.count(x.shape, dims, out))

    def count(self, shape: Shape, dims: Shape, like: Any) -> Any:
        """Return how many cells of ``shape`` meet along ``dims``, in the shape of ``like``."""
        return filled(like, math.prod(shape[d] for d in dims))

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Send each output cell's gradient back to all cells that met in it, times the slope."""
        shape, kept = ctx.settings["from_shape"], ctx.settings["kept"]
        # a single number expands as it is; else the dropped dims have to come back in their place
        g = grad_out if grad_out.layout.shape in ((), kept) else VIEW.regroup(grad_out, kept)
        if self.slope is not None:
            x, out = ctx.saved_tensors
            slope = self.slope(x, out, ctx.settings["dims"])
            if slope is not None:
                return (EXPAND.stretch(g, shape) * slope,)
        if self.saves:
            cells = self.cells(ctx)
            return (self.scaled(EXPAND.stretch(g, shape), [cells[v] for v in self.reads]),)
        if self.back is not None:
            # the slope is the same for all cells that met: scale once, before the copies are made
            n = self.count(shape, ctx.settings["dims"], g)
            g = self.scaled(g, [n] if self.reads else [])
        return (EXPAND.stretch(g, shape),)

    def scaled(self, g: Any, cells: list[Any]) -> Any:
        """Return the upstream gradient times the slope, recorded if gradients are to have some."""
        assert self.back is not None
        if grad_mode.on:
            return derived(f"{self.name}_back", self.back, chain_rule(self.derivatives[0]))(
                g, *cells
            )
        return run_elementwise(self.back, g, *cells)

    def cells(self, ctx: Node) -> dict[str, Any]:
        """Return what the local derivative may mention, each in the shape of the input."""
        x, out = ctx.saved_tensors
        out = out._rejoined(ctx) if grad_mode.on else out
        shape, dims, kept = x.shape, ctx.settings["dims"], ctx.settings["kept"]
        cells = {
            "x": x,
            "z": EXPAND.stretch(VIEW.regroup(out, kept), shape),
            "n": self.count(shape, dims, x),
        }
        for name, (start, formula) in self.helpers.items():
            used = tuple(v for v in ("x", "z") if v in names_in(formula))
            kernel = reduce_kernel(f"reduce_{self.name}_{name}", formula, used)
            folded = run_reduce(kernel, start, dims, *(cells[v] for v in used))
            cells[name] = EXPAND.stretch(folded, shape)
        return cells


def chosen_dims(dim: Any, shape: Shape) -> Shape:
    """Return the dims to reduce, counted from the front; all of them for None."""
    if dim is None:
        return tuple(range(len(shape)))
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    chosen = tuple(normal_dim(d, shape) for d in dims)
    if len(set(chosen)) != len(chosen):
        raise ShapeError(f"dim {dim} names a dim twice: name each dim once")
    return tuple(sorted(chosen))


class Expand(Move):
    """Stretch dims of length 1, and add dims on the left, with stride 0."""

    def __call__(self, x: Any, *shape: Any) -> Any:
        """Return ``x`` seen in ``shape``; no copy is made. Raises ShapeError if it does not fit."""
        need_tensor(self.name, x)
        wanted = flat_shape(shape)
        return self.stretch(x, wanted)

    def stretch(self, x: Any, shape: Shape) -> Any:
        """Do so for a shape that is known to be one."""
        return self.seen(x, expanded(x.layout, shape))

    def seen(self, x: Any, at: Layout) -> Any:
        """Do so for a layout that is known to fit."""
        out = reread(x, at)
        return self.moved(x, out, shape=at.shape) if x.requires_grad else out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Copies forward, sums backward: add what all the copies of a cell received."""
        return ((swaps.unbroadcast or sum_to)(grad_out, ctx.settings["from_shape"]),)


def sum_to(grad: Any, shape: Shape) -> Any:
    """Undo a broadcast: sum over the dims along which ``shape`` was stretched, and restore it."""
    if grad.layout.shape == shape:
        return grad
    dims, added = stretched(grad.layout.shape, shape)
    # dims that were added on the left are dropped; where others were stretched too, a view does it
    total = SUM(grad, dims, dims != added) if dims else grad
    return total if total.layout.shape == shape else VIEW.regroup(total, shape)


@lru_cache(maxsize=1 << 12)
def stretched(wide: Shape, shape: Shape) -> tuple[Shape, Shape]:
    """Return the dims of ``wide`` along which ``shape`` was stretched, and those it has not."""
    missing = len(wide) - len(shape)
    old = (1,) * missing + shape
    dims = tuple(d for d, (have, want) in enumerate(zip(wide, old, strict=True)) if have != want)
    return dims, tuple(range(missing))


EXPAND = Expand("expand", "⇉", r"x_{j} \to x_{ij}", "read one cell many times, with stride 0")
SUM = Reduce("sum", "Σ", "t + x", "1.0", start=0.0, latex=r"\sum_i x_i", about="add up")
