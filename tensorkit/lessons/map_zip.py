"""Map and zip: both loops go by index, so they are right for tensors that lie in any way.

The known mistakes are the homework's, where tensors of different shapes meet as well.
"""

from __future__ import annotations

from typing import Any

from ..grading.cases import Case, Laid, laid
from ..grading.loop_rules import MAP, ZIP, digits, shifted
from ..grading.sheet import Block, Task

A = [[3, 1, 4], [2, 6, 5]]
B = [[7, 2, 9], [1, 8, 4]]
DEEP = [[[3, 1], [4, 2], [6, 5]], [[9, 7], [8, 0], [2, 4]]]


def one(about: str, a: Laid, **more: Any) -> Case:
    """A map."""
    return Case(about, (a,), (shifted,), **more)


def two(about: str, a: Laid, b: Laid, **more: Any) -> Case:
    """A zip."""
    return Case(about, (a, b), (digits,), **more)


TASKS = {
    "map": Task(
        MAP,
        (
            Block("plain", "a fresh tensor", 1, (one("a fresh", laid(A)),)),
            Block(
                "read",
                "a that lies in another way",
                1,
                (
                    one("a permuted", laid(A, "permuted")),
                    one("gaps in a", laid(A, "gapped")),
                    one("a stretched", laid([[3, 3, 3], [2, 2, 2]], "stretched")),
                ),
            ),
            Block(
                "write",
                "out that lies in another way",
                1,
                (
                    one("out permuted", laid(A), how="permuted"),
                    one("gaps in out", laid(A, "permuted"), how="gapped"),
                ),
            ),
            Block("dirty", "old numbers in out", 1, (one("out holds 5", laid(A), buffer=5),)),
            Block(
                "dims",
                "1 dim, and 3",
                1,
                (one("1 dim", laid([3, 1, 4])), one("3 dims", laid(DEEP, "permuted"))),
            ),
        ),
    ),
    "zip": Task(
        ZIP,
        (
            Block("plain", "two fresh tensors", 1, (two("both fresh", laid(A), laid(B)),)),
            Block(
                "read",
                "a and b that lie in different ways",
                1,
                (
                    two("a permuted", laid(A, "permuted"), laid(B)),
                    two("b permuted", laid(A), laid(B, "permuted")),
                    two("gaps in a", laid(A, "gapped"), laid(B, "permuted")),
                ),
            ),
            Block(
                "stretched",
                "a stretched b",
                1,
                (two("b stretched", laid(A), laid([[7, 2, 9], [7, 2, 9]], "stretched")),),
            ),
            Block(
                "write",
                "out that lies in another way",
                1,
                (
                    two("out permuted", laid(A), laid(B), how="permuted"),
                    two("gaps in out", laid(A), laid(B, "permuted"), how="gapped"),
                ),
            ),
            Block(
                "dirty", "old numbers in out", 1, (two("out holds 5", laid(A), laid(B), buffer=5),)
            ),
        ),
    ),
}
