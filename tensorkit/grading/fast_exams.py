"""Examine parallel kernels without a clock: a look counts what one plain run did.

Numbers come from a run in plain Python. For a look each iteration of ``prange`` has a lane of its
own, so a race is found on one core and on every day. Compiled it is once, without threads, for what
numba refuses.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tensorkit as tk

from ..lanes import Lanes, Runner
from .cases import Case
from .exam import Exam, Stopped
from .messages import Finding, differs, first_wrong, numbers
from .quiet import quiet
from .refusals import INDEX, line_of, refused
from .storages import LoopExam, lying

RACES, SPREAD, LEAN, ALIGNED, COMPILED = "races", "spread", "lean", "aligned", "compiled"
LOOKS = (RACES, SPREAD, LEAN, ALIGNED, COMPILED)


class Plain(Runner):
    """Rebuilds a kernel and the helpers that numba compiled as plain Python, and notes nothing."""

    def ours(self, value: Any) -> Any:
        """Return what a kernel finds in the place of ``value``."""
        return self.plain(value) if hasattr(value, "py_func") else value


@functools.cache
def under_njit(fn: Any) -> Any:
    """Return fn as a kernel gets it; what is compiled once is compiled for all."""
    from numba import njit

    return njit(fn)


@dataclass(frozen=True)
class FastExam(LoopExam):
    """A kernel, or a function of fn that returns one. ``case.how`` may be one of LOOKS, too.

    Each look asks for the right numbers first: a kernel that does nothing has no race. Shapes and
    strides are arrays of ints.
    """

    makes: bool = True  # a function of fn

    def examine(self, subject: Any, case: Case) -> Finding | None:
        """Run ``case``, with the explorer's call at the end."""
        return Exam.examine(replace(self, step=self._picture("race")), subject, case)

    def _picture(self, of: str) -> str:
        kernel = f"{self.name}(check.fn)" if self.makes else self.name
        return f"tk.explore.{of}({kernel}, *check.arguments)"

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the data of a check, and the arguments of a kernel as ``arguments``."""
        data = dict(zip(self.names, map(lying, case.inputs), strict=True))
        if self.makes:
            data |= dict(
                zip(self.extras, (under_njit(case.extra[0]), *case.extra[1:]), strict=False)
            )
        return data | {"arguments": self._given_to(case)}

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        kernel = self._kernel(subject, case)
        if getattr(kernel, "targetoptions", {}).get("fastmath"):
            what = f"{self.name}: fastmath may change the order of a fold"
            raise self._stop(case, what, "take it out of njit(...)", data=False)
        self._numbers(case, self._run(self._label(), case, _plain, kernel))
        if case.how == COMPILED:
            self._check_compiled(case, kernel)
        elif case.how in LOOKS:
            self._look(case, kernel)

    def _kernel(self, subject: Any, case: Case) -> Any:
        if not self.makes:
            return subject
        kernel = self._run(f"{self.name}(fn)", case, subject, under_njit(case.extra[0]))
        if not callable(kernel):
            what = f"{self._label()} is {kernel!r}: is the return missing?"
            raise self._stop(case, what, data=False)
        return kernel

    def _why_raised(self, case: Case, error: BaseException) -> str:
        return INDEX if "only integers, slices" in str(error) else ""

    def _label(self) -> str:
        return f"the loop of {self.name}(fn)" if self.makes else f"{self.name}(out, ...)"

    def _numbers(self, case: Case, kernel: Any) -> None:
        """Run a kernel, and compare."""
        out, inputs = self._out(case), [lying(laid) for laid in case.inputs]
        self._run(self._label(), case, kernel, *self._arguments(case, out, inputs))
        for name, tensor, laid in zip(self.names, inputs, case.inputs, strict=True):
            if not np.array_equal(tensor.storage, lying(laid).storage):
                raise self._stop(case, f"{self.name} changed {name} in place", data=False)
        got, want = np.array(out.numpy()), self._right(case, "")
        if not differs(got, want):
            return
        if (got == self._start(case)).all():
            raise self._stop(case, f"{self.name}, {case.about}: nothing was written into out")
        because = self._diagnose(case, "", got)
        what = f"{self.name}, {case.about}: wrong cells in out"
        raise self._stop(case, what, first_wrong(got, want), because)

    def _look(self, case: Case, kernel: Any) -> None:
        """Run in lanes, and judge what the run did."""
        arguments = self._given_to(case)
        runner = Runner(kernel)
        given = inspect.getfullargspec(runner.recorder.function)
        if len(given.args) != len(arguments):
            what = f"{self._label()} names {len(given.args)} arguments, want {len(arguments)}"
            raise self._stop(case, what, "keep them as they were in the cell", data=False)
        ran = self._run(self._label(), case, runner.run, arguments)
        if ran.ending.how != "returned":
            raise self._broken(case, ran)
        if case.how in (RACES, SPREAD):
            self._check_lanes(case, kernel, ran)
        else:
            replace(self, step=self._picture("cost"))._check_work(case, ran)

    def _broken(self, case: Case, ran: Lanes) -> Stopped:
        """Say how a run in lanes ended that had been through plainly."""
        where = line_of(ran.lines, ran.first, ran.ending.line)
        what = f"{self._label()}, in lanes: {ran.ending.error} {ran.ending.message}".rstrip()
        return self._stop(case, what.partition("\n")[0], where, data=False)

    def _check_lanes(self, case: Case, kernel: Any, ran: Lanes) -> None:
        if not ran.loops:
            because = "write prange in place of range in the outer loop"
            raise self._stop(case, f"{self.name} has no parallel loop", "", because)
        if not getattr(kernel, "targetoptions", {}).get("parallel"):
            because = "prange is parallel under njit(parallel=True) only"
            raise self._stop(case, f"{self.name} is not compiled for threads", "", because)
        if ran.conflicts:
            first = ran.conflicts[0]
            because = "no two iterations may write one cell: let each have cells of out for itself"
            if first.array not in ran.arguments:
                because = f"{first.array} is shared: make it inside the loop, one for each turn"
            told = f": {first}" if case.shown else ""
            raise self._stop(case, f"{self.name} races{told}", "", because)
        if max(ran.loops) == 1:
            what = f"{self.name}: the parallel loop has 1 iteration, so nothing runs beside it"
            raise self._stop(case, what, "", "let prange count the cells of out")

    def _check_work(self, case: Case, ran: Lanes) -> None:
        """Count helpers that are called; what is done once, before the loop, is free."""
        out = ran.arguments[0]
        cells = ran.sizes[out]
        own = getattr(case.extra[0], "__name__", "")
        calls = sum(count for name, count in ran.calls.items() if name != own)
        what = f"{self.name}, {case.about}: {calls} calls of helpers"
        if case.how == ALIGNED:
            if max(calls, len(ran.made)) >= cells:
                because = "shapes and strides agree: storages can be walked side by side"
                told = f"{what} and {len(ran.made)} arrays made for {cells} cells"
                raise self._stop(case, told, "want none of both in the loop", because)
            return
        if calls >= cells * self._met(case):
            told = f"{what} for {cells} cells of out"
            because = "find a position once for each cell of out, then add a stride at each step"
            raise self._stop(case, told, "", because)
        if (written := ran.count("write", out)) > cells:
            told = f"{self.name}, {case.about}: {written} writes into {cells} cells of out"
            because = "keep the running value in a variable, and write it once"
            raise self._stop(case, told, "", because)

    def _met(self, case: Case) -> int:
        """Return how many cells of the first input meet in a cell of out."""
        return int(case.inputs[0].values.shape[case.extra[1] if self.folds else -1])

    def _check_compiled(self, case: Case, kernel: Any) -> None:
        """Compile once, without threads: numba refuses the same lines, in a tenth of the time."""
        from numba import njit

        bare = getattr(kernel, "py_func", kernel)
        compiled = njit(bare)
        try:
            with quiet():  # without a limit, for the plain run came to its end
                compiled(*self._given_to(case))
        except Exception as error:
            raise Stopped(refused(self.name, case, bare, error)) from None
        self._numbers(case, compiled)

    def _given_to(self, case: Case) -> tuple[Any, ...]:
        """Return the arguments of a kernel."""
        return self._arguments(case, self._out(case), [lying(laid) for laid in case.inputs])

    def _arguments(self, case: Case, out: tk.Tensor, inputs: list[tk.Tensor]) -> tuple[Any, ...]:
        parts: list[Any] = []
        for tensor in (out, *inputs):
            parts += [tensor.storage, np.array(tensor.shape), np.array(tensor.strides)]
        return (*parts, *(case.extra[1:] if self.folds else ()))

    def _out(self, case: Case) -> tk.Tensor:
        return super()._out(replace(case, how="once") if case.how in LOOKS else case)

    def _data(self, case: Case) -> str:
        pairs = zip(self.names, case.inputs, strict=True)
        parts = [f"{name} = {numbers(laid.values)}" for name, laid in pairs]
        if self.makes:
            parts.append(f"fn = {case.extra[0].__name__}")
        return ", ".join([*parts, *(f"dim = {dim}" for dim in case.extra[1:] if self.folds)])


def _plain(kernel: Any) -> Any:
    return Plain(kernel).recorder.function
