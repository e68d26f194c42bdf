"""Boxes show the run in the engine's order, however large the graph; the game keeps its rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from overlaps import check_layout
from test_graph_scene import EXPRESSIONS, B, W, X, leaves, random_expression

import tensorkit as tk
from tensorkit.explore.graph_explorer import EXAMPLES, GAMES, graph, long_and_short, schedule
from tensorkit.pictures.graph import PAGE, graph_scene
from tensorkit.pictures.graph_nodes import brief, listed, nodes_of
from tensorkit.pictures.orders import ORDERS, walk
from tensorkit.pictures.schedule import schedule_scene
from tensorkit.tape import run

LOOKS = pytest.mark.parametrize("look", ["boxes", "folded"])


def boxes(name, look="boxes"):
    f, *data = EXPRESSIONS[name]
    return graph_scene(f, *leaves(data), look=look)


@LOOKS
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_boxes_show_the_gradients_of_the_engine_and_lie_apart(name, look):
    f, *data = EXPRESSIONS[name]
    tensors, scene = leaves(data), boxes(name, look)
    tape = run(f, *leaves(data))
    f(*tensors).backward(tk.tensor(tape.grad_out))
    texts = scene.state(-1).texts
    for k, leaf in enumerate(tensors):
        if leaf.grad is None:
            assert f"g{k}" not in texts
        else:
            assert texts[f"g{k}"] == brief(leaf.grad.numpy())
    check_layout(scene)


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_lie_apart_too(seed):
    check_layout(graph_scene(random_expression(seed), *leaves((X, W, B)), look="boxes"))


def deep(x):
    for k in range(20):
        x = (x * (k + 2)).tanh() + x
    return x.sum()


def wide(x):
    parts = [(x * k).exp() for k in range(2, 12)]
    return sum(parts[1:], start=parts[0]).sum()


@pytest.mark.parametrize("f", [deep, wide])
def test_sixty_nodes_fit_a_page(f):
    scene = graph_scene(f, *leaves([[0.25, -0.5]]))
    assert sum(box.key.startswith("v") for box in scene.boxes) >= 31
    assert scene.width <= PAGE
    check_layout(scene)


def test_a_long_expression_is_called_by_its_name_if_it_has_one():
    assert graph_scene(deep, *leaves([W])).title == "deep, forward and backward"
    unnamed = graph_scene(lambda x: deep(x * 2), *leaves([W])).title
    assert unnamed == "an expression, forward and backward"


def test_a_graph_that_is_wider_than_a_page_is_drawn_in_boxes_and_a_small_one_in_cells():
    f, *data = EXPRESSIONS["log loss"]
    assert any(box.key == "v0" for box in graph_scene(f, *leaves(data)).boxes)
    f, *data = EXPRESSIONS["diamond"]
    assert any(box.key == "v0.0" for box in graph_scene(f, *leaves(data)).boxes)
    with pytest.raises(ValueError, match="no look 'large'"):
        graph_scene(f, *leaves(data), look="large")


def test_too_many_tensors_are_refused():
    def longer(x):
        for _ in range(120):
            x = x.tanh()
        return x

    with pytest.raises(tk.ShapeError, match="121 tensors"):
        graph_scene(longer, *leaves([W]))


def test_every_step_of_the_engine_is_told_in_its_order():
    f, *data = EXPRESSIONS["log loss"]
    tape, scene = run(f, *leaves(data)), boxes("log loss")
    told = scene.steps[len(tape.calls) + 2 :]
    for step, pull in zip(told, tape.pulls, strict=True):
        assert step.roles["read"] == (f"g{tape.calls[pull.call].out}",)


def test_the_numbers_of_the_step_stand_below():
    step = boxes("neuron").steps[2]
    assert step.text["d0"].endswith("[[1, −2, 0.5], [0, 1, 2]]")
    assert step.text["d2"].endswith("[[0.5, 2, 1], [0, −1, 4]]")


def test_a_box_shows_its_numbers_to_who_points_at_it():
    scene = boxes("neuron")
    assert scene.notes["v0"] == "x = [[1, −2, 0.5], [0, 1, 2]]"
    assert scene.notes["g2"].startswith("gradient of b = [[")
    assert "<title>x = [[1, −2, 0.5], [0, 1, 2]]</title>" in scene.svg()
    assert not any(key.startswith("g") for key in schedule().scene().notes), "that would tell"


def test_a_folded_move_has_no_box_and_its_step_is_told_with_the_one_before():
    f, *data = EXPRESSIONS["moves"]
    tape, scene = run(f, *leaves(data)), boxes("moves", "folded")
    assert [
        tape.calls[n.call].name for n in nodes_of(tape, True).values() if n.call is not None
    ] == [
        "mul",
        "sum",
    ]
    last = scene.steps[-1].say
    assert last.index("× backward") < last.index("view backward") < last.index("permute backward")
    assert scene.state(-1).texts["g0"] == "0 … 5"


def test_folding_keeps_the_order_where_a_tensor_is_used_through_a_move_and_without():
    def f(x):
        v = x.view(3)
        a = x.exp()
        return v * a.view(3)

    scene = graph_scene(f, *leaves([[[0.5, -1.0, 2.0]]]), look="folded")
    said = scene.steps[-1].say
    assert said.index("exp backward") < said.index("share 1 of 2") < said.index("view backward")
    x = leaves([[[0.5, -1.0, 2.0]]])[0]
    f(x).backward(tk.tensor([1.0, 10.0, 2.0]))
    assert scene.state(-1).texts["g0"] == brief(x.grad.numpy())


def test_a_tag_names_the_tensor_of_a_line_that_would_be_too_long():
    f, inputs = EXAMPLES["network"]
    scene = graph_scene(f, *inputs, look="boxes")
    tags = [box.key for box in scene.boxes if box.key.startswith("t")]
    assert tags and all(scene.links[key][0].startswith("v") for key in tags)
    assert scene.width <= PAGE


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.zeros((0, 2)), "no cells"),
        (np.array(3.5), "3.5"),
        (np.array([1.0, -2.0]), "1   −2"),
        (np.array([4.0, 4.0, 4.0, 4.0]), "all 4"),
        (np.array([[4.0, -1.0], [0.5, 2.0]]), "−1 … 4"),
    ],
)
def test_a_tensor_in_short(values, text):
    assert brief(values) == text


def test_numbers_are_cut_where_the_room_ends():
    assert listed(np.arange(3.0)) == "[0, 1, 2]"
    assert listed(np.arange(40.0), 20) == "[0, 1, 2, 3, 4, 5, …"


def finish(turns, choose):
    """Play to the end, choosing among the turns that are allowed; return the keys and texts."""
    picked, texts, count = [], {}, {}
    while len(picked) < len(turns):
        ready = [t for t in turns if t.key not in picked and set(t.needs) <= set(picked)]
        turn = choose(ready)
        picked.append(turn.key)
        for key, said in turn.arrivals.items():
            count[key] = count.get(key, 0) + 1
            texts[key] = said[count[key] - 1]
    return picked, texts


@pytest.mark.parametrize("name", GAMES)
def test_every_allowed_order_ends_with_the_gradients_of_the_engine(name):
    f, inputs = EXAMPLES[name]
    scene = schedule_scene(f, *inputs)
    tape = run(f, *inputs)
    for choose in (lambda ready: ready[0], lambda ready: ready[-1]):
        _, texts = finish(scene.play.turns, choose)
        for k in tape.parameters:
            assert texts[f"g{k}"] == brief(tape.gradient(k))


def test_the_engine_itself_plays_by_the_rule():
    f, inputs = EXAMPLES["long and short path"]
    scene, tape = schedule_scene(f, *inputs), run(f, *inputs)
    needs = {turn.key: set(turn.needs) for turn in scene.play.turns}
    before = set()
    for pull in tape.pulls:
        key = f"g{tape.calls[pull.call].out}"
        assert needs[key] <= before
        before.add(key)


def test_a_node_is_refused_while_a_consumer_has_not_reported():
    f, inputs = EXAMPLES["long and short path"]
    turn = schedule_scene(f, *inputs).play.turns[-1]
    assert len(turn.needs) == 2
    assert all("h has 2 consumers" in said for said in turn.refused.values())
    assert any("e = exp(h)" in said for said in turn.refused.values())


def test_wrong_orders_lose_what_took_the_longer_path():
    x = tk.tensor([0.5, -1.5], requires_grad=True)
    right, *wrong = (walk(long_and_short, x, order=order) for order in ORDERS)
    long_and_short(tk.tensor([0.5, -1.5], requires_grad=True)).backward()
    h = np.array([0.25, 2.25])
    slope = np.exp(h) / (np.exp(h) + 1)
    assert right.late == 0
    np.testing.assert_allclose(right.gradients[0], 2 * x.numpy() * (1 + slope))
    for one in wrong:
        assert one.late == 1
        np.testing.assert_allclose(one.gradients[0], 2 * x.numpy())


def test_each_order_visits_every_node_once_and_only_one_is_right_everywhere():
    lost = dict.fromkeys(ORDERS, 0)
    for seed, order in itertools.product(range(10), ORDERS):
        found = walk(random_expression(seed), *leaves((X, W, B)), order=order)
        lost[order] += found.late
        assert len(found.visited) == len(run(random_expression(seed), *leaves((X, W, B))).calls)
    assert lost["newest first"] == 0 < min(lost["breadth first"], lost["depth first"])


def test_the_game_ends_by_comparing_the_orders():
    scene = schedule().scene()
    assert "breadth first, 1 share would have come too late: x.grad = [1, −3]" in scene.play.done
    assert scene.steps[-1].say == scene.play.done
    assert scene.steps[-1].text["d0"].startswith("newest")


def test_a_graph_where_no_order_loses_anything_says_so():
    scene = schedule_scene(lambda x: x.exp().sum(), *leaves([W]))
    assert "happen to lose nothing" in scene.steps[-1].say


def test_the_explorer_opens_on_examples_and_takes_an_expression():
    assert "x × x" in graph().scene().title
    own = graph(lambda x, w: (x * w).sum(), *leaves([X, W]))
    assert "Σ (x × w)" in own.scene(look="boxes").title
    with pytest.raises(tk.GraphError):
        graph(lambda x: tk.tensor(x.numpy()), *leaves([W]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_fit_a_page(name):
    scene = graph().scene(example=EXAMPLES[name])
    assert scene.width <= PAGE
    check_layout(scene)
