"""Copies forward, sums backward: its numbers are computed, and its practice knows the mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lessons import accepted, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "08_copies_and_sums"
X = [[3.0, 1.0, 2.0], [4.0, 5.0, 6.0]]
G = [[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]


def gradient(op: Any, other: Any, grad_out: Any) -> Any:
    """Return the gradient of what meets the lesson's x."""
    leaf = tk.tensor(other, requires_grad=True)
    op(tk.tensor(X), leaf).backward(tk.tensor(grad_out))
    return leaf.grad.numpy()


ANSWERS = {
    "copies-ones": lambda: flat(gradient(tk.add, [10.0, 20.0, 40.0], np.ones((2, 3)))),
    "copies-telling": lambda: flat(gradient(tk.add, [10.0, 20.0, 40.0], G)),
    "copies-slope": lambda: flat(gradient(tk.mul, [[7.0], [-3.0]], G)),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("copies")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def test_each_slip_is_what_its_sentence_says() -> None:
    x, g = np.array(X), np.array(G)
    slips = {
        "copies-telling": [
            np.full(3, 2), g.mean(0), g[0], g[1], g.sum(1), np.full(3, g.sum()),
        ],
        "copies-slope": [
            g.sum(1), x.sum(1), (x * g).mean(1), g.sum(1) * [7, -3],
        ],
    }  # fmt: skip
    for key, computed in slips.items():
        said = [slip for slip, _ in bank("copies").predictions[key].slips]
        assert said == [flat(one) for one in computed], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("copies").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    y = tk.tensor([[2.0], [3.0], [5.0]], requires_grad=True)
    x = tk.tensor(np.arange(24.0).reshape(2, 3, 4))
    grad_out = np.cos(np.arange(24.0)).reshape(2, 3, 4)
    (x * y).backward(tk.tensor(grad_out))
    summed = (x.numpy() * grad_out).sum((0, 2), keepdims=True)[0]
    assert "dims 0 and 2, then drop dim 0" in right("copies-axes")
    np.testing.assert_allclose(y.grad, summed)

    square = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [100.0, 200.0, 300.0]])
    assert square.sum(0).shape == square.sum(1).shape
    assert (square.sum(0) != square.sum(1)).all()
    for shape in ((1,), ()):
        leaf = tk.full(shape, 2.0).requires_grad_()
        (leaf * tk.tensor(X)).backward(tk.tensor(G))
        assert leaf.grad.shape == shape
        assert leaf.grad.item() == np.sum(np.array(X) * G)
    bias = tk.zeros(3)
    bias = bias - 0.1 * tk.tensor(G)
    assert str(bias.shape) in right("copies-bias")


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert printed(empty["ledger-code"]) == "((2, 1), [[12.0], [12.0]])"
    assert printed(empty["average-code"]) == "(42.0, 7.0)"
    cases = [line.split(", ", 1)[0] for line in printed(empty["expand-code"]).splitlines()]
    assert len(cases) == 3
    shown = printed(empty["expand-code"])
    assert "(2, 3) arrives, (2, 3) comes home" in shown
    assert "(2, 1) arrives, (2, 3) comes home: [[1.0, 1.0, 1.0], [10.0, 10.0, 10.0]]" in shown
    assert "(2, 3) arrives, (3,) comes home: [3.0, 30.0, 300.0]" in shown
    assert printed(empty["unbroadcast-step"]).startswith("Yours to write: ")
    assert printed(empty["use-code"]).startswith("Yours to write: ")
    mine, kits = printed(filled["use-code"]).splitlines()
    assert mine.startswith("your own: unbroadcast ")
    assert kits.startswith("everything is the kit's own ")
    assert mine.split(" [")[1] == kits.split(" [")[1] == "3.0, 30.0]"


PADDED = "    padded = (1,) * (2 - len(shape)) + tuple(shape)\n"
SUMS = "    for dim in (0, 1):\n        if padded[dim] == 1:\n            grad = grad.sum(dim)\n"
WRONG = [
    ("    return grad\n", "grad itself"),
    (PADDED + SUMS.replace("sum", "mean") + "    return grad.view(shape)\n", "the mean over"),
    (PADDED + SUMS + "    return grad\n", "too many dims"),
    (PADDED.replace("(1,) * (2 - len(shape)) + tuple(shape)",
                    "tuple(shape) + (1,) * (2 - len(shape))") + SUMS
     + "    return grad.view(shape)\n", "aligned from the left"),
    ("    total = grad.sum()\n    return tk.full(shape, total.item())\n", "grad.sum() in every"),
    ("    while grad.ndim > len(shape):\n        grad = grad.sum(0, keepdim=False)\n"
     "    return grad\n", "the added dims only"),
    (PADDED + SUMS.replace("sum(dim)", "max(dim)") + "    return grad.view(shape)\n",
     "wrong result"),
    (PADDED + SUMS + "    grad.view(shape)\n", "is a return missing?"),
    (PADDED + SUMS.replace("grad.sum", "tk.ones(2, 3).sum") + "    return grad.view(shape)\n",
     "as if grad were all ones"),
    (PADDED + SUMS + "    return grad.numpy().reshape(shape)\n", "a NumPy array"),
    ("    for dim in (0, 1):\n        if shape[dim] == 1:\n            grad = grad.sum(dim)\n"
     "    return grad\n", "IndexError"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(body: str, sentence: str) -> None:
    said = refused("copies.unbroadcast", f"def unbroadcast(grad, shape):\n{body}")
    assert sentence in said, said


GENERAL = """
    extra = grad.ndim - len(shape)
    for _ in range(extra):
        grad = grad.sum(0, keepdim=False)
    for dim, n in enumerate(shape):
        if n == 1 and grad.shape[dim] != 1:
            grad = grad.sum(dim)
    return grad
"""
MATRIX = """
    padded = (1,) * (2 - len(shape)) + tuple(shape)
    dims = tuple(d for d in (0, 1) if padded[d] == 1)
    return tk.tensor(grad.numpy().sum(axis=dims, keepdims=True).reshape(shape))
"""


@pytest.mark.parametrize("body", [GENERAL, MATRIX])
def test_another_way_of_writing_it_passes(body: str) -> None:
    check: Any = tried("copies.unbroadcast", f"def unbroadcast(grad, shape):{body}")
    assert check.passed, check.report
