"""The gradient in the picture is the engine's, and a choice is right where its shape can be."""

import itertools
import re

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.unbroadcast_explorer import ready_cases, subsets
from tensorkit.pictures.cells import number
from tensorkit.pictures.text import MINUS
from tensorkit.pictures.unbroadcast import Undo, unbroadcast_scene
from tensorkit.tape import distinct

PAIRS = [((3, 1), (4,)), ((4, 1), (2, 1, 3)), ((2, 3), (2, 3)), ((), (2, 3)), ((1, 3), (1, 1))]
OPS = [tk.add, tk.mul, tk.sub]


def tensors(pair):
    return {
        name: tk.tensor(
            (np.arange(1.0, 1 + int(np.prod(shape))) * (1.5, -0.5)[k] + k).reshape(shape)
        )
        for k, (name, shape) in enumerate(zip("xy", pair, strict=True))
    }


def backward(inputs, of, op):
    leaves = {name: tk.tensor(t.numpy(), requires_grad=True) for name, t in inputs.items()}
    out = op(*leaves.values())
    out.backward(distinct(out.shape))
    return leaves[of].grad.numpy()


def check_gradient(scene, wanted):
    """The last grid holds the gradient, and each of its cells the sum that its step tells."""
    end = scene.state(-1)
    grids = {box.key.split(".")[0] for box in scene.boxes if box.key.startswith("grid")}
    last = max(grids)
    seen = [text for key, text in end.texts.items() if key.startswith(last + ".")]
    assert seen == [number(v) for v in wanted.ravel()]
    told = [step for step in scene.steps if re.match(r"\w\.grad(\[[^]]*\])? = .*, from", step.say)]
    assert len(told) == wanted.size
    for step, value in zip(told, wanted.ravel(), strict=True):
        read = [end.texts[key].replace(MINUS, "-") for key in step.roles["read"]]
        assert sum(map(float, read)) == pytest.approx(value)


CASES = [(pair, of, op) for pair in PAIRS for of in "xy" for op in OPS]


@pytest.mark.parametrize(("pair", "of", "op"), CASES, ids=str)
def test_the_gradient_is_what_backward_gives_whatever_was_chosen(pair, of, op):
    inputs = tensors(pair)
    wanted = backward(inputs, of, op)
    ndim = len(tk.broadcast_shapes(*pair))
    for dims in subsets(ndim).values():
        scene = unbroadcast_scene(inputs, of, dims, op)
        check_layout(scene)
        if dims is not None:
            check_gradient(scene, wanted)


def test_the_gradient_of_another_operation_is_found_out():
    inputs = tensors(PAIRS[0])
    with pytest.raises(AssertionError):
        check_gradient(unbroadcast_scene(inputs, "y", (0,), tk.add), backward(inputs, "y", tk.mul))


@pytest.mark.parametrize(("pair", "of", "op"), CASES, ids=str)
def test_a_choice_is_right_where_summing_leaves_the_shape_of_the_input(pair, of, op):
    inputs = tensors(pair)
    undo, wanted = Undo(inputs, of, op, None), backward(inputs, of, op)
    for dims in subsets(len(undo.shape)).values():
        if dims is None:
            continue
        total = undo.arriving.numpy().sum(dims, keepdims=True)
        fits = total.size == wanted.size and np.allclose(total.ravel(), wanted.ravel())
        scene = unbroadcast_scene(inputs, of, dims, op)
        assert fits == any(step.say.startswith("Right: ") for step in scene.steps)
        assert fits != any(step.wrong for step in scene.steps)
        seen = [text for key, text in scene.state(-1).texts.items() if key.startswith("grid1.")]
        assert seen == [number(v) for v in total.ravel()]


@pytest.mark.parametrize(("pair", "of", "op"), CASES, ids=str)
def test_the_code_of_the_last_step_gives_the_gradient(pair, of, op):
    inputs = tensors(pair)
    undo = Undo(inputs, of, op, None)
    scene = unbroadcast_scene(inputs, of, (), op)
    text = re.search(r" = (.*), of shape", scene.steps[-1].say)[1]
    code = text.replace("×", "*").replace(MINUS, "-")
    made = eval(code, {"grad_out": undo.grad_out, **inputs})
    if len(made.shape) == len(undo.x.shape):
        assert made.shape == undo.x.shape
    np.testing.assert_allclose(made.numpy().ravel(), backward(inputs, of, op).ravel())


def test_what_is_mixed_and_what_is_left_apart_is_said_with_its_cells():
    scene = unbroadcast_scene(tensors(((3, 1), (4,))), "x", (0,))
    mixed, left = scene.steps[1:3]
    assert mixed.say == (
        "Dim 0 was not stretched, x has length 3 there: the first cell of your sum mixes the "
        "gradients of x[0, 0], x[1, 0] and x[2, 0]."
    )
    assert set(mixed.roles["wrong"]) >= {"grid0.0", "grid0.4", "grid0.8", "grid1.0"}
    assert "the gradients of x[0, 0] are still in 4 cells of your sum" in left.say
    none = unbroadcast_scene(tensors(((3, 1), (4,))), "y", ())
    assert [step.say for step in none.steps if step.wrong] == [
        "Dim 0 is new in the result, with length 3, and you did not sum over it: "
        "the gradients of y[0] are still in 3 cells of your sum."
    ]


def test_before_the_choice_nothing_is_given_away():
    scene = unbroadcast_scene(tensors(PAIRS[1]), "x")
    (step,) = scene.steps
    assert step.say.endswith("Over which dims do you sum to get x.grad?")
    assert not any(text for key, text in scene.state(0).texts.items() if key.startswith("grid1"))


def test_the_explorer_opens_with_cases_and_takes_ones_own():
    explorer = tk.explore.unbroadcast()
    assert len(explorer.html()) < 450_000
    for case, dims in itertools.product(ready_cases().values(), subsets(3).values()):
        scene = explorer.scene(case=case, dims=dims)
        ndim = len(tk.broadcast_shapes(*(t.shape for t in case[0].values())))
        assert scene.steps[-1].bad == (max(dims or (), default=0) >= ndim)
    own = tk.explore.unbroadcast(
        [[1.5], [2.0]], [3.0, -1.0, 4.0], tk.mul, np.arange(6.0).reshape(2, 3)
    )
    check_gradient(own.scene(dims=(1,)), np.array([[7.0], [25.0]]))
    big = tk.explore.unbroadcast(tk.ones(3, 20), tk.ones(5, 3, 1)).scene(dims=(0,))
    assert len(big.boxes) < 12 and big.steps[1].say.startswith("Right: ")
    with pytest.raises(tk.ShapeError, match=r"grad_out has shape \(2,\)"):
        tk.explore.unbroadcast(tk.ones(3, 1), tk.ones(4), grad_out=[1.0, 2.0])
    with pytest.raises(TypeError, match="both x and y"):
        tk.explore.unbroadcast(tk.ones(3, 1))
    with pytest.raises(tk.ShapeError, match="cannot broadcast"):
        tk.explore.unbroadcast(tk.ones(3), tk.ones(4))
