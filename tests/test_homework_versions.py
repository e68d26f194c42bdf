"""One source, three versions of each homework: what students get, what a learner alone gets, and
the answer key."""

import re

import nbformat
import pytest
from homework import HOMEWORKS, check_style, execute, messages, name_of
from nbgrader.nbgraderformat import MetadataValidator

import tensorkit.cli
from tensorkit import grading
from tensorkit.cli import homework as versions
from tensorkit.grading import quiet, self_study, sources

each_homework = pytest.mark.parametrize("home", HOMEWORKS.values(), ids=name_of)
LONG = 16  # characters of a line that could not stand elsewhere by chance


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 5.0)
    monkeypatch.setattr(self_study, "_tried", {})


def made(home, make) -> nbformat.NotebookNode:
    notebook = make(nbformat.read(home.notebook, as_version=4))
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if cell.get("outputs")]
    return notebook


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def solution_lines(home) -> list[str]:
    """Lines of answers in code and in words that stand nowhere else in the source."""
    shown = "".join(s for cell, s in home.sources.items() if cell not in home.answers)
    parts = re.findall(
        r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", "".join(home.answers.values()), re.DOTALL
    )
    lines = [line.strip() for part in parts for line in part.split("\n")]
    return [line for line in lines if len(line) > LONG and line not in shown]


def manual_lines(home) -> list[str]:
    lines = [line.strip() for cell in home.manual for line in home.sources[cell].split("\n")]
    return [line for line in lines if len(line) > LONG]


@each_homework
def test_the_student_version_holds_no_answer_and_no_hidden_check(home):
    notebook = made(home, versions.student)
    text = text_of(notebook)
    assert solution_lines(home)
    assert not [line for line in solution_lines(home) + manual_lines(home) if line in text]
    assert not [word for word in ("SOLUTION", "HIDDEN", "check.hidden", "study(") if word in text]
    MetadataValidator().validate_nb(notebook)
    assert text.count("raise NotImplementedError()\n") >= len(home.answers)


@each_homework
def test_the_self_study_version_opens_every_check_and_holds_no_answer_in_code(home):
    notebook = made(home, versions.study)
    text = text_of(notebook)
    assert not [line for line in solution_lines(home) if line in text]
    assert not [word for word in ("SOLUTION", "HIDDEN", "check.hidden") if word in text]
    assert text.count("grading.study(") == len(home.tasks)
    assert "grading.sheet(" not in text
    assert not [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert not [line for line in manual_lines(home) if line not in text], "words are folded"


@each_homework
def test_the_answer_key_runs_and_earns_every_point(home):
    names: dict = {}
    earned = 0.0
    for cell in made(home, versions.key).cells:
        if cell.cell_type == "code" and cell.id.startswith("check-"):
            before, _, last = cell.source.rpartition("\n")
            execute(before, f"{home.name} {cell.id}", names)
            earned += eval(last, names)
        elif cell.cell_type == "code":
            execute(cell.source, f"{home.name} {cell.id}", names)
    assert earned == sum(task.points for task in home.tasks.values())
    text = text_of(made(home, versions.key))
    assert not [line for line in solution_lines(home) + manual_lines(home) if line not in text]
    assert "###" not in re.sub(r"(?m)^###+ ", "", text)


@each_homework
def test_in_self_study_a_wrong_answer_fails_in_the_open_too(home, monkeypatch):
    """Two wrong answers of each task; what names a property elsewhere shows its data here."""
    monkeypatch.setattr(quiet, "SECONDS", 0.3)
    for task in home.tasks:
        for entry in [entry for entry in home.wrong() if entry.task == task][::3][:2]:
            names = home.run(home.cell(entry), entry.id)
            result = grading.study(f"{home.name}.{task}", names).score()
            assert result <= home.tasks[task].points - 1, (task, entry.id)
            for lines in messages(result.report):
                check_style(lines)
                assert "property failed" not in " ".join(lines)


def log(backward: str) -> dict:
    home = HOMEWORKS["gradients"]
    return home.run(home.solutions["log"].replace("return grad_out / x", backward))


def test_a_solution_is_shown_after_three_honest_tries(capsys):
    home = HOMEWORKS["gradients"]

    def tried(names: dict) -> str:
        check = grading.study("gradients.log", names)
        report = check.score().report
        check.solution()
        return report.split("\n")[-1] + capsys.readouterr().out

    none = "(0 of 3 tries"
    assert tried({}).startswith(none), "not defined is no try"
    assert tried(home.empty("log")).startswith(none), "not written is no try"
    assert tried(log("return grad_out")).startswith("(1 of 3 tries")
    again = tried(log("# once more\n        return grad_out"))
    assert again.startswith("(1 of 3 tries"), "a comment is no try"
    assert "so far: 1" in again
    second = tried(log("return grad_out * x"))
    assert second.startswith("(2 of 3 tries")
    assert "grad_out / x" not in second
    third = tried(log("return grad_out - x"))
    assert third.startswith("(3 of 3 tries")
    assert "return grad_out / x" in third
    assert "SOLUTION" not in third
    right = grading.study("gradients.log", log("return grad_out / x")).score()
    assert right == home.tasks["log"].points
    assert "tries" not in right.report


def test_no_solution_is_shown_while_homework_is_graded(capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr(self_study, "_tried", {"gradients.log": ["a", "b", "c"]})
    check = grading.study("gradients.log", log("return grad_out"))
    check.solution()
    assert "no solutions" in capsys.readouterr().out


def test_the_essence_of_an_answer_is_what_it_computes():
    def digest(source: str) -> str:
        return self_study._essence(execute(source, "try", {})["f"])

    one = "class f:\n    @staticmethod\n    def g(x):\n        return x + 1\n"
    assert digest(one) == digest(one.replace("        return", "\n        # so\n        return"))
    assert digest(one) != digest(one.replace("+ 1", "+ 2"))
    assert digest("f = [1, 2]") == digest("f = [1,2]") != digest("f = [1, 3]")
    assert digest("def f(x): return x.a") != digest("def f(x): return x.b")


def test_self_study_without_the_course_folder_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match="install tensorkit again"):
        grading.study("gradients.log", {})


def test_an_installation_finds_the_course_folder_that_came_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "tensorkit")
    assert sources.folder() == tmp_path / "tensorkit" / "_shipped" / "assignments"
    (tmp_path / "setup.py").touch()
    assert sources.folder() == tmp_path / "assignments"


@each_homework
def test_every_task_has_a_solution_to_show(home):
    for task in home.tasks.values():
        assert task.exam.name in sources.solution(home.name, task.exam.name)
    with pytest.raises(LookupError, match=home.name):
        sources.solution(home.name, "no_such_name")


def test_the_command_writes_versions_beside_each_other_and_over_nothing(tmp_path, capsys):
    run = tensorkit.cli.main
    where = ["--output", str(tmp_path / "new")]
    assert run(["homework", "gradients", *where]) == 0
    assert run(["homework", "gradients", "--self-study", *where]) == 0
    assert run(["homework", "--answers", *where]) == 0
    found = {path.name for path in (tmp_path / "new").iterdir()}
    assert found == {"gradients.ipynb", "gradients-self-study.ipynb"} | {
        f"{name}-answers.ipynb" for name in HOMEWORKS
    }
    (tmp_path / "new" / "gradients.ipynb").write_text("mine")
    assert run(["homework", "one_tape", "gradients", *where]) == 1
    assert "may hold somebody's work" in capsys.readouterr().err
    assert (tmp_path / "new" / "gradients.ipynb").read_text() == "mine"
    assert not (tmp_path / "new" / "one_tape.ipynb").exists(), "refused before anything is written"
    assert run(["homework", "gradient", *where]) == 1
    assert "one_tape" in capsys.readouterr().err


def test_the_guides_know_every_homework_and_every_cell_for_a_person():
    guide = (sources.folder() / "INSTRUCTOR.md").read_text("utf-8")
    for home in HOMEWORKS.values():
        points = sum(record["points"] for record in home.records.values() if record["grade"])
        (week,) = [
            text for text in guide.split("\n") if re.search(rf"A\d `{home.name}`.* \| \d", text)
        ]
        assert re.search(rf"\b{points:g}\b", week)
        for cell in home.manual:
            (line,) = [text for text in guide.split("\n") if f"`{home.name}`: `{cell}`" in text]
            assert f"| {home.records[cell]['points']:g} |" in line
    for page in ("INSTRUCTOR.md", "STUDENT.md"):
        text = (sources.folder() / page).read_text("utf-8")
        for link in re.findall(r"\]\((\w+\.md)\)", text):
            assert (sources.folder() / link).is_file()
