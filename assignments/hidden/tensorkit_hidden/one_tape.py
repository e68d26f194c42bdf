"""The hidden checks of the one-tape homework, by task and block, the most telling first."""

from dataclasses import replace

import numpy as np

from tensorkit.grading.cases import Case
from tensorkit.grading.one_tape import enumerated, ordered, permuted

PAIRED = "index[k] goes with strides[k], in any number of dims and for any strides"
BY_HAND = "try four dims, one dim, no dims, and strides that do not shrink"
COUNTED = "the position is an int, whatever holds the index and the strides"
NO_POINT = "call it with NumPy arrays, and use the result as the index of a list"
ALONE = "index and strides are as before after the call"
OWN = "compute with variables of your own; index and strides belong to the caller"

ONCE = "every index of the shape comes exactly once"
COUNT = "list the indexes for every ordinal of shape (4, 2): is one missing, or there twice?"
FASTEST = "the last dim turns fastest"
COMPARE = "compare with the order in which nested loops over the dims would come by"
LENGTHS = "try four dims, one dim, a shape with lengths of 1, and no dims"
ANYTHING = "the answer does not depend on what the buffer is or held before"
TRY_BUFFERS = "call it with a list, an array, one full of sevens, and one that is too long"

PRODUCTS = "each stride is the product of the lengths on its right"
TRY_SHAPES = "try four dims, a length of 1, one dim, and () for no dims"
ORDERS = "new dim k is old dim order[k], for any order and any strides"
CYCLES = "try (2, 0, 1) on three dims, then permute something that is permuted already"
GRID = "the cells are those that the order asks for"
TRY_GRID = "write down the cells of a (3, 4) tensor and of its transpose"
SHARE = "both tensors read the same storage, and the first is as it was"
WRITE = "write through one tensor and look at the other; then look at self again"
SECOND = "the result is a second TensorData, even where the order changes nothing"
NEW = "make an x of two dims, and ask whether x.permute(0, 1) is x"
IN_ORDER = "True exactly when the cells, read in order, lie side by side from the start"
STRIDES = "list the positions in reading order; lengths of 1 never move, gaps and repeats count"
SAME_CELLS = "the new strides read the same cells in the same order"
TRY_VIEWS = "try gaps between cells, a merge of only some dims, lengths of 1, and strides of 0"
NEEDS_COPY = "None exactly when no strides would do"
TRY_COPY = "try gaps between lines, swapped dims in a larger tensor, and a stride of 0"


def at(about: str, hint: str, index: object, strides: object, **more: bool) -> Case:
    """One position."""
    return Case(about, (), (index, strides), hint=hint, **more)


def laid(about: str, hint: str, *extra: object, **more: bool) -> Case:
    """One check of a function of shapes and strides."""
    return Case(about, (), extra, hint=hint, **more)


def with_hint(hint: str, case: Case) -> Case:
    """Say what to try when a check fails."""
    return replace(case, hint=hint)


CHECKS = {
    "index_to_position": {
        "any": (
            at(PAIRED, BY_HAND, (1, 2, 0, 3), (60, 20, 5, 1)),
            at(PAIRED, BY_HAND, (1, 2, 1), (1, 8, 2)),
            at(PAIRED, BY_HAND, (1, 0, 2, 1, 3), (2, 90, 24, 1, 4)),
            at(PAIRED, BY_HAND, (4,), (2,)),
            at(PAIRED, BY_HAND, (1, 2, 1), (7, 0, -3)),
            at(PAIRED, BY_HAND, (), ()),
        ),
        "manners": (
            at(COUNTED, NO_POINT, np.array([1, 2]), np.array([3, 1]), strict=True),
            at(ALONE, OWN, [1, 2], [3, 1], untouched=True),
            at(ALONE, OWN, np.array([1, 2]), np.array([3, 1]), untouched=True),
        ),
    },
    "to_index": {
        "once": (
            with_hint(COUNT, enumerated(ONCE, (4, 2))),
            with_hint(COUNT, enumerated(ONCE, (3, 3))),
        ),
        "order": (
            *(with_hint(COMPARE, ordered(FASTEST, k, (5, 2))) for k in (1, 3, 8)),
            *(with_hint(COMPARE, ordered(FASTEST, k, (3, 4))) for k in (5, 7, 10)),
        ),
    },
    "to_index_any": {
        "shape": tuple(
            with_hint(LENGTHS, enumerated(ONCE, shape))
            for shape in [(2, 3, 2, 4), (1, 3, 1), (5,), (4, 3, 2), (2, 1, 2, 1, 3), ()]
        ),
        "buffer": tuple(
            with_hint(TRY_BUFFERS, enumerated(ANYTHING, shape, buffer, "buffer", strict=True))
            for shape, buffer in [
                ((3, 2), [9, 9, 9, 9]),
                ((3, 2), np.array([9, -9], dtype=np.int32)),
                ((2, 4), np.array([5, 6, 7, 8, 9])),
                ((1, 4), [7, 7]),
            ]
        ),
    },
    "strides_from_shape": {
        "every": tuple(
            laid(PRODUCTS, TRY_SHAPES, shape)
            for shape in [(3, 2, 2, 4), (2, 3, 2, 4, 3), (4, 1, 3), (2, 3, 1), (1, 5), (7, 2), ()]
        )
    },
    "permute": {
        "cells": (with_hint(TRY_GRID, permuted(GRID, (3, 4), (4, 1), (1, 0), "cells")),),
        "shape": (with_hint(TRY_GRID, permuted(GRID, (3, 4), (4, 1), (1, 0), "shape")),),
    },
    "permute_any": {
        "order": tuple(
            with_hint(CYCLES, permuted(ORDERS, *layout, "cells"))
            for layout in [
                ((2, 3, 4), (12, 4, 1), (2, 0, 1)),
                ((2, 3, 4), (12, 4, 1), (1, 2, 0)),
                ((4, 2, 3), (1, 12, 4), (1, 0, 2)),
                ((2, 3, 4, 5), (60, 20, 5, 1), (2, 0, 3, 1)),
                ((2, 3, 4), (12, 4, 1), (0, 1, 2)),
                ((3, 3, 3), (9, 3, 1), (2, 0, 1)),
                ((3, 4), (0, 1), (1, 0)),
                ((5,), (2,), (0,)),
            ]
        ),
        "shared": (
            with_hint(WRITE, permuted(SHARE, (3, 2), (2, 1), (1, 0), "shared")),
            with_hint(NEW, permuted(SECOND, (1, 1), (1, 1), (0, 1), "shared")),
        ),
    },
    "is_contiguous": {
        "every": tuple(
            laid(IN_ORDER, STRIDES, shape, strides)
            for shape, strides in [
                ((3, 2, 4), (4, 12, 1)),
                ((2, 3, 1), (3, 1, 1)),
                ((2, 3, 4), (12, 4, 1)),
                ((1, 3), (5, 1)),
                ((3, 1, 2), (2, 9, 1)),
                ((2, 3), (4, 1)),
                ((2, 3), (6, 2)),
                ((4,), (2,)),
                ((2, 3), (0, 1)),
                ((3, 2), (1, 0)),
                ((3, 3), (1, 3)),
                ((1, 1), (7, 9)),
                ((2, 3, 4), (12, 1, 3)),
                ((2, 2, 2), (5, 1, 1)),
                ((), ()),
            ]
        )
    },
    "view_strides": {
        "found": tuple(
            laid(SAME_CELLS, TRY_VIEWS, shape, strides, new)
            for shape, strides, new in [
                ((2, 3, 4), (12, 4, 1), (6, 4)),
                ((24,), (1,), (2, 3, 4)),
                ((2, 3), (6, 2), (6,)),
                ((4, 6), (1, 4), (4, 2, 3)),
                ((3, 2, 4), (4, 12, 1), (3, 2, 2, 2)),
                ((2, 3), (3, 1), (2, 1, 3)),
                ((2, 3), (6, 2), (1, 6)),
                ((2, 1, 3), (3, 1, 1), (2, 3)),
                ((4, 6), (12, 1), (2, 2, 3, 2)),
                ((2, 3), (3, 1), (2, 3)),
                ((3, 2), (1, 3), (3, 2)),
                ((4, 3), (6, 2), (2, 6)),
                ((2, 4), (1, 0), (2, 2, 2)),
            ]
        ),
        "copy": tuple(
            laid(NEEDS_COPY, TRY_COPY, shape, strides, new)
            for shape, strides, new in [
                ((3, 2), (1, 3), (2, 3)),
                ((2, 3), (4, 1), (6,)),
                ((3, 2, 4), (4, 12, 1), (6, 4)),
                ((2, 3, 4), (12, 4, 1), (4, 6)),
                ((2, 3), (0, 1), (6,)),
                ((4, 3), (7, 2), (2, 6)),
                ((3, 4), (1, 3), (12,)),
                ((2, 2, 2), (2, 4, 1), (8,)),
            ]
        ),
    },
}
