"""A small nbgrader course with quick cells, made new for each module of tests that grades one."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode, v4
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tensorkit.autograde.grade import ParallelAutograde
from tensorkit.autograde.job import Graded, Job, Mark, Result
from tensorkit.autograde.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = {"double": "def double(x):\n    return 2 * x", "half": "def half(x):\n    return x / 2"}
POINTS = {"check-double": 2.0, "check-half": 3.0, "why": 1.0}


def cell(name: str, source: str, kind: str = "code", **roles: Any) -> NotebookNode:
    record = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False}
    record |= {"locked": False, "task": False, **roles}
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    return make(source, id=name, metadata={"nbgrader": record})


def author() -> NotebookNode:
    """The notebook as its author wrote it, with solutions and hidden tests."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    solved = "    ### BEGIN SOLUTION\n    {}\n    ### END SOLUTION"
    made.cells = [
        cell("setup", "import numpy as np", locked=True),
        v4.new_markdown_cell("Write two functions.", id="words"),
        cell("double", "def double(x):\n" + solved.format("return 2 * x"), solution=True),
        cell(
            "check-double",
            "np.testing.assert_allclose(double(2.5), 5.0)\n### BEGIN HIDDEN TESTS\n"
            "assert double(-3) == -6  # secret 71\n### END HIDDEN TESTS",
            grade=True,
            locked=True,
            points=2,
        ),
        v4.new_code_cell("double(4)", id="look"),
        cell("half", "def half(x):\n" + solved.format("return x / 2"), solution=True),
        cell(
            "check-half",
            "earned = 1.0 * (half(4) == 2)\n### BEGIN HIDDEN TESTS\n"
            "earned += 2.0 * (half(7) == 3.5)  # secret 83\n### END HIDDEN TESTS\nearned",
            grade=True,
            locked=True,
            points=3,
        ),
        cell("why", "Say why.", "markdown", grade=True, solution=True, points=1),
    ]
    return made


def fill(notebook: NotebookNode, answers: Mapping[str, str]) -> None:
    for each in notebook.cells:
        if each.get("id") in answers:
            each.source = answers[each.id]


class Heard(Progress):
    """Everything that grading reports."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}
        self.entries: dict[str, Any] = {}
        self.problems: dict[str, str] = {}
        self.due = -1

    def start(self, total: int, skipped: int, where: str) -> None:
        self.due = total

    def graded(self, result: Result, entry: Any) -> None:
        self.results[result.student] = result
        self.entries[result.student] = entry

    def failed(self, student: str, problem: str) -> None:
        self.problems[student] = problem


@dataclass
class Course:
    """A course folder with one assignment, generated, and what is handed in."""

    root: Path
    config: Config = field(default_factory=Config)
    name: str = "A1"

    @property
    def folder(self) -> CourseDirectory:
        made = CourseDirectory(config=self.config)
        made.assignment_id = self.name
        return made

    def release(self) -> NotebookNode:
        return nbformat.read(self.root / "release" / self.name / "work.ipynb", as_version=4)

    def place(self, student: str) -> Path:
        made = self.root / "submitted" / student / self.name
        made.mkdir(parents=True, exist_ok=True)
        return made

    def submit(
        self,
        student: str,
        answers: Mapping[str, str] = ANSWERS,
        change: Callable[[NotebookNode], None] | None = None,
    ) -> Path:
        """Hand in the release with answers, changed by ``change``."""
        notebook = self.release()
        fill(notebook, answers)
        if change is not None:
            change(notebook)
        path = self.place(student) / "work.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    def grade(self, run: Any = None, **options: Any) -> Heard:
        """Grade as `tensorkit grade` does."""
        converter = ParallelAutograde(coursedir=self.folder, config=self.config)
        converter.force = options.pop("force", False)
        converter.coursedir.student_id = options.pop("only", "*")
        converter.update_config(Config(Grading={"jobs": 3, **options}))
        if run is not None:
            converter.run = run
        heard = Heard()
        converter.progress = heard
        converter.start()
        return heard

    def marks(self, student: str) -> dict[str, float]:
        with Gradebook(self.folder.db_url) as book:
            submission = book.find_submission(self.name, student)
            return {g.name: g.score for nb in submission.notebooks for g in nb.grades}

    def graded(self, student: str) -> str:
        path = self.root / "autograded" / student / self.name / "work.ipynb"
        return path.read_text("utf-8") if path.exists() else ""


def make(root: Path, notebook: NotebookNode | None = None, **settings: Any) -> Course:
    """Make the folder, generate the assignment."""
    (root / "source" / "A1").mkdir(parents=True)
    nbformat.write(notebook or author(), root / "source" / "A1" / "work.ipynb")
    course = Course(root)
    course.config.CourseDirectory.root = str(root)
    course.config.Exchange.root = str(root / "exchange")
    course.config.Execute.timeout = 5
    for name, value in settings.items():
        course.config.Grading[name] = value
    generate(course)
    return course


def generate(course: Course) -> None:
    tools = NbGraderAPI(course.folder, config=course.config)
    done = tools.generate_assignment(course.name, force=True)
    assert done["success"], done


def isolated(tmp: Path) -> pytest.MonkeyPatch:
    """Set the environment in which kernels start, whatever is installed."""
    patch = pytest.MonkeyPatch()
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        patch.setenv(name, str(tmp / name.lower()))
    patch.setenv("PYTHONPATH", str(ROOT))
    # a new gradebook calls alembic by name
    patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return patch


def timeless(text: str) -> str:
    """Drop from a notebook when it ran, which no two runs share."""
    return re.sub(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"', '"then"', text)


def rows(course: Course) -> dict[str, Any]:
    """Everything that the gradebook says, without the random names of rows."""
    found: dict[str, Any] = {}
    with Gradebook(course.folder.db_url) as book:
        for submission in book.assignment_submissions(course.name):
            key = submission.student.id
            notebooks = submission.notebooks
            found[key] = {
                "score": submission.score,
                "time": submission.timestamp,
                "late": [nb.late_submission_penalty for nb in notebooks],
                "grades": {
                    (nb.name, g.name): (g.auto_score, g.manual_score, g.needs_manual_grade)
                    for nb in notebooks
                    for g in nb.grades
                },
                "comments": {
                    (nb.name, c.name): (c.auto_comment, c.manual_comment)
                    for nb in notebooks
                    for c in nb.comments
                },
            }
    return found


def files(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file below a folder with its mode and its text."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode & 0o777,
            timeless(path.read_text("utf-8")),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pretend(job: Job) -> Result:
    """Grade without a kernel, and keep a list of who was graded."""
    with open(os.environ["GRADED_LOG"], "a", encoding="utf-8") as log:
        log.write(job.student + "\n")
    (clean,) = job.clean
    text = job.notebooks["work"].decode("utf-8")
    marks = {cell.name: Mark(cell.points, cell.points) for cell in clean.cells if cell.grade}
    return Result(job.student, job.assignment, {"work": Graded(text, marks, {"half": "done"})})
