"""Backward of one row, cell by cell: what the steps show is what the engine sent."""

from __future__ import annotations

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures import fmt
from tensorkit.pictures.backward import backward_scene
from tensorkit.tape import distinct

X = [[1.0, -2.0, 0.5], [0.25, 3.0, 2.0]]
Y = [[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]]
POSITIVE = [[1.0, 2.0, 0.5], [0.25, 3.0, 4.0]]
B = [[0.5], [-1.0]]
W = [0.5, -1.0, 2.0]
TIES = [[1.0, 3.0, 3.0], [2.0, 0.0, -1.0]]
ZEROS = [[1.0, 0.0, 3.0], [0.0, 0.0, 2.0]]

CASES = {
    **{row.name: (row, [POSITIVE], {}) for row in tk.ops.TABLE if row.kind == "map"},
    **{
        row.name: (row, [POSITIVE, Y], {})
        for row in tk.ops.TABLE
        if row.kind == "zip" and row is not tk.where
    },
    **{f"{r.name} dim 0": (r, [X], {"dim": 0}) for r in tk.ops.TABLE if r.kind == "reduce"},
    "mul broadcast": (tk.mul, [X, W], {}),
    "div both": (tk.div, [B, W], {}),
    "sub lower": (tk.sub, [W, X], {}),
    "mean of all": (tk.mean, [X], {}),
    "max with a tie": (tk.max, [TIES], {"dim": 1}),
    "prod with zeros": (tk.prod, [ZEROS], {"dim": 1}),
    "sum of three dims": (tk.sum, [np.arange(12.0).reshape(2, 3, 2)], {"dim": 1}),
}
ALL = pytest.mark.parametrize("name", CASES)


def scene_of(name, **more):
    row, data, settings = CASES[name]
    return backward_scene(row, *(tk.tensor(d) for d in data), **settings, **more)


def texts(scene, prefix, k=-1):
    state = scene.state(k)
    return [state.texts[b.key] for b in scene.boxes if b.key.rpartition(".")[0] == prefix]


def engine(name, grad_out=None):
    row, data, settings = CASES[name]
    tensors = [tk.tensor(d, requires_grad=True) for d in data]
    out = row(*tensors, **settings)
    start = np.ones(out.shape) if out.size == 1 else distinct(out.shape)
    out.backward(tk.tensor(start if grad_out is None else grad_out))
    return tensors, out


@ALL
def test_the_gradients_shown_are_those_of_the_engine(name):
    scene = scene_of(name)
    for k, leaf in enumerate(engine(name)[0]):
        assert texts(scene, f"g{k}") == [fmt(g) for g in leaf.grad.numpy().ravel().tolist()]


@ALL
def test_nothing_lies_on_anything_else(name):
    check_layout(scene_of(name))


@ALL
def test_a_gradient_is_blank_until_its_step_and_every_output_cell_has_one(name):
    scene = scene_of(name)
    _, out = engine(name)
    assert set(texts(scene, "g0", 1)) == {" "}
    cells = [
        s for s in scene.steps if any(k.startswith("grad_out") for k in s.roles.get("read", ()))
    ]
    assert [s.roles["read"][0] for s in cells] == [f"grad_out.{o}" for o in range(out.size)]


def test_upstream_gradient_is_distinct_unless_it_is_given():
    assert texts(scene_of("exp"), "grad_out") == ["1", "10", "2", "20", "3", "30"]
    given = [[3.0, 1.0, 4.0], [1.5, 9.0, 2.0]]
    scene = scene_of("mul broadcast", grad_out=given)
    assert texts(scene, "grad_out") == ["3", "1", "4", "1.5", "9", "2"]
    leaves, _ = engine("mul broadcast", given)
    assert texts(scene, "g1") == [fmt(g) for g in leaves[1].grad.tolist()]


def test_a_map_multiplies_by_the_local_derivative_written_out():
    scene = scene_of("sigmoid")
    step = scene.steps[3]
    assert step.say == ("x.grad[0, 1] = 10 · 0.10 ≈ 1.05. The slope: 0.88 · (1 − 0.88) ≈ 0.10.")
    assert step.text == {"d0.1": "0.10", "g0.1": "1.05"}
    assert set(step.roles["read"]) == {"grad_out.1", "d0.1", "out.1"}
    assert any(t.text == "slope = out · (1 − out)" for t in scene.texts)


def test_a_zip_multiplies_each_by_the_other():
    step = scene_of("mul").steps[3]
    assert step.say == "x.grad[0, 1] = 10 · 3 = 30; y.grad[0, 1] = 10 · 2 = 20."


def test_a_broadcast_shows_the_products_and_then_adds_the_copies():
    scene = scene_of("mul broadcast")
    assert texts(scene, "p1") == [
        fmt(g * x) for g, x in zip(distinct((6,)), np.ravel(X), strict=True)
    ]
    assert [step.say for step in scene.steps[-3:]] == [
        "y[0] was read 2 times: y.grad[0] = 1 + 5 = 6.",
        "y[1] was read 2 times: y.grad[1] = −20 + 9 = −11.",
        "y[2] was read 2 times: y.grad[2] = 1 + 60 = 61.",
    ]
    assert scene.steps[-2].roles["read"] == ("p1.1", "p1.4")
    assert scene.links["g1.1"] == ("p1.1", "p1.4")
    assert scene.links["p1.4"] == ("grad_out.4", "d1.4")


def test_a_sum_fans_out_to_all_that_met():
    step = scene_of("sum dim 0").steps[3]
    assert step.text == {"g0.1": "10", "g0.4": "10"}
    assert step.say == "2 cells met in out[0, 1]: each gets a copy of its gradient, 10."


def test_a_mean_shares_equally():
    step = scene_of("mean dim 0").steps[3]
    assert step.text["g0.1"] == step.text["g0.4"] == "5"
    assert step.say.endswith("each gets 10 · 0.5 = 5.")


def test_a_max_rewards_the_winner_and_ties_share():
    tie, winner = scene_of("max with a tie").steps[2:]
    assert [tie.text[f"g0.{k}"] for k in range(3)] == ["0", "0.5", "0.5"]
    assert tie.say.startswith("x[0, 1] and x[0, 2] tie in out[0, 0]")
    assert winner.say == "x[1, 0] is the largest that met in out[1, 0]: it gets 10, the others 0."


def test_a_product_with_a_zero_keeps_the_product_of_the_others():
    first, second = scene_of("prod with zeros").steps[2:]
    assert [first.text[f"g0.{k}"] for k in range(3)] == ["0", "3", "0"]
    assert [second.text[f"g0.{k}"] for k in range(3, 6)] == ["0", "0", "0"]


def test_moves_go_back_to_where_they_came_from():
    x = tk.tensor(X)
    permute = backward_scene(tk.permute, x, 1, 0)
    assert texts(permute, "g0") == ["1", "2", "3", "10", "20", "30"]
    assert permute.steps[4].say == "out[1, 0] is x[0, 1]: its gradient, 2, goes back there."
    view = backward_scene(tk.ops.get("view"), x, 3, 2)
    assert texts(view, "g0") == ["1", "10", "2", "20", "3", "30"]
    expand = backward_scene(tk.expand, tk.tensor(W), 2, 3)
    assert texts(expand, "g0") == ["21", "13", "32"]
    assert expand.steps[2].say == "x[0] was read 2 times: x.grad[0] = 1 + 20 = 21."
    for scene in (permute, view, expand):
        check_layout(scene)


def test_a_number_is_no_input_of_its_own():
    scene = backward_scene(tk.mul, tk.tensor(W), 3)
    assert scene.state(-1).texts["op"] == "× 3"
    assert texts(scene, "g0") == ["3", "30", "6"] and texts(scene, "v1") == []


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(tk.DtypeError, match="row of the table"):
        backward_scene(lambda x: x, tk.tensor(W))
    with pytest.raises(tk.GraphError, match="its input itself"):
        backward_scene(tk.contiguous, tk.tensor(X))
    with pytest.raises(tk.ShapeError, match="120 cells, and the way back of a permute"):
        backward_scene(tk.permute, tk.rand(10, 12, seed=1), 1, 0)
    with pytest.raises(tk.ShapeError, match="view a vector as"):
        backward_scene(tk.matmul, tk.zeros(2, 3), tk.zeros(3))


def test_of_large_inputs_a_part_runs_alone_and_says_so():
    x, w = tk.rand(100, 50, seed=1), tk.rand(50, seed=2)
    scene = backward_scene(tk.mul, x, w, grad_out=tk.rand(100, 50, seed=3))
    assert "(100, 50) is shown in part" in scene.steps[0].say and "alone" in scene.steps[0].say
    up = tk.rand(100, 50, seed=3).numpy()[:8, :10]
    want = (up * x.numpy()[:8, :10]).sum(0)
    assert texts(scene, "g1") == [fmt(g) for g in want.tolist()]
    assert len(scene.boxes) < 1000
    y, g = tk.rand(50, 70, seed=4), tk.rand(100, 70, seed=5)
    product = backward_scene(tk.matmul, x, y, grad_out=g)
    assert "Of (100, 50) @ (50, 70) this is (6, 6) @ (6, 6): this part" in product.steps[0].say
    sent = g.numpy()[:6, :6] @ y.numpy()[:6, :6].T
    assert texts(product, "g0") == [fmt(v) for v in sent.ravel().tolist()]
    mean = backward_scene(tk.mean, x, dim=0)
    assert texts(mean, "g0") == [fmt(g) for g in np.tile(distinct((1, 10)) / 8, (8, 1)).ravel()]
    check_layout(mean)


def test_it_can_be_painted_and_sent_to_the_browser():
    scene = scene_of("div both")
    assert scene.png(-1, dpi=40).startswith(b"\x89PNG")
    assert len(scene.payload()["steps"]) == len(scene.steps)


def test_where_sends_each_gradient_to_what_was_chosen():
    c = tk.tensor([[1.0, 0, 1], [0, 1, 1]])
    scene = backward_scene(tk.where, c, tk.tensor(X), tk.tensor(W))
    assert texts(scene, "g0") == ["0"] * 6
    assert texts(scene, "g1") == ["1", "0", "2", "0", "3", "30"]
    assert texts(scene, "g2") == ["20", "10", "0"]
    assert scene.title == "where backward: out = c ? x : y"
    assert scene.steps[3].roles["read"][-1] == "v0.1", "the slope follows from the condition"
    check_layout(scene)


M = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, -7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]


def test_a_cell_of_a_product_answers_for_its_line():
    x, y = tk.tensor(X, requires_grad=True), tk.tensor(M, requires_grad=True)
    scene = backward_scene(tk.matmul, x, y)
    (x @ y).backward(tk.tensor(distinct((2, 4))))
    assert texts(scene, "g0") == [fmt(g) for g in x.grad.numpy().ravel().tolist()]
    assert texts(scene, "g1") == [fmt(g) for g in y.grad.numpy().ravel().tolist()]
    assert len(scene.steps) == 2 + x.size + 1 + y.size + 1
    assert scene.steps[3].say == (
        "x[0, 1] took part in out[0, :], with slopes y[1, :]: "
        "x.grad[0, 1] = 1 · 5 + 10 · 6 + 2 · (−7) + 20 · 8 = 211."
    )
    assert set(scene.steps[3].roles["read"]) == {
        "v0.1", *(f"g2.{j}" for j in range(4)), *(f"v1.{j}" for j in range(4, 8))
    }  # fmt: skip
    assert scene.steps[-1].say == "All of y.grad together: y.grad = xᵀ @ grad_out."
    assert set(scene.links["g1.4"]) == {"g2.0", "v0.1", "g2.4", "v0.4"}
    check_layout(scene)
