"""A scene keeps what is drawn and folds its steps; Matplotlib and the SVG show what it keeps."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from demo_scenes import SCENES, hostile_scene, reduce_scene

from tensorkit.pictures import Scene, Source, State, fmt, tensor_size
from tensorkit.pictures.render import figure
from tensorkit.pictures.text import SMALLEST, text_width
from tensorkit.pictures.theme import CELL, GAP

ALL = pytest.mark.parametrize("name", SCENES)


def shapes(scene: Scene, tag: str) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(scene.svg())
    names = ("data-k", "data-t", "data-a")
    found = (next((e.get(n) for n in names if e.get(n)), None) for e in root.iter(tag))
    return {key: e for key, e in zip(found, root.iter(tag), strict=True) if key}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (7, "7"),
        (-3, "−3"),
        (np.int64(12345), "12345"),
        (-1234567, "−1.2e6"),
        (0.5, "0.5"),
        (0.1 + 0.2, "0.3"),
        (0.1966, "0.20"),
        (-2.999, "−3.00"),
        (0.00042, "4.2e−4"),
        (1e-300, "1e−300"),
        (123.456, "123.5"),
        (99999.4, "99999"),
        (99999.5, "1e5"),
        (np.float32(2.5), "2.5"),
        (math.nan, "nan"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (True, "True"),
        (np.bool_(False), "False"),
        ("as it is", "as it is"),
        (None, "None"),
    ],
)
def test_numbers_are_short_and_honest(value: object, text: str) -> None:
    assert fmt(value) == text


@pytest.mark.parametrize("value", [-1234567.0, -0.000123, 99999.0, -1e-300, math.pi * 1e20, -98.76])
def test_a_number_stays_inside_its_cell(value: float) -> None:
    scene = Scene(3, 3, "one")
    scene.cell("c", 1, 1, 0)
    scene.step("then", text={"c": value})
    text = scene.state(0).texts["c"]
    assert text == fmt(value)
    assert text_width(text) * scene.size_of("c", text) <= (1 - GAP) * CELL
    assert scene.size_of("c", "0") == 11.5


def test_words_that_cannot_fit_are_cut_visibly() -> None:
    scene = Scene(3, 3, "one")
    scene.cell("c", 1, 1, "a long sentence in a cell")
    text = scene.start().texts["c"]
    assert text.startswith("a ") and text.endswith("…")
    assert text_width(text) * SMALLEST <= (1 - GAP) * CELL
    assert scene.size_of("c", text) >= SMALLEST


@pytest.mark.parametrize(
    "shape",
    [(), (1,), (5,), (3, 4), (2, 3, 4), (3, 1, 2), (2, 2, 3, 2), (1, 3, 1, 2), (2, 0), (0, 3, 2)],
)
@pytest.mark.parametrize("cell", [(1, 1), (1.5, 0.8)])
def test_a_tensor_fills_the_size_foretold(
    shape: tuple[int, ...], cell: tuple[float, float]
) -> None:
    scene = Scene(30, 30, "layout")
    values = np.arange(math.prod(shape)).reshape(shape) * 3 - 5
    drawn = scene.tensor("t", values, 2, 3, cell=cell)
    width, height = tensor_size(shape, cell)
    assert drawn.box == (2, 3, 2 + width, 3 + height)
    assert len(drawn.keys) == values.size
    texts = scene.start().texts
    taken = set()
    for index in np.ndindex(shape):
        assert texts[drawn.key(index)] == fmt(values[index])
        x0, y0, x1, y1 = drawn.cell_box(index)
        assert drawn.box[0] <= x0 and x1 <= drawn.box[2] + 1e-9
        assert drawn.box[1] <= y0 and y1 <= drawn.box[3] + 1e-9
        assert drawn.centre(index) == pytest.approx((x0 + cell[0] / 2, y0 + cell[1] / 2))
        taken.add((x0, y0))
    assert len(taken) == values.size
    for frame in scene.frames:
        assert frame.x >= 2 - 1e-9 and frame.x + frame.w <= drawn.box[2] + 1e-9
        assert frame.y >= 3 - 1e-9 and frame.y + frame.h <= drawn.box[3] + 1e-9


def test_five_dims_and_bad_indices_are_refused() -> None:
    scene = Scene(9, 9, "refused")
    with pytest.raises(ValueError, match=r"0 to 4 dims, and the shape \(1, 2, 1, 3, 1\) has 5"):
        scene.tensor("t", np.zeros((1, 2, 1, 3, 1)), 0, 0)
    assert not scene.boxes
    drawn = scene.tensor("t", np.zeros((2, 3)), 1, 1)
    with pytest.raises(IndexError, match=r"index \(0, 3\) lies outside the shape \(2, 3\)"):
        drawn.key((0, 3))
    with pytest.raises(IndexError, match="has 1 entries"):
        drawn.centre(1)


def test_a_strip_wraps_and_numbers_its_positions() -> None:
    scene = Scene(9, 9, "tape")
    drawn = scene.strip("s", [[5, 6, 7, 8], [9, 1, 2, 3]], 1, 2, label="storage", per_line=5)
    assert drawn.shape == (8,)
    assert drawn.centre(5)[0] == drawn.centre(0)[0]
    assert drawn.centre(5)[1] > drawn.centre(0)[1] + 1
    words = [text.text for text in scene.texts]
    assert words == [*"56789123", "storage", *"01234567"]


def test_ghosts_are_the_copies_only() -> None:
    scene = Scene(9, 9, "expand")
    drawn = scene.tensor("w", [[1, 2, 3]] * 2, 1, 1, ghost=[[False], [True]])
    roles = scene.start().roles
    assert [roles[key] for key in drawn.keys] == [None] * 3 + ["ghost"] * 3


def test_a_state_is_a_fold_of_the_steps() -> None:
    scene = Scene(9, 3, "fold")
    a, b, c = scene.grid("g", [(1, 1), (2, 1), (3, 1)], [4, 5, 6])
    scene.arrow("go", (1, 2), (3, 2))
    scene.arrow("stay", (1, 2.5), (3, 2.5))
    scene.step("one", read=[a, b], write=b, keep={"dim": [a]}, text={c: 0.25}, show="go")
    scene.step("two", hold=["stay"], keep={None: a, "done": b})
    scene.step("three", wrong=c)
    assert scene.state(0).roles == {a: "read", b: "write", c: None}
    assert scene.state(0).texts == {a: "4", b: "5", c: "0.25"}
    assert scene.state(0).shown == {"go"}
    assert scene.state(1).roles == {a: None, b: "done", c: None}
    assert scene.state(1).shown == scene.state(2).shown == {"stay"}
    assert scene.state(-1).roles[c] == "wrong"
    assert scene.transcript() == "fold\n0. one\n1. two\n2. ✗ three"
    with pytest.raises(IndexError, match="step 3: the scene has steps 0 to 2"):
        scene.state(3)


def test_what_is_not_drawn_cannot_be_marked() -> None:
    scene = Scene(9, 3, "refuse", code=Source(["a", "b"], first=5))
    scene.cell("a", 1, 1, 1)
    scene.arrow("go", (1, 2), (3, 2))
    refused = [
        ({"read": ["b"]}, "step 0 names 'b', which is not a cell"),
        ({"write": "go"}, "step 0 names 'go', which is not a cell"),
        ({"text": {"b": 1}}, "step 0 names 'b'"),
        ({"keep": {"dim": "b"}}, "step 0 names 'b'"),
        ({"keep": {"red": "a"}}, "no role 'red'"),
        ({"show": "a"}, "step 0 names 'a', which is not an arrow or an outline"),
        ({"line": 7}, "step 0 lights line 7, which the scene's code does not hold"),
    ]
    for marks, message in refused:
        with pytest.raises(ValueError, match=message):
            scene.step("no", **marks)
    with pytest.raises(ValueError, match="the key 'a' is empty or taken"):
        scene.outline("a", 0, 0, 1, 1)
    with pytest.raises(ValueError, match="no direction"):
        scene.arrow("point", (1, 1), (1, 1))
    with pytest.raises(ValueError, match="a link names 'go'"):
        scene.link("a", ["go"])
    assert scene.steps == [] and len(scene.boxes) == len(scene.arrows) == 1 and not scene.frames


@ALL
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_matplotlib_draws_every_step(name: str, dark: bool) -> None:
    scene = SCENES[name]()
    for k in range(len(scene.steps)):
        state, page = scene.state(k), scene.figure(k, dark)
        drawn = {artist.get_gid(): artist for artist in page.axes[0].get_children()}
        for number, text in enumerate(scene.texts):
            want = text.text if text.key is None else state.texts[text.key]
            assert drawn[f"text{number}"].get_text() == (want or "\N{NO-BREAK SPACE}")
        for number, arrow in enumerate(scene.arrows):
            assert (f"arrow{number}" in drawn) == (arrow.key in state.shown)
        widths = np.broadcast_to(drawn["cells"].get_linewidth(), len(scene.boxes))
        marked = [
            state.roles[b.key] in ("read", "write", "grad", "expected", "wrong")
            for b in scene.boxes
        ]
        assert (widths > 2).tolist() == marked
    assert scene.png(-1, dpi=40, dark=dark)[:4] == b"\x89PNG"


@ALL
def test_the_svg_is_small_and_free_of_ids(name: str) -> None:
    scene = SCENES[name]()
    text = scene.svg()
    root = ElementTree.fromstring(text)
    for e in root.iter():
        assert not {"id", "style", "clip-path"} & set(e.attrib)
        assert e.tag in {"svg", "g", "rect", "path", "text"}
    assert len(text) < 130 * (len(scene.boxes) + len(scene.texts)) + 320 * len(scene.arrows) + 400


@ALL
def test_the_svg_is_where_the_scene_says(name: str) -> None:
    scene = SCENES[name]()
    cells, texts, start = shapes(scene, "rect"), shapes(scene, "text"), scene.start()
    for box in scene.boxes:
        found = cells[box.key]
        assert float(found.get("x")) == pytest.approx((box.x + GAP / 2) * CELL, abs=0.06)
        assert float(found.get("y")) == pytest.approx((box.y + GAP / 2) * CELL, abs=0.06)
        assert float(found.get("width")) == pytest.approx((box.w - GAP) * CELL, abs=0.06)
        assert found.get("data-r") == start.roles[box.key] == texts[box.key].get("data-r")
        middle = float(texts[box.key].get("x"))
        assert middle == pytest.approx((box.x + box.w / 2) * CELL, abs=0.06)
    assert {key: e.text or "" for key, e in texts.items()} == start.texts


def numbers(element: ElementTree.Element, *names: str) -> list[float]:
    return [float(element.get(name)) for name in names]


@ALL
def test_the_browser_and_matplotlib_put_everything_at_one_place(name: str) -> None:
    scene = SCENES[name]()
    root = ElementTree.fromstring(scene.svg())
    shown = frozenset({one.key for one in (*scene.arrows, *scene.frames) if one.key})
    page = figure(scene, State(scene.start().roles, scene.start().texts, shown))
    drawn = {artist.get_gid(): artist for artist in page.axes[0].get_children()}
    rects, paths, texts = (root.findall(f".//{tag}") for tag in ("rect", "path", "text"))
    outlines = [drawn[f"frame{k}"].get_path() for k in range(len(scene.frames))]
    for rect, path in zip(rects, [*drawn["cells"].get_paths(), *outlines], strict=True):
        x, y, w, h = numbers(rect, "x", "y", "width", "height")
        (x0, y0), (x1, y1) = path.get_extents().get_points() * CELL
        assert [x, y, x + w, y + h] == pytest.approx([x0, y0, x1, y1], abs=0.11)
        assert float(rect.get("rx")) == pytest.approx(path.vertices[0][0] * CELL - x, abs=0.11)
    lines = [
        drawn[f"{part}{k}"].get_path()
        for k in range(len(scene.arrows))
        for part in ("head", "arrow")
    ]
    for element, path in zip(paths, lines, strict=True):
        d = element.get("d")
        got = [float(number) for number in re.findall(r"-?[\d.]+", d)]
        points = path.vertices[:-1] if d.endswith("z") else path.vertices
        assert got == pytest.approx((points * CELL).ravel().tolist(), abs=0.06)
        assert re.sub(r"[^MLQ]", "", d) == "".join(
            {1: "M", 2: "L", 3: "Q"}[c] for c in path.codes[: len(points)]
        ).replace("QQ", "Q")
    for k, element in enumerate(texts):
        x, y = np.array(drawn[f"text{k}"].get_position()) * CELL
        assert numbers(element, "x", "y") == pytest.approx([x, y], abs=0.06)


def test_one_cell_alone_is_drawn_too() -> None:
    scene = Scene(3, 3, "alone")
    scene.cell("only", 1, 1, 8)
    assert list(shapes(scene, "rect")) == ["only"]
    assert scene.state(0).texts == {"only": "8"}
    assert scene.png(dpi=30)[:4] == b"\x89PNG"


def test_an_empty_scene_is_a_blank_page() -> None:
    scene = Scene(4, 2, "blank")
    assert list(ElementTree.fromstring(scene.svg())) == []
    assert scene.payload()["steps"] == []


def test_the_readers_matplotlib_settings_do_not_leak_in() -> None:
    import matplotlib

    want = reduce_scene().svg()
    with matplotlib.rc_context({"savefig.bbox": "tight", "font.size": 30, "svg.fonttype": "path"}):
        assert reduce_scene().svg() == want
        assert matplotlib.rcParams["savefig.bbox"] == "tight"


def test_a_payload_is_plain_json_and_small() -> None:
    scene = reduce_scene()
    text = json.dumps(scene.payload())
    assert len(text) < 14_000
    steps = json.loads(text)["steps"]
    assert steps[1]["t"] == {"out.0": "7"} and steps[1]["l"] == 15 and "b" not in steps[1]
    assert json.loads(json.dumps(hostile_scene().payload()))["title"] == hostile_scene().title


def test_long_numbers_carry_their_own_size() -> None:
    scene = Scene(3, 3, "size")
    scene.cell("c", 1, 1, 0)
    scene.step("long", text={"c": -98765.4})
    scene.step("short", text={"c": 1})
    first, second = scene.payload()["steps"]
    assert first["t"] == {"c": ["−98765", scene.size_of("c", "−98765")]}
    assert second["t"] == {"c": "1"}


def test_drawing_a_scene_needs_no_matplotlib_until_it_is_shown() -> None:
    program = (
        "import sys, tensorkit.pictures as p; s = p.Scene(3, 3, 't'); s.cell('a', 1, 1, 2); "
        "s.step('x', read='a'); s.transcript(); "
        "assert not {'matplotlib', 'ipywidgets', 'anywidget', 'IPython'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
