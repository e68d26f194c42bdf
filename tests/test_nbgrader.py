"""The real nbgrader cycle, in a copy of the course folder: generate, release, fetch, submit,
collect, autograde, feedback. Marks and reasons reach the learner; solutions and hidden checks stay.
"""

import html
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeSubmit
from nbgrader.validator import Validator
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
from wrong_answers.bank import BANK, COURSE, HIDDEN, answers, notebook_cells, solutions

from tensorkit.grading import gradients

ROOT = COURSE.parent
NAME = "gradients"
# what each learner hands in, by the ids of the bank; the rest of each is the reference solution
WRONG = {
    "ones": ["log-F08", "sigmoid-F03", "relu-F08", "sum-F12", "mul-F02", "max-M01", "permute-V05"],
    "undoing": ["mul-F01", "permute-F19", "unbroadcast-A01", "pull_back-J14"],
    "corners": ["max-F24", "prod-F25", "view-F20", "less-F22", "unbroadcast-A05b", "sub-F26"],
    "memory": ["log-H06", "sum-R11", "relu-H22", "sigmoid-H16", "mean-R26"],
}
ENTRIES = {f"{entry.task}-{entry.id}": entry for entry in BANK}

# nbgrader and its database are not ours to make free of warnings
pytestmark = pytest.mark.filterwarnings("ignore")


def load(folder: Path) -> Config:
    return PyFileConfigLoader("nbgrader_config.py", str(folder)).load_config()


def api(config: Config) -> NbGraderAPI:
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def fill(notebook: nbformat.NotebookNode, cells: dict[str, str]) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.id in cells:
            cell.source = cells[cell.id]


def hand_in(course: SimpleNamespace, student: str, change) -> None:
    """Fetch the release as a learner would, change the notebook, submit it."""
    place = course.home / student
    place.mkdir()
    config = course.config.copy()
    config.CourseDirectory.assignment_id = NAME
    config.CourseDirectory.student_id = student
    config.Exchange.assignment_dir = str(place)
    folder = CourseDirectory(config=config)
    whose = {"coursedir": folder, "authenticator": Authenticator(config=config), "config": config}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        ExchangeFetchAssignment(**whose).start()
        path = place / NAME / f"{NAME}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)
        ExchangeSubmit(**whose).start()


def wrong_cells(ids: list[str]) -> dict[str, str]:
    changed = {ENTRIES[i].task.replace("_", "-"): ENTRIES[i].cell for i in ids}
    return solutions() | changed


def damage(notebook: nbformat.NotebookNode) -> None:
    """Right answers, but a check deleted, a check copied, names taken and stderr used."""
    fill(notebook, solutions())
    places = {cell.id: k for k, cell in enumerate(notebook.cells)}
    copied = nbformat.from_dict(notebook.cells[places["check-mul"]].copy())
    copied.id = "copied"
    notebook.cells[places["check-sum"]].source = "check = grading = None; 2.0"
    noise = (
        "import sys, warnings\nprint('x', file=sys.stderr)\nnp_kept, float, len = np, None, None"
    )
    notebook.cells.insert(places["check-less"], nbformat.v4.new_code_cell(noise))
    notebook.cells.insert(places["check-mul"], copied)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "check-relu"]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> SimpleNamespace:
    home = tmp_path_factory.mktemp("course")
    folder = home / "assignments"
    keep = shutil.ignore_patterns(
        "release", "submitted", "autograded", "feedback", "exchange", "*.db"
    )
    shutil.copytree(COURSE, folder, ignore=keep)
    shutil.copy(ROOT / "nbgrader_config.py", home)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(home / name.lower()))
        # kernels import the tensorkit of this checkout, whatever is installed
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("PATH", os.environ["PATH"])  # the configuration adds to both
        config = load(home)
        config.ExchangeCollect.check_owner = False  # one user plays all the learners
        tools = api(config)
        made = SimpleNamespace(home=home, folder=folder, config=config, tools=tools, results={})
        for step in (tools.generate_assignment, tools.release_assignment):
            done = step(NAME)
            assert done["success"], done
        hand_in(made, "reference", lambda nb: fill(nb, solutions()))
        hand_in(made, "empty", lambda nb: None)
        hand_in(made, "damaged", damage)
        for student, ids in WRONG.items():
            hand_in(made, student, lambda nb, ids=ids: fill(nb, wrong_cells(ids)))
        assert tools.collect(NAME)["success"]
        for student in ("reference", "empty", "damaged", *WRONG):
            for step in (tools.autograde, tools.generate_feedback):
                done = step(NAME, student)
                assert done["success"], (student, done)
        yield made


def points(course: SimpleNamespace, student: str) -> dict[str, float]:
    with course.tools.gradebook as book:
        submission = book.find_submission(NAME, student)
        return {grade.name: grade.score for nb in submission.notebooks for grade in nb.grades}


def feedback(course: SimpleNamespace, student: str) -> str:
    page = (course.folder / "feedback" / student / NAME / f"{NAME}.html").read_text("utf-8")
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_the_reference_gets_every_point_and_the_empty_one_none(course):
    expected = {f"check-{k.replace('_', '-')}": t.points for k, t in gradients.TASKS.items()}
    assert points(course, "reference") == expected
    assert set(points(course, "empty").values()) == {0.0}
    assert "Log.forward(ctx, x) is not written yet" in feedback(course, "empty")


@pytest.mark.parametrize("student", WRONG)
def test_each_wrong_answer_loses_points_in_its_task_only_and_is_told_why(course, student):
    got, page = points(course, student), feedback(course, student)
    entries = {ENTRIES[name].task: ENTRIES[name] for name in WRONG[student]}
    for task, whole in gradients.TASKS.items():
        mark = got[f"check-{task.replace('_', '-')}"]
        if task not in entries:
            assert mark == whole.points
            continue
        assert mark <= whole.points - 1
        assert not entries[task].keeps or mark == float(entries[task].keeps)
        assert entries[task].says in page


def test_deleted_copied_and_edited_cells_cost_nothing(course):
    assert sum(points(course, "damaged").values()) == 30


def test_nothing_waits_for_a_human(course):
    with course.tools.gradebook as book:
        for submission in book.assignment_submissions(NAME):
            assert not submission.needs_manual_grade


def secrets() -> list[str]:
    """Lines of solutions and of hidden checks that stand nowhere else."""
    examples = "".join(
        "".join(c["source"]) for c in notebook_cells() if c["id"].endswith("example")
    )
    lines = [line for source in answers().values() for line in solution_lines(source)]
    lines = [line for line in lines if line not in examples]
    for path in (HIDDEN / "tensorkit_hidden").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        lines += [line.strip() for line in text.split("\n") if "(" in line]
    return [line for line in lines if len(line) > 16]


def solution_lines(source: str) -> list[str]:
    inside = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    return [line.strip() for part in inside for line in part.split("\n")]


def test_no_solution_and_no_hidden_check_leaves_the_house(course):
    release = (course.folder / "release" / NAME / f"{NAME}.ipynb").read_text("utf-8")
    released = nbformat.reads(release, as_version=4)
    code = [cell for cell in released.cells if cell.cell_type == "code"]
    everything = "\n".join(cell.source for cell in code)
    stubs = {cell.id for cell in code if "raise NotImplementedError()" in cell.source}
    assert stubs == set(answers())
    for word in ("SOLUTION", "HIDDEN", "hidden", "tensorkit_hidden"):
        assert word not in everything
    found = [line for line in secrets() if line in everything]
    assert not found
    assert not list((course.folder / "release").rglob("*.py"))


@pytest.mark.parametrize("student", ["empty", *WRONG])
def test_feedback_shows_messages_but_no_hidden_check(course, student):
    page = feedback(course, student)
    for word in ("HIDDEN TESTS", "check.hidden()", "tensorkit_hidden", "Traceback", "hidden/"):
        assert word not in page
    hidden = [line for line in secrets() if line not in str(answers().values())]
    if student == "empty":
        assert not [line for line in hidden if line in page]
    assert "points" in page


def test_validate_passes_a_right_release_and_reports_a_wrong_one(course, tmp_path):
    path = tmp_path / f"{NAME}.ipynb"
    release = course.folder / "release" / NAME / f"{NAME}.ipynb"
    for cells, works in [(solutions(), True), (wrong_cells(["mul-F01"]), False)]:
        notebook = nbformat.read(release, as_version=4)
        fill(notebook, cells)
        nbformat.write(notebook, path)
        result = Validator(config=course.config).validate(str(path))
        if works:
            assert not result
        else:
            (failed,) = result["failed"]
            assert "Mul: 0 of 2 points" in failed["raw_error"]
            assert "each input gets the other" in failed["raw_error"]
            assert "Traceback" not in failed["raw_error"]


def test_commands_find_the_same_course_from_the_root_and_from_inside(course):
    assert load(course.home).CourseDirectory.root == load(course.folder).CourseDirectory.root
    assert load(course.home).CourseDirectory.root == str(course.folder)
    assert Path(course.config.Exchange.root).is_relative_to(course.folder)


def test_a_machine_without_the_hidden_checks_refuses_to_grade(course, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = course.tools.autograde(NAME, "reference", force=True)
    assert not done["success"]
    assert "hidden checks" in done["log"]
    monkeypatch.setenv("PYTHONPATH", f"{HIDDEN}:{ROOT}")
    assert course.tools.autograde(NAME, "reference", force=True)["success"]
    assert sum(points(course, "reference").values()) == 30
