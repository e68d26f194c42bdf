"""Map and zip: a formula and its local derivatives make a whole differentiable operation.

The chain rule is written once: the gradient of an input is, cell by cell, the upstream gradient
``g`` times the local derivative. Both stand in one generated loop, so backward is a zip like any
other. In the formulas x and y are the cells of the inputs, z that of the output.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .autodiff import GradMode, Node, Variable, filled, record
from .compiler import Kernel
from .errors import DtypeError
from .functions import Operation
from .kernels import elementwise_kernel, run_elementwise, run_map, run_zip
from .loops import names_in
from .moves import EXPAND, FLOATS, TO, need_tensor
from .view import broadcast_shapes

Interval = tuple[float, float]
REALS: Interval = (-math.inf, math.inf)


def chain_rule(name: str, derivative: str, available: tuple[str, ...]) -> Kernel | None:
    """Return the loop that multiplies ``g`` by a local derivative; None where it is just ``g``."""
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
        # for each input, where among the saved tensors the cells of its derivative stand
        self.picks = tuple(
            tuple(k for k, v in enumerate(self.saves) if v in names_in(d)) for d in derivatives
        )

    def note(self, inputs: tuple[Any, ...], out: Any) -> Any:
        """Record that ``out`` was made from ``inputs``, with what backward needs."""
        ctx = Node()
        ctx.needs_input_grad = tuple([t.requires_grad for t in inputs])
        if self.saves:
            cells = (*inputs, out)
            ctx._saved = tuple([cells[k] if k < len(inputs) else out._shadow() for k in self.kept])
        record(ctx, self, inputs, out)
        ctx._saved_at = ctx.serial
        return out

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Which of (*inputs, output) are saved."""
        return tuple((*self.names, "z").index(v) for v in self.saves)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Upstream gradient times local derivative, cell by cell, for each input that wants it."""
        saved = ctx.saved_tensors
        return tuple(
            [
                self.pull(k, grad_out, saved) if wanted else None
                for k, wanted in enumerate(ctx.needs_input_grad)
            ]
        )

    def pull(self, number: int, grad_out: Any, saved: tuple[Any, ...]) -> Any:
        """Return the gradient of input ``number``, given the saved tensors."""
        kernel = self.back[number]
        if kernel is None:
            return grad_out
        if self.derivatives[number] == "0.0":
            return filled(type(grad_out), 0.0, grad_out.shape, grad_out.dtype)
        return run_elementwise(kernel, grad_out, *[saved[k] for k in self.picks[number]])


class Map(Elementwise):
    """out[i] = formula(x[i]): every cell on its own."""

    kind: ClassVar[str] = "map"
    names: ClassVar[tuple[str, ...]] = ("x",)

    def __call__(self, x: Any) -> Any:
        """Apply to a tensor of any shape; the result has the same shape and dtype."""
        if not isinstance(x, Variable):
            need_tensor(self.name, x)
        out = run_map(self.kernel, x)
        return self.note((x,), out) if x.requires_grad and GradMode.on else out


class Zip(Elementwise):
    """out[i] = formula(x[i], y[i]): pairs of cells, after broadcasting."""

    kind: ClassVar[str] = "zip"
    names: ClassVar[tuple[str, ...]] = ("x", "y")

    def __call__(self, x: Any, y: Any) -> Any:
        """Apply to two tensors whose shapes broadcast; either may be a number or an ndarray.

        Raises ShapeError naming the dim and the lengths if the shapes do not fit.
        """
        if type(x) is not type(y) or not same_grid(x, y):
            x, y = self.fitted(x, y)
        out = run_zip(self.kernel, x, y)
        if GradMode.on and (x.requires_grad or y.requires_grad):
            return self.note((x, y), out)
        return out

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
            x = x if a == shape else EXPAND.stretch(x, shape)
            y = y if b == shape else EXPAND.stretch(y, shape)
        return x, y


def same_grid(x: Any, y: Any) -> bool:
    """Whether two tensors have one shape and one dtype; anything else is not a pair of tensors."""
    if not isinstance(x, Variable):
        return False
    a, b = x.layout, y.layout
    return a is b or (a.shape == b.shape and a.dtype is b.dtype)


def constant_like(name: str, value: Any, like: Any) -> Any:
    """Return a number or an array as a constant tensor; what is no float array takes the dtype."""
    need_tensor(name, like)
    if type(value) is float or (type(value) is int and abs(value) < 1 << 53):
        return filled(type(like), value, (), like.dtype)
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{name} cannot use {value!r}: give numbers, an array or a tensor")
    if array.dtype not in FLOATS or array.ndim == 0:
        array = array.astype(like.dtype)
    flat = np.array(array, order="C").reshape(-1)
    return type(like)(flat, array.shape)
