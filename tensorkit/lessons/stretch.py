"""Shapes that stretch: which lengths may meet, and which cell of an input an output cell reads.

Two tasks, each a rule for one dim that is then applied to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from ..errors import ShapeError
from ..grading.cases import Case
from ..grading.exam import Wrong
from ..grading.sheet import Block, Task
from ..grading.values import ValueExam

Some = Sequence[int]


def meet(m: int, n: int) -> int:
    """Return the length of the result where lengths meet. Raises ShapeError if they must not."""
    if m != n and 1 not in (m, n):
        raise ShapeError(f"{m} cannot meet {n}: they must be equal, or one of them 1")
    return n if m == 1 else m


MEET = ValueExam(
    "meet",
    (),
    wrong=(
        Wrong("the larger of the two: equal, or one of them 1, or an error", max),
        Wrong("the smaller of the two: where one is 1, the other stays", min),
        Wrong("their product: lengths meet, they do not multiply", lambda m, n: m * n),
        Wrong("what comes of repeating: only a length of 1 stretches", lcm),
    ),
    extras=("m", "n"),
    expect=meet,
    error=ShapeError,
    error_name="tk.ShapeError",
    advice="three cases: equal; one of them is 1; neither",
    step="tk.explore.broadcast((check.m, 2), (check.n, 2))",
)


def source(index: Some, shape: Some) -> tuple[int, ...]:
    """Return the index of the input cell that the output cell at ``index`` reads."""
    last = index[len(index) - len(shape) :]
    return tuple(0 if n == 1 else i for i, n in zip(last, shape, strict=True))


def _whole(index: Some, shape: Some) -> tuple[int, ...]:
    if len(index) == len(shape):
        raise ValueError("there is nothing to drop")
    return tuple(index)


def _left(index: Some, shape: Some) -> tuple[int, ...]:
    return tuple(0 if n == 1 else i for i, n in zip(index, shape, strict=False))


SOURCE = ValueExam(
    "source",
    (),
    wrong=(
        Wrong("what comes of lining up from the left: drop the first entries, not the last", _left),
        Wrong(
            "the last entries as they are: a dim of length 1 has only the index 0",
            lambda index, shape: tuple(index[len(index) - len(shape) :]),
        ),
        Wrong("the index of out: the input may have fewer dims", _whole),
        Wrong("the very first cell, always", lambda index, shape: (0,) * len(shape)),
        Wrong(
            "0 in the dims that are longer than 1: it is the other way round",
            lambda index, shape: tuple(
                i if n == 1 else 0 for i, n in zip(index[-len(shape) :], shape, strict=True)
            ),
        ),
    ),
    extras=("index", "shape"),
    expect=source,
    advice="keep the last len(shape) entries; where the input has length 1, the entry is 0",
)


def lengths(m: int, n: int) -> Case:
    """Two lengths that meet, or must not."""
    return Case(f"{m} with {n}", extra=(m, n), strict=True)


def reading(index: Some, shape: Some) -> Case:
    """One output cell and one input."""
    return Case(f"out{list(index)} from shape {shape}", extra=(index, shape), strict=True)


TASKS = {
    "meet": Task(
        MEET,
        (
            Block("equal", "equal lengths", 1, (lengths(3, 3), lengths(1, 1))),
            Block("one", "one of them is 1", 1, (lengths(1, 4), lengths(5, 1))),
            Block("refuse", "lengths that must not meet", 1, (lengths(4, 6), lengths(6, 4))),
        ),
    ),
    "source": Task(
        SOURCE,
        (
            Block("same", "a shape like that of out", 1, (reading((1, 2), (2, 3)),)),
            Block(
                "one",
                "dims of length 1",
                1,
                (reading((1, 2), (2, 1)), reading((1, 2), (1, 3)), reading((1, 2), (1, 1))),
            ),
            Block("fewer", "fewer dims", 1, (reading((1, 2), (3,)), reading((3, 2), (1,)))),
        ),
    ),
}
