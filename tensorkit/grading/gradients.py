"""The gradients homework: 29 points in 16 graded cells, with the checks that its notebook shows.

A person gives the thirtieth. Most functions earn a first point for the rule on plain data and
grad_out all ones, and another for every grad_out, layout and shape: there the hidden checks are.
"""

from __future__ import annotations

from dataclasses import replace

from .cases import Case, Laid, laid
from .exam import Exam
from .functions import FunctionExam
from .move_rules import OF_SUM, PAIR, PERMUTE, PULL_BACK, UNBROADCAST, VIEW
from .rules import LESS, LOG, MAX, MEAN, MUL, PROD, RELU, SIGMOID, SUB, SUM
from .sheet import Block, Task

PLAIN = "the rule, with grad_out all ones"
EVERY = "any grad_out, layout and shape"

ONES = laid([[1, 1, 1], [1, 1, 1]])
TELLING = laid([[1, 10, -100], [-2, 20, 200]])  # a number shows where it came from
POSITIVE = laid([[2, 0.5, 4], [1.25, 5, 8]])
SIGNED = laid([[2, -1, 3], [-4, 5, 0.5]])
OTHER = laid([[7, 4, -2], [0.5, -3, 6]])


def _two(exam: FunctionExam, plain: tuple[Case, ...], every: tuple[Case, ...]) -> Task:
    """One point for the rule, one for the rest."""
    return Task(exam, (Block("plain", PLAIN, 1, plain), Block("every", EVERY, 1, every)))


def _both(exam: FunctionExam, *data: Laid) -> Task:
    """A map or a zip: the same data with grad_out all ones and with telling numbers."""
    plain = Case("grad_out all ones", data, grad_out=ONES)
    every = Case("grad_out all different", data, grad_out=TELLING, untouched=True, strict=True)
    return _two(exam, (plain,), (every,))


def _single(exam: Exam, about: str, *cases: Case) -> Task:
    return Task(exam, (Block("every", about, 1, cases),))


def _reduce(exam: FunctionExam, *more: Case) -> Task:
    """A reduction over dim 1, then over dim 0 as well."""
    plain = Case("dim 1, grad_out all ones", (SIGNED,), (1,), laid([[1], [1]]))
    last = Case("dim 1", (SIGNED,), (1,), laid([[1], [-10]]), untouched=True, strict=True)
    first = Case("dim 0", (SIGNED,), (0,), laid([[1, -10, 100]]), strict=True)
    return _two(exam, (plain,), (last, first, *more))


def _move(exam: FunctionExam, plain: Case, every: Case) -> Task:
    return _two(exam, (plain,), (replace(every, untouched=True, strict=True),))


def _undo(about: str, data: object, shape: tuple[int, ...], untouched: bool = False) -> Case:
    return Case(about, (laid(data),), (shape,), untouched=untouched)


TIED = laid([[5, 5, 2], [1, 4, -3]])
ZERO = laid([[0, 2, 3], [4, -5, 0.5]])
ONES_3_2 = laid([[1, 1], [1, 1], [1, 1]])

TASKS = {
    "jacobian_of_pair": _single(PAIR, "the four slopes", Case("the grid")),
    "jacobian_of_sum": _single(OF_SUM, "which cells meet", Case("the grid")),
    "pull_back": _single(
        PULL_BACK,
        "grad_out through any Jacobian",
        Case("two outputs, three inputs", (laid([[1, 2, 0], [3, -1, 5]]), laid([10, 100]))),
    ),
    "log": _single(
        LOG,
        EVERY,
        Case("grad_out all ones", (POSITIVE,), grad_out=ONES),
        Case("grad_out all different", (POSITIVE,), (), TELLING, untouched=True, strict=True),
    ),
    "sigmoid": _both(SIGMOID, SIGNED),
    "relu": _both(RELU, SIGNED),
    "sub": _single(
        SUB,
        "forward and both gradients",
        Case("grad_out all different", (SIGNED, OTHER), (), TELLING, untouched=True, strict=True),
    ),
    "mul": _both(MUL, SIGNED, OTHER),
    "sum": _reduce(SUM),
    "mean": _reduce(MEAN),
    "max": _reduce(MAX, Case("two equal winners", (TIED,), (1,), laid([[6], [-10]]))),
    "prod": _reduce(PROD, Case("a zero factor", (ZERO,), (1,), laid([[10], [-2]]))),
    "unbroadcast": Task(
        UNBROADCAST,
        (
            Block(
                "added",
                "dims added on the left",
                1,
                (_undo("a dim was added on the left", [[1, 10, 100], [2, -20, 200]], (3,)),),
            ),
            Block(
                "stretched",
                "dims of length 1",
                1,
                (_undo("dim 1 was stretched", [[1, 10, 100], [2, -20, 200]], (2, 1)),),
            ),
            Block(
                "shape",
                "both at once, and the exact shape",
                1,
                (
                    _undo(
                        "one dim added, one stretched",
                        [[[1, 2], [10, 20], [100, 200]], [[3, 4], [-30, 40], [300, -400]]],
                        (3, 1),
                    ),
                ),
            ),
            Block(
                "aligned",
                "aligned from the right",
                1,
                (_undo("a square grad", [[1, 2, 3], [10, -20, 30], [100, 200, 300]], (3,)),),
            ),
            Block(
                "manners",
                "any layout; grad untouched",
                1,
                (_undo("equal shapes", [[1, 10, 100], [2, -20, 200]], (2, 3), untouched=True),),
            ),
        ),
    ),
    "permute": _move(
        PERMUTE,
        Case("order (1, 0)", (SIGNED,), ((1, 0),), ONES_3_2),
        Case(
            "order (1, 0), grad_out all different",
            (SIGNED,),
            ((1, 0),),
            laid([[1, -2], [10, 20], [100, 200]]),
        ),
    ),
    "view": _move(
        VIEW,
        Case("shape (3, 2)", (SIGNED,), ((3, 2),), ONES_3_2),
        Case(
            "grad_out not in reading order",
            (laid([2, -1, 3, -4, 5, 0.5]),),
            ((2, 3),),
            laid([[1, 10, 100], [-2, 20, 200]], "permuted"),
        ),
    ),
    "less": _single(
        LESS,
        "a step is flat",
        Case("grad_out all different", (SIGNED, OTHER), (), TELLING, untouched=True, strict=True),
    ),
}
