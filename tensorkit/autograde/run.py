"""`execute` grades one job, anywhere: it reads no gradebook and no course folder.

Each process first runs the author's solution, once. If that does not earn every point, the machine
is not ready and nobody is graded; if it does, it has also shown how each check ends.
"""

from __future__ import annotations

import copy
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode, v4
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from . import sandbox
from .caches import recall, remember
from .execute import SandboxedExecute, _fail
from .guard import digest
from .intake import overlay
from .job import Clean, Graded, Job, MachineNotReady, Result, Settings
from .marks import kinds, refuse, score
from .mend import Unreadable, blank, grade_id, mend, read
from .preload import nursery
from .suspects import suspects

# what these guard against the reference has shown already; a learner's file could trip them
MACHINE = ("NeedHiddenChecks", "NeedWarmUp")
_proven: dict[int, dict[str, Proof]] = {}
_proving = threading.Lock()


@dataclass(frozen=True)
class Proof:
    """What the run of a reference has shown."""

    ends: Mapping[str, str] = field(default_factory=dict)  # how each check ends
    modules: tuple[str, ...] = ()  # what is worth loading before a kernel is forked


def execute(job: Job) -> Result:
    """Run and score a submission. Raises NotReady where the machine, not the learner, failed."""
    start = time.perf_counter()
    used = sandbox.is_used(job.settings.sandbox)
    proofs = prove(job)
    files = dict(job.files)
    written: dict[str, bytes] = {}
    graded = {}
    for clean in job.clean:
        proof = proofs.get(clean.name, Proof())
        graded[clean.name], new = _grade(job, clean, overlay(files, written), proof)
        written = overlay(written, new)
    host = f"{socket.gethostname()}:{os.getpid()}"
    seconds = time.perf_counter() - start
    return Result(
        job.student, job.assignment, graded, written, job.notes, seconds, host, sandboxed=used
    )


def prove(job: Job) -> dict[str, Proof]:
    """Let the author's solution of each notebook show that this process can grade, once.

    Raises NotReady.
    """
    if not job.settings.control:
        return {}
    key = hash((tuple((clean.name, clean.reference) for clean in job.clean), job.settings.sandbox))
    with _proving:
        if key not in _proven:
            found = {}
            for clean in job.clean:
                if clean.reference is not None:
                    found[clean.name] = _prove(job, clean, sandbox.is_used(job.settings.sandbox))
            _proven[key] = found
        return _proven[key]


def _prove(job: Job, clean: Clean, used: bool) -> Proof:
    name = digest(str(clean.reference) + repr(job.settings.preload))
    known = recall(name)
    if known and used:
        # from an earlier run: they are loaded while the reference runs
        places = (known, job.settings.hide, job.settings.limits)
        threading.Thread(target=nursery, args=places, daemon=True).start()
    notebook, _ = mend(nbformat.reads(str(clean.reference), as_version=4), clean)
    notebook = _steps(job, clean, notebook, job.settings.before)
    runner = _runner(job.settings, clean)
    runner.files, runner.trusted = job.files, True
    notebook, _ = runner.preprocess(notebook, _resources(job, clean))
    ends = kinds(notebook)
    _steps(job, clean, notebook, job.settings.after)
    lost = score(notebook, {})[2]
    if lost:
        words = "; ".join(f"{name}: {why}" for name, why in lost.items())
        raise MachineNotReady(
            f"the author's solution of {clean.name!r} does not earn every point here ({words}). "
            "Nobody was graded. Put the machine or the solution right, or use --no-control"
        )
    modules = _worth_loading(runner.modules, job.settings.preload)
    if list(modules) != known:
        remember(name, modules)
    return Proof(ends, modules)


def _worth_loading(imported: Iterable[str], packages: Sequence[str]) -> tuple[str, ...]:
    """Choose from what the reference imported; what registers itself with a notebook stays out."""
    late = ("tensorkit.widgets", "tensorkit.explore", "tensorkit.pictures")
    roots = tuple(f"{package}." for package in packages)
    chosen = [name for name in imported if name in packages or name.startswith(roots)]
    return tuple(sorted(name for name in chosen if not name.startswith(late)))


def _grade(
    job: Job, clean: Clean, files: dict[str, bytes], proof: Proof
) -> tuple[Graded, dict[str, bytes]]:
    notes: list[str] = []
    written: dict[str, bytes] = {}
    changed: dict[int, list[str]] = {}
    flags: list[str] = []
    settings = job.settings
    before, after = _for_learners(settings.before), _for_learners(settings.after)
    if not settings.control:
        before, after = list(settings.before), list(settings.after)
    try:
        notebook, notes = _handed_in(job, clean)
    except Unreadable as error:
        notes = [str(error)]
        notebook = _lost(_steps(job, clean, blank(clean), before), "Unreadable", str(error))
    else:
        notebook = _steps(job, clean, notebook, before)
        runner = _runner(settings, clean)
        runner.files, runner.preload = files, proof.modules
        notebook, _ = runner.preprocess(notebook, _resources(job, clean))
        notes += runner.notes
        written, changed = dict(runner.written), runner.changed
        checks = {cell.name for cell in clean.cells if cell.grade and not cell.solution}
        for at, names in runner.meanwhile.items():
            name, why = grade_id(notebook.cells[at]), f"while the check ran, {names[0]} was changed"
            if name in checks:
                refuse(notebook.cells[at], why)
                flags.append(f"{name}: {why}")
    notebook = _steps(job, clean, notebook, after)
    for at, names in changed.items():
        name = grade_id(notebook.cells[at]) or f"cell {at + 1}"
        flags.append(f"{name}: had to be put back first: {', '.join(names)}")
    flags += _suspects(notebook, clean)
    return _marked(job, notebook, notes, flags, proof.ends), written


def _handed_in(job: Job, clean: Clean) -> tuple[NotebookNode, list[str]]:
    """Return the mended notebook, and what was mended. Raises Unreadable."""
    if clean.name not in job.notebooks:
        raise Unreadable("the notebook was not handed in")
    try:
        return mend(read(job.notebooks[clean.name], job.settings.limits), clean)
    except Unreadable as error:
        raise Unreadable(f"the notebook could not be read: {error}") from error


def unrun(job: Job, reason: str) -> Result:
    """Grade a submission that cannot be run: checks get no points and the reason."""
    graded = {}
    for clean in job.clean:
        try:
            notebook, notes = _handed_in(job, clean)
        except Unreadable as error:
            notebook, notes = blank(clean), [str(error)]
        notebook = _steps(job, clean, notebook, _for_learners(job.settings.before))
        graded[clean.name] = _marked(job, _lost(notebook, "NotRun", reason), [*notes, reason])
    return Result(job.student, job.assignment, graded, notes=job.notes)


def _lost(notebook: NotebookNode, name: str, reason: str) -> NotebookNode:
    """Put an error into every cell that the gradebook knows."""
    for cell in notebook.cells:
        if grade_id(cell):
            _fail(cell, name, reason)
    return notebook


def _marked(
    job: Job,
    notebook: NotebookNode,
    notes: Sequence[str],
    flags: Sequence[str] = (),
    ends: Mapping[str, str] | None = None,
) -> Graded:
    """Read the marks and tell the learner what was odd."""
    marks, comments, failed, refused = score(notebook, ends or {})
    if notes or job.notes:
        _tell(notebook, [*job.notes, *notes])
    text = nbformat.writes(notebook, version=4)
    text = text if text.endswith("\n") else text + "\n"
    return Graded(text, marks, comments, tuple(notes), (*refused, *flags), failed)


def _runner(settings: Settings, clean: Clean) -> SandboxedExecute:
    runner = SandboxedExecute(config=_config(settings))
    runner.sandbox, runner.limits, runner.clean = settings.sandbox, settings.limits, clean
    runner.private, runner.hide = settings.private, settings.hide
    runner.environment = settings.environment
    return runner


def _config(settings: Settings) -> Config:
    config = Config(copy.deepcopy({name: dict(part) for name, part in settings.config.items()}))
    config.Exporter.default_preprocessors = []
    return config


def _resources(job: Job, clean: Clean) -> dict[str, Any]:
    """Say what nbgrader says to its steps; there is no gradebook here."""
    names = {"student": job.student, "assignment": job.assignment, "notebook": clean.name}
    return {
        "unique_key": clean.name,
        "output_files_dir": f"{clean.name}_files",
        "metadata": {"name": clean.name, "path": ""},
        "nbgrader": {**names, "db_url": ""},
    }


def _for_learners(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.rpartition(".")[2] not in MACHINE]


def _steps(job: Job, clean: Clean, notebook: NotebookNode, names: Sequence[str]) -> NotebookNode:
    """Apply nbgrader's steps as its converter does: through an exporter, from and to text."""
    exporter = NotebookExporter(config=_config(job.settings))
    for name in names:
        exporter.register_preprocessor(import_item(name))
    text, _ = exporter.from_notebook_node(notebook, _resources(job, clean))
    made: NotebookNode = nbformat.reads(text, as_version=4)
    return made


def _suspects(notebook: NotebookNode, clean: Clean) -> list[str]:
    released = {cell.source for cell in clean.cells}
    released |= {cell.source for cell in nbformat.reads(clean.template, as_version=4).cells}
    lines = []
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source not in released:
            name = grade_id(cell) or f"cell {at + 1}"
            lines += [f"{name}: {words}" for words in suspects(cell.source)]
    return lines


def _tell(notebook: NotebookNode, notes: Sequence[str]) -> None:
    """Put a cell at the top that tells the learner what was odd, and what was done."""
    lines = "\n".join(f"- {note}" for note in dict.fromkeys(notes))
    text = f"**Notes from grading**\n\n{lines}"
    cell = v4.new_markdown_cell(text, metadata={"tensorkit": "notes"})
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        cell.pop("id", None)
    notebook.cells.insert(0, cell)
