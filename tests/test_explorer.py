"""An explorer shows the scene of whatever its controls say, by mouse and by keys, in any page."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
from typing import Any

import pytest
from demo_scenes import hostile_scene, reduce_scene
from seeing import check, seen, show

from tensorkit.pictures import Scene
from tensorkit.widgets import Choice, Explorer, Field

SHAPES = {"(2, 3)": (2, 3), "(4,)": (4,), "(1, 2, 2)": (1, 2, 2)}
STAGE = "[aria-roledescription=stepper]"


def doubled(shape: tuple[int, ...], sign: int, by: int) -> Scene:
    """Step through a product, a step for every cell, so that shapes differ in their steps."""
    count = [1, *itertools.accumulate(shape, lambda a, b: a * b)][-1]
    values = [3 * i - 4 for i in range(count)]
    scene = Scene(12, 4, f"{sign * by} times {shape}")
    scene.grid("x", [(1 + i, 0.5) for i in range(count)], values)
    scene.grid("y", [(1 + i, 2) for i in range(count)], [""] * count)
    for i, value in enumerate(values):
        scene.step(
            f"y[{i}] = {sign * by} × {value}",
            read=f"x.{i}",
            write=f"y.{i}",
            text={f"y.{i}": sign * by * value},
        )
    return scene


def explorer() -> Explorer:
    controls = [
        Choice("shape", "Shape", SHAPES),
        Choice("sign", "Sign", {"plus": 1, "minus": -1}, look="switch"),
        Choice("by", "Times", [2, 3, 10], start="3", look="slider"),
    ]
    return Explorer("Doubling", controls, doubled)


def suspects(x: int) -> Scene:
    """A wall of two suspects; x = 0 tells on the second, x = 1 on the first."""
    scene = Scene(6, 2, f"x = {x}")
    scene.grid("s", [(1, 0.5), (3, 0.5)], ["one", "two"], w=1.6)
    scene.step("All stand.", read="s.0")
    scene.step(f"One falls at {x}.", keep={"dim": "s.0"}, wrong=f"s.{1 - x}")
    return scene


def stage(page: Any) -> Any:
    page.locator(STAGE).wait_for()
    return page.locator(STAGE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: Choice("a", "A", {}), "'a' has no options"),
        (lambda: Choice("a", "A", [1, "1"]), "two of one label"),
        (lambda: Choice("a", "A", [1, 2], start="3"), "starts at '3', but has 1, 2"),
        (lambda: Choice("a", "A", [1, 2], look="knob"), "looks like 'knob': say one of"),
        (lambda: Choice("a", "A", [1, 2, 3], look="switch"), "a switch with 3 options"),
        (
            lambda: Explorer("e", [Choice("a", "A", [1]), Field("a", "B", "", str)], doubled),
            "one name",
        ),
        (
            lambda: Explorer("e", [Choice(n, n, range(5)) for n in "abc"], doubled),
            "125 combinations of .*: an output holds 64",
        ),
        (lambda: explorer().scene_at({"shape": "(9,)"}), r"shape has no '\(9,\)'; it has \(2, 3\)"),
        (lambda: explorer().scene_at({"size": "9"}), "Doubling: no control size"),
    ],
)
def test_what_makes_no_explorer_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        given()


def test_values_may_be_given_by_hand() -> None:
    one = explorer()
    assert one.scene().title == "3 times (2, 3)"
    assert one.scene(by=7, sign=-1).title == "-7 times (2, 3)"
    assert one.stepper(shape=(5,)).scene.title == "3 times (5,)"
    assert one.scene_at({"by": "10", "sign": "minus"}).title == "-10 times (2, 3)"
    with pytest.raises(TypeError, match="Doubling: no control many; it has shape, sign, by"):
        one.scene(many=2)


def test_a_field_stays_at_its_start_where_no_kernel_runs() -> None:
    one = Explorer("e", [Field("by", "Times", "4", int)], lambda by: doubled((2,), 1, by))
    assert one.scene().title == "4 times (2,)"
    assert len(packed(one.html())) == 1


def packed(html: str) -> list[dict[str, Any]]:
    data = json.loads(re.findall(r'"explore">(.*?)</script>', html)[0])
    scenes: list[dict[str, Any]] = json.loads(gzip.decompress(base64.b64decode(data["packed"])))
    return scenes


def test_the_output_holds_every_combination_and_the_still() -> None:
    one = explorer()
    bundle = one._repr_mimebundle_()
    assert bundle["text/plain"] == one.scene().transcript()
    assert bundle["image/png"] == one.stepper()._repr_mimebundle_()["image/png"]
    titles = [scene["title"] for scene in packed(bundle["text/html"])]
    assert titles == [
        f"{sign * by} times {shape}"
        for shape, sign, by in itertools.product(SHAPES.values(), (1, -1), (2, 3, 10))
    ]
    assert one.html() == bundle["text/html"] == explorer().html()


def test_every_combination_is_the_scene_that_python_makes(page: Any) -> None:
    one = explorer()
    show(page, one.html())
    page.keyboard.press("Tab")
    for k, shape in enumerate(SHAPES):
        for sign in ("plus", "minus"):
            page.get_by_role("switch", name="Sign").set_checked(sign == "minus")
            for at, by in enumerate(("2", "3", "10")):
                page.get_by_role("slider", name="Times").fill(str(at))
                scene = one.scene_at({"shape": shape, "sign": sign, "by": by})
                check(scene, 0, seen(stage(page)))
                page.locator(STAGE).press("End")
                check(scene, len(scene.steps) - 1, seen(page.locator(STAGE)))
                page.locator(STAGE).press("Home")
        page.get_by_role("radio", name=list(SHAPES)[(k + 1) % 3]).check(force=True)


def test_a_change_keeps_the_step_if_there_is_one(page: Any) -> None:
    one = explorer()
    show(page, one.html())
    stage(page).press("End")
    check(one.scene(), 5, seen(page.locator(STAGE)))
    page.get_by_role("switch").set_checked(True)
    check(one.scene(sign=-1), 5, seen(page.locator(STAGE)))
    page.get_by_role("radio", name="(4,)").check(force=True)
    check(one.scene(sign=-1, shape=(4,)), 3, seen(page.locator(STAGE)))


def test_keys_alone_reach_and_move_every_control(page: Any) -> None:
    one = explorer()
    show(page, "<button>before</button>", one.html(), "<button>after</button>")
    stage(page)
    page.get_by_text("before").focus()
    focus = "document.activeElement"
    where = f"({focus}.closest('[data-control]') ?? {focus}).getAttribute('data-control')"
    for control, key, values in (
        ("shape", "ArrowRight", {"shape": (4,)}),
        ("sign", "Space", {"shape": (4,), "sign": -1}),
        ("by", "ArrowRight", {"shape": (4,), "sign": -1, "by": 10}),
    ):
        page.keyboard.press("Tab")
        assert page.evaluate(where) == control
        page.keyboard.press(key)
        assert page.evaluate(where) == control  # the picture is new, the focus stays
        check(one.scene(**values), 0, seen(page.locator(STAGE)))
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focus}.getAttribute('aria-roledescription')") == "stepper"
    page.keyboard.press("ArrowRight")
    assert seen(page.locator(STAGE))["count"] == "1 / 3"


def test_controls_have_names_and_what_changes_is_said(page: Any) -> None:
    menu = Choice("colour", "Ink", ["blue", "red"], look="menu")
    buttons = Choice("by", "Times", [2, 3])
    one = Explorer("Inks", [menu, buttons], lambda colour, by: doubled((2,), 1, by))
    show(page, one.html())
    stage(page)
    assert page.get_by_role("group", name="Inks").count() == 1
    assert page.get_by_role("group", name="Times").get_by_role("radio").count() == 2
    page.get_by_role("combobox", name="Ink").select_option("red")
    said = page.locator(".tk-unseen[role=status]")
    assert said.text_content() == "Ink: red. y[0] = 2 × -4"
    page.get_by_role("radio", name="3").check(force=True)
    assert said.text_content() == "Times: 3. y[0] = 3 × -4"
    assert page.locator(".tk [id]").count() == 0


def test_a_slider_says_its_label_and_not_its_number(page: Any) -> None:
    show(page, explorer().html())
    stage(page)
    slider = page.get_by_role("slider", name="Times")
    assert slider.get_attribute("aria-valuetext") == "3"
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "10"
    assert page.get_by_text("10", exact=True).first.is_visible()


def test_what_fell_once_stays_turned_over(page: Any) -> None:
    for sticky in (True, False):
        one = Explorer("Arena", [Choice("x", "x", [0, 1])], suspects, sticky=sticky)
        show(page, one.html())
        stage(page).press("End")
        dead = "() => [...document.querySelectorAll('rect[data-dead]')].map(e => e.dataset.k)"
        assert page.evaluate(dead) == []
        page.get_by_role("radio", name="1").check(force=True)
        assert page.evaluate(dead) == (["s.1"] if sticky else [])
        page.locator(STAGE).press("Home")
        assert page.evaluate(dead) == (["s.0", "s.1"] if sticky else [])
        if sticky:
            look = "e => getComputedStyle(e).textDecorationLine"
            assert page.locator("text[data-dead]").first.evaluate(look) == "line-through"
            assert page.get_by_text("Turned over so far: 2.").is_visible()
            page.get_by_role("button", name="Start over").click()
            assert page.evaluate(dead) == []
            assert page.get_by_text("Turned over so far: 0.").is_visible()


def test_two_explorers_in_one_page_are_apart(page: Any) -> None:
    show(page, explorer().html(), explorer().html())
    page.locator(STAGE).nth(1).wait_for()
    page.get_by_role("radio", name="(4,)").nth(1).check(force=True)
    counts = [seen(page.locator(STAGE).nth(k))["count"] for k in range(2)]
    assert counts == ["0 / 5", "0 / 3"]
    assert page.locator("style[data-tk-css]").count() == 1
    assert (
        page.evaluate("Object.keys(window).filter(k => /^(explore|mount|unpack|tk)/.test(k))") == []
    )


def test_a_narrow_or_zoomed_page_scrolls_nothing_sideways(new_page: Any) -> None:
    page = new_page(viewport={"width": 1280 // 2, "height": 400}, device_scale_factor=2)
    show(page, explorer().html())
    stage(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inside = """() => [...document.querySelectorAll('.tkx-bar > *')].every(e => {
      const box = e.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth })"""
    assert page.evaluate(inside)


def test_a_dark_page_makes_it_dark_throughout(new_page: Any) -> None:
    page = new_page(color_scheme="dark")
    show(page, explorer().html(), head="<style>html{background:#111}</style>")
    background = "e => getComputedStyle(e).fill"
    assert stage(page).locator("rect").nth(1).evaluate(background) == "rgb(29, 33, 37)"
    assert (
        page.locator(".tkx-option span").last.evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgb(29, 33, 37)"
    )


def test_labels_and_scenes_are_never_taken_for_code(page: Any) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    bad = "</script><img src=x onerror=alert(1)>"
    options = {bad: hostile_scene, "</label>": reduce_scene}
    one = Explorer(bad, [Choice("a", bad, options)], lambda a: a())
    show(page, one.html())
    check(hostile_scene(), 0, seen(stage(page)))
    page.get_by_role("radio", name="</label>").check(force=True)
    check(reduce_scene(), 0, seen(page.locator(STAGE)))
    assert page.locator("img").count() == 0


def test_without_scripts_the_still_is_seen(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    show(page, explorer().html())
    assert page.get_by_role("img", name="3 times (2, 3). Step 5: y[5] = 3 × 11").is_visible()


MODEL = """async ([source, traits]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const widget = (await import(url)).default, calls = {};
  const state = { ...traits };
  asked = [];
  model = {
    get: name => state[name],
    set(name, value) { state[name] = value; calls['change:' + name]?.() },
    on: (event, f) => calls[event] = f,
    off: event => delete calls[event],
    save_changes: () => asked.push(state.values),
  };
  stop = widget.render({ model, el: document.getElementById('here') });
}"""


def live_explorer() -> Any:
    controls = [Choice("sign", "Sign", {"plus": 1, "minus": -1}), Field("by", "Times", "4", int)]
    return Explorer("Live", controls, lambda sign, by: doubled((2, 2), sign, by)).live()


def test_the_kernel_makes_the_scene_of_what_is_typed(page: Any) -> None:
    live = live_explorer()
    page.set_content("<!doctype html><body><div id=here></div></body>")
    traits = {name: getattr(live, name) for name in ("told", "payload", "values", "problem")}
    page.evaluate(MODEL, [str(live._esm), traits])
    check(live.scene, 0, seen(stage(page)))
    page.locator(STAGE).press("ArrowRight")
    box = page.get_by_role("textbox", name="Times")
    box.fill("-6")
    box.press("Enter")
    assert page.evaluate("asked") == [{"sign": "plus", "by": "-6"}]
    live.values = {"sign": "plus", "by": "-6"}
    page.evaluate("payload => model.set('payload', payload)", live.payload)
    assert live.scene.title == "-6 times (2, 2)"
    check(live.scene, 1, seen(page.locator(STAGE)))
    live.values = {"sign": "plus", "by": "six"}
    page.evaluate("problem => model.set('problem', problem)", live.problem)
    alert = page.get_by_role("alert").text_content()
    assert alert == "✗ ValueError: invalid literal for int() with base 10: 'six'"
    check(live.scene, 1, seen(page.locator(STAGE)))
    page.evaluate("stop()")
    live.close()


def test_python_reads_sets_and_observes_the_values() -> None:
    import traitlets

    live = live_explorer()
    heard: list[dict[str, str]] = []
    live.observe(lambda change: heard.append(change["new"]), "values")
    live.values = {"sign": "minus"}
    assert heard == [{"sign": "minus", "by": "4"}]
    assert live.scene.title == "-4 times (2, 2)" == live.payload["title"]
    with pytest.raises(traitlets.TraitError, match="sign has no 'times'; it has plus, minus"):
        live.values = {"sign": "times"}
    live.values = {"by": "x"}
    assert live.problem.startswith("ValueError") and live.payload["title"] == "-4 times (2, 2)"
    live.values = {"by": "5"}
    assert live.problem == "" and live.scene.title == "5 times (2, 2)"
    live.close()
