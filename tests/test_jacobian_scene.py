"""The grid of many derivatives is the Jacobian, and its weighted sums are the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures.cells import number
from tensorkit.pictures.jacobian import jacobian_scene
from tensorkit.tape import distinct

X = [[1.0, -2.0, 0.5], [0.25, 3.0, 2.0]]
Y = [[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]]
W = [0.5, -1.0, 2.0]


class MyFun(tk.Function):
    """The lecture's function: (x1, x1 * x2)."""

    @staticmethod
    def forward(ctx, x1, x2):
        ctx.save_for_backward(x1, x2)
        return tk.tensor([x1.item(), x1.item() * x2.item()])

    @staticmethod
    def backward(ctx, grad_out):
        x1, x2 = ctx.saved_tensors
        first, second = grad_out.tolist()
        return tk.tensor(first + second * x2.item()), tk.tensor(second * x1.item())


CASES = {
    "map": (tk.exp, [X], "only the diagonal"),
    "zip": (tk.mul, [X, Y], "for x, only the diagonal"),
    "reduce": (lambda x: x.sum(1), [X], "as in a reduce"),
    "broadcast": (lambda x, w: x * w, [X, W], "for w, several rows in one column"),
    "expand": (lambda w: w.expand(2, 3), [W], "as in a broadcast"),
    "permute": (lambda x: x.permute(1, 0), [X], "only change places"),
    "softmax": (lambda x: x.exp() / x.exp().sum(), [W], "full"),
    "flat": (lambda x: (x > 0) * 1.0 + x * 0, [W], "all zeros"),
    "my function": (lambda a, b: MyFun.apply(a, b) * 1, [3.0, 4.0], "for b, "),
    "scalar": (lambda x: (x * x).sum(), [W], "full"),
}
ALL = pytest.mark.parametrize("name", CASES)


def scene_of(name, **more):
    f, data, _ = CASES[name]
    return jacobian_scene(f, *(tk.tensor(d) for d in data), **more)


def nudged(name):
    """The Jacobian by central differences."""
    f, data, _ = CASES[name]
    arrays = [np.array(d, dtype=float) for d in data]
    columns = []
    for k, array in enumerate(arrays):
        for cell in range(array.size):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [a.copy() for a in arrays]
                moved[k].reshape(-1)[cell] += step
                ends.append(np.ravel(f(*(tk.tensor(m) for m in moved)).numpy()))
            columns.append((ends[0] - ends[1]) / 2e-5)
    return np.array(columns).T


def line(scene, prefix, k):
    texts = scene.state(k).texts
    found = []
    while f"{prefix}.{len(found)}" in texts:
        found.append(texts[f"{prefix}.{len(found)}"])
    return found


@ALL
def test_every_cell_is_a_derivative(name):
    scene, expected = scene_of(name), nudged(name)
    k = next(k for k, step in enumerate(scene.steps) if step.say.startswith("The pattern"))
    for o, row in enumerate(expected):
        for text, slope in zip(line(scene, f"j{o}", k), row, strict=True):
            assert float(text.replace("−", "-")) == pytest.approx(slope, abs=6e-3)


@ALL
def test_the_sums_are_the_gradient_of_the_engine(name):
    f, data, _ = CASES[name]
    leaves = [tk.tensor(d, requires_grad=True) for d in data]
    out = f(*leaves)
    out.backward(tk.tensor(distinct(out.shape)))
    scene = scene_of(name)
    grads = [number(g) for t in leaves for g in t.grad.numpy().ravel().tolist()]
    assert line(scene, "sum", -1) == grads
    assert [t for k in range(len(leaves)) for t in line(scene, f"g{k}", -1)] == grads


@ALL
def test_the_pattern_is_told(name):
    said = [step.say for step in scene_of(name).steps if step.say.startswith("The pattern")]
    assert len(said) == 1 and CASES[name][2] in said[0]


@ALL
def test_nothing_lies_on_anything_else(name):
    check_layout(scene_of(name))


def test_the_lecture_unrolls_arguments_then_functions_then_sums():
    scene = scene_of("my function")
    says = [step.say for step in scene.steps]
    assert "2 input cells become 2 columns" in says[1] and "so 2 rows" in says[2]
    assert [line(scene, "j0", 5), line(scene, "j1", 5)] == [["1", "0"], ["4", "3"]]
    assert "Column a, added down: a.grad = 1 + 40 = 41." in says
    assert "Column b, added down: b.grad = 30." in says


def test_zeros_are_quiet_and_the_rest_is_not():
    scene = scene_of("map")
    roles = scene.state(9).roles
    assert roles["j1.1"] == "read" and roles["j1.2"] == "dim"


def test_rows_are_weighed_one_by_one():
    scene = scene_of("reduce")
    k = next(k for k, s in enumerate(scene.steps) if s.say.startswith("Row out[1, 0]"))
    assert line(scene, "j1", k - 1) == ["0", "0", "0", "1", "1", "1"]
    assert line(scene, "j1", k) == ["0", "0", "0", "10", "10", "10"]
    assert scene.state(k).texts["name"] == "grad_out × derivatives"


def test_a_given_upstream_gradient_is_used():
    scene = scene_of("reduce", grad_out=[[7.0], [0.5]])
    assert line(scene, "sum", -1) == ["7"] * 3 + ["0.5"] * 3


def test_hover_links_a_derivative_with_its_row_and_column():
    links = scene_of("broadcast").links
    assert links["j4.7"] == ("o4", "c7", "w4")
    assert links["sum.7"] == ("j1.7", "j4.7")


def test_of_large_inputs_corners_run_and_the_picture_says_so():
    x = tk.rand(40, 50, seed=1)
    scene = jacobian_scene(tk.exp, x)
    assert len(scene.steps) > 16 and scene.state(-1).texts["v0.0"] == number(float(x.numpy()[0, 0]))
    assert "Of (40, 50) only corners run here, up to 4 long each way." in scene.steps[0].say
    product = jacobian_scene(lambda x, w: x @ w, x, tk.rand(50, 30, seed=2))
    assert "Of (40, 50) and (50, 30) only corners run here, up to 2 long" in product.steps[0].say


def test_a_grid_too_large_to_read_is_refused_where_no_corner_runs():
    for f, x in [(lambda x: x.view(20), tk.rand(4, 5, seed=1)), (tk.exp, tk.zeros(0))]:
        with pytest.raises(tk.ShapeError, match="a picture shows 1 to 16 each way"):
            jacobian_scene(f, x)


def test_it_can_be_painted_and_sent_to_the_browser():
    scene = scene_of("broadcast")
    assert scene.png(-1, dpi=40, dark=True).startswith(b"\x89PNG")
    assert len(scene.payload()["steps"]) == len(scene.steps)
