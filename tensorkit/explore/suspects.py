"""Twenty-four wrong rules that look right on some input, under names that give nothing away.

Each is code that runs: loops over storage that forget how a tensor lies in it, and backward rules
from the homework's own list of mistakes. Beside each stands the right answer, from NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tensorkit.grading import move_rules, rules
from tensorkit.grading.cases import Array
from tensorkit.grading.exam import Exam
from tensorkit.grading.functions import FunctionExam
from tensorkit.grading.messages import differs, first_wrong
from tensorkit.tensor import Tensor

Parts = tuple[Array, ...]


@dataclass(frozen=True)
class Trial:
    """One input: two tensors as they lie in memory, and an upstream gradient in their shape."""

    x: Tensor
    y: Tensor
    grad_out: Array

    def upstream(self, shape: tuple[int, ...]) -> Array:
        """Return the first cells of the upstream gradient, for a result of another shape."""
        return self.grad_out.ravel()[: math.prod(shape)].reshape(shape)


@dataclass(frozen=True)
class Suspect:
    """A rule under suspicion: what it claims to compute, and the sentence that gives it away."""

    name: str
    claim: str
    sentence: str
    answer: Callable[[Trial], Parts]
    right: Callable[[Trial], Parts]
    settle: Callable[[Trial, Parts], bool] | None = None

    def evidence(self, trial: Trial) -> str | None:
        """Return how its answer to a trial differs from the right one; None if it does not."""
        try:
            with np.errstate(all="ignore"):
                got = self.answer(trial)
        except (ValueError, IndexError, ZeroDivisionError) as error:
            return f"it raises {type(error).__name__}"
        if self.settle is not None and self.settle(trial, got):
            return None
        for have, want in zip(got, self.right(trial), strict=True):
            if differs(have, want):
                return first_wrong(have, want)
        return None


# Loops over storage, as they are written on a first day.
Loop = Callable[..., None]


def neg_in_a_row(out: Array, shape: Any, strides: Any, a: Array, a_strides: Any) -> None:
    """Take the cells of a as they lie in storage."""
    for i in range(len(out)):
        out[i] = -a[i]


def neg_by_out(out: Array, shape: Any, strides: Any, a: Array, a_strides: Any) -> None:
    """Find the cells of a with the strides of out."""
    for index in np.ndindex(*shape):
        position = sum(i * s for i, s in zip(index, strides, strict=True))
        out[position] = -a[position]


def mul_by_first(
    out: Array, shape: Any, strides: Any, a: Array, a_strides: Any, b: Array, b_strides: Any
) -> None:
    """Find the cells of b with the strides of a."""
    for index in np.ndindex(*shape):
        position = sum(i * s for i, s in zip(index, strides, strict=True))
        there = sum(i * s for i, s in zip(index, a_strides, strict=True))
        out[position] = a[there] * b[there]


def max_from_zero(out: Array, shape: Any, strides: Any, a: Array, a_strides: Any) -> None:
    """Begin the fold over the last dim with 0."""
    for o, index in enumerate(np.ndindex(*shape[:-1])):
        best = 0.0
        for j in range(shape[-1]):
            best = max(best, a[sum(i * s for i, s in zip((*index, j), a_strides, strict=True))])
        out[o] = best


def sum_in_a_row(out: Array, shape: Any, strides: Any, a: Array, a_strides: Any) -> None:
    """Take the cells of the last dim one after the other from storage."""
    for o in range(len(out)):
        out[o] = sum(a[o * shape[-1] + j] for j in range(shape[-1]))


def run_loop(loop: Loop, *tensors: Tensor, fold: bool = False) -> Array:
    """Run a loop over the storages of tensors of one shape, from where their first cells lie."""
    shape = tensors[0].shape
    left = (*shape[:-1], 1) if fold else shape
    out = np.zeros(math.prod(left))
    strides = tuple(math.prod(left[d + 1 :]) for d in range(len(left)))
    sources = [part for t in tensors for part in (t.storage[t.offset :], t.strides)]
    loop(out, shape, strides, *sources)
    return out.reshape(left)


def looped(loop: Loop, op: Callable[..., Array], zipped: bool = False, fold: bool = False) -> Any:
    """Return how a loop answers a trial, and what is right."""

    def answer(trial: Trial) -> Parts:
        tensors = (trial.x, trial.y) if zipped else (trial.x,)
        return (run_loop(loop, *tensors, fold=fold),)

    def right(trial: Trial) -> Parts:
        cells = (trial.x.numpy(), trial.y.numpy()) if zipped else (trial.x.numpy(),)
        return (op(*cells),)

    return answer, right


def examined(exam: FunctionExam, fragment: str) -> tuple[str, Any, Any, Any]:
    """Return a mistake of an exam: its sentence, how it answers, what is right, what settles."""
    rule = mistake(exam, fragment)

    def data(trial: Trial) -> tuple[Any, ...]:
        x, y = trial.x.numpy(), trial.y.numpy()
        inputs = (x, y)[: len(exam.names)]
        extra: tuple[Any, ...] = ()
        if exam.extras == ("dim",):
            extra = (x.ndim - 1,)
        elif exam.extras == ("order",):
            extra = (tuple(range(x.ndim))[::-1],)
        return (trial.upstream(exam.forward(*inputs, *extra).shape), *inputs, *extra)

    def answer(trial: Trial) -> Parts:
        found = rule.compute(*data(trial))
        return tuple(map(np.asarray, found if isinstance(found, tuple) else (found,)))

    def right(trial: Trial) -> Parts:
        return exam.backward(*data(trial))

    def settled(trial: Trial, got: Parts) -> bool:
        return bool(exam.settle and exam.settle(got[0], *data(trial)))

    return rule.sentence, answer, right, settled if exam.settle else None


def unstretched(fragment: str) -> tuple[str, Any, Any, None]:
    """Return a mistake in undoing the broadcast of the last dims to the shape of grad_out."""
    exam = move_rules.UNBROADCAST
    rule = mistake(exam, fragment)

    def target(trial: Trial) -> tuple[int, ...]:
        return trial.x.shape[1:] or (1,)

    return (
        rule.sentence,
        lambda trial: (np.asarray(rule.compute(trial.grad_out, target(trial))),),
        lambda trial: (exam.expect(trial.grad_out, target(trial)),),
        None,
    )


def mistake(exam: Exam, fragment: str) -> Any:
    """Return the one backward mistake of an exam whose sentence holds ``fragment``."""
    (found,) = (one for one in exam.wrong if one.of != "forward" and fragment in one.sentence)
    return found


NAMES = """
Abe Bea Cal Dot Eve Fay Gus Hal Ida Jan Kim Lou
May Ned Ola Pat Quy Roy Sue Tom Uma Val Wim Xia
"""


@cache
def suspects() -> tuple[Suspect, ...]:
    """Return all suspects, in the order of their names."""
    last = {"axis": -1, "keepdims": True}
    loops = [
        ("neg, a map", "minus the cells of storage as they lie, whatever the strides",
         looped(neg_in_a_row, np.negative)),
        ("neg, a map", "minus cells of x that were found with the strides of out",
         looped(neg_by_out, np.negative)),
        ("mul, a zip", "x times cells of y that were found with the strides of x",
         looped(mul_by_first, np.multiply, zipped=True)),
        ("max, a reduce", "the max of the cells and 0: the fold begins with 0",
         looped(max_from_zero, lambda x: x.max(**last), fold=True)),
        ("sum, a reduce", "sums of cells that are neighbours in storage",
         looped(sum_in_a_row, lambda x: x.sum(**last), fold=True)),
    ]  # fmt: skip
    backward = [
        (rules.MUL, "each input gets the other"),
        (rules.MUL, "slopes y and x alone"),
        (rules.RELU, "the sign of grad_out"),
        (rules.RELU, "the slope alone"),
        (rules.SUM, "as if grad_out were all ones"),
        (rules.SUM, "the slope of a sum is 1"),
        (rules.SUM, "copy it to every cell"),
        (rules.MEAN, "the gradient of sum"),
        (rules.MEAN, "grad_out / x.size"),
        (rules.MEAN, "grad_out / grad_out.size"),
        (rules.MAX, "every winner of a tie"),
        (rules.MAX, "one winner for the whole tensor"),
        (rules.MAX, "grad_out times x at the winner"),
        (rules.PROD, "divides by zero"),
        (rules.PROD, "0 wherever the product is 0"),
        (move_rules.PERMUTE, "that is view, not permute"),
        (move_rules.PERMUTE, "as if grad_out were all ones"),
    ]
    rows: list[tuple[str, str, Any, Any, Any]] = [
        (claim, sentence, *runs, None) for claim, sentence, runs in loops
    ]
    for exam, fragment in backward:
        rows.append((f"{exam.name.lower()}, backward", *examined(exam, fragment)))
    for fragment in ("the mean over the copies", "aligned from the left"):
        rows.append(("undo a broadcast", *unstretched(fragment)))
    # far apart on the wall what stands together here, so that no place gives a mistake away
    mixed = [rows[k * 7 % len(rows)] for k in range(len(rows))]
    return tuple(Suspect(name, *row) for name, row in zip(NAMES.split(), mixed, strict=True))
