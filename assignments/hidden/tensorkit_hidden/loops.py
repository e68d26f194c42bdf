"""The hidden checks of the loops homework, by task and block."""

import numpy as np

from tensorkit.grading.cases import laid, mixed
from tensorkit.grading.fold_rules import times
from tensorkit.grading.loops import LOWEST, fold, halved, larger, minus, of, one, two

from .making import numbers

LONG = 40_000  # more than 16 bits can count

PLAIN = "fresh tensors of two dims"
TRY_PLAIN = "try shapes (3, 4) and (2, 5), with a 0 among the numbers, and compare every cell"
WIDE = "a length of 1 is stretched, wherever it stands"
TRY_WIDE = "try a of shape (3, 1), (1, 4) and (1, 1), with out of shape (3, 4)"
READ = "the result does not depend on how the inputs lie in storage"
TRY_READ = "call it with inputs made by permuting, and with gaps between their cells"
WRITE = "the result does not depend on how out lies in storage"
TRY_WRITE = "try an out of strides (1, 2), three dims in another order, gaps between out's cells"
SIZE = "what is in out before does not matter, nor does the number of dims or of cells"
TRY_SIZE = "fill out with 5; try shapes (), (5,), (2, 0), three dims, and 40 000 cells"
RANKS = "a and b may differ in their number of dims"
TRY_RANKS = "try (4, 1, 2) with (3, 1), () with (2, 3), and three dims each"
DIMS = "any dim may be reduced, and every cell meets once"
TRY_DIMS = "try each dim of (2, 3, 4) and of (3, 3), a dim of length 1, and one dim alone"
START = "a fold begins with what is in out, in each cell of its own"
TRY_START = "fill out with 7, or other numbers, before the call; try a dim without cells, (2, 0)"
ZERO = "a running value of 0 is a number like others, and so is one below 0"
TRY_ZERO = "try a product with a 0 in the middle, and a maximum of negative numbers"
FIRST = "fn gets the running value first and the cell second"
TRY_FIRST = "take fn(t, x) = t - x, and calculate one cell by hand"
ORDER = "cells are taken in from index 0 on"
TRY_ORDER = "take fn(t, x) = 10·t + x: the result reads as the digits in order"
MEANS = "a mean divides by the number of cells that met"
TRY_MEANS = "try each dim of shape (2, 3, 4), and an x made by permuting"
ALL = "without a dim, all cells meet in one number"
TRY_ALL = "try a tensor of one dim and one of three"
LARGEST = "the maximum is the largest of the cells that met, whatever their sign"
TRY_LARGEST = "try each dim of (2, 3, 4) with negative numbers, a permuted x, and minus infinity"

CUBE, FOUR = mixed((2, 3, 4), 2), mixed((2, 3, 2, 4), 3)


def folds(about, hint, shape, layout="plain", **more):
    """A fold along every dim of a shape."""
    return tuple(
        fold(about, mixed(shape, dim + 2), dim, layout, hint=hint, **more)
        for dim in range(len(shape))
    )


CHECKS = {
    "tensor_map": {
        "plain": (
            one(PLAIN, mixed((3, 4), 3), hint=TRY_PLAIN),
            one(PLAIN, [[0.25, -1.5, 7.125], [1.75, 0.875, 2.5]], hint=TRY_PLAIN),
            one(PLAIN, [[0, 3, -2], [1.5, 0, 4]], hint=TRY_PLAIN),
            one(PLAIN, mixed((2, 5), 3) / 7, hint=TRY_PLAIN),
        ),
        "stretched": (
            one(WIDE, [[3], [-2], [7]], shape=(3, 4), hint=TRY_WIDE),
            one(WIDE, [[3, -1, 4, 8]], shape=(3, 4), hint=TRY_WIDE),
            one(WIDE, [[6]], shape=(3, 2), hint=TRY_WIDE),
        ),
    },
    "tensor_map_layout": {
        "read": (
            one(READ, mixed((4, 3), 2), "gapped", hint=TRY_READ),
            one(READ, CUBE, "permuted", hint=TRY_READ),
            one(READ, [[3, 3, 3], [-2, -2, -2]], "stretched", hint=TRY_READ),
            one(READ, mixed((3, 1, 2), 4), "permuted", shape=(3, 4, 2), hint=TRY_READ),
        ),
        "write": (
            one(WRITE, CUBE, how="permuted", hint=TRY_WRITE),
            one(WRITE, mixed((3, 4), 5), "permuted", how="permuted", hint=TRY_WRITE),
            one(WRITE, mixed((4, 3), 2), "gapped", how="permuted", hint=TRY_WRITE),
            one(WRITE, mixed((3, 2), 4), how="gapped", hint=TRY_WRITE),
            one(WRITE, mixed((3, 2), 4), "gapped", how="gapped", hint=TRY_WRITE),
        ),
    },
    "tensor_map_manners": {
        "manners": (
            one(SIZE, [4, -1, 3], buffer=2, hint=TRY_SIZE),
            one(SIZE, 4, hint=TRY_SIZE),
            one(SIZE, [3, 1, 4], shape=(2, 3), hint=TRY_SIZE),
            one(SIZE, 4, shape=(2, 3), buffer=-3, hint=TRY_SIZE),
            one(SIZE, CUBE, shape=(2, 2, 3, 4), hint=TRY_SIZE),
            one(SIZE, np.zeros((2, 0)), hint=TRY_SIZE),
            one(SIZE, mixed((LONG,), 3), hint=TRY_SIZE),
        )
    },
    "tensor_zip": {
        "same": (two(PLAIN, numbers((3, 4), 2), numbers((3, 4), 5), hint=TRY_PLAIN),),
        "outer": (
            two(WIDE, numbers((4, 1), 2), numbers((1, 3), 5), hint=TRY_WIDE),
            two(WIDE, numbers((1, 3), 2), numbers((4, 1), 5), hint=TRY_WIDE),
            two(WIDE, laid([[4]]), numbers((3, 2), 3), hint=TRY_WIDE),
            two(WIDE, numbers((3, 2), 3), laid([[4]]), hint=TRY_WIDE),
        ),
    },
    "tensor_zip_layout": {
        "read": (
            two(READ, numbers((4, 3), 2, "permuted"), numbers((4, 3), 5, "gapped"), hint=TRY_READ),
            two(READ, numbers((4, 3), 2, "gapped"), numbers((4, 3), 5), hint=TRY_READ),
            two(READ, numbers((3, 2), 2, "permuted"), numbers((3, 1), 5, "gapped"), hint=TRY_READ),
            two(
                READ,
                numbers((4, 3), 2, "permuted"),
                numbers((4, 3), 5, "permuted"),
                hint=TRY_READ,
            ),
        ),
        "write": (
            two(
                WRITE, numbers((2, 3, 4), 2), numbers((2, 3, 4), 5), how="permuted", hint=TRY_WRITE
            ),
            two(
                WRITE,
                numbers((3, 4), 2, "permuted"),
                numbers((3, 4), 5),
                how="permuted",
                buffer=5,
                hint=TRY_WRITE,
            ),
            two(WRITE, numbers((3, 1), 2), numbers((1, 4), 5), how="permuted", hint=TRY_WRITE),
            two(
                WRITE,
                numbers((4, 3), 2, "gapped"),
                numbers((4, 3), 5, "gapped"),
                how="gapped",
                hint=TRY_WRITE,
            ),
        ),
        "ranks": (
            two(RANKS, numbers((3, 1), 2), numbers((4, 1, 2), 5), hint=TRY_RANKS),
            two(RANKS, numbers((4, 1, 2), 2), numbers((3, 1), 5), hint=TRY_RANKS),
            two(RANKS, laid(4), numbers((2, 3), 5), hint=TRY_RANKS),
            two(RANKS, numbers((5,), 2), numbers((5,), 4), hint=TRY_RANKS),
            two(RANKS, laid(4), laid(7), hint=TRY_RANKS),
        ),
    },
    "tensor_reduce": {
        "last": (
            fold(PLAIN, mixed((3, 4), 3), 1, hint=TRY_PLAIN),
            fold(PLAIN, mixed((3, 2), 4) / 7, 1, hint=TRY_PLAIN),
        ),
        "first": (
            fold(PLAIN, mixed((3, 4), 3), 0, hint=TRY_PLAIN),
            fold(DIMS, mixed((3, 3), 4), 0, hint=TRY_DIMS),
        ),
        "deep": (
            *folds(DIMS, TRY_DIMS, (2, 3, 4)),
            *folds(DIMS, TRY_DIMS, (3, 1, 2)),
            fold(DIMS, [3, -1, 4, 8], 0, hint=TRY_DIMS),
        ),
    },
    "tensor_reduce_layout": {
        "read": (
            fold(READ, mixed((3, 4), 3), 0, "permuted", hint=TRY_READ),
            fold(READ, mixed((3, 4), 3), 0, "gapped", hint=TRY_READ),
            fold(READ, mixed((3, 4), 5), 1, "gapped", hint=TRY_READ),
            fold(READ, [[3, 3, 3], [-2, -2, -2]], 1, "stretched", hint=TRY_READ),
            *folds(READ, TRY_READ, (2, 3, 4), "permuted"),
        ),
        "write": folds(WRITE, TRY_WRITE, (2, 3, 4), how="permuted"),
        "many": (
            *folds(DIMS, TRY_DIMS, (2, 3, 2, 4), "permuted"),
            *folds(DIMS, TRY_DIMS, (2, 3, 2, 4), "gapped", how="permuted"),
        ),
    },
    "tensor_reduce_start": {
        "start": (
            fold(START, mixed((2, 4), 3), 0, buffer=-2, hint=TRY_START),
            fold(START, mixed((3, 1), 3), 1, buffer=4, hint=TRY_START),
            fold(START, mixed((3, 2), 3), 1, buffer=0.5, fn=times, hint=TRY_START),
            fold(START, np.zeros((2, 0)), 1, buffer=7, hint=TRY_START),
        ),
        "passing": (
            fold(ZERO, [[2, -1], [0, 4], [5, 3]], 0, fn=times, buffer=1, hint=TRY_ZERO),
            fold(ZERO, [[-2, -7, -3]], 1, fn=larger, buffer=LOWEST, hint=TRY_ZERO),
            fold(ZERO, [[3, 0, 5], [1, 2, -4]], 1, fn=times, buffer=1, hint=TRY_ZERO),
        ),
    },
    "tensor_reduce_order": {
        "arguments": (
            fold(FIRST, mixed((4, 2), 2), 0, fn=minus, hint=TRY_FIRST),
            fold(FIRST, mixed((2, 5), 2), 1, fn=minus, hint=TRY_FIRST),
        ),
        "cells": (
            fold(ORDER, mixed((4, 2), 2), 0, fn=halved, hint=TRY_ORDER),
            fold(ORDER, mixed((2, 5), 2), 1, fn=halved, hint=TRY_ORDER),
        ),
    },
    "mean": {
        "dim": (
            *(of(MEANS, CUBE, dim, hint=TRY_MEANS) for dim in range(3)),
            of(MEANS, mixed((3, 4), 4), 0, "permuted", hint=TRY_MEANS),
            of(MEANS, mixed((3, 4), 4), 1, "gapped", hint=TRY_MEANS),
            of(MEANS, mixed((5,), 3), 0, hint=TRY_MEANS),
            of(MEANS, FOUR, 1, hint=TRY_MEANS),
        ),
        "whole": (
            of(ALL, CUBE, None, hint=TRY_ALL),
            of(ALL, mixed((5,), 3), None, hint=TRY_ALL),
            of(ALL, mixed((4, 3), 3), None, "permuted", hint=TRY_ALL),
            of(ALL, mixed((2, 3), 4), None, "gapped", hint=TRY_ALL),
        ),
    },
    "max_reduce": {
        "every": (
            *(of(LARGEST, CUBE - 50, dim, hint=TRY_LARGEST) for dim in range(3)),
            of(LARGEST, -np.abs(mixed((3, 4), 4)), 1, "permuted", hint=TRY_LARGEST),
            of(LARGEST, [[-2e9, -3e9]], 1, hint=TRY_LARGEST),
            of(LARGEST, [3, 8, -1], 0, hint=TRY_LARGEST),
            of(LARGEST, [[LOWEST, -2.5], [LOWEST, -2.25]], 0, hint=TRY_LARGEST),
            of(LARGEST, [[-2.5, -2.25]], 0, hint=TRY_LARGEST),
        )
    },
}
