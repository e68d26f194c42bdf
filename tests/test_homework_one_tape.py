"""The one-tape homework's own checks: which mistakes they know, what half an answer keeps, and
which mutants of the right answers are right as well."""

import numpy as np
import pytest
from homework import HOMEWORKS

from tensorkit.grading import quiet
from tensorkit.grading.values import NotCounted, plain

HOME = HOMEWORKS["one_tape"]
PRODUCT = "a product may be written either way round"
TUPLED = "TensorData makes tuples of both, or the checks hand in tuples already"
LENGTH = "a length is 1 or more"
ANY = "a dim of length 1 may have any stride"

EQUIVALENT = {
    "index-to-position": {
        "for i, s in zip(index, strides): -> for s, i in zip(index, strides):": PRODUCT,
        "for i, s in zip(index, strides): -> for i, s in zip(strides, index):": PRODUCT,
    },
    "to-index": {},
    "strides-from-shape": {},
    "tensor-data": {
        "self.shape = tuple(shape) -> self.shape = shape": TUPLED,
        "self.strides = tuple(strides) -> self.strides = strides": TUPLED,
        "shape = tuple((self.shape[d] for d in order)) -> "
        "shape = (self.shape[d] for d in order)": TUPLED,
        "strides = tuple((self.strides[d] for d in order)) -> "
        "strides = (self.strides[d] for d in order)": TUPLED,
        "if length != 1 and stride != step: -> if length > 1 and stride != step:": LENGTH,
    },
    "view-strides": {
        "found.append(wanted[ordinal] if length > 1 else 0) -> "
        "found.append(wanted[ordinal] if length > 1 else 1)": ANY,
        "found.append(wanted[ordinal] if length > 1 else 0) -> "
        "found.append(wanted[ordinal] if length > 1 else -1)": ANY,
        "return [sum((i * s for i, s in zip(index, steps))) for index in np.ndindex(*lengths)] -> "
        "return [sum((i * s for s, i in zip(index, steps))) for index in np.ndindex(*lengths)]": (
            PRODUCT
        ),
        "return [sum((i * s for i, s in zip(index, steps))) for index in np.ndindex(*lengths)] -> "
        "return [sum((i * s for i, s in zip(steps, index))) for index in np.ndindex(*lengths)]": (
            PRODUCT
        ),
    },
}


def test_the_bank_covers_the_known_mistakes():
    known = "D01 D02 D03 D05 D06 D08 D12 D14"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.3)
    assert HOME.survivors(cell) == set(EQUIVALENT[cell])


# right for two dims in reading order, and for nothing else
FLAT = {
    "index-to-position": "def index_to_position(index, strides):\n"
    "    return index[0] * strides[0] + index[1]\n",
    "to-index": "def to_index(ordinal, shape, out_index):\n"
    "    out_index[0], out_index[1] = ordinal // shape[1], ordinal % shape[1]\n",
    "strides-from-shape": "def strides_from_shape(shape):\n    return (shape[1], 1)\n",
    "tensor-data": """
class TensorData:
    def __init__(self, storage, shape, strides):
        self.storage, self.shape, self.strides = storage, shape, strides

    def permute(self, *order):
        return TensorData(self.storage, self.shape[::-1], self.strides[::-1])

    def is_contiguous(self):
        return self.strides[-1] == 1
""",
    "view-strides": "def view_strides(shape, strides, new_shape):\n"
    "    return tk.row_major(new_shape) if strides[-1] == 1 else None\n",
}


def test_right_only_for_two_dims_in_reading_order_keeps_about_half():
    assert 6 <= HOME.total(FLAT) <= 9


def test_column_order_keeps_three_of_four_points_of_to_index():
    """Every index comes once, in any buffer and shape: only the order is not the one asked for."""
    (entry,) = [each for each in HOME.bank if each.id == "D02"]
    assert HOME.total({"to-index": HOME.cell(entry)}) == 14


def test_plain_values_are_python_ints_and_tuples_or_refused():
    assert plain([np.int64(2), (np.array(3),)]) == (2, (3,))
    assert plain(np.array([[1, 2]])) == ((1, 2),)
    assert plain(np.bool_(True)) is True
    assert plain(None) is None
    assert plain((1.5, 2), floats=True) == (1.5, 2)
    for value, error in [(2.0, NotCounted), ([np.float64(1)], NotCounted), ("2", TypeError)]:
        with pytest.raises(error):
            plain(value)
