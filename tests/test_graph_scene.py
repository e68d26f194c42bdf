"""The picture of a graph shows the engine's numbers, and nothing in it lies on anything else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.font_manager import findfont, get_font
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures import Scene, fmt
from tensorkit.pictures.cells import number, window
from tensorkit.pictures.graph import graph_scene
from tensorkit.tape import run

X = [[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]]
Y = [[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]]
W = [0.5, -1.0, 2.0]
B = [[0.5], [-1.0]]


class Cube(tk.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        return grad_out * 3 * x * x


def softmax(x):
    e = (x - x.max(1)).exp()
    return e / e.sum(1)


def log_loss(x, w, t):
    p = (x * w).sum(1).sigmoid()
    return -(t * p.log() + (1 - t) * (1 - p).log()).mean()


def matmul(a, b):
    return (a.view(2, 3, 1) * b.view(1, 3, 2)).sum(1).view(2, 2)


EXPRESSIONS = {
    "neuron": (lambda x, w, b: (x * w + b).sigmoid().sum(), X, W, B),
    "softmax": (softmax, X),
    "square": (lambda x: (x * x).sum(), W),
    "diamond": (lambda x, y: x * y + x, X, Y),
    "three uses": (lambda x: ((x.exp().tanh() + x) * x).sum(), W),
    "numbers": (lambda x: (2 * x - 1) ** 3 / 4, W),
    "own function": (lambda x, w: Cube.apply(x * w).mean(), X, W),
    "moves": (lambda x: (x.permute(1, 0).contiguous().view(6) * tk.arange(6)).sum(), X),
    "matmul": (matmul, X, [[1.0, -1.0], [2.0, 0.5], [3.0, 1.0]]),
    "log loss": (log_loss, X, W, [[1.0], [0.0]]),
    "both stretched": (lambda b, w: (b * w).max(0), B, W),
    "stretched twice": (lambda w, x: w * x + w, W, X),
    "product": (lambda x: x.prod(1).sum(), X),
    "unused input": (lambda x, w: x.relu().sum(), X, W),
    "leaf alone": (lambda x: x, W),
}
ALL = pytest.mark.parametrize("name", EXPRESSIONS)


def leaves(data):
    return [tk.tensor(one, requires_grad=True) for one in data]


def scene_of(name):
    f, *data = EXPRESSIONS[name]
    return graph_scene(f, *leaves(data), look="cells")


def shown(scene: Scene, prefix: str, k: int = -1) -> list[str]:
    state = scene.state(k)
    keys = [box.key for box in scene.boxes if box.key.rpartition(".")[0] == prefix]
    return [state.texts[key] for key in keys]


def random_expression(seed):
    """A function that builds a random graph of up to 12 operations."""

    def f(x, w, b):
        draw = np.random.default_rng(seed)
        made = [x, w, b]
        for _ in range(int(draw.integers(3, 13))):
            a, c = (made[int(draw.integers(len(made)))] for _ in range(2))
            kind = int(draw.integers(6))
            if kind < 3:
                made.append((a * c, a + c, a.maximum(c))[kind])
            else:
                made.append((a.tanh(), a.sum(0) if a.ndim else a.exp(), a * 2 - 1)[kind - 3])
        total = made[-1].sum()
        for one in made[3:-1]:
            total = total + one.sum() if draw.random() < 0.3 else total
        return total

    return f


def test_the_check_of_the_layout_sees_what_it_should():
    scene = Scene(9, 3, "crowded")
    scene.cell("a", 1, 1)
    scene.cell("b", 4, 1)
    check_layout(scene)
    scene.arrow("over", (0, 1.5), (6, 1.5))
    with pytest.raises(AssertionError, match="over runs through a"):
        check_layout(scene)
    scene.label(1.2, 1.5, "on a cell")
    with pytest.raises(AssertionError, match="on a cell"):
        check_layout(scene)
    scene.cell("c", 1.5, 1.2)
    with pytest.raises(AssertionError, match="a lies on c"):
        check_layout(scene)


@ALL
def test_nothing_lies_on_anything_else(name):
    check_layout(scene_of(name))


@pytest.mark.parametrize("seed", range(25))
def test_nothing_lies_on_anything_else_in_a_random_graph(seed):
    check_layout(graph_scene(random_expression(seed), *leaves((X, W, B)), look="cells"))


@ALL
def test_the_gradients_shown_are_those_of_the_engine(name):
    f, *data = EXPRESSIONS[name]
    tensors = leaves(data)
    root = f(*tensors)
    tape = run(f, *leaves(data))
    root.backward(tk.tensor(tape.grad_out))
    scene = scene_of(name)
    for k, leaf in enumerate(tensors):
        expected = [] if leaf.grad is None else [number(g) for g in leaf.grad.numpy().flat]
        assert shown(scene, f"g{k}") == expected


@pytest.mark.parametrize("seed", range(8))
def test_the_gradients_of_a_random_graph_are_those_of_the_engine(seed):
    tensors = leaves((X, W, B))
    random_expression(seed)(*tensors).backward()
    scene = graph_scene(random_expression(seed), *leaves((X, W, B)), look="cells")
    for k, leaf in enumerate(tensors):
        expected = [] if leaf.grad is None else [number(g) for g in leaf.grad.numpy().flat]
        assert shown(scene, f"g{k}") == expected


@ALL
def test_one_step_for_every_call_and_every_step_of_the_engine(name):
    f, *data = EXPRESSIONS[name]
    tape, scene = run(f, *leaves(data)), scene_of(name)
    assert len(scene.steps) == 1 + len(tape.calls) + 1 + len(tape.pulls)
    for step, pull in zip(scene.steps[len(tape.calls) + 2 :], tape.pulls, strict=True):
        call = tape.calls[pull.call]
        assert step.say.startswith(f"{call.name if call.kind == 'move' else call.symbol} backward")


def test_values_appear_as_they_are_computed():
    scene = scene_of("neuron")
    assert shown(scene, "v4", 1) == [" "] * 6
    assert shown(scene, "v4", 2) == ["0.5", "2", "1", "0", "−1", "4"]


def test_the_copies_of_a_broadcast_are_dashed_and_add_up_on_the_way_back():
    scene = scene_of("neuron")
    state = scene.state(3)
    assert [state.roles[f"v3.{k}"] for k in range(6)] == [None] * 3 + ["ghost"] * 3
    last = scene.steps[-1]
    assert "copies add" in last.say and last.text["r0.0"] == "Σ dim 0: copies add"
    assert "w.grad[1] = −0.14 + 0.10 ≈ −0.04" in last.say
    assert set(last.roles["read"]) == {f"g3.{k}" for k in range(6)}
    assert scene.links["g1.1"] == ("g3.1", "g3.4")


def test_a_broadcast_of_a_tensor_that_is_used_again_is_an_operation_of_its_own():
    scene = scene_of("stretched twice")
    assert any(box.key == "op0" for box in scene.boxes)
    assert {box.key for box in scene.boxes} >= {"s0.1.0", "s0.2.0", "g0.0"}
    assert {"from out", "+ from m"} <= {text.text for text in scene.texts}


def test_shares_are_shown_before_their_sum():
    scene = scene_of("diamond")
    first, second = scene.steps[-2:]
    assert "share 1 of 2" in first.say
    assert first.text["s0.1.1"] == "10" and "g0.1" not in first.text
    assert second.text["s0.2.1"] == "30" and second.text["g0.1"] == "40"
    assert "x.grad[0, 1] = 10 + 30 = 40" in second.say
    assert scene.links["g0.1"] == ("s0.1.1", "s0.2.1")


def test_a_square_sends_two_shares_in_one_step():
    step = scene_of("square").steps[-1]
    assert [step.text[key] for key in ("s0.1.1", "s0.2.1", "g0.1")] == ["−1", "−1", "−2"]


def test_rules_carry_the_names_and_numbers_of_the_expression():
    texts = scene_of("neuron").state(-1).texts
    assert [texts[key] for key in ("r1.0", "r1.1", "r4.0", "r5.0")] == [
        "× w",
        "× x",
        "× y · (1 − y)",
        "copies",
    ]
    powers = scene_of("numbers").state(-1).texts
    assert powers["op2"] == "^ 3" and powers["r2.0"] == "× 3 · d^2"


def test_hover_links_a_gradient_with_what_it_is_made_of():
    scene = scene_of("neuron")
    assert scene.links["v4.4"] == ("v0.4", "v3.4")
    assert set(scene.links["g0.4"]) == {"g4.4", "v3.4"}


def test_a_permuted_gradient_goes_back_to_its_own_cell():
    scene = graph_scene(
        lambda x: x.permute(1, 0) * tk.tensor([[1.0, 2], [3, 4], [5, 6]]), *leaves([X])
    )
    assert scene.links["g0.1"] == ("g1.2",)


def test_a_large_tensor_shows_its_first_cells_and_says_so():
    x = tk.rand(32, 10, seed=1, requires_grad=True)
    scene = graph_scene(lambda x: x.tanh().mean(), x)
    assert len(shown(scene, "v0")) == np.prod(window((32, 10))) <= 24
    assert shown(scene, "v0")[1] == fmt(x.numpy()[0, 1])
    assert any("first 5 × 4" in text.text for text in scene.texts)
    check_layout(scene)


def test_too_many_operations_and_too_many_dims_are_refused():
    def deep(x):
        for _ in range(41):
            x = x.tanh()
        return x

    with pytest.raises(tk.ShapeError, match="41 operations"):
        graph_scene(deep, *leaves([W]), look="cells")
    with pytest.raises(tk.ShapeError, match="at most 4"):
        graph_scene(lambda x: x.exp(), tk.ones(1, 2, 1, 2, 1, requires_grad=True))


def test_constants_have_no_gradient():
    x, w = tk.tensor(X, requires_grad=True), tk.tensor(W)
    scene = graph_scene(lambda x, w: x * w, x, w)
    assert shown(scene, "g1") == [] and shown(scene, "v1")[:3] == ["0.5", "−1", "2"]
    assert any(text.text.endswith("constant") for text in scene.texts)


@pytest.mark.parametrize(
    ("f", "data", "gradient"),
    [
        (lambda x: (x * x).sum(), [np.zeros((0, 3))], []),
        (lambda x, w: (x * w).sum(), [[1.0, 2.0], [[1.0], [3.0]]], ["4", "4"]),
        (lambda x, y: x * y + x, [2.0, 3.0], ["4"]),
        (lambda x: (x.log() * x).sum(), [[0.0, -1.0, 1.0]], ["nan", "nan", "1"]),
        (lambda x: x.sum((0, 2)), [np.arange(12.0).reshape(2, 3, 2)], ["1", "1", "10", "10", "2"]),
        (lambda x: x.sum(3).exp(), [np.zeros((2, 1, 2, 2))], ["1", "1", "10", "10", "2"]),
        (lambda x: (x > 1) * x, [[1.0, 2.0, 3.0]], ["0", "10", "2"]),
        (lambda x: x + np.array([[1.0], [2.0]]), [[1.0, 2.0, 3.0]], ["21", "13", "32"]),
    ],
)
def test_unusual_tensors_are_drawn_too(f, data, gradient):
    scene = graph_scene(f, *leaves(data))
    check_layout(scene)
    assert shown(scene, "g0")[:5] == gradient


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_painted_and_sent_to_the_browser(dark):
    scene = scene_of("softmax")
    assert scene.png(-1, dpi=40, dark=dark).startswith(b"\x89PNG")
    assert scene.payload()["steps"][-1]["s"].startswith("max backward")


def test_the_font_of_the_pictures_has_every_sign_of_the_table():
    known = get_font(findfont("DejaVu Sans")).get_charmap()
    assert not {row.name: row.symbol for row in tk.ops.TABLE if {*map(ord, row.symbol)} - {*known}}


NUMBER = r"−?\d+(?:\.\d+)?(?:e−?\d+)?"
EQUATION = re.compile(rf"({NUMBER}(?: [·×+−] {NUMBER})+) ([=≈]) ({NUMBER})(?!\w|\.\d)")


def test_an_equation_holds_as_it_is_written():
    python = str.maketrans({"·": "*", "×": "*", "−": "-"})
    steps = [step.say for name in EXPRESSIONS for step in scene_of(name).steps]
    said = [found for say in steps for found in EQUATION.findall(say)]
    for left, sign, right in said:
        off = abs(eval(left.translate(python)) - float(right.translate(python)))
        assert sign == "≈" or off < 1e-9, (left, sign, right)
    signs = [sign for _, sign, _ in said]
    assert signs.count("=") > 9 and signs.count("≈") > 9
