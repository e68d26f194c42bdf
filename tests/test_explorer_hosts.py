"""An explorer answers in every host: JupyterLab, Notebook 7, VS Code, exports, slides, reopened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import IDLE, Lab
from demo_scenes import reduce_scene
from seeing import check, seen
from test_explorer import STAGE, explorer
from test_lab import CELLS, KERNEL
from test_stepper_hosts import as_text

from tensorkit.cli import publish
from tensorkit.widgets import Choice, Explorer, Predict, Stepper

nbformat = pytest.importorskip("nbformat", reason="the notebook tests need nbformat")

SOURCE = """\
from tensorkit.pictures import Scene
from tensorkit.widgets import Choice, Explorer, Field

def scene_of(by):
    scene = Scene(8, 3.2, f"{by} times as much")
    x = scene.tensor("x", [[3, -1, 4]], 0.5, 1.3, label="x (1, 3)")
    y = scene.tensor("y", [["", "", ""]], 4.5, 1.3, label="y (1, 3)")
    for i, value in enumerate([3, -1, 4]):
        scene.step(f"y[{i}] = {by * value}", read=x.keys[i], text={y.keys[i]: by * value})
    return scene

Explorer("Times", [Choice("by", "Times", [2, 3, 5])], scene_of)"""
LIVE = """\
live = Explorer("Typed", [Field("by", "Typed", "2", int)], scene_of).live()
live"""
HTML = ".jp-OutputArea-output .tkx"
# what VS Code's own renderer of text/html does: scripts run one by one at the end of the output
RENDER = """html => {
  const element = document.createElement('div');
  element.innerHTML = html;
  document.body.append(element);
  for (const node of [...element.getElementsByTagName('script')]) {
    const script = document.createElement('script');
    script.text = node.innerText;
    if (node.type) script.setAttribute('type', node.type);
    element.appendChild(script).remove();
  }
}"""


def book(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def pick(root: Any, label: str) -> str:
    """Press a button of the controls and return the title of the picture that stands there then."""
    root.get_by_role("radio", name=label).check(force=True)
    words: str = root.locator("svg").first.get_attribute("aria-label")
    return words.partition(".")[0]


def test_jupyterlab_shows_keeps_and_reopens_an_explorer(lab: Lab, new_page: Any) -> None:
    nbformat.write(book(SOURCE, LIVE), lab.folder / "explorer.ipynb")
    page = new_page()
    lab.run_all(page, "explorer.ipynb")
    root = page.locator(HTML).first
    root.locator(STAGE).wait_for()
    page.wait_for_function(IDLE)
    assert pick(root, "5") == "5 times as much"
    for key in ("d", "d", "ArrowLeft", "b"):
        page.keyboard.press(key)  # the shortcuts of the notebook rest; the arrow moves the choice
    assert root.get_by_role("radio", name="3").is_checked()
    assert len(page.evaluate(CELLS)) == 2
    root.locator(STAGE).press("End")
    assert root.locator("[data-t='y.2']").text_content() == "12"

    typed = page.get_by_role("textbox", name="Typed")
    typed.fill("-7")
    typed.press("Enter")
    page.get_by_text("y[0] = -21", exact=True).first.wait_for()
    typed.fill("seven")
    typed.press("Enter")
    page.get_by_text("ValueError: invalid literal").wait_for()

    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    again = new_page()
    again.set_default_timeout(90_000)
    # as it was saved, in a workspace of its own, with nothing run
    again.goto(lab.url("explorer.ipynb").replace("/workspaces/", "/workspaces/again-"))
    reopened = again.locator(HTML).first
    reopened.locator(STAGE).wait_for()
    assert pick(reopened, "5") == "5 times as much"
    reopened.locator(STAGE).press("ArrowRight")
    assert reopened.locator("[data-t='y.1']").text_content() == "−5"


def test_notebook_7_shows_an_explorer(lab: Lab, new_page: Any) -> None:
    nbformat.write(book(SOURCE), lab.folder / "seven.ipynb")
    page = new_page()
    page.set_default_timeout(90_000)
    page.goto(f"http://127.0.0.1:{lab.port}/notebooks/seven.ipynb")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.wait_for_function(IDLE)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").click()
    page.keyboard.press("Shift+Enter")
    root = page.locator(HTML).first
    root.get_by_role("radio", name="5").wait_for(state="attached")
    assert pick(root, "5") == "5 times as much"
    root.locator(STAGE).press("ArrowRight")
    assert root.locator("[data-t='y.1']").text_content() == "−5"
    # two errors of Notebook's own, when it starts: its extensions may load in the wrong order
    known = re.compile("reading 'schema'|'filebrowser:open-path' not registered")
    page.errors[:] = [error for error in page.errors if not known.search(error)]


def test_vs_code_runs_scripts_at_the_end_of_the_output(page: Any) -> None:
    page.set_content("<!doctype html><body class=vscode-dark></body>")
    both = Stepper(reduce_scene()).html() + explorer().html()
    asked = Predict("vjp", show=Explorer("Inside", [Choice("a", "A", [1, 2])], small)).html()
    for html in (both, asked):
        page.evaluate(RENDER, html)
    stages = page.locator(STAGE)
    stages.nth(1).wait_for()
    check(reduce_scene(), 0, seen(stages.nth(0)))
    check(explorer().scene(), 0, seen(stages.nth(1)))
    root = page.locator(".tkx").first
    assert pick(root, "(4,)") == "3 times (4,)"
    page.get_by_role("button", name="No idea, show me").click()
    stages.nth(2).wait_for()
    assert pick(page.locator(".tkx").nth(1), "2") == "2 in all"


def small(a: int) -> Any:
    scene = reduce_scene()
    scene.title = f"{a} in all"
    return scene


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with an explorer as a page and as slides."""
    folder = tmp_path_factory.mktemp("hosts")
    made = book(SOURCE)
    made.cells.insert(0, nbformat.v4.new_markdown_cell("# First"))
    for cell in made.cells:
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    nbformat.write(made, folder / "times.ipynb")
    publish.page(str(folder / "times.ipynb"), folder)
    publish.slides(str(folder / "times.ipynb"), folder, answers=True)
    return folder


def test_an_exported_page_answers_without_kernel_or_network(page: Any, exported: Path) -> None:
    page.goto((exported / "times.html").as_uri())
    root = page.locator(".tkx")
    root.locator(STAGE).wait_for()
    assert pick(root, "3") == "3 times as much"
    root.locator(STAGE).press("End")
    assert root.locator("[data-t='y.2']").text_content() == "12"


def test_on_a_slide_the_controls_keep_their_keys(page: Any, exported: Path) -> None:
    page.goto((exported / "times.slides.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.keyboard.press("ArrowRight")
    root = page.locator(".tkx")
    root.locator(STAGE).wait_for()
    page.wait_for_function("Reveal.getIndices().h === 1")
    root.get_by_role("radio", name="2").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert root.get_by_role("radio", name="5").is_checked()
    assert page.evaluate("Reveal.getIndices().h") == 1
    root.locator(STAGE).press("ArrowRight")
    assert root.locator("[data-t='y.1']").text_content() == "−5"
    assert page.evaluate("Reveal.getIndices().h") == 1
    inside = """e => { const box = e.getBoundingClientRect();
      return box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight }"""
    assert root.evaluate(inside)


def test_nbconvert_s_own_page_answers_too(page: Any, tmp_path: Path) -> None:
    export = pytest.importorskip("nbconvert", reason="an export needs nbconvert")
    output = nbformat.v4.new_output("display_data", as_text(explorer()._repr_mimebundle_()))
    made = book("show()")
    made.cells[0].outputs = [output]
    html, _ = export.HTMLExporter().from_notebook_node(made)
    (tmp_path / "plain.html").write_text(html, encoding="utf-8")
    page.goto((tmp_path / "plain.html").as_uri(), wait_until="domcontentloaded")
    root = page.locator(".tkx")
    root.locator(STAGE).wait_for()
    assert pick(root, "(4,)") == "3 times (4,)"
    page.asked.clear()  # the exporter's own page asks for MathJax, which is refused and not missed
