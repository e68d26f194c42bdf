"""Reduce: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank, normal

NAME = "05_reduce"
X = tk.tensor([[3.0, 1.0, 4.0], [2.0, 6.0, 5.0]])
CUBE = tk.zeros(2, 3, 2)


def right(key: str) -> str:
    [text] = [c.text for c in bank("reduce").quiz[key].choices if c.correct]
    return text


ANSWERS = {
    "reduce-full": lambda: normal(str(tk.zeros(3, 2).sum().shape)),
    "reduce-sum-0": lambda: flat(X.sum(0)),
    "reduce-fold": lambda: flat(reduce(lambda t, x: 10 * t + x, [3, 1, 4], 7)),
    "reduce-sum-1": lambda: flat(tk.zeros(3, 2).sum(1).shape, tk.zeros(3, 2).sum(1).size),
    "reduce-stops": lambda: flat([CUBE.sum(dim).size for dim in range(3)]),
    "reduce-lines": lambda: normal("C D E A B"),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("reduce")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def test_the_slips_of_the_fold_are_what_such_loops_give() -> None:
    cells = [3, 1, 4]
    slips = {said for said, _ in bank("reduce").predictions["reduce-fold"].slips}
    ways = [
        reduce(lambda t, x: 10 * t + x, cells),
        reduce(lambda t, x: 10 * t + x, cells[::-1], 7),
        reduce(lambda t, x: 10 * x + t, cells, 7),
        reduce(lambda t, x: t + x, cells, 7),
    ]
    assert slips == {str(way) for way in ways}


LINES = {
    "A": "for k in range(a_shape[dim]):",
    "B": "out[o] = fn(out[o], a[first + k * a_strides[dim]])",
    "C": "for index in np.ndindex(*out_shape):",
    "D": "o = to_position(index, out_strides)",
    "E": "first = to_position(index, a_strides)",
}


def run_in(order: str) -> tuple[list[float], int]:
    """Run the five lines in an order; return out and how often a line was run."""
    source, inside = "turns = 0\n", 0
    for letter in order:
        source += "    " * inside + LINES[letter] + "\n"
        inside += LINES[letter].startswith("for")
        if not LINES[letter].startswith("for"):
            source += "    " * inside + "turns += 1\n"
    names: dict[str, Any] = {
        **{"np": np, "fn": lambda t, x: 10 * t + x, "dim": 1, "out": np.zeros(2)},
        **{"out_shape": (2, 1), "out_strides": (1, 1), "a_shape": (2, 3), "a_strides": (3, 1)},
        **{"a": X.storage, "to_position": lambda i, s: i[0] * s[0] + i[1] * s[1]},
    }
    exec(source, names)
    return names["out"].tolist(), names["turns"]


def test_the_lines_are_sorted_best_as_we_say_and_the_slips_run_more_often() -> None:
    asked = bank("reduce").predictions["reduce-lines"]
    best = {run_in(way.replace(" ", ""))[1] for way in asked.accept}
    assert len(best) == 1
    for way in (*asked.accept, *(said for said, _ in asked.slips)):
        out, turns = run_in(way.replace(" ", ""))
        assert out == [314.0, 265.0]
        assert way in asked.accept or turns > min(best)


def test_the_quiz_calls_right_what_is_computed() -> None:
    assert right("reduce-keep") == str(tk.zeros(2, 3, 4).sum(1).shape)
    assert np.array_equal(X.mean(0), X.sum(0) / 2)
    assert reduce(lambda t, x: t * x if t else x, [0, 5], 1) == 5
    assert reduce(lambda t, x: t + x, [1, 2]) == 3 and sum([1, 2], 7) == 10
    assert max(0, -3, -1) == 0
    square = tk.tensor([[1.0, 3.0], [2.0, 6.0]])
    silent = (square / square.sum(1, keepdim=False)).sum(1)
    assert silent.shape == (2, 1) and not np.allclose(silent, 1)
    assert np.allclose((square / square.sum(1)).sum(1), 1)
    with pytest.raises(tk.ShapeError):
        X / X.sum(1, keepdim=False)
    cells = [1.0, 1e16, -1e16]
    assert (reduce(lambda t, x: t + x, cells), reduce(lambda t, x: t + x, cells[::-1])) == (0, 1)


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert printed(empty["full-code"]) == "(tensor(21.), ())"
    assert printed(empty["stride-code"]) == "array([ 8., 13.])"
    assert flat(X.sum(1)) == "8 13"
    assert "Yours to write" in printed(empty["reduce-step"])
    assert "Every cell of out is right" in printed(filled["reduce-step"])
    assert "Yours to write" in printed(empty["use-try"])
    assert printed(filled["use-try"]) == "your own: reduce\n[True, True, True]"


LOOP = """import numpy as np
def to_position(index, strides):
    return sum(i * s for i, s in zip(index, strides, strict=True))
def tensor_reduce(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        for n, index in enumerate(np.ndindex(*out_shape)):
            o, first = to_position(index, out_strides), to_position(index, a_strides)
            {before}
            for k in {turns}:
                p = {place}
                {line}
    return loop
"""
OURS = {
    "before": "pass",
    "turns": "range(a_shape[dim])",
    "place": "first + k * a_strides[dim]",
    "line": "out[o] = fn(out[o], a[p])",
}
WRONG = [
    ({"before": "out[o] = a[first]", "turns": "range(1, a_shape[dim])"}, "begin with what is in"),
    ({"before": "out[o] = 0"}, "wrong cells in out"),
    ({"line": "out[o] = fn(a[p], out[o])"}, "fn(x, t): the running value comes first"),
    ({"turns": "reversed(range(a_shape[dim]))"}, "folds from the last cell"),
    ({"turns": "range(1, a_shape[dim])"}, "without the first cell"),
    ({"turns": "range(a_shape[dim] - 1)"}, "without the last cell"),
    ({"line": "out[o] += a[p]"}, "sums: let fn take in each cell"),
    ({"line": "out[o] = fn(0, a[p])"}, "fn of the last cell alone"),
    ({"line": "out[o] = fn(out[o], a[p]) if out[o] else a[p]"}, "what comes of `if not t`"),
    ({"place": "k * a_strides[dim]"}, "the first fold in every cell"),
    ({"place": "first + k * a_strides[-1]"}, "folds along another dim"),
    ({"place": "n * a_shape[dim] + k"}, "neighbours in storage"),
    ({"turns": "range(a_shape[-1])"}, "raised IndexError"),
    ({"turns": "range(out_shape[dim])"}, "wrong cells in out"),
    ({"line": "out[n] = fn(out[n], a[p])"}, "placing the cells of out by other strides"),
    ({"line": "fn(out[o], a[p])"}, "nothing was written into out"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(change: dict[str, str], sentence: str) -> None:
    said = refused("reduce.reduce", LOOP.format(**OURS | change))
    assert sentence in said, said


RIGHT = [
    {},
    {"before": "t = out[o]", "line": "t = fn(t, a[p]); out[o] = t"},
    {"place": "to_position((*index[:dim], k, *index[dim + 1 :]), a_strides)"},
]


@pytest.mark.parametrize("change", RIGHT)
def test_another_way_of_writing_it_passes(change: dict[str, str]) -> None:
    check: Any = tried("reduce.reduce", LOOP.format(**OURS | change))
    assert check.passed, check.report


def test_the_call_that_a_report_advises_runs() -> None:
    source = LOOP.format(**OURS | {"line": "out[n] = fn(out[n], a[p])"})
    check: Any = tried("reduce.reduce", source)
    names: dict[str, Any] = {"tk": tk, "check": check}
    exec(source, names)
    advice = " ".join(check.report.split()).split("try: ")[1]
    assert "cells of out are wrong" in eval(advice, names).scene.steps[-1].say


def test_our_answer_carries_the_kit() -> None:
    names: dict[str, Any] = {"np": np}
    exec(LOOP.format(**OURS).split("def tensor_reduce")[0] + answer(NAME, "reduce"), names)
    want = [tk.softmax(X, 1), X.sum(), X.max(0)]
    with tk.use(reduce=names["tensor_reduce"]):
        for mine, kits in zip([tk.softmax(X, 1), X.sum(), X.max(0)], want, strict=True):
            assert np.allclose(mine, kits)
