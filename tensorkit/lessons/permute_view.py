"""Permute, view, contiguous: a new layout of the same storage, made and judged without a number.

Two tasks on shapes and strides alone. For the second everything has three dims.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from ..grading.cases import Case, mixed
from ..grading.exam import Wrong
from ..grading.sheet import Block, Task
from ..grading.values import ValueExam
from ..layout import row_major
from ..tensor import Tensor, tensor

Some = Sequence[int]
Pair = tuple[Some, Some]


def picked(values: Some, order: Some) -> tuple[int, ...]:
    """Return the entries that an order names."""
    return tuple(values[dim] for dim in order)


def sent(values: Some, order: Some) -> tuple[int, ...]:
    """Return the entries with each one sent to the place that the order gives it."""
    return tuple(values[tuple(order).index(dim)] for dim in range(len(values)))


def permuted(shape: Some, strides: Some, order: Some) -> Pair:
    """Return shape and strides of a permuted tensor."""
    return picked(shape, order), picked(strides, order)


@dataclass(frozen=True)
class PermutedExam(ValueExam):
    """New shape and strides, with the tensor that they are to read at hand."""

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Add the tensor as x."""
        shape, strides, _ = case.extra
        storage = tensor(mixed((prod(shape),))).storage
        return super().at_hand(case) | {"x": Tensor(storage, shape, strides)}


PERMUTED = PermutedExam(
    "permuted",
    (),
    wrong=(
        Wrong(
            "the old strides under the new shape: both move together",
            lambda shape, strides, order: (picked(shape, order), tuple(strides)),
        ),
        Wrong(
            "the old shape over the new strides: both move together",
            lambda shape, strides, order: (tuple(shape), picked(strides, order)),
        ),
        Wrong(
            "the strides of a fresh tensor of that shape: that is view, and reads other cells",
            lambda shape, strides, order: (picked(shape, order), row_major(picked(shape, order))),
        ),
        Wrong(
            "what comes of sending dim k to place order[k]: place k takes dim order[k]",
            lambda shape, strides, order: (sent(shape, order), sent(strides, order)),
        ),
        Wrong(
            "all of it reversed, whatever the order says",
            lambda shape, strides, order: (tuple(shape[::-1]), tuple(strides[::-1])),
        ),
        Wrong("what you were given", lambda shape, strides, order: (tuple(shape), tuple(strides))),
        Wrong(
            "the order itself for a shape: it says which dim comes, not how long it is",
            lambda shape, strides, order: (tuple(order), picked(strides, order)),
        ),
    ),
    extras=("shape", "strides", "order"),
    expect=permuted,
    step="tk.explore.storage(x=check.x, right=check.x.permute(*check.order))",
)


def in_reading_order(shape: Some, strides: Some) -> bool:
    """Whether one step in reading order is always one place in storage."""
    return tuple(strides) == row_major(tuple(shape))


@dataclass(frozen=True)
class JudgeExam(ValueExam):
    """A judgement of several layouts: one yes or no alone cannot tell a rule from a guess."""

    def _examine(self, subject: Any, case: Case) -> None:
        def judged(layouts: Sequence[Pair]) -> Any:
            answers = tuple(subject(*layout) for layout in layouts)
            return None if None in answers else answers

        super()._examine(judged if callable(subject) else subject, case)


def judging(rule: Callable[[Some, Some], Any]) -> Callable[[Sequence[Pair]], Any]:
    """Return the rule for several layouts."""
    return lambda layouts: tuple(bool(rule(*layout)) for layout in layouts)


CONTIGUOUS = JudgeExam(
    "is_contiguous",
    (),
    wrong=(
        Wrong(
            "what the last stride alone tells: the others count too",
            judging(lambda shape, strides: strides[-1] == 1),
        ),
        Wrong(
            "what strides that shrink from left to right tell: how much they shrink counts too",
            judging(lambda shape, strides: list(strides) == sorted(strides, reverse=True)),
        ),
        Wrong(
            "what filling the storage without a gap tells: the order counts too",
            judging(lambda shape, strides: sorted(strides) == sorted(row_major(tuple(shape)))),
        ),
        Wrong("the opposite", judging(lambda n, s: not in_reading_order(n, s))),
        Wrong("always True", judging(lambda shape, strides: True)),
        Wrong(
            "always False: is a tuple compared with a list? They are never equal",
            judging(lambda shape, strides: False),
        ),
        Wrong(
            "what comes of multiplying the lengths on the left: take those on the right",
            judging(lambda n, strides: tuple(strides) == (1, n[0], n[0] * n[1])),
        ),
    ),
    extras=("layouts",),
    expect=judging(in_reading_order),
    advice="how many cells does one step along each dim jump over, in reading order?",
)


def moved(about: str, shape: Some, strides: Some, order: Some) -> Case:
    """One order for one layout."""
    return Case(about, extra=(shape, strides, order), strict=True)


def laid(*layouts: Pair) -> Case:
    """Layouts to judge, each a shape and its strides."""
    about = ", ".join(str(strides) for _, strides in layouts)
    return Case(f"strides {about}", extra=(layouts,), strict=True)


FRESH = ((2, 3, 4), (12, 4, 1)), ((4, 2, 3), (6, 3, 1))
MOVED = ((3, 2, 4), (4, 12, 1)), ((4, 2, 3), (1, 12, 4)), ((2, 3, 4), (1, 2, 6))
GAPS = (((2, 3, 2), (12, 4, 1)),)

TASKS = {
    "permuted": Task(
        PERMUTED,
        (
            Block("swap", "two dims", 1, (moved("a swap", (2, 3), (3, 1), (1, 0)),)),
            Block(
                "round",
                "three dims sent round",
                1,
                (
                    moved("order (2, 0, 1)", (2, 3, 4), (12, 4, 1), (2, 0, 1)),
                    moved("order (1, 2, 0)", (2, 3, 4), (12, 4, 1), (1, 2, 0)),
                ),
            ),
            Block(
                "again",
                "a layout that was permuted before",
                1,
                (moved("strides (1, 12, 4)", (4, 2, 3), (1, 12, 4), (0, 2, 1)),),
            ),
        ),
    ),
    "contiguous": Task(
        CONTIGUOUS,
        (
            Block("fresh", "fresh tensors", 1, (laid(*FRESH),)),
            Block("moved", "permuted ones", 1, (laid(*MOVED),)),
            Block("gaps", "one with gaps", 1, (laid(*GAPS),)),
            Block("all", "all by one rule", 1, (laid(*FRESH, *MOVED, *GAPS),)),
        ),
    ),
}
