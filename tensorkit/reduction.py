"""Reduce: many cells fold into one, and one gradient goes back to many.

The fold runs over the input with an output whose stride is 0 along the reduced dims. Backward reads
the upstream gradient through the same stride of 0, so that every cell that met in an output cell
receives that cell's gradient, times its own local derivative.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

from .autodiff import GradMode, Node, Variable, filled, record
from .elementwise import REALS, chain_rule
from .errors import ShapeError
from .functions import Operation
from .kernels import elementwise_kernel, reduce_kernel, run_elementwise, run_reduce, run_zip
from .loops import names_in
from .moves import need_tensor, reread, without_copy
from .view import Layout, Shape, expanded, layout, normal_dim, row_major


class ReducePlan(NamedTuple):
    """Which dims a call reduces, the layout of its result, and what backward is told."""

    dims: Shape
    out: Layout
    settings: dict[str, Any]


class Reduce(Operation):
    """Fold the cells along dims into one: t = formula(t, x), from ``start``.

    ``finish`` turns the folded t into the result; n is how many cells met. ``helpers`` are further
    folds that only the local derivative needs, each (start, formula in t, x, z).
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
    ) -> None:
        super().__init__(name, symbol, latex, about)
        self.formula, self.derivatives, self.start = formula, (derivative,), start
        self.finish, self.of_nothing, self.helpers = finish, of_nothing, helpers or {}
        self.domain = (REALS,)
        self.kernel = reduce_kernel(f"reduce_{name}", formula, ("x",))
        self.last = elementwise_kernel(f"finish_{name}", finish, ("t", "n")) if finish else None
        available = ("x", "z", "n", *self.helpers)
        self.reads = tuple(v for v in available if v in names_in(derivative))
        self.back = chain_rule(f"reduce_{name}_back", derivative, available)
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
        plan = self.plans.get((x.layout, type(dim), dim, keepdim)) or self.plan(x, dim, keepdim)
        out = self.fold(x, plan.dims)
        out.layout = plan.out  # the same cells; the dims of length 1 may be gone
        if GradMode.on and x.requires_grad:
            ctx = Node()
            ctx.settings, ctx.needs_input_grad = plan.settings, (True,)
            if self.saves:
                ctx._saved = (x, out._shadow())
            record(ctx, self, (x,), out)
            ctx._saved_at = ctx.serial
        return out

    def plan(self, x: Any, dim: int | tuple[int, ...] | None, keepdim: bool | None) -> ReducePlan:
        """Check the dims, and keep what a call on this layout with these arguments needs."""
        shape = x.layout.shape
        dims = chosen_dims(dim, shape)
        keep = dim is not None if keepdim is None else bool(keepdim)
        if not self.of_nothing and math.prod(shape[d] for d in dims) == 0:
            raise ShapeError(
                f"{self.name} of no numbers has no answer: shape {shape} has no cells along "
                f"dim {dims[0] if len(dims) == 1 else dims}"
            )
        kept = tuple(1 if d in dims else n for d, n in enumerate(shape))
        final = kept if keep else tuple(n for d, n in enumerate(kept) if d not in dims)
        settings = {"dims": dims, "keepdim": keep, "from_shape": shape, "kept": kept}
        out = layout(final, row_major(final), 0, x.layout.dtype)
        plan = ReducePlan(dims, out, settings)
        if len(self.plans) >= 1 << 12:
            self.plans.clear()
        self.plans[x.layout, type(dim), dim, keepdim] = plan  # True is equal to 1, but no dim
        return plan

    def fold(self, x: Any, dims: Shape) -> Any:
        """Return the reduction of ``x`` over ``dims``, kept with length 1, outside the graph."""
        out = run_reduce(self.kernel, self.start, dims, x)
        return out if self.last is None else run_zip(self.last, out, self.count(x, dims, out))

    def count(self, x: Any, dims: Shape, like: Any) -> Any:
        """Return how many cells meet in each output cell, as a tensor of the shape of ``like``."""
        return filled(type(x), math.prod(x.shape[d] for d in dims), like.shape, x.dtype)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Send each output cell's gradient back to all cells that met in it, times the slope."""
        dims, shape, kept = (ctx.settings[k] for k in ("dims", "from_shape", "kept"))
        g = as_kept(grad_out, kept)
        if self.saves:
            x, out = ctx.saved_tensors
            cells = self.cells(x, as_kept(out, kept), dims)
            wide = reread(g, expanded(g.layout, shape))
            assert self.back is not None
            return (run_elementwise(self.back, wide, *(cells[v] for v in self.reads)),)
        if self.back is not None:
            # the slope is the same for all cells that met: scale once, before the copies are made
            n = filled(type(g), math.prod(shape[d] for d in dims), kept, g.dtype)
            g = run_elementwise(self.back, g, *([n] if self.reads else []))
        return (reread(g, expanded(g.layout, shape)),)

    def cells(self, x: Any, out: Any, dims: Shape) -> dict[str, Any]:
        """Return what the local derivative may mention, each in the shape of ``x``."""
        cells = {"x": x, "z": reread(out, expanded(out.layout, x.shape))}
        cells["n"] = self.count(x, dims, x)
        for name, (start, formula) in self.helpers.items():
            used = tuple(v for v in ("x", "z") if v in names_in(formula))
            kernel = reduce_kernel(f"reduce_{self.name}_{name}", formula, used)
            folded = run_reduce(kernel, start, dims, *(cells[v] for v in used))
            cells[name] = reread(folded, expanded(folded.layout, x.shape))
        return cells


def as_kept(t: Any, kept: Shape) -> Any:
    """Give a reduced tensor its dims of length 1 back: that never needs a copy."""
    return t if t.layout.shape == kept else reread(t, without_copy(t.layout, kept))


def chosen_dims(dim: Any, shape: Shape) -> Shape:
    """Return the dims to reduce, counted from the front; all of them for None."""
    if dim is None:
        return tuple(range(len(shape)))
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    chosen = tuple(normal_dim(d, shape) for d in dims)
    if len(set(chosen)) != len(chosen):
        raise ShapeError(f"dim {dim} names a dim twice: name each dim once")
    return tuple(sorted(chosen))
