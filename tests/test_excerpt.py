"""Large tensors: whole up to a thousand cells in a scene, beyond that a corner, and it says so."""

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.pictures.excerpt import BOXES, STEPS, left_out, limits, repacked, shown
from tensorkit.pictures.forward import forward_scene
from tensorkit.pictures.implement import implement_scene
from tensorkit.pictures.learner import learner_scene
from tensorkit.pictures.stencil import stencil_scene
from tensorkit.pictures.text import fmt
from tensorkit.widgets.stepper import Stepper


def data(*shape):
    return tk.tensor(np.random.default_rng(5).normal(size=shape).round(2))


def cells(scene, key="out", k=-1):
    texts = scene.state(k).texts
    return [texts[name] for name in texts if name.startswith(f"{key}.")]


def my_neg(out, a):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[i, j] = -a[i, j]


def my_add(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
    for i in range(out_shape[0]):
        for j in range(out_shape[1]):
            p = i * a_strides[0]
            q = j * b_strides[0]
            out[i * out_strides[0] + j * out_strides[1]] = a[p] + b[q]


# a scene, the whole result, and how much of that the scene shows
LARGE = {
    "map": (lambda: forward_scene(tk.exp, data(100, 50)), data(100, 50).exp(), (8, 10)),
    "permuted": (
        lambda: forward_scene(tk.neg, data(100, 50).permute(1, 0)),
        -data(100, 50).permute(1, 0),
        (8, 10),
    ),
    "outer": (
        lambda: forward_scene(tk.mul, data(1000, 1), data(900)),
        data(1000, 1) * data(900),
        (8, 10),
    ),
    "sum": (lambda: forward_scene(tk.sum, data(100, 50), dim=0), data(100, 50).sum(0), (1, 10)),
    "mean": (lambda: forward_scene(tk.mean, data(70, 90), dim=1), data(70, 90).mean(1), (8, 1)),
    "max": (lambda: forward_scene(tk.max, data(70, 90)), data(70, 90).max(), ()),
    "4-D": (
        lambda: forward_scene(tk.sum, data(6, 7, 20, 9), dim=1),
        data(6, 7, 20, 9).sum(1),
        (1, 1, 8, 9),
    ),
    "stencil": (lambda: stencil_scene(data(3, 100, 50), 1), data(3, 100, 50).sum(1), (3, 1, 10)),
    "long": (lambda: forward_scene(tk.neg, data(4000)), -data(4000), (10,)),
    "out by its own strides": (
        lambda: forward_scene(tk.neg, data(40, 50), out_strides=(1, 40)),
        -data(40, 50),
        (8, 10),
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_every_shown_cell_holds_what_the_whole_has(name):
    make, result, lengths = LARGE[name]
    scene = make()
    part = result.numpy()[tuple(map(slice, lengths))]
    assert cells(scene) == [fmt(v) for v in part.ravel().tolist()]
    assert len(scene.boxes) <= BOXES + 1


@pytest.mark.parametrize("name", LARGE)
def test_it_says_what_it_leaves_out(name):
    scene = LARGE[name][0]()
    say = scene.steps[0].say
    assert "is shown in part, dim " in say and "are left out" in say


def test_what_fits_is_shown_whole_and_says_nothing():
    for shape, row in [((14, 16), tk.neg), ((16, 10), tk.exp)]:
        scene = forward_scene(row, data(*shape))
        assert len(cells(scene)) == np.prod(shape)
        assert "left out" not in scene.transcript()
    assert len(forward_scene(tk.sum, data(14, 16), dim=0).steps) == 225


def test_a_thousand_cells_weigh_less_than_450_kb_and_lie_apart():
    pair, single = (
        forward_scene(tk.mul, data(16, 10), data(16, 10)),
        forward_scene(tk.neg, data(14, 16)),
    )
    assert [len(scene.steps) for scene in (pair, single)] == [161, 225]
    for scene in (pair, single):
        assert 890 < len(scene.boxes) <= 1000
        assert len(Stepper(scene).html()) <= 450_000
        check_layout(scene)


@pytest.mark.parametrize("shape", [(1000, 1000), (100_000,), (7, 300), (300, 7), (40, 2, 30, 20)])
@pytest.mark.parametrize("tensors", [1.01, 2, 3])
def test_what_is_shown_is_never_more_than_a_scene_holds(shape, tensors):
    lengths = shown(shape, tensors)
    assert all(1 <= n <= whole for n, whole in zip(lengths, shape, strict=True))
    assert 2 * tensors * np.prod(lengths) <= BOXES
    assert np.prod(lengths) <= STEPS or lengths != shape


def test_the_tape_of_a_part_keeps_the_positions_of_the_whole():
    scene = forward_scene(tk.neg, data(100, 50))
    words = {text.text for text in scene.texts}
    assert {"storage of x, 80 of 5000 places", "x  (100, 50)", "359"} <= words
    assert "[0:8, 0:10] of it, strides (50, 1)" in words
    assert scene.steps[-1].say.endswith("x[7, 9] sits at 7·50 + 9·1 = 359.")


def test_your_loop_runs_on_a_part_that_is_laid_out_like_the_whole():
    scene = learner_scene(my_neg, data(100, 50).permute(1, 0), like=tk.neg)
    assert "The loop runs on this part alone." in scene.steps[0].say
    assert scene.steps[-1].say == "Every cell of out is right: it agrees with neg."
    assert "strides (1, 8)" in {text.text for text in scene.texts}
    added = learner_scene(my_add, data(400, 1), data(300), like=tk.add, out_strides=(1, 400))
    assert added.steps[-1].say == "Every cell of out is right: it agrees with add."
    built = implement_scene(data(90, 40), 0)
    assert "dim 0: 0 to 7 of 90" in built.steps[0].say and len(built.steps) == 1 + 10 * (1 + 8)


def test_a_repacked_part_has_the_numbers_and_the_order_of_the_whole():
    x = data(40, 30, 20).permute(2, 0, 1)
    part = repacked(x, (3, 4, 5))
    np.testing.assert_array_equal(part.numpy(), x.numpy()[:3, :4, :5])
    assert np.argsort(part.strides).tolist() == np.argsort(x.strides).tolist()
    wide = repacked(data(50).expand(60, 50), (4, 5))
    assert wide.strides == (0, 1) and wide.storage.size == 5
    gaps = repacked(tk.Tensor(np.arange(4000.0), (50, 20), (80, 2)), (3, 4))
    assert gaps.strides == (8, 2)
    np.testing.assert_array_equal(
        gaps.numpy(), [[0, 2, 4, 6], [80, 82, 84, 86], [160, 162, 164, 166]]
    )


def test_limits_follow_broadcasting():
    assert limits((8, 10), (50,)) == (10,)
    assert limits((8, 10), (100, 1)) == (8, 1)
    assert limits((8, 10), ()) == ()


def test_the_sentence_counts():
    assert left_out("x", (8, 10), (8, 10)) == ""
    assert left_out("x", (8, 10), (100, 10), 920) == (
        " x (100, 10) is shown in part, dim 0: 0 to 7 of 100: 920 cells and their 920 steps are "
        "left out."
    )
