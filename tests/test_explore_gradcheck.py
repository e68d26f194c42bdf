"""The gradient check's scope: what its three views show is what was measured."""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.checks import check_gradient
from tensorkit.explore.gradcheck_explorer import NoSign, cell_of
from tensorkit.pictures.epsilon import POWERS, epsilon_scene, place
from tensorkit.pictures.kink import kink_scene
from tensorkit.pictures.probed import probe
from tensorkit.pictures.shades import by_decade, by_size, shades_scene

EXPLORER = tk.explore.gradcheck()
CASES = EXPLORER.controls[0].values
X = tk.tensor([[0.5, -1.25, 2.0], [3.0, 0.125, -0.75]])


@pytest.mark.parametrize("name", CASES)
def test_a_probe_is_the_gradient_of_that_cell(name):
    f, inputs, index = CASES[name]
    found = probe(f, *inputs, index=index)
    assert found.x == inputs[0].numpy()[index or (0, 0)]
    right = name != "a wrong backward"
    kink = "at" in name
    near = abs(found.central(1e-5) - found.analytic) < 1e-6
    assert near is (right and not (kink and name == "relu at 0"))


def test_a_probe_refuses_a_cell_that_is_not_there():
    with pytest.raises(tk.IndexingError, match=r"no cell \[2, 0\] in an input of shape \(2, 3\)"):
        probe(tk.exp, X, index=(2, 0))


def test_the_error_falls_with_the_square_and_then_grows():
    scene = epsilon_scene(tk.exp, X)
    found = probe(tk.exp, X)
    errors = [abs(found.central(10.0**-k) - found.analytic) for k in POWERS]
    for k, error in zip(POWERS, errors, strict=True):
        box = next(box for box in scene.boxes if box.key == f"e{k}")
        x, y = place(k, error)
        assert (box.x + box.w / 2, box.y + box.h / 2) == pytest.approx((x, y))
    heights = [box.y for box in scene.boxes]
    best = int(np.argmax(heights))  # y grows downwards
    assert 2 < best < 8, "between truncation and rounding"
    assert heights[0] < heights[1] < heights[2] and heights[-1] < heights[-4] < heights[best]
    assert errors[1] / errors[0] == pytest.approx(0.01, rel=0.05)
    said = [step.say for step in scene.steps]
    assert "truncation" in said[-3] and "rounding" in said[-2] and f"1e-{best + 1}," in said[-1]


def test_a_wrong_backward_and_a_kink_have_no_good_nudge():
    for name in ("a wrong backward", "relu at 0"):
        scene = EXPLORER.scene(what=CASES[name], view="epsilon")
        assert scene.steps[-1].bad and "either backward is wrong here" in scene.steps[-1].say
    square = epsilon_scene(tk.square, X)
    assert "no error but rounding" in square.steps[-1].say and not square.steps[-1].bad


@pytest.mark.parametrize(
    ("f", "x", "index", "sides", "says"),
    [
        (tk.relu, [0.0, 1.0], (0,), ("0", "1"), "0"),
        (tk.abs, [1.5, 0.0], (1,), ("−10", "10"), "0"),
        (lambda x: x.max(0), [2.0, 2.0, -1.0], (1,), ("0", "1"), "0.5"),
    ],
)  # fmt: skip
def test_at_a_kink_any_slope_between_the_sides_is_right(f, x, index, sides, says):
    scene = kink_scene(f, tk.tensor(x), index=index)
    said = [step.say for step in scene.steps]
    assert said[1].endswith(f": {sides[0]}.") and said[2] == f"Measured to the right: {sides[1]}."
    assert said[3].startswith("A kink: the sides differ.")
    assert said[4] == (
        f"Backward says {says}. At a kink tk.check_gradient takes any slope from {sides[0]} to "
        f"{sides[1]}, so this is right."
    )
    assert check_gradient(f, tk.tensor(x)).ok, "the check itself agrees"


def test_beyond_the_sides_of_a_kink_a_slope_is_wrong():
    class Steep(tk.Function):
        @staticmethod
        def forward(ctx, x):
            return x.relu()

        @staticmethod
        def backward(ctx, grad_out):
            return grad_out * 2

    scene = kink_scene(Steep, tk.tensor([0.0, 1.0]))
    assert scene.steps[-1].bad and scene.steps[-1].say.endswith("from 0 to 1, so this is wrong.")
    assert not check_gradient(Steep, tk.tensor([0.0, 1.0]), raises=False).ok


def test_without_a_kink_both_sides_agree():
    scene = kink_scene(tk.exp, X)
    assert "Both sides agree, so there is no kink" in scene.steps[-1].say
    assert not scene.steps[-1].bad
    wrong = EXPLORER.scene(what=CASES["a wrong backward"], view="kink")
    assert wrong.steps[-1].bad


def test_the_shades_follow_the_numbers():
    report = check_gradient(NoSign, X, raises=False)
    scene = shades_scene(report)
    roles = scene.state(-1).roles
    wrong = (X.numpy() < 0).ravel().tolist()
    assert [roles[f"t02.{k}"] == "heat4" for k in range(6)] == wrong
    assert [roles[f"t02.{k}"] == "heat1" for k in range(6)] == [not one for one in wrong]
    sizes = np.abs(report.analytic[0]).ravel()
    shades = [roles[f"t00.{k}"] for k in range(6)]
    assert shades[int(sizes.argmax())] == "heat4"
    assert [shades[k] for k in np.argsort(sizes)] == sorted(shades)
    assert scene.steps[-1].say.startswith("As heat maps: the stronger the colour, the larger")


def test_shades_go_by_size_and_by_power_of_ten():
    assert [by_size(s, 4.0) for s in (0.0, 1.5, 2.5, 4.0, float("nan"))] == [
        "heat1", "heat2", "heat3", "heat4", "heat1",
    ]  # fmt: skip
    assert [by_decade(d) for d in (0.0, 1e-8, 1e-4, 2.0)] == ["heat1", "heat2", "heat3", "heat4"]


def test_the_cell_is_typed():
    assert cell_of("1, 2") == (1, 2) and cell_of("[0, 1]") == (0, 1) and cell_of("") is None
    for text in ("one", "1.5", "1,,2"):
        with pytest.raises(ValueError, match="is no index of a cell"):
            cell_of(text)
    scene = tk.explore.gradcheck(tk.exp, X).scene(view="kink", cell=(1, 2))
    assert scene.title == "exp around x[1, 2] = −0.75"


def test_every_view_of_every_case_is_light():
    assert len(EXPLORER.html()) < 450_000
