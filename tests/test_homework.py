"""The homework's checks, in process: right answers keep every point, wrong ones lose some and are
told why, and nothing a learner does around them changes that."""

import importlib
import linecache
import logging
import re
import sys
import warnings

import numpy as np
import pytest
from wrong_answers.bank import BANK, HIDDEN, Entry, answers, notebook_cells

import tensorkit as tk
from tensorkit import grading
from tensorkit.grading import gradients, quiet
from tensorkit.grading.functions import FunctionExam
from tensorkit.grading.messages import MOST, WIDTH
from tensorkit.grading.sheet import ChecksFailed, Score

TASKS = list(gradients.TASKS)


@pytest.fixture(autouse=True)
def graded(monkeypatch):
    monkeypatch.syspath_prepend(str(HIDDEN))
    monkeypatch.setattr(quiet, "SECONDS", 5.0)


def run(source: str, name: str = "answer") -> dict:
    """Run an answer cell as a notebook would, with its lines known to tracebacks."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names = {"tk": tk, "np": np}
    exec(compile(source, filename, "exec"), names)
    return names


def hidden_checks() -> dict:
    return importlib.import_module("tensorkit_hidden.gradients").CHECKS


def graded_sheet(task: str, names: dict, hidden: bool = True) -> grading.Sheet:
    sheet = grading.sheet(f"gradients.{task}", names)
    if hidden and task in hidden_checks():
        sheet.hidden()
    return sheet


def score(task: str, names: dict, hidden: bool = True) -> Score:
    return graded_sheet(task, names, hidden).score()


def reference(task: str) -> dict:
    return run(answers()[task.replace("_", "-")])


def messages(report: str) -> list[list[str]]:
    return [part.split("\n") for part in report.split("\n\n")[1:]]


def check_style(lines: list[str]) -> None:
    """Six lines of nbgrader's width at most; a hidden check shows its property, never its data."""
    assert len(lines) <= MOST
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(lines)
    if "property failed" in text:
        assert "next: " in text
        assert not [word for word in ("got ", "want ", " = [") if word in text]
    assert not [word for word in ("tensorkit/", "Traceback") if word in text]


@pytest.mark.parametrize("entry", BANK, ids=lambda e: f"{e.task}-{e.id}")
def test_bank(entry: Entry):
    """A wrong answer loses a point or more in its task; its short report says why."""
    result = score(entry.task, run(entry.cell, entry.id))
    points = gradients.TASKS[entry.task].points
    for lines in messages(result.report):
        check_style(lines)
    if entry.keeps == "all":
        assert result == points, result.report
        return
    assert result <= points - 1, "a wrong answer lost nothing"
    assert not entry.keeps or result == float(entry.keeps), result.report
    assert entry.says, "a wrong answer says what the report must say"
    assert entry.says in " ".join(result.report.split()), result.report


def test_the_bank_covers_the_known_mistakes_and_every_task():
    ids = {entry.id for entry in BANK}
    known = "F01 F02 F03 F04 F06 F07 F08 F12 F14 F15 F18 F19 F20 F21 F22 F24 F25 F26 F28"
    known += " A01 A02 A03 A05 A06 A07 P02 P04"
    assert set(known.split()) <= ids
    wrong = [entry for entry in BANK if entry.keeps != "all"]
    assert {entry.task for entry in wrong} == set(TASKS)
    assert {entry.task for entry in BANK if entry.keeps == "all"} >= {"mul", "max", "unbroadcast"}


@pytest.mark.parametrize("task", TASKS)
def test_the_reference_keeps_every_point_twice_and_without_hidden_checks(task):
    names = reference(task)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for hidden in (True, True, False):
            assert score(task, names, hidden) == gradients.TASKS[task].points


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_or_absent_answer_gets_nothing(task):
    source = re.sub(
        r"### BEGIN SOLUTION.*?### END SOLUTION",
        "raise NotImplementedError()",
        answers()[task.replace("_", "-")],
        flags=re.DOTALL,
    )
    empty = score(task, run(source))
    assert empty == 0
    assert "is not written yet" in empty.report
    assert len(messages(empty.report)) == 1
    absent = score(task, {})
    assert absent == 0
    assert "is not defined" in absent.report


def wrapped(task: str, change) -> dict:
    """The reference solution, with its tensors changed on the way in."""
    name = gradients.TASKS[task].exam.name
    known = reference(task)
    subject = known[name]
    if not isinstance(subject, type):
        return {name: lambda *args: subject(*[change(a) for a in args])}

    class Wrapped(subject):
        @staticmethod
        def forward(ctx, *args):
            return subject.forward(ctx, *[change(a) for a in args])

        @staticmethod
        def backward(ctx, grad_out):
            return subject.backward(ctx, change(grad_out))

    return {name: Wrapped}


def test_right_only_for_plain_2d_data_keeps_about_half():
    def from_storage(value):
        if not isinstance(value, tk.Tensor):
            return value
        assert value.ndim == 2, "two dims only"
        return tk.tensor(value.storage[: value.size].reshape(value.shape))

    total = sum(score(task, wrapped(task, from_storage)) for task in TASKS)
    assert 12 <= total <= 18


def test_right_only_for_grad_out_of_ones_keeps_about_half():
    total = 0.0
    for task in TASKS:
        exam = gradients.TASKS[task].exam
        names = reference(task)
        if isinstance(exam, FunctionExam):
            subject = names[exam.name]

            class Ones(subject):
                @staticmethod
                def backward(ctx, grad_out, known=subject):
                    return known.backward(ctx, tk.ones(*grad_out.shape))

            names = {exam.name: Ones}
        elif task == "unbroadcast":
            known = names["unbroadcast"]
            names = {"unbroadcast": lambda g, shape, f=known: f(tk.ones(*g.shape), shape)}
        total += score(task, names)
    assert 12 <= total <= 18


def test_names_the_learner_has_taken_do_not_matter():
    names = reference("mul") | {"grading": None, "check": 7, "np": "mine", "ChecksFailed": 0}
    names |= {"float": str, "isinstance": lambda *_: True, "zip": None, "any": None}
    source = next("".join(c["source"]) for c in notebook_cells() if c["id"] == "check-mul")
    before, _, last = source.rpartition("\n")
    exec(before, names)
    assert eval(last, names) == 2


def test_a_score_is_a_plain_number_to_nbgrader_and_a_report_to_a_reader():
    formatters = importlib.import_module("IPython.core.formatters")
    result = Score(1.5, "x < y & z")
    shown = formatters.DisplayFormatter().format(result)[0]
    assert type(result) is not float
    assert float(shown["text/plain"]) == 1.5
    assert "x &lt; y &amp; z" in shown["text/html"]


def test_validate_shows_the_report_and_no_traceback(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert score("mul", reference("mul"), hidden=False) == 2
    wrong = next(e for e in BANK if e.task == "mul" and e.id == "F01")
    with pytest.raises(ChecksFailed) as failed:
        score("mul", run(wrong.cell), hidden=False)
    shown = failed.value._render_traceback_()
    assert shown[0] == "Mul: 0 of 2 points from the checks in this notebook"
    assert any("each input gets the other" in line for line in shown)


def test_learners_output_is_swallowed_even_by_handlers_set_up_before(capsys):
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("learner")
    logger.addHandler(handler)
    try:
        with quiet.quiet():
            print("out")
            print("err", file=sys.stderr)
            warnings.warn("careful", stacklevel=1)
            np.log(np.array([-1.0]))
            logger.error("noted")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr() == ("", "")
    assert not logging.root.manager.disable


def test_sys_exit_and_endless_loops_cost_their_own_task_only(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.3)
    left = run("import sys\ndef unbroadcast(grad, shape):\n    sys.exit(3)\n")
    assert "raised SystemExit" in score("unbroadcast", left).report
    source = "def unbroadcast(grad, shape):\n    try:\n        while True: pass\n"
    loop = score("unbroadcast", run(source + "    except Exception: pass\n"))
    assert loop == 0
    assert "no answer within 0.3 seconds" in loop.report


def test_data_of_the_failed_check_is_at_hand_and_the_last_line_runs():
    tried = set()
    for entry in BANK:
        if entry.keeps == "all":
            continue
        sheet = graded_sheet(entry.task, run(entry.cell, entry.id))
        report = sheet.score().report
        for call in re.findall(r"try: (.*)", report):
            if (entry.task, call) not in tried:
                tried.add((entry.task, call))
                stepper = eval(call, {"tk": tk, "check": sheet})
                assert stepper.scene.steps
    assert {task for task, _ in tried} >= {"log", "mul", "sum", "max", "unbroadcast", "permute"}


def test_asking_a_sheet_for_data_it_does_not_have_says_what_to_do():
    with pytest.raises(AttributeError, match=r"check\.score\(\)"):
        _ = grading.sheet("gradients.mul", {}).x
