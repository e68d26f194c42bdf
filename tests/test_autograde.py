"""Graded in parallel and in sandboxes, a class gets what plain nbgrader gives: every score, every
comment, every file. What a person entered stays, and nobody is graded twice or not at all."""

from __future__ import annotations

import shutil

import autograde_course as ac
import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI

pytestmark = pytest.mark.filterwarnings("ignore")

CLASS = {
    "right": ac.ANSWERS,
    "empty": {},
    "partly": {"double": "def double(x):\n    return x * x", "half": "def half(x): return x // 2"},
    "error": {"double": "1 / 0", "half": "def half(x)\n    return x", "why": "Because 2 + 2 is 4."},
    "noisy": {
        **ac.ANSWERS,
        "double": ac.ANSWERS["double"] + "\nprint('twice')\nopen('made.csv', 'w').write('a,b')",
        "look": "import pathlib\npathlib.Path('given.txt').read_text(), double(21)",
    },
}


def submit_class(course: ac.Course) -> None:
    for student, answers in CLASS.items():
        course.submit(student, answers)
        (course.place(student) / "given.txt").write_text(student, encoding="utf-8")
    (course.place("right") / "timestamp.txt").write_text("2030-02-01 10:00:00 UTC", "utf-8")
    (course.place("absent") / "notes.txt").write_text("I forgot the notebook", "utf-8")
    extra = nbformat.v4.new_code_cell("def half(x):\n    return x / 2", id="mine")
    course.submit("helper", {"double": ac.ANSWERS["double"]}, lambda nb: nb.cells.insert(4, extra))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same class, graded by nbgrader itself."""
    home = tmp_path_factory.mktemp("plain")
    patch = ac.isolated(home)
    course = ac.make(home / "course")
    submit_class(course)
    # nbgrader overlooks a learner without a notebook, so this one gets an unknown notebook
    shutil.copy(course.place("right") / "work.ipynb", course.place("absent") / "other.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), course.place("absent") / "other.ipynb")
    done = NbGraderAPI(course.folder, config=course.config).autograde("A1", "*")
    patch.undo()
    yield course, done


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, graded by tensorkit with nbgrader's own configuration."""
    home = tmp_path_factory.mktemp("parallel")
    patch = ac.isolated(home)
    course = ac.make(home / "course")
    submit_class(course)
    heard = course.grade()
    yield course, heard
    patch.undo()


def without(rows, *names):
    return {student: row for student, row in rows.items() if student not in names}


def test_every_score_and_comment_is_nbgraders(plain, graded):
    expected = without(ac.rows(plain[0]), "absent")
    assert set(expected) == {*CLASS, "helper"}
    assert without(ac.rows(graded[0]), "absent") == expected
    assert expected["right"]["score"] == 5
    assert expected["partly"]["score"] == 1
    assert expected["empty"]["comments"]["work", "half"] == ("No response.", None)
    assert expected["error"]["grades"]["work", "why"] == (None, None, True)


def test_every_file_is_nbgraders(plain, graded):
    for student in (*CLASS, "helper"):
        theirs = ac.files(plain[0].root / "autograded" / student)
        assert ac.files(graded[0].root / "autograded" / student) == theirs
    assert "A1/made.csv" in ac.files(graded[0].root / "autograded" / "noisy")
    assert "A1/timestamp.txt" in ac.files(graded[0].root / "autograded" / "right")


def test_nothing_was_mended_or_flagged(graded):
    _, heard = graded
    for student in CLASS:
        (work,) = heard.results[student].notebooks.values()
        assert not work.notes
        assert not [flag for flag in work.flags if "put back" in flag or "show" in flag]


def test_who_handed_in_nothing_to_run_has_a_grade_of_zero(graded):
    course, heard = graded
    assert set(course.marks("absent").values()) == {0.0}
    assert "was not handed in" in str(heard.results["absent"])


def test_graded_once_a_class_is_not_graded_again_until_something_new_comes(graded):
    course, _ = graded
    assert course.grade().due == 0
    (course.place("right") / "timestamp.txt").write_text("2030-02-02 10:00:00 UTC", "utf-8")
    again = course.grade()
    assert list(again.results) == ["right"]
    assert course.grade().due == 0


def test_regrading_after_an_erratum_keeps_what_a_person_entered(tmp_path):
    """The author's check was wrong; a grader had given points and a word in the meantime."""
    patch = ac.isolated(tmp_path)
    wrong = ac.author()
    for each in wrong.cells:
        each.source = each.source.replace("x / 2", "x / 2 - 1").replace("== 2)", "== 1)")
        each.source = each.source.replace("== 3.5", "== 2.5")
    course = ac.make(tmp_path / "course", wrong)
    course.submit("ada")
    course.submit("bob", {**ac.ANSWERS, "half": "def half(x):\n    return x / 2 - 1"})
    first = course.grade()
    assert course.marks("ada")["check-half"] == 0
    with Gradebook(course.folder.db_url) as book:
        book.find_grade("why", "work", "A1", "ada").manual_score = 0.75
        book.find_comment("half", "work", "A1", "ada").manual_comment = "well argued"
        book.db.commit()
    nbformat.write(ac.author(), course.root / "source" / "A1" / "work.ipynb")
    ac.generate(course)
    again = course.grade(force=True)
    changes = {name: (e.before, e.after) for name, e in again.entries.items()}
    assert changes == {"ada": (2.75, 5.75), "bob": (5.0, 2.0)}
    assert {name: e.before for name, e in first.entries.items()} == {"ada": None, "bob": None}
    row = ac.rows(course)["ada"]
    assert row["grades"]["work", "why"] == (0, 0.75, True)
    assert row["comments"]["work", "half"] == (None, "well argued")
    patch.undo()
