"""One tape: where a cell lies follows from its index, and its index from counting cells.

Two tasks of one line each, for two dims. The mistakes below are those that people make, written as
rules: a wrong number that just one of them gives is told by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..grading.cases import Case, mixed
from ..grading.exam import Wrong
from ..grading.sheet import Block, Task
from ..grading.values import ValueExam
from ..tensor import tensor

Two = Sequence[int]


def position(index: Two, strides: Two) -> int:
    """Return where the cell at ``index`` lies."""
    return index[0] * strides[0] + index[1] * strides[1]


def index_of(ordinal: int, shape: Two) -> tuple[int, int]:
    """Return the index of the cell that is number ``ordinal`` in reading order."""
    return divmod(ordinal, shape[1])


@dataclass(frozen=True)
class IndexExam(ValueExam):
    """An ordinal taken apart, with a tensor of the shape at hand."""

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Add the tensor as x."""
        return super().at_hand(case) | {"x": tensor(mixed(case.extra[1]))}


POSITION = ValueExam(
    "to_position",
    (),
    wrong=(
        Wrong(
            "what comes of pairing each index with the other stride",
            lambda index, strides: position(index, strides[::-1]),
        ),
        Wrong("the index added up: multiply each entry by its stride", lambda i, s: sum(i)),
        Wrong("what dim 0 adds, alone: dim 1 adds its part", lambda i, s: i[0] * s[0]),
        Wrong("what dim 1 adds, alone: dim 0 adds its part", lambda i, s: i[1] * s[1]),
        Wrong(
            "what comes of taking the last stride for 1: multiply by strides[1]",
            lambda i, s: i[0] * s[0] + i[1],
        ),
        Wrong("one too many: positions count from 0", lambda i, s: position(i, s) + 1),
        Wrong("eight times too far: these strides count cells", lambda i, s: 8 * position(i, s)),
    ),
    extras=("index", "strides"),
    expect=position,
    advice="walk index[0] steps of strides[0] places, then index[1] steps of strides[1]",
)

INDEX = IndexExam(
    "to_index",
    (),
    wrong=(
        Wrong(
            "what comes of letting dim 0 turn fastest: in reading order the last dim does",
            lambda ordinal, shape: (ordinal % shape[0], ordinal // shape[0]),
        ),
        Wrong(
            "the two digits in reverse: the one that turns fastest is the last",
            lambda ordinal, shape: index_of(ordinal, shape)[::-1],
        ),
        Wrong(
            "what comes of dividing by shape[0]: a turn of the last dim has shape[1] cells",
            lambda ordinal, shape: divmod(ordinal, shape[0]),
        ),
        Wrong("the next cell: ordinals count from 0", lambda k, shape: index_of(k + 1, shape)),
        Wrong(
            "remainders alone: the first entry is a quotient",
            lambda ordinal, shape: (ordinal % shape[0], ordinal % shape[1]),
        ),
    ),
    extras=("ordinal", "shape"),
    expect=index_of,
    step="tk.explore.odometer(check.x, check.ordinal)",
)


def at(about: str, index: Two, strides: Two) -> Case:
    """One cell of one layout."""
    return Case(about, extra=(index, strides), strict=True)


def counted(ordinal: int, shape: Two) -> Case:
    """One cell of one shape."""
    return Case(f"ordinal {ordinal} of shape {shape}", extra=(ordinal, shape), strict=True)


TASKS = {
    "position": Task(
        POSITION,
        (
            Block(
                "plain",
                "cells in reading order",
                1,
                (at("one step along dim 0", (1, 0), (3, 1)), at("the last cell", (1, 2), (3, 1))),
            ),
            Block(
                "other",
                "any other strides",
                1,
                (
                    at("strides (1, 3)", (2, 1), (1, 3)),
                    at("every second cell", (1, 2), (6, 2)),
                    at("a stride of 0", (4, 2), (0, 1)),
                ),
            ),
        ),
    ),
    "index": Task(
        INDEX,
        (
            Block("wide", "shape (2, 3)", 1, tuple(counted(k, (2, 3)) for k in range(6))),
            Block("tall", "shape (5, 2)", 1, tuple(counted(k, (5, 2)) for k in (1, 2, 9))),
            Block("thin", "a dim of length 1", 1, (counted(3, (4, 1)), counted(3, (1, 4)))),
        ),
    ),
}
