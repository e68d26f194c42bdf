"""Every position, sum and value of the picture is that of the tensors; a write shows everywhere."""

import re

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.storage_explorer import chain_scene, cube, first_moves, parse, parse_write
from tensorkit.pictures.refusal import contradiction, refused_scene
from tensorkit.pictures.storage import storage_scene
from tensorkit.pictures.text import MINUS, fmt

X = cube()
Y = X.permute(2, 0, 1)
VIEWS = [
    X,
    Y,
    X[:, 1:],
    X[..., ::-1],
    X.view(4, 3),
    X[1, :, 0],
    tk.tensor(7.5),
    X[0].expand(4, 3, 2),
]


def plain(text):
    return text.replace(MINUS, "-")


def lit(scene, step):
    """The keys that a step marks, whatever the mark."""
    return {key for keys in scene.steps[step].roles.values() for key in keys}


def check_walk(scene, x):
    """Each step lights the cell, and the place of storage, that the view's own rule names."""
    assert len(scene.steps) == x.size + 2
    for ordinal in range(x.size):
        index, step = x.index(ordinal), scene.steps[1 + ordinal]
        position = x.position(index)
        assert lit(scene, 1 + ordinal) >= {f"x.{ordinal}", f"x_storage.{position}"}
        state = scene.state(1 + ordinal)
        assert state.texts[f"x.{ordinal}"] == fmt(x.numpy()[index])
        assert state.texts[f"x_storage.{position}"] == fmt(x.storage[position])
        # the sum in words comes out as it says
        terms, _, result = re.search(r"sits at (.*), where", step.say)[1].partition(" = ")
        assert eval(plain(terms).replace("·", "*")) == int(result or terms) == position


@pytest.mark.parametrize("x", VIEWS, ids=lambda x: f"{x.shape}{x.strides}{x.offset}")
def test_each_step_shows_the_cell_where_the_view_says_it_lies(x):
    scene = storage_scene({"x": x})
    check_layout(scene)
    check_walk(scene, x)


@pytest.mark.parametrize("wrong", [X.transpose(1, 2).contiguous().transpose(1, 2), X[:, ::-1]])
def test_a_picture_of_another_layout_is_found_out(wrong):
    with pytest.raises(AssertionError):
        check_walk(storage_scene({"x": wrong}), X)


def test_the_jumps_over_the_tape_lead_from_the_offset_to_the_cell():
    x = X[:, 1:].permute(2, 0, 1)
    scene = storage_scene({"x": x})
    for ordinal in range(x.size):
        jumps = [tuple(map(int, key.split(".")[1:])) for key in scene.steps[1 + ordinal].show]
        at = x.offset
        for d, start, end in jumps:
            assert (start, end) == (at, at + x.strides[d])
            at = end
        assert at == x.position(x.index(ordinal))


def test_tensors_that_share_a_storage_are_drawn_over_one_tape_and_others_apart():
    z = tk.tensor([[7.0, 8.0]])
    scene = storage_scene({"x": X, "z": z, "y": Y}, walk="y")
    tapes = {box.key.split(".")[0] for box in scene.boxes if "_storage" in box.key}
    assert tapes == {"x_storage", "z_storage"}
    k = 1 + np.ravel_multi_index((1, 0, 2), Y.shape)
    assert lit(scene, k) == {"x.5", "y.8", "x_storage.5"}
    assert scene.steps[k].say.endswith("where the storage holds 9. x[0, 2, 1] reads it too.")


def test_a_write_changes_every_view_of_the_storage_and_no_tensor_of_the_reader():
    before = X.tolist()
    scene = storage_scene({"x": X, "y": Y, "z": X[:, 1:]}, walk="y")
    end, last = scene.state(-1), scene.steps[-1]
    position = Y.position(Y.index(Y.size // 2))
    assert last.say == (
        f"y[1, 0, 0] = 99 writes position {position} of the storage: x[0, 0, 1] changed with it."
    )
    changed = {key for key, text in end.texts.items() if text == "99"}
    assert changed == set(last.roles["write"]) == {"x.1", "y.6", "x_storage.1"}
    assert X.tolist() == before


def test_the_reader_chooses_the_cell_and_the_number_of_a_write():
    explorer = tk.explore.storage()
    scene = explorer.scene(first=".transpose(-2, -1)", write=parse_write("[1, 0, 2] = -4.5"))
    assert scene.steps[-1].say.startswith("y[1, 0, 2] = −4.5 writes position 10 of the storage")
    assert {scene.state(-1).texts[key] for key in ("x.10", "y.8", "x_storage.10")} == {"−4.5"}
    outside = explorer.scene(first="", write=parse_write("[2, 0, 0] = 1")).steps[-1]
    assert outside.bad and "leaves shape (2, 3, 2)" in outside.say
    big = tk.tensor(np.arange(1200.0).reshape(30, 40))
    beyond = storage_scene({"x": big}, write=((29, 0), 5.0)).steps[-1]
    assert beyond.bad and "Of x (30, 40) the part (7, 6) is shown." in beyond.say
    assert parse_write(" ") is None
    for text in ("[1, 0]", "1 = 2", "[a] = 3", "[0.5] = 2", "[1] = x"):
        with pytest.raises(ValueError, match="no write: type"):
            parse_write(text)


def test_a_write_to_an_expanded_tensor_is_refused_in_the_picture():
    w = tk.tensor([1.5, 2.5, 4.0])
    scene = storage_scene({"w": w, "e": w.expand(2, 3)})
    assert scene.steps[-1].bad and "this tensor is expanded" in scene.steps[-1].say
    assert scene.state(-1).roles["e.3"] == "ghost"
    assert lit(scene, 4) == {"e.0", "e.3", "w.0", "w_storage.0"}


def test_storages_that_overlap_in_part_are_refused():
    memory = np.arange(8.0)
    with pytest.raises(ValueError, match="share a part of their memory"):
        storage_scene({"a": tk.from_numpy(memory), "b": tk.from_numpy(memory[2:])})


def test_of_a_large_tensor_the_corner_is_shown_and_the_rest_counted():
    big = tk.tensor(np.arange(30.0 * 40).reshape(30, 40) / 4)
    scene = storage_scene({"x": big, "y": big.T})
    check_layout(scene)
    assert len(scene.boxes) < 200
    assert re.search(r"y \(40, 30\) is shown in part.* 1158 cells", scene.steps[0].say)
    shown = {key: text for key, text in scene.state(-2).texts.items() if key.startswith("y.")}
    assert set(shown.values()) - {shown["y.sum"]} <= {fmt(v) for v in big.storage}
    assert "no cell shown" in " ".join(
        text for step in scene.steps for key, text in step.text.items() if key == "x.sum"
    )


@pytest.mark.parametrize(
    ("y", "shape"),
    [(Y, (12,)), (Y, (6, 2)), (X.transpose(1, 2), (3, 4)), (X[:, 1:], (8,)), (X[..., ::-1], (12,)),
     (X.transpose(0, 1), (3, 4))],
    ids=str,
)  # fmt: skip
def test_a_refused_view_shows_two_jumps_that_cannot_both_be_the_stride(y, shape):
    scene = refused_scene({"x": X, "y": y}, "y", shape)
    check_layout(scene)
    positions = np.array([y.position(y.index(k)) for k in range(y.size)]).reshape(shape)
    dim, pairs = contradiction(positions)
    flat = positions.ravel()
    jumps = [int(flat[b] - flat[a]) for a, b in pairs]
    assert len(set(jumps[:-1])) == 1 and jumps[-1] != jumps[0]
    starts = [np.unravel_index(pair, shape) for pair in pairs]
    assert all(at[d][1] - at[d][0] == (d == dim) for at in starts for d in range(len(shape)))
    said = [plain(step.say) for step in scene.steps[1 : 1 + len(pairs)]]
    assert [int(re.search(r": ([+-]?\d+) in storage", text)[1]) for text in said] == jumps
    assert [step.bad for step in scene.steps[1:]] == [
        *[False] * (len(pairs) - 1),
        True,
        True,
        False,
    ]
    with pytest.raises(tk.ShapeError) as refused:
        y.view(shape)
    assert str(refused.value) in scene.steps[-2].say
    copied = [text for key, text in scene.state(-1).texts.items() if key.startswith("copy.")]
    assert copied == [fmt(v) for v in y.contiguous().storage]


def test_a_view_that_is_possible_has_no_contradiction():
    with pytest.raises(ValueError, match="is not refused"):
        refused_scene({"x": X}, "x", (4, 3))
    with pytest.raises(ValueError, match="do not fill"):
        refused_scene({"y": Y}, "y", (5, 2))
    with pytest.raises(ValueError, match="possible"):
        contradiction(np.arange(2, 26, 2).reshape(3, 4))


def test_every_combination_of_moves_draws_what_the_moves_make():
    explorer = tk.explore.storage()
    for first in ["", *first_moves(X.shape)]:
        for then in ["", ".view(-1)", ".transpose(-2, -1)", "[1:]"]:
            scene = explorer.scene(first=first, then=then, own=None)
            check_layout(scene)
            try:
                made = eval(f"x{first}{then}", {"x": X})
            except tk.ShapeError:
                assert scene.title.endswith("is refused") and scene.steps[-2].bad
                continue
            name = "xyz"[bool(first) + bool(then)]
            texts = scene.start().texts
            assert [texts[f"{name}.{k}"] for k in range(made.size)] == [
                fmt(v) for v in made.numpy().ravel()
            ]
            assert f"strides {made.strides}" in {t.text.split(", offset")[0] for t in scene.texts}


def test_the_readers_own_tensors_and_code():
    own = tk.tensor([[1.5, 2.0, -3.0], [4.0, 5.5, 6.0]])
    both = tk.explore.storage(own, turned=own.T)
    assert both.scene().title == "2 tensors over one storage"
    assert "turned[0, 1]" in both.scene().steps[2].say
    assert tk.explore.storage(tk.tensor(3.0)).scene(first=".view(1, 1)").steps
    assert parse("x[1:].T", own).shape == (3, 1) and parse(" ", own) is None
    with pytest.raises(tk.DtypeError, match="no tensor"):
        parse("x.shape", own)
    assert "there is no dim" in chain_scene(own, [".view(-1)", ".transpose(-2, -1)"]).steps[-1].say
    with pytest.raises(tk.ShapeError, match="5 dims"):
        tk.explore.storage(tk.tensor(np.arange(4.0).reshape(1, 2, 1, 2, 1)))
    assert not storage_scene({"x": tk.zeros(0, 3)}).steps[1:]


def test_one_output_holds_all_combinations_within_the_budget():
    assert len(tk.explore.storage().html()) < 450_000
