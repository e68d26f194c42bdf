"""The wheels show the index, and ordinal and position are the sums that stand beside them."""

import re
from itertools import pairwise

import numpy as np
import pytest
from overlaps import check_layout

import tensorkit as tk
from tensorkit.explore.odometer_explorer import NUMBERS, layouts_of, parse
from tensorkit.pictures.odometer import around_carries, odometer_scene
from tensorkit.pictures.reference import index_to_position, to_index
from tensorkit.pictures.text import MINUS, fmt

LAYOUTS = layouts_of(tk.tensor(NUMBERS))
BIG = tk.tensor(np.arange(30.0 * 5 * 40).reshape(30, 5, 40)).permute(1, 0, 2)
OTHERS = [
    LAYOUTS["sliced, then permuted"][..., ::-1],
    tk.tensor([1.5, 2.0, -3.0]),
    tk.tensor([4.0, 5.5]).expand(3, 2),
    BIG,
]


def numbers_of(text):
    """The result of a sum in words, checked by doing it."""
    return eval(text.removeprefix("= ").replace("·", "*").replace(MINUS, "-"))


def check_count(scene, x):
    """Wheels, ordinal, index and position of every step are those of one cell of x."""
    for ordinal, k in zip(around_carries(x.shape), range(len(scene.steps) - 1), strict=True):
        index, state = x.index(ordinal), scene.state(k)
        position = x.position(index)
        texts = state.texts
        assert texts["ordinal"] == str(ordinal) and texts["position"] == fmt(position)
        assert eval(texts["index"]) == list(index)
        assert numbers_of(texts["ordinal.sum"]) == ordinal
        assert numbers_of(texts["position.sum"]) == position
        wheels = [texts[key] for key in scene.steps[k].roles["write"]]
        assert wheels == [str(i) for i in index]
        read = scene.steps[k].roles.get("read", ())
        assert set(read) in ({f"x.{ordinal}", f"ordinals.{ordinal}", f"storage.{position}"}, set())
        assert {texts[key] for key in read} <= {fmt(x.numpy()[index])}


@pytest.mark.parametrize("x", [*LAYOUTS.values(), *OTHERS], ids=lambda x: f"{x.shape}{x.strides}")
@pytest.mark.parametrize("how", ["count", "divide"])
def test_nothing_lies_on_anything(x, how):
    check_layout(odometer_scene(x, how))


@pytest.mark.parametrize("x", [*LAYOUTS.values(), *OTHERS], ids=lambda x: f"{x.shape}{x.strides}")
def test_every_step_shows_one_cell_by_three_numbers(x):
    check_count(odometer_scene(x), x)


def test_the_numbers_of_another_layout_are_found_out():
    with pytest.raises(AssertionError):
        check_count(odometer_scene(LAYOUTS["contiguous"]), LAYOUTS["sliced [:, 1:]"])


def test_a_carry_is_drawn_from_every_wheel_that_rolls_over():
    x = LAYOUTS["sliced, then permuted"]
    scene = odometer_scene(x)
    for ordinal in range(1, x.size):
        before, after = x.index(ordinal - 1), x.index(ordinal)
        rolled = {d for d in range(x.ndim) if before[d] and not after[d]}
        assert set(scene.steps[ordinal].show) == {f"carry{d}" for d in rolled}
        said = re.findall(r"dim (\d) rolls over to 0", scene.steps[ordinal].say)
        assert set(map(int, said)) == rolled


def test_the_three_numbers_differ_in_the_layout_that_it_opens_with():
    x = LAYOUTS["sliced, then permuted"]
    same = [k for k in range(x.size) if x.position(x.index(k)) == k]
    scene = tk.explore.odometer().scene()
    assert f"equal for {len(same)} of {x.size} cells" in scene.steps[-1].say
    assert len(same) < 2
    contiguous = odometer_scene(LAYOUTS["contiguous"])
    assert contiguous.steps[-1].say.endswith("the two are equal for all cells.")


@pytest.mark.parametrize("x", [*LAYOUTS.values(), *OTHERS], ids=lambda x: f"{x.shape}{x.strides}")
def test_dividing_finds_the_digits_that_the_code_beside_it_finds(x):
    told = around_carries(x.shape)
    scene = odometer_scene(x, "divide")
    each = x.ndim + 1
    assert len(scene.steps) == len(told) * each + 1
    for nth, ordinal in enumerate(told):
        steps = scene.steps[nth * each : (nth + 1) * each]
        index = []
        for step in steps[:-1]:
            whole, left, n, digit = map(
                int, re.match(r"(?:Ordinal )?(\d+) = (\d+)·(\d+) \+ (\d+)", step.say).groups()
            )
            assert (left, digit) == divmod(whole, n)
            assert "%" in scene.code.lines[step.line - 1]
            index.insert(0, digit)
        assert index == to_index(ordinal, x.shape) == list(x.index(ordinal))
        position = x.offset + index_to_position(index, x.strides)
        assert scene.state((nth + 1) * each - 1).texts["position"] == fmt(position)
        assert "sum(" in scene.code.lines[steps[-1].line - 1]


def test_what_is_not_known_yet_is_not_shown():
    scene = odometer_scene(LAYOUTS["contiguous"], "divide", 7)
    texts = [scene.state(k).texts for k in range(3)]
    assert [one["index"] for one in texts] == ["[·, ·, 1]", "[·, 0, 1]", "[1, 0, 1]"]
    assert {one["position"] for one in texts} == {one["ordinal.sum"] for one in texts} == {""}
    assert len(scene.steps) == 5


def test_of_many_ordinals_those_around_each_carry_are_told():
    told = around_carries(BIG.shape)
    assert len(told) < 30 and {0, 39, 40, 1199, 1200, BIG.size - 1} <= set(told)
    scene = odometer_scene(BIG)
    assert sum("ordinals are left out" in step.say for step in scene.steps) == sum(
        b > a + 1 for a, b in pairwise(told)
    )
    assert len(scene.boxes) < 30


def test_the_readers_own_tensor_and_ordinal():
    own = tk.tensor([[1.5, 2.0, -3.0], [4.0, 5.5, 6.0]])
    explorer = tk.explore.odometer(own, ordinal=4)
    assert explorer.scene().steps[0].say.startswith("Ordinal 4 = 1·3 + 1")
    check_count(explorer.scene(x=own.T, how="count"), own.T)
    assert len(explorer.html()) < 450_000
    assert parse("all") is None and parse(" 12 ") == 12
    with pytest.raises(ValueError, match="no ordinal: type"):
        parse("x")
    with pytest.raises(tk.IndexingError, match="no ordinal 6"):
        tk.explore.odometer(own, ordinal=6)
    for shape in ((), (0, 3), (1,) * 5):
        with pytest.raises(tk.ShapeError, match="odometer needs"):
            tk.explore.odometer(tk.zeros(*shape) if shape else tk.tensor(2.0))
