"""The stretch homework's own checks: which mistakes they know, what half an answer keeps, and which
mutants of the right answers are right as well."""

import pytest
from homework import HOMEWORKS

from tensorkit.grading import quiet

HOME = HOMEWORKS["stretch"]
EITHER = "the rule is the same when the two shapes are exchanged"
WORDS = "the words of an error are free"
LISTS = "a list is as good as a tuple"
ROUND = "for n, m in zip(padded1, padded2):"
PAIRS = "for m, n in zip(padded1, padded2):"
RAISED = "raise tk.IndexingError(f'{shape1} and {shape2} do not fit: {m} against {n}')"
START = "raise tk.IndexingError(f'{"

EQUIVALENT = {
    "shape-broadcast": {
        "ndim = max(len(shape1), len(shape2)) -> ndim = max(len(shape2), len(shape1))": EITHER,
        f"{PAIRS} -> {ROUND}": EITHER,
        f"{PAIRS} -> for m, n in zip(padded2, padded1):": EITHER,
        "return tuple(result) -> return result": LISTS,
        "if m != n and m != 1 and (n != 1): -> result.append(n if m == 1 else m)": (
            "what is appended before the error is raised is never returned"
        ),
        f"{RAISED} -> {START}shape2}} and {{shape2}} do not fit: {{m}} against {{n}}')": WORDS,
        f"{RAISED} -> {START}shape1}} and {{shape1}} do not fit: {{m}} against {{n}}')": WORDS,
        f"{RAISED} -> {START}shape1}} and {{shape2}} do not fit: {{n}} against {{n}}')": WORDS,
        f"{RAISED} -> {START}shape1}} and {{shape2}} do not fit: {{m}} against {{m}}')": WORDS,
    },
    "broadcast-index": {
        "out_index[k] = 0 if shape[k] == 1 else big_index[added + k] -> "
        "out_index[k] = 0 if shape[k] <= 1 else big_index[added + k]": (
            "a shape with a length of 0 has no cell to ask for"
        ),
    },
    "broadcast-axes": {"return (tuple(stretched), added) -> return (stretched, added)": LISTS},
}


def test_the_bank_covers_the_known_mistakes():
    known = "B02 B03 B04 B05 B06 B07 B08 B09"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}
    assert {entry.id for entry in HOME.bank if entry.keeps == "all"} >= {"B08"}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.3)
    assert HOME.survivors(cell) == set(EQUIVALENT[cell])


# right for two shapes of two dims, the second of which stretches, and for nothing else
FLAT = {
    "shape-broadcast": """
def shape_broadcast(shape1, shape2):
    for m, n in zip(shape1, shape2):
        if m != n and m != 1 and n != 1:
            raise tk.IndexingError("no fit")
    return max(shape1[0], shape2[0]), max(shape1[1], shape2[1])
""",
    "broadcast-index": """
def broadcast_index(big_index, big_shape, shape, out_index):
    for k in range(2):
        out_index[k] = 0 if shape[k] == 1 else big_index[k]
""",
    "broadcast-axes": """
def broadcast_axes(from_shape, to_shape):
    return tuple(k for k in range(2) if from_shape[k] != to_shape[k]), 0
""",
}


def test_right_only_for_two_dims_keeps_about_half():
    assert 4 <= HOME.total(FLAT) <= 7
