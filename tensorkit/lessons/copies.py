"""Copies forward, sums backward: one task, the homework's own, for gradients with two dims.

Its mistakes are the homework's as well. The numbers are digits, so that a sum shows what went in.
"""

from __future__ import annotations

from dataclasses import replace

from ..grading.cases import Case, Layout, laid
from ..grading.move_rules import UNBROADCAST
from ..grading.sheet import Block, Task

TELLING = [[1, 10, 100], [2, 20, 200]]
SQUARE = [[1, 2, 3], [10, 20, 30], [100, 200, 300]]


def to(shape: tuple[int, ...], grad: object = TELLING, layout: Layout = "plain") -> Case:
    """One gradient, to be brought to a shape."""
    return Case(f"to the shape {shape}", (laid(grad, layout),), (shape,), untouched=True)


TASKS = {
    "unbroadcast": Task(
        replace(
            UNBROADCAST,
            step="tk.step(lambda grad: unbroadcast(grad, check.shape), check.grad)",
            advice="line the shapes up from the right: which dims are missing, and which are 1?",
        ),
        (
            Block("one", "a dim of length 1", 1, (to((1, 3)), to((2, 1)))),
            Block("none", "equal shapes, in any layout", 1, (to((2, 3), layout="permuted"),)),
            Block("added", "a dim that was added", 1, (to((3,)), to((3,), SQUARE))),
            Block("both", "both dims, to exactly the shape", 1, (to((1, 1)), to((1,)), to(()))),
        ),
    )
}
