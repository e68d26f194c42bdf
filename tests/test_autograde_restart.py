"""Killed at any moment, grading loses at most what was running: the next run continues, nobody is
graded twice or forgotten, and the gradebook is never half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future

import autograde_course as ac
import psutil
import pytest
from autograde_course import pretend
from nbgrader.api import Gradebook

from tensorkit.autograde.engine import Pool, grade
from tensorkit.autograde.grade import ParallelAutograde
from tensorkit.autograde.job import Job, NotReady, Result
from tensorkit.autograde.journal import Journal

pytestmark = pytest.mark.filterwarnings("ignore")
STUDENTS = ("ada", "bob", "cyd")
# what grading does to files and to the gradebook is what a kill can come between
STEPS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "open", "sqlite3.connect")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    home = tmp_path_factory.mktemp("restart")
    patch = ac.isolated(home)
    course = ac.make(home / "course")
    for student in STUDENTS:
        course.submit(student)
    yield course
    patch.undo()


def killed_at(course: ac.Course, moment: int) -> bool:
    """Grade in a child that is killed at the given step; tell whether it came that far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, arguments: tuple) -> None:
            nonlocal seen
            if event in STEPS and not (event == "open" and "r" in str(arguments[1] or "")):
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            course.grade(run=pretend, jobs=1)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def whole(course: ac.Course) -> set[str]:
    """Whoever is in the gradebook is there with every grade and comment."""
    found = set()
    with Gradebook(course.folder.db_url) as book:
        for submission in book.assignment_submissions("A1"):
            (work,) = submission.notebooks
            assert {grade.auto_score for grade in work.grades} == {1.0, 2.0, 3.0}
            assert {comment.auto_comment for comment in work.comments} == {None, "done"}
            found.add(submission.student.id)
    return found


def reset(course: ac.Course) -> None:
    subprocess.run(["rm", "-rf", ".tensorkit", "autograded"], cwd=course.root, check=True)
    with Gradebook(course.folder.db_url) as book:
        for student in STUDENTS:
            if any(each.id == student for each in book.students):
                book.remove_student(student)


def test_a_kill_at_any_step_is_repaired_by_the_next_run(course, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("GRADED_LOG", str(log))
    moments = 0
    for moment in range(1, 400, 4):
        reset(course)
        log.write_text("")
        was_killed = killed_at(course, moment)
        finished = {path.name for path in (course.root / ".tensorkit/A1/ready").glob("*/")}
        ready = whole(course) | finished
        before = log.read_text().split()
        assert len(before) == len(set(before))
        log.write_text("")
        heard = course.grade(run=pretend, jobs=1)
        assert not set(log.read_text().split()) & ready, "a finished submission was graded again"
        assert whole(course) == set(STUDENTS)
        for student in STUDENTS:
            assert course.graded(student)
        assert not heard.problems
        assert not list((course.root / ".tensorkit/A1/ready").iterdir())
        if not was_killed:
            break
        moments += 1
    assert not was_killed, "the last moment lies beyond the end of a run"
    assert moments > 10


def test_regrading_that_was_killed_goes_on_where_it_was(tmp_path):
    journal = Journal(tmp_path, "A1")
    assert journal.again(STUDENTS, "first", force=False) == set()
    assert journal.again(STUDENTS, "first", force=True) == set(STUDENTS)
    journal.stage("bob", {"work.ipynb": b"{}"}, {"timestamp": None})
    journal.publish("bob", tmp_path / "autograded" / "bob", whole=True)
    journal.finish("bob")
    for force in (True, False):
        assert Journal(tmp_path, "A1").again(STUDENTS, "first", force) == {"ada", "cyd"}
    # the assignment was changed again: everybody
    assert journal.again(STUDENTS, "second", force=True) == set(STUDENTS)


def test_who_is_forced_beside_a_regrading_that_was_killed_is_graded_too(tmp_path):
    journal = Journal(tmp_path, "A1")
    journal.again(["ada", "bob"], "first", force=True)
    journal.stage("ada", {"work.ipynb": b"{}"}, {})
    journal.finish("ada")
    assert journal.again(["cyd"], "first", force=True) == {"bob", "cyd"}


def test_a_class_can_be_forced_twice(course, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADED_LOG", str(tmp_path / "log"))
    reset(course)
    for _ in range(3):
        assert set(course.grade(run=pretend, force=True).results) == set(STUDENTS)


def test_results_of_another_version_do_not_wait(tmp_path):
    journal = Journal(tmp_path, "A1")
    for student, version in (("ada", "first"), ("bob", "second")):
        journal.stage(student, {"work.ipynb": b"{}"}, {"version": version})
    assert [student for student, _ in journal.waiting("second")] == ["bob"]
    assert not (journal.ready / "ada").exists()


def test_whom_the_gradebook_does_not_know_stops_nobody_else(course, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADED_LOG", str(tmp_path / "log"))
    reset(course)
    course.grade(run=pretend, only="ada")
    monkeypatch.setattr(ParallelAutograde, "create_student", False)
    for _ in range(2):  # what was left of the first run does not stop the second
        heard = course.grade(run=pretend, jobs=1)
        assert set(heard.problems) == {"bob", "cyd"}
        assert "knows no student 'bob'" in heard.problems["bob"]
    assert course.grade(run=pretend, force=True, only="ada").entries["ada"].after == 6


def test_a_cluster_that_is_gone_is_told_and_gives_nobody_a_zero():
    class Gone:
        def submit(self, run, job):
            lost: Future = Future()
            lost.cancel()
            lost.set_running_or_notify_cancel()
            return lost

    jobs = iter([Job("ada", "A1", (), {})])
    with pytest.raises(NotReady, match="cluster is gone"):
        list(grade(Pool(Gone().submit, 2, "far"), jobs, pretend, lambda: None))


def test_two_graders_of_one_assignment_do_not_meet(tmp_path):
    with (
        Journal(tmp_path, "A1").lock(),
        pytest.raises(NotReady, match="being graded"),
        Journal(tmp_path, "A1").lock(),
    ):
        pass
    with Journal(tmp_path, "A1").lock():
        pass


def test_a_gradebook_that_another_program_writes_is_waited_for(course, tmp_path, monkeypatch):
    import sqlite3

    monkeypatch.setenv("GRADED_LOG", str(tmp_path / "log"))
    reset(course)
    other = sqlite3.connect(course.root / "gradebook.db", check_same_thread=False)
    other.execute("begin immediate")
    release = threading.Timer(6.5, other.rollback)  # SQLite itself gives up after 5 seconds
    release.start()
    course.grade(run=pretend, jobs=1)
    release.join()
    other.close()
    assert whole(course) == set(STUDENTS)


def test_the_command_killed_while_kernels_run_continues(tmp_path):
    patch = ac.isolated(tmp_path)
    course = ac.make(tmp_path / "course")
    for student in STUDENTS:
        course.submit(student, {**ac.ANSWERS, "look": "import os, time; os.environ['X'] = 'k'"})
    lines = [f"c = get_config(); c.CourseDirectory.root = {str(course.root)!r}"]
    lines += [f"c.Exchange.root = {str(course.root / 'exchange')!r}"]
    (course.root / "nbgrader_config.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "tensorkit", "grade", "A1", "--json", "--jobs=1"]
    run = subprocess.Popen(command, cwd=course.root, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    for line in run.stdout:
        if json.loads(line)["event"] == "graded":
            break
    children = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    run.stdout.close()
    psutil.wait_procs(children, timeout=20)
    assert not [child for child in children if child.is_running()]
    again = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert events[0]["total"] <= 2
    for student in STUDENTS:
        assert course.marks(student) == {"check-double": 2, "check-half": 3, "why": 0}
    assert "3 graded" in again.stderr or "graded; of 6 points" in again.stderr
    assert (course.root / "reports" / "A1.png").is_file()
    patch.undo()


def broken(job: Job) -> Result:
    raise NotReady("the disk is full")


def test_a_machine_that_cannot_grade_gives_nobody_a_zero(course, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADED_LOG", str(tmp_path / "log"))
    reset(course)
    with pytest.raises(NotReady, match="author's own solution"):
        course.grade(run=broken, jobs=1)
    assert whole(course) == set()


def partly(job: Job) -> Result:
    if job.student == "bob":
        raise NotReady("no space for bob")
    return pretend(job)


def test_what_fails_for_one_alone_leaves_that_one_without_a_grade(course, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADED_LOG", str(tmp_path / "log"))
    reset(course)
    heard = course.grade(run=partly, jobs=1)
    assert heard.problems == {"bob": "no space for bob"}
    assert whole(course) == {"ada", "cyd"}
    assert not course.graded("bob")
    assert set(course.grade(run=pretend, jobs=1).results) == {"bob"}


def test_only_as_many_jobs_exist_as_can_run_soon():
    made: list[int] = []
    alive: list[int] = []

    def jobs():
        for number in range(50):
            made.append(number)
            yield Job(str(number), "A1", (), {})

    class Now:
        def submit(self, run, job):
            done: Future = Future()
            done.set_result(run(job))
            return done

    pool = Pool(Now().submit, 2, "here")
    count = 0
    for outcome in grade(pool, jobs(), lambda job: Result(job.student, "A1", {}), lambda: None):
        count += 1
        alive.append(len(made) - count)
        assert outcome.result is not None
    assert count == 50
    assert max(alive) <= pool.size + 2
