"""The picture of a gradient check shows the report: its numbers, and the cells it calls wrong."""

from __future__ import annotations

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures.cells import number
from tensorkit.pictures.gradcheck import gradcheck_scene

A = [[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]]
B = [[4.0, 5.0, 7.0], [1.0, 2.0, -3.0]]


def report_of(change, first=A, second=B):
    """Return the report on a product whose second gradient has gone through ``change``."""

    class Product(tk.Function):
        @staticmethod
        def forward(ctx, factor, x, y):
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            return x * y * factor

        @staticmethod
        def backward(ctx, grad_out):
            x, y = ctx.saved_tensors
            grad = np.array(grad_out * x * ctx.factor)
            return None, grad_out * y * ctx.factor, tk.tensor(change(grad))

    inputs = tk.tensor(first), tk.tensor(second)
    return tk.check_gradient(Product, 3.0, *inputs, raises=False)


def scaled(*where):
    def change(grad):
        grad[where] *= 1.5
        return grad

    return change


def shown(scene, key, k=-1):
    state = scene.state(k)
    return [state.texts[box.key] for box in scene.boxes if box.key.rpartition(".")[0] == key]


def marked(scene, key, k=-1, role="wrong"):
    state = scene.state(k)
    cells = [box.key for box in scene.boxes if box.key.rpartition(".")[0] == key]
    return [k for k, cell in enumerate(cells) if state.roles[cell] == role]


@pytest.mark.parametrize("where", [(0, 0), (0, 2), (1, 2), (1, slice(None))])
def test_the_numbers_and_the_wrong_cells_are_those_of_the_report(where):
    report = report_of(scaled(*where))
    scene = gradcheck_scene(report)
    check_layout(scene)
    assert shown(scene, "w") == [number(v) for v in report.weights.ravel()]
    for i in (0, 1):
        assert shown(scene, f"t{i}0") == [number(v) for v in report.analytic[i].ravel()]
        assert shown(scene, f"t{i}1") == [number(v) for v in report.numeric[i].ravel()]
        cells = np.flatnonzero(report.wrong[i]).tolist()
        apart = [number(v) for v in report.difference[i].ravel()[cells]]
        assert [shown(scene, f"t{i}2")[c] for c in cells] == apart
        assert marked(scene, f"t{i}2") == marked(scene, f"t{i}0") == cells
        assert marked(scene, f"t{i}1") == []
    assert shown(scene, "t02") == ["≈0"] * 6
    assert scene.steps[-1].say == report.message
    assert scene.steps[-1].bad


def test_every_wrong_cell_has_a_step_under_the_number_of_its_argument():
    report = report_of(scaled(1, slice(1, None)))
    told = [step.say for step in gradcheck_scene(report).steps if step.say.startswith("Input")]
    got, want = report.analytic[1], report.numeric[1]
    assert told == [
        f"Input 2, cell [1, {j}]: backward says {got[1, j]:.6g}, nudging measures {want[1, j]:.6g}."
        for j in (1, 2)
    ]


def test_a_right_gradient_is_said_to_agree():
    scene = gradcheck_scene(report_of(lambda grad: grad))
    assert not any(step.bad for step in scene.steps)
    assert scene.steps[-1].say.startswith("Product: 12 cells agree, largest difference")


def test_of_many_cells_those_around_the_first_wrong_one_are_shown():
    big = np.arange(1.0, 1201.0).reshape(30, 40)
    scene = gradcheck_scene(report_of(scaled(29, 3), big, big + 0.5))
    check_layout(scene)
    labels = [text.text for text in scene.texts]
    assert "the gradient of input 1 (30, 40), cells [0:5, 0:4]" in labels
    assert "the gradient of input 2 (30, 40), cells [25:30, 1:5]" in labels
    assert marked(scene, "t12") == [4 * 4 + 2]


def test_cells_that_were_not_nudged_stay_blank_and_kinks_are_told():
    report = tk.check_gradient(tk.exp, tk.tensor(np.linspace(-1, 1, 24)), limit=5)
    scene = gradcheck_scene(report)
    assert shown(scene, "t01").count(" ") == shown(scene, "t02").count(" ") == 19
    assert shown(scene, "t00").count(" ") == 0
    assert "Blank cells" in scene.steps[2].say
    kinked = gradcheck_scene(tk.check_gradient(tk.relu, tk.tensor([0.0, 1.0, -2.0])))
    assert "At a kink" in kinked.steps[2].say
    assert shown(kinked, "t02")[0] != "≈0"


def test_a_gradient_of_the_wrong_shape_is_told_once():
    scene = gradcheck_scene(report_of(lambda grad: grad.sum()))
    check_layout(scene)
    assert len(scene.steps) == 4
    assert "returned a gradient of shape ()" in scene.steps[-1].say


def test_a_check_without_cells_is_drawn():
    check_layout(gradcheck_scene(tk.check_gradient(tk.exp, tk.zeros(0, 3))))


def test_step_draws_a_report_and_the_error_that_holds_one():
    report = report_of(scaled(0, 1))
    assert tk.step(report).scene.transcript() == gradcheck_scene(report).transcript()
    error = tk.GradientError(report.message, report)
    assert tk.step(error).scene.transcript() == gradcheck_scene(report).transcript()
    with pytest.raises(TypeError, match="give it alone"):
        tk.step(report, tk.tensor(A))
    with pytest.raises(TypeError, match="cannot step through GradientError"):
        tk.step(tk.GradientError("no report"))
