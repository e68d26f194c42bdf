"""Verdicts are those of broadcast_shapes, strides and bytes those of the tensors."""

import itertools
import math
import re

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.broadcast_explorer import PAIRS, of_shape, parse
from tensorkit.pictures.aligned import rescue, verdicts
from tensorkit.pictures.broadcast import broadcast_scene
from tensorkit.pictures.text import MINUS, fmt


def fits(pair):
    try:
        return tk.broadcast_shapes(*pair)
    except tk.ShapeError:
        return None


FIT = [*filter(fits, PAIRS), ((1, 3), (2, 1, 1)), ((3,), (1,)), ((0, 3), (1, 1)), ((), ())]
CLASH = [pair for pair in PAIRS if fits(pair) is None] + [((2,), (3,)), ((2, 3, 4), (5, 3, 4))]


def scene_of(pair, **how):
    tensors = {"xyz"[k]: of_shape(shape, k) for k, shape in enumerate(pair)}
    return tensors, broadcast_scene(tensors, **how)


def line(state, key, count):
    return [state.texts[f"{key}.{d}"] for d in range(count)]


SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (4, 1, 3), (1, 2, 1)]


@pytest.mark.parametrize("pair", list(itertools.product(SHAPES, repeat=2)), ids=str)
def test_verdicts_agree_with_numpy(pair):
    try:
        wanted = np.broadcast_shapes(*pair)
    except ValueError:
        wanted = None
    found = verdicts(pair)
    assert (wanted is None) == any(v.length is None for v in found)
    if wanted is not None:
        assert tuple(v.length for v in found) == wanted
        for v in found:
            grown = {*v.stretched, *(k for k in v.new if v.length != 1)}
            for k, shape in enumerate(pair):
                view = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), wanted)
                assert (k in grown) == (view.strides[v.dim] == 0 and wanted[v.dim] != 1)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("pair", FIT, ids=str)
def test_shapes_that_fit_end_with_the_strides_and_bytes_of_the_tensors(pair, copied):
    tensors, scene = scene_of(pair, copied=copied)
    check_layout(scene)
    shape = tk.broadcast_shapes(*pair)
    end = scene.state(-1)
    assert line(end, "length.2", len(shape)) == [str(n) for n in shape]
    for k, t in enumerate(tensors.values()):
        seen = t.expand(shape).contiguous() if copied else t.expand(shape)
        assert line(end, f"stride.{k}", len(shape)) == [str(s) for s in seen.strides]
        held = f"{seen.storage.size} number{'s' * (seen.storage.size != 1)}, {seen.storage.nbytes}"
        assert end.texts[f"memory{k}"].startswith(held)
        if t.shape != shape and not copied:
            told = next(step.say for step in scene.steps if step.say.startswith("out has shape"))
            assert f"a copy as {shape} would hold {8 * math.prod(shape)} bytes" in told


def check_cells(scene, x, y, op):
    """Each cell of out comes from the cells, and the places of storage, that NumPy would read."""
    out = op(x, y)
    told = [step for step in scene.steps if re.match(r"out(\[[^]]*\])? = ", step.say)]
    assert len(told) == out.size
    for ordinal, step in enumerate(told):
        index = out.index(ordinal)
        assert step.text == {f"out.{ordinal}": fmt(out.numpy()[index])}
        places = {k for k in step.roles["read"] if "_storage" in k}
        views = [t.expand(out.shape) for t in (x, y)]
        assert places == {
            f"{name}_storage.{v.position(index)}" for name, v in zip("xy", views, strict=True)
        }
        for name, t in zip("xy", (x, y), strict=True):
            own = re.search(rf"\b{name}(\[[^]]*\])?(?= and|:)", step.say)[1]
            value = t.numpy()[tuple(eval(own or "[]"))]
            assert value == np.broadcast_to(t.numpy(), out.shape)[index]
        spoken = step.say.split(" = ")[1].replace("×", "*").replace(MINUS, "-")
        assert eval(spoken) == pytest.approx(out.numpy()[index])


@pytest.mark.parametrize("op", [tk.add, tk.mul], ids=lambda op: op.name)
@pytest.mark.parametrize(
    "pair", [((3, 1), (4,)), ((4, 3), (3,)), ((2, 3), ()), ((2, 1, 2), (3, 1))]
)
def test_each_cell_of_out_is_made_of_the_cells_that_are_lit(pair, op):
    tensors, scene = scene_of(pair, op=op)
    check_cells(scene, *tensors.values(), op)


def test_a_picture_of_other_shapes_is_found_out():
    tensors, _ = scene_of(((4, 1), (3,)))
    _, wrong = scene_of(((1, 4), (3, 1)))
    with pytest.raises((AssertionError, IndexError)):
        check_cells(wrong, *tensors.values(), tk.add)


def test_a_permuted_input_is_read_by_its_own_strides():
    x, y = of_shape((4, 3), 0).T, of_shape((4,), 1)
    check_cells(broadcast_scene({"x": x, "y": y}), x, y, tk.add)


def test_ghosts_are_the_cells_that_hold_no_memory():
    _, scene = scene_of(((3, 1), (4,)))
    ghosts = {box.key for box in scene.boxes if box.role == "ghost" and box.key[0] in "xy"}
    assert len(ghosts) == 2 * 12 - 3 - 4
    _, copied = scene_of(((3, 1), (4,)), copied=True)
    assert not {box.key for box in copied.boxes if box.role == "ghost" and box.key[0] in "xy"}
    assert sum(box.key.startswith("x_storage") for box in copied.boxes) == 12


@pytest.mark.parametrize("pair", CLASH, ids=str)
def test_shapes_that_clash_name_the_dim_and_what_would_let_them_meet(pair):
    tensors, scene = scene_of(pair)
    check_layout(scene)
    with pytest.raises(tk.ShapeError) as refused:
        tk.broadcast_shapes(*pair)
    dim = int(re.search(r"dim (\d+) has lengths", str(refused.value))[1])
    bad = next(step for step in scene.steps if step.wrong)
    wrong = {key.split(".")[-1] for key in bad.roles["wrong"]}
    clashing = [v.dim for v in verdicts(pair) if v.length is None]
    assert dim in clashing and wrong == {str(clashing[-1])}
    assert any(str(refused.value) in step.say for step in scene.steps)
    # the code that the picture offers really works
    offer = re.search(r"let[^:]*: (.*)\.$", scene.steps[-2].say)[1]
    code = dict(part.split(" is ") for part in re.split(r",? and ", offer))
    changed = dict(tensors)
    for put_in, view in code.items():
        name = put_in[0]
        changed[name] = eval(put_in, dict(tensors))
        assert changed[name].shape == eval(view, dict(tensors)).shape
    made = tk.broadcast_shapes(*(t.shape for t in changed.values()))
    assert f"gives {made}:" in scene.steps[-1].say
    end = scene.state(-1)
    assert line(end, f"rescue.{len(pair)}", len(made)) == [str(n) for n in made]


def test_a_rescue_puts_in_as_little_as_it_can():
    assert rescue([(4, 3), (4,)]).spelled("xy") == ["y.unsqueeze(1)"]
    assert rescue([(3, 4, 1), (3, 5)]).result == (3, 4, 5)
    assert rescue([(2, 3), (2, 4)]).spelled("xy") == ["x.unsqueeze(1)", "y.unsqueeze(2)"]
    assert rescue([(2, 3), (3,)]).added == ((), ())


def test_the_explorer_takes_shapes_tensors_and_typed_shapes():
    explorer = tk.explore.broadcast()
    assert len(explorer.html()) < 450_000
    assert "(3, 7)" in explorer.scene(own=parse("(3, 1), (7,)")).steps[3].say
    assert (
        tk.explore.broadcast((2, 1), (3,), (5, 1, 1))
        .scene()
        .steps[-1]
        .say.startswith("out has shape (5, 2, 3)")
    )
    mine = tk.explore.broadcast(tk.tensor([[1.5, -2.0]]), (3, 1), op=tk.mul).scene()
    assert "1.5 × 10 = 15" in mine.steps[4].say
    for text in ("3, 1", "(3,", "[1], [2]", "((3, 'a'), (4,))"):
        with pytest.raises(tk.ShapeError, match="type such as"):
            parse(text)
    assert parse("  ") is None
    with pytest.raises(tk.ShapeError, match="align 2 or 3"):
        tk.explore.broadcast((3, 1))
    with pytest.raises(tk.ShapeError, match="at most 6"):
        tk.explore.broadcast((1,) * 7, (2,))
    with pytest.raises(tk.ShapeError, match="negative"):
        explorer.scene(own=((-1, 2), (2,)))
