"""The fast homework: 20 points, 18 of them in 4 graded cells, with the checks its notebook shows.

Numbers, layouts, races and counts are blocks of their own. Nothing is timed: what makes a kernel
fast is counted. Each kernel is also compiled, on fresh tensors and on a permuted one: what numba
refuses is no parallel kernel, and loses both blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Array, Case, Laid, laid
from .exam import Wrong
from .fast_exams import ALIGNED, COMPILED, LEAN, RACES, SPREAD, FastExam
from .fold_rules import REDUCE, times
from .loop_rules import MAP, ZIP, digits, shifted
from .sheet import Block, Task
from .storages import LoopExam


def fast(exam: LoopExam) -> FastExam:
    """Return the exam of the parallel version of a loop that is known."""
    return FastExam(
        exam.name,
        exam.names,
        wrong=exam.wrong,
        extras=exam.extras,
        expect=exam.expect,
        folds=exam.folds,
    )


def product(fn: Any, a: Array, b: Array) -> Array:
    """Return the matrix product, for each pair of batches."""
    return a @ b


def _between(case: Case, start: int) -> Array:
    a, b = (one.values for one in case.inputs)
    return a[..., start:] @ b[..., start:, :]


def _first_batch(exam: FastExam, case: Case) -> Array:
    a, b = (one.values for one in case.inputs)
    return np.broadcast_to(a[:1] @ b[:1], (a @ b).shape)


MATMUL = FastExam(
    "tensor_matrix_multiply",
    ("a", "b"),
    wrong=(
        Wrong("the last of the products alone: add to a running value",
              lambda exam, case: _between(case, -1)),
        Wrong("the sums without their first product",
              lambda exam, case: _between(case, 1)),
        Wrong("the first batch in every batch: move on by the stride of dim 0", _first_batch),
        Wrong("the product, added to what was in out: a running value begins with 0",
              lambda exam, case: exam._start(case) + exam._right(case, "")),
    ),
    expect=product,
    makes=False,
)  # fmt: skip

A = [[3, 1, 4], [2, 6, 5]]
B = [[7, 2, 9], [1, 8, 4]]
DEEP = [[[3, 1], [4, 2], [6, 5]], [[9, 7], [8, 0], [2, 4]]]
LEFT = [[[3, 1, 4], [2, 6, 5]]]
RIGHT = [[[7, 2], [1, 8], [9, 3]]]
PAIR = [[[7, 2], [1, 8], [9, 3]], [[0, 5], [6, 4], [2, 1]]]


def one(about: str, a: Laid, how: str = "once", shape: Any = None, **more: Any) -> Case:
    """A map; ``shape`` is that of out, where a is stretched."""
    extra = (shifted,) if shape is None else (shifted, shape)
    return Case(about, (a,), extra, how=how, **more)


def two(about: str, a: Laid, b: Laid, how: str = "once", **more: Any) -> Case:
    """A zip."""
    return Case(about, (a, b), (digits,), how=how, **more)


def fold(about: str, a: Laid, dim: int, how: str = "once", fn: Any = digits, **more: Any) -> Case:
    """A fold, of digits if nothing else is said."""
    return Case(about, (a,), (fn, dim), how=how, **more)


def matrices(about: str, a: Laid, b: Laid, how: str = "once", **more: Any) -> Case:
    """A product of batches of matrices."""
    return Case(about, (a, b), (None,), how=how, **more)


def _block(key: str, title: str, *cases: Case, points: int = 1) -> Block:
    return Block(key, title, points, cases)


COLUMN = [[3], [2]]
LONG = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]]
TASKS = {
    "tensor_map": Task(
        fast(MAP),
        (
            _block(
                "numbers",
                "fresh tensors, plain and compiled",
                one("shape (2, 3)", laid(A), buffer=5),
                one("dim 1 is stretched", laid(COLUMN), shape=(2, 3)),
                one("compiled", laid(A), COMPILED),
            ),
            _block(
                "layouts",
                "any layout, any number of dims",
                one("a permuted", laid(A, "permuted")),
                one("out permuted", laid(A), "permuted"),
                one("both permuted", laid(A, "permuted"), "permuted"),
                one("a permuted, compiled", laid(A, "permuted"), COMPILED),
            ),
            _block(
                "races",
                "parallel, without a race",
                one("dim 1 is stretched", laid(COLUMN), RACES, shape=(2, 3)),
            ),
            _block(
                "aligned",
                "nothing to look up where shapes and strides agree",
                one("both fresh", laid(A), ALIGNED),
                one("only the shapes agree", laid(A, "permuted")),
                one("only the strides agree", laid([[3, 1, 4]]), shape=(2, 3)),
            ),
        ),
    ),
    "tensor_zip": Task(
        fast(ZIP),
        (
            _block(
                "numbers",
                "fresh tensors, plain and compiled",
                two("both (2, 3)", laid(A), laid(B)),
                two("out holds 5", laid(A), laid(B), buffer=5),
                two("compiled", laid(A), laid(B), COMPILED),
            ),
            _block(
                "layouts",
                "any layout, any number of dims",
                two("a permuted", laid(A, "permuted"), laid(B)),
                two("b permuted", laid(A), laid(B, "permuted")),
                two("out permuted", laid(A), laid(B), "permuted"),
                two("(2, 3) and (3,)", laid(A), laid([7, 2, 9])),
                two("b permuted, compiled", laid(A), laid(B, "permuted"), COMPILED),
            ),
            _block(
                "races",
                "parallel, without a race",
                two("b is stretched", laid(A), laid(COLUMN), RACES),
            ),
            _block(
                "aligned",
                "nothing to look up where shapes and strides agree",
                two("all fresh", laid(A), laid(B), ALIGNED),
                two("only the shapes agree", laid(A), laid(B, "permuted")),
                two("only the strides agree", laid([[3, 1, 4]]), laid(B)),
            ),
        ),
    ),
    "tensor_reduce": Task(
        fast(REDUCE),
        (
            _block(
                "numbers",
                "fresh tensors, plain and compiled",
                fold("dim 1", laid(A), 1),
                fold("dim 0", laid(A), 0),
                fold("out holds 7", laid(A), 1, buffer=7),
                fold("a 0 on the way", laid([[2, 0, 5, 3]]), 1, fn=times, buffer=1),
                fold("compiled", laid(A), 1, COMPILED, buffer=7),
            ),
            _block(
                "layouts",
                "any layout, any number of dims",
                fold("a permuted", laid(A, "permuted"), 1),
                fold("a permuted", laid(DEEP, "permuted"), 2),
                fold("a permuted, dim 1", laid(DEEP, "permuted"), 1),
                fold("out permuted", laid(DEEP), 2, "permuted"),
                fold("a permuted, compiled", laid(A, "permuted"), 1, COMPILED),
                points=2,
            ),
            _block("races", "parallel, without a race", fold("dim 0", laid(A), 0, RACES)),
            _block("lean", "a lean inner loop", fold("dim 1", laid(LONG), 1, LEAN)),
        ),
    ),
    "matmul": Task(
        MATMUL,
        (
            _block(
                "numbers",
                "one batch, plain and compiled",
                matrices("(2, 3) times (3, 2)", laid(LEFT), laid(RIGHT)),
                matrices("out holds 5", laid(LEFT), laid(RIGHT), buffer=5),
                matrices("compiled", laid(LEFT), laid(RIGHT), COMPILED),
            ),
            _block(
                "layouts",
                "any layout",
                matrices("b permuted", laid(LEFT), laid(RIGHT, "permuted")),
                matrices("out permuted", laid(LEFT), laid(RIGHT), "permuted"),
                matrices("b permuted, compiled", laid(LEFT), laid(RIGHT, "permuted"), COMPILED),
            ),
            _block(
                "batches",
                "batches, one of them stretched",
                matrices(
                    "two batches",
                    laid(PAIR),
                    laid([[[1, 0, 2], [4, 3, 5]], [[6, 1, 7], [2, 8, 9]]]),
                ),
                matrices("a has one batch", laid(LEFT), laid(PAIR)),
            ),
            _block(
                "races",
                "parallel for one batch, no race",
                matrices("counted", laid(LEFT), laid(RIGHT), SPREAD),
            ),
            _block(
                "lean",
                "a lean inner loop",
                matrices("counted", laid([LONG]), laid([[[k] for k in LONG[0]]]), LEAN),
            ),
        ),
    ),
}
