"""Map and zip: both loops go by index, so they are right for tensors that lie in any way.

The known mistakes are loops as well. Where the numbers are equal because nothing in the data tells
two mistakes apart, they share their sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..grading.cases import Array, Case, Laid, laid
from ..grading.exam import Wrong
from ..grading.sheet import Block, Task
from ..grading.storages import LoopExam, by_loop

Places = Callable[[int, Sequence[int], dict[str, Any]], int]


def place(index: Sequence[int], strides: Sequence[int]) -> int:
    """Return where the cell at ``index`` lies."""
    return sum(i * s for i, s in zip(index, strides, strict=True))


def by_count(n: int, index: Sequence[int], strides: dict[str, Any]) -> int:
    """Take the number of the cell for its place."""
    return n


def by(name: str) -> Places:
    """Return the rule that finds a place with the strides of ``name``."""
    return lambda n, index, strides: place(index, strides[name])


OUT, A_CELL, B_CELL = by("out"), by("a"), by("b")


def looped(put: Any = OUT, take: Sequence[Places] = (A_CELL,), write: Any = None) -> Any:
    """Return a factory of loops that find out's cells by ``put`` and the inputs' by ``take``.

    ``write(fn, now, *cells)`` is what it writes where ``now`` stood.
    """

    def make(fn: Any) -> Any:
        def loop(out: Array, shape: Any, out_strides: Any, *inputs: Any) -> None:
            strides = {"out": out_strides} | dict(zip("ab", inputs[2::3], strict=False))
            for n, index in enumerate(np.ndindex(*shape)):
                o = put(n, index, strides)
                pairs = zip(inputs[::3], take, strict=True)
                cells = [storage[rule(n, index, strides)] for storage, rule in pairs]
                out[o] = fn(*cells) if write is None else write(fn, out[o], *cells)

        return loop

    return by_loop(make)


def mapped(fn: Any, a: Array) -> Array:
    """Return fn of every cell."""
    return np.array([fn(x) for x in a.ravel()]).reshape(a.shape)


def zipped(fn: Any, a: Array, b: Array) -> Array:
    """Return fn of every pair of cells."""
    return np.array([fn(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True)]).reshape(a.shape)


def first_dim_only(make: Any) -> Any:
    """Return a loop that is right for as many cells as dim 0 has, and then stops."""

    def stopping(fn: Any) -> Any:
        def loop(out: Array, shape: Any, strides: Any, *rest: Any) -> None:
            for n in range(shape[0]):
                out[n * strides[0]] = fn(*(rest[k][n * rest[k + 2][0]] for k in make(rest)))

        return loop

    return by_loop(stopping)


READ = "what comes of finding {0} with other strides, or none: use {0}_strides"
WRITE = "what comes of placing the cells of out by other strides, or none: use out_strides"
OLD = "fn of the cell, added to what was in out: write over it, with ="
ONLY_FIRST = "one cell for each step along dim 0, and then it stops: visit every index of out"

MAP = LoopExam(
    "tensor_map",
    ("a",),
    wrong=(
        Wrong(READ.format("a"), looped(take=[by_count])),
        Wrong(READ.format("a"), looped(take=[OUT])),
        Wrong(WRITE, looped(put=by_count)),
        Wrong(OLD, looped(write=lambda fn, now, x: now + fn(x))),
        Wrong("a itself: put fn(...) around the cell", looped(write=lambda fn, now, x: x)),
        Wrong("what fn makes of the number in out: give it the cell of a",
              looped(write=lambda fn, now, x: fn(now))),
        Wrong("fn done twice", looped(write=lambda fn, now, x: fn(fn(x)))),
        Wrong(ONLY_FIRST, first_dim_only(lambda rest: (0,))),
    ),
    step="tk.step(tensor_map(check.fn), check.a, like=check.fn",
    extras=("fn",),
    expect=mapped,
)  # fmt: skip

BOTH = (A_CELL, B_CELL)
ZIP = LoopExam(
    "tensor_zip",
    ("a", "b"),
    wrong=(
        Wrong("fn(b, a): a comes first", looped(take=BOTH, write=lambda fn, now, x, y: fn(y, x))),
        Wrong(READ.format("a"), looped(take=[by_count, BOTH[1]])),
        Wrong(READ.format("a"), looped(take=[OUT, BOTH[1]])),
        Wrong(READ.format("a"), looped(take=[B_CELL, BOTH[1]])),
        Wrong(READ.format("b"), looped(take=[BOTH[0], by_count])),
        Wrong(READ.format("b"), looped(take=[BOTH[0], OUT])),
        Wrong(READ.format("b"), looped(take=[BOTH[0], A_CELL])),
        Wrong(WRITE, looped(put=by_count, take=BOTH)),
        Wrong(WRITE, looped(put=A_CELL, take=BOTH)),
        Wrong(WRITE, looped(put=B_CELL, take=BOTH)),
        Wrong(OLD, looped(take=BOTH, write=lambda fn, now, x, y: now + fn(x, y))),
        Wrong("fn(a, a): the second cell comes from b",
              looped(take=BOTH, write=lambda fn, now, x, y: fn(x, x))),
        Wrong("fn(b, b): the first cell comes from a",
              looped(take=BOTH, write=lambda fn, now, x, y: fn(y, y))),
        Wrong(ONLY_FIRST, first_dim_only(lambda rest: (0, 3))),
    ),
    step="tk.step(tensor_zip(check.fn), check.a, check.b, like=check.fn",
    extras=("fn",),
    expect=zipped,
)  # fmt: skip


def shifted(x: float) -> float:
    """Return 10·x + 1: neither its own inverse nor 0 at 0."""
    return 10 * x + 1


def digits(x: float, y: float) -> float:
    """Return 10·x + y: the order of its arguments can be read from the result."""
    return 10 * x + y


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
