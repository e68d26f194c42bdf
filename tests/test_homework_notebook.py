"""The homework's notebook as it is stored: reviewable in a diff, valid to nbgrader, and in step
with the checks that it calls."""

import importlib
import re
import runpy

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from wrong_answers.bank import COURSE, HIDDEN, NOTEBOOK, notebook_cells

from tensorkit.grading import gradients


@pytest.fixture
def hidden_checks(monkeypatch):
    monkeypatch.syspath_prepend(str(HIDDEN))
    return importlib.import_module("tensorkit_hidden.gradients").CHECKS


def test_the_points_add_up_and_agree_with_the_notebook():
    cells = [
        cell["metadata"]["nbgrader"] for cell in notebook_cells() if "nbgrader" in cell["metadata"]
    ]
    points = {cell["grade_id"]: cell["points"] for cell in cells if cell["grade"]}
    assert points == {
        f"check-{name.replace('_', '-')}": task.points for name, task in gradients.TASKS.items()
    }
    assert sum(points.values()) == 30


def test_hidden_checks_belong_to_blocks_and_the_notebook_calls_them(hidden_checks):
    for task, blocks in hidden_checks.items():
        assert set(blocks) <= {block.key for block in gradients.TASKS[task].blocks}
    for cell in notebook_cells():
        if cell["id"].startswith("check-"):
            source = "".join(cell["source"])
            task = re.search(r'"gradients\.(\w+)"', source)[1]
            assert ("check.hidden()" in source) == (task in hidden_checks)


def test_the_notebook_is_stored_in_one_form_without_outputs():
    """So that a diff shows what changed: rewriting the file gives the same bytes."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert nbformat.writes(node).rstrip("\n") + "\n" == text, "run assignments/tidy.py"
    assert node.metadata.keys() == {"kernelspec", "language_info"}
    assert node.metadata.language_info == {"name": "python"}
    for cell in node.cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]+", cell.id), "ids are names, not random"
        assert cell.id == cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_the_notebooks_nbgrader_records_are_valid():
    MetadataValidator().validate_nb(nbformat.read(NOTEBOOK, as_version=4))
    cells = notebook_cells()
    ids = [c["metadata"]["nbgrader"]["grade_id"] for c in cells if "nbgrader" in c["metadata"]]
    assert len(ids) == len(set(ids))
    for cell in cells:
        record = cell["metadata"].get("nbgrader", {})
        source = "".join(cell["source"])
        regions = source.count("### BEGIN SOLUTION"), source.count("### END SOLUTION")
        assert regions[0] == regions[1]
        assert bool(regions[0]) == record.get("solution", False)
        if record.get("grade"):
            assert record["locked"]
            assert source.endswith("check.score()")
        else:
            assert "HIDDEN TESTS" not in source


def test_tidy_undoes_what_an_editor_leaves_behind(tmp_path):
    tidy = runpy.run_path(str(COURSE / "tidy.py"))["tidy"]
    path = tmp_path / "gradients.ipynb"
    node = nbformat.read(NOTEBOOK, as_version=4)
    node.metadata["widgets"] = {}
    node.metadata.language_info["version"] = "3.99"
    for cell in node.cells:
        cell.metadata["collapsed"] = True
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="left behind")]
    nbformat.write(node, path)
    tidy(path)
    assert path.read_bytes() == NOTEBOOK.read_bytes()
