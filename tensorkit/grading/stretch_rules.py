"""The right rules of the stretch homework, and the mistakes that people make, as rules too.

Shapes are aligned from the right; a length of 1 stretches, a missing dim is added on the left. Each
mistake ends the sentence 'your result is ...' or 'the buffer holds ...'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import tensorkit as tk

from .exam import Wrong
from .values import BufferExam, ValueExam

Shape = Sequence[int]
Ints = tuple[int, ...]


def broadcast(shape1: Shape, shape2: Shape) -> Ints:
    """Return the shape that both stretch to, as NumPy says. Raises IndexingError if none."""
    try:
        return np.broadcast_shapes(tuple(shape1), tuple(shape2))
    except ValueError:
        raise tk.IndexingError(f"{shape1} and {shape2} do not fit") from None


def _padded(shape: Shape, ndim: int) -> Ints:
    return (*[1] * (ndim - len(shape)), *shape)


def _largest(shape1: Shape, shape2: Shape) -> Ints:
    ndim = max(len(shape1), len(shape2))
    return tuple(map(max, _padded(shape1, ndim), _padded(shape2, ndim)))


def _cut(shape1: Shape, shape2: Shape) -> Ints:
    ndim = min(len(shape1), len(shape2))
    return broadcast(shape1[len(shape1) - ndim :], shape2[len(shape2) - ndim :])


def _left(shape1: Shape, shape2: Shape) -> Ints:
    ndim = max(len(shape1), len(shape2))
    first, second = ([*shape, *[1] * (ndim - len(shape))] for shape in (shape1, shape2))
    return broadcast(first, second)


def _second_only(shape1: Shape, shape2: Shape) -> Ints:
    if any(n not in (1, m) for m, n in zip(shape1[::-1], shape2[::-1], strict=False)):
        raise tk.IndexingError("the first would have to stretch")
    return tuple(shape1)


def _reversed(shape1: Shape, shape2: Shape) -> Ints:
    return broadcast(shape1, shape2)[::-1]


SHAPE = ValueExam(
    "shape_broadcast",
    (),
    wrong=(
        Wrong("the larger length of each pair: lengths must be equal, or one of them 1", _largest),
        Wrong("too short: zip stops at the shorter shape, keep the dims that are left over", _cut),
        Wrong("what comes of aligning on the left: shapes are aligned from the right", _left),
        Wrong("what comes of letting only the second stretch: either of them may", _second_only),
        Wrong("the right shape in reverse: turn it round at the end", _reversed),
        Wrong("the first shape: the second may be the longer or the larger", lambda a, b: tuple(a)),
        Wrong("the second shape: the first may be the longer or the larger", lambda a, b: tuple(b)),
        Wrong("both shapes one after the other", lambda a, b: (*a, *b)),
        Wrong(
            "the sum of the lengths: a stretched dim takes the other's length",
            lambda a, b: tuple(m + n for m, n in zip(a, b, strict=True)),
        ),
    ),
    extras=("shape1", "shape2"),
    expect=broadcast,
    error=tk.IndexingError,
    error_name="tk.IndexingError",
    step="tk.explore.broadcast(check.shape1, check.shape2)",
)


def small_index(big_index: Shape, big_shape: Shape, shape: Shape) -> Ints:
    """Return the index that a cell of the big shape has in the small one."""
    kept = list(big_index)[len(big_shape) - len(shape) :]
    return tuple(0 if n == 1 else i for i, n in zip(kept, shape, strict=True))


LEFT = "the entries on the left: shapes are aligned from the right"


def _on_the_left(big_index: Shape, big_shape: Shape, shape: Shape) -> Ints:
    if len(big_shape) == len(shape):
        raise ValueError("left and right are the same here")
    return tuple(big_index[: len(shape)])


INDEX = BufferExam(
    "broadcast_index",
    (),
    wrong=(
        Wrong(LEFT, _on_the_left),
        Wrong(
            LEFT,
            lambda index, big, shape: tuple(
                0 if n == 1 else i
                for i, n in zip(_on_the_left(index, big, shape), shape, strict=True)
            ),
        ),
        Wrong(
            "the big index as it is: where the length is 1, the only index is 0",
            lambda index, big, shape: tuple(index[len(index) - len(shape) :]),
        ),
        Wrong(
            "0 in every entry: only a length of 1 has no other index",
            lambda index, big, shape: (0,) * len(shape),
        ),
        Wrong(
            "1 where the length is 1: indexes start at 0",
            lambda index, big, shape: tuple(
                n if n == 1 else i for i, n in zip(index[-len(shape) :], shape, strict=True)
            ),
        ),
    ),
    extras=("big_index", "big_shape", "shape"),
    expect=small_index,
    step="tk.explore.broadcast(check.shape, check.big_shape)",
)


def axes(from_shape: Shape, to_shape: Shape) -> tuple[Ints, int]:
    """Return the dims of the result that were stretched, and how many were added on the left."""
    added = len(to_shape) - len(from_shape)
    pairs = zip(from_shape, list(to_shape)[added:], strict=True)
    return tuple(added + d for d, (m, n) in enumerate(pairs) if m != n), added


def same_axes(got: object, from_shape: Shape, to_shape: Shape) -> bool:
    """Whether a result names the same dims in another order."""
    stretched, added = axes(from_shape, to_shape)
    if not isinstance(got, tuple) or len(got) != 2 or not isinstance(got[0], tuple):
        return False
    return tuple(sorted(got[0])) == stretched and got[1] == added


def _rest(from_shape: Shape, to_shape: Shape) -> tuple[Ints, int]:
    stretched, added = axes(from_shape, to_shape)
    return tuple(d for d in range(added, len(to_shape)) if d not in stretched), added


AXES = ValueExam(
    "broadcast_axes",
    (),
    wrong=(
        Wrong(
            "the dims as from_shape counts them: count them in to_shape",
            lambda a, b: (tuple(d - axes(a, b)[1] for d in axes(a, b)[0]), axes(a, b)[1]),
        ),
        Wrong(
            "the dims with the added ones among them: they are only counted, as second",
            lambda a, b: (tuple(range(len(b) - len(a))) + axes(a, b)[0], axes(a, b)[1]),
        ),
        Wrong(
            "every dim of length 1: one that stays at 1 is not stretched",
            lambda a, b: (
                tuple(len(b) - len(a) + d for d, n in enumerate(a) if n == 1),
                len(b) - len(a),
            ),
        ),
        Wrong(
            "how many dims are stretched: return which ones they are",
            lambda a, b: (len(axes(a, b)[0]), axes(a, b)[1]),
        ),
        Wrong("the two answers exchanged", lambda a, b: axes(a, b)[::-1]),
        Wrong("the dims alone: return the number of added dims too", lambda a, b: axes(a, b)[0]),
        Wrong("the dims that are not stretched", _rest),
        Wrong(
            "what comes of aligning on the left: shapes are aligned from the right",
            lambda a, b: (
                tuple(d for d, (m, n) in enumerate(zip(a, b, strict=False)) if m != n),
                len(b) - len(a),
            ),
        ),
    ),
    extras=("from_shape", "to_shape"),
    expect=axes,
    settle=same_axes,
    step="tk.explore.broadcast(check.from_shape, check.to_shape)",
)
