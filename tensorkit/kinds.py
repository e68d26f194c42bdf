"""Map, zip and reduce: a formula and its local derivatives make a whole differentiable operation.

The chain rule is written once: the gradient of an input is, cell by cell, the upstream gradient
``g`` times the local derivative. Both stand in one generated loop, so backward is a zip like any
other. In the formulas x and y are the cells of the inputs, z that of the output.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from .autodiff import Context, GradMode, Variable, filled, record
from .compiler import Kernel
from .errors import DtypeError, ShapeError
from .functions import Operation
from .kernels import elementwise_kernel, reduce_kernel, run_elementwise, run_reduce
from .loops import names_in
from .moves import FLOATS, Expand, To, need_tensor, reread
from .view import Shape, broadcast_shapes, expanded, normal_dim, regrouped

Interval = tuple[float, float]
REALS: Interval = (-math.inf, math.inf)

EXPAND = Expand(
    "expand", "⇉", r"x_{j} \to x_{ij}", "read one cell many times, with stride 0"
)
TO = To("to", "→", r"x \to \mathrm{dtype}", "convert to float64 or float32")


def chain_rule(name: str, derivative: str, available: tuple[str, ...]) -> Kernel | None:
    """Return the loop that multiplies ``g`` by a local derivative; None where that is just ``g``."""
    if derivative == "1.0":
        return None
    used = tuple(v for v in available if v in names_in(derivative))
    plain = derivative.isidentifier() or derivative.replace(".", "").isdigit()
    times = derivative if plain else f"({derivative})"
    return elementwise_kernel(name, f"g * {times}", ("g", *used))


class Elementwise(Operation):
    """out[i] = formula(x[i], ...), for every index i."""

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        name: str,
        symbol: str,
        formula: str,
        *derivatives: str,
        latex: str,
        about: str,
        domain: tuple[Interval, ...] = (),
    ) -> None:
        super().__init__(name, symbol, latex, about)
        if len(derivatives) != len(self.names):
            raise TypeError(f"{name}: give one local derivative for each of {self.names}")
        self.formula, self.derivatives = formula, derivatives
        self.domain = domain or (REALS,) * len(self.names)
        self.kernel = elementwise_kernel(f"{self.kind}_{name}", formula, self.names)
        available = (*self.names, "z")
        needed = set().union(*map(names_in, derivatives))
        self.saves = tuple(v for v in available if v in needed)
        self.back = tuple(
            chain_rule(f"{self.kind}_{name}_back_{v}", d, available)
            for v, d in zip(self.names, derivatives, strict=True)
        )
        self.back_reads = tuple(
            tuple(v for v in available if v in names_in(d)) for d in derivatives
        )

    def run(self, *inputs: Any) -> Any:
        """Compute on tensors of one shape and dtype, and record."""
        out = run_elementwise(self.kernel, *inputs)
        if GradMode.on and any(t.requires_grad for t in inputs):
            ctx = Context()
            cells = dict(zip(self.names, inputs, strict=True))
            ctx.save_for_backward(*(cells[v] if v != "z" else out._shadow() for v in self.saves))
            record(ctx, self, inputs, out)
        return out

    def backward(self, ctx: Context, grad_out: Any) -> tuple[Any, ...]:
        """Upstream gradient times local derivative, cell by cell, for each input that wants it."""
        cells = dict(zip(self.saves, ctx.saved_tensors, strict=True))
        return tuple(
            self.pull(k, grad_out, cells) if wanted else None
            for k, wanted in enumerate(ctx.needs_input_grad)
        )

    def pull(self, number: int, grad_out: Any, cells: dict[str, Any]) -> Any:
        """Return the gradient of input ``number``, given the cells its derivative mentions."""
        if self.derivatives[number] == "0.0":
            return filled(type(grad_out), 0.0, grad_out.shape, grad_out.dtype)
        kernel = self.back[number]
        if kernel is None:
            return grad_out
        return run_elementwise(kernel, grad_out, *(cells[v] for v in self.back_reads[number]))


class Map(Elementwise):
    """out[i] = formula(x[i]): every cell on its own."""

    kind: ClassVar[str] = "map"
    names: ClassVar[tuple[str, ...]] = ("x",)

    def __call__(self, x: Any) -> Any:
        """Apply to a tensor of any shape; the result has the same shape and dtype."""
        need_tensor(self.name, x)
        return self.run(x)


class Zip(Elementwise):
    """out[i] = formula(x[i], y[i]): pairs of cells, after broadcasting."""

    kind: ClassVar[str] = "zip"
    names: ClassVar[tuple[str, ...]] = ("x", "y")

    def __call__(self, x: Any, y: Any) -> Any:
        """Apply to two tensors whose shapes broadcast; either may be a number or an ndarray.

        Raises ShapeError naming the dim and the lengths if the shapes do not fit.
        """
        return self.run(*self.fitted(x, y))

    def fitted(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return both as tensors of one dtype and one shape; broadcasting is recorded as expand."""
        if not isinstance(x, Variable):
            x = constant_like(self.name, x, y)
        elif not isinstance(y, Variable):
            y = constant_like(self.name, y, x)
        if x.storage.dtype != y.storage.dtype:
            x, y = TO(x, np.float64), TO(y, np.float64)
        a, b = x.layout.shape, y.layout.shape
        if a != b:
            shape = broadcast_shapes(a, b)
            x = x if a == shape else EXPAND(x, shape)
            y = y if b == shape else EXPAND(y, shape)
        return x, y


def constant_like(name: str, value: Any, like: Any) -> Any:
    """Return a number or an array as a constant tensor of the kind and, if it is no float, dtype."""
    need_tensor(name, like)
    array = np.asarray(value)
    if array.dtype not in FLOATS or array.ndim == 0:
        if array.dtype.kind not in "fiub":
            raise DtypeError(f"{name} cannot use {value!r}: give numbers, an array or a tensor")
        array = array.astype(like.dtype)
    flat = np.array(array, order="C").reshape(-1)
    return type(like)(flat, array.shape)


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

    def __call__(
        self, x: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool | None = None
    ) -> Any:
        """Reduce over ``dim``, which stays with length 1; ``keepdim=False`` drops it.

        Without ``dim`` all cells meet and the result is 0-d. NumPy and PyTorch drop a reduced dim
        unless told to keep it; here it is kept, as the lecture draws it, so that a result always
        broadcasts back against its input.
        Shapes: (..., n, ...) -> (..., 1, ...). Raises IndexingError if there is no such dim.
        """
        need_tensor(self.name, x)
        dims = chosen_dims(dim, x.shape)
        keep = dim is not None if keepdim is None else keepdim
        if not self.of_nothing and math.prod(x.shape[d] for d in dims) == 0:
            raise ShapeError(
                f"{self.name} of no numbers has no answer: shape {x.shape} has no cells along "
                f"dim {dim if dim is not None else dims}"
            )
        kept = self.fold(x, dims)
        shape = kept.shape if keep else tuple(n for d, n in enumerate(kept.shape) if d not in dims)
        out = kept if keep else type(x)._of(kept.storage, regrouped(kept.layout, shape))
        if GradMode.on and x.requires_grad:
            ctx = Context()
            ctx.settings = {"dims": dims, "keepdim": keep, "from_shape": x.layout.shape}
            saved = {"x": x, "z": out._shadow() if "z" in self.reads or self.helpers else None}
            ctx.save_for_backward(*(saved[v] if self._needs(v) else None for v in ("x", "z")))
            record(ctx, self, (x,), out)
        return out

    def _needs(self, name: str) -> bool:
        return name in self.reads or bool(self.helpers)

    def fold(self, x: Any, dims: Shape) -> Any:
        """Return the reduction of ``x`` over ``dims``, kept with length 1, outside the graph."""
        out = run_reduce(self.kernel, self.start, dims, x)
        return out if self.last is None else run_elementwise(self.last, out, self.count(x, dims, out))

    def count(self, x: Any, dims: Shape, like: Any) -> Any:
        """Return how many cells meet in each output cell, as a tensor of the shape of ``like``."""
        return filled(type(x), math.prod(x.shape[d] for d in dims), like.shape, x.dtype)

    def backward(self, ctx: Context, grad_out: Any) -> tuple[Any, ...]:
        """Send each output cell's gradient back to all cells that met in it, times the slope."""
        dims, shape = ctx.settings["dims"], ctx.settings["from_shape"]
        kept = tuple(1 if d in dims else n for d, n in enumerate(shape))
        x, out = ctx.saved_tensors
        g = as_kept(grad_out, kept)
        if self.back is not None and set(self.reads) <= {"n"}:
            # the slope is the same for all cells that met: scale once, before the copies are made
            n = filled(type(g), math.prod(shape[d] for d in dims), kept, g.dtype)
            g = run_elementwise(self.back, g, *([n] if self.reads else []))
        wide = reread(g, expanded(g.layout, shape))
        if self.back is None or set(self.reads) <= {"n"}:
            return (wide,)
        cells = self.cells(x, as_kept(out, kept) if out is not None else None, dims)
        return (run_elementwise(self.back, wide, *(cells[v] for v in self.reads)),)

    def cells(self, x: Any, out: Any, dims: Shape) -> dict[str, Any]:
        """Return what the local derivative may mention, each in the shape of ``x``."""
        cells = {"x": x, "n": self.count(x, dims, x)}
        if out is not None:
            cells["z"] = reread(out, expanded(out.layout, x.shape))
        for name, (start, formula) in self.helpers.items():
            used = tuple(v for v in ("x", "z") if v in names_in(formula))
            kernel = reduce_kernel(f"reduce_{self.name}_{name}", formula, used)
            folded = run_reduce(kernel, start, dims, *(cells[v] for v in used))
            cells[name] = reread(folded, expanded(folded.layout, x.shape))
        return cells


def as_kept(t: Any, kept: Shape) -> Any:
    """Give a reduced tensor its dims of length 1 back: that never needs a copy."""
    return t if t.layout.shape == kept else reread(t, regrouped(t.layout, kept))


def chosen_dims(dim: Any, shape: Shape) -> Shape:
    """Return the dims to reduce, counted from the front; all of them for None."""
    if dim is None:
        return tuple(range(len(shape)))
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    chosen = tuple(normal_dim(d, shape) for d in dims)
    if len(set(chosen)) != len(chosen):
        raise ShapeError(f"dim {dim} names a dim twice: name each dim once")
    return tuple(sorted(chosen))
