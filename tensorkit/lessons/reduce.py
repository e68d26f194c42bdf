"""Reduce: cells that differ only along one dim meet in a cell of out, from what is there already.

The function of most checks is 10·t + x, whose result shows where a fold began, which cells it met,
and in which order.
"""

from __future__ import annotations

from typing import Any

from ..grading.cases import Case, Laid, Layout, laid
from ..grading.fold_rules import REDUCE, times
from ..grading.loop_rules import digits
from ..grading.sheet import Block, Task

A = [[3, 1, 4], [2, 6, 5]]
DEEP = [[[3, 1], [4, 2], [6, 5]], [[9, 7], [8, 0], [2, 4]]]


def one(about: str, a: object, dim: int, layout: Layout = "plain", **more: Any) -> Case:
    """One fold of digits, from 0 unless out holds something else."""
    return Case(about, (Laid(laid(a).values, layout),), (digits, dim), **more)


TASKS = {
    "reduce": Task(
        REDUCE,
        (
            Block("dims", "either dim of a (2, 3)", 1, (one("dim 1", A, 1), one("dim 0", A, 0))),
            Block(
                "start",
                "the start value is what is in out",
                1,
                (
                    one("out holds 7", A, 0, buffer=7),
                    Case("a 0 on the way", (laid([[2, 0, 5, 3]]),), (times, 1), buffer=1),
                ),
            ),
            Block(
                "read",
                "a that lies in another way",
                1,
                (one("a permuted", A, 1, "permuted"), one("gaps in a", A, 0, "gapped")),
            ),
            Block(
                "write",
                "out that lies in another way",
                1,
                (
                    one("out permuted", DEEP, 2, how="permuted"),
                    one("gaps in out", A, 0, how="gapped"),
                ),
            ),
            Block(
                "deep",
                "any dim of a (2, 3, 2)",
                1,
                tuple(one(f"dim {dim}", DEEP, dim, "permuted") for dim in range(3)),
            ),
        ),
    ),
}
