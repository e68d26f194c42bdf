"""The loops homework's own checks: which mistakes they know, what half an answer keeps, and which
mutants of the right answers are right as well."""

import pytest
from homework import HOMEWORKS

from tensorkit.grading import quiet

HOME = HOMEWORKS["loops"]
FILLED = "to_index and broadcast_index write every entry, whatever was there"
LONGER = "a buffer may be longer than what is written into it"
PRODUCT = "a product of index and stride may be written either way round"
ORDER = "two lines that do not depend on each other may be exchanged"
MAPS = "index, a_index = ([0] * len(out_shape), [0] * len(a_shape)) -> index, a_index = "
ZIPS = "a_index, b_index = ([0] * len(a_shape), [0] * len(b_shape)) -> a_index, b_index = "
INDEX = "index = [0] * len(out_shape) -> index = "
OUT = "out[index_to_position(index, out_strides)] = "
TURNED = "out[index_to_position(out_strides, index)] = "
A_VALUE = "a_value = a[index_to_position(a_index, a_strides)]"
B_VALUE = "b_value = b[index_to_position(b_index, b_strides)]"
B_INDEX = "broadcast_index(index, out_shape, b_shape, b_index)"
PLACE = "place = index_to_position(index, out_strides)"
FIRST = "first = index_to_position(index, a_strides)"

EQUIVALENT = {
    "tensor-map": {
        f"{MAPS}([-1] * len(out_shape), [0] * len(a_shape))": FILLED,
        f"{MAPS}([1] * len(out_shape), [0] * len(a_shape))": FILLED,
        f"{MAPS}([0] * len(out_shape), [-1] * len(a_shape))": FILLED,
        f"{MAPS}([0] * len(out_shape), [1] * len(a_shape))": FILLED,
        f"{MAPS}([0] * len(out_shape), [0] * len(out_shape))": LONGER,
        f"{OUT}fn(value) -> {TURNED}fn(value)": PRODUCT,
        "value = a[index_to_position(a_index, a_strides)] -> "
        "value = a[index_to_position(a_strides, a_index)]": PRODUCT,
    },
    "tensor-zip": {
        f"{ZIPS}([-1] * len(a_shape), [0] * len(b_shape))": FILLED,
        f"{ZIPS}([1] * len(a_shape), [0] * len(b_shape))": FILLED,
        f"{ZIPS}([0] * len(a_shape), [-1] * len(b_shape))": FILLED,
        f"{ZIPS}([0] * len(a_shape), [1] * len(b_shape))": FILLED,
        f"{ZIPS}([0] * len(out_shape), [0] * len(b_shape))": LONGER,
        f"{ZIPS}([0] * len(a_shape), [0] * len(out_shape))": LONGER,
        f"{INDEX}[-1] * len(out_shape)": FILLED,
        f"{INDEX}[1] * len(out_shape)": FILLED,
        f"{A_VALUE} -> a_value = a[index_to_position(a_strides, a_index)]": PRODUCT,
        f"{B_VALUE} -> b_value = b[index_to_position(b_strides, b_index)]": PRODUCT,
        f"{OUT}fn(a_value, b_value) -> {TURNED}fn(a_value, b_value)": PRODUCT,
        f"{A_VALUE} -> {B_VALUE}": ORDER,
        f"broadcast_index(index, out_shape, a_shape, a_index) -> {B_INDEX}": ORDER,
        f"{B_INDEX} -> {A_VALUE}": ORDER,
    },
    "tensor-reduce": {
        f"{INDEX}[-1] * len(out_shape)": FILLED,
        f"{INDEX}[1] * len(out_shape)": FILLED,
        f"{INDEX}[0] * len(a_shape)": "out has as many dims as a",
        f"{FIRST} -> first = index_to_position(a_strides, index)": PRODUCT,
        f"{PLACE} -> place = index_to_position(out_strides, index)": PRODUCT,
        f"{PLACE} -> {FIRST}": ORDER,
    },
    "mean": {
        "return mean(x.contiguous().view(x.size), 0) -> "
        "return mean(x.contiguous().view(x.size), -1)": "of one dim, the first is the last",
    },
    "max-reduce": {},
}


def test_the_bank_covers_the_known_mistakes():
    known = "O02 O04 O05 O06 O07 O08 O10 O12 R01 R02 R03 R04 R06 R09 R10 R11 R13 R15 R17 R18 R20"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 3.0)  # a map of 40 000 cells is among the checks
    assert HOME.survivors(cell) == set(EQUIVALENT[cell])


# right for fresh tensors of two dims, and for nothing else
FLAT = {
    "tensor-map": """
def tensor_map(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        m, n = a_shape
        for i in range(out_shape[0]):
            for j in range(out_shape[1]):
                out[i * out_shape[1] + j] = fn(a[i % m * n + j % n])

    return loop
""",
    "tensor-zip": """
def tensor_zip(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
        (m, n), (p, q) = a_shape, b_shape
        for i in range(out_shape[0]):
            for j in range(out_shape[1]):
                out[i * out_shape[1] + j] = fn(a[i % m * n + j % n], b[i % p * q + j % q])

    return loop
""",
    "tensor-reduce": """
def tensor_reduce(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, reduce_dim):
        m, n = a_shape
        for i in range(m):
            for j in range(n):
                o = i if reduce_dim else j
                out[o] = fn(out[o], a[i * n + j])

    return loop
""",
    "mean": """
def mean(x, dim=None):
    m, n = x.shape
    cells = x.storage.reshape(m, n)
    return tk.tensor(cells.mean(axis=dim, keepdims=dim is not None))
""",
    "max-reduce": """
def max_reduce(x, dim):
    m, n = x.shape
    return tk.tensor(x.storage.reshape(m, n).max(axis=dim, keepdims=True))
""",
}


def test_right_only_for_fresh_tensors_of_two_dims_keeps_about_half():
    assert 9 <= HOME.total(FLAT) <= 13  # of 23
