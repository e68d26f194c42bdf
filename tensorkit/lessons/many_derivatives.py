"""Many derivatives: a gradient, cell by cell, out of derivatives of single numbers.

The learner's ``vjp(f, x, grad_out)`` is slow and needs no rule: it nudges. What is wanted comes
from formulas, and the known mistakes from the same nudges as the lesson's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grading.cases import Array, Case, laid
from ..grading.exam import CallExam, Wrong
from ..grading.messages import differs, first_wrong, numbers
from ..grading.sheet import Block, Task

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Known:
    """A function of arrays whose derivatives are known, and how a learner reads its name."""

    about: str
    f: Function
    jacobian: Function  # one line for each cell of f(x), one column for each cell of x

    def __call__(self, x: Array) -> Array:
        """Return f(x)."""
        return self.f(x)

    def __repr__(self) -> str:
        return self.about


def grid(f: Function, x: Array) -> Array:
    """Return all derivatives by nudging, as the lesson does."""
    columns = []
    for j in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[j] += 1e-5
        down[j] -= 1e-5
        columns.append(np.ravel(f(up) - f(down)) / 2e-5)
    return np.stack(columns, axis=1)


def pulled_back(x: Array, grad_out: Array, f: Known) -> Array:
    """Return the gradient, from the formulas."""
    return (grad_out.ravel() @ f.jacobian(x)).reshape(x.shape)


@dataclass(frozen=True)
class ManyExam(CallExam):
    """Examine ``vjp(f, x, grad_out)`` on arrays; a case holds x, grad_out and, as ``extra``, f."""

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        (x, grad_out), (f,) = (one.values.copy() for one in case.inputs), case.extra
        before = x.copy(), grad_out.copy()
        value = self._run(f"{self.name}(f, x, grad_out)", case, subject, f, x, grad_out)
        got = self._read(f"the result of {self.name}(f, x, grad_out)", case, value)
        want = self._right(case, "")
        for name, now, then in zip(self.names, (x, grad_out), before, strict=True):
            if differs(now, then):
                what = f"{self.name} changed {name} in place"
                raise self._stop(case, what, "nudge a copy: others still need those numbers")
        if differs(got, want):
            because = self._diagnose(case, "", got)
            what = f"{self.name}, {case.about}: wrong gradient"
            raise self._stop(case, what, first_wrong(got, want), because)

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the arrays and the function of a check, by name."""
        arrays = (one.values.copy() for one in case.inputs)
        return dict(zip(self.names, arrays, strict=True)) | {"f": case.extra[0]}

    def _data(self, case: Case) -> str:
        given = zip(self.names, case.inputs, strict=True)
        return ", ".join(
            [f"f = {case.extra[0]}", *(f"{n} = {numbers(a.values)}" for n, a in given)]
        )


def _shaped(rule: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """Turn a rule about the grid and a flat grad_out into one that gives the shape of x."""
    return lambda x, d, f: np.reshape(rule(grid(f, x), d.ravel()), x.shape)


MANY = ManyExam(
    "vjp",
    ("x", "grad_out"),
    wrong=(
        Wrong(
            "the columns added up without grad_out: weigh each output by its number first",
            _shaped(lambda J, d: J.sum(0)),
        ),
        Wrong(
            "the mean over the outputs: effects on one loss add up",
            _shaped(lambda J, d: (d @ J) / len(d)),
        ),
        Wrong(
            "each output's line added up: a gradient gathers the column of an input",
            _shaped(lambda J, d: J @ d),
        ),
        Wrong(
            "the output of the same index alone: a cell may move others, too",
            _shaped(lambda J, d: d * np.diag(J)),
        ),
        Wrong(
            "what grad_out adds up to, times each column: weigh first, then add",
            _shaped(lambda J, d: d.sum() * J.sum(0)),
        ),
        Wrong("the last output alone: add up over all", _shaped(lambda J, d: d[-1] * J[-1])),
        Wrong("the first output alone: add up over all", _shaped(lambda J, d: d[0] * J[0])),
        Wrong(
            "one sum over all inputs and outputs, in every cell",
            _shaped(lambda J, d: np.full(J.shape[1], (d @ J).sum())),
        ),
        Wrong(
            "the right numbers in one line: the gradient has the shape of x",
            lambda x, d, f: d.ravel() @ grid(f, x),
        ),
        Wrong("zeros: put what you find into the gradient", lambda x, d, f: np.zeros(x.shape)),
    ),
    tensors=False,
    extras=("f",),
    expect=pulled_back,
    advice="print(column(check.f, check.x, (0,) * check.x.ndim)) and weigh it by hand",
)

PAIR = Known(
    "[x0, x0·x1]",
    lambda x: np.array([x[0], x[0] * x[1]]),
    lambda x: np.array([[1, 0], [x[1], x[0]]]),
)
SQUARES = Known("x·x", lambda x: x * x, lambda x: np.diag(2 * x.ravel()))
SUM = Known("x.sum(0)", lambda x: x.sum(0), lambda x: np.tile(np.eye(x.shape[1]), x.shape[0]))
ROWS = Known(
    "x stretched to (2, 3)",
    lambda x: np.stack([x, x]),
    lambda x: np.tile(np.eye(x.size), (2, 1)),
)

X = [[3, 1, 4], [2, 6, 5]]


def one(about: str, f: Known, x: object, grad_out: object) -> Case:
    """One function at one place."""
    return Case(about, (laid(x), laid(grad_out)), (f,))


TASKS = {
    "vjp": Task(
        MANY,
        (
            Block("pair", "two numbers in, two out", 1, (one("a pair", PAIR, [3, 4], [1, 10]),)),
            Block(
                "shape",
                "a gradient has the shape of x",
                1,
                (one("a map", SQUARES, X, [[1, 10, -100], [2, -20, 200]]),),
            ),
            Block(
                "fewer",
                "fewer outputs than inputs, and more",
                1,
                (
                    one("a reduce", SUM, X, [1, 10, 100]),
                    one("a stretch", ROWS, [3, 1, 4], [[1, 10, 100], [2, 20, 200]]),
                ),
            ),
        ),
    ),
}
