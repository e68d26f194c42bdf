"""The jacobian explorer: the grid and the exploded picture hold the derivatives of the engine."""

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures.cells import number
from tensorkit.pictures.derivatives import differentiated
from tensorkit.pictures.explode import Explosion, explode_scene
from tensorkit.tape import distinct

EXPLORER = tk.explore.jacobian()
PATTERNS = EXPLORER.controls[0].values


def oracle(f, inputs):
    """Return d out / d input for all cells, input by input, by the kit's own tk.jacobian."""
    found = []
    for k, one in enumerate(inputs):

        def only(x, k=k):
            return f(*(x if j == k else t for j, t in enumerate(inputs)))

        grid = tk.jacobian(only)(one).numpy()
        found.append(grid.reshape(-1, one.size))
    return np.concatenate(found, axis=1)


def texts(scene, prefix, k=-1):
    state = scene.state(k)
    return [state.texts[box.key] for box in scene.boxes if box.key.rstrip("0123456789") == prefix]


@pytest.mark.parametrize("name", PATTERNS)
def test_an_arrow_stands_for_each_derivative_that_is_not_0(name):
    f, inputs = PATTERNS[name]
    scene = explode_scene(f, *inputs)
    matrix = oracle(f, inputs)
    want = {f"f{o}.{c}" for o, c in np.argwhere(matrix != 0).tolist()}
    assert {arrow.key for arrow in scene.arrows if arrow.key.startswith("f")} == want
    out = [step for step in scene.steps if " moves with " in step.say]
    assert len(out) == matrix.shape[0]
    assert set().union(*(step.show for step in out)) == want
    counted = next(step.say for step in scene.steps if "are not 0" in step.say)
    assert (
        counted == f"{len(want)} of the {matrix.size} derivatives are not 0: these have an arrow."
    )


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("upstream", ["distinct", "one"])
def test_both_views_end_with_the_gradient_of_the_engine(name, upstream):
    f, inputs = PATTERNS[name]
    given = [tk.tensor(t.numpy(), requires_grad=True) for t in inputs]
    out = f(*given)
    grad = distinct(out.shape)
    if upstream == "one":
        grad = np.zeros(out.shape)
        grad.flat[-1] = 1
    out.backward(tk.tensor(grad))
    want = [number(v) for t in given for v in t.grad.numpy().ravel().tolist()]
    exploded = EXPLORER.scene(what=PATTERNS[name], view="explode", upstream=upstream)
    assert texts(exploded, "a") == want
    grid = EXPLORER.scene(what=PATTERNS[name], view="grid", upstream=upstream)
    assert texts(grid, "sum.") == want


@pytest.mark.parametrize("name", PATTERNS)
def test_nothing_lies_on_anything_else(name):
    f, inputs = PATTERNS[name]
    check_layout(explode_scene(f, *inputs))


def test_the_captions_tell_slopes_and_sums():
    f, inputs = PATTERNS["matmul"]
    said = [step.say for step in explode_scene(f, *inputs).steps]
    assert (
        said[1] == "Exploded: 12 numbers go in, 4 come out, so there are 12 × 4 = 48 derivatives."
    )
    assert said[2].startswith("out[0, 0] moves with x[0, 0] with slope 4, x[0, 1] with slope −1")
    assert (
        "w[0, 0] reaches out[0, 0] and out[1, 0]: its gradient is 1 · 1 + 2 · 0.25 = 1.5." in said
    )


def test_a_wrong_derivative_would_be_drawn():
    f, inputs = PATTERNS["map"]
    tape, ins, matrix, name, rest = differentiated(f, inputs, None)
    wrong = matrix.copy()
    wrong[0, 1] = 0.5
    arrows = {arrow.key for arrow in Explosion(tape, ins, wrong, name, rest).scene.arrows}
    assert "f0.1" in arrows and "f0.1" not in {a.key for a in explode_scene(f, *inputs).arrows}


def test_your_own_expression_and_upstream():
    x = tk.tensor([2.0, 5.0])
    explorer = tk.explore.jacobian(lambda x: x * x.sum(), x)
    scene = explorer.scene(view="explode", own=np.array([1.0, 10.0]))
    assert texts(scene, "a") == ["59", "122"]
    assert tk.explore.jacobian(tk.sum, x).scene(view="explode").steps
    large = tk.explore.jacobian(tk.exp, tk.rand(30, 40, seed=1)).scene()
    assert "only corners run here" in large.steps[0].say
    assert len(EXPLORER.html()) < 450_000
