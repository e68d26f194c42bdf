"""Forward scenes: what stands in out at the end is what the operation computes, cell by cell."""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.pictures.forward import forward_scene
from tensorkit.pictures.text import fmt, text_width
from tensorkit.pictures.theme import CELL
from tensorkit.trace import trace

ROWS = {row.name: row for row in tk.ops.TABLE}
MAPS = [row for row in tk.ops.TABLE if row.kind == "map"]
ZIPS = [row for row in tk.ops.TABLE if row.kind == "zip" and row is not tk.where]
FOLDS = [row for row in tk.ops.TABLE if row.kind == "reduce"]
X = tk.tensor([[3.0, 1.5, 4.0], [0.5, 9.0, 2.0]])
CUBE = tk.tensor(np.arange(1.0, 13.0).reshape(2, 3, 2) / 4)
BLOCKS = tk.tensor(np.arange(1.0, 9.0).reshape(2, 2, 1, 2))


def cells(scene, key="out", k=-1):
    """Return the texts in the grid of a tensor at step k."""
    texts = scene.state(k).texts
    return [texts[name] for name in texts if name.startswith(f"{key}.")]


def expected(result):
    return [fmt(value) for value in np.ravel(result.numpy())]


def fits(scene):
    """Tell whether every text lies within the picture."""
    for text in scene.texts:
        wide = text_width(text.text) * text.size / CELL if text.room is None else 0
        left = {"left": 0, "center": wide / 2, "right": wide}[text.align]
        if not (text.x - left >= 0 and text.x - left + wide <= scene.width):
            return False
        if not 0 < text.y < scene.height:
            return False
    return True


@pytest.mark.parametrize("row", MAPS, ids=lambda row: row.name)
@pytest.mark.parametrize("x", [X, X.permute(1, 0), CUBE, BLOCKS, tk.tensor(2.5)], ids=str)
def test_a_map_ends_with_its_result(row, x):
    scene = forward_scene(row, x)
    assert cells(scene) == expected(row(x))
    assert len(scene.steps) == 1 + x.size
    assert fits(scene)


@pytest.mark.parametrize("row", ZIPS, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, X.permute(1, 0).contiguous().view(2, 3)),
        (tk.tensor([[2.0], [3.0], [5.0]]), tk.tensor([10.0, 20.0, 30.0, 40.0])),
        (tk.tensor(2.0), X),
        (BLOCKS, tk.tensor([[7.0], [0.5], [11.0]])),
        (X, 4.0),
    ],
    ids=["same", "outer", "0-d", "4-D", "number"],
)
def test_a_zip_ends_with_its_result(row, x, y):
    scene = forward_scene(row, x, y)
    result = row(x, y)
    assert cells(scene) == expected(result)
    assert len(scene.steps) == 1 + result.size
    assert fits(scene)


@pytest.mark.parametrize("row", FOLDS, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("x", "dim"),
    [
        (X, 0), (X, 1), (X, None), (X.permute(1, 0), 0), (X.permute(1, 0), 1), (CUBE, 1),
        (CUBE, (0, 2)), (BLOCKS, -1), (tk.tensor(7.5), None), (tk.tensor([4.0, -1.0]), 0),
        (tk.tensor([[2.0], [3.0]]).expand(2, 3), 1),
    ],
)  # fmt: skip
def test_a_reduce_ends_with_its_result(row, x, dim):
    scene = forward_scene(row, x, dim=dim)
    result = row(x, dim=dim)
    assert cells(scene) == expected(result)
    read = [key for step in scene.steps for key in step.roles.get("read", ())]
    grid = [key for key in read if key.startswith("x.")]
    assert sorted(grid) == sorted(f"x.{k}" for k in range(x.size)), "every cell is read once"
    assert fits(scene)


def test_captions_tell_index_position_and_value():
    scene = forward_scene(tk.mul, tk.tensor([[2.0], [3.0], [5.0]]), tk.tensor([10.0, 20.0, -30.0]))
    assert scene.steps[6].say == (
        "out[1, 2] = 3 × (−30) = −90. x[1, 2] sits at 1·1 + 2·0 = 1, y[1, 2] is at 1·0 + 2·1 = 2."
    )
    assert "x (3, 1) is read as (3, 3) with strides (1, 0)" in scene.steps[0].say
    assert forward_scene(tk.neg, tk.tensor([-2.0])).steps[1].say == (
        "out[0] = −(−2) = 2. x[0] sits at 0·1 = 0."
    )
    lt = forward_scene(tk.lt, tk.tensor(1.0), tk.tensor(4.0)).steps[1].say
    assert lt == "out = (1 < 4) = 1. x sits at position 0, y is at position 0."


def test_a_fold_along_memory_keeps_its_running_value_in_t():
    scene = forward_scene(tk.sum, X, dim=1)
    assert [step.say for step in scene.steps[1:6]] == [
        "t = out[0, 0] = 0: the fold begins with what is in out.",
        "t = 0 + 3 = 3. x[0, 0] sits at 0·3 + 0·1 = 0 and is 3.",
        "t = 3 + 1.5 = 4.5. x[0, 1] sits at 0·3 + 1·1 = 1 and is 1.5.",
        "t = 4.5 + 4 = 8.5. x[0, 2] sits at 0·3 + 2·1 = 2 and is 4.",
        "out[0, 0] = t = 8.5.",
    ]
    assert [scene.state(k).texts["t"] for k in range(1, 6)] == ["0", "3", "4.5", "8.5", "8.5"]


def test_a_fold_across_memory_keeps_its_running_values_in_out():
    scene = forward_scene(tk.sum, X, dim=0)
    assert [step.say.split(".")[0] for step in scene.steps[1:4]] == [
        "out[0, 0] = 0 + 3 = 3",
        "out[0, 1] = 0 + 1",
        "out[0, 2] = 0 + 4 = 4",
    ]
    assert scene.steps[4].say.startswith("out[0, 0] = 3 + 0.5 = 3.5.")
    assert "t" not in scene.state(0).texts


def test_where_chooses_between_two_cells():
    c, other = tk.tensor([1.0, 0, 1]), tk.zeros(2, 3)
    scene = forward_scene(tk.where, c, other + 5, other - 7)
    assert scene.steps[2].say.startswith("out[0, 1] = (0 ? 5 : −7) = −7.")
    assert "row" not in scene.transcript().lower().split()
    assert len(scene.steps) == 7
    with pytest.raises(TypeError, match="where takes 3 inputs, not 2"):
        forward_scene(tk.where, c, other)


def test_a_product_has_no_picture_of_its_own():
    with pytest.raises(TypeError, match="matmul is a zip and a reduce in one"):
        forward_scene(tk.matmul, tk.zeros(2, 3), tk.zeros(3, 4))


def test_a_mean_is_a_sum_and_then_a_division():
    scene = forward_scene(tk.mean, X, dim=1)
    assert scene.steps[-1].say == "out[1, 0] = 11.5 / 3 ≈ 3.83: 3 cells met here."
    lines = scene.code.lines
    assert lines[scene.steps[-1].line - 1].strip().endswith("= t / n")


@pytest.mark.parametrize("row", [tk.sigmoid, tk.mul, tk.sum, tk.mean], ids=lambda row: row.name)
def test_the_code_is_the_text_of_the_kernel_and_the_lit_line_touches_storage(row):
    inputs = (X, X) if row.kind == "zip" else (X,)
    scene = forward_scene(row, *inputs)
    text = "\n".join(scene.code.lines)
    assert row.kernel.text.startswith(text.split("\n\n")[0])
    for step in scene.steps[1:]:
        line = scene.code.lines[step.line - 1]
        assert step.marks and "[" in line
        for a, b in step.marks:
            assert line[a:b].endswith("]")
    assert "j=1" in scene.steps[2 if row.kind != "reduce" else 3].variables


def test_the_steps_follow_the_trace_of_the_kernel():
    scene = forward_scene(tk.neg, X.permute(1, 0))
    dims = np.array([[2, 0, 0], [2, 1, 3]])
    assert trace(tk.neg.kernel.plain, {"out": np.zeros(6), "x_storage": X.storage, "dims": dims})
    tape = [[k for k in step.roles["read"] if "storage" in k] for step in scene.steps[1:]]
    assert tape == [[f"x_storage.{p}"] for p in (0, 3, 1, 4, 2, 5)]


def test_strides_of_out_are_the_learners_choice():
    scene = forward_scene(tk.neg, X, out_strides=(1, 3))
    written = [[k for k in s.roles["write"] if "storage" in k] for s in scene.steps[1:]]
    assert written == [[f"out_storage.{p}"] for p in (0, 3, 6, 1, 4, 7)]
    assert scene.steps[2].say.endswith("out[0, 1] is at 0·1 + 1·3 = 3.")
    for strides, words in [
        ((3,), "give 2 out_strides"),
        ((1, 1), "two cells of shape"),
        ((-3, 1), "two cells"),
    ]:
        with pytest.raises(tk.ShapeError, match=words):
            forward_scene(tk.neg, X, out_strides=strides)


def test_copies_of_a_broadcast_cell_are_dashed_and_one_cell_is_not():
    scene = forward_scene(tk.add, tk.tensor([[2.0], [3.0]]), tk.tensor([10.0, 20.0, 30.0]))
    roles = scene.start().roles
    assert [roles[f"x.{k}"] for k in range(6)] == [None, "ghost", "ghost"] * 2
    assert [roles[f"y.{k}"] for k in range(6)] == [None] * 3 + ["ghost"] * 3
    words = {text.text for text in scene.texts}
    assert {"x  (2, 1)", "as (2, 3), strides (1, 0)", "y  (3,)", "storage of x"} <= words


def test_pointing_at_a_cell_lights_what_it_is_made_of():
    scene = forward_scene(tk.add, tk.tensor([[2.0], [3.0]]), tk.tensor([10.0, 20.0, 30.0]))
    assert set(scene.links["out.4"]) == {
        "out_storage.4", "x.4", "x_storage.1", "y.4", "y_storage.1",
    }  # fmt: skip
    folded = forward_scene(tk.sum, X, dim=0)
    assert {"x.1", "x_storage.1", "x.4", "x_storage.4"} < set(folded.links["out.1"])


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2, 3)])
def test_without_cells_there_is_one_caption(shape):
    for scene in [
        forward_scene(tk.exp, tk.zeros(shape)),
        forward_scene(tk.add, tk.zeros(shape), tk.tensor(1.0)),
    ]:
        assert [step.say for step in scene.steps] == [
            f"Nothing to do: out has shape {shape}, so it has no cells."
        ]
        scene.png(0)


def test_a_fold_of_nothing_is_its_start():
    scene = forward_scene(tk.prod, tk.zeros((2, 0)), dim=1)
    assert len(scene.steps) == 1 and "start, 1" in scene.steps[0].say
    assert cells(scene) == ["1", "1"]
    mean = forward_scene(tk.mean, tk.zeros((2, 0)), dim=1)
    assert cells(mean) == ["nan", "nan"] and "Divided by 0 cells, it is nan" in mean.steps[0].say
    none = forward_scene(tk.sum, tk.zeros((2, 0)), dim=0)
    assert none.steps[0].say == "Nothing to do: out has shape (1, 0), so it has no cells."
    with pytest.raises(tk.ShapeError, match="no answer"):
        forward_scene(tk.max, tk.zeros((2, 0)), dim=1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(tk.ShapeError, match=r"5 dims.*0 to 4"):
        forward_scene(tk.neg, tk.zeros((1, 2, 1, 2, 1)))
    with pytest.raises(tk.ShapeError, match="cannot broadcast"):
        forward_scene(tk.add, X, tk.zeros((2, 2)))


def test_what_does_not_belong_is_refused():
    with pytest.raises(TypeError, match="mul takes 2 inputs, not 1"):
        forward_scene(tk.mul, X)
    with pytest.raises(TypeError, match="neg takes 1 input, not 2"):
        forward_scene(tk.neg, X, X)
    with pytest.raises(TypeError, match="permute computes nothing"):
        forward_scene(tk.permute, X)
    with pytest.raises(TypeError, match="no dim"):
        forward_scene(tk.neg, X, dim=0)
    with pytest.raises(IndexError, match="no dim 2"):
        forward_scene(tk.sum, X, dim=2)


def test_inputs_with_an_offset_say_so():
    x = tk.Tensor(np.arange(10.0, 18.0), (2, 2), (3, 1), 2)
    scene = forward_scene(tk.neg, x)
    assert cells(scene) == ["−12", "−13", "−15", "−16"]
    assert scene.steps[3].say.endswith("x[1, 0] sits at 2 + 1·3 + 0·1 = 5.")
    assert "strides (3, 1), offset 2" in {text.text for text in scene.texts}


def test_a_scene_leaves_its_inputs_and_the_graph_alone():
    x = tk.tensor([[1.0, 2.0]], requires_grad=True)
    forward_scene(tk.add, x, tk.tensor([[3.0], [4.0]], requires_grad=True))
    assert x.tolist() == [[1.0, 2.0]] and x.grad is None


@pytest.mark.parametrize("x", [CUBE, BLOCKS], ids=["3-D", "4-D"])
def test_no_cell_lies_on_another(x):
    scene = forward_scene(tk.sum, x, dim=1)
    edges = [(b.x, b.x + b.w, b.y, b.y + b.h) for b in scene.boxes]
    for k, a in enumerate(edges):
        for b in edges[k + 1 :]:
            across = min(a[1], b[1]) - max(a[0], b[0])
            down = min(a[3], b[3]) - max(a[2], b[2])
            assert min(across, down) < 1e-9, (a, b)


@pytest.mark.parametrize("row", [*MAPS, *ZIPS, *FOLDS], ids=lambda row: row.name)
def test_captions_name_dims_and_never_rows_or_columns(row):
    inputs = (X, X) if row.kind == "zip" else (X,)
    words = forward_scene(row, *inputs).transcript().lower()
    assert "row" not in words.split() and "column" not in words
