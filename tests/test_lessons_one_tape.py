"""One tape, many shapes: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from lessons import accepted, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "01_one_tape"
TAPE = [30.0, 10.0, 40.0, 20.0, 60.0, 50.0]


def read(shape: tuple[int, ...], strides: tuple[int, ...]) -> tk.Tensor:
    return tk.Tensor(tk.tensor(TAPE).storage, shape, strides)


ANSWERS = {
    "tape-read": lambda: flat(read((2, 3), (3, 1))[1, 0]),
    "tape-other": lambda: flat(read((2, 3), (1, 2))[1, 0]),
    "tape-second": lambda: flat(read((3, 2), (1, 3)).position((0, 1))),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("one_tape")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert ways[key] == {compute()}, key


def right(key: str) -> str:
    [text] = [c.text for c in bank("one_tape").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    assert right("tape-list") == str([[30, 10, 40], [20, 60, 50]][1][0])
    assert right("tape-divide") == "rank {}, place {}".format(*divmod(17, 5))
    assert right("tape-strides") == str(tk.zeros(4, 3, 2).strides)
    assert right("tape-position") == str(
        tk.Tensor(tk.zeros(20).storage, (4, 3), (1, 5)).position((3, 1))
    )
    assert right("tape-order").startswith(str(list(tk.zeros(2, 3).index(1))))
    fresh = tk.zeros(2, 3)
    assert (fresh.strides, fresh.numpy().strides) == ((3, 1), (24, 8))


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert printed(empty["offset-code"]) == "((2, 2), (3, 1), 1)"
    assert printed(empty["bytes-code"]) == "((3, 1), (24, 8))"
    for build in ("position", "index"):
        assert "Yours to write" in printed(empty[f"{build}-step"])
        assert "Every cell of out is right" in printed(filled[f"{build}-step"])


WRONG = [
    ("position", "index[0] * strides[1] + index[1] * strides[0]", "with the other stride"),
    ("position", "index[0] + index[1]", "the index added up"),
    ("position", "index[0] * strides[0]", "what dim 0 adds, alone"),
    ("position", "index[0] * strides[0] + index[1]", "taking the last stride for 1"),
    ("position", "index[0] * strides[0] + index[1] * strides[1] + 1", "one too many"),
    ("position", "float(index[0] * strides[0] + index[1] * strides[1])", "without a point"),
    ("position", "None", "is a return missing?"),
    ("position", "index * strides", "TypeError"),
    ("index", "(ordinal % shape[0], ordinal // shape[0])", "letting dim 0 turn fastest"),
    ("index", "(ordinal % shape[1], ordinal // shape[1])", "two digits in reverse"),
    ("index", "(ordinal // shape[0], ordinal % shape[0])", "dividing by shape[0]"),
    ("index", "(ordinal % shape[0], ordinal % shape[1])", "remainders alone"),
    ("index", "divmod(ordinal + 1, shape[1])", "ordinals count from 0"),
    ("index", "(ordinal / shape[1], ordinal % shape[1])", "write whole numbers, without a point"),
]  # fmt: skip
HEAD = {"position": "to_position(index, strides)", "index": "to_index(ordinal, shape)"}


@pytest.mark.parametrize(("task", "value", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, value: str, sentence: str) -> None:
    said = refused(f"one_tape.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert sentence in said, said


def test_the_call_that_a_report_offers_runs() -> None:
    [shown] = steps_of(
        tried("one_tape.index", "def to_index(ordinal, shape):\n    return 0, ordinal\n")
    )
    assert shown.html()


RIGHT = [
    ("position", "sum(i * s for i, s in zip(index, strides))"),
    ("index", "divmod(ordinal, shape[1])"),
    ("index", "[ordinal // shape[1], ordinal - ordinal // shape[1] * shape[1]]"),
]


@pytest.mark.parametrize(("task", "value"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, value: str) -> None:
    check: Any = tried(f"one_tape.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert check.passed, check.report
