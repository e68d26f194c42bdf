"""Shapes that stretch: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from lessons import accepted, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "03_shapes_that_stretch"


def together(*shapes: tuple[int, ...]) -> str:
    """Return the shape of the result, or the words for a failure."""
    try:
        result = str((tk.zeros(*shapes[0]) + tk.zeros(*shapes[1])).shape)
    except tk.ShapeError:
        return "none: it fails"
    assert result == str(np.broadcast_shapes(*shapes))
    return result


def numbers(shape: str) -> str:
    return flat([int(n) for n in shape.strip("(),").split(", ")])


def rescue() -> str:
    assert together((5, 3), (5,)) == "none: it fails"
    [shape] = [s for s in ((5, 1), (1, 5)) if together((5, 3), s) == "(5, 3)"]
    return flat(shape)


ANSWERS = {
    "stretch-vector": lambda: numbers(together((5, 3), (3,))),
    "stretch-rescue": rescue,
    "stretch-strides": lambda: flat(tk.tensor([10.0, 20.0, 30.0]).expand(5, 3).strides),
    "stretch-trap": lambda: numbers(together((4, 1), (4,))),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("stretch")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert ways[key] == {compute()}, key


def right(key: str) -> str:
    [text] = [c.text for c in bank("stretch").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    assert right("stretch-four") == together((2, 3, 1), (7, 2, 1, 5))
    assert right("stretch-left") == together((3, 4), (3,))
    assert right("stretch-repeat") == together((2,), (4,))
    reads = np.broadcast_to(np.arange(3), (2, 3))
    assert right("stretch-source") == f"[{reads[1, 2]}]"
    lengths = [(n, i) for n, out in product((1, 2, 4), (4,)) for i in range(out)]
    differ = {n for n, i in lengths if i % n != (0 if n == 1 else i)}
    assert differ == {2}, "the remainder differs from the rule for an illegal length alone"
    wide = tk.zeros(500).expand(1000, 500)
    assert (wide.size, wide.storage.size) == (500_000, 500)


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert printed(empty["memory-code"]).startswith("15 cells, 3 numbers\n")
    assert printed(empty["meet-step"]).startswith("Yours to write: ")
    said = printed(filled["meet-step"]).splitlines()
    assert [line.split(" gives ")[-1] for line in said[:3]] == ["(3, 4)", "(2, 5)", "(4, 3)"]
    assert "(2, 3) with (2, 4) fails: " in said[3]
    assert "Yours to write" in printed(empty["source-step"])
    assert "Every cell of out is right" in printed(filled["source-step"])


WRONG = [
    ("meet", "max(m, n)", "the larger of the two"),
    ("meet", "min(m, n)", "the smaller of the two"),
    ("meet", "m", "where one is 1, the other stays"),
    ("meet", "m * n", "their product"),
    ("meet", "m if m == n else None", "is a return missing?"),
    ("meet", "n if m == 1 else m", "no error was raised"),
    ("meet", "print(m, n)", "is a return missing?"),
    ("source", "tuple(0 if n == 1 else i for i, n in zip(index, shape))", "from the left"),
    ("source", "index[-len(shape):]", "a dim of length 1 has only the index 0"),
    (
        "source",
        "tuple(0 if n == 1 else i for i, n in zip(index, shape)) if len(shape) == 2 else index",
        "the input may have fewer dims",
    ),
    ("source", "(0,) * len(shape)", "the very first cell"),
    (
        "source",
        "tuple(i if n == 1 else 0 for i, n in zip(index[-len(shape):], shape))",
        "the other way round",
    ),
    ("source", "[0 if n == 1 else i for i, n in zip(index, shape, strict=True)]", "ValueError"),
]
HEAD = {"meet": "meet(m, n)", "source": "source(index, shape)"}


@pytest.mark.parametrize(("task", "value", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, value: str, sentence: str) -> None:
    said = refused(f"stretch.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert sentence in said, said


def test_an_error_of_another_kind_is_not_the_refusal_that_was_asked_for() -> None:
    body = "    if m == n or n == 1:\n        return m\n    if m == 1:\n        return n\n"
    said = refused("stretch.meet", f"def meet(m, n):\n{body}    raise KeyError(m)\n")
    assert "KeyError" in said and "tk.ShapeError" in said
    said = refused("stretch.meet", f"def meet(m, n):\n{body}    return tk.ShapeError('no')\n")
    assert "ShapeError" in said


def test_the_call_that_a_report_offers_runs() -> None:
    for source in ("return 1", "return max(m, n)"):
        [shown] = steps_of(tried("stretch.meet", f"def meet(m, n):\n    {source}\n"))
        assert shown.html()


RIGHT = [
    ("source", "[i if n > 1 else 0 for i, n in zip(index[-len(shape):], shape)]"),
    ("source", "tuple(i % n for i, n in zip(index[len(index) - len(shape):], shape))"),
]


@pytest.mark.parametrize(("task", "value"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, value: str) -> None:
    check: Any = tried(f"stretch.{task}", f"def {HEAD[task]}:\n    return {value}\n")
    assert check.passed, check.report
