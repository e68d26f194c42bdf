"""In a real JupyterLab: a stepper steps, its keys are its own, and it follows the theme."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from conftest import Lab
from demo_scenes import reduce_scene

from tensorkit.widgets import Stepper

nbformat = pytest.importorskip("nbformat", reason="the notebook tests need nbformat")

SOURCE = """\
from tensorkit.pictures import Scene
from tensorkit.widgets import Stepper

scene = Scene(9, 3.2, "Twice as much")
x = scene.tensor("x", [[3, -1, 4]], 0.5, 1.3, label="x (1, 3)")
y = scene.tensor("y", [[0, 0, 0]], 5, 1.3, label="y (1, 3)")
for i, value in enumerate([6, -2, 8]):
    scene.step(f"y[{i}]", read=x.keys[i], write=y.keys[i], text={y.keys[i]: value})
    scene.link(y.keys[i], [x.keys[i]])
Stepper(scene)"""
IDLE = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
LOOK = """e => ({
  dark: e.hasAttribute('data-tk-dark'),
  count: e.querySelector('.tk-count').textContent,
  background: getComputedStyle(e).backgroundColor,
})"""
COUNT_ON = """async want => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const code = want === '2 / 2' ? 'if live.step == 1: live.step = 2' : 'live.step = 0';
  await kernel.requestExecute({ code }).done;
  return document.querySelectorAll('.tk-count')[1].textContent === want;
}"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def test_a_stepper_in_a_running_notebook(lab: Lab, new_page: Any) -> None:
    cells = [
        nbformat.v4.new_code_cell(text) for text in (SOURCE, "live = Stepper(scene).live()\nlive")
    ]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), lab.folder / "steps.ipynb"
    )
    page = new_page()
    page.set_default_timeout(90_000)
    page.goto(lab.url("steps.ipynb"))
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.wait_for_function(IDLE)
    page.evaluate("() => jupyterapp.commands.execute('runmenu:run-all')")
    root = page.locator(".jp-OutputArea .tk").first
    root.locator("svg[role=img]").wait_for()
    page.wait_for_function(IDLE)

    root.locator(".tk-say").click()
    for key in ("ArrowRight", "ArrowRight", "d", "d", "ArrowLeft"):
        page.keyboard.press(key)
    assert root.evaluate(LOOK)["count"] == "1 / 2"
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2
    assert root.locator("[data-k='y.1']").get_attribute("data-r") == "write"
    assert root.locator("[data-t='y.1']").text_content() == "−2"
    assert root.locator("[data-t='y.2']").text_content() == "0"
    root.locator("[data-k='y.2']").hover()
    lit = root.locator("rect[data-lit]").evaluate_all("all => all.map(e => e.dataset.k)")
    assert lit == ["x.2", "y.2"]

    for theme, dark, background in (
        ("JupyterLab Dark", True, "rgb(17, 17, 17)"),
        ("JupyterLab Light", False, "rgb(255, 255, 255)"),
    ):
        page.evaluate(
            f"() => jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})"
        )
        page.wait_for_function(
            "([dark, background]) => { const e = document.querySelector('.jp-OutputArea .tk');"
            "return e.hasAttribute('data-tk-dark') === dark"
            " && getComputedStyle(e).backgroundColor === background }",
            arg=[dark, background],
        )
        assert root.evaluate(LOOK) == {"dark": dark, "count": "1 / 2", "background": background}
        # JupyterLab removes its splash twice when themes change before the first is gone
        page.locator("#jupyterlab-splash").wait_for(state="detached")

    widget = page.locator(".jp-OutputArea .tk").nth(1)
    widget.focus()
    page.keyboard.press("ArrowRight")
    assert widget.evaluate(LOOK)["count"] == "1 / 2"
    for want in ("2 / 2", "0 / 2"):  # once Python has heard of step 1, it goes on from there
        page.wait_for_function(COUNT_ON, arg=want)

    root.focus()
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    saved = nbformat.read(lab.folder / "steps.ipynb", as_version=4)
    assert set(saved.cells[0].outputs[0].data) == {"text/html", "image/png", "text/plain"}


def test_an_untrusted_notebook_shows_the_still(lab: Lab, new_page: Any) -> None:
    scene = reduce_scene()
    bundle = Stepper(scene)._repr_mimebundle_()
    bundle["image/png"] = base64.b64encode(bundle["image/png"]).decode()
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", bundle)])
    book = nbformat.v4.new_notebook(cells=[cell], metadata=KERNEL)
    nbformat.write(book, lab.folder / "unsigned.ipynb")
    page = new_page()
    page.set_default_timeout(90_000)
    page.goto(lab.url("unsigned.ipynb"))
    still = page.locator(".jp-OutputArea img")
    still.wait_for()
    assert still.evaluate("e => [e.naturalWidth > 300, e.alt]") == [
        True,
        f"{scene.title}. Step 13: ✗ {scene.steps[13].say}",
    ]
    assert page.locator(".jp-OutputArea .tk-picture").count() == 0
