"""Three lessons as a learner goes through them, in a real JupyterLab."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from conftest import IDLE, Lab
from lessons import NOTEBOOKS, answer, stored

CELLS = "() => jupyterapp.shell.currentWidget.context.model.toJSON().cells"
ALL_RAN = f"() => ({CELLS})().every(c => c.cell_type !== 'code' || c.execution_count)"
SHOW = "i => jupyterapp.shell.currentWidget.content.scrollToItem(i, 'center')"
WRITE = """([place, text]) => {
  jupyterapp.shell.currentWidget.content.widgets[place].model.sharedModel.setSource(text);
}"""
RUN = """async place => {
  jupyterapp.shell.currentWidget.content.activeCellIndex = place;
  await jupyterapp.commands.execute('notebook:run-cell');
}"""

# a lesson, a stepper of it, a prediction to type, and a build
LESSONS = {
    "01_one_tape": ("exit-picture", "read-predict", "position"),
    "05_reduce": ("figure", "sum-0-predict", "reduce"),
    "09_graph_engine": ("exit-picture", "paths-predict", "order"),
}


@pytest.mark.parametrize("name", LESSONS)
def test_a_learner_goes_through_a_lesson(lab: Lab, new_page: Any, name: str) -> None:
    shutil.copy(NOTEBOOKS / f"{name}.ipynb", lab.folder)
    picture, prediction, build = LESSONS[name]
    places = {cell.id: place for place, cell in enumerate(stored(name).cells)}
    page = new_page()
    lab.run_all(page, f"{name}.ipynb", patience=60)
    page.wait_for_function(ALL_RAN)
    page.wait_for_function(IDLE)
    outputs = [output for cell in page.evaluate(CELLS) for output in cell.get("outputs", [])]
    assert len(outputs) > 15
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]

    def cell_of(key: str) -> Any:
        page.evaluate(SHOW, places[key])
        return page.locator(f'.jp-Notebook [data-windowed-list-index="{places[key]}"]')

    stepper = cell_of(picture).locator("[aria-roledescription=stepper]")
    stepper.focus()
    last = int(stepper.locator(".tk-count").inner_text().split(" / ")[1])
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("End", last)):
        page.keyboard.press(key)
        assert stepper.locator(".tk-count").inner_text() == f"{step} / {last}"
        assert stepper.locator(".tk-now").inner_text()

    asked = cell_of(prediction)
    hidden = asked.locator(".tk-count")
    assert not hidden.is_visible()
    form = asked.locator("form").first
    form.get_by_role("textbox").fill("-12345")
    form.get_by_label("2", exact=True).check()
    form.get_by_role("button", name="Commit").click()
    hidden.wait_for()
    assert "You said “-12345”" in asked.locator(".tkq-says").inner_text()

    cell_of(f"{build}-check").get_by_text("is not written yet").wait_for()
    page.evaluate(WRITE, [places[f"{build}-build"], answer(name, build)])
    for key in (f"{build}-build", f"{build}-check"):
        page.evaluate(RUN, places[key])
    cell_of(f"{build}-check").get_by_text("all checks pass").wait_for()
