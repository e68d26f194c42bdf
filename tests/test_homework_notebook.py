"""The homeworks' notebooks as they are stored: reviewable in a diff, valid to nbgrader, and in step
with the checks that they call."""

import re
import runpy

import nbformat
import pytest
from homework import COURSE, HOMEWORKS, name_of
from nbgrader.nbgraderformat import MetadataValidator

TOTALS = {
    "one_tape": 15,
    "stretch": 12,
    "loops": 25,
    "gradients": 30,
    "engine": 20,
    "bad_assert": 18,
    "fast": 20,
}

each_homework = pytest.mark.parametrize("home", HOMEWORKS.values(), ids=name_of)


@each_homework
def test_the_points_add_up_and_agree_with_the_notebook(home):
    points = {name: r["points"] for name, r in home.records.items() if r["grade"]}
    automatic = {name: points[name] for name in points if name not in home.manual}
    assert automatic == {
        f"check-{name.replace('_', '-')}": task.points for name, task in home.tasks.items()
    }
    assert sum(points.values()) == TOTALS[home.name]


@each_homework
def test_every_block_gives_a_whole_point_and_is_partly_shown(home):
    """A cell without an open check would tell its reader that all is well."""
    for task in home.tasks.values():
        assert any(block.cases for block in task.blocks)
        for block in task.blocks:
            assert block.points == int(block.points) >= 1


@each_homework
def test_hidden_checks_belong_to_blocks_and_the_notebook_calls_them(home):
    for task, blocks in home.hidden.items():
        assert set(blocks) <= {block.key for block in home.tasks[task].blocks}
    for cell, source in home.sources.items():
        if cell.startswith("check-"):
            task = re.search(rf'"{home.name}\.(\w+)"', source)[1]
            assert cell == f"check-{task.replace('_', '-')}"
            assert ("check.hidden()" in source) == (task in home.hidden)


@each_homework
def test_a_block_has_checks_when_all_are_present(home):
    for name, task in home.tasks.items():
        for block in task.blocks:
            assert block.cases or home.hidden[name][block.key], f"{name} {block.key}"


@each_homework
def test_the_notebook_is_stored_in_one_form_without_outputs(home):
    """So that a diff shows what changed: rewriting the file gives the same bytes."""
    text = home.notebook.read_text(encoding="utf-8")
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


@each_homework
def test_the_notebooks_nbgrader_records_are_valid(home):
    MetadataValidator().validate_nb(nbformat.read(home.notebook, as_version=4))
    assert len(home.sources) == len(home.cells), "ids are unique"
    assert home.records["warm-up"]["locked"]
    for cell in home.cells:
        record = cell["metadata"].get("nbgrader", {})
        source = home.sources[cell["id"]]
        regions = source.count("### BEGIN SOLUTION"), source.count("### END SOLUTION")
        assert regions[0] == regions[1]
        assert bool(regions[0]) == (cell["id"] in home.answers)
        if cell["id"] in home.manual:
            assert cell["cell_type"] == "markdown"
            assert "rubric" in source.lower(), "a human needs to know what earns the points"
        elif record.get("grade"):
            assert record["locked"]
            assert source.endswith("check.score()")
        else:
            assert "HIDDEN TESTS" not in source


@each_homework
def test_a_learner_finds_time_lesson_hints_and_a_place_for_the_time_it_took(home):
    text = "\n".join(home.sources.values())
    first = home.sources["title"]
    assert re.search(r"\*\*\d+ points, about .* hours?\.\*\*", first), first
    assert "*Prepared by*" in first
    assert "hours = None" in home.sources["time"]
    for level in (1, 2, 3):
        assert text.count(f"<summary>Hint {level}</summary>") >= len(home.answers)


def test_tidy_undoes_what_an_editor_leaves_behind(tmp_path):
    tidy = runpy.run_path(str(COURSE / "tidy.py"))["tidy"]
    path = tmp_path / "gradients.ipynb"
    node = nbformat.read(HOMEWORKS["gradients"].notebook, as_version=4)
    node.metadata["widgets"] = {}
    node.metadata.language_info["version"] = "3.99"
    for cell in node.cells:
        cell.metadata["collapsed"] = True
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="left behind")]
    nbformat.write(node, path)
    tidy(path)
    assert path.read_bytes() == HOMEWORKS["gradients"].notebook.read_bytes()
