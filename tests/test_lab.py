"""In a real JupyterLab: a stepper steps, its keys are its own, and it follows the theme."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import IDLE, Lab
from demo_scenes import reduce_scene

from tensorkit.widgets import Stepper, figures

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
LESSON = Path(__file__).resolve().parents[1] / "notebooks" / "14_lecture.ipynb"
CELLS = "() => jupyterapp.shell.currentWidget.context.model.toJSON().cells"
ALL_RAN = f"() => ({CELLS})().every(c => c.cell_type !== 'code' || c.execution_count)"
SHOW = "i => jupyterapp.shell.currentWidget.content.scrollToItem(i, 'center')"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def test_a_stepper_in_a_running_notebook(lab: Lab, new_page: Any) -> None:
    cells = [
        nbformat.v4.new_code_cell(text) for text in (SOURCE, "live = Stepper(scene).live()\nlive")
    ]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), lab.folder / "steps.ipynb"
    )
    page = new_page()
    lab.run_all(page, "steps.ipynb")
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


def test_the_lesson_from_top_to_bottom(lab: Lab, new_page: Any) -> None:
    shutil.copy(LESSON, lab.folder / "lesson.ipynb")
    page = new_page()
    lab.run_all(page, "lesson.ipynb", patience=120)
    page.wait_for_function(ALL_RAN)
    page.wait_for_function(IDLE)
    cells = page.evaluate(CELLS)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert len(outputs) > 50
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]

    def cell_of(source: str) -> Any:
        [number] = [k for k, cell in enumerate(cells) if cell["source"].endswith(source)]
        page.evaluate(SHOW, number)
        return page.locator(f'.jp-Notebook [data-windowed-list-index="{number}"]')

    stepper = cell_of("tk.figures.map()").locator(".tk[aria-roledescription=stepper]")
    scene = figures.map().scene
    stepper.locator(".tk-say").click()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert stepper.locator(".tk-count").text_content() == "2 / 6"
    assert scene.steps[2].say in stepper.locator(".tk-now").inner_text()
    stepper.locator("[data-k='out.3']").hover()
    lit = stepper.locator("rect[data-lit]").evaluate_all("all => all.map(e => e.dataset.k)")
    assert {"out.3", *scene.links["out.3"]} <= set(lit)
    assert "x.3" in lit and "x.2" not in lit
    page.evaluate(
        "() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.locator(".jp-OutputArea .tk[data-tk-dark]").first.wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea .tk')]"
        ".every(e => e.hasAttribute('data-tk-dark'))"
    )
    asked = cell_of('Predict("vjp", show=tk.figures.jacobian())')
    hidden = asked.locator(".tk[aria-roledescription=stepper]")
    assert not hidden.is_visible()
    asked.get_by_role("button", name="No idea, show me").click()
    hidden.press("End")
    assert hidden.locator("[data-t='sum.0']").text_content() == "51"


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
