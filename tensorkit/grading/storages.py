"""Examine loops over flat storages, in MiniTorch's convention: map, zip, reduce.

A learner writes ``tensor_map(fn)``, which returns ``loop(out, out_shape, out_strides, a, a_shape,
a_strides)``. Only storages show whether a loop goes by index: each case says how its tensors lie,
how out lies, and what stands in it before. A known mistake is a loop, too, on the same storages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

import tensorkit as tk

from .cases import Array, Case, Laid, Layout
from .exam import Exam
from .messages import Finding, differs, first_wrong, numbers

Factory = Callable[..., Any]  # fn -> loop


def lying(laid: Laid) -> tk.Tensor:
    """Build the tensor on a storage that begins with its first cell: loops know no offset."""
    made = laid.tensor()
    return tk.Tensor(made.storage[made.offset :].copy(), made.shape, made.strides)


@dataclass(frozen=True)
class LoopExam(Exam):
    """Examine a function of ``fn`` that returns a loop; ``expect`` is what out should hold.

    ``case.extra`` is fn and, for a fold, dim; for a map that stretches its input, out's shape.
    ``case.how`` is the Layout of out ("once" is plain), ``case.buffer`` what each cell of out holds
    before, 0 if left out. ``expect`` gets fn, the inputs, the rest of ``extra`` and, for a fold,
    what out holds before. ``step`` is the stepper's call without its closing bracket.
    """

    expect: Callable[..., Array] = lambda: np.zeros(())
    folds: bool = False

    def examine(self, subject: Any, case: Case) -> Finding | None:
        """Run ``case``; the stepper's call shows how its out lies and what is in it."""
        return Exam.examine(replace(self, step=self._call(case)), subject, case)

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the data of a check, by name."""
        data = super().at_hand(case)
        data |= dict(zip(self.names, map(lying, case.inputs), strict=True))
        return data | {"out_strides": self._out(case).strides, "start": self._start(case)}

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        label = f"the loop of {self.name}(fn)"
        loop = self._run(f"{self.name}(fn)", case, subject, case.extra[0])
        if not callable(loop):
            raise self._stop(case, f"{label} is {loop!r}: is `return loop` missing?", data=False)
        out, inputs = self._out(case), [lying(laid) for laid in case.inputs]
        named = list(zip(self.names, inputs, strict=True))
        before = [(name, tensor, tensor.storage.copy()) for name, tensor in named]
        around = self._around(out)
        self._run(label, case, loop, *self._arguments(case, out, inputs))
        self._same(case, before)
        got, want = out.numpy(), self._right(case, "")
        if differs(got, want) and (got == self._start(case)).all():
            raise self._stop(case, f"{self.name}, {case.about}: nothing was written into out")
        if differs(got, want):
            because = self._diagnose(case, "", got)
            what = f"{self.name}, {case.about}: wrong cells in out"
            raise self._stop(case, what, first_wrong(got, want), because)
        if not np.array_equal(around, self._around(out)):
            what = f"{self.name}, {case.about}: it writes between the cells of out"
            raise self._stop(case, what, "a cell lies where index and out_strides put it")

    def outcome(self, make: Factory, case: Case) -> Array:
        """Return out after a loop of ``make`` has run."""
        out = self._out(case)
        make(case.extra[0])(*self._arguments(case, out, [lying(one) for one in case.inputs]))
        return np.array(out.numpy())

    def _arguments(self, case: Case, out: tk.Tensor, inputs: list[tk.Tensor]) -> tuple[Any, ...]:
        parts = [part for t in (out, *inputs) for part in (t.storage, t.shape, t.strides)]
        return (*parts, *(case.extra[1:] if self.folds else ()))

    def _start(self, case: Case) -> float:
        return 0.0 if case.buffer is None else float(case.buffer)

    def _out(self, case: Case) -> tk.Tensor:
        layout = cast(Layout, "plain" if case.how == "once" else case.how)
        return lying(Laid(np.full(self._right(case, "").shape, self._start(case)), layout))

    def _around(self, out: tk.Tensor) -> Array:
        """Return what of a storage belongs to no cell."""
        alone = np.ones(out.storage.size, bool)
        alone[[out.position(index) for index in np.ndindex(*out.shape)]] = False
        return np.array(out.storage[alone])

    def _call(self, case: Case) -> str:
        wide = self._right(case, "").shape
        if not self.folds and any(laid.values.shape != wide for laid in case.inputs):
            # a stepper shows loops over tensors of one shape
            shapes = [f"check.{name}.shape" for name in self.names]
            return f"tk.explore.broadcast({', '.join([*shapes, str(wide)][:2])})"
        more = f", out_strides={self._out(case).strides}" if case.how != "once" else ""
        return f"{self.step}{more}{', start=check.start' if case.buffer is not None else ''})"

    def _data(self, case: Case) -> str:
        given = zip(self.names, case.inputs, strict=True)
        parts = [f"{name} = {numbers(laid.values)}" for name, laid in given]
        fn, *more = case.extra
        name = "dim" if self.folds else "out_shape"
        parts += [f"fn = {fn.__name__}", *(f"{name} = {value}" for value in more)]
        return ", ".join(parts)

    def _right(self, case: Case, of: str) -> Array:
        fn, *more = case.extra
        values = [laid.values for laid in case.inputs]
        start = [self._start(case)] if self.folds else []
        return np.asarray(self.expect(fn, *values, *more, *start), dtype=np.float64)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return (self, case)


def by_loop(make: Factory) -> Callable[..., Array]:
    """Return a known mistake that is written as a loop, for a Wrong of a LoopExam."""
    return lambda exam, case: exam.outcome(make, case)
