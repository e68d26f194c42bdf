"""The arrows to draw are those along which a nudge gets through, and each is explained."""

from __future__ import annotations

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.arrows_explorer import EXAMPLES, arrows
from tensorkit.pictures.arrows import arrows_scene, reads
from tensorkit.tape import run

X = [[3.0, 1.0, -2.0], [4.0, 5.0, 6.0]]
ALL = pytest.mark.parametrize("name", EXAMPLES)


def leaf(data):
    return tk.tensor(data, requires_grad=True)


def nudged(f, inputs):
    """Which output cells move when an input cell is nudged, found with numbers alone."""
    cells = [(k, c) for k, t in enumerate(inputs) for c in range(t.size)]
    moved = set()
    for column, (k, c) in enumerate(cells):
        before = f(*inputs).numpy().ravel()
        changed = [t.numpy().copy() for t in inputs]
        changed[k].flat[c] += 1e-3
        after = f(*map(tk.tensor, changed)).numpy().ravel()
        moved |= {(f"g{o}", f"d{column}") for o in np.flatnonzero(after != before)}
    return moved


@ALL
def test_the_arrows_to_draw_are_where_a_nudge_gets_through(name):
    f, inputs = EXAMPLES[name]
    scene = arrows_scene(f, *inputs)
    assert set(scene.play.edges) == nudged(f, inputs)
    check_layout(scene)


@ALL
def test_the_demonstration_draws_them_all_and_ends_with_the_gradients_of_the_engine(name):
    f, inputs = EXAMPLES[name]
    scene, tape = arrows_scene(f, *inputs), run(f, *inputs)
    state = scene.state(-1)
    drawn = {tuple(key[1:].split(".")) for key in state.shown if key.startswith("b")}
    assert {(f"g{o}", f"d{c}") for o, c in drawn} == set(scene.play.edges)
    flat = np.concatenate([tape.gradient(k).ravel() for k in tape.parameters])
    assert [float(state.texts[f"d{c}"].replace("−", "-")) for c in range(len(flat))] == list(flat)


@ALL
def test_every_arrow_that_may_be_drawn_or_missing_has_its_sentence(name):
    f, inputs = EXAMPLES[name]
    game = arrows_scene(f, *inputs).play
    assert set(game.why) == {(a, b) for a in game.sources for b in game.targets}
    for edge, said in game.why.items():
        assert ("belongs to" in said) == (edge in set(game.edges))


def test_what_is_said_of_an_arrow_is_true_of_the_run():
    game = arrows_scene(lambda x: x.max(1), leaf(X)).play
    assert game.why["g0", "d0"] == (
        "x[0, 0] went into out[0, 0], which moves just as far: a share of grad_out[0, 0] "
        "belongs to x.grad[0, 0]."
    )
    assert game.why["g0", "d1"].endswith("a nudge of it does not move out[0, 0]: the slope is 0.")
    assert game.why["g0", "d3"].startswith("x[1, 0] did not go into out[0, 0]")
    twice = arrows_scene(lambda x, y: x * y, leaf([2.0, 3.0]), leaf([5.0, 7.0])).play
    assert "moves 5 times as far" in twice.why["g0", "d0"]


def test_arrows_that_meet_add():
    last = arrows_scene(*flatten(EXAMPLES["broadcast"])).steps[-1].say
    assert last.endswith("where several arrive they add: b.grad[0] = 1 + 20 = 21.")
    winners = arrows_scene(*flatten(EXAMPLES["max"])).steps[-1].say
    assert "but for 4 along which a nudge does not get through" in winners


def flatten(example):
    f, inputs = example
    return f, *inputs


def test_forward_reads_through_every_call_of_an_expression():
    tape = run(lambda x, b: (x * b).sum(1), leaf(X), leaf([1.0, 2.0, 4.0]))
    met = reads(tape)
    assert met[0] == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)}
    assert met[1] == {(0, 3), (0, 4), (0, 5), (1, 0), (1, 1), (1, 2)}


def test_an_expression_and_an_upstream_of_ones_own():
    shown = arrows(lambda x: x.sum(0), leaf(X), grad_out=[[5.0, -1.0, 2.5]])
    assert "grad_out[0, 1] = −1 sends −1 · 1 to x.grad[0, 1]" in shown.scene.transcript()
    assert "max(x)" in arrows(lambda x: x.max(1), leaf(X)).scene.title


def test_where_nothing_gets_through_there_is_nothing_to_draw():
    scene = arrows_scene(lambda x: (x > 2) * 1.0 + 0 * x.sum(), leaf([1.0, 5.0]))
    assert scene.play is None and "sends nothing" in scene.steps[1].say
    assert [scene.state(-1).texts[f"d{c}"] for c in range(2)] == ["0", "0"]


def test_too_many_cells_are_refused():
    with pytest.raises(tk.ShapeError, match="20 input cells and 20 output cells"):
        arrows_scene(lambda x: -x, leaf(np.arange(20.0).reshape(4, 5)))


def test_the_explorer_offers_every_kind_as_a_game():
    explorer = arrows()
    for example in EXAMPLES.values():
        assert explorer.scene(kind=example).play is not None
