"""Hostile and broken submissions: each ends in a grade, a reason for the learner and a line for the
instructor, and the rest of the class is unaffected. One run grades the whole table."""

from __future__ import annotations

import json
import re
import socket
from types import SimpleNamespace

import autograde_attacks as table
import autograde_course as ac
import psutil
import pytest

from tensorkit.autograde import sandbox
from tensorkit.autograde.progress import _lines

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [attack.name for attack in table.attacks(ac.Course(ac.ROOT), 1)]
LIMITS = {"memory": 2 << 30, "processes": 40, "notebook": 8 << 20, "disk": 32 << 20}


def settings(mode: str) -> dict:
    return {"sandbox": mode, "limits": LIMITS, "jobs": 3}


def hand_in(course: ac.Course, attack: table.Attack) -> None:
    place = course.place(attack.name)
    if attack.hand_in is not None:
        attack.hand_in(course, place)
    else:
        course.submit(attack.name, {**ac.ANSWERS, **attack.answers}, attack.change)


def graded(tmp_path_factory, mode: str, wanted) -> SimpleNamespace:
    home = tmp_path_factory.mktemp(mode)
    patch = ac.isolated(home)
    patch.setenv("TENSORKIT_TEST_SECRET", table.SECRET)
    course = ac.make(home / "course")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        attacks = table.attacks(course, listener.getsockname()[1])
        attacks = {attack.name: attack for attack in attacks if wanted(attack)}
        course.submit("good")
        for attack in attacks.values():
            hand_in(course, attack)
        course.submit("zz last")
        before = ac.files(course.root / "source")
        heard = course.grade(**settings(mode))
        try:
            called = listener.accept()
        except BlockingIOError:
            called = None
    patch.undo()
    return SimpleNamespace(
        course=course, heard=heard, attacks=attacks, called=called, before=before
    )


@pytest.fixture(scope="module")
def boxed(tmp_path_factory):
    reason = sandbox.missing()
    if reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    return graded(tmp_path_factory, "required", lambda attack: True)


def outputs(notebook: str) -> str:
    """Everything that cells have shown, without their sources."""
    return json.dumps([c.get("outputs") for c in json.loads(notebook)["cells"]])


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_ends_in_a_grade_and_a_reason(boxed, name):
    attack, heard = boxed.attacks[name], boxed.heard
    assert not heard.problems
    marks = boxed.course.marks(name)
    assert (marks["check-double"], marks["check-half"]) == (attack.double, attack.half)
    notebook = boxed.course.graded(name)
    assert re.search(attack.reader, notebook), notebook
    assert not attack.absent or not re.search(attack.absent, outputs(notebook))
    lines = "\n".join(_lines(heard.results[name]))
    assert re.search(attack.teller, lines), lines


def test_the_rest_of_the_class_is_unaffected(boxed):
    everybody = {"good", "zz last", *NAMES}
    assert set(boxed.heard.results) == everybody
    for student in ("good", "zz last"):
        assert boxed.course.marks(student) == {"check-double": 2, "check-half": 3, "why": 0}
        assert not _lines(boxed.heard.results[student])
    assert ac.files(boxed.course.root / "source") == boxed.before


def test_nobody_was_called_and_no_process_stays(boxed):
    assert boxed.called is None
    left = [p for p in psutil.process_iter(["cmdline"]) if "86399" in (p.info["cmdline"] or [])]
    assert not left


def test_of_what_a_notebook_wrote_plain_files_are_kept(boxed):
    folder = boxed.course.root / "autograded" / "links and pipes left behind" / "A1"
    assert {path.name for path in folder.iterdir()} == {"work.ipynb", "kept.txt"}
    names = {p.name for p in (folder.parents[1] / "strange file names" / "A1").iterdir()}
    assert names == {"work.ipynb", "Zoë's\n[1] *.txt", "..;rm -rf $HOME"}


def test_the_table_in_the_documents_has_these_rows():
    text = (ac.ROOT / "assignments" / "GRADING.md").read_text("utf-8")
    part = text.split("<!-- attacks -->")[1]
    rows = [line.split("|")[1].strip() for line in part.split("\n") if line.startswith("|")]
    assert rows[2:] == NAMES
