"""The coordinator: nbgrader's own converter, which hands out the running and keeps the books.

It finds the submissions, hands each to the engine as a job, and brings every result home: into the
journal, into the gradebook, into `autograded`. It runs no learner's code and parses no notebook.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties

from . import engine
from .book import Book
from .course import OWN, cleans, intake
from .facts import facts, recall, zero
from .job import Clean, Job, NotReady, Result, Settings
from .journal import Journal
from .options import Grading
from .progress import Progress
from .run import execute
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
        journal = Journal(Path(self.coursedir.root), assignment)
        self._clean, self._journal, self._steps = clean, journal, steps
        with journal.lock(), _pool(options) as pool:
            book = self._open(assignment)
            try:
                for student, kept in list(journal.waiting()):
                    self._finish(book, recall(student, assignment, kept), kept)
                due = self._due(journal, clean)
                self.progress.start(len(due), len(self.assignments) - len(due), pool.name)
                jobs = (self._job(student, path, clean, settings) for student, path in due)
                canary = Job("", assignment, clean, _references(clean), settings=settings)
                for outcome in engine.grade(pool, jobs, self.run, lambda: canary):
                    self._take(book, outcome)
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
        new = self.coursedir.get_existing_timestamp(self._format_source(assignment, student))
        old = self.coursedir.get_existing_timestamp(target)
        return new is not None and old is not None and bool(new > old)

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
        files = {name: data for name, data in found.files.items() if name not in OWN}
        return Job(student, assignment, clean, found.notebooks, files, tuple(found.notes), settings)

    def _take(self, book: Book, outcome: engine.Outcome) -> None:
        """Bring one outcome home."""
        if outcome.result is None and not outcome.killed:
            self.progress.failed(outcome.job.student, outcome.problem)
            return
        job = outcome.job
        result = outcome.result or zero(job, outcome.problem)
        result = self._steps.finish(result)
        timestamp = self.coursedir.get_existing_timestamp(
            self._format_source(job.assignment, job.student)
        )
        own = Path(self._format_source(job.assignment, job.student))
        files: dict[str, bytes] = {
            name: (own / name).read_bytes()
            for name in OWN
            if (own / name).is_file() and not (own / name).is_symlink()
        }
        files |= {**job.files, **result.files}
        for name, graded in result.notebooks.items():
            if graded.text:
                files[f"{name}.ipynb"] = graded.text.encode("utf-8")
        kept = facts(result, str(timestamp) if timestamp else None)
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


def version(clean: tuple[Clean, ...]) -> str:
    """Name a version of the assignment: its cells, as the gradebook has them."""
    cells = [(each.name, [(c.name, c.checksum, c.source) for c in each.cells]) for each in clean]
    return hashlib.sha256(repr(cells).encode("utf-8", "replace")).hexdigest()


def _references(clean: tuple[Clean, ...]) -> dict[str, bytes]:
    return {each.name: (each.reference or each.template).encode("utf-8") for each in clean}
