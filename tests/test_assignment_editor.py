"""Jupyter's own assignment editor opens the source of every homework: it sees the same points, and
finds nothing to repair."""

import shutil

from homework import HOMEWORKS

OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
  await Promise.all([panel.context.ready, panel.sessionContext.ready]);
  await jupyterapp.commands.execute('nbgrader:open-create-assignment');
}"""
TOTAL = """total => [...document.querySelectorAll('.nbgrader-TotalPointsInput')]
  .some(box => box.offsetParent && Number(box.value) === total)"""
NAMES = """() => [...document.querySelectorAll('.nbgrader-CellId input')]
  .filter(box => box.offsetParent).map(box => box.value)"""


def test_the_assignment_editor_opens_every_source(lab, page):
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{lab.port}/lab/workspaces/sources")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    for home in HOMEWORKS.values():
        name = f"{home.name}-source.ipynb"
        shutil.copy(home.notebook, lab.folder / name)
        page.evaluate(OPEN, name)
        total = sum(record["points"] for record in home.records.values() if record["grade"])
        page.wait_for_function(TOTAL, arg=total)
        assert set(page.evaluate(NAMES)) - {""} == set(home.records)
        assert not page.locator(".jp-Dialog").count()
