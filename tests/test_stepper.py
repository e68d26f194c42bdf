"""The stepper in a browser shows what Python folds, and leaves the rest of the page alone."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from demo_scenes import SCENES, hostile_scene, reduce_scene

from tensorkit.pictures import Scene
from tensorkit.widgets import Stepper
from tensorkit.widgets.page import css, payload, script

ALL = pytest.mark.parametrize("name", SCENES)

# What a page shows: roles and sizes by key, texts, what is visible, the words around the picture.
SEEN = """root => {
  const all = selector => [...root.querySelectorAll(selector)];
  const by = (name, value) => Object.fromEntries(
    all(`[data-${name}]`).map(e => [' ' + e.dataset[name], value(e)]));
  return {
    cells: by('k', e => e.dataset.r ?? null),
    roles: by('t', e => e.dataset.r ?? null),
    texts: by('t', e => e.textContent),
    sizes: by('t', e => parseFloat(getComputedStyle(e).fontSize)),
    shown: all('[data-a]').filter(e => getComputedStyle(e).visibility === 'visible')
      .map(e => e.dataset.a).sort(),
    caption: root.querySelector('[role=status]').textContent,
    count: root.querySelector('.tk-count').textContent,
    alt: root.querySelector('svg[role=img]').getAttribute('aria-label'),
    line: all('.tk-line[data-now]')
      .map(e => [+e.dataset.n, e.textContent, e.hasAttribute('data-bad')]),
    marks: all('.tk-mark').map(e => e.textContent),
  };
}"""


def show(page: Any, *bodies: str, head: str = "") -> Any:
    """Put steppers on a page and return the first."""
    page.set_content(
        f"<!doctype html><html><head>{head}</head><body>{''.join(bodies)}</body></html>"
    )
    return page.locator(".tk").first


def seen(root: Any) -> dict[str, Any]:
    return root.evaluate(SEEN)


def open_key(table: dict[str, Any]) -> dict[str, Any]:
    """Undo the space that keeps a key such as __proto__ from meaning something to JavaScript."""
    return {key[1:]: value for key, value in table.items()}


def check(scene: Scene, k: int, got: dict[str, Any]) -> None:
    """Assert that a page shows step k of a scene, as Python folds it."""
    state, step = scene.state(k), scene.steps[k]
    roles, texts = open_key(got["roles"]), open_key(got["texts"])
    assert roles == dict(state.roles)
    assert open_key(got["cells"]) == {box.key: state.roles[box.key] for box in scene.boxes}
    assert texts == dict(state.texts)
    wanted = {key: scene.size_of(key, text) for key, text in texts.items()}
    assert open_key(got["sizes"]) == pytest.approx(wanted, abs=0.06)
    assert got["shown"] == sorted(state.shown)
    assert got["caption"] == step.caption
    assert got["count"] == f"{k} / {len(scene.steps) - 1}"
    assert got["alt"] == f"{scene.title}. Step {k} of {len(scene.steps) - 1}: {step.say}"
    lines = (
        [] if step.line is None else [[step.line, scene.code.lines[step.line - scene.code.first]]]
    )
    assert got["line"] == [[*line, step.bad] for line in lines]
    assert got["marks"] == [lines[0][1][a:b] for a, b in step.marks]


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
    page.clock.install()
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


def test_several_steppers_share_nothing(page: Any) -> None:
    html = Stepper(reduce_scene()).html()
    show(page, html, "<p id=other>text</p>", html, Stepper(SCENES["graph"]()).html())
    roots = page.locator(".tk")
    roots.nth(1).focus()
    page.keyboard.press("End")
    assert [seen(roots.nth(i))["count"] for i in range(3)] == ["0 / 13", "13 / 13", "0 / 4"]
    assert page.locator("style[data-tk-css]").count() == 1
    assert page.locator(".tk [id]").count() == 0
    assert (
        page.evaluate("Object.keys(window).filter(k => /^(mount|start|render|fold|tk)/i.test(k))")
        == []
    )


def test_keys_are_taken_only_inside_and_never_with_a_modifier(page: Any) -> None:
    scene = reduce_scene()
    counter = (
        "<script>heard = []; onkeydown = e => heard.push(e.key)</script><button id=out>b</button>"
    )
    root = show(page, counter, Stepper(scene).html())
    page.focus("#out")
    page.keyboard.press("ArrowRight")
    assert seen(root)["count"] == "0 / 13"
    root.focus()
    for key in ("ArrowRight", "Control+ArrowRight", "Alt+ArrowLeft", "a", "ArrowUp"):
        page.keyboard.press(key)
    assert seen(root)["count"] == "1 / 13"
    heard = page.evaluate("heard")
    assert [key for key in heard if key not in ("Control", "Alt")] == [
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "a",
        "ArrowUp",
    ]


def test_jupyterlab_shortcuts_rest_but_for_save_run_and_escape(page: Any) -> None:
    early = (
        "<script>asked = []; document.addEventListener('keydown', e => "
        "asked.push(e.target.closest('[data-lm-suppress-shortcuts]') !== null), true)</script>"
    )
    root = show(page, early, Stepper(reduce_scene()).html())
    root.focus()
    for key in ("ArrowLeft", "d", "F1", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("asked") == [True, True, True, False]
    page.evaluate("asked = []")
    page.keyboard.press("Control+s")
    assert page.evaluate("asked")[-1] is False
    page.keyboard.press("Shift+Enter")
    assert page.evaluate("asked")[-1] is False


DECK = """<div class="reveal"><div class="slides"><section class="present">{}</section></div></div>
<script>turned = []; document.addEventListener('keydown', e => {{
  if (!/input/i.test(document.activeElement.tagName)) turned.push(e.key); }});</script>"""


def test_in_a_deck_the_last_arrow_turns_the_page(page: Any) -> None:
    root = show(page, DECK.format(Stepper(SCENES["graph"]()).html()))
    page.keyboard.press("ArrowRight")
    assert page.evaluate("turned") == ["ArrowRight"]  # the focus is on the deck
    root.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("turned") == ["ArrowRight"]
    assert seen(root)["count"] == "4 / 4"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("turned") == ["ArrowRight"] * 2
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")  # a deck ignores keys while a slider has the focus
    assert page.evaluate("turned") == ["ArrowRight"] * 3
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("turned.slice(3)") == ["ArrowLeft"]
    root.evaluate(
        "e => { const own = e.closest('section'); own.className = 'past';"
        "own.insertAdjacentHTML('afterend', '<section class=present></section>') }"
    )
    page.keyboard.press("ArrowRight")
    assert page.evaluate("turned.slice(4)") == ["ArrowRight"]
    assert seen(root)["count"] == "0 / 4"


def test_nothing_given_is_taken_for_code(page: Any) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    scene = hostile_scene()
    root = show(page, Stepper(scene).html())
    check(scene, 0, seen(root))
    assert page.locator("img").count() == 0
    assert page.locator("b").count() == 0
    assert page.locator("script").count() == 2
    page.hover("[data-k='__proto__']")
    assert page.locator("rect[data-lit]").count() == 2
    code = page.locator(".tk-line").first
    assert code.text_content() == scene.code.lines[0]


def test_without_scripts_the_still_is_seen(new_page: Any) -> None:
    scene = reduce_scene()
    page = new_page(java_script_enabled=False)
    show(page, Stepper(scene, still=3).html())
    still = page.get_by_role("img", name=f"{scene.title}. Step 3: {scene.steps[3].say}")
    assert still.is_visible()
    assert page.get_by_text("Trust this notebook").is_visible()


def test_the_still_survives_a_sanitizer() -> None:
    html = Stepper(reduce_scene()).html()
    still = re.search(r'<img [^>]*src="data:image/png;base64,[A-Za-z0-9+/=]+">', html)
    assert still is not None
    assert len(still[0]) < 20_000


LOOKS = (
    "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e.querySelector('[data-k]')).fill]"
)
DARK = "dark => document.querySelector('.tk').hasAttribute('data-tk-dark') === dark"
LIT, DIM = ["rgb(255, 255, 255)", "rgb(247, 248, 250)"], ["rgb(17, 17, 17)", "rgb(29, 33, 37)"]


@pytest.mark.parametrize(
    ("head", "set_up", "want"),
    [
        ("", "", LIT),
        ("<style>body{background:#fff}</style>", "", LIT),
        ("<style>html{background:rgb(20, 20, 30)}</style>", "", DIM),
        (
            "<style>:root{--jp-layout-color0:#fff}</style>",
            "body.dataset.jpThemeLight = 'true'",
            LIT,
        ),
        (
            "<style>:root{--jp-layout-color0:#111}</style>",
            "body.dataset.jpThemeLight = 'false'",
            DIM,
        ),
        (
            "<style>:root{--vscode-editor-background:#111}</style>",
            "body.className = 'vscode-dark'",
            DIM,
        ),
        (
            "<style>:root{--vscode-editor-background:#fff}</style>",
            "body.className = 'vscode-light'",
            LIT,
        ),
        ("<style>.black{background:#000}</style>", "body.className = 'black'", DIM),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_that_of_the_page(
    new_page: Any, head: str, set_up: str, want: list[str], scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    script = f"<script>{{const body = document.body; {set_up}}}</script>"
    root = show(page, script, Stepper(reduce_scene()).html(), head=head)
    assert root.evaluate(LOOKS) == want


def test_the_theme_follows_a_switch(page: Any) -> None:
    root = show(page, Stepper(reduce_scene()).html())
    assert root.evaluate(LOOKS) == LIT
    for theme, want in (("false", DIM), ("true", LIT)):
        page.evaluate(
            "([light, colour]) => { document.body.dataset.jpThemeLight = light;"
            "document.documentElement.style.setProperty('--jp-layout-color0', colour) }",
            [theme, "#111" if theme == "false" else "#fff"],
        )
        page.wait_for_function(DARK, arg=theme == "false")
        assert root.evaluate(LOOKS) == want


@pytest.mark.parametrize(("scheme", "want"), [("light", LIT), ("dark", DIM)])
def test_a_saved_page_stands_alone(
    new_page: Any, tmp_path: Path, scheme: str, want: list[str]
) -> None:
    scene = reduce_scene()
    saved = Stepper(scene).save(tmp_path / "reduce.html")
    page = new_page(color_scheme=scheme)
    page.goto(saved.as_uri())
    root = page.locator(".tk")
    assert page.title() == scene.title
    assert root.evaluate(LOOKS) == want
    root.focus()
    page.keyboard.press("End")
    check(scene, len(scene.steps) - 1, seen(root))
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.wait_for_function(DARK, arg=scheme == "light")


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


def test_the_bundle_has_all_three_forms() -> None:
    scene = reduce_scene()
    bundle = Stepper(scene)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert bundle["text/plain"] == scene.transcript()
    assert "http" not in re.sub(r"http://www\.w3\.org\S*", "", bundle["text/html"])
    assert len(bundle["text/html"]) < 60_000
    assert repr(Stepper(scene)) == f"Stepper({scene.title!r}, 14 steps)"
    with pytest.raises(IndexError, match="step 14: the scene has steps 0 to 13"):
        Stepper(scene, step=14)


def test_one_script_serves_pages_and_widgets() -> None:
    assert "//" not in script().replace("http://www.w3.org/2000/svg", "")
    assert "</script" not in script() and "<!--" not in script()
    assert css() in payload(reduce_scene())["css"]


def test_widgets_are_imported_only_for_live() -> None:
    program = (
        "import sys; from tensorkit.pictures import Scene; from tensorkit.widgets import Stepper; "
        "s = Scene(3, 3, 't'); s.cell('a', 1, 1, 2); Stepper(s)._repr_mimebundle_(); "
        "assert not {'ipywidgets', 'anywidget', 'IPython', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


MODEL = """async ([source, payload]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const widget = (await import(url)).default;
  const state = { payload, step: 3 }, calls = {};
  saved = [];
  model = {
    get: name => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      calls['change:' + name]?.();
    },
    on: (event, f) => calls[event] = f,
    off: event => delete calls[event],
    save_changes: () => saved.push(state.step),
  };
  stop = widget.render({ model, el: document.getElementById('here') });
}"""


def test_the_live_widget_steps_both_ways(page: Any) -> None:
    scene, other = reduce_scene(), SCENES["graph"]()
    live = Stepper(scene, step=3).live()
    page.clock.install()
    page.set_content("<!doctype html><body><div id=here></div></body>")
    page.evaluate(MODEL, [str(live._esm), live.payload])
    root = page.locator(".tk")
    check(scene, 3, seen(root))
    page.evaluate("model.set('step', 5)")
    check(scene, 5, seen(root))
    assert page.evaluate("saved") == []
    root.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.clock.run_for(1000)
    assert page.evaluate("[model.get('step'), saved]") == [9, [9]]
    live.show(other)
    assert live.step == 3
    page.evaluate(
        "([payload]) => { model.set('step', 2); model.set('payload', payload) }", [live.payload]
    )
    check(other, 2, seen(root))
    page.evaluate("stop()")
    live.close()


def test_python_reads_sets_and_observes_the_step() -> None:
    import traitlets

    live = Stepper(reduce_scene()).live()
    heard: list[int] = []
    live.observe(lambda change: heard.append(change["new"]), "step")
    live.step = 4
    live.step = -1
    assert heard == [4, 13] and live.step == 13
    with pytest.raises(traitlets.TraitError, match="step 99: the scene has steps 0 to 13"):
        live.step = 99
    assert live.step == 13
    live.show(SCENES["dims"]())
    assert live.step == 1 and live.payload["title"] == "Tensors of 0 to 4 dims"
    live.close()


def test_an_exported_notebook_steps_without_a_network(page: Any, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="an export needs nbformat")
    export = pytest.importorskip("nbconvert", reason="an export needs nbconvert")
    scene = reduce_scene()
    outputs = [
        nbformat.v4.new_output("display_data", as_text(Stepper(one)._repr_mimebundle_()))
        for one in (scene, SCENES["graph"]())
    ]
    cell = nbformat.v4.new_code_cell("show()", outputs=outputs)
    html, _ = export.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    exported = tmp_path / "notebook.html"
    exported.write_text(html, encoding="utf-8")
    page.goto(exported.as_uri(), wait_until="domcontentloaded")
    roots = page.locator(".tk")
    roots.first.focus()
    for k in range(3):
        check(scene, k, seen(roots.first))
        page.keyboard.press("ArrowRight")
    assert seen(roots.nth(1))["count"] == "0 / 4"
    page.asked.clear()  # the exporter's own page asks for MathJax, which is refused and not missed


def as_text(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle as a notebook stores it."""
    return {**bundle, "image/png": base64.b64encode(bundle["image/png"]).decode()}
