"""Which of nbgrader's steps run where, and two steps that bring the sandbox to nbgrader itself.

A course lists its steps in `c.Autograde.sanitize_preprocessors` and `autograde_preprocessors`.
Those that read the gradebook are done by `mend` and by `book`; those of nbgrader, nbconvert and
tensorkit travel to the workers by name; a course's own run here, on the coordinator.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors as own
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.utils.importstring import import_item

from ..grading.course import DropCopies, NeedHiddenChecks
from .course import cleans
from .intake import OWN, overlay, put
from .job import Graded, Job, NotReady, Result
from .marks import score
from .mend import mend
from .options import Grading
from .run import execute

Step = tuple[Any, dict[str, Any]]


class MendCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Put the released cells back into a submission, and its answers into their places."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Step:
        """Mend one notebook."""
        folder = self.parent.parent.coursedir
        names = resources["nbgrader"]
        (clean,) = cleans(folder, names["assignment"], names["notebook"])
        notebook, notes = mend(nb, clean)
        for note in notes:
            self.log.warning("%s: %s", names["student"], note)
        return notebook, resources


class RunApart(NbGraderPreprocessor):  # type: ignore[misc]
    """Run a notebook as `tensorkit grade` does, in the place of nbgrader's Execute.

    With it, `nbgrader autograde` and formgrader's button use the sandbox, the limits and the judge.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Step:
        """Run one notebook. Raises NotReady."""
        converter = self.parent.parent
        folder, names = converter.coursedir, resources["nbgrader"]
        clean = cleans(folder, names["assignment"], names["notebook"])
        place = Path(resources["metadata"]["path"])
        files = {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file() and not path.is_symlink()
            if path.suffix != ".ipynb" and path.name not in OWN
        }
        settings = Grading(parent=converter).settings(folder, (), ())
        data = {clean[0].name: nbformat.writes(nb).encode("utf-8")}
        job = Job(names["student"], names["assignment"], clean, data, files, settings=settings)
        # formgrader calls this in its event loop, where no other loop may run
        with ThreadPoolExecutor(1) as apart:
            result = apart.submit(execute, job).result()
        for name in set(files) - set(overlay(files, result.files)):
            (place / name).unlink()
        put({name: data for name, data in result.files.items() if name not in OWN}, place)
        graded = result.notebooks[clean[0].name]
        for line in (*graded.notes, *graded.flags):
            self.log.warning("%s: %s", names["student"], line)
        return nbformat.reads(graded.text, as_version=4), resources


# what `mend` and `book` do, and what the run of the reference shows
REPLACED = (
    MendCells,
    DropCopies,
    own.DeduplicateIds,
    own.OverwriteKernelspec,
    own.OverwriteCells,
    own.CheckCellMetadata,
    own.SaveAutoGrades,
    NeedHiddenChecks,
)
RUN = (RunApart, own.Execute)
TRAVELS = ("nbgrader.", "nbconvert.", "tensorkit.")


@dataclass(frozen=True)
class Plan:
    """The steps of a course in their places."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    here: tuple[Any, ...]
    converter: Any

    def finish(self, result: Result) -> Result:
        """Apply the course's own steps to a result, and read the marks again."""
        steps = [step for step in self.here if step is not own.AssignLatePenalties]
        if not steps:
            return result
        made = {}
        for name, graded in result.notebooks.items():
            made[name] = self._finish(result, name, graded, steps)
        return replace(result, notebooks=made)

    def _finish(self, result: Result, name: str, graded: Graded, steps: Sequence[Any]) -> Graded:
        notebook = nbformat.reads(graded.text, as_version=4)
        names = {"student": result.student, "assignment": result.assignment, "notebook": name}
        folder = self.converter.coursedir
        resources: dict[str, Any] = {
            "unique_key": name,
            "metadata": {"name": name, "path": ""},
            "nbgrader": {**names, "db_url": folder.db_url},
        }
        for step in steps:
            notebook, resources = step(parent=self.converter.exporter)(notebook, resources)
        marks, comments, failed, _ = score(notebook, {})
        text = nbformat.writes(notebook, version=4) + "\n"
        return replace(graded, text=text, marks=marks, comments=comments, failed=failed)


def plan(converter: Any) -> Plan:
    """Sort the steps that a course has configured. Raises NotReady where none runs notebooks."""
    first = [_class(step) for step in converter.sanitize_preprocessors]
    second = [_class(step) for step in converter.autograde_preprocessors]
    at = next((k for k, step in enumerate(second) if step in RUN), None)
    if at is None:
        raise NotReady("c.Autograde.autograde_preprocessors names no step that runs notebooks")
    before, after = [*first, *second[:at]], second[at + 1 :]
    if NeedHiddenChecks in before:
        _need_hidden(converter)
    odd = [step for step in before if not _travels(step) and step not in REPLACED]
    if odd:
        raise NotReady(
            f"the step {odd[0].__name__} stands before the run and is known on this machine only: "
            "put it into an installed package, or after the run"
        )
    local = [own.AssignLatePenalties, *(step for step in after if not _travels(step))]
    return Plan(
        tuple(_name(step) for step in before if step not in REPLACED),
        tuple(_name(step) for step in after if step not in (*REPLACED, *local)),
        tuple(step for step in after if step in local),
        converter,
    )


def _need_hidden(converter: Any) -> None:
    """Let the course's own guard see the checks, once, on the machine that carries them out."""
    folder = converter.coursedir
    for clean in cleans(folder, folder.assignment_id, folder.notebook_id):
        sources = [nbformat.v4.new_code_cell(cell.source) for cell in clean.cells]
        NeedHiddenChecks().preprocess(nbformat.v4.new_notebook(cells=sources), {})


def _class(step: Any) -> Any:
    return import_item(step) if isinstance(step, str) else step


def _travels(step: Any) -> bool:
    return bool(step.__module__.startswith(TRAVELS))


def _name(step: Any) -> str:
    return f"{step.__module__}.{step.__qualname__}"
