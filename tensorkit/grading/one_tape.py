"""The one-tape homework: 15 points in 8 graded cells, with the checks that its notebook shows.

Position, index and strides first, then what needs no number to move. Each cell keeps the plain case
apart from other layouts, other numbers of dims, and good manners.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case
from .one_tape_exams import Ints, tape
from .one_tape_rules import (
    CONTIGUOUS,
    INDEX_TO_POSITION,
    PERMUTE,
    STRIDES,
    TO_INDEX,
    VIEW_STRIDES,
)
from .sheet import Block, Task

Run = Any  # of ints: a tuple, a list or an array


def at(about: str, index: Run, strides: Run, shape: Ints, layout: str, **more: Any) -> Case:
    """One position, with a tensor of these strides to look at."""
    return Case(about, (tape(shape, layout),), (index, strides), **more)


def enumerated(about: str, shape: Ints, buffer: Any = None, how: str = "once", **more: Any) -> Case:
    """Every ordinal of a shape, in any order."""
    return Case(about, (), ("every", shape), buffer=buffer, how=how, **more)


def ordered(about: str, ordinal: int, shape: Ints) -> Case:
    """One ordinal: the last dim turns fastest."""
    return Case(about, (), (ordinal, shape), buffer=np.zeros(len(shape), dtype=np.int32))


def permuted(about: str, shape: Ints, strides: Ints, order: Ints, how: str) -> Case:
    """One permutation of a layout."""
    return Case(about, (), (shape, strides, order), how=how)


TASKS = {
    "index_to_position": Task(
        INDEX_TO_POSITION,
        (
            Block(
                "plain",
                "two dims in reading order",
                1,
                (
                    at("strides (3, 1)", (1, 2), (3, 1), (2, 3), "plain"),
                    at("strides (3, 1)", (1, 0), (3, 1), (2, 3), "plain"),
                ),
            ),
            Block(
                "any",
                "any strides, any number of dims",
                1,
                (
                    at("a transposed tensor", (2, 1), (1, 3), (3, 2), "permuted"),
                    at("three dims", (1, 2, 3), (12, 4, 1), (2, 3, 4), "plain"),
                    at("three dims in reverse", (1, 2, 3), (1, 2, 6), (2, 3, 4), "permuted"),
                    at("a stride of 0", (1, 2), (0, 1), (2, 3), "stretched"),
                ),
            ),
            Block(
                "manners",
                "an int, and arguments left alone",
                1,
                (
                    at(
                        "lists in place of tuples",
                        [1, 1],
                        [3, 1],
                        (2, 3),
                        "plain",
                        untouched=True,
                        strict=True,
                    ),
                ),
            ),
        ),
    ),
    "to_index": Task(
        TO_INDEX,
        (
            Block("once", "every index once", 1, (enumerated("shape (2, 3)", (2, 3)),)),
            Block(
                "order",
                "the last dim turns fastest",
                1,
                (
                    ordered("shape (2, 3)", 2, (2, 3)),
                    ordered("shape (2, 3)", 3, (2, 3)),
                    ordered("shape (2, 3)", 4, (2, 3)),
                    ordered("shape (2, 3)", 1, (2, 3)),
                ),
            ),
        ),
    ),
    "to_index_any": Task(
        TO_INDEX,
        (
            Block("shape", "any shape", 1, (enumerated("three dims", (2, 3, 4)),)),
            Block(
                "buffer",
                "any buffer",
                1,
                (
                    enumerated("a list that holds sevens", (2, 3), [7, 7], "buffer"),
                    enumerated("a list", (2, 3), [0, 0], strict=True),
                ),
            ),
        ),
    ),
    "strides_from_shape": Task(
        STRIDES,
        (
            Block(
                "every",
                "any shape",
                1,
                (
                    Case("three dims", (), ((2, 3, 4),)),
                    Case("one dim", (), ((5,),)),
                    Case("a list", (), ([3, 2],), untouched=True, strict=True),
                ),
            ),
        ),
    ),
    "permute": Task(
        PERMUTE,
        (
            Block(
                "shape",
                "the shape of a transpose",
                1,
                (permuted("order (1, 0)", (2, 3), (3, 1), (1, 0), "shape"),),
            ),
            Block(
                "cells",
                "its cells",
                1,
                (permuted("order (1, 0)", (2, 3), (3, 1), (1, 0), "cells"),),
            ),
        ),
    ),
    "permute_any": Task(
        PERMUTE,
        (
            Block(
                "order",
                "any order of any number of dims",
                1,
                (
                    permuted(
                        "three dims, two of them swapped", (2, 3, 4), (12, 4, 1), (0, 2, 1), "cells"
                    ),
                ),
            ),
            Block(
                "shared",
                "one storage, and self left alone",
                1,
                (permuted("order (1, 0)", (2, 3), (3, 1), (1, 0), "shared"),),
            ),
        ),
    ),
    "is_contiguous": Task(
        CONTIGUOUS,
        (
            Block(
                "every",
                "in reading order without gaps",
                1,
                (
                    Case("a fresh tensor", (), ((2, 3), (3, 1))),
                    Case("a transposed tensor", (), ((3, 2), (1, 3))),
                    Case("a gap between lines", (), ((2, 3), (4, 1))),
                ),
            ),
        ),
    ),
    "view_strides": Task(
        VIEW_STRIDES,
        (
            Block(
                "found",
                "strides, where they exist",
                1,
                (
                    Case("two dims merged", (), ((2, 3), (3, 1), (6,))),
                    Case("one dim split", (), ((6,), (1,), (3, 2))),
                    Case("a gap between cells", (), ((2, 3), (6, 2), (6,))),
                ),
            ),
            Block(
                "copy",
                "None, where a copy is needed",
                1,
                (
                    Case("a fresh tensor", (), ((2, 3), (3, 1), (3, 2))),
                    Case("a transposed tensor", (), ((3, 2), (1, 3), (6,))),
                ),
            ),
        ),
    ),
}
