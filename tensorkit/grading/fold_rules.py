"""Reduce: cells that differ only along one dim meet in a cell of out, from what is there already.

The slips that people make are loops, too. Folds of 10·t + x show where they began, which cells
they met, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .cases import Array
from .exam import Wrong
from .loop_rules import WRITE
from .storages import LoopExam, by_loop

Where = tuple[
    Sequence[int], Sequence[int], Sequence[int], int
]  # shape and strides of a, index, dim


def folded(fn: Any, a: Array, dim: int, start: float) -> Array:
    """Return the fold over ``dim``, kept with length 1."""
    out = np.full((*a.shape[:dim], 1, *a.shape[dim + 1 :]), start)
    for k in range(a.shape[dim]):
        now = zip(out.ravel(), a.take(k, dim).ravel(), strict=True)
        out = np.array([fn(t, x) for t, x in now]).reshape(out.shape)
    return out


def along(where: Where) -> list[int]:
    """Return the positions of the cells that meet."""
    shape, strides, index, dim = where
    first = sum(i * s for i, s in zip(index, strides, strict=True))
    return [first + k * strides[dim] for k in range(shape[dim])]


def other_dim(where: Where) -> list[int]:
    """Return as many cells as there should be, one after the other along the other end's dim."""
    shape, strides, _, dim = where
    first = along(where)[0]
    wrong = strides[0] if dim == len(shape) - 1 else strides[-1]
    return [first + k * wrong for k in range(shape[dim])]


def in_a_row(where: Where) -> list[int]:
    """Return the next cells of storage, one turn after the other."""
    shape, _, index, dim = where
    kept = [1 if d == dim else n for d, n in enumerate(shape)]
    n = int(np.ravel_multi_index(tuple(index), kept))
    return list(range(n * shape[dim], (n + 1) * shape[dim]))


def length_of_last(where: Where) -> list[int]:
    """Return as many cells as the last dim has."""
    shape, strides, _, dim = where
    first = along(where)[0]
    return [first + k * strides[dim] for k in range(shape[-1])]


def fold(
    meet: Callable[[Where], list[int]] = along,
    turn: Callable[[Any, Any, Any], Any] = lambda fn, t, x: fn(t, x),
    put: str = "out",
    seeded: bool = False,
) -> Any:
    """Return a loop whose cells meet as ``meet`` says, each taken in by ``turn``."""

    def make(fn: Any) -> Any:
        def loop(
            out: Array, shape: Any, strides: Any, a: Array, a_shape: Any, a_strides: Any, dim: int
        ) -> None:
            for n, index in enumerate(np.ndindex(*shape)):
                steps = a_strides if put == "a" else strides
                o = n if put == "count" else sum(i * s for i, s in zip(index, steps, strict=True))
                cells = [a[p] for p in meet((a_shape, a_strides, index, dim))]
                t, cells = (cells[0], cells[1:]) if seeded else (out[o], cells)
                for x in cells:
                    t = turn(fn, t, x)
                out[o] = t

        return loop

    return by_loop(make)


OTHER = "folds along another dim: one step along dim moves a_strides[dim] places"

REDUCE = LoopExam(
    "tensor_reduce",
    ("a",),
    wrong=(
        Wrong("folds that begin with 0 or the first cell: begin with what is in out",
              fold(seeded=True)),
        Wrong("fn(x, t): the running value comes first", fold(turn=lambda fn, t, x: fn(x, t))),
        Wrong("folds from the last cell: begin with the first", fold(lambda w: along(w)[::-1])),
        Wrong("folds without the first cell: begin at 0", fold(lambda w: along(w)[1:])),
        Wrong("folds without the last cell: there are a_shape[dim] of them",
              fold(lambda w: along(w)[:-1])),
        Wrong("sums: let fn take in each cell", fold(turn=lambda fn, t, x: t + x)),
        Wrong("fn of the last cell alone: hand on the running value",
              fold(lambda w: along(w)[-1:])),
        Wrong("what comes of `if not t`: a running value of 0 is no sign of a beginning",
              fold(turn=lambda fn, t, x: fn(t, x) if t else x)),
        Wrong("the first fold in every cell: each cell of out has a beginning of its own",
              fold(lambda w: along((w[0], w[1], [0] * len(w[0]), w[3])))),
        Wrong(OTHER, fold(other_dim)),
        Wrong("folds of neighbours in storage: go by index and a_strides", fold(in_a_row)),
        Wrong("folds as long as the last dim: there are a_shape[dim] cells", fold(length_of_last)),
        Wrong(WRITE, fold(put="count")),
        Wrong(WRITE, fold(put="a")),
    ),
    step="tk.step(tensor_reduce(check.fn), check.a, dim=check.dim, like=check.fn",
    extras=("fn", "dim"),
    expect=folded,
    folds=True,
)  # fmt: skip


def times(t: float, x: float) -> float:
    """Return t · x, which does not begin again at 0."""
    return t * x
