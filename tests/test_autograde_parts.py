"""The parts of grading by themselves, and the ways in which an instructor meets them: limits where
there is no sandbox, formgrader's button, feedback, the line of progress and the final table."""

from __future__ import annotations

import html
import importlib
import io
import json
import os
import re
import subprocess
import sys

import autograde_attacks as table
import autograde_course as ac
import nbformat
import pytest
from nbformat import v4
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config

from tensorkit.autograde import caches, feedback, sandbox
from tensorkit.autograde.book import Entry
from tensorkit.autograde.execute import SandboxedExecute
from tensorkit.autograde.guard import Guard
from tensorkit.autograde.intake import overlay
from tensorkit.autograde.job import Graded, Limits, Mark, NotReady, Result
from tensorkit.autograde.progress import Json, Line
from tensorkit.autograde.report import Report
from tensorkit.autograde.steps import MendCells, RunApart
from tensorkit.autograde.suspects import suspects
from tensorkit.autograde.watch import stored
from tensorkit.cli.formulas import markdown

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    home = tmp_path_factory.mktemp("parts")
    patch = ac.isolated(home)
    yield home
    patch.undo()


@pytest.fixture(scope="module")
def course(place):
    """A course that tests may add submissions to, under names of their own."""
    made = ac.make(place / "course")
    lines = [f"c = get_config(); c.CourseDirectory.root = {str(made.root)!r}"]
    lines += [f"c.Exchange.root = {str(made.root / 'exchange')!r}"]
    (made.root / "nbgrader_config.py").write_text("\n".join(lines), encoding="utf-8")
    return made


@pytest.fixture
def no_bubblewrap(monkeypatch):
    monkeypatch.setattr(sandbox, "missing", lambda: "bubblewrap is not installed")


def test_without_bubblewrap_limits_hold_and_required_refuses(course, no_bubblewrap):
    """What limits alone can stop; the rest of the table needs the sandbox."""
    names = ["os._exit", "50 GB allocation", "memory in many pieces", "a gigabyte on disk"]
    names += ["a gigabyte of output", "patched NumPy", "score above the points", "broken JSON"]
    attacks = {a.name: a for a in table.attacks(course, 1) if a.name in names}
    assert len(attacks) == len(names)
    course.submit("good")
    for attack in attacks.values():
        folder = course.place(attack.name)
        if attack.hand_in:
            attack.hand_in(course, folder)
        else:
            course.submit(attack.name, {**ac.ANSWERS, **attack.answers}, attack.change)
    with pytest.raises(NotReady, match="--sandbox required: bubblewrap is not installed"):
        course.grade(sandbox="required")
    assert not (course.root / "autograded").exists()
    heard = course.grade(sandbox="auto", limits={"memory": 2 << 30})
    assert not heard.problems
    assert course.marks("good") == {"check-double": 2, "check-half": 3, "why": 0}
    for name, attack in attacks.items():
        marks = course.marks(name)
        assert (marks["check-double"], marks["check-half"]) == (attack.double, attack.half), name
        assert re.search(attack.reader, course.graded(name)), name
        assert not heard.results[name].sandboxed


def test_the_command_warns_where_there_is_no_sandbox(course, no_bubblewrap, capsys, monkeypatch):
    from tensorkit.cli import main

    monkeypatch.chdir(course.root)
    for words in (["A1", "--student=nobody"], ["--student", "nobody", "A1"]):
        assert main(["grade", *words]) == 1
        told = capsys.readouterr().err
        assert "warning: bubblewrap is not installed" in told
        assert re.search(r"nothing was handed in: .*nobody/A1", told)
    assert main(["grade", "A2"]) == 1
    assert "A2" in capsys.readouterr().err


def test_a_kernel_that_dies_once_costs_nobody_points(course, monkeypatch):
    """The system may end a process for its own reasons: a cell is to blame if it happens again."""
    course.submit("unlucky")
    run, killed = SandboxedExecute.async_execute_cell, []

    async def kill_once(self, cell, index, **options):
        if cell.get("id") == "double" and not self.trusted and not killed:
            killed.append(self.provisioner)
            await self.provisioner.kill()
        return await run(self, cell, index, **options)

    monkeypatch.setattr(SandboxedExecute, "async_execute_cell", kill_once)
    converter = course.grade(only="unlucky")
    assert killed
    assert course.marks("unlucky") == {"check-double": 2, "check-half": 3, "why": 0}
    (work,) = converter.results["unlucky"].notebooks.values()
    assert not work.notes


def test_an_author_whose_solution_fails_is_told_and_nobody_is_graded(place):
    wrong = ac.author()
    wrong.cells[2].source = wrong.cells[2].source.replace("2 * x", "x + 2")
    course = ac.make(place / "wrong", wrong)
    course.submit("ada")
    with pytest.raises(NotReady, match=r"author's solution.*check-double: AssertionError"):
        course.grade()
    assert not (course.root / "autograded").exists()
    assert course.grade(control=False).entries["ada"].after == 5


@pytest.fixture(scope="module")
def formgraded(place):
    """A course whose configuration gives formgrader's button the same engine."""
    course = ac.make(place / "formgrader")
    steps = Config()
    steps.Autograde.sanitize_preprocessors = [
        MendCells,
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    steps.Autograde.autograde_preprocessors = [
        RunApart,
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
    ]
    course.config.merge(steps)
    forged = {attack.name: attack for attack in table.attacks(course, 1)}
    for name in ("score by a message of the kernel", "copied check", "reading the gradebook"):
        attack = forged[name]
        course.submit(name, {**ac.ANSWERS, **attack.answers}, attack.change)
    mine = "open('made.txt', 'w').write('mine')"
    hidden = "print('assert double(-3) == -6  # secret', 71)"
    wrong = "def half(x):\n    return 0"
    course.submit(
        "learner", {"double": "def double(x):\n    return x + 2.5", "half": wrong, "look": mine}
    )
    course.submit("printer", {**ac.ANSWERS, "look": hidden, "double": "def double(x): return 5.0"})
    tools = NbGraderAPI(course.folder, config=course.config)
    students = sorted(path.name for path in (course.root / "submitted").iterdir())
    return course, {name: tools.autograde("A1", name) for name in students}


def test_formgraders_button_uses_the_sandbox_and_the_judge(formgraded):
    if sandbox.missing():
        pytest.skip(f"no sandbox on this machine: {sandbox.missing()}")
    course, done = formgraded
    for student, each in done.items():
        assert each["success"], (student, each)
    assert course.marks("score by a message of the kernel")["check-half"] == 0
    assert "ScoreRefused" in course.graded("score by a message of the kernel")
    assert course.marks("copied check") == {"check-double": 2, "check-half": 3, "why": 0}
    assert "FileNotFoundError" in course.graded("reading the gradebook")
    assert (course.root / "autograded/learner/A1/made.txt").read_text() == "mine"


def shown(course, student):
    page = (course.root / "feedback" / student / "A1" / "work.html").read_text("utf-8")
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_feedback_tells_why_and_shows_nothing_hidden(formgraded, monkeypatch, capsys):
    course, _ = formgraded
    lines = [f"c = get_config(); c.CourseDirectory.root = {str(course.root)!r}"]
    (course.root / "nbgrader_config.py").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(course.root)
    assert feedback.feedback(["A1"], markdown)
    for student in ("learner", "printer", "score by a message of the kernel"):
        text = shown(course, student)
        for secret in ("secret 71", "secret 83", "HIDDEN", "Traceback", "tensorkit/"):
            assert secret not in text, (student, secret)
        assert "def double" in text
        assert 'src="http' not in (course.root / f"feedback/{student}/A1/work.html").read_text()
    text = shown(course, "learner")
    assert "A hidden check failed: AssertionError." in text
    text = shown(course, "printer")
    assert "(a line of a hidden check)" in text
    text = shown(course, "score by a message of the kernel")
    assert "more than one result" in text


def test_in_feedback_a_stepper_keeps_its_html_and_a_check_its_message():
    stepper = v4.new_output(
        "display_data", {feedback.WIDGET: {"model_id": "m"}, "text/html": "<b/>"}
    )
    slider = v4.new_output("display_data", {feedback.WIDGET: {"model_id": "n"}})
    message = "expected 5"
    error = v4.new_output(
        "error",
        ename="AssertionError",
        evalue=message,
        traceback=[
            "\x1b[0;31mAssertionError",
            "Cell \x1b[0mIn[3], line 1\n----> 1 assert f() == 5",
        ],
    )
    check = ac.cell("c", "assert f() == 5, 'expected 5'", grade=True, points=1)
    check.outputs = [error]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("x", outputs=[stepper, slider]), check])
    notebook.metadata["widgets"] = {"state": {}}
    for step in (feedback.ShowWhy, feedback.KeepLive):
        notebook, _ = step().preprocess(notebook, {})
    first, second = notebook.cells[0].outputs
    assert set(first.data) == {"text/html"}
    assert "needs the notebook" in second.data["text/html"]
    assert notebook.cells[1].outputs[0].traceback == ["AssertionError: expected 5"]
    assert "widgets" not in notebook.metadata


def result(student: str, score: float, *flags: str) -> Result:
    failed = {} if score == 5 else {"check-half": "0 of 3 points"}
    work = Graded("{}", {"check-half": Mark(score, 5.0)}, flags=flags, failed=failed)
    return Result(student, "A1", {"work": work}, sandboxed=True)


def test_the_line_counts_tells_the_time_left_and_who_changed():
    times = iter([0.0, 0.0, *[30.0] * 20])
    out = io.StringIO()
    line = Line(out, clock=lambda: next(times))
    line.start(8, 2, "here")
    line.graded(result("ada", 5), Entry(None, 5, 6))
    line.graded(result("b\x1b[2J", 2, "half: uses exec"), Entry(3.0, 2.0, 6))
    line.failed("cyd", "no disk")
    assert line.text() == "[=========               ] 3 of 8, 1 not graded, 6 a minute, 50 s left"
    told = out.getvalue().splitlines()
    assert told == [
        "8 submissions to grade, 2 are graded already; here",
        "b?[2J: look at half: uses exec",
        "b?[2J: was 3, is 2",
        "cyd: NOT GRADED: no disk",
    ]


def test_events_are_one_json_object_a_line():
    out = io.StringIO()
    Json(out).graded(result("ada", 2, "half: uses exec"), Entry(None, 2, 6))
    (event,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert event["student"] == "ada"
    assert event["failed"] == {"check-half": "0 of 3 points"}
    assert (event["score"], event["points"], event["flags"]) == (2, 6, ["half: uses exec"])


def test_the_table_and_the_picture_say_what_the_class_lost(tmp_path):
    report = Report()
    for number, score in enumerate([5, 5, 2, 0]):
        report.graded(result(f"s{number}", score), Entry(4.0 if number == 3 else None, score, 6))
    report.failed("zoe", "no disk")
    text = report.table()
    assert "4 graded; of 6 points: mean 3.0, median 3.5, from 0 to 5" in text
    assert re.search(r"check-half\s+2 \(50 %\)\s+0 of 3 points", text)
    assert "s3: 4 -> 0" in text
    assert "1 have NO grade" in text
    report.draw(tmp_path / "picture.png", "A1")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys\nsys._getframe(1)", "reads the frames"),
        ("np.testing.assert_allclose = print", "sets np.testing.assert_allclose"),
        ("get_ipython().ast_transformers", "changes how cells are run"),
        ("from unittest import mock", "replaces what others use"),
        ("open('../gradebook.db')", "names the gradebook"),
    ],
)
def test_sources_that_reach_for_the_grader_are_pointed_out(source, words):
    assert any(words in each for each in suspects(source))


def test_ordinary_sources_are_not_pointed_out():
    assert not suspects("import numpy as np\n%matplotlib inline\nx = np.ones(3)\nx.shape = (3, 1)")
    assert not suspects(ac.ANSWERS["double"]) and not suspects("this is no Python")


def test_the_guard_puts_back_code_defaults_and_methods_and_names_them():
    sheet = importlib.import_module("tensorkit.grading.sheet")
    guard = Guard()
    assert not guard.restore()
    code, score = sheet.tell.__code__, sheet.Sheet.score
    sheet.tell.__code__ = (lambda found: []).__code__
    sheet.Sheet.score = lambda self: 7.0
    sheet.Score.__repr__ = lambda self: "7.0"
    changed = guard.restore()
    assert sheet.tell.__code__ is code and sheet.Sheet.score is score
    assert repr(sheet.Score(2.0)) == "2.0"
    assert {"tensorkit.grading.sheet.tell", "tensorkit.grading.sheet.Sheet"} <= set(changed)
    assert not guard.restore()


def test_limits_are_set_inside_before_the_kernel(tmp_path):
    limits = Limits(memory=1 << 30, file=1 << 20, cpu=77)
    program = (
        "import resource as r; print(r.getrlimit(r.RLIMIT_AS)[0], r.getrlimit(r.RLIMIT_CPU)[0])"
    )
    command = sandbox.confined([sys.executable, "-c", program], limits)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(1 << 30), "77"]


def test_caches_for_sandboxes_can_be_read_by_anybody(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(caches, "cache_folder", lambda: tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept.nbc").write_bytes(b"kept")
    before = os.umask(0o077)
    try:
        box = sandbox.Box(tmp_path / "box", None)
        box.home.mkdir(parents=True)
        caches.offer(box, {}, trusted=True)
        (box.home / "kernels" / "below").mkdir()
        (box.home / "kernels" / "below" / "new.nbc").write_bytes(b"new")
        caches.take(box)
    finally:
        os.umask(before)
    found = caches.folders()["kernels"]
    assert {path.name for path in found.rglob("*.nbc")} == {"kept.nbc", "new.nbc"}
    for path in (found, *found.rglob("*")):
        wanted = 0o755 if path.is_dir() else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path


def test_counting_stops_where_there_is_too_much_to_count(tmp_path):
    for number in range(50):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "file").write_bytes(bytes(8192))
    (tmp_path / "link").symlink_to("/usr")
    whole = stored(str(tmp_path), 1 << 30)
    assert 50 * (8192 + 2 * 1024) <= whole < 2 << 20
    assert 30_000 < stored(str(tmp_path), 30_000) < whole


def test_a_folder_may_take_the_place_of_a_file():
    files = {"a.txt": b"a", "b/c.txt": b"c", "d.txt": b"d"}
    new = {"a.txt/x": b"x", "b": b"b"}
    assert overlay(files, new) == {"a.txt/x": b"x", "b": b"b", "d.txt": b"d"}


def test_the_released_notebook_is_what_a_missing_cell_comes_from(course):
    from tensorkit.autograde.course import cleans
    from tensorkit.autograde.mend import blank, is_intact, mend

    (clean,) = cleans(course.folder, "A1")
    made = blank(clean)
    assert is_intact(made, clean)
    assert "secret 71" in made.cells[3].source
    answer = "def half(x):\n    return 3"
    notebook = nbformat.v4.new_notebook(cells=[v4.new_code_cell(answer)])
    mended, notes = mend(notebook, clean)
    assert is_intact(mended, clean)
    assert [c.source for c in mended.cells if c.get("id") == "half"] == [
        "def half(x):\n    return 3"
    ]
    assert any("'half' was found" in note for note in notes)
