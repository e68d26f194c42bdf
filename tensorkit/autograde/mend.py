"""A submission counts by its answers: whatever else was changed comes from the release.

A notebook whose graded cells are all there, once each and in order, is taken as it is. Otherwise
the answers, and the cells that a learner added, are put into a clean copy of the release.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from typing import Any

import nbformat
from nbformat import NotebookNode, v4
from nbgrader import utils

from .job import Clean, Known, Limits

MAKE: dict[str, Callable[..., NotebookNode]] = {
    "code": v4.new_code_cell,
    "markdown": v4.new_markdown_cell,
    "raw": v4.new_raw_cell,
}
DEEPEST = 100  # lists and records within each other; no editor writes a tenth of that


class Unreadable(ValueError):
    """A file that is no notebook; the text says why, for the student."""


def read(data: bytes, limits: Limits) -> NotebookNode:
    """Parse a notebook that was handed in, without its outputs. Raises Unreadable."""
    largest, most = limits.notebook, limits.cells
    if len(data) > largest:
        raise Unreadable(f"it is {len(data) >> 20} MB large; at most {largest >> 20} MB are read")
    wrong: dict[str, Any] = {}
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        _refuse_depth(raw)
        for cell in raw.get("cells", ()):
            if cell["cell_type"] == "code":
                # they are made anew; what is in them need not even be valid
                cell["outputs"], cell["execution_count"] = [], None
        # half of a pair of surrogates can be written in JSON, but no file can hold it
        text = json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
        notebook = nbformat.reads(text, 4, capture_validation_error=wrong)
        made: NotebookNode = _from_sources(notebook) if wrong else notebook
        if len(made.cells) > most:
            raise Unreadable(f"it has {len(made.cells)} cells; at most {most} are run")
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("it is nested too deeply to be a notebook") from None
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:120]
        raise Unreadable(f"it is not a notebook ({type(error).__name__}: {reason})") from error
    return made


def _refuse_depth(value: Any) -> None:
    """Refuse what later steps could not walk through. Raises RecursionError."""
    level = [value]
    for _ in range(DEEPEST):
        inside = [v for each in level for v in (each.values() if isinstance(each, dict) else each)]
        level = [each for each in inside if isinstance(each, (dict, list))]
    if level:
        raise RecursionError


def _from_sources(notebook: NotebookNode) -> NotebookNode:
    """Make a notebook whose records break the format anew, of its cells and their names alone."""
    made: NotebookNode = v4.new_notebook()
    for cell in notebook.cells:
        if not isinstance(cell.source, str):
            raise ValueError("a cell without a source")
        record = cell.get("metadata", {}).get("nbgrader", {})
        fresh = MAKE[cell.cell_type](cell.source)
        if isinstance(record, dict) and isinstance(record.get("grade_id"), str):
            fresh.metadata["nbgrader"] = {"grade_id": record["grade_id"]}
        if isinstance(cell.get("id"), str):
            fresh["id"] = cell["id"]
        made.cells.append(fresh)
    return made


def mend(notebook: NotebookNode, clean: Clean) -> tuple[NotebookNode, list[str]]:
    """Return the notebook to run, and what had to be mended, in sentences for the student."""
    notes: list[str] = []
    if not is_intact(notebook, clean):
        notebook, notes = _transplant(notebook, clean)
    known, tags = clean.known(), _tags(clean)
    for cell in notebook.cells:
        name = grade_id(cell)
        if name not in known:
            continue
        if _overwrite(cell, known[name]):
            notes.append(f"the cell {name!r} had been edited; the released one was run")
        if known[name].locked and cell.metadata.get("tags") != tags[name]:
            # by its tags a cell can be left out of a run
            cell.metadata.pop("tags", None)
            if tags[name] is not None:
                cell.metadata["tags"] = tags[name]
            notes.append(f"the tags of the cell {name!r} had been changed; they were put back")
    if clean.kernelspec:
        notebook.metadata["kernelspec"] = NotebookNode(clean.kernelspec)
    return notebook, notes


def _tags(clean: Clean) -> dict[str | None, Any]:
    """Return the tags of the released cells by grade id."""
    cells = [NotebookNode(cell) for cell in json.loads(clean.template)["cells"]]
    return {grade_id(cell): cell.metadata.get("tags") for cell in cells}


def blank(clean: Clean) -> NotebookNode:
    """Return the notebook as released, with every check: what a missing one is graded as."""
    return mend(nbformat.reads(clean.template, as_version=4), clean)[0]


def grade_id(cell: NotebookNode) -> str | None:
    """Return a cell's grade id, or None; anything may stand in a learner's metadata."""
    record = cell.metadata.get("nbgrader")
    name = record.get("grade_id") if isinstance(record, dict) else None
    return name if isinstance(name, str) and name else None


def is_intact(notebook: NotebookNode, clean: Clean) -> bool:
    """Tell whether every known cell is there once, in order, of its type and with its record."""
    records = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    names = [grade_id(cell) for cell in records]
    if names != [cell.name for cell in clean.cells]:
        return False
    for cell, known in zip(records, clean.cells, strict=True):
        roles = (utils.is_grade(cell), utils.is_solution(cell), utils.is_task(cell))
        if cell.cell_type != known.cell_type or utils.is_locked(cell) != known.locked:
            return False
        if roles != (known.grade, known.solution, known.task):
            return False
        if not _is_valid(cell.metadata["nbgrader"]):
            return False
    return True


def _is_valid(record: dict[str, Any]) -> bool:
    """Tell whether a record has the keys and types of nbgrader's format 3, as it was released."""
    roles = [record.get(name) for name in ("grade", "solution", "locked")]
    points = record.get("points", 0)
    number = isinstance(points, (int, float)) and not isinstance(points, bool)
    return record.get("schema_version") == 3 and number and all(isinstance(r, bool) for r in roles)


def _overwrite(cell: NotebookNode, known: Known) -> bool:
    """Set what a learner may not change; tell whether the text of a locked cell had changed."""
    record = cell.metadata["nbgrader"]
    record["checksum"] = known.checksum
    if known.grade and float(record.get("points", -1)) != known.points:
        record["points"] = known.points
    if not known.locked or utils.compute_checksum(cell) == known.checksum:
        return False
    released, cell.source = cell.source, known.source
    if utils.compute_checksum(cell) != known.checksum:
        raise RuntimeError(f"the gradebook's checksum of {known.name!r} does not fit its source")
    return bool(_visible(known.source) != released.strip())


def _visible(source: str) -> str:
    """Return what a release shows of a cell: hidden tests are cut from it."""
    lines, hidden = [], False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line:
            hidden = True
        elif "END HIDDEN TESTS" in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return "\n".join(lines).strip()


def _transplant(notebook: NotebookNode, clean: Clean) -> tuple[NotebookNode, list[str]]:
    made = nbformat.reads(clean.template, as_version=4)
    known = clean.known()
    place = {grade_id(cell): k for k, cell in enumerate(made.cells) if grade_id(cell)}
    ids = {cell.get("id"): k for k, cell in enumerate(made.cells) if cell.get("id")}
    text = {cell.source.strip(): k for k, cell in enumerate(made.cells)}
    stubs = {k: made.cells[k].source for k in range(len(made.cells))}

    answers: dict[int, str] = {}
    extra: dict[int, list[NotebookNode]] = {}
    seen: list[int] = []
    last = -1
    for cell in notebook.cells:
        k = place.get(grade_id(cell), ids.get(cell.get("id"), text.get(cell.source.strip())))
        if k is None:
            extra.setdefault(last, []).append(cell)
            continue
        seen.append(k)
        last = max(last, k)
        name = grade_id(made.cells[k])
        is_answer = name is None or not known[name].locked
        # of copies the last one that was worked on counts: it is what a kernel ends up with
        if is_answer and (k not in answers or cell.source != stubs[k]):
            answers[k] = cell.source
    notes = _complaints(made, known, seen)
    for k in [k for k in place.values() if k not in seen]:
        name = grade_id(made.cells[k])
        if name and known[name].solution and known[name].cell_type == "code":
            found = _by_names(extra, stubs[k])
            if found is not None:
                answers[k] = found.source
                notes.append(f"the answer {name!r} was found in a cell without a record")

    cells: list[NotebookNode] = _plain(extra.get(-1, []))
    for k, cell in enumerate(made.cells):
        cell.source = answers.get(k, cell.source)
        cells += [cell, *_plain(extra.get(k, []))]
    made.cells = cells
    return made, notes


def _complaints(made: NotebookNode, known: dict[str, Known], seen: list[int]) -> list[str]:
    notes = []
    for k, cell in enumerate(made.cells):
        name = grade_id(cell)
        if name in known and seen.count(k) != 1:
            what = "an answer" if known[name].solution else "a check"
            if k in seen:
                notes.append(f"{name!r}, {what}, was there {seen.count(k)} times; one counts")
            else:
                notes.append(f"{name!r}, {what}, was missing; the released cell was put back")
    return notes or ["cells had been moved, or their records changed; the release's were used"]


def _by_names(extra: dict[int, list[NotebookNode]], stub: str) -> NotebookNode | None:
    """Find, among the cells without a record, one that defines what this answer must define."""
    wanted = _defined(stub)
    for cells in extra.values():
        for cell in cells:
            if cell.cell_type == "code" and wanted and wanted <= _defined(cell.source):
                cells.remove(cell)
                return cell
    return None


def _defined(source: str) -> set[str]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    makes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in body if isinstance(node, makes)}


def _plain(cells: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Keep a learner's own cells as source alone: no record, no id that could meet another."""
    return [NotebookNode(MAKE[cell.cell_type](cell.source)) for cell in cells]
