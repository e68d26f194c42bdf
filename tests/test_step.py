"""tk.step looks at what it is given; the lecture's figures are ready to step through."""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.widgets import figures
from tensorkit.widgets.step import is_loop, step
from tensorkit.widgets.stepper import Stepper

X = tk.tensor([[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]])


def my_map(out, out_shape, out_strides, a, a_shape, a_strides):
    for o in range(6):
        out[o] = a[o] + 1


def test_an_operation_steps_forward_and_with_grad_out_backward():
    assert step(tk.neg, X).scene.title == "neg: change the sign"
    assert step(tk.sum, X, dim=0).scene.title == "sum over dim 0"
    assert len(step(tk.neg, X, out_strides=(1, 3)).scene.steps) == 7
    back = step(tk.mul, X, 2.0 * X, grad_out=0.5 * X + 1)
    assert isinstance(back, Stepper) and "grad" in back.scene.transcript().lower()


def test_an_expression_steps_on_its_graph():
    scene = step(lambda x, w: (x * w).sigmoid().sum(), X, tk.tensor([0.5, 2.0])).scene
    assert scene.arrows and len(scene.steps) > 3


def test_a_function_of_out_is_a_loop_of_your_own():
    assert step(my_map, X, like=lambda v: v + 1).scene.steps[-1].say.startswith("Every cell")
    assert step(my_map, X, like=tk.neg, start=2.0).scene.steps[-1].wrong

    class Compiled:
        py_func = staticmethod(my_map)

        def __call__(self, *arguments):
            raise AssertionError("numba's function keeps the Python in py_func")

    assert is_loop(Compiled()) and not is_loop(tk.sum) and not is_loop(lambda x, out: x)
    assert len(step(Compiled(), X).scene.steps) == 8


@pytest.mark.parametrize(
    ("what", "inputs", "options", "words"),
    [
        (my_map, (X,), {"grad_out": X}, "your own loop has no option grad_out"),
        (tk.neg, (X,), {"like": tk.neg}, "the operation neg has no option like"),
        (tk.neg, (X,), {"grad_out": X, "start": 1.0}, "the backward of neg has no option start"),
        (lambda x: x.sum(), (X,), {"dim": 0}, "an expression has no option dim"),
        (X, (), {}, "cannot step through Tensor: give an operation such as tk.mul"),
    ],
)
def test_options_that_do_not_belong_are_refused(what, inputs, options, words):
    with pytest.raises(TypeError, match=words):
        step(what, *inputs, **options)


FIGURES = [
    "map", "zip", "reduce", "stencil", "implement",
    "map_back", "zip_back", "reduce_back", "jacobian",
]  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_steps_and_a_picture(name):
    stepper = getattr(figures, name)()
    assert isinstance(stepper, Stepper)
    assert len(stepper.scene.steps) > 2
    assert stepper.scene.png(-1, dpi=72).startswith(b"\x89PNG")
    assert not any(one.wrong for one in stepper.scene.steps)


def test_figures_take_numbers_of_your_own():
    x = tk.tensor(np.arange(4.0).reshape(2, 2) + 0.5)
    assert len(figures.map(x, tk.exp).scene.steps) == 5
    assert len(figures.zip(x, 2.0, tk.pow).scene.steps) == 5
    assert figures.reduce(x, 1, tk.prod).scene.title == "prod over dim 1"
    assert len(figures.stencil(dim=2).scene.steps) == 7
    assert figures.implement(x, 0).scene.steps[-1].say.endswith("goes from 1.5 to 5.")


def test_the_jacobian_is_that_of_the_example_of_the_lecture():
    scene = figures.jacobian().scene
    state = scene.state(-1)
    assert [state.texts[f"sum.{c}"] for c in (0, 1)] == ["51", "20"]
    assert tk.check_gradient(figures.MyFun, tk.tensor([2.0, 5.0])).ok


def test_a_function_of_your_own_is_stepped_by_its_name():
    x = tk.tensor([2.0, 5.0])
    assert tk.step(figures.MyFun, x).scene.title == "MyFun(x), forward and backward"
    assert (
        tk.step(figures.MyFun, x, grad_out=[3.0, 4.0]).scene.transcript()
        == tk.step(figures.MyFun.apply, x, grad_out=[3.0, 4.0]).scene.transcript()
    )
    assert figures.jacobian(figures.MyFun, x).scene.title == "out = MyFun(x): every derivative"
