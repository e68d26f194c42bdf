"""An erratum in a released homework: checks change, all are graded again, and what a person decided
stays. The steps are those of assignments/INSTRUCTOR.md."""

import csv
import os
import subprocess
import sys

import nbformat
import pytest
from homework import HOMEWORKS
from nbgrader.plugins import CsvExportPlugin
from test_nbgrader import course, feedback, fill, right_cells  # noqa: F401 - course is a fixture

HOME = HOMEWORKS["gradients"]
STUDENTS = ("ada", "bob")
WORDS = "A clear sentence, but for which grad_out?"
FORGOTTEN = "### BEGIN HIDDEN TESTS\ncheck.hidden()\n### END HIDDEN TESTS\n"

pytestmark = pytest.mark.filterwarnings("ignore")


def edit_check(course, old: str, new: str) -> None:  # noqa: F811
    """Change the source of one check as a teacher would, and make the release again."""
    path = course.folder / "source" / HOME.name / f"{HOME.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (check,) = [cell for cell in notebook.cells if cell.id == "check-log"]
    assert old in check.source
    check.source = check.source.replace(old, new)
    nbformat.write(notebook, path)
    done = course.tools.generate_assignment(HOME.name, force=True)
    assert done["success"], done


def export(course) -> dict[str, float]:  # noqa: F811
    """Read nbgrader's own export for a learning management system."""
    place = course.home / "grades.csv"
    with course.tools.gradebook as book:
        CsvExportPlugin(to=str(place), config=course.config).export(book)
    with place.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert {line["assignment"] for line in table} == {HOME.name}
    assert {float(line["max_score"]) for line in table} == {30.0}
    return {line["student_id"]: float(line["score"]) for line in table}


def by_hand(course, student: str) -> dict[str, object]:  # noqa: F811
    """What a person entered: scores by cell, and the comment on the erratum."""
    with course.tools.gradebook as book:
        submission = book.find_submission(HOME.name, student)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        entered = {g.name: g.manual_score for g in grades if g.manual_score is not None}
        comment = book.find_comment("erratum", HOME.name, HOME.name, student)
        return entered | {"comment": comment.manual_comment}


def test_an_erratum_is_graded_again_and_what_a_person_gave_stays(course):  # noqa: F811
    edit_check(course, FORGOTTEN, "")  # the mistake: one check was released without its hidden part
    (careless,) = [e for e in HOME.bank if (e.task, e.id) == ("log", "F28d")]
    answers = {"ada": right_cells(HOME), "bob": right_cells(HOME) | {"log": HOME.cell(careless)}}
    for student in STUDENTS:
        place = course.folder / "submitted" / student / HOME.name
        place.mkdir(parents=True)
        release = course.folder / "release" / HOME.name / f"{HOME.name}.ipynb"
        notebook = nbformat.read(release, as_version=4)
        fill(notebook, answers[student])
        nbformat.write(notebook, place / release.name)
        assert course.tools.autograde(HOME.name, student)["success"]
    assert export(course) == {"ada": 29, "bob": 29}

    with course.tools.gradebook as book:
        where = (HOME.name, HOME.name)
        book.find_grade("erratum", *where, "ada").manual_score = 1
        book.find_grade("erratum", *where, "bob").manual_score = 0.5
        book.find_grade("check-relu", *where, "bob").manual_score = 1.5
        book.find_comment("erratum", *where, "bob").manual_comment = WORDS
        book.db.commit()
    entered = {student: by_hand(course, student) for student in STUDENTS}
    assert entered["bob"] == {"erratum": 0.5, "check-relu": 1.5, "comment": WORDS}
    before = export(course)
    assert before == {"ada": 30, "bob": 29}

    # mended and graded again by nbgrader: two exports show whose score changed
    edit_check(course, "check.score()", FORGOTTEN + "check.score()")
    for student in STUDENTS:
        assert course.tools.autograde(HOME.name, student, force=True)["success"]
    after = export(course)
    changed = {who: (before[who], after[who]) for who in before if before[who] != after[who]}
    assert changed == {"bob": (29, 28)}
    assert {student: by_hand(course, student) for student in STUDENTS} == entered

    # taken back, and graded again by the kit, which prints whose score changed
    edit_check(course, FORGOTTEN, "")
    done = subprocess.run(
        [sys.executable, "-m", "tensorkit", "grade", HOME.name, "--force"],
        cwd=course.folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 scores changed:\n  bob: 28 -> 29\n" in done.stdout
    assert export(course) == before
    assert {student: by_hand(course, student) for student in STUDENTS} == entered
    assert course.tools.generate_feedback(HOME.name, "bob")["success"]
    assert WORDS in feedback(course, HOME, "bob")
