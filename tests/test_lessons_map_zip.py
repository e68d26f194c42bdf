"""Map and zip: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, cells, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank, normal

NAME = "04_map_zip"
X = tk.tensor([[3.0, 1.0, 4.0], [2.0, 6.0, 5.0]])
Y = tk.tensor([[2.0, 7.0, 4.0], [5.0, 3.0, 9.0]])
T = X.permute(1, 0)
ANSWERS = {
    "mapzip-order": lambda: flat([T.position(index) for index in np.ndindex(*T.shape)]),
    "mapzip-out": lambda: normal("out[n] = -cell"),
    "mapzip-less": lambda: flat(X < Y),
    "mapzip-strides": lambda: flat(tk.tensor([4.0, 2.0, 3.0]).expand(2, 3).strides),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("map_zip")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert ways[key] == {compute()}, key


def test_the_quiz_is_right_about_what_can_be_computed() -> None:
    quiz = bank("map_zip").quiz
    small, wide = tk.zeros(2, 1), tk.zeros(2, 1).expand(2, 3)
    unwritten = wide.size - small.storage.size
    assert unwritten == 4
    assert [c.text for c in quiz["mapzip-over"].choices if c.correct] == [
        "Four of the six cells of out are never written."
    ]
    x = tk.tensor([3.0, 1.0, 4.0, 1.5])
    assert np.array_equal(x[1:] - x[:-1], np.diff(x.numpy()))
    assert np.array_equal((-x).exp(), np.exp(-x.numpy()))


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert "-inf" in printed(empty["unary"])
    for build in ("map", "zip"):
        assert "Yours to write" in printed(empty[f"{build}-step"])
        assert "Every cell of out is right" in printed(filled[f"{build}-step"])
    assert "Yours to write" in printed(empty["use-try"])
    assert printed(filled["use-try"]) == "your own: map, zip\nTrue"


def test_only_the_buttons_of_out_harm_the_loop_of_the_lesson() -> None:
    names: dict[str, Any] = {"tk": tk, "np": np}
    exec(cells(NAME)["setup"].source, names)
    explorer = tk.explore.operation(names["negate"], names["x"], like=tk.neg)
    for inputs in ("contiguous", "permuted", "strided"):
        for out in ("contiguous", "permuted", "strided", "dirty"):
            harmed = "are wrong" in explorer.scene(inputs=inputs, out=out).steps[-1].say
            assert harmed == (out in ("permuted", "strided")), (inputs, out)


HELP = """import numpy as np
def to_position(index, strides):
    return sum(i * s for i, s in zip(index, strides, strict=True))
"""
MAP = (
    HELP
    + """def tensor_map(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        for n, index in enumerate(np.ndindex(*out_shape)):
            o, p = to_position(index, out_strides), to_position(index, a_strides)
            {}
    return loop
"""
)
ZIP = (
    HELP
    + """def tensor_zip(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
        for n, index in enumerate(np.ndindex(*out_shape)):
            o = to_position(index, out_strides)
            p, q = to_position(index, a_strides), to_position(index, b_strides)
            {}
    return loop
"""
)
WRONG = [
    ("map", "out[n] = fn(a[p])", "placing the cells of out by other strides"),
    ("map", "out[p] = fn(a[p])", "wrong cells in out"),
    ("map", "out[o] = fn(a[n])", "finding a with other strides"),
    ("map", "out[o] = fn(a[o])", "finding a with other strides"),
    ("map", "out[n] = fn(a[n])", "other strides, or none"),
    ("map", "out[o] += fn(a[p])", "added to what was in out"),
    ("map", "out[o] = a[p]", "put fn(...) around the cell"),
    ("map", "out[o] = fn(out[o])", "give it the cell of a"),
    ("map", "out[o] = fn(fn(a[p]))", "fn done twice"),
    ("map", "a[p] = fn(a[p])", "changed a in place"),
    ("map", "out[index] = fn(a[index])", "raised IndexError"),
    ("map", "fn(a[p])", "nothing was written into out"),
    ("map", "out[o] = out[o + 1 - len(out)] = fn(a[p])", "wrong cells in out"),
    ("zip", "out[o] = fn(b[q], a[p])", "fn(b, a): a comes first"),
    ("zip", "out[o] = fn(a[p], b[p])", "finding b with other strides"),
    ("zip", "out[o] = fn(a[q], b[q])", "finding a with other strides"),
    ("zip", "out[o] = fn(a[n], b[q])", "finding a with other strides"),
    ("zip", "out[o] = fn(a[p], b[o])", "finding b with other strides"),
    ("zip", "out[n] = fn(a[p], b[q])", "placing the cells of out by other strides"),
    ("zip", "out[o] += fn(a[p], b[q])", "added to what was in out"),
    ("zip", "out[o] = fn(a[p], a[p])", "the second cell comes from b"),
    ("zip", "out[o] = fn(a[p])", "raised TypeError"),
]


@pytest.mark.parametrize(("task", "line", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, line: str, sentence: str) -> None:
    said = refused(f"map_zip.{task}", (MAP if task == "map" else ZIP).format(line))
    assert sentence in said, said


def test_a_loop_that_is_not_returned_is_told() -> None:
    said = refused("map_zip.map", MAP.format("out[o] = fn(a[p])").replace("return loop", "return"))
    assert "is `return loop` missing?" in said


def test_a_loop_that_writes_beside_its_cells_is_told() -> None:
    said = refused("map_zip.map", MAP.format("out[-1] = 0; out[o] = fn(a[p])"))
    assert "writes between the cells of out" in said


RIGHT = [
    ("map", MAP.format("out[o] = fn(a[p])")),
    ("map", MAP.replace("*out_shape", "*a_shape").format("out[o] = fn(a[p])")),
    ("zip", ZIP.format("out[o] = fn(a[p], b[q])")),
]  # fmt: skip


@pytest.mark.parametrize(("task", "source"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, source: str) -> None:
    check: Any = tried(f"map_zip.{task}", source)
    assert check.passed, check.report


@pytest.mark.parametrize("task", ["map", "zip"])
def test_the_call_that_a_report_advises_runs(task: str) -> None:
    source = (MAP if task == "map" else ZIP).format("out[n] = 5")
    check: Any = tried(f"map_zip.{task}", source)
    names: dict[str, Any] = {"tk": tk, "check": check}
    exec(source, names)
    advice = " ".join(check.report.split()).split("try: ")[1]
    assert "cells of out are wrong" in eval(advice, names).scene.steps[-1].say


def test_our_answers_carry_the_kit() -> None:
    names: dict[str, Any] = {"np": np}
    exec(HELP, names)
    for build in ("map", "zip"):
        exec(answer(NAME, build), names)
    want = (X * Y.T[0, 0] - Y).tanh()
    with tk.use(map=names["tensor_map"], zip=names["tensor_zip"]):
        assert np.allclose((X * Y.T[0, 0] - Y).tanh(), want)
