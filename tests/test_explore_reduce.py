"""The reduce explorer: stencil and loop agree on every dim, start, fold and order."""

from functools import reduce
from itertools import product

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.explore.reduce_explorer import digits
from tensorkit.pictures.text import fmt

X = np.array([[[3.0, 1], [4, 2], [5, 9]], [[2, 6], [1, 8], [7, 0]]])
ALL = list(product((0, 1, 2), (None, digits), (0.0, 7.0), (False, True)))


def cells(scene, key="out"):
    texts = scene.state(-1).texts
    return [texts[name] for name in texts if name.startswith(f"{key}.")]


def folded(dim, fold, start, backwards):
    """Fold with nothing but Python."""
    lines = np.moveaxis(X, dim, -1).reshape(-1, X.shape[dim])
    put = fold or (lambda t, x: t + x)
    return [fmt(reduce(put, line[::-1] if backwards else line, start)) for line in lines]


@pytest.mark.parametrize(("dim", "fold", "start", "order"), ALL)
@pytest.mark.parametrize("view", ["stencil", "loop"])
def test_every_choice_ends_with_its_fold(view, dim, fold, start, order):
    scene = tk.explore.reduce().scene(view=view, dim=dim, fold=fold, start=start, order=order)
    assert cells(scene) == folded(dim, fold, start, order)


def test_the_order_matters_for_digits_and_not_for_a_sum():
    explorer = tk.explore.reduce()
    for view in ("stencil", "loop"):
        ends = {
            fold: [
                cells(explorer.scene(view=view, fold=fold, order=order)) for order in (False, True)
            ]
            for fold in (None, digits)
        }
        assert ends[None][0] == ends[None][1]
        assert ends[digits][0] != ends[digits][1]


def test_the_captions_tell_start_and_order():
    explorer = tk.explore.reduce()
    scene = explorer.scene(dim=2, fold=digits, start=7.0, order=True)
    assert "reads it from its end. The fold is t = 10 · t + x, from 7." in scene.steps[0].say
    assert scene.steps[1].say == "out[0, 0, 0] = 7 → 71 → 713. The stencil covers x[0, 0, :]."
    plain = explorer.scene(dim=2, start=7.0)
    assert plain.steps[1].say == "out[0, 0, 0] = 7 + 3 + 1 = 11. The stencil covers x[0, 0, :]."


def test_the_loop_begins_at_a_cell_of_out_and_reads_in_order():
    explorer = tk.explore.reduce()
    scene = explorer.scene(view="loop", dim=1, fold=digits, order=True)
    assert scene.steps[0].say.startswith("Begin at a cell of out: number 0 is out[0, 0, 0].")
    read = [step.roles["read"][0] for step in scene.steps[1:4]]
    assert read == ["x.4", "x.2", "x.0"]
    assert "is folded in" in scene.steps[1].say
    assert any("fold(out[out_at], x[x_at])" in line for line in scene.code.lines)


def test_your_own_tensor_has_its_own_dims():
    explorer = tk.explore.reduce(tk.tensor([[1.0, 2, 3], [4, 5, 7]]))
    assert cells(explorer.scene(dim=1)) == ["6", "16"]
    assert len(tk.explore.reduce().html()) < 450_000
