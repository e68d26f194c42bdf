"""The real nbgrader cycle of every homework, in a copy of the course folder: generate, release,
fetch, submit, collect, autograde, feedback. Marks and reasons reach the learner; solutions and
hidden checks stay.
"""

import html
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from conftest import Lab, serve
from homework import COURSE, HIDDEN, HOMEWORKS, Homework, name_of
from nbgrader.apps.api import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeSubmit
from nbgrader.validator import Validator
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tensorkit.cli import homework as versions

ROOT = COURSE.parent
GRADIENTS = HOMEWORKS["gradients"]
# what each learner hands in, by the ids of the bank; the rest of each is the reference solution
WRONG: dict[str, dict[str, list[str]]] = {
    "gradients": {
        "ones": [
            "log-F08",
            "sigmoid-F03",
            "relu-F08",
            "sum-F12",
            "mul-F02",
            "max-M01",
            "permute-V05",
        ],
        "undoing": ["mul-F01", "permute-F19", "unbroadcast-A01", "pull_back-J14"],
        "corners": ["max-F24", "prod-F25", "view-F20", "less-F22", "unbroadcast-A05b", "sub-F26"],
        "memory": ["log-H06", "sum-R11", "relu-H22", "sigmoid-H16", "mean-R26"],
    },
    "one_tape": {
        "reversed": ["index_to_position-D01", "to_index-D02", "permute-D06"],
        "plain": ["to_index_any-D05", "permute_any-D08", "view_strides-V03"],
    },
    "stretch": {
        "left": ["shape_broadcast-B05", "broadcast_index_any-B06", "broadcast_axes-Y01"],
        "loose": ["shape_broadcast_any-B03", "broadcast_index-B07", "broadcast_axes-Y02"],
    },
    "engine": {
        "overwriting": ["topological_sort-T07", "backpropagate-A09", "accumulate-A08"],
        "sharing": ["topological_sort-T06", "backpropagate_any-A15", "accumulate-A15", "seed-S02"],
    },
    "loops": {
        "in-order": ["tensor_map_layout-O02", "tensor_zip_layout-O10", "tensor_reduce_layout-R13"],
        "starts": ["tensor_reduce_start-R01", "mean-A01", "max_reduce-R20"],
    },
    "bad_assert": {
        "praise": ["fixed_assert-E11", "check_reduce-T03", "check_backward_any-S01"],
        "alarms": ["check_reduce_any-G06", "check_unbroadcast_any-W05", "check_backward_any-S02"],
    },
    "fast": {
        "meeting": ["tensor_map-N01", "tensor_zip-N01", "tensor_reduce-N01"],
        "busy": ["tensor_zip-G10", "tensor_reduce-N12", "matmul-N08"],
    },
}
EACH_WRONG = [
    (HOMEWORKS[name], student) for name, students in WRONG.items() for student in students
]

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


def hand_in(course: SimpleNamespace, home: Homework, student: str, change) -> None:
    """Fetch the release as a learner would, change the notebook, submit it."""
    place = course.home / student
    place.mkdir(exist_ok=True)
    config = course.config.copy()
    config.CourseDirectory.assignment_id = home.name
    config.CourseDirectory.student_id = student
    config.Exchange.assignment_dir = str(place)
    folder = CourseDirectory(config=config)
    whose = {"coursedir": folder, "authenticator": Authenticator(config=config), "config": config}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        ExchangeFetchAssignment(**whose).start()
        path = place / home.name / f"{home.name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)
        ExchangeSubmit(**whose).start()


def entries(home: Homework, student: str) -> list:
    wanted = WRONG[home.name][student]
    found = [entry for entry in home.bank if f"{entry.task}-{entry.id}" in wanted]
    assert len(found) == len(wanted)
    return found


def right_cells(home: Homework) -> dict[str, str]:
    return home.solutions | dict.fromkeys(home.manual, "Because it is so.")


def wrong_cells(home: Homework, student: str) -> dict[str, str]:
    chosen = entries(home, student)
    changed = {home.answer_of(entry.task): home.cell(entry) for entry in chosen}
    assert len(changed) == len(chosen), "each entry needs a cell of its own"
    return right_cells(home) | changed


def damage(home: Homework, notebook: nbformat.NotebookNode) -> None:
    """Right answers, but a check deleted, a check copied, names taken and stderr used."""
    fill(notebook, right_cells(home))
    checks = [cell for cell in notebook.cells if cell.id.startswith("check-")]
    copied = nbformat.from_dict(checks[0].copy())
    copied.id = "copied"
    checks[1].source = "check = grading = None; 2.0"
    noise = "import sys\nprint('x', file=sys.stderr)\nisinstance = repr = sheet = Score = None"
    notebook.cells.insert(notebook.cells.index(checks[-1]), nbformat.v4.new_code_cell(noise))
    notebook.cells.insert(notebook.cells.index(checks[0]), copied)
    notebook.cells.remove(checks[2])


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
        yield SimpleNamespace(
            home=home, folder=folder, config=config, tools=api(config), done=set()
        )


@pytest.fixture
def graded(course, request) -> SimpleNamespace:
    """The course, when all that was handed in for the homework of this test is graded."""
    home = request.getfixturevalue("home") if "home" in request.fixturenames else GRADIENTS
    if home.name not in course.done:
        course.done.add(home.name)
        run_course(course, home)
    return course


def run_course(course: SimpleNamespace, home: Homework) -> None:
    tools = course.tools
    for step in (tools.generate_assignment, tools.release_assignment):
        done = step(home.name)
        assert done["success"], done
    hand_in(course, home, "reference", lambda nb: fill(nb, right_cells(home)))
    hand_in(course, home, "empty", lambda nb: None)
    hand_in(course, home, "damaged", lambda nb: damage(home, nb))
    for student in WRONG.get(home.name, {}):
        hand_in(course, home, student, lambda nb, who=student: fill(nb, wrong_cells(home, who)))
    assert tools.collect(home.name)["success"]
    for student in ("reference", "empty", "damaged", *WRONG.get(home.name, {})):
        for step in (tools.autograde, tools.generate_feedback):
            done = step(home.name, student)
            assert done["success"], (student, done)


def points(course: SimpleNamespace, home: Homework, student: str) -> dict[str, float]:
    """The points that were given without a human."""
    with course.tools.gradebook as book:
        submission = book.find_submission(home.name, student)
        grades = [grade for nb in submission.notebooks for grade in nb.grades]
        return {grade.name: grade.score for grade in grades if grade.name not in home.manual}


def feedback(course: SimpleNamespace, home: Homework, student: str) -> str:
    page = course.folder / "feedback" / student / home.name / f"{home.name}.html"
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def whole(home: Homework) -> dict[str, float]:
    return {f"check-{k.replace('_', '-')}": task.points for k, task in home.tasks.items()}


each_homework = pytest.mark.parametrize("home", HOMEWORKS.values(), ids=name_of)


@each_homework
def test_the_reference_gets_every_point_and_the_empty_one_none(graded, home):
    assert points(graded, home, "reference") == whole(home)
    assert set(points(graded, home, "empty").values()) == {0.0}
    assert "is not written yet" in feedback(graded, home, "empty")


@pytest.mark.parametrize(("home", "student"), EACH_WRONG, ids=name_of)
def test_each_wrong_answer_loses_points_in_its_task_only_and_is_told_why(graded, home, student):
    got, page = points(graded, home, student), feedback(graded, home, student)
    wrong = {entry.task: entry for entry in entries(home, student)}
    touched = {task for each in wrong for task in home.beside(each)}
    for task, most in home.tasks.items():
        mark = got[f"check-{task.replace('_', '-')}"]
        if task not in touched:
            assert mark == most.points
        if task in wrong:
            assert mark <= most.points - 1
            assert not wrong[task].keeps or mark == float(wrong[task].keeps)
            assert wrong[task].says in page


@each_homework
def test_deleted_copied_and_edited_cells_cost_nothing(graded, home):
    assert points(graded, home, "damaged") == whole(home)


@each_homework
def test_only_what_a_learner_wrote_in_words_waits_for_a_human(graded, home):
    with graded.tools.gradebook as book:
        for submission in book.assignment_submissions(home.name):
            answered = submission.student.id != "empty"
            assert submission.needs_manual_grade == (bool(home.manual) and answered)


def secrets(home: Homework) -> list[str]:
    """Lines of solutions and of hidden checks that stand nowhere else in the notebook."""
    region = r"### BEGIN SOLUTION\n.*?### END SOLUTION"
    shown = "".join(re.sub(region, "", text, flags=re.DOTALL) for text in home.sources.values())
    lines = [line for source in home.answers.values() for line in solution_lines(source)]
    lines = [line for line in lines + hidden_lines() if line not in shown]
    return [line for line in lines if len(line) > 16]


def hidden_lines() -> list[str]:
    texts = [path.read_text("utf-8") for path in (HIDDEN / "tensorkit_hidden").glob("*.py")]
    return [line.strip() for text in texts for line in text.split("\n") if "(" in line]


def solution_lines(source: str) -> list[str]:
    inside = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    return [line.strip() for part in inside for line in part.split("\n")]


@each_homework
def test_no_solution_and_no_hidden_check_leaves_the_house(graded, home):
    release = (graded.folder / "release" / home.name / f"{home.name}.ipynb").read_text("utf-8")
    released = nbformat.reads(release, as_version=4)
    code = [cell for cell in released.cells if cell.cell_type == "code"]
    everything = "\n".join(cell.source for cell in code)
    stubs = {cell.id for cell in code if "raise NotImplementedError()" in cell.source}
    assert stubs == set(home.answers)
    for word in ("SOLUTION", "HIDDEN", "hidden", "tensorkit_hidden"):
        assert word not in everything
    found = [line for line in secrets(home) if line in everything]
    assert not found
    assert not list((graded.folder / "release").rglob("*.py"))


@each_homework
def test_the_command_writes_the_very_release(graded, home):
    made = versions.student(nbformat.read(home.notebook, as_version=4))
    release = nbformat.read(
        graded.folder / "release" / home.name / f"{home.name}.ipynb", as_version=4
    )
    assert made == release


@each_homework
def test_feedback_shows_messages_but_no_hidden_check(graded, home):
    for student in ("empty", *WRONG.get(home.name, {})):
        page = feedback(graded, home, student)
        for word in ("HIDDEN TESTS", "check.hidden()", "tensorkit_hidden", "Traceback", "hidden/"):
            assert word not in page
        lines = secrets(home) if student == "empty" else hidden_lines()
        assert not [line for line in lines if len(line) > 16 and line in page]
        assert "points" in page


def test_validate_passes_a_right_release_and_reports_a_wrong_one(graded, tmp_path):
    path = tmp_path / "gradients.ipynb"
    release = graded.folder / "release" / "gradients" / "gradients.ipynb"
    wrong = wrong_cells(GRADIENTS, "undoing")
    for cells, works in [(right_cells(GRADIENTS), True), (wrong, False)]:
        notebook = nbformat.read(release, as_version=4)
        fill(notebook, cells)
        nbformat.write(notebook, path)
        result = Validator(config=graded.config).validate(str(path))
        if works:
            assert not result
        else:
            shown = "\n".join(failed["raw_error"] for failed in result["failed"])
            assert len(result["failed"]) == 4
            assert "Mul: 0 of 2 points" in shown
            assert "each input gets the other" in shown
            assert "Traceback" not in shown


def test_commands_find_the_same_course_from_the_root_and_from_inside(course):
    assert load(course.home).CourseDirectory.root == load(course.folder).CourseDirectory.root
    assert load(course.home).CourseDirectory.root == str(course.folder)
    assert Path(course.config.Exchange.root).is_relative_to(course.folder)


def test_a_machine_without_the_hidden_checks_refuses_to_grade(graded, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = graded.tools.autograde("gradients", "reference", force=True)
    assert not done["success"]
    assert "hidden checks" in done["log"]
    monkeypatch.setenv("PYTHONPATH", f"{HIDDEN}:{ROOT}")
    assert graded.tools.autograde("gradients", "reference", force=True)["success"]
    assert points(graded, GRADIENTS, "reference") == whole(GRADIENTS)


@pytest.fixture(scope="module")
def staffroom(course, tmp_path_factory) -> Iterator[Lab]:
    """JupyterLab in the course's folder, as a teacher starts it."""
    with serve(course.home, tmp_path_factory.mktemp("staffroom")) as started:
        yield started


def test_formgrader_shows_a_submission_of_each_homework(course, staffroom, page):
    page.set_default_timeout(60_000)
    front = f"http://127.0.0.1:{staffroom.port}/formgrader"
    for home in HOMEWORKS.values():
        if home.name not in course.done:
            course.done.add(home.name)
            run_course(course, home)
    page.goto(front)
    for home in HOMEWORKS.values():
        line = page.locator("tr", has=page.get_by_role("link", name=home.name, exact=True)).first
        line.wait_for()
        students = 3 + len(WRONG.get(home.name, {}))
        assert line.inner_text().split()[-1] == str(students)
    for home in HOMEWORKS.values():
        with course.tools.gradebook as book:
            (notebook,) = book.find_submission(home.name, "reference").notebooks
            address, scores = notebook.id, [grade.score for grade in notebook.grades]
        page.goto(f"{front}/submissions/{address}/?index=0")
        page.wait_for_function(
            "points => [...document.querySelectorAll('input.score')]"
            ".reduce((sum, box) => sum + Number(box.value || box.placeholder), 0) === points",
            arg=sum(scores),
        )
        assert page.locator("input.score").count() == len(scores)
    # of other hosts it asks for MathJax alone, and does without
    assert all("mathjax" in url.lower() for url in page.asked), page.asked
    assert set(page.errors) <= {"MathJax is not defined"}
    page.asked.clear()
    page.errors.clear()
