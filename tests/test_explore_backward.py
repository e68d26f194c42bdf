"""The backward explorer: what its wrong rules are, and which of them the numbers at hand hide."""

import numpy as np
import pytest
from homework import HOMEWORKS
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.backward_explorer import UPSTREAM, parse, upstream_of
from tensorkit.explore.layouts import KINDS, laid_out
from tensorkit.pictures.slips import RIGHT, cells, slips
from tensorkit.pictures.switches import switches_scene

X = tk.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, 2.0]])
Y = tk.tensor([[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]])


def cases():
    return tk.explore.backward().controls[0].values


def hidden(scene):
    return {
        text.text
        for text in scene.texts
        for box in scene.boxes
        if box.key.startswith("slip.") and scene.state(-1).texts[box.key] == "not seen"
        if text.key is None and abs(text.y - box.y - 0.42) < 0.1 and 0 < text.x - box.x < 3
    }


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("layout", KINDS)
def test_the_right_rules_beside_the_slips_are_the_engines(name, layout):
    row, inputs, dim = next(case for case in cases().values() if case[0].name == name)
    given = tuple(laid_out(one, layout).requires_grad_() for one in inputs)
    out = row(*given, **({} if dim is None else {"dim": dim}))
    grad = upstream_of(out.shape, "distinct")
    out.backward(tk.tensor(grad))
    sent = RIGHT[name](grad, cells(out), tuple(map(cells, given)), dim)
    for one, t in zip(sent, given, strict=True):
        np.testing.assert_allclose(one, t.grad.numpy())


@pytest.mark.parametrize("label", cases())
def test_ones_hide_what_different_numbers_show(label):
    explorer = tk.explore.backward()
    what = cases()[label]
    ones = hidden(explorer.scene(what=what, upstream="ones"))
    assert {"grad_out forgotten", "grad_out twice", "grad_out averaged"} <= ones
    shown = hidden(explorer.scene(what=what, upstream="distinct"))
    assert shown <= {"grad_out from storage", "inputs from storage", "partners from storage"}
    assert hidden(explorer.scene(what=what, upstream="distinct", layout="strided")) == set()


@pytest.mark.parametrize("label", cases())
def test_nothing_lies_on_anything_else(label):
    check_layout(tk.explore.backward().scene(what=cases()[label]))


def test_the_last_step_names_what_is_hidden():
    scene = tk.explore.backward().scene(upstream="ones", layout="permuted")
    assert scene.steps[-1].say == (
        "With all ones upstream and permuted tensors, 5 of 7 wrong rules look right: grad_out "
        "forgotten, grad_out twice, grad_out averaged, the sign of grad_out, grad_out from storage."
    )
    scene = tk.explore.backward().scene(layout="strided")
    assert scene.steps[-1].say == (
        "With different numbers upstream and strided tensors, each of the 7 wrong rules is seen."
    )


def test_the_last_step_shows_the_right_numbers_again():
    scene = tk.explore.backward().scene()
    last = scene.state(-1).texts
    assert [last[f"g0.{k}"] for k in range(6)] == ["4", "30", "−2", "40", "1.5", "45"]
    wrong = scene.steps[-2]
    assert wrong.say == "A wrong rule, the wrong partner: 12 numbers differ." and wrong.wrong


SAME = {
    ("mul", "F01"): "the wrong partner",
    ("mul", "F02"): "grad_out forgotten",
    ("mul", "F06"): "grad_out twice",
    ("mul", "Z13"): "inputs from storage",
    ("mul", "Z20"): "grad_out averaged",
    ("sum", "F12"): "grad_out forgotten",
    ("sum", "F14"): "divided by the count",
    ("sum", "R11"): "grad_out from storage",
    ("sigmoid", "F03"): "grad_out forgotten",
    ("sigmoid", "F04"): "x in place of out",
    ("sigmoid", "F06"): "grad_out twice",
    ("max", "M01"): "grad_out forgotten",
    ("max", "M02"): "to every cell",
}
HOME = HOMEWORKS["gradients"]
ENTRIES = {(entry.task, entry.id): entry for entry in HOME.bank}


@pytest.mark.parametrize("key", SAME, ids=" ".join)
@pytest.mark.parametrize("upstream", ["distinct", "ones"])
@pytest.mark.parametrize("layout", ["contiguous", "strided"])
def test_a_slip_does_what_the_wrong_answer_of_a_learner_does(key, upstream, layout):
    made = HOME.run(HOME.cell(ENTRIES[key]))[HOME.tasks[key[0]].exam.name]
    inputs = [laid_out(t, layout).requires_grad_() for t in ((X, Y) if key[0] == "mul" else (X,))]
    dim = (1,) if key[0] in ("sum", "max") else ()
    out = made.apply(*inputs, *dim)
    grad = laid_out(tk.tensor(upstream_of(out.shape, upstream)), layout)
    out.backward(grad)
    slip = next(slip for slip in slips(key[0]) if slip.name == SAME[key])
    tried = slip.try_on(grad, out, tuple(inputs), *(dim or (None,)))
    for got, t in zip(tried, inputs, strict=True):
        np.testing.assert_allclose(got, t.grad.numpy())


def test_your_own_upstream_is_typed():
    np.testing.assert_array_equal(parse("[[1, 10], [2, 20]]"), [[1, 10], [2, 20]])
    assert parse(" ") is None
    with pytest.raises(ValueError, match="is no list of numbers"):
        parse("[[1, 2], [3]]")
    own = tk.explore.backward().scene(own=parse("[[1, 2, 3], [4, 5, 6]]"))
    assert "With your grad_out upstream" in own.steps[-1].say
    assert own.state(-1).texts["g0.5"] == "9"


def test_any_row_can_be_explored_and_one_without_slips_has_no_wall():
    scene = tk.explore.backward(tk.div, X, Y).scene(upstream="ones")
    assert not any(box.key.startswith("slip") for box in scene.boxes)
    with pytest.raises(tk.DtypeError, match="no wrong rules of div are known"):
        switches_scene(tk.div, X, Y, grad_out=X, about="")
    with pytest.raises(tk.DtypeError, match="row of the table"):
        tk.explore.backward(lambda x: x, X)


def test_the_presets_are_three_and_all_is_light():
    assert upstream_of((2, 2), "one").tolist() == [[0, 0], [0, 1]]
    assert set(UPSTREAM.values()) == {"distinct", "ones", "one"}
    assert len(tk.explore.backward().html()) < 450_000
