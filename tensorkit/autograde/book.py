"""The only writer of the gradebook: one submission is one transaction, so it is whole or not there.

It writes what nbgrader's own steps write, with few statements: grades and comments of the grader;
what a person entered stays. A gradebook that somebody else is writing is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbgrader import api
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from .job import Graded, NotReady, Result

PATIENCE = 60.0  # seconds to wait for another writer

_GRADES: Any = api.Grade.__table__
_COMMENTS: Any = api.Comment.__table__
SET_GRADES = (
    update(_GRADES)
    .where(_GRADES.c.notebook_id == bindparam("of"), _GRADES.c.cell_id == bindparam("cell"))
    .values(auto_score=bindparam("score"), needs_manual_grade=bindparam("question"))
)
SET_COMMENTS = (
    update(_COMMENTS)
    .where(_COMMENTS.c.notebook_id == bindparam("of"), _COMMENTS.c.cell_id == bindparam("cell"))
    .values(auto_comment=bindparam("comment"))
)


class Unknown(NotReady):
    """A student whom the gradebook does not know, and may not be told."""


@dataclass(frozen=True)
class Entry:
    """What the gradebook says about a submission, before and after it was written."""

    before: float | None  # None where it had not been graded
    after: float
    points: float


@dataclass(frozen=True)
class _Notebook:
    id: str
    grades: dict[str, str]  # the ids of cells by name
    tasks: dict[str, str]
    comments: dict[str, str]
    points: float


class Book:
    """A gradebook that is open for writing; ``close`` it."""

    def __init__(
        self, url: str, course: str, assignment: str, *, create: bool, late: Any = None
    ) -> None:
        """Open the gradebook; ``late`` is nbgrader's step of late penalties, or None."""
        self._book = api.Gradebook(url, course)
        self._session = Session(self._book.engine, expire_on_commit=False)
        self._create = create
        self._late: AssignLatePenalties | None = late
        found = self._book.find_assignment(assignment)
        self._assignment: str = found.id
        self._notebooks = {}
        for each in found.notebooks:
            self._notebooks[each.name] = _Notebook(
                each.id,
                {cell.name: cell.id for cell in each.grade_cells},
                {cell.name: cell.id for cell in each.task_cells},
                {cell.name: cell.id for cell in [*each.solution_cells, *each.task_cells]},
                sum(cell.max_score for cell in [*each.grade_cells, *each.task_cells]),
            )
        self._book.db.remove()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
        self._book.close()

    def record(self, result: Result, timestamp: str | None) -> Entry:
        """Write a submission. Raises Unknown, and NotReady where the gradebook is not writable."""

        def write() -> Entry:
            with self._session.begin():
                entry = self._write(result, timestamp)
            self._session.expunge_all()
            return entry

        return _patiently(write)

    def _write(self, result: Result, timestamp: str | None) -> Entry:
        submission, is_new = self._submission(result.student, timestamp)
        points = sum(each.points for each in self._notebooks.values())
        before = None if is_new else self._score(submission)
        for name, graded in result.notebooks.items():
            self._grade(submission, self._notebooks[name], graded)
        if self._late is not None:
            self._penalise(submission, result)
        return Entry(before, self._score(submission), points)

    def _submission(self, student: str, timestamp: str | None) -> tuple[str, bool]:
        """Find or make the rows of a submission; return its id and whether it is new."""
        run = self._session.execute
        if run(select(api.Student.id).where(api.Student.id == student)).first() is None:
            if not self._create:
                raise Unknown(f"the gradebook knows no student {student!r}")
            run(insert(api.Student), [{"id": student, "lms_user_id": None}])
        mine = api.SubmittedAssignment
        where = (mine.assignment_id == self._assignment, mine.student_id == student)
        found = run(select(mine.id).where(*where)).first()
        time_of = {"timestamp": parse_utc(timestamp)} if timestamp else {}
        if found is None:
            row = {"id": api.new_uuid(), "assignment_id": self._assignment, "student_id": student}
            run(insert(mine), [{**row, **time_of}])
            submission = row["id"]
        else:
            submission = found[0]
            if time_of:
                run(update(mine).where(mine.id == submission).values(**time_of))
        have = set(
            run(
                select(api.SubmittedNotebook.notebook_id).where(
                    api.SubmittedNotebook.assignment_id == submission
                )
            ).scalars()
        )
        rows = [
            {"id": api.new_uuid(), "assignment_id": submission, "notebook_id": each.id}
            for each in self._notebooks.values()
            if each.id not in have
        ]
        if rows:
            run(insert(api.SubmittedNotebook), rows)
        for each in self._notebooks.values():
            self._rows(submission, each)
        return submission, found is None

    def _rows(self, submission: str, notebook: _Notebook) -> None:
        """Make the rows of grades and comments that are not there: all, or an erratum's."""
        run = self._session.execute
        mine = self._mine(submission, notebook)
        for kind, cells in (
            (api.Grade, [*notebook.grades.values(), *notebook.tasks.values()]),
            (api.Comment, [*notebook.comments.values()]),
        ):
            table: Any = kind
            have = set(run(select(table.cell_id).where(table.notebook_id == mine)).scalars())
            blank: dict[str, Any] = {"notebook_id": mine}
            if kind is api.Grade:
                blank["needs_manual_grade"] = True
            rows = [
                {**blank, "id": api.new_uuid(), "cell_id": cell}
                for cell in cells
                if cell not in have
            ]
            if rows:
                run(insert(table), rows)

    def _mine(self, submission: str, notebook: _Notebook) -> str:
        table = api.SubmittedNotebook
        where = (table.assignment_id == submission, table.notebook_id == notebook.id)
        found: str = self._session.execute(select(table.id).where(*where)).scalar_one()
        return found

    def _grade(self, submission: str, notebook: _Notebook, graded: Graded) -> None:
        run = self._session.execute
        mine = self._mine(submission, notebook)
        table = api.Grade
        manual: dict[str, float | None] = dict(
            run(select(table.cell_id, table.manual_score).where(table.notebook_id == mine))
            .tuples()
            .all()
        )
        ids = {**notebook.tasks, **notebook.grades}
        grades = []
        for name, mark in graded.marks.items():
            # what a person decided may have to be looked at again, but it stays
            question = manual.get(ids[name]) is not None or mark.score is None
            grades.append(
                {"of": mine, "cell": ids[name], "score": mark.score, "question": question}
            )
        comments = [
            {"of": mine, "cell": notebook.comments[name], "comment": comment}
            for name, comment in graded.comments.items()
            if name in notebook.comments
        ]
        # one statement for all cells: with one for each, this would take most of the time
        if grades:
            run(SET_GRADES, grades)
        if comments:
            run(SET_COMMENTS, comments)

    def _score(self, submission: str) -> float:
        """Add up the grades of a submission as nbgrader does, by hand or by check."""
        rows = self._session.execute(
            select(api.Grade.score)
            .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
            .where(api.SubmittedNotebook.assignment_id == submission)
        ).scalars()
        return float(sum(rows))

    def _penalise(self, submission: str, result: Result) -> None:
        late = self._late
        assert late is not None
        whole = self._session.get(api.SubmittedAssignment, submission, populate_existing=True)
        assert whole is not None
        seconds = whole.total_seconds_late
        for notebook in whole.notebooks:
            graded = result.notebooks.get(notebook.name)
            if graded is None:
                continue
            notebook.late_submission_penalty = None
            if seconds > 0:
                late.init_plugin()
                penalty = late.plugin_inst.late_submission_penalty(
                    result.student, notebook.score, seconds
                )
                if penalty is not None:
                    penalty = late._check_late_penalty(notebook, penalty)
                notebook.late_submission_penalty = penalty


def _patiently(write: Callable[[], Entry]) -> Entry:
    """Write, and again while another program is writing; nothing of a failed try remains."""
    until = time.monotonic() + PATIENCE
    pause = 0.02
    while True:
        try:
            return write()
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise NotReady(f"the gradebook cannot be written: {error.orig}") from error
        time.sleep(pause)
        pause = min(1.0, 2 * pause)
