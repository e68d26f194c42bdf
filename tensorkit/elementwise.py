"""A formula and its local derivatives make a whole differentiable operation.

The chain rule is written once: the gradient of an input is, cell by cell, the upstream gradient
``g`` times the local derivative. Both stand in one generated loop, so backward is an operation like
any other, whose own slope follows from its formula: gradients of gradients need no further rule.
In the formulas x and y are the cells of the inputs, z that of the output.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from .calculus import chain_rule, differentiate
from .compiler import Kernel
from .functions import Operation, recording
from .graph import Node, clock, filled, grad_mode, record
from .kernels import elementwise_kernel, run_elementwise, run_map, run_zip
from .loops import names_in
from .moves import need_tensor
from .view import new

Interval = tuple[float, float]
REALS: Interval = (-math.inf, math.inf)
OUTPUT = ("z",)
Pull = Callable[[Any, tuple[Any, ...]], Any]


class Elementwise(Operation):
    """out[i] = formula(x[i], ...), for every index i, on tensors of one shape and dtype."""

    names: tuple[str, ...] = ()
    derivatives: tuple[str, ...] = ()
    upstream: str = "g"

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

    @property
    def all(self) -> tuple[str, ...]:
        """The cells that a derivative may mention: the inputs and the output."""
        return (*self.names, "z")

    @cached_property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """For each input, the cells that its derivative mentions."""
        return tuple(tuple(v for v in self.all if v in names_in(d)) for d in self.derivatives)

    @cached_property
    def saves(self) -> tuple[str, ...]:
        """The cells that backward needs."""
        mentioned = set().union(*self.needed)
        return tuple(v for v in self.all if v in mentioned)

    @cached_property
    def back(self) -> tuple[Kernel | None, ...]:
        """For each input, the loop of its gradient; None where the gradient passes unchanged."""
        return tuple(
            elementwise_kernel(
                f"{self.kind}_{self.name}_back_{v}",
                chain_rule(d, self.upstream),
                (self.upstream, *cells),
            )
            if d != "1.0"
            else None
            for v, d, cells in zip(self.names, self.derivatives, self.needed, strict=True)
        )

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Which of (*inputs, output) are saved."""
        return tuple(self.all.index(v) for v in self.saves)

    @cached_property
    def pulls(self) -> tuple[Pull, ...]:
        """For each input, what turns upstream gradient and saved tensors into its gradient."""
        return tuple(self.pull(number, recorded=False) for number in range(len(self.names)))

    @cached_property
    def recorded_pulls(self) -> tuple[Pull, ...]:
        """The same, recorded: gradients are to have gradients."""
        return tuple(self.pull(number, recorded=True) for number in range(len(self.names)))

    def pull(self, number: int, recorded: bool) -> Pull:
        """Return the pull of one input: the quickest call there is for what its slope mentions."""
        kernel, slope, v = self.back[number], self.derivatives[number], self.names[number]
        if kernel is None:
            return lambda g, saved: g
        if slope == "0.0":
            return lambda g, saved: filled(g, 0.0)
        picks = [self.saves.index(cell) for cell in self.needed[number]]
        if recorded:
            row = derived(f"{self.name}_back_{v}", kernel, chain_rule(slope, self.upstream))
            return lambda g, saved: row(g, *[saved[k] for k in picks])
        if len(picks) == 1:
            (only,) = picks
            return lambda g, saved: run_zip(kernel, g, saved[only])
        return lambda g, saved: run_elementwise(kernel, g, *[saved[k] for k in picks])

    def note(self, inputs: tuple[Any, ...], out: Any) -> Any:
        """Record that ``out`` was made from ``inputs``, with what backward needs."""
        saves, saved = self.saves, inputs
        if not saves:
            saved = ()
        elif saves == OUTPUT:
            saved = (out._shadow(),)
        elif saves != self.names:
            saved = tuple([inputs[k] if k < len(inputs) else out._shadow() for k in self.kept])
        record(self, inputs, out, saved)
        return out

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Upstream gradient times local derivative, cell by cell, for each input that wants it."""
        saved = ctx.saved_tensors if clock.last_write > ctx._saved_at else ctx._saved
        pulls = self.pulls
        if grad_mode.on:
            pulls = self.recorded_pulls
            if len(self.names) in self.kept:
                saved = (*saved[:-1], saved[-1]._rejoined(ctx))
        if len(pulls) == 1:
            return (pulls[0](grad_out, saved),)
        grads: list[Any] = []
        for k, parent in enumerate(ctx.inputs):
            grads.append(pulls[k](grad_out, saved) if parent.requires_grad else None)
        return tuple(grads)


class Map(Elementwise):
    """out[i] = formula(x[i]): every cell on its own."""

    kind: ClassVar[str] = "map"
    names: tuple[str, ...] = ("x",)

    def __call__(self, x: Any) -> Any:
        """Apply to a tensor of any shape; the result has the same shape and dtype."""
        try:
            # a layout that was met before is a tensor's: nothing is left to check
            call = self.kernel.calls[x.layout]
            tracked = x.requires_grad
        except (KeyError, AttributeError):
            need_tensor(self.name, x)
            out, tracked = run_map(self.kernel, x), x.requires_grad
        else:
            storage = call.empty(call.size, call.dtype)
            call.entry(storage, x.storage, call.dims)
            out = new(x.made)
            out.storage, out.layout = storage, call.out
        return self.note((x,), out) if tracked and grad_mode.on else out


class Derived(Elementwise):
    """The loop of a gradient as an operation of its own, with slopes that calculus finds."""

    kind: ClassVar[str] = "zip"

    def __init__(self, name: str, kernel: Kernel, formula: str) -> None:
        Operation.__init__(self, name, name, rf"\mathrm{{{name}}}", f"the gradient {formula}")
        self.kernel, self.formula = kernel, formula
        self.names = kernel.inputs
        level = itertools.count(2)
        while self.upstream in self.names:
            self.upstream = f"g{next(level)}"

    @property
    def all(self) -> tuple[str, ...]:
        """Only the inputs: z, if it is one of them, is the output of the operation before."""
        return self.names

    @cached_property
    def derivatives(self) -> tuple[str, ...]:  # type: ignore[override]
        """The slope of the formula along each input, found when it is first asked for."""
        return tuple(differentiate(self.formula, v) for v in self.names)

    def __call__(self, *inputs: Any) -> Any:
        """Apply to tensors of one shape and dtype."""
        out = run_elementwise(self.kernel, *inputs)
        return self.note(inputs, out) if recording(inputs) else out


@lru_cache(maxsize=1 << 10)
def derived(name: str, kernel: Kernel, formula: str) -> Derived:
    """Return the one operation for this gradient loop."""
    return Derived(name, kernel, formula)
