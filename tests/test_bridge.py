"""The bridge: each result in its tables is what the library named above it really gives."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lessons import cells, executed, printed, words

import tensorkit as tk
from tensorkit.widgets.questions import bank

NAME = "bridge"
ARROW = re.compile(r"`([^`]+)` → `([^`]+)`")
X, B = [[3.0, 1.0, 2.0], [4.0, 5.0, 6.0]], [10.0, 20.0, 40.0]


def results(kit: str) -> list[tuple[str, str]]:
    """Return the code and the result of every arrow beside the name of a kit."""
    lines = "\n".join(cell.source for cell in words(NAME)).splitlines()
    return [found for line in lines if f"| {kit} |" in line for found in ARROW.findall(line)]


def said(code: str, names: dict[str, Any]) -> str:
    """Write what code gives as the tables do."""
    try:
        value = eval(code, names)
    except (RuntimeError, tk.TensorkitError):
        return "an error"
    return str(tuple(value)) if isinstance(value, tuple) else str(value)


HERE = {
    "x": tk.tensor(X),
    "b": tk.tensor(B),
    "c": tk.zeros(2, 3, 4),
    "a": tk.tensor(X, requires_grad=True),
}
NUMPY = {"np": np, "x": np.array(X), "b": np.array(B), "c": np.zeros((2, 3, 4))}


@pytest.mark.parametrize(("code", "result"), results("here"))
def test_our_results(code: str, result: str) -> None:
    assert said(code, HERE) == result


@pytest.mark.parametrize(("code", "result"), results("NumPy"))
def test_numpys_results(code: str, result: str) -> None:
    assert said(code, NUMPY) == result


@pytest.mark.oracle
@pytest.mark.parametrize(("code", "result"), results("PyTorch"))
def test_pytorchs_results(code: str, result: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch's column needs PyTorch")
    names = {
        "x": torch.tensor(X, dtype=torch.float64),
        "b": torch.tensor(B, dtype=torch.float64),
        "c": torch.zeros(2, 3, 4),
        "a": torch.tensor(X, requires_grad=True),
    }
    assert said(code, names) == result


def test_every_table_has_arrows_of_every_kit() -> None:
    """So that the tests above run over something."""
    counts = {kit: len(results(kit)) for kit in ("MiniTorch", "NumPy", "PyTorch", "here")}
    assert counts == {"MiniTorch": 7, "NumPy": 14, "PyTorch": 15, "here": 15}


def listing(kit: str) -> str:
    [code] = re.findall(r"```python\n(.*?)```", cells(NAME)[f"experiment-{kit}"].source, re.DOTALL)
    return code


def test_numpys_experiment() -> None:
    names: dict[str, Any] = {"np": np}
    exec(listing("numpy"), names)
    assert names["grad"].tolist() == [3, 30, 300]


@pytest.mark.oracle
def test_pytorchs_experiment() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch's column needs PyTorch")
    names: dict[str, Any] = {"torch": torch}
    exec(listing("pytorch"), names)
    assert names["grad"].tolist() == [3, 30, 300]
    assert names["x"].dtype == torch.float32
    shared = tk.tensor(X)
    torch.from_dlpack(shared)[0, 0] = 99.0
    assert shared[0, 0].item() == 99.0


def at_the_edges(kit: Any, share: str) -> None:
    """Require what the table of gradients says in words, of a kit with PyTorch's names."""
    tied = kit.tensor([[5.0, 5.0, 2.0]], requires_grad=True)
    getattr(tied, share)(1).sum().backward()
    assert tied.grad.tolist() == [[0.5, 0.5, 0.0]]
    zero = kit.tensor(0.0, requires_grad=True)
    kit.relu(zero).backward()
    assert zero.grad.item() == 0
    assert kit.log(kit.tensor(0.0)).item() == -np.inf
    for _ in range(2):
        kit.relu(tied).sum().backward()
    assert tied.grad.tolist() == [[2.5, 2.5, 2.0]], "backward adds"


def test_our_edges() -> None:
    at_the_edges(tk, "max")


@pytest.mark.oracle
def test_pytorchs_edges() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch's column needs PyTorch")
    at_the_edges(torch, "amax")
    most = torch.tensor([[5.0, 5.0, 2.0]], requires_grad=True)
    most.max(1).values.sum().backward()
    assert sorted(most.grad.tolist()[0]) == [0, 0, 1], "one winner only"


def test_minitorchs_experiment_says_what_ours_says() -> None:
    """Its lines are ours but for the name of the module: they run on a stand-in of that name."""

    def tensor(cells: Any) -> Any:
        return tk.tensor(np.array(cells, dtype=float))

    names: dict[str, Any] = {"minitorch": SimpleNamespace(tensor=tensor)}
    exec(listing("minitorch"), names)
    assert names["b"].grad.tolist() == [3, 30, 300]


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    ran, _ = executed(NAME, tmp_path_factory)
    assert printed(ran["experiment-here"]) == "tensor([  3.,  30., 300.])"
    dropped, kept = printed(ran["dims-code"]).splitlines()
    assert "[1. 1.]" in kept and "[1. 1.]" not in dropped
    assert printed(ran["scalars-code"]) == "((1,), ())"
    assert printed(ran["strides-code"]).splitlines() == ["(24, 8) (12, 4)", "(3, 1) (3, 1)"]
    assert printed(ran["expand-code"]).split("\n")[1] == "NumPy:  (1, 3) (2, 3)"
    assert printed(ran["moves-code"]).splitlines() == [
        "(4, 2, 3) (4, 3, 2)",
        "(2, 3) numbers of type int64",
    ]
    assert "log at 0: -13.8" in printed(ran["gradients-code"])
    assert "[[0.5, 0.5, 0.0]]" in printed(ran["gradients-code"])
    assert printed(ran["exit-share"]).strip() == "True"


def test_the_quiz_calls_right_what_is_computed() -> None:
    right = {q.id: c.text for q in bank(NAME).quiz.values() for c in q.choices if c.correct}
    square = np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0], [9.0, 7.0, 8.0]])
    ours = (tk.tensor(square) / tk.tensor(square).sum(1)).numpy()
    theirs = square / square.sum(1)
    assert ours.shape == theirs.shape and not np.allclose(ours, theirs)
    np.testing.assert_allclose(theirs[0, 2], 3 / square[2].sum())
    fresh = np.zeros((5, 2), np.float32)
    assert fresh.strides == (8, 4)
    assert right["bridge-strides"] == str(tk.tensor(fresh).strides)
    c = np.arange(24.0).reshape(2, 3, 4)
    moved = eval(right["bridge-transpose"].strip("`"), {"c": tk.tensor(c)})
    np.testing.assert_array_equal(moved, c.transpose(1, 2, 0))
