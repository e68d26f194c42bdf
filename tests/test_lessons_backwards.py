"""Map, zip and reduce, backwards: its numbers are computed, and its practice knows mistakes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, cells, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "07_backwards"


def gradients(f: Any, *inputs: Any, grad_out: Any) -> list[Any]:
    leaves = [tk.tensor(values, requires_grad=True) for values in inputs]
    f(*leaves).backward(grad_out)
    return [leaf.grad.numpy() for leaf in leaves]


X = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]])
ANSWERS = {
    "back-map": lambda: flat(*gradients(tk.sigmoid, [0.0], grad_out=[8.0])),
    "back-relu": lambda: flat(*gradients(tk.relu, [2.0, -1.0], grad_out=[-3.0, 4.0])),
    "back-zip": lambda: flat(*gradients(tk.mul, [4.0], [6.0], grad_out=[100.0])),
    "back-sum": lambda: flat(*gradients(lambda x: x.sum(1), X, grad_out=[[1.0], [10.0]])),
    "back-prod": lambda: flat(
        *gradients(lambda x: x.prod(1), [[4.0, 0.0, 5.0]], grad_out=[[10.0]])
    ),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("backwards")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("backwards").quiz[key].choices if c.correct]
    return text


def spelled(values: Any) -> str:
    return "[" + ", ".join(f"{v:g}".replace("-", "−") for v in np.ravel(values)) + "]"


def test_the_quiz_calls_right_what_is_computed() -> None:
    sides = gradients(tk.sub, [1.0, 2.0], [4.0, 0.5], grad_out=[3.0, -10.0])
    assert right("back-minus") == " and ".join(map(spelled, sides))
    [mean] = gradients(lambda x: x.mean(1), X, grad_out=[[6.0], [60.0]])
    assert {right("back-mean")} == {f"{v:g}" for v in mean[0]}
    assert not np.any(gradients(tk.lt, [1.0, 5.0], [4.0, 0.5], grad_out=[3.0, -10.0]))
    s = 1 / (1 + np.exp(-X))
    [own] = gradients(tk.sigmoid, X, grad_out=X + 3)
    assert np.allclose(eval(right("back-sigmoid").strip("`"), {"d": X + 3, "s": s}), own)
    [shared] = gradients(lambda x: x.max(), [5.0, 5.0, 2.0], grad_out=1.0)
    assert shared.tolist() == [0.5, 0.5, 0.0] and right("back-tie") == "[1, 1, 0]"


def test_a_backward_that_repeats_in_reading_order_shows_only_on_different_numbers() -> None:
    x = np.zeros((3, 2))
    for grad_out, shows in (([[1.0, 1.0]], False), ([[1.0, 10.0]], True)):
        [want] = gradients(lambda x: x.sum(0), x, grad_out=grad_out)
        theirs = np.repeat(grad_out, 3).reshape(3, 2)
        assert np.array_equal(theirs, want) != shows
    assert flat(want) == "1 10 1 10 1 10" and flat(theirs) == "1 1 1 10 10 10"


SLOPES: dict[str, Any] = {
    "−x": tk.neg,
    "1 / x": lambda x: 1 / x,
    "log x": tk.log,
    "exp x": tk.exp,
    "sigmoid x": tk.sigmoid,
    "x + y": tk.add,
    "x · y": tk.mul,
    "x − y": tk.sub,
    "x / y": tk.div,
    "x < y": tk.lt,
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(0),
}


def test_the_table_of_slopes_is_right() -> None:
    table = cells(NAME)["slopes"].source
    lines = [
        re.split(r"\s*\|\s*", line.strip("| ")) for line in table.split("\n") if line[:1] == "|"
    ]
    rows = [pair for line in lines[2:] for pair in zip(line[::2], line[1::2], strict=False)]
    said = {what: re.findall(r"`(.+?)`", slopes) for what, slopes in rows if "`" in slopes}
    assert set(said) == set(SLOPES)
    x, y = np.array([0.5, 2.0, 3.0]), np.array([4.0, -1.0, 0.25])
    for what, slopes in said.items():
        f, inputs = SLOPES[what], (x, y)[: len(slopes)]
        out = f(*map(tk.tensor, inputs)).numpy()
        found = gradients(f, *inputs, grad_out=np.ones(out.shape))
        for slope, want in zip(slopes, found, strict=True):
            value = eval(slope, {"x": x, "y": y, "out": out, "n": 3})
            assert np.allclose(value + np.zeros(3), want), what


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    for build in ("map", "zip", "reduce"):
        assert "Yours to write" in printed(empty[f"{build}-step"])
        said = printed(filled[f"{build}-step"])
        assert "✗" not in said and "agree" in said
    assert "Yours to write" in printed(empty["together-try"])
    assert "6 cells agree" in printed(filled["together-try"])
    assert "they share 6, 3 each" in printed(empty["max-figure"])


OURS = {
    "map": "return grad_out * out",
    "zip": "return grad_out / y, -grad_out * x / (y * y)",
    "reduce": "return grad_out * 2 * x, None",
}
WRONG = [
    ("map", "out", "the slope alone"),
    ("map", "grad_out", "grad_out alone"),
    ("map", "grad_out * out.log()", "the slope of exp is its own value"),
    ("map", "grad_out * out.exp()", "out is exp(x) already"),
    ("map", "grad_out * grad_out * out", "once is enough"),
    ("map", "grad_out / out", "grad_out / out: multiply"),
    ("map", "None", "is a return missing?"),
    ("map", "grad_out * x", "NameError"),
    ("zip", "1 / y, -x / (y * y)", "the slopes alone"),
    ("zip", "grad_out / y, grad_out * x / (y * y)", "when y grows, x / y shrinks"),
    ("zip", "-grad_out * x / (y * y), grad_out / y", "in the wrong order"),
    ("zip", "grad_out * y, grad_out * x", "the gradients of x · y"),
    ("zip", "grad_out / y, -grad_out / (y * y)", "x is missing in the second"),
    ("zip", "grad_out / y, -grad_out * x / y", "divided by y twice"),
    ("zip", "grad_out / y", "return the gradient of x and the gradient of y"),
    ("reduce", "grad_out * 2 * x", "return the gradient of x and None for dim"),
    ("zip", "grad_out / y, grad_out * 0", "y moves the result, too"),
    ("reduce", "2 * x, None", "the slopes alone"),
    ("reduce", "grad_out * (x * 0 + 1), None", "the rule of sum"),
    ("reduce", "grad_out * x, None", "x is used twice"),
    ("reduce", "(grad_out * 2).expand(*x.shape), None", "the slope is 2 · x"),
    ("reduce", "grad_out.sum() * 2 * x, None", "each cell went into one sum only"),
    ("reduce", "(x * 0) + grad_out * 2 * (x * x).sum(1), None", "not about the sum"),
    ("reduce", "grad_out * 2 * x.sum(1), None", "it has the shape of x"),
    ("reduce", "grad_out, None", "hand it out to every cell that met"),
]  # fmt: skip


def changed(task: str, value: str) -> str:
    source = answer(NAME, task)
    assert OURS[task] in source
    return source.replace(OURS[task], f"return {value}")


@pytest.mark.parametrize(("task", "value", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, value: str, sentence: str) -> None:
    said = refused(f"backwards.{task}", changed(task, value))
    assert sentence in said, said


SLOPES_ALONE = {"map": "out", "zip": "1 / y, -x / (y * y)", "reduce": "2 * x, None"}


@pytest.mark.parametrize("task", OURS)
def test_right_for_ones_alone_passes_one_of_two(task: str) -> None:
    check: Any = tried(f"backwards.{task}", changed(task, SLOPES_ALONE[task]))
    assert check.report.split("\n")[1:3] == [
        "- grad_out all ones: yes",
        "- grad_out all different: not yet",
    ]


RIGHT = [
    ("map", "out * grad_out"),
    ("zip", "grad_out / y, -(grad_out / y) * (x / y)"),
    ("reduce", "grad_out.expand(*x.shape) * (x + x), None"),
]


@pytest.mark.parametrize(("task", "value"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, value: str) -> None:
    check: Any = tried(f"backwards.{task}", changed(task, value))
    assert check.passed, check.report


@pytest.mark.parametrize("task", OURS)
def test_the_call_that_a_report_advises_runs(task: str) -> None:
    check: Any = tried(f"backwards.{task}", changed(task, SLOPES_ALONE[task]))
    advice = " ".join(check.report.split()).split("try: ")[1]
    assert str(eval(advice, {"tk": tk, "check": check}))
