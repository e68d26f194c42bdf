"""A stepper fits its host: its keys, its theme, its scripts leave the rest of the page alone."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo_scenes import SCENES, hostile_scene, reduce_scene
from seeing import check, seen, show

from tensorkit.widgets import Stepper
from tensorkit.widgets.page import css, payload, script


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
