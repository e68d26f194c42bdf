"""`tensorkit homework`: one source, and from it the student version, the self-study one, the key.

The student version is what nbgrader releases. In the self-study version every check is open and an
answer is shown after three tries; it cannot be handed in. The key holds the answers.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tensorkit.cli.problem import Problem
from tensorkit.grading import sources

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n?", re.DOTALL)
SELF_STUDY = (
    "*Self-study version.* Nothing is handed in: the checks that elsewhere run at grading run here "
    "at once, with their data. When an answer has failed in three different ways, "
    "`check.solution()` in a new cell shows one that works."
)
KEY = "*Answer key*, for teachers: please do not publish it where learners of a course find it."


def homework(names: list[str], self_study: bool, answers: bool, output: Path) -> int:
    """Write one version of some homeworks, or of all. Raises Problem before anything is written."""
    known = sources.homeworks()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Problem(f"no homework {unknown[0]!r}: choose from {', '.join(known)}")
    make, ending = (key, "-answers") if answers else (student, "")
    if self_study:
        make, ending = study, "-self-study"
    places = {name: output / f"{name}{ending}.ipynb" for name in names or known}
    there = [str(place) for place in places.values() if place.exists()]
    if there:
        raise Problem(f"{there[0]} exists and may hold somebody's work: move it or use --output")
    output.mkdir(parents=True, exist_ok=True)
    for name, place in places.items():
        made = make(nbformat.read(sources.notebook(name), as_version=4))
        nbformat.validate(made)
        place.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
        print(place)
    return 0


def student(source: NotebookNode) -> NotebookNode:
    """Return what nbgrader would release: no solutions, no hidden checks, checks locked."""
    from nbgrader import preprocessors as steps

    made, resources = source, dict[str, Any]()
    for step in (
        steps.LockCells,
        steps.ClearSolutions,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ClearHiddenTests,
        steps.ClearMarkScheme,
        steps.ComputeChecksums,
    ):
        made, resources = step().preprocess(made, resources)
    return made


def study(source: NotebookNode) -> NotebookNode:
    """Return the self-study version. Where a person would read, a good answer stands folded."""
    words = {cell.id: cell.source for cell in source.cells if _waits_for_a_person(cell)}
    made = student(_open(source))
    cells = []
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
        cells.append(cell)
        if cell.id in words:
            folded = f"<details><summary>A good answer</summary>\n\n{words[cell.id]}\n\n</details>"
            cells.append(nbformat.v4.new_markdown_cell(folded, id=f"{cell.id}-answer"))
    made.cells = [cells[0], nbformat.v4.new_markdown_cell(SELF_STUDY, id="self-study"), *cells[1:]]
    return made


def key(source: NotebookNode) -> NotebookNode:
    """Return the answers, with all checks open; it runs as it is and earns every point."""
    made = _open(source)
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
        cell.source = sources.MARKS.sub("", cell.source)
    made.cells.insert(1, nbformat.v4.new_markdown_cell(KEY, id="key"))
    return made


def _open(source: NotebookNode) -> NotebookNode:
    for cell in source.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.source = HIDDEN.sub("", cell.source).replace("grading.sheet(", "grading.study(")
    return source


def _waits_for_a_person(cell: NotebookNode) -> bool:
    record = cell.metadata.get("nbgrader", {})
    return bool(record.get("grade") and record.get("solution"))
