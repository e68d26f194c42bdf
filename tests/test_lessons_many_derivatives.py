"""Many derivatives: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from lessons import accepted, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.widgets.questions import bank, normal

NAME = "06_many_derivatives"
X = tk.tensor([[3.0, 1.0, 4.0], [2.0, 6.0, 5.0]])
PAIR = tk.tensor([3.0, 4.0])


def grid(f: Any, x: tk.Tensor) -> Any:
    """Return all derivatives: one line for each cell of f(x), one column for each cell of x."""
    lines = []
    for k in range(f(x).size):
        leaf = tk.tensor(x, requires_grad=True)
        out = f(leaf)
        out.backward(np.eye(out.size)[k].reshape(out.shape))
        lines.append(leaf.grad.numpy().ravel())
    return np.array(lines)


def of_pair(v: tk.Tensor) -> tk.Tensor:
    return tk.figures.MyFun.apply(v)


def slope(f: Any, at: float) -> float:
    x = tk.tensor(at, requires_grad=True)
    f(x).backward()
    return x.grad.item()


SCALARS = ((lambda x: x * 7, 2.0), (lambda x: x + x + x, 2.0), (lambda x: (4 * x).exp(), 0.0))
COUNTED = grid(lambda x: x * tk.tensor([[2.0, 7.0], [4.0, 5.0], [3.0, 9.0]]), X.view(3, 2))
SUM = grid(lambda x: x.sum(0), X)
MOVED = grid(lambda x: x.permute(1, 0), X)


def ones_of_each_column(j: Any) -> float:
    (each,) = set(j.sum(0))
    return each


ANSWERS = {
    "many-scalars": lambda: flat([*(slope(*one) for one in SCALARS), slope(lambda x: x * x, 5.0)]),
    "many-count": lambda: flat(COUNTED.size, (COUNTED != 0).sum()),
    "many-pair": lambda: flat(grid(of_pair, PAIR)),
    "many-vjp": lambda: flat(np.array([1.0, 10.0]) @ grid(of_pair, PAIR)),
    "many-sum": lambda: flat((SUM == 1).sum(), (SUM == 0).sum()),
    "many-stretch": lambda: flat(
        ones_of_each_column(grid(lambda b: X + b, tk.tensor([7.0, 8.0, 9.0])))
    ),
    "many-permute": lambda: normal(
        "one 1 in each row and each column"
        if (MOVED.sum(0) == 1).all() and (MOVED.sum(1) == 1).all() and set(MOVED.flat) == {0, 1}
        else "something else"
    ),
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("many_derivatives")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("many_derivatives").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    leaf = tk.tensor(X, requires_grad=True)
    leaf.sum(1).backward([[1.0], [10.0]])
    assert right("many-shape") == f"{leaf.grad.shape}, like x"
    with pytest.raises(tk.GraphError):
        tk.tensor([1.0, 2.0, 3.0], requires_grad=True).exp().backward()
    assert right("many-seed").startswith("refuse")
    cells = 1000 * 1000
    assert math.log10(cells**2) == 12 and cells**2 * 8 == 8e12
    of_a_zip = grid(lambda x: x * X, X + 1)
    of_a_map = grid(lambda x: x.exp(), X)
    for found in (of_a_zip, of_a_map):
        assert np.array_equal(found, np.diag(np.diag(found))) and np.diag(found).all()


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert printed(empty["scalars-code"]) == "[7.0, 3.0, 4.0, 10.0]"
    assert "Yours to write" in printed(empty["vjp-step"])
    said = printed(filled["vjp-step"])
    assert "x.grad[0] = 1 + 40 = 41" in said and "x.grad[1] = 30" in said
    assert "Yours to write" in printed(empty["judge-try"])
    assert printed(filled["judge-try"]) == "True"


HEAD = """import numpy as np
def column(f, x, j, h=1e-5):
    up, down = x.copy(), x.copy()
    up[j] += h
    down[j] -= h
    return (f(up) - f(down)) / (2 * h)

"""
BODY = (
    HEAD
    + """def vjp(f, x, grad_out):
    grad = np.zeros({shape})
    for j in np.ndindex(*x.shape):
        {line}
    return {returned}
"""
)
OURS = {
    "shape": "x.shape",
    "line": "grad[j] = (grad_out * column(f, x, j)).sum()",
    "returned": "grad",
}
WRONG = [
    ({"line": "grad[j] = column(f, x, j).sum()"}, "the columns added up without grad_out"),
    ({"line": "grad[j] = (grad_out * column(f, x, j)).mean()"}, "the mean over the outputs"),
    ({"line": "grad[j] = grad_out.sum() * column(f, x, j).sum()"}, "weigh first, then add"),
    ({"line": "grad[j] = (grad_out * column(f, x, j)).flat[-1]"}, "the last output alone"),
    ({"line": "grad[j] = (grad_out * column(f, x, j)).flat[0]"}, "the first output alone"),
    ({"line": "grad += (grad_out * column(f, x, j)).sum()"}, "one sum over all inputs"),
    ({"line": "grad[j] = (grad_out * column(f, x, j))[j]"}, "the output of the same index"),
    ({"line": "pass"}, "zeros: put what you find into the gradient"),
    ({"returned": "grad.ravel()"}, "the gradient has the shape of x"),
    ({"returned": "None"}, "should be numbers"),
    ({"line": "grad[j] = grad_out * column(f, x, j)"}, "raised "),
    ({"line": "x[j] += 1; grad[j] = (grad_out * column(f, x, j)).sum()"}, "changed x in place"),
    ({"line": "raise NotImplementedError('later')"}, "is not written yet"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(change: dict[str, str], sentence: str) -> None:
    said = refused("many_derivatives.vjp", BODY.format(**OURS | change))
    assert sentence in said, said


def test_lines_added_up_in_place_of_columns_are_told() -> None:
    lines = """def vjp(f, x, grad_out):
    J = np.stack([column(f, x, j).ravel() for j in np.ndindex(*x.shape)], axis=1)
    return (J @ grad_out.ravel()).reshape(x.shape)
"""
    said = refused("many_derivatives.vjp", HEAD + lines)
    assert "a gradient gathers the column of an input" in said


RIGHT = [
    BODY.format(**OURS),
    BODY.format(**OURS | {"line": "grad[j] = np.vdot(grad_out, column(f, x, j))"}),
    HEAD
    + """def vjp(f, x, grad_out):
    J = np.stack([column(f, x, j).ravel() for j in np.ndindex(*x.shape)], axis=1)
    return (grad_out.ravel() @ J).reshape(x.shape)
""",
]


@pytest.mark.parametrize("source", RIGHT)
def test_another_way_of_writing_it_passes(source: str) -> None:
    check: Any = tried("many_derivatives.vjp", source)
    assert check.passed, check.report


def test_the_data_of_a_failed_check_are_at_hand() -> None:
    source = BODY.format(**OURS | {"line": "grad[j] = column(f, x, j).sum()"})
    check: Any = tried("many_derivatives.vjp", source)
    names: dict[str, Any] = {"check": check}
    exec(source, names)
    advised = check.report.split("next: ")[1].split(" and weigh")[0]
    exec(" ".join(advised.split()), names)
    assert check.f(check.x).shape == check.grad_out.shape
