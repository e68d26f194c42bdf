"""Every homework's checks, in process: right answers keep every point, wrong ones lose some and are
told why, and nothing a learner does around them changes that."""

import importlib
import logging
import re
import sys
import warnings

import numpy as np
import pytest
from homework import HOMEWORKS, check_style, every_entry, every_task, messages, name_of

import tensorkit as tk
from tensorkit import grading
from tensorkit.grading import quiet
from tensorkit.grading.sheet import ChecksFailed, Score

GRADIENTS = HOMEWORKS["gradients"]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 5.0)


@pytest.mark.parametrize(("home", "entry"), every_entry(), ids=name_of)
def test_bank(home, entry):
    """A wrong answer loses a point or more in its task; its short report says why."""
    names = home.run(home.cell(entry), entry.id)
    results = {task: home.score(task, names) for task in home.beside(entry.task)}
    for result in results.values():
        for lines in messages(result.report):
            check_style(lines)
    if entry.keeps == "all":
        for task, result in results.items():
            assert result == home.tasks[task].points, result.report
        return
    result = results[entry.task]
    assert result <= home.tasks[entry.task].points - 1, "a wrong answer lost nothing"
    assert not entry.keeps or result == float(entry.keeps), result.report
    assert entry.says, "a wrong answer says what the report must say"
    assert entry.says in " ".join(result.report.split()), result.report


@pytest.mark.parametrize("home", HOMEWORKS.values(), ids=name_of)
def test_the_bank_tries_every_task_and_its_entries_have_names(home):
    assert {entry.task for entry in home.wrong()} == set(home.tasks)
    names = [(entry.task, entry.id) for entry in home.bank]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("home", "task"), every_task(), ids=name_of)
def test_the_reference_keeps_every_point_twice_and_without_hidden_checks(home, task):
    names = home.reference(task)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for hidden in (True, True, False):
            result = home.score(task, names, hidden)
            assert result == home.tasks[task].points, result.report


@pytest.mark.parametrize(("home", "task"), every_task(), ids=name_of)
def test_an_empty_or_absent_answer_gets_nothing(home, task):
    empty = home.score(task, home.empty(task))
    assert empty == 0
    assert "is not written yet" in empty.report
    assert len(messages(empty.report)) == 1
    absent = home.score(task, {})
    assert absent == 0
    assert "is not defined" in absent.report


@pytest.mark.parametrize(("home", "task"), every_task(), ids=name_of)
def test_each_known_mistake_is_wrong_somewhere_in_the_open(home, task):
    """A rule that never differs from the truth on public data could not name a mistake."""
    exam = home.tasks[task].exam
    beside = [home.tasks[each] for each in home.beside(task) if home.tasks[each].exam is exam]
    cases = [case for each in beside for block in each.blocks for case in block.cases]
    for rule in exam.wrong:
        assert any(exam.is_mistake(rule, case) for case in cases), rule.sentence


@pytest.mark.parametrize(("home", "task"), every_task(), ids=name_of)
def test_data_of_the_failed_check_is_at_hand_and_the_last_line_runs(home, task):
    tried = set()
    for entry in home.wrong():
        if entry.task == task:
            names = home.run(home.cell(entry), entry.id)
            sheet = home.sheet(task, names)
            for call in re.findall(r"(?ms)^try: (.*?)(?:\n\n|\Z)", sheet.score().report):
                if call not in tried:
                    tried.add(call)
                    assert eval(call, names | {"tk": tk, "check": sheet}) is not None


def test_names_the_learner_has_taken_do_not_matter():
    names = GRADIENTS.reference("mul") | {"grading": None, "check": 7, "np": "mine"}
    names |= {"ChecksFailed": 0, "float": str, "isinstance": lambda *_: True, "zip": None}
    before, _, last = GRADIENTS.sources["check-mul"].rpartition("\n")
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
    assert GRADIENTS.score("mul", GRADIENTS.reference("mul"), hidden=False) == 2
    wrong = next(e for e in GRADIENTS.bank if e.task == "mul" and e.id == "F01")
    with pytest.raises(ChecksFailed) as failed:
        GRADIENTS.score("mul", GRADIENTS.run(GRADIENTS.cell(wrong)), hidden=False)
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
    left = GRADIENTS.run("import sys\ndef unbroadcast(grad, shape):\n    sys.exit(3)\n")
    assert "raised SystemExit" in GRADIENTS.score("unbroadcast", left).report
    source = "def unbroadcast(grad, shape):\n    try:\n        while True: pass\n"
    loop = GRADIENTS.run(source + "    except Exception: pass\n")
    result = GRADIENTS.score("unbroadcast", loop)
    assert result == 0
    assert "no answer within 0.3 seconds" in result.report


def test_asking_a_sheet_for_data_it_does_not_have_says_what_to_do():
    with pytest.raises(AttributeError, match=r"check\.score\(\)"):
        _ = grading.sheet("gradients.mul", {}).x


ODD = {
    "None": None,
    "text": "x",
    "nan": float("nan"),
    "deep": [[1], [2, [3, None]]],
    "dict": {1: 2},
    "generator": (k for k in ()),
    "function": len,
    "class": int,
    "complex": 1j,
    "objects": np.array([None, "x"], dtype=object),
    "empty": np.zeros((0, 3)),
    "tensor": tk.tensor([1.5, 2.5]),
    "huge": 10**400,
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("home", "task"), every_task(), ids=name_of)
def test_no_result_however_odd_breaks_a_check(home, task, odd):
    """The traceback of a check would show hidden data, and cost the cell its score."""

    class Odd:
        def __init__(self, *args):
            self.storage = self.shape = self.strides = ODD[odd]

        def __getattr__(self, name):
            return lambda *args: ODD[odd]

    name = home.tasks[task].exam.name
    for subject in (lambda *args: ODD[odd], Odd, Odd(), ODD[odd]):
        result = home.score(task, {name: subject})
        assert result < home.tasks[task].points
        for lines in messages(result.report):
            check_style(lines)
