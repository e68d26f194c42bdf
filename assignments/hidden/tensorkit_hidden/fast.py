"""The hidden checks of the fast homework, by task and block."""

from tensorkit.grading.cases import laid, mixed
from tensorkit.grading.fast import fold, matrices, one, two
from tensorkit.grading.fast_exams import ALIGNED, LEAN, RACES, SPREAD

from .making import numbers

PLAIN = "fresh tensors of two dims, whatever is in out"
TRY_PLAIN = "try shapes (3, 4) and (5, 2), with an out full of fives"
LAYOUT = "cells are found by index and strides, for each tensor by its own"
TRY_LAYOUT = "try one dim and three, inputs with fewer dims, all made by permuting, lengths of 1"
SAFE = "no two iterations of the parallel loop meet in a cell that one of them writes"
TRY_RACE = "look with tk.explore.race at fresh tensors, and at permuted ones of three dims"
SHORT = "the short way is taken only where shapes and strides agree"
TRY_SHORT = "try equal strides with other shapes, and equal shapes with other strides"
THIN = "the inner loop calls no helper, and out is written once for each cell"
TRY_THIN = "count with tk.explore.cost, for a long dim"
BATCH = "a batch of length 1 is read again for each batch of the other"
TRY_BATCH = "try batches 1 with 3, 3 with 1, and 3 with 3"

# dim 0 has stride 0, as after expand: the shapes agree, and one stride
SAME = laid([[4, 2, 7], [4, 2, 7]], "stretched")


def product(about, hint, a, b, how="once", layouts=("plain", "plain"), **more):
    """A product of two shapes."""
    one_, other = (
        numbers(s, 2 + 3 * k, lay) for k, (s, lay) in enumerate(zip((a, b), layouts, strict=True))
    )
    return matrices(about, one_, other, how, hint=hint, **more)


CHECKS = {
    "tensor_map": {
        "numbers": (
            one(PLAIN, numbers((3, 4), 3), buffer=2, hint=TRY_PLAIN),
            one(PLAIN, laid([[6]]), shape=(3, 2), hint=TRY_PLAIN),
        ),
        "layouts": (
            one(LAYOUT, numbers((2, 3, 4), 2, "permuted"), hint=TRY_LAYOUT),
            one(LAYOUT, numbers((2, 3, 4), 2), "permuted", hint=TRY_LAYOUT),
            one(LAYOUT, numbers((4, 3), 2, "gapped"), hint=TRY_LAYOUT),
            one(SHORT, numbers((3, 3), 2, "permuted"), hint=TRY_SHORT),
            one(SHORT, numbers((2, 3, 2), 2, "permuted"), hint=TRY_SHORT),
            one(SHORT, SAME, hint=TRY_SHORT),
            one(LAYOUT, numbers((5,), 2), hint=TRY_LAYOUT),
            one(LAYOUT, numbers((3,), 2), shape=(2, 3), hint=TRY_LAYOUT),
            one(LAYOUT, numbers((3, 2), 2), shape=(4, 3, 2), hint=TRY_LAYOUT),
        ),
        "races": (
            one(SAFE, numbers((1, 3), 2), RACES, shape=(4, 3), hint=TRY_RACE),
            one(SAFE, numbers((2, 3), 2), RACES, hint=TRY_RACE),
        ),
        "aligned": (
            one(SHORT, numbers((4, 3), 2), ALIGNED, hint=TRY_SHORT),
            one(SHORT, numbers((1, 4), 2), shape=(3, 4), hint=TRY_SHORT),
        ),
    },
    "tensor_zip": {
        "numbers": (
            two(PLAIN, numbers((3, 4), 2), numbers((3, 4), 5), buffer=2, hint=TRY_PLAIN),
            two(PLAIN, numbers((4, 1), 2), numbers((1, 3), 5), hint=TRY_PLAIN),
        ),
        "layouts": (
            two(LAYOUT, numbers((4, 3), 2, "gapped"), numbers((4, 3), 5), hint=TRY_LAYOUT),
            two(LAYOUT, numbers((4, 3), 2), numbers((4, 3), 5, "gapped"), hint=TRY_LAYOUT),
            two(LAYOUT, numbers((3, 1), 2), numbers((4, 1, 2), 5), hint=TRY_LAYOUT),
            two(LAYOUT, numbers((4, 1, 2), 2), numbers((3, 1), 5), "permuted", hint=TRY_LAYOUT),
            two(SHORT, numbers((3, 3), 2), numbers((3, 3), 5, "permuted"), hint=TRY_SHORT),
            two(SHORT, numbers((3, 3), 2, "permuted"), numbers((3, 3), 5), hint=TRY_SHORT),
            two(
                SHORT,
                numbers((3, 3), 2, "permuted"),
                numbers((3, 3), 5, "permuted"),
                hint=TRY_SHORT,
            ),
            two(SHORT, numbers((2, 3, 2), 2), numbers((2, 3, 2), 5, "permuted"), hint=TRY_SHORT),
            two(SHORT, numbers((2, 3, 2), 2, "permuted"), numbers((2, 3, 2), 5), hint=TRY_SHORT),
            two(SHORT, SAME, numbers((2, 3), 5), hint=TRY_SHORT),
            two(SHORT, numbers((2, 3), 5), SAME, hint=TRY_SHORT),
            two(LAYOUT, numbers((4, 3, 2), 2), numbers((3, 2), 5), hint=TRY_LAYOUT),
            two(LAYOUT, numbers((5,), 2), numbers((5,), 4), hint=TRY_LAYOUT),
        ),
        "races": (
            two(SAFE, numbers((2, 1), 2), numbers((1, 3), 5), RACES, hint=TRY_RACE),
            two(SAFE, numbers((2, 3), 2), numbers((2, 3), 5), RACES, hint=TRY_RACE),
        ),
        "aligned": (
            two(SHORT, numbers((4, 3), 2), numbers((4, 3), 5), ALIGNED, hint=TRY_SHORT),
            two(SHORT, numbers((3, 4), 2), numbers((1, 4), 5), hint=TRY_SHORT),
            two(SHORT, numbers((1, 4), 2), numbers((1, 4), 5), hint=TRY_SHORT),
        ),
    },
    "tensor_reduce": {
        "numbers": (
            fold(PLAIN, laid(mixed((3, 4), 2)), 0, buffer=-2, hint=TRY_PLAIN),
            fold(PLAIN, laid(mixed((3, 3), 2)), 1, hint=TRY_PLAIN),
        ),
        "layouts": (
            *(
                fold(LAYOUT, numbers((2, 3, 4), 2, "permuted"), d, hint=TRY_LAYOUT)
                for d in range(3)
            ),
            *(
                fold(LAYOUT, numbers((2, 3, 4), 2), d, "permuted", hint=TRY_LAYOUT)
                for d in range(3)
            ),
            fold(LAYOUT, numbers((4, 3), 3, "gapped"), 0, hint=TRY_LAYOUT),
            fold(LAYOUT, numbers((5,), 3), 0, hint=TRY_LAYOUT),
        ),
        "races": (
            fold(SAFE, numbers((2, 5), 2), 1, RACES, hint=TRY_RACE),
            fold(SAFE, numbers((3, 4), 2), 0, RACES, hint=TRY_RACE),
        ),
        "lean": (
            fold(THIN, numbers((2, 13), 2), 1, LEAN, hint=TRY_THIN),
            fold(THIN, numbers((13, 3), 2), 0, LEAN, hint=TRY_THIN),
        ),
    },
    "matmul": {
        "numbers": (
            product(PLAIN, TRY_PLAIN, (1, 3, 4), (1, 4, 2), buffer=3),
            product(PLAIN, TRY_PLAIN, (1, 4, 1), (1, 1, 3)),
        ),
        "layouts": (
            product(LAYOUT, TRY_LAYOUT, (1, 3, 4), (1, 4, 2), layouts=("permuted", "gapped")),
            product(LAYOUT, TRY_LAYOUT, (2, 3, 4), (2, 4, 2), layouts=("gapped", "permuted")),
            product(LAYOUT, TRY_LAYOUT, (2, 3, 4), (2, 4, 2), "permuted"),
        ),
        "batches": (
            product(BATCH, TRY_BATCH, (3, 2, 4), (3, 4, 2)),
            product(BATCH, TRY_BATCH, (1, 2, 4), (3, 4, 2)),
            product(BATCH, TRY_BATCH, (3, 2, 4), (1, 4, 2)),
        ),
        "races": (
            product(SAFE, TRY_RACE, (1, 3, 4), (1, 4, 2), SPREAD),
            product(SAFE, TRY_RACE, (1, 2, 5), (1, 5, 3), SPREAD),
        ),
        "lean": (product(THIN, TRY_THIN, (1, 2, 13), (1, 13, 2), LEAN),),
    },
}
