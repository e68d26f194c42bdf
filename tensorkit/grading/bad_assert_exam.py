"""Examine ``fixed_assert``, and the ways in which an assert on two arrays can be bad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .cases import Case
from .exam import Stopped, Wrong
from .quiet import TooSlow, limit, quiet
from .values import ValueExam

DATA: tuple[tuple[str, Any, Any], ...] = (
    ("equal pairs", [[1.5, -2.5, 4.0]], [[1.5, -2.5, 4.0]]),
    ("different numbers", [1.5, 2.5, -1.0], [1.5, 2.25, -1.0]),
    ("the first numbers larger", [[2.0, 3.0]], [[2.0, 1.0]]),
    ("the first numbers smaller", [[2.0, 1.0]], [[2.0, 3.0]]),
    ("one cell differs", np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 2.0, 3.0]])),
    ("differences cancel", [1.0, 4.0], [2.0, 3.0]),
    ("rounding only", [0.1 + 0.2, 1.0], [0.3, 1.0]),
    ("small numbers", [0.001, -0.002], [0.002, -0.001]),
    ("two shapes", [3.0, 4.0, 5.0], [[3.0, 4.0, 5.0], [3.0, 4.0, 5.0]]),
    ("a number and a list", 3.0, [3.0]),
    ("two lengths", [3.0, 3.0], [3.0]),
    ("large numbers", [1000.0, 2.0], [1000.25, 2.0]),
    ("nan", [float("nan"), 1.0], [float("nan"), 1.0]),
    ("infinity", [float("inf"), 1.0], [3.0, 1.0]),
    ("infinity twice", [float("inf"), 1.0], [float("inf"), 1.0]),
)
PAIRS = tuple(Case(about, (), (a, b)) for about, a, b in DATA)


@dataclass(frozen=True)
class AssertExam(ValueExam):
    """One verdict says little about a bad assert: its verdicts on all pairs tell which it is."""

    def _examine(self, subject: Any, case: Case) -> None:
        try:
            super()._examine(subject, case)
        except Stopped as stop:
            if stop.finding.case is None:
                raise
            if stop.finding.what.endswith("wrong result"):
                because = "nobody looks at what a test returns: it raises, or it does not"
                raise Stopped(replace(stop.finding, because=because)) from None
            verdicts = _verdicts(subject)
            matches = {r.sentence for r in self.wrong if _verdicts(r.compute) == verdicts}
            because = f"on all pairs it does what {matches.pop()}" if len(matches) == 1 else ""
            raise Stopped(replace(stop.finding, because=because)) from None

    def _diagnose(self, case: Case, of: str, got: Any) -> str:
        return ""


def _verdicts(test: Any) -> list[bool]:
    """Return which of all pairs a test refuses."""
    found = []
    for case in PAIRS:
        try:
            with quiet(), limit():
                test(*case.extra)
            found.append(False)
        except (Exception, SystemExit, TooSlow):
            found.append(True)
    return found


def fixed_assert(a: Any, b: Any) -> None:
    """Raise AssertionError unless a and b have one shape and equal numbers, up to rounding."""
    if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-6, atol=1e-9):
        raise AssertionError


def _passes(a: Any, b: Any) -> None:
    """What assert (condition, "words") does."""


def _refuses(a: Any, b: Any) -> None:
    raise AssertionError


def _stretches(a: Any, b: Any) -> None:
    if not np.allclose(a, b, rtol=1e-6, atol=1e-9):
        raise AssertionError


def _one_sided(a: Any, b: Any) -> None:
    if np.shape(a) != np.shape(b) or not np.all(np.asarray(a) - np.asarray(b) < 1e-6):
        raise AssertionError


def _exactly(a: Any, b: Any) -> None:
    if not np.array_equal(a, b):
        raise AssertionError


def _loosely(a: Any, b: Any) -> None:
    if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=0, atol=1e-2):
        raise AssertionError


def _somewhere(a: Any, b: Any) -> None:
    if np.shape(a) != np.shape(b) or not np.isclose(a, b).any():
        raise AssertionError


def _in_all(a: Any, b: Any) -> None:
    if np.shape(a) != np.shape(b) or not abs(np.sum(np.asarray(a) - b)) < 1e-6:
        raise AssertionError


def _by_difference(a: Any, b: Any) -> None:
    with np.errstate(invalid="ignore"):
        if np.shape(a) != np.shape(b) or not np.all(np.abs(np.asarray(a) - b) < 1e-6):
            raise AssertionError


FIXED_ASSERT = AssertExam(
    "fixed_assert",
    (),
    wrong=(
        Wrong("assert (condition, words) does: a tuple is true, so it never fails", _passes),
        Wrong("assert False does: it always fails", _refuses),
        Wrong("np.allclose alone does: it stretches (3,) to (2, 3)", _stretches),
        Wrong("a - b < 1e-6 does, without abs: it looks at one side only", _one_sided),
        Wrong("== does: 0.1 + 0.2 and 0.3 differ by rounding", _exactly),
        Wrong("a tolerance of 0.01 does: small numbers differ by less", _loosely),
        Wrong("any does: one equal cell is enough for it", _somewhere),
        Wrong("the sum of all differences does, where + and - cancel", _in_all),
        Wrong("abs(a - b) < 1e-6 does: infinity less infinity is nan", _by_difference),
    ),
    extras=("a", "b"),
    advice="call fixed_assert(check.a, check.b) yourself, then change the pair a little",
    expect=fixed_assert,
    error=AssertionError,
    error_name="AssertionError",
)
