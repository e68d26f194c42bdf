"""Every suspect is wrong, none is caught on everything, and each verdict is what a run gives."""

from __future__ import annotations

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.arena_explorer import (
    UPSTREAMS,
    arena,
    everywhere,
    hides,
    results,
    smallest,
    trial,
)
from tensorkit.explore.suspects import Suspect, Trial, max_from_zero, run_loop, suspects
from tensorkit.pictures.arena import Verdict, arena_scene

BY_NAME = {one.name: one for one in suspects()}
PLAIN = ((2, 3), "plain", "all ones", "ones")
BEST = ((2, 3), "permuted", "zero and tie", "distinct")


@pytest.mark.parametrize("one", suspects(), ids=lambda one: one.name)
def test_every_suspect_dies_somewhere_and_its_name_and_claim_say_nothing_of_its_mistake(one):
    assert any(results(where)[one.name] for where in everywhere())
    assert one.sentence not in (one.name, one.claim)


def test_most_suspects_survive_somewhere():
    always = [n for n in BY_NAME if all(results(where)[n] for where in everywhere())]
    assert len(BY_NAME) == 24 and len(always) <= 4


@pytest.mark.parametrize("one", suspects(), ids=lambda one: one.name)
def test_the_right_answer_is_never_found_out(one):
    honest = Suspect("Zoe", one.claim, "the truth", one.right, one.right, one.settle)
    assert all(honest.evidence(trial(where)) is None for where in everywhere())


def test_right_answers_are_those_of_tensorkit():
    one = trial(BEST)
    by_claim = {s.claim: s.right(one) for s in suspects()}
    x = tk.tensor(one.x.numpy(), requires_grad=True)
    x.prod(1).backward(tk.tensor(one.upstream((2, 1))))
    np.testing.assert_allclose(by_claim["prod, backward"][0], x.grad.numpy())
    np.testing.assert_allclose(by_claim["max, a reduce"][0], one.x.max(1).numpy())
    b = tk.tensor([0.5, 2.0, -1.0], requires_grad=True)
    (one.x.detach() * 0 + b).backward(tk.tensor(one.grad_out))
    np.testing.assert_allclose(by_claim["undo a broadcast"][0], b.grad.numpy())


def test_where_all_is_one_nothing_is_learned_of_layout_and_upstream():
    survivors = {name for name, evidence in results(PLAIN).items() if not evidence}
    claims = {BY_NAME[name].claim for name in survivors}
    assert {"neg, a map", "mul, a zip", "sum, a reduce", "relu, backward"} <= claims
    assert len(survivors) == 16 and sum(not e for e in results(BEST).values()) == 1


def test_the_smallest_set_finds_out_everybody_and_no_single_input_does():
    best = smallest()
    found = [{n for n, e in results(where).items() if e} for where in best]
    assert set.union(*found) == set(BY_NAME)
    assert len(best) == 2
    assert all(len([e for e in results(where).values() if e]) < 24 for where in everywhere())


def test_what_a_survivor_hides_behind_is_tried():
    pat = next(s for s in suspects() if "as if grad_out were all ones: mult" in s.sentence)
    assert hides(pat, PLAIN) == ("another upstream gradient",)
    near = (*PLAIN[:3], "distinct")
    assert (
        results(near)[pat.name]
        == "first wrong cell [1, 0]: got 1, want 10 (3 of 6 cells are wrong)"
    )
    assert hides(BY_NAME["Abe"], PLAIN) == ()
    assert hides(BY_NAME["Abe"], ((2, 3), "plain", "all different", "ones")) == ("another layout",)


def test_loops_meet_the_storage_as_it_lies():
    x = tk.tensor([[1.0, -2.0, 5.0], [-4.0, -3.0, -6.0]])
    np.testing.assert_array_equal(run_loop(max_from_zero, x, fold=True), [[5.0], [0.0]])
    there = Trial(x.T, x.T, np.ones((3, 2)))
    wrong = BY_NAME["Abe"].evidence(there)
    assert wrong == "first wrong cell [0, 1]: got 2, want 4 (4 of 6 cells are wrong)"


def test_the_wall_marks_the_dead_and_tells_their_sentence_and_keeps_that_of_the_others():
    scene = arena().scene()
    found = results(PLAIN)
    for k, one in enumerate(suspects()):
        step = scene.steps[k + 1]
        assert step.say.startswith(f"{one.name} ({one.claim})")
        assert (one.sentence in step.say) == bool(found[one.name]) == step.wrong
    state = scene.state(-1)
    dead = [key for key, role in state.roles.items() if role == "wrong"]
    assert len(dead) == 8 and "finds out 8 of 24" in scene.steps[25].say
    check_layout(scene)


def test_every_scene_has_the_same_cells_so_that_the_dead_stay_turned_over():
    explorer = arena()
    scenes = [explorer.scene(values=values) for values in ("all ones", "zero and tie")]
    assert scenes[0].boxes == scenes[1].boxes and explorer.sticky


def test_the_end_names_inputs_that_are_enough():
    last = arena().scene().steps[-1].say
    assert last.startswith("Enough for all 24: (2, 3)")
    assert last.count("upstream") == len(smallest())


def test_an_input_of_the_learners_own():
    x = tk.tensor([[2.0, -1.0], [0.0, 3.0], [5.0, 5.0]])
    explorer = arena(x.T)
    scene = explorer.scene()
    assert "strides (1, 2)" in scene.texts[0].text.replace("\N{NO-BREAK SPACE}", " ")
    dead = [sum(s.wrong for s in explorer.scene(upstream=u).steps) for u in UPSTREAMS]
    assert dead[0] < dead[1]
    mine = arena(x, grad_out=tk.tensor([[1.0, 2.0], [-3.0, 4.0], [5.0, 6.0]]))
    assert "−3" in " ".join(text.text for text in mine.scene().texts)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": 3.0}, "1 dim"),
        ({"x": np.zeros((5, 5))}, "1 to 24 cells"),
        ({"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "one shape for both"),
        ({"x": [1.0, 2.0], "grad_out": [[1.0, 2.0]]}, r"grad_out has shape \(1, 2\)"),
    ],
)
def test_other_inputs_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        arena(**given)


def test_the_picture_of_any_verdicts():
    verdicts = [
        Verdict("Ann", "add, a zip", "x minus y", "got 1, want 3"),
        Verdict("Ben", "exp, a map", "1 + x", None, ("other values",)),
    ]
    scene = arena_scene("two", ["x = 0"], verdicts)
    assert scene.steps[1].caption.endswith("got 1, want 3. What it computes: x minus y.")
    assert scene.steps[2].say.endswith("cell by cell; other values would give it away.")
    assert scene.state(-1).roles == {"d0": None, "s0": "wrong", "s1": "done"}
