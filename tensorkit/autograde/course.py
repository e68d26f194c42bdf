"""The course folder, read for grading: what was released, and what was handed in.

A learner made a submission's folder, so nothing in it is followed or believed: links are left out,
names are compared, sizes are asked first. Everything odd becomes a sentence.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from .job import Clean, Known, NotReady

# nbgrader's own files beside a submission; no notebook needs them
OWN = ("timestamp.txt", "submission_secret.txt")


@dataclass
class Intake:
    """What was found in the folder of a submission."""

    notebooks: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


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


def intake(
    submitted: Path,
    source: Path,
    clean: Sequence[Clean],
    ignore: Sequence[str],
    most: int,
    keep: Sequence[str] = (),
) -> Intake:
    """Read a submission's folder; ``most`` is how many bytes of it are read in all.

    Files of ``source`` replace those that were handed in, except for the names in ``keep``.
    """
    found = Intake()
    left = _Budget(most)
    strangers: dict[str, bytes] = {}
    wanted = {f"{each.name}.ipynb": each.name for each in clean}
    for name, path in _walk(submitted, ignore, found.notes):
        data = left.read(path, name, found.notes)
        if data is None:
            continue
        if name in wanted:
            found.notebooks[wanted[name]] = data
        elif name.endswith(".ipynb"):
            strangers[name] = data
        else:
            found.files[name] = data
    _recognise(found, strangers, clean)
    for name, path in _walk(source, ignore, []):
        if not name.endswith(".ipynb") and not (name in keep and name in found.files):
            found.files[name] = path.read_bytes()
    return found


class _Budget:
    """Reads files until the bytes are used up."""

    def __init__(self, left: int) -> None:
        self.left = left

    def read(self, path: Path, name: str, notes: list[str]) -> bytes | None:
        """Read a plain file, never through a link; None, with a sentence, where that fails."""
        try:
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            notes.append(f"{name!r} could not be read ({error.strerror})")
            return None
        with os.fdopen(opened, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                notes.append(f"{name!r} is not a plain file and was left out")
                return None
            if facts.st_size > self.left:
                notes.append(f"{name!r} is too large ({facts.st_size >> 20} MB) and was left out")
                # a notebook that is too large is told from one that is missing
                return b"" if name.endswith(".ipynb") else None
            self.left -= facts.st_size
            return file.read()


def _walk(folder: Path, ignore: Sequence[str], notes: list[str]) -> list[tuple[str, Path]]:
    """List the plain files of a folder by relative name, sorted; links get a sentence."""
    files = []
    for base, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            if os.path.islink(os.path.join(base, name)):
                notes.append(f"{name!r} is a link and was left out")
        keep = [n for n in folders if not _ignored(n, ignore)]
        folders[:] = sorted(n for n in keep if not os.path.islink(os.path.join(base, n)))
        for name in sorted(names):
            path = Path(base, name)
            relative = path.relative_to(folder).as_posix()
            if _ignored(name, ignore) or path.is_symlink():
                continue
            try:
                relative.encode("utf-8")
            except UnicodeEncodeError:
                notes.append(f"{relative.encode('utf-8', 'replace')!r} has a name that is no text")
                continue
            files.append((relative, path))
    return files


def _ignored(name: str, ignore: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in ignore)


def _recognise(found: Intake, strangers: Mapping[str, bytes], clean: Sequence[Clean]) -> None:
    """Take a renamed notebook for the one that is missing, by the cells that it has."""
    for each in clean:
        if each.name in found.notebooks:
            continue
        names = {cell.name for cell in each.cells}
        shares = {name: len(names & _grade_ids(data)) for name, data in strangers.items()}
        best = max(shares, key=lambda name: shares[name], default=None)
        if best is not None and 2 * shares[best] >= max(1, len(names)):
            found.notebooks[each.name] = strangers[best]
            found.notes.append(f"{best!r} was taken for '{each.name}.ipynb'")
        else:
            found.notes.append(f"'{each.name}.ipynb' was not handed in")


def _grade_ids(data: bytes) -> set[str]:
    try:
        cells = json.loads(data)["cells"]
        records = [cell.get("metadata", {}).get("nbgrader", {}) for cell in cells]
        return {str(record["grade_id"]) for record in records if "grade_id" in record}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
