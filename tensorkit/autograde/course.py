"""The course folder, read for grading: what was released, and what its author solved."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from .job import Clean, Known, NotReady


def cleans(folder: CourseDirectory, assignment: str, pattern: str = "*") -> tuple[Clean, ...]:
    """Read from the gradebook and the release what every submission is held against.

    ``pattern`` chooses notebooks by name. Raises NotReady where the assignment is not generated.
    """
    made = []
    with Gradebook(folder.db_url, folder.course_id) as book:
        try:
            notebooks = book.find_assignment(assignment).notebooks
        except MissingEntry:
            notebooks = []
        for notebook in sorted(notebooks, key=lambda each: each.name):
            if fnmatch(notebook.name, pattern):
                made.append(_clean(folder, assignment, notebook))
    if not made:
        raise NotReady(
            f"the gradebook knows no notebook {pattern!r} of the assignment {assignment!r}: "
            f"run nbgrader generate_assignment {assignment} first"
        )
    return tuple(made)


def _clean(folder: CourseDirectory, assignment: str, notebook: Any) -> Clean:
    graded = {cell.name: cell.max_score for cell in notebook.grade_cells}
    tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
    solved = {cell.name for cell in notebook.solution_cells}
    cells = {}
    for cell in notebook.source_cells:
        name = cell.name
        known = Known(
            name,
            cell.cell_type,
            cell.source,
            cell.checksum,
            bool(cell.locked),
            name in graded,
            name in solved,
            name in tasks,
            graded.get(name, tasks.get(name)),
        )
        cells[name] = known
    released = _notebook(folder, folder.release_directory, assignment, notebook.name)
    solution = _notebook(folder, folder.source_with_tests_directory, assignment, notebook.name)
    solution = solution or _notebook(folder, folder.source_directory, assignment, notebook.name)
    template = released or solution
    if template is None:
        raise NotReady(f"neither release nor source holds {notebook.name}.ipynb of {assignment!r}")
    order = []
    for cell in template.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in cells:
            order.append(cells[name])
            cell.source = cells[name].source if released is None else cell.source
            cell.metadata["nbgrader"]["checksum"] = cells[name].checksum
    lost = [name for name in [*graded, *solved, *tasks] if name not in {c.name for c in order}]
    if lost:
        raise NotReady(
            f"the gradebook knows cells that {notebook.name}.ipynb does not have "
            f"({', '.join(sorted(set(lost)))}): run nbgrader generate_assignment {assignment} again"
        )
    kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
    reference = nbformat.writes(solution) if solution is not None else None
    return Clean(notebook.name, nbformat.writes(template), tuple(order), kernelspec, reference)


def _notebook(folder: CourseDirectory, step: str, assignment: str, name: str) -> Any:
    path = Path(folder.format_path(step, ".", assignment)) / f"{name}.ipynb"
    return nbformat.read(path, as_version=4) if path.is_file() else None
