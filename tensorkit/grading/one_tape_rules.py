"""The right rules of the one-tape homework, and the mistakes that people make, as rules too.

Each mistake ends the sentence 'your result is ...' or 'the buffer holds ...'.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .exam import Wrong
from .one_tape_exams import EnumerateExam, Ints, TapeExam, indexes, position
from .values import ValueExam

Run = Sequence[int]

INDEX_TO_POSITION = ValueExam(
    "index_to_position",
    ("x",),
    wrong=(
        Wrong(
            "index · strides with one of them reversed: pair index[k] with strides[k], the same k",
            lambda index, strides: position(index[::-1], strides),
        ),
        Wrong("the sum of the index: multiply each step by its stride", lambda i, s: sum(i)),
        Wrong("the sum of the strides: multiply each by its index", lambda i, s: sum(s)),
        Wrong("the last step alone: add up what every dim contributes", lambda i, s: i[-1] * s[-1]),
        Wrong("the first step alone: is the return inside the loop?", lambda i, s: i[0] * s[0]),
        Wrong(
            "eight times the position: strides count cells here, not bytes",
            lambda i, s: 8 * position(i, s),
        ),
        Wrong(
            "what comes of taking the last stride for 1: use strides[-1] as well",
            lambda i, s: position(i[:-1], s[:-1]) + i[-1],
        ),
        Wrong("one too many: counting starts at position 0", lambda i, s: position(i, s) + 1),
    ),
    step="tk.explore.odometer(check.x)",
    extras=("index", "strides"),
    expect=position,
)


def _digits(ordinal: int, lengths: Run) -> list[int]:
    """Peel digits off an ordinal, in the order of ``lengths``."""
    digits = []
    for n in lengths:
        ordinal, digit = divmod(ordinal, n)
        digits.append(digit)
    return digits


def _divided_first(ordinal: int, shape: Ints) -> Ints:
    return tuple(ordinal // prod(shape[k:]) % n for k, n in enumerate(shape))


def _kept(ordinal: int, shape: Ints) -> Ints:
    return tuple(ordinal % n for n in shape)


def _fractions(ordinal: float, shape: Ints) -> tuple[float, ...]:
    digits = []
    for n in reversed(shape):
        digits.append(ordinal % n)
        ordinal /= n
    return tuple(reversed(digits))


TO_INDEX = EnumerateExam(
    "to_index",
    (),
    wrong=(
        Wrong(
            "the digits peeled off from the left: the last dim must turn fastest",
            lambda ordinal, shape: tuple(_digits(ordinal, shape)),
        ),
        Wrong(
            "the right digits in reverse: the digit peeled off first belongs to the last dim",
            lambda ordinal, shape: tuple(_digits(ordinal, shape[::-1])),
        ),
        Wrong(
            "ordinal % length in every dim: after each digit go on with ordinal // length", _kept
        ),
        Wrong("the rests after dividing: take the rest first, then divide", _divided_first),
        Wrong("what / leaves: use //, which drops the fraction", _fractions),
        Wrong(
            "the index of the next cell: ordinals start at 0",
            lambda ordinal, shape: indexes(shape)[ordinal + 1],
        ),
    ),
    step="tk.explore.odometer(check.x, check.ordinal)",
    extras=("ordinal", "shape"),
    expect=lambda ordinal, shape: indexes(shape)[ordinal],
)


def _right_strides(shape: Run) -> Ints:
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


STRIDES = ValueExam(
    "strides_from_shape",
    (),
    wrong=(
        Wrong(
            "the products of the lengths on the left: take those on the right",
            lambda shape: tuple(prod(shape[:k]) for k in range(len(shape))),
        ),
        Wrong("the shape itself: a stride is a product of lengths", tuple),
        Wrong("the shape reversed: a stride is a product of lengths", lambda s: tuple(s[::-1])),
        Wrong(
            "products that count the dim's own length: take only those on its right",
            lambda shape: tuple(prod(shape[k:]) for k in range(len(shape))),
        ),
        Wrong("the right strides in reverse", lambda shape: _right_strides(shape)[::-1]),
        Wrong(
            "the next length alone: multiply all the lengths on the right",
            lambda shape: (*shape[1:], 1),
        ),
        Wrong(
            "the right strides eight times: they count cells here, not bytes",
            lambda shape: tuple(8 * s for s in _right_strides(shape)),
        ),
    ),
    extras=("shape",),
    expect=_right_strides,
    step="tk.explore.odometer(tk.zeros(*check.shape))",
)


def _picked(values: Ints, order: Run) -> Ints:
    return tuple(values[d] for d in order)


PERMUTE = TapeExam(
    "TensorData",
    (),
    wrong=(
        Wrong(
            "the new shape with the old strides: shape and strides move together",
            lambda shape, strides, order: (_picked(shape, order), strides),
        ),
        Wrong(
            "the old shape with the new strides: shape and strides move together",
            lambda shape, strides, order: (shape, _picked(strides, order)),
        ),
        Wrong(
            "shape and strides as they were: put them in the order asked for",
            lambda shape, strides, order: (shape, strides),
        ),
        Wrong(
            "the new shape with strides made for it: that is view, which reads other cells",
            lambda shape, strides, order: (
                _picked(shape, order),
                _right_strides(_picked(shape, order)),
            ),
        ),
        Wrong(
            "the order itself for a shape: it says which dim comes, not how long it is",
            lambda shape, strides, order: (tuple(order), _picked(strides, order)),
        ),
    ),
    extras=("shape", "strides", "order"),
    method="permute",
    step="tk.explore.storage(x=check.x, y=check.x.permute(*check.order))",
)
CONTIGUOUS = TapeExam(
    "TensorData",
    (),
    extras=("shape", "strides"),
    method="is_contiguous",
    step="tk.explore.storage(x=check.x)",
)


def regrouped(shape: Ints, strides: Ints, new_shape: Ints) -> Ints | None:
    """Find strides that read the same cells in the same order, by comparing every position."""
    places = [position(index, strides) for index in indexes(shape)]
    first = dict(zip(indexes(new_shape), places, strict=True))
    found = []
    for dim, length in enumerate(new_shape):
        unit = tuple(int(d == dim) for d in range(len(new_shape)))
        found.append(first[unit] - places[0] if length > 1 else 1)
    return tuple(found) if reads(tuple(found), shape, strides, new_shape) else None


def reads(got: Any, shape: Ints, strides: Ints, new_shape: Ints) -> bool:
    """Whether these strides read every cell where it lies. A dim of length 1 may have any."""
    if not isinstance(got, tuple) or len(got) != len(new_shape):
        return False
    places = [position(index, strides) for index in indexes(shape)]
    return [position(index, got) for index in indexes(new_shape)] == places


VIEW_STRIDES = ValueExam(
    "view_strides",
    (),
    wrong=(
        Wrong(
            "a fresh tensor's strides: these cells lie elsewhere",
            lambda shape, strides, new_shape: _right_strides(new_shape),
        ),
        Wrong(
            "None, but no copy is needed: strides for the new shape exist",
            lambda shape, strides, new_shape: None,
        ),
        Wrong("the old strides", lambda shape, strides, new_shape: strides),
    ),
    extras=("shape", "strides", "new_shape"),
    expect=regrouped,
    settle=reads,
    advice="list the positions in reading order: can equal steps give that list?",
)
