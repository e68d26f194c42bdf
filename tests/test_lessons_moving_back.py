"""Moving data back: its numbers are computed, and its practice knows the usual mistakes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from lessons import accepted, executed, flat, printed, refused, tried

import tensorkit as tk
from tensorkit.lessons.moving_back import inverse
from tensorkit.widgets.questions import bank

NAME = "10_moving_back"
W = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def way() -> str:
    v = tk.tensor([7.0, 3.0, 9.0, 2.0, 8.0, 5.0], requires_grad=True)
    (v.view(2, 3).permute(1, 0) * tk.tensor(W)).backward(tk.ones(3, 2))
    return flat(v.grad)


def cut() -> str:
    x = tk.tensor([[3.0, 1.0, 4.0], [2.0, 6.0, 5.0]], requires_grad=True)
    x[:, 1:].backward(tk.tensor([[1.0, 10.0], [2.0, 20.0]]))
    return flat(x.grad)


def home() -> str:
    shape, moved = (2, 3, 4), tk.zeros(2, 3, 4).permute(2, 0, 1)
    [order] = [p for p in permutations(range(3)) if moved.permute(*p).shape == shape]
    return flat(order)


def written() -> str:
    leaf = tk.tensor([3.0, 1.0, 4.0], requires_grad=True)
    y = leaf * leaf
    leaf.copy_(leaf.numpy() - 1)
    assert leaf.tolist() == [2, 0, 3]
    with pytest.raises(tk.InPlaceError):
        y.backward(tk.tensor([1.0, 10.0, 100.0]))
    return "refuse"


ANSWERS = {
    "moving-way": way,
    "moving-old-view": lambda: flat(tk.tensor(W).permute(1, 0).storage),
    "moving-inverse": home,
    "moving-slice": cut,
    "moving-in-place": written,
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("moving_back")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("moving_back").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    x = tk.arange(24).view(2, 3, 4)
    there = x.permute(1, 2, 0)
    [back] = [p for p in permutations(range(3)) if np.array_equal(there.permute(*p), x)]
    assert right("moving-order") == str(back)

    leaf = tk.tensor(np.linspace(1, 2, 1000), requires_grad=True)
    leaf[10:12].sum().backward()
    assert leaf.grad.shape == (1000,) and np.count_nonzero(leaf.grad) == 2
    assert right("moving-rest").startswith(str(leaf.grad.shape))

    plain = tk.tensor(W)
    assert plain.contiguous() is plain
    for order in permutations(range(4)):
        twice = inverse(order) == order
        moved = {d for d in range(4) if order[d] != d}
        assert twice == all(order[order[d]] == d for d in moved)


@pytest.mark.parametrize(
    ("op", "kept"),
    [
        (lambda x: x * x, True),
        (lambda x: x.log(), True),
        (lambda x: x.permute(1, 0), False),
        (lambda x: x + x, False),
    ],
)
def test_who_keeps_the_numbers(op: Any, kept: bool) -> None:
    x = tk.tensor(W, requires_grad=True)
    y = op(x)
    x.copy_(x.numpy() + 0.5)
    if not kept:
        y.backward(tk.tensor(np.arange(6.0).reshape(y.shape)))
        return
    with pytest.raises(tk.InPlaceError):
        y.backward(tk.tensor(np.arange(6.0).reshape(y.shape)))


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    truth, old = "[1., 3., 5., 2., 4., 6.]", "[1., 2., 3., 4., 5., 6.]"
    assert old in printed(empty["official-run"])
    wrong, mended = printed(empty["word-code"]).splitlines()
    assert old in wrong and truth in mended
    assert "was changed in place after forward" in printed(empty["in-place-code"])
    assert "[  2.,  20., 200.]" in printed(empty["in-place-sum"])
    assert printed(empty["inverse-run"]) == "((4, 2, 3), (3, 4, 2), (2, 3, 4))"
    for build in ("inverse", "reading"):
        assert printed(empty[f"{build}-step"]).count("Yours to write: ") == 1
    trips = printed(filled["inverse-step"]).splitlines()
    assert len(trips) == 3 and all(line.endswith("(2, 3, 4, 5)") for line in trips)
    assert printed(filled["reading-step"]).count(truth) == 2


def inverted(value: str) -> str:
    return f"def inverse(order):\n    return {value}\n"


def walked(body: str) -> str:
    return f"def in_reading_order(storage, shape, strides):\n    {body}\n"


CELLS = "return [storage[{}] for i in range(shape[0]) for j in range(shape[1])]"
WRONG = [
    ("inverse", inverted("order"), "which undoes swaps only"),
    ("inverse", inverted("order[::-1]"), "reversed is not undone"),
    ("inverse", inverted("tuple(range(len(order)))"), "that moves nothing"),
    ("inverse", inverted("tuple(order[d] for d in order)"), "circles of three dims"),
    ("inverse", inverted("None"), "is a return missing?"),
    ("inverse", inverted("tuple(order.index(d) for d in range(2))"), "wrong result"),
    ("inverse", inverted("tuple(order.index(d + 1) for d in order)"), "ValueError"),
    ("reading", walked("return list(storage)"), "the storage as it lies"),
    ("reading", walked("return list(storage[:shape[0] * shape[1]])"), "wrong result"),
    ("reading", walked(CELLS.format("i * strides[1] + j * strides[0]")), "the other stride"),
    ("reading", walked(CELLS.format("i * strides[0] + j")), "the last stride for 1"),
    ("reading", walked(CELLS.format("i * shape[1] + j")), "wrong result"),
    ("reading", walked("return [storage[i * strides[0] + j * strides[1]] "
                       "for j in range(shape[1]) for i in range(shape[0])]"), "dim 0 fastest"),
    ("reading", walked("for i in range(shape[0]):\n        return [storage[i * strides[0]]]"),
     "wrong result"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "code", "sentence"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task: str, code: str, sentence: str) -> None:
    said = refused(f"moving_back.{task}", code)
    assert sentence in said, said


RIGHT = [
    ("inverse", inverted("sorted(range(len(order)), key=lambda d: order[d])")),
    ("reading", walked(CELLS.format("i * strides[0] + j * strides[1]"))),
    ("reading", walked("import numpy as np\n    steps = [8 * s for s in strides]\n    return "
                       "np.lib.stride_tricks.as_strided(np.array(storage, dtype=float), shape, "
                       "steps).ravel()")),
]  # fmt: skip


@pytest.mark.parametrize(("task", "code"), RIGHT)
def test_another_way_of_writing_it_passes(task: str, code: str) -> None:
    check: Any = tried(f"moving_back.{task}", code)
    assert check.passed, check.report
