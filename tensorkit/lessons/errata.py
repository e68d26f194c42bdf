"""The bad assert: a gradient check is itself checked, on functions that are right and wrong.

One task. What is given is a function with a gradient and an input; a right one must pass, a wrong
one must raise AssertionError. Each wrong one is there to show one blind spot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions import Function
from ..grading.cases import Array, Case, laid
from ..grading.exam import Exam
from ..grading.messages import numbers
from ..grading.sheet import Block, Task
from ..tensor import Tensor, tensor

PASSES, REFUSES = "passes", "refuses"
Judged = Callable[[Tensor], Tensor]


def rule(forward: Callable[[Array], Array], backward: Callable[[Array, Array], Array]) -> Judged:
    """Return a function of a tensor whose gradient is what ``backward(x, d)`` says."""

    class Rule(Function):
        """Two formulas in NumPy."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Tensor:
            """Return the values, and remember x."""
            ctx.save_for_backward(x)
            return tensor(forward(x.numpy()))

        @staticmethod
        def backward(ctx: Any, grad_out: Any) -> Tensor:
            """Return what is claimed to be the gradient."""
            (x,) = ctx.saved_tensors
            return tensor(backward(x.numpy(), grad_out.numpy()))

    return Rule.apply


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-x)))


def slope(x: Array) -> Array:
    """Return the slope of the sigmoid."""
    return sigmoid(x) * (1 - sigmoid(x))


def all_but_the_last(x: Array, d: Array) -> Array:
    """Return the gradient of the sigmoid, and nothing in the last cell."""
    kept = np.ones(x.size)
    kept[-1] = 0
    return d * slope(x) * kept.reshape(x.shape)


RIGHT = rule(sigmoid, lambda x, d: d * slope(x))
STEEP = rule(lambda x: 1000 * x**3, lambda x, d: 3000 * x**2 * d)
RELU = rule(lambda x: np.maximum(x, 0), lambda x, d: d * (x > 0))
# forward and backward agree, and both divide by the size: no gradient check can know
LOPSIDED = rule(
    lambda x: x.sum(1, keepdims=True) / x.size, lambda x, d: np.broadcast_to(d / x.size, x.shape)
)
HOPELESS = rule(sigmoid, lambda x, d: 1000 + d)
FORGETFUL = rule(sigmoid, lambda x, d: slope(x))
MOVED = rule(lambda x: x.T, lambda x, d: d.reshape(x.shape))
LAST = rule(sigmoid, all_but_the_last)
SLIGHT = rule(sigmoid, lambda x, d: 1.01 * d * slope(x))
SIGNLESS = rule(np.abs, lambda x, d: d)


@dataclass(frozen=True)
class JudgeExam(Exam):
    """A function of f and x that raises AssertionError if the gradient of f is wrong at x.

    ``case.how`` says which is right, ``case.extra`` holds f, ``case.hint`` why it may go wrong.
    """

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        (x,) = (one.tensor() for one in case.inputs)
        before = [("x", x, x.storage.copy())]

        def call() -> Any:
            try:
                return subject(*case.extra, x)
            except AssertionError as error:
                return error

        value = self._run(f"{self.name}(f, x)", case, call)
        if value is not None and not isinstance(value, AssertionError):
            what = f"{self.name} returned {value!r}: it returns nothing, and asserts"
            raise self._stop(case, what[:160], data=False)
        if value is None and case.how == REFUSES:
            what = f"{self.name} lets a wrong gradient pass: {case.about}"
            raise self._stop(case, what, "", case.hint)
        if value is not None and case.how == PASSES:
            said = str(value).strip().split("\n")[0]
            where = f"it said: {said}" if said else ""
            what = f"{self.name} gives a false alarm: {case.about}"
            raise self._stop(case, what, where, case.hint)
        self._same(case, before)

    def _data(self, case: Case) -> str:
        return f"x = {numbers(case.inputs[0].values)}"


JUDGE = JudgeExam(
    "assert_grad_ok",
    ("x",),
    extras=("f",),
    step="tk.step(tk.check_gradient(check.f, check.x, raises=False))",
)

X = laid([[2, -1, 0.5], [-0.25, 1.5, -2]])
ZERO = laid([[0, -1, 2], [-0.25, 1.5, -2]])  # what leaves at the kink sees nothing else
LARGE = laid([[20, -10, 5], [-2.5, 15, -20]])


def case(how: str, about: str, f: Judged, why: str, x: Any = X) -> Case:
    """One function to be judged."""
    return Case(about, (x,), (f,), how=how, hint=why)


TASKS = {
    "judge": Task(
        JUDGE,
        (
            Block(
                "right",
                "right gradients pass",
                1,
                (
                    case(
                        PASSES,
                        "a sigmoid that is right",
                        RIGHT,
                        "is the nudge small, and x put back?",
                    ),
                    case(
                        PASSES,
                        "slopes of a million",
                        STEEP,
                        "rounding grows with the numbers: allow a share of the slope as well",
                        LARGE,
                    ),
                    case(
                        PASSES,
                        "forward and backward agree",
                        LOPSIDED,
                        "nudging measures the function as it is, not what it was meant to be",
                    ),
                ),
            ),
            Block(
                "hopeless",
                "a gradient that is wrong everywhere",
                1,
                (
                    case(
                        REFUSES,
                        "every cell is a thousand too large",
                        HOPELESS,
                        "can your assert fail? a pair in brackets is true, whatever it holds",
                    ),
                ),
            ),
            Block(
                "cells",
                "a mistake in one cell",
                1,
                (
                    case(
                        REFUSES,
                        "the last cell gets nothing",
                        LAST,
                        "one cell is not a sample of six: go through every index of x",
                    ),
                ),
            ),
            Block(
                "upstream",
                "mistakes that ones hide",
                1,
                (
                    case(
                        REFUSES,
                        "grad_out is forgotten",
                        FORGETFUL,
                        "with weights of 1 this is right: send back weights that are all different",
                    ),
                    case(
                        REFUSES,
                        "right numbers in wrong cells",
                        MOVED,
                        "with weights of 1 this is right: send back weights that are all different",
                    ),
                ),
            ),
            Block(
                "small",
                "a small mistake",
                1,
                (
                    case(
                        REFUSES,
                        "every cell is 1 % too large",
                        SLIGHT,
                        "nudging is good to five digits here: make the tolerance smaller",
                    ),
                ),
            ),
            Block(
                "kink",
                "a kink",
                1,
                (
                    case(
                        PASSES,
                        "relu, with a cell at 0",
                        RELU,
                        "left of 0 the slope is 0, right of it 1: skip a cell with two slopes",
                        ZERO,
                    ),
                    case(
                        REFUSES,
                        "abs without its sign, with a cell at 0",
                        SIGNLESS,
                        "skip the cell at the kink alone: the others have a slope",
                        ZERO,
                    ),
                ),
            ),
        ),
    )
}
