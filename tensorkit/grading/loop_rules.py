"""Map and zip by index, and the slips that people make in these loops, as loops too.

What is stretched is read at index 0 of a length of 1; an added dim is not asked for. Where the
numbers are equal because nothing in the data tells two slips apart, they share their sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .cases import Array
from .exam import Wrong
from .storages import LoopExam, by_loop

Layouts = dict[str, tuple[Sequence[int], Sequence[int]]]  # shape and strides, by name
Places = Callable[[int, Sequence[int], Layouts], int]


def place(index: Sequence[int], strides: Sequence[int]) -> int:
    """Return where the cell at ``index`` lies."""
    return sum(i * s for i, s in zip(index, strides, strict=True))


def seen(index: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Return where the cell at ``index`` of a result is found in a tensor that stretches to it."""
    kept = index[len(index) - len(shape) :]
    return [0 if n == 1 else i for i, n in zip(kept, shape, strict=True)]


def by_count(n: int, index: Sequence[int], layouts: Layouts) -> int:
    """Take the number of the cell for its place."""
    return n


def by(name: str, whose: str = "") -> Places:
    """Return the rule that finds a cell of ``name``, with the strides of ``whose`` if given."""
    return lambda n, index, layouts: place(seen(index, layouts[name][0]), layouts[whose or name][1])


OUT, A_CELL, B_CELL = by("out"), by("a"), by("b")
BOTH = (A_CELL, B_CELL)


def looped(put: Places = OUT, take: Sequence[Places] = (A_CELL,), write: Any = None) -> Any:
    """Return a factory of loops that find out's cells by ``put`` and the inputs' by ``take``.

    ``write(fn, now, *cells)`` is what it writes where ``now`` stood.
    """

    def make(fn: Any) -> Any:
        def loop(out: Array, shape: Any, out_strides: Any, *inputs: Any) -> None:
            layouts = {"out": (shape, out_strides)}
            layouts |= dict(zip("ab", zip(inputs[1::3], inputs[2::3], strict=True), strict=False))
            for n, index in enumerate(np.ndindex(*shape)):
                o = put(n, index, layouts)
                pairs = zip(inputs[::3], take, strict=True)
                cells = [storage[rule(n, index, layouts)] for storage, rule in pairs]
                out[o] = fn(*cells) if write is None else write(fn, out[o], *cells)

        return loop

    return by_loop(make)


def mapped(fn: Any, a: Array, shape: Sequence[int] | None = None) -> Array:
    """Return fn of every cell, of ``a`` stretched to ``shape`` if one is given."""
    wide = np.broadcast_to(a, a.shape if shape is None else tuple(shape))
    return np.array([fn(x) for x in wide.ravel()]).reshape(wide.shape)


def zipped(fn: Any, a: Array, b: Array) -> Array:
    """Return fn of every pair of cells."""
    one, two = np.broadcast_arrays(a, b)
    cells = [fn(x, y) for x, y in zip(one.ravel(), two.ravel(), strict=True)]
    return np.array(cells).reshape(one.shape)


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
        Wrong(READ.format("a"), looped(take=[by("a", "out")])),
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

ZIP = LoopExam(
    "tensor_zip",
    ("a", "b"),
    wrong=(
        Wrong("fn(b, a): a comes first", looped(take=BOTH, write=lambda fn, now, x, y: fn(y, x))),
        Wrong(READ.format("a"), looped(take=[by_count, B_CELL])),
        Wrong(READ.format("a"), looped(take=[by("a", "out"), B_CELL])),
        Wrong(READ.format("a"), looped(take=[by("a", "b"), B_CELL])),
        Wrong(READ.format("b"), looped(take=[A_CELL, by_count])),
        Wrong(READ.format("b"), looped(take=[A_CELL, by("b", "out")])),
        Wrong(READ.format("b"), looped(take=[A_CELL, by("b", "a")])),
        Wrong(WRITE, looped(put=by_count, take=BOTH)),
        Wrong(WRITE, looped(put=by("out", "a"), take=BOTH)),
        Wrong(WRITE, looped(put=by("out", "b"), take=BOTH)),
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
    """Return 10·x + y: which came first, and in which order, can be read from the result."""
    return 10 * x + y
