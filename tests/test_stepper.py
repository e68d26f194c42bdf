"""The stepper in a browser shows what Python folds, at every step and however one gets there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from demo_scenes import SCENES, reduce_scene
from seeing import check, seen, show, stop_time

import tensorkit as tk
from tensorkit.pictures import Scene
from tensorkit.widgets import Stepper

ALL = pytest.mark.parametrize("name", SCENES)


@ALL
def test_every_step_shows_what_python_folds(page: Any, name: str) -> None:
    scene = SCENES[name]()
    root = show(page, Stepper(scene).html())
    root.focus()
    for k in range(len(scene.steps)):
        check(scene, k, seen(root))
        page.keyboard.press("ArrowRight")
    check(scene, len(scene.steps) - 1, seen(root))


@ALL
def test_going_back_gives_the_same_picture(page: Any, name: str) -> None:
    root = show(page, Stepper(SCENES[name]()).html())
    root.focus()
    body = "e.querySelector('.tk-body')"
    page.keyboard.press("ArrowRight")
    root.evaluate(f"e => {{ window.once = {body}.cloneNode(true) }}")
    assert root.evaluate(f"e => {body}.isEqualNode(once)")
    for keys in (["End", "Home", "ArrowRight"], ["End", "ArrowLeft", "Home", "ArrowRight"]):
        for key in keys:
            page.keyboard.press(key)
        assert root.evaluate(f"e => {body}.isEqualNode(once)")
    page.keyboard.press("Home")
    assert not root.evaluate(f"e => {body}.isEqualNode(once)")


def test_slider_buttons_and_the_ends(page: Any) -> None:
    scene = reduce_scene()
    root = show(page, Stepper(scene, step=2).html())
    check(scene, 2, seen(root))
    slider = page.get_by_role("slider", name="step")
    slider.fill("7")
    check(scene, 7, seen(root))
    assert slider.get_attribute("aria-valuetext") == "Step 7 of 13: " + scene.steps[7].say
    slider.press("ArrowUp")
    slider.press("ArrowRight")
    check(scene, 9, seen(root))
    for name, k in [
        ("Step back", 8),
        ("Step on", 9),
        ("Last step", 13),
        ("Step on", 13),
        ("First step", 0),
    ]:
        page.get_by_role("button", name=name).press("Enter")
        check(scene, k, seen(root))
    assert page.get_by_role("button", name="Step back").get_attribute("aria-disabled") == "true"
    assert page.get_by_role("button", name="Step on").get_attribute("aria-disabled") == "false"


def test_space_plays_to_the_end_and_pauses(page: Any) -> None:
    scene = reduce_scene()
    stop_time(page)
    root = show(page, Stepper(scene).html())
    root.focus()
    status = page.get_by_role("status")
    page.keyboard.press("Space")
    page.clock.run_for(1700)
    assert seen(root)["count"] == "2 / 13"
    assert status.get_attribute("aria-live") == "off"
    page.get_by_role("button", name="Pause").press("Space")
    page.clock.run_for(5000)
    assert seen(root)["count"] == "2 / 13"
    assert status.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(30_000)
    assert seen(root)["count"] == "13 / 13"
    assert page.get_by_role("button", name="Play").count() == 1


def test_pointing_lights_inputs_and_back(page: Any) -> None:
    root = show(page, Stepper(reduce_scene()).html())
    lit = "e => [...e.querySelectorAll('rect[data-lit]')].map(e => e.dataset.k).sort()"
    page.hover("[data-k='out.1']")
    assert root.evaluate(lit) == ["a.4", "a.5", "a.6", "a.7", "out.1"]
    page.hover("[data-k='a.2']")
    assert root.evaluate(lit) == ["a.2", "out.0"]
    page.hover("[data-k='sa.2']")
    assert root.evaluate(lit) == []
    page.hover("[data-k='out.0']")
    page.mouse.move(5, 5)
    assert root.evaluate(lit) == []


@ALL
@pytest.mark.parametrize("width", [1100, 420])
def test_the_buttons_stay_where_they_are(new_page: Any, name: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    scene = SCENES[name]()
    root = show(page, Stepper(scene).html())
    root.focus()
    places = []
    for _ in scene.steps:
        places.append(page.locator(".tk-bar").bounding_box())
        page.keyboard.press("ArrowRight")
    assert all(one == other for one, other in pairwise(places))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_narrow_stepper_keeps_its_controls_and_follows_its_cells(new_page: Any) -> None:
    page = new_page(viewport={"width": 330, "height": 900})
    scene = Scene(17, 2, "a long line of cells")
    for k in range(16):
        scene.cell(f"c.{k}", k + 0.5, 0.5, str(k))
    scene.step("All are read.", read=[f"c.{k}" for k in range(16)])
    for k in range(1, 16):
        scene.step(f"c[{k}] is written.", read=["c.0"], write=[f"c.{k}"])
    root = show(page, Stepper(scene).html())
    edge = root.bounding_box()["x"] + root.bounding_box()["width"]
    for part in (".tk-bar input", ".tk-count"):
        box = page.locator(part).bounding_box()
        assert box["x"] + box["width"] <= edge, part
    picture = page.locator(".tk-picture")
    cut = """picture => {
      const place = picture.getBoundingClientRect();
      return [...picture.querySelectorAll('[data-k][data-r="write"]')].filter(cell => {
        const c = cell.getBoundingClientRect();
        return c.left < place.left || c.right > place.right;
      }).map(e => e.dataset.k);
    }"""
    root.focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
        assert picture.evaluate(cut) == []
    assert picture.evaluate("e => e.scrollLeft") > 20
    picture.evaluate("e => { e.scrollLeft = 0 }")  # by hand
    page.keyboard.press("ArrowLeft")
    assert picture.evaluate(cut) == []
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert picture.evaluate(cut) == []


def test_narrow_code_follows_the_part_that_runs(new_page: Any) -> None:
    page = new_page(viewport={"width": 330, "height": 900})

    def double(out, out_shape, out_strides, a, a_shape, a_strides):
        for i in range(out_shape[0]):
            for j in range(out_shape[1]):
                out[i * out_strides[0] + j * out_strides[1]] = 2 * a[i * a_strides[0] + j]

    root = show(
        page, tk.step(double, tk.tensor([[1, 2, 3], [4, 5, 6]]), like=lambda x: 2 * x).html()
    )
    root.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    code = page.locator(".tk-code")
    assert code.evaluate("e => e.scrollWidth > e.clientWidth")
    marks = page.locator(".tk-mark")
    place, first = code.bounding_box(), marks.first.bounding_box()
    assert place["x"] <= first["x"] < place["x"] + place["width"]
    assert code.evaluate("e => e.scrollLeft") > 20


@ALL
def test_texts_stay_inside_their_cells(page: Any, name: str) -> None:
    scene = SCENES[name]()
    root = show(page, Stepper(scene).html())
    root.focus()
    over = """root => [...root.querySelectorAll('rect[data-k]')].filter(cell => {
      const text = root.querySelector(`text[data-t="${CSS.escape(cell.dataset.k)}"]`);
      const t = text.getBBox(), c = cell.getBBox();
      return text.textContent && (t.x < c.x - 0.5 || t.x + t.width > c.x + c.width + 0.5
        || t.y < c.y - 0.5 || t.y + t.height > c.y + c.height + 0.5);
    }).map(e => e.dataset.k)"""
    for k in range(len(scene.steps)):
        assert root.evaluate(over) == [], k
        page.keyboard.press("ArrowRight")


def test_wrong_is_told_without_colour(page: Any) -> None:
    root = show(page, Stepper(reduce_scene(), step=13).html())
    dashes = "e => [getComputedStyle(e).strokeDasharray, getComputedStyle(e).strokeWidth]"
    assert page.locator("[data-k='a.0']").evaluate(dashes) == ["6.6px, 4.4px", "2.2px"]
    assert page.locator("[data-k='a.8']").evaluate(dashes)[0] == "none"
    assert seen(root)["caption"].startswith("✗ ")
    legend = [e.inner_text() for e in page.locator(".tk-key").all()]
    assert legend == ["read", "written", "expected", "wrong"]


def test_in_print_the_controls_are_gone(page: Any) -> None:
    show(page, Stepper(reduce_scene()).html())
    page.emulate_media(media="print")
    assert not page.locator(".tk-bar").is_visible()
    assert page.locator(".tk-picture svg").is_visible()
    assert page.get_by_role("status").is_visible()


def test_motion_only_for_those_who_want_it(new_page: Any) -> None:
    durations = []
    for motion in ("reduce", "no-preference"):
        page = new_page(reduced_motion=motion)
        show(page, Stepper(reduce_scene()).html())
        cell = page.locator("[data-k='a.0']")
        durations.append(cell.evaluate("e => getComputedStyle(e).transitionDuration"))
    assert durations[0] == "0s" and durations[1] != "0s"


def test_a_scene_without_steps_is_a_picture_only(page: Any) -> None:
    scene = Scene(4, 3, "still life")
    scene.tensor("t", [[1, 2, 3]], 0.5, 1.2, label="t")
    show(page, Stepper(scene).html())
    assert page.locator(".tk-picture svg").is_visible()
    assert not page.locator(".tk-bar").is_visible()
    assert page.locator("[data-t='t.2']").text_content() == "3"
