"""The coordinator: nbgrader's own converter, which hands out the running and keeps the books.

It finds the submissions, hands each to the engine as a job, and brings every result home: into the
journal, into the gradebook, into `autograded`. It runs no learner's code and parses no notebook.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties

from . import engine
from .book import Book, Unknown
from .course import cleans
from .facts import facts, recall
from .intake import OWN, intake, moment, overlay, own_files
from .job import Clean, Job, NotReady, Result, Settings
from .journal import Journal
from .options import Grading
from .progress import Progress
from .run import execute, unrun
from .sandbox import is_used
from .steps import plan


class ParallelAutograde(Autograde):  # type: ignore[misc]
    """What `nbgrader autograde` does, many at a time, apart from each other, and restartable."""

    run = staticmethod(execute)
    progress = Progress()

    def init_notebooks(self) -> None:
        """Find the submissions: every folder counts, with or without a notebook."""
        self.assignments: dict[str, list[str]] = {}
        pattern = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        for path in glob.glob(pattern):
            if os.path.isdir(path):
                self.assignments[path] = []
        if not self.assignments:
            raise NotReady(f"nothing was handed in: there is no folder {pattern}")

    def convert_notebooks(self) -> None:
        """Grade everybody who is due. Raises NotReady where the machine cannot grade."""
        assignment = self.coursedir.assignment_id
        clean = cleans(self.coursedir, assignment, self.coursedir.notebook_id)
        steps = plan(self)
        options = Grading(parent=self)
        settings = options.settings(self.coursedir, steps.before, steps.after)
        if not options.scheduler:
            is_used(options.sandbox)  # refuse before anything is begun; workers ask for themselves
        journal = Journal(Path(self.coursedir.root), assignment)
        self._clean, self._journal, self._steps = clean, journal, steps
        with journal.lock(), _pool(options) as pool:
            book = self._open(assignment)
            try:
                for student, kept in list(journal.waiting(version(clean))):
                    self._bring_home(student, partial(self._waited, book, student, kept))
                due = self._due(journal, clean)
                self.progress.start(len(due), len(self.assignments) - len(due), pool.name)
                jobs = self._jobs(due, clean, settings)
                canary = Job("", assignment, clean, _references(clean), settings=settings)
                for outcome in engine.grade(pool, jobs, self.run, lambda: canary):
                    student = outcome.job.student
                    self._bring_home(student, partial(self._take, book, outcome))
            finally:
                book.close()
        self.progress.end()

    def _open(self, assignment: str) -> Book:
        late = None
        if AssignLatePenalties in self._steps.here:
            late = AssignLatePenalties(parent=self)
        return Book(
            self.coursedir.db_url,
            self.coursedir.course_id,
            assignment,
            create=self.create_student,
            late=late,
        )

    def _due(self, journal: Journal, clean: tuple[Clean, ...]) -> list[tuple[str, str]]:
        """List who is to be graded, by nbgrader's rule: new, newer than graded, or forced."""
        pattern = self._format_source("(?P<assignment_id>.*)", "(?P<student_id>.*)", escape=True)
        excluded = set(filter(None, self.coursedir.student_id_exclude.split(",")))
        found = []
        for path in sorted(self.assignments):
            match = re.match(pattern, path)
            if match is None:
                raise NotReady(f"the folder {path!r} does not fit CourseDirectory's structure")
            if match["student_id"] not in excluded:
                found.append((match["student_id"], path))
        students = (student for student, _ in found)
        again = journal.again(students, version(clean), self.force)
        return [
            (student, path) for student, path in found if student in again or self._is_new(student)
        ]

    def _is_new(self, student: str) -> bool:
        assignment = self.coursedir.assignment_id
        target = self._format_dest(assignment, student)
        if not os.path.exists(target):
            return True
        if self.coursedir.notebook_id != "*" and any(
            not os.path.exists(os.path.join(target, f"{clean.name}.ipynb")) for clean in self._clean
        ):
            return True
        new = _moment(Path(self._format_source(assignment, student)))
        old = _moment(Path(target))
        return new is not None and old is not None and new > old

    def _jobs(
        self, due: list[tuple[str, str]], clean: tuple[Clean, ...], settings: Settings
    ) -> Iterator[Job]:
        for student, path in due:
            try:
                job = self._job(student, path, clean, settings)
            except Exception as error:
                # a folder that cannot be read stops nobody else
                self.progress.failed(student, f"{type(error).__name__}: {error}")
            else:
                yield job

    def _job(self, student: str, path: str, clean: tuple[Clean, ...], settings: Settings) -> Job:
        assignment = self.coursedir.assignment_id
        self.notebooks = [os.path.join(path, f"{each.name}.ipynb") for each in clean]
        self.run_pre_convert_hook()
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment)
        found = intake(
            Path(path),
            Path(source),
            clean,
            self.coursedir.ignore,
            1000 * self.coursedir.max_dir_size,
            keep=self.exclude_overwriting.get(assignment, []),
        )
        try:
            moment(Path(path))
        except ValueError as error:
            found.notes.append(str(error))
        notes = tuple(found.notes)
        return Job(student, assignment, clean, found.notebooks, found.files, notes, settings)

    def _bring_home(self, student: str, bring: Callable[[], None]) -> None:
        """Do it; what goes wrong for one leaves that one without a grade, and nobody else."""
        try:
            bring()
        except Unknown as error:
            self._journal.drop(student)
            self.progress.failed(student, str(error))
        except NotReady:
            raise
        except Exception as error:
            self.progress.failed(student, f"{type(error).__name__}: {error}")

    def _waited(self, book: Book, student: str, kept: Mapping[str, Any]) -> None:
        """Finish what an earlier run had graded."""
        self._finish(book, recall(student, self.coursedir.assignment_id, kept), kept)

    def _take(self, book: Book, outcome: engine.Outcome) -> None:
        """Take one outcome into the journal, then finish it."""
        if outcome.result is None and not outcome.killed:
            self.progress.failed(outcome.job.student, outcome.problem)
            return
        job = outcome.job
        result = self._steps.finish(outcome.result or unrun(job, outcome.problem))
        own = Path(self._format_source(job.assignment, job.student))
        time = _moment(own)
        written = {name: data for name, data in result.files.items() if name not in OWN}
        files = overlay(overlay(job.files, written), own_files(own))
        files = overlay(files, {f"{k}.ipynb": v.text.encode() for k, v in result.notebooks.items()})
        kept = facts(result, str(time) if time else None, version(self._clean))
        self._journal.stage(job.student, files, kept)
        self._finish(book, result, kept)

    def _finish(self, book: Book, result: Result, kept: Mapping[str, Any]) -> None:
        """From the journal into the gradebook and into place; may be done twice."""
        entry = book.record(result, kept["timestamp"])
        target = Path(self._format_dest(result.assignment, result.student))
        self._journal.publish(result.student, target, whole=self.coursedir.notebook_id == "*")
        self.set_permissions(result.assignment, result.student)
        self.run_post_convert_hook()
        self._journal.finish(result.student)
        self.progress.graded(result, entry)


def _pool(options: Grading) -> AbstractContextManager[engine.Pool]:
    if options.scheduler:
        return engine.cluster(options.scheduler)
    return engine.local(options.jobs or None)


def _moment(folder: Path) -> datetime | None:
    try:
        return moment(folder)
    except ValueError:
        return None


def version(clean: tuple[Clean, ...]) -> str:
    """Name a version of the assignment: its cells, as the gradebook has them."""
    cells = [(each.name, [(c.name, c.checksum, c.source) for c in each.cells]) for each in clean]
    return hashlib.sha256(repr(cells).encode("utf-8", "replace")).hexdigest()


def _references(clean: tuple[Clean, ...]) -> dict[str, bytes]:
    return {each.name: (each.reference or each.template).encode("utf-8") for each in clean}
