"""The gallery shows every entry of the catalogue, and each control leads to the scene of Python."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from seeing import check, seen, show

import tensorkit as tk
from tensorkit.cli import publish
from tensorkit.widgets import Explorer

PATH = Path(__file__).resolve().parents[1] / "notebooks" / "gallery.ipynb"
STAGE = "[aria-roledescription=stepper]"
# it is filled with the answers of a lesson, and has no scene
WITHOUT_SCENES = {"calibration"}
ENTRIES = sorted(set(dir(tk.explore)) - WITHOUT_SCENES)
MOST = 450_000  # bytes of one output


@cache
def stored() -> Any:
    return nbformat.read(PATH, as_version=4)


@cache
def entry(name: str) -> Explorer:
    explorer = getattr(tk.explore, name)()
    assert isinstance(explorer, Explorer)
    return explorer


def test_the_file_is_in_its_one_form() -> None:
    assert PATH.read_text("utf-8") == nbformat.writes(stored(), version=4) + "\n"
    nbformat.validate(stored())
    ids = [cell.id for cell in stored().cells]
    assert len(set(ids)) == len(ids)
    for cell in stored().cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_every_entry_is_there_once_after_a_sentence_on_what_to_try() -> None:
    cells = stored().cells
    shown = [cell.id for cell in cells if cell.source.startswith("tk.explore.")]
    assert sorted(shown) == sorted(dir(tk.explore))
    for before, cell in pairwise(cells):
        if cell.id in shown:
            assert cell.source == f"tk.explore.{cell.id}()"
            title, _, words = before.source.partition("\n\n")
            assert title.startswith("### ") and words.endswith((".", "?"))
            assert re.search(rf"tk\.explore\.{cell.id}\(", getattr(tk.explore, cell.id).__doc__)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery as a page: every cell runs, and a cell that fails stops it."""
    folder = tmp_path_factory.mktemp("gallery")
    publish.page("gallery", folder)
    return folder / "gallery.html"


def test_the_page_steps_and_answers_without_kernel_or_network(page: Any, exported: Path) -> None:
    page.goto(exported.as_uri())
    page.locator(".tkx " + STAGE).nth(len(ENTRIES) - 1).wait_for()
    for explorer in page.locator(".tkx").all():
        stage, controls = explorer.locator(STAGE), explorer.locator("[data-control]")
        before = stage.inner_html()
        control = controls.first
        if control.locator("select").count():
            control.locator("select").select_option(index=1)
        else:
            control.locator("input:not(:checked)").first.dispatch_event("click")
        assert stage.inner_html() != before
        stage.press("End")
        assert stage.locator(".tk-now").inner_text()
    assert page.locator(".tk [id]").count() == 0
    for cell in page.locator(".jp-OutputArea-output").all():
        assert cell.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), cell.inner_text()[:80]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_control_leads_to_the_scene_that_python_makes(page: Any, name: str) -> None:
    explorer = entry(name)
    html = explorer.html()
    bundle = explorer.stepper()._repr_mimebundle_()
    assert len(html.encode()) + len(bundle["image/png"]) * 4 // 3 <= MOST
    show(page, html)
    where = explorer.start()
    agree(page, explorer, where)
    for choice in explorer.choices:
        label = list(choice.values)[-1]
        where[choice.name] = label
        control = page.locator(f"[data-control='{choice.name}']")
        at = len(choice.values) - 1
        if choice.look == "menu":
            control.locator("select").select_option(index=at)
        elif choice.look == "slider":
            control.get_by_role("slider").fill(str(at))
        elif choice.look == "switch":
            control.get_by_role("switch").check()
        else:
            control.get_by_role("radio").nth(at).check(force=True)
        agree(page, explorer, where)


def agree(page: Any, explorer: Explorer, where: dict[str, str]) -> None:
    """The demonstration in the page is that of Python, at its first, middle and last step."""
    scene, stage = explorer.scene_at(where), page.locator(STAGE)
    stage.wait_for()
    if scene.play:
        page.get_by_role("button", name="Show me").click()
    last = len(scene.steps) - 1
    for k in sorted({0, last // 2, last}):
        if last:
            stage.get_by_role("slider", name="step").fill(str(k))
        check(scene, k, seen(stage))
