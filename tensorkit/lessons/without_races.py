"""Fast without races: parallel loops are run plainly, and what each iteration touches is counted.

Two tasks. Nothing is compiled and nothing is timed: numbers come from a plain run, races and counts
from the lanes, and both are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grading.cases import Array, Case, Laid, laid
from ..grading.exam import Exam, Wrong
from ..grading.messages import differs, first_wrong, numbers
from ..grading.sheet import Block, Task
from ..grading.storages import lying
from ..lanes import Lanes, run_lanes

NUMBERS, LANES, LEAN = "numbers", "lanes", "lean"
OLD = 5.0  # stands in out before


def straight(given: Laid) -> Array:
    """Return what is read by whoever takes the cells as they lie in storage."""
    return lying(given).storage[: given.values.size].reshape(given.values.shape)


@dataclass(frozen=True)
class KernelExam(Exam):
    """A loop over flat arrays; ``expect`` gives the cells of out from arrays, in NumPy.

    ``case.how`` says what is looked at: the numbers, the races, or how lean the inner loop is. out
    lies in reading order and holds old numbers; shapes and strides are tuples.
    """

    expect: Callable[..., Array] = lambda: np.zeros(())

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the tensors of a check, and the arguments for a call as ``arguments``."""
        data = dict(zip(self.names, map(lying, case.inputs), strict=True))
        return data | {"arguments": self._arguments(case)}

    def _arguments(self, case: Case) -> list[Any]:
        shape = self._right(case, "").shape
        arguments: list[Any] = [np.full(shape, OLD).ravel(), shape, (shape[1], 1)]
        for tensor in map(lying, case.inputs):
            arguments += [tensor.storage, tensor.shape, tensor.strides]
        return arguments

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        arguments = self._arguments(case)
        bare = getattr(subject, "py_func", subject)
        self._run(f"{self.name}(out, ...)", case, bare, *arguments)
        if case.how == NUMBERS:
            self._check_numbers(case, arguments[0])
            return
        ran = self._run(f"{self.name}(out, ...)", case, run_lanes, subject, *arguments)
        (self._check_lanes if case.how == LANES else self._check_lean)(case, ran)

    def _check_numbers(self, case: Case, out: Array) -> None:
        want = self._right(case, "")
        got = out.reshape(want.shape)
        if differs(got, want) and (got == OLD).all():
            raise self._stop(case, f"{self.name}, {case.about}: nothing was written into out")
        if differs(got, want):
            because = self._diagnose(case, "", got)
            what = f"{self.name}, {case.about}: wrong cells in out"
            raise self._stop(case, what, first_wrong(got, want), because)

    def _check_lanes(self, case: Case, ran: Lanes) -> None:
        if not ran.loops:
            what = f"{self.name} has no parallel loop"
            raise self._stop(case, what, "", "write prange in place of range in the outer loop")
        if ran.conflicts:
            first = ran.conflicts[0]
            because = "no two iterations may write one cell: let each have cells of out for itself"
            if first.array != "out":
                because = f"{first.array} is shared: make it inside the loop, one for each turn"
            raise self._stop(case, f"{self.name} races: {first}", "", because)
        if max(ran.loops) == 1:
            what = f"{self.name}: the parallel loop has 1 iteration, so nothing runs beside it"
            raise self._stop(case, what, "", "let prange count cells of out, or their dim 0")

    def _check_lean(self, case: Case, ran: Lanes) -> None:
        cells, written = ran.sizes["out"], ran.count("write", "out")
        if written > cells:
            what = f"{self.name}, {case.about}: {written} writes into {cells} cells of out"
            because = "add up in a local variable, and write each cell once, after the inner loop"
            raise self._stop(case, what, "", because)
        if ran.made:
            what = f"{self.name}, {case.about}: it makes {len(ran.made)} arrays"
            because = "positions are sums of index times stride: no array is needed for that"
            raise self._stop(case, what, "", because)
        if calls := sum(ran.calls.values()):
            what = f"{self.name}, {case.about}: {calls} calls of helper functions"
            because = "work the position out in the loop: index times stride, added up"
            raise self._stop(case, what, "", because)

    def _right(self, case: Case, of: str) -> Array:
        return np.asarray(self.expect(*(one.values for one in case.inputs)), dtype=np.float64)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return case.inputs

    def _data(self, case: Case) -> str:
        pairs = zip(self.names, case.inputs, strict=True)
        return ", ".join(f"{n} = {numbers(one.values)} ({one.layout})" for n, one in pairs)


def summed(a: Array) -> Array:
    """Return the sum over dim 1, which keeps its place."""
    total: Array = a.sum(1, keepdims=True)
    return total


ADDED = "the result, added to what was in out: a running value begins with 0"
IN_ORDER = "what comes of reading {0} as it lies in storage: use {0}_strides"

SUM = KernelExam(
    "sum_dim_1",
    ("a",),
    wrong=(
        Wrong(ADDED, lambda a: OLD + summed(a.values)),
        Wrong(IN_ORDER.format("a"), lambda a: summed(straight(a))),
        Wrong("the last cell of each sum: add to the running value", lambda a: a.values[:, -1:]),
        Wrong("the sum without its first cell", lambda a: summed(a.values[:, 1:])),
    ),
    step="tk.explore.race(sum_dim_1, *check.arguments)",
    expect=summed,
)
PRODUCT = KernelExam(
    "multiply",
    ("a", "b"),
    wrong=(
        Wrong(ADDED, lambda a, b: OLD + a.values @ b.values),
        Wrong(IN_ORDER.format("a"), lambda a, b: straight(a) @ b.values),
        Wrong(IN_ORDER.format("b"), lambda a, b: a.values @ straight(b)),
        Wrong(
            "the last of the products alone: add to the running value",
            lambda a, b: a.values[:, -1:] @ b.values[-1:],
        ),
    ),
    step="tk.explore.race(multiply, *check.arguments)",
    expect=lambda a, b: a @ b,
)

A = [[3, -1, 4], [1.5, -5, 9]]
B = [[2, 7], [-3, 1], [0.5, 6]]


def block(key: str, title: str, *cases: Case) -> Block:
    """One block of checks."""
    return Block(key, title, 1, cases)


def one(about: str, a: Laid, how: str = NUMBERS) -> Case:
    """A sum."""
    return Case(about, (a,), how=how)


def two(about: str, a: Laid, b: Laid, how: str = NUMBERS) -> Case:
    """A product."""
    return Case(about, (a, b), how=how)


TASKS = {
    "sum": Task(
        SUM,
        (
            block("fresh", "a in reading order", one("a fresh", laid(A))),
            block(
                "laid",
                "a that lies in another way",
                one("a permuted", laid(A, "permuted")),
                one("gaps in a", laid(A, "gapped")),
            ),
            block("races", "parallel, without a race", one("the lanes", laid(A), LANES)),
            block("lean", "a lean inner loop", one("counted", laid(A), LEAN)),
        ),
    ),
    "product": Task(
        PRODUCT,
        (
            block("fresh", "a and b in reading order", two("both fresh", laid(A), laid(B))),
            block(
                "laid",
                "a transposed operand, as backward gives it",
                two("b permuted", laid(A), laid(B, "permuted")),
                two("a permuted", laid(A, "permuted"), laid(B)),
            ),
            block("races", "parallel, without a race", two("the lanes", laid(A), laid(B), LANES)),
            block("lean", "a lean inner loop", two("counted", laid(A), laid(B), LEAN)),
        ),
    ),
}
