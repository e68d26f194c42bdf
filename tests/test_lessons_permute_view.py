"""Permute, view, contiguous: numbers are computed, and the practice knows the usual mistakes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from lessons import accepted, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "02_permute_view"


def tape() -> tk.Tensor:
    return tk.tensor([[30.0, 10.0, 40.0], [20.0, 60.0, 50.0]])


def two() -> str:
    return flat(tape().permute(1, 0)[0, 1], tape().view(3, 2)[0, 1])


def write() -> str:
    x = tape()
    before = x.view(3, 2).numpy().copy()
    x.permute(1, 0)[0, 1] = 99.0
    [where] = np.argwhere(before != x.view(3, 2).numpy())
    return flat(where)


def refusal() -> str:
    with pytest.raises(tk.ShapeError):
        tape().permute(1, 0).view(6)
    return "an error"


ANSWERS = {
    "permute-two": two,
    "permute-write": write,
    "permute-strides": lambda: flat(tk.zeros(2, 3, 4).permute(2, 0, 1).strides),
    "permute-refused": refusal,
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("permute_view")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("permute_view").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    names = ("a", "b", "c")
    assert right("permute-swap") == str(tuple(names[k] for k in (2, 0, 1))).replace("'", '"')
    x = tk.arange(24).view(2, 3, 4)
    there = x.permute(2, 0, 1)
    assert right("permute-shape") == str(there.shape)
    back = [p for p in permutations(range(3)) if np.array_equal(there.permute(*p), x)]
    assert right("permute-undo") == str(*back)
    asked = tk.Tensor(tk.zeros(40).storage, (2, 3, 4), (4, 12, 1))
    assert right("permute-contiguous") == ("yes" if asked.is_contiguous() else "no")
    y = tape()
    y.view(6)[2] = 0.0
    assert y[0, 2].item() == 0
    for code in ("`x.permute(1, 0)`", "`x.view(3, 2)`", right("permute-copies")):
        made = eval(code.strip("`"), {"x": y})
        assert np.shares_memory(made.storage, y.storage) == (code != right("permute-copies"))


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert "cannot view (3, 2) with strides (1, 3) as (6,)" in printed(empty["refused-code"])
    assert "[30., 20., 10., 60., 40., 50.]" in printed(empty["contiguous-code"])
    assert "storage of x: False" in printed(empty["contiguous-code"])
    for build in ("permuted", "contiguous"):
        assert printed(empty[f"{build}-step"]).startswith("Yours to write: ")
        assert "Yours to write" not in printed(filled[f"{build}-step"])
    judged = [line.split()[-13:] for line in printed(filled["contiguous-step"]).splitlines()]
    in_order = [[int(p) for p in line if p.isdigit()] == list(range(12)) for line in judged]
    assert in_order == [True, False, False, False]
    assert printed(filled["contiguous-step"]).count("True") == 1


WRONG = [
    ("permuted", "tuple(shape[d] for d in order), strides", "both move together"),
    ("permuted", "shape, tuple(strides[d] for d in order)", "both move together"),
    ("permuted", "shape[::-1], strides[::-1]", "all of it reversed"),
    ("permuted", "order, tuple(strides[d] for d in order)", "which dim comes, not how long"),
    ("permuted", "shape, strides", "what you were given"),
    (
        "permuted",
        "tuple(shape[order.index(d)] for d in range(len(shape))), "
        "tuple(strides[order.index(d)] for d in range(len(shape)))",
        "sending dim k to place order[k]",
    ),
    (
        "permuted",
        "tuple(shape[d] for d in order), tk.row_major(tuple(shape[d] for d in order))",
        "that is view",
    ),
    ("permuted", "tuple(shape[d] for d in order)", "want ((3, 2), (1, 3))"),
    ("contiguous", "strides[-1] == 1", "the last stride alone"),
    ("contiguous", "strides[0] >= strides[1] >= strides[2]", "strides that shrink"),
    ("contiguous", "strides == (1, shape[0], shape[0] * shape[1])", "the lengths on the left"),
    ("contiguous", "True", "always True"),
    ("contiguous", "strides == [shape[1] * shape[2], shape[2], 1]", "always False"),
    ("contiguous", "strides != (shape[1] * shape[2], shape[2], 1)", "the opposite"),
    ("contiguous", "strides == (shape[2] * shape[1], shape[3], 1)", "IndexError"),
    ("contiguous", "None", "is a return missing?"),
]
HEAD = {
    "permuted": "permuted(shape, strides, order)",
    "contiguous": "is_contiguous(shape, strides)",
}


@pytest.mark.parametrize(("task", "value", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, value: str, sentence: str) -> None:
    said = refused(f"permute_view.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert sentence in said, said


def test_the_call_that_a_report_offers_runs() -> None:
    [shown] = steps_of(
        tried(
            "permute_view.permuted",
            "def permuted(shape, strides, order):\n    return shape, strides\n",
        )
    )
    assert shown.html()


RIGHT = [
    ("permuted", "[shape[d] for d in order], [strides[d] for d in order]"),
    ("contiguous", "strides == tk.row_major(shape)"),
    (
        "contiguous",
        "strides[2] == 1 and strides[1] == shape[2] and strides[0] == shape[1] * shape[2]",
    ),
]


@pytest.mark.parametrize(("task", "value"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, value: str) -> None:
    check: Any = tried(f"permute_view.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert check.passed, check.report
