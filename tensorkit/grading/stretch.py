"""The stretch homework: 12 points in 5 graded cells, with the checks that its notebook shows.

Which shape two shapes stretch to, where a cell of the result comes from, and which dims were
stretched or added: what backward will have to undo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case
from .sheet import Block, Task
from .stretch_rules import AXES, INDEX, SHAPE, Ints


def pair(about: str, *shapes: Any, **more: Any) -> Case:
    """Two shapes."""
    return Case(about, (), shapes, **more)


def cell(
    about: str, index: Any, big_shape: Any, shape: Any, buffer: Any = None, **more: Any
) -> Case:
    """One cell of the result, and the shape of the tensor that was stretched."""
    start = np.zeros(len(shape), dtype=np.int32) if buffer is None else buffer
    return Case(about, (), (index, big_shape, shape), buffer=start, **more)


def _single(key: str, title: str, *cases: Case) -> Block:
    return Block(key, title, 1, cases)


BIG: Ints = (2, 3)

TASKS = {
    "shape_broadcast": Task(
        SHAPE,
        (
            _single(
                "same",
                "two dims each",
                pair("both stretch", (3, 1), (1, 4)),
                pair("equal shapes", (2, 3), (2, 3)),
                pair("the second stretches", (2, 5), (2, 1)),
            ),
            _single(
                "ranks",
                "any number of dims",
                pair("a dim is added to the second", (2, 3), (3,)),
                pair("a dim is added to the first", (4,), (3, 1)),
                pair("one added, one stretched", (2, 3), (1,)),
            ),
            _single(
                "fails",
                "shapes that do not fit",
                pair("3 against 4", (2, 3), (2, 4)),
                pair("2 against 3", (2, 3), (3, 1)),
                pair("5 against 5", (5, 1), (5, 2)),
            ),
        ),
    ),
    "shape_broadcast_any": Task(
        SHAPE,
        (
            _single(
                "either",
                "the same either way round",
                pair("the first stretches", (1, 3), (2, 3)),
                pair("the first is shorter", (3,), (2, 3)),
            ),
            _single(
                "refuses",
                "no other pair is let through",
                pair("2 against 3, one dim", (2,), (3,)),
                pair("1 against 3", (1,), (3,), strict=True),
            ),
        ),
    ),
    "broadcast_index": Task(
        INDEX,
        (
            _single(
                "same",
                "nothing is stretched",
                cell("equal shapes", (1, 2), BIG, (2, 3)),
                cell("equal shapes", (0, 1), BIG, (2, 3)),
            ),
            _single(
                "ones",
                "a length of 1",
                cell("dim 1 is stretched", (1, 2), BIG, (2, 1)),
                cell("dim 0 is stretched", (1, 2), BIG, (1, 3)),
            ),
        ),
    ),
    "broadcast_index_any": Task(
        INDEX,
        (
            _single("ranks", "any number of dims", cell("a dim was added", (1, 2), BIG, (3,))),
            _single(
                "mixed",
                "added and stretched",
                cell("one added, one stretched", (3, 1, 2), (4, 2, 3), (2, 1)),
            ),
            _single(
                "buffer",
                "any buffer; arguments left alone",
                cell(
                    "a list that holds sevens",
                    [1, 2],
                    BIG,
                    (2, 1),
                    [7, 7],
                    untouched=True,
                    strict=True,
                ),
            ),
        ),
    ),
    "broadcast_axes": Task(
        AXES,
        (
            _single(
                "stretched",
                "two dims: which are stretched",
                pair("dim 1", (2, 1), (2, 3)),
                pair("nothing", (2, 3), (2, 3)),
                pair("1 stays 1", (1, 1), (1, 4)),
            ),
            _single(
                "added",
                "any number of dims: how many are added",
                pair("one added", (3,), (2, 3)),
                pair("one added, one stretched", (3, 1), (2, 3, 4)),
                pair("one added, one stretched", (1, 3), (5, 2, 3)),
            ),
        ),
    ),
}
