"""The stencil covers what the loop reads, and what it covers becomes one cell of out."""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.pictures.implement import implement_scene
from tensorkit.pictures.reference import index_to_position, reduce_sum, to_index
from tensorkit.pictures.stencil import stencil_scene
from tensorkit.pictures.text import fmt

X = tk.tensor([[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]])
CUBE = tk.tensor(np.arange(1.0, 13.0).reshape(2, 3, 2) * 1.5)
BLOCKS = tk.tensor(np.arange(1.0, 25.0).reshape(2, 2, 3, 2) / 2)
FOLDS = [row for row in tk.ops.TABLE if row.kind == "reduce"]


def out_of(scene):
    return [text for key, text in scene.state(-1).texts.items() if key.startswith("out.")]


@pytest.mark.parametrize("row", FOLDS, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("x", "dim"),
    [
        (X, 0), (X, 1), (CUBE, 0), (CUBE, 1), (CUBE, -1), (BLOCKS, 1), (X.permute(1, 0), 0),
        (tk.tensor([2.0, 5.0, -1.0]), 0),
    ],
)  # fmt: skip
def test_the_stencil_ends_with_the_result(row, x, dim):
    scene = stencil_scene(x, dim, row)
    result = row(x, dim=dim)
    assert out_of(scene) == [fmt(v) for v in result.numpy().ravel()]
    assert len(scene.steps) == 1 + result.size
    covered = [key for step in scene.steps for key in step.roles.get("read", ())]
    assert sorted(covered) == sorted(f"x.{k}" for k in range(x.size)), "each cell once"


def test_the_caption_shows_the_sum_and_the_place():
    assert stencil_scene(X, 0).steps[2].say == (
        "out[0, 1] = 1 + (−2) + 9 = 8. The stencil covers x[:, 1]."
    )
    first = stencil_scene(CUBE, 2).steps[0].say
    assert first == (
        "The stencil is 2 long along dim 2, as x is, and 1 along the others. "
        "It fits in 6 places, and out has a cell for each."
    )
    mean = stencil_scene(X, 1, tk.mean).steps[1].say
    assert mean == "out[0, 0] = (3 + 1) / 2 = 2. The stencil covers x[0, :]."
    long = stencil_scene(tk.tensor(np.arange(9.0)), 0).steps[1].say
    assert long == "out[0] = 0 + 1 + 2 + 3 + … + 8 = 36. The stencil covers x[:]."


@pytest.mark.parametrize(("dim", "outlines"), [(0, 2), (1, 1), (2, 1)])
def test_an_outline_runs_around_the_stencil_in_every_slice(dim, outlines):
    scene = stencil_scene(CUBE, dim)
    frames = {frame.key: frame for frame in scene.frames if frame.key}
    boxes = {box.key: box for box in scene.boxes}
    for step in scene.steps[1:]:
        shown = [frames[key] for key in step.show if key in frames]
        assert len(shown) == outlines
        for key in step.roles["read"]:
            box = boxes[key]
            assert any(
                f.x <= box.x and f.y <= box.y and box.x + box.w <= f.x + f.w
                and box.y + box.h <= f.y + f.h
                for f in shown
            )  # fmt: skip


def test_an_arrow_leads_from_the_stencil_to_its_cell_where_nothing_is_in_the_way():
    for dim in (0, 1):
        scene = stencil_scene(X, dim)
        assert [step.show[-1] for step in scene.steps[1:]] == [
            f"to.{k}" for k in range(len(scene.steps) - 1)
        ]
    assert not stencil_scene(CUBE, 1).arrows


def test_the_shape_of_the_stencil_is_drawn():
    scene = stencil_scene(CUBE, 1)
    assert {"stencil  (1, 3, 1)", "out  (2, 1, 2)", "4 cells"} <= {t.text for t in scene.texts}
    assert sum(box.key.startswith("stencil.") for box in scene.boxes) == 3


@pytest.mark.parametrize(("x", "dim"), [(X, 0), (X, 1), (CUBE, 2), (X.permute(1, 0), 1)])
def test_implement_begins_at_every_cell_of_out_and_ends_with_the_sum(x, dim):
    scene = implement_scene(x, dim)
    result = x.sum(dim=dim)
    assert out_of(scene) == [fmt(v) for v in result.numpy().ravel()]
    begins = [step for step in scene.steps if step.say.startswith("Begin at a cell of out")]
    assert len(begins) == result.size and len(scene.steps) == result.size + x.size
    for step in begins:
        assert "to_index(o, out_shape)" in scene.code.lines[step.line - scene.code.first]
        expected = [key for key in step.roles["expected"] if "storage" not in key]
        assert len(expected) == x.shape[dim]


def test_implement_tells_the_arithmetic_of_the_run():
    scene = implement_scene(X, 1)
    assert scene.steps[3].say == (
        "Begin at a cell of out: number 1 is out[1, 0]. "
        "What belongs to it is x[1, j]: dim 1 is free."
    )
    step = scene.steps[5]
    assert step.say == "x[1, 1] sits at 1·2 + 1·1 = 3: −2 is added, and out[1, 0] goes from 4 to 2."
    assert "index=[1,\N{NO-BREAK SPACE}1]" in step.variables and "x_at=3" in step.variables
    line = scene.code.lines[step.line - scene.code.first]
    assert line.strip() == "out[out_at] += x[x_at]"
    assert [line[a:b] for a, b in step.marks] == ["out[out_at]", "x[x_at]"]


def test_the_reference_loop_is_right_on_any_layout():
    x = CUBE.permute(2, 0, 1)
    out = np.zeros(6)
    reduce_sum(out, (2, 1, 3), (3, 3, 1), x.storage, x.shape, x.strides, 1)
    np.testing.assert_array_equal(out, x.numpy().sum(1).ravel())
    assert to_index(7, (2, 3, 2)) == [1, 0, 1] and index_to_position([1, 0, 2], (5, 9, 2)) == 9


@pytest.mark.parametrize("make", [stencil_scene, implement_scene])
def test_without_cells_it_says_so_and_draws(make):
    for x, dim in [(tk.zeros((2, 0)), 1), (tk.zeros((2, 0)), 0), (tk.zeros((0,)), 0)]:
        scene = make(x, dim)
        assert scene.steps
        scene.png(-1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="'mul' is no reduce"):
        stencil_scene(X, 0, tk.mul)
    for make in (stencil_scene, implement_scene):
        with pytest.raises(IndexError, match="no dim 2"):
            make(X, 2)
    with pytest.raises(tk.ShapeError, match="no answer"):
        stencil_scene(tk.zeros((2, 0)), 1, tk.max)
