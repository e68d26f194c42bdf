"""Moving data back: the order that undoes an order, and numbers in the order of reading.

Two tasks. What they share is the question where each thing came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ..grading.cases import Case
from ..grading.exam import Wrong
from ..grading.sheet import Block, Task
from ..grading.values import ValueExam

Some = Sequence[int]


def inverse(order: Some) -> tuple[int, ...]:
    """Return the order that puts every dim back."""
    return tuple(order.index(dim) for dim in range(len(order)))


INVERSE = ValueExam(
    "inverse",
    (),
    wrong=(
        Wrong("the order itself, which undoes swaps only", lambda order: (*order,)),
        Wrong("the order read backwards: reversed is not undone", lambda order: tuple(order[::-1])),
        Wrong("the dims as they are: that moves nothing", lambda order: tuple(sorted(order))),
        Wrong(
            "the order applied to itself, which is right for circles of three dims alone",
            lambda order: tuple(order[dim] for dim in order),
        ),
    ),
    extras=("order",),
    expect=inverse,
    advice="for every dim d of x in turn: in which place of order does d stand?",
    step="tk.zeros(*range(2, 2 + len(check.order))).permute(*check.order).shape",
)


def reading(storage: Some, shape: Some, strides: Some) -> tuple[int, ...]:
    """Return the numbers of a tensor with two dims, the last dim fastest."""
    return tuple(storage[i * strides[0] + j * strides[1]] for i, j in visits(shape))


def visits(shape: Some) -> list[tuple[int, ...]]:
    """Return every index in reading order."""
    return list(product(*map(range, shape)))


READING = ValueExam(
    "in_reading_order",
    (),
    wrong=(
        Wrong("the storage as it lies: go by the strides", lambda a, n, s: tuple(a)),
        Wrong(
            "what comes of pairing each index with the other stride",
            lambda a, n, s: reading(a, n, s[::-1]),
        ),
        Wrong(
            "the right numbers, dim 0 fastest: in reading order the last dim is",
            lambda a, n, s: tuple(a[i * s[0] + j * s[1]] for j, i in visits(n[::-1])),
        ),
        Wrong(
            "what comes of taking the last stride for 1: multiply by strides[1]",
            lambda a, n, s: reading(a, n, (s[0], 1)),
        ),
        Wrong(
            "the first cells of the storage: where a cell lies depends on the strides",
            lambda a, n, s: tuple(a[: n[0] * n[1]]),
        ),
    ),
    extras=("storage", "shape", "strides"),
    expect=reading,
    advice="let dim 0 count outside and dim 1 inside, and find each cell by the strides",
)


def undone(order: Some) -> Case:
    """One order."""
    return Case(f"order {tuple(order)}", extra=(tuple(order),), strict=True)


def read(about: str, storage: Some, shape: Some, strides: Some) -> Case:
    """One gradient as it lies in memory."""
    return Case(about, extra=(list(storage), tuple(shape), tuple(strides)))


SIX = (1, 2, 3, 40, 50, 60)
MORE = (1, 7, 2, 7, 3, 7, 40, 7, 50, 7, 60)

TASKS = {
    "inverse": Task(
        INVERSE,
        (
            Block("swaps", "swaps", 1, (undone((1, 0)), undone((0, 2, 1)))),
            Block("round", "three dims sent round", 1, (undone((2, 0, 1)), undone((1, 2, 0)))),
            Block("four", "four dims", 1, (undone((1, 2, 3, 0)), undone((2, 0, 3, 1)))),
        ),
    ),
    "reading": Task(
        READING,
        (
            Block("plain", "in order already", 1, (read("strides (3, 1)", SIX, (2, 3), (3, 1)),)),
            Block(
                "permuted",
                "as a permute leaves it",
                1,
                (
                    read("strides (1, 2)", SIX, (2, 3), (1, 2)),
                    read("strides (1, 3)", SIX, (3, 2), (1, 3)),
                ),
            ),
            Block(
                "other",
                "with gaps, and stretched",
                1,
                (
                    read("every second place", MORE, (2, 3), (6, 2)),
                    read("a stride of 0", SIX, (2, 3), (0, 1)),
                ),
            ),
        ),
    ),
}
