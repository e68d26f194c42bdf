"""The steps around grading: accidents cost no points, infrastructure gives no marks, and hidden
checks stay hidden, whatever a submission looks like."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tensorkit.grading.cases import Case, laid
from tensorkit.grading.course import (
    DropCopies,
    GradingNotReady,
    HideHiddenChecks,
    NeedHiddenChecks,
    NeedWarmUp,
)
from tensorkit.grading.exam import CallExam
from tensorkit.grading.sheet import Block, Sheet, Task

CHECK = "\n".join(
    [
        "check = 1",
        "### BEGIN HIDDEN TESTS",
        "secret(7.25)",
        "### END HIDDEN TESTS",
        "check.score()",
    ]
)


def cell(name: str, source: str = "1", outputs=(), **record) -> nbformat.NotebookNode:
    return new_code_cell(
        source,
        metadata={"nbgrader": {"grade_id": name, **record}} if name else {},
        outputs=list(outputs),
    )


def error(trace: str) -> nbformat.NotebookNode:
    return new_output("error", ename="KeyboardInterrupt", evalue="7.25", traceback=[trace])


def apply(step, cells) -> list[nbformat.NotebookNode]:
    return step().preprocess(new_notebook(cells=cells), {})[0].cells


def test_of_copied_cells_the_last_keeps_its_record_and_all_keep_their_code():
    cells = [cell("a", "first"), cell("b"), cell("a", "second"), cell("")]
    made = apply(DropCopies, cells)
    assert [c.metadata.get("nbgrader", {}).get("grade_id") for c in made] == [None, "b", "a", None]
    assert [c.source for c in made] == ["first", "1", "second", "1"]


def test_hidden_checks_are_needed_only_by_notebooks_that_have_some(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert apply(NeedHiddenChecks, [cell("a")])
    with pytest.raises(GradingNotReady, match="TENSORKIT_HIDDEN"):
        apply(NeedHiddenChecks, [cell("a", CHECK)])
    (tmp_path / "tensorkit_hidden").mkdir()
    assert apply(NeedHiddenChecks, [cell("a", CHECK)])


def test_a_failed_warm_up_stops_grading_but_a_learners_error_does_not():
    assert apply(NeedWarmUp, [cell("warm-up"), cell("answer", outputs=[error("mine")])])
    with pytest.raises(GradingNotReady, match="KeyboardInterrupt"):
        apply(NeedWarmUp, [cell("warm-up", outputs=[error("import")])])


def test_feedback_keeps_a_learners_traceback_and_hides_that_of_a_check():
    mine = cell("answer", "x", [error("my own line")], grade=False)
    check = cell("check", CHECK, [error("in secret(7.25)")], grade=True)
    shown = apply(HideHiddenChecks, [mine, check])
    assert "my own line" in shown[0].outputs[0].traceback
    assert "7.25" not in str(shown[1])
    assert "secret" not in str(shown[1])
    assert "KeyboardInterrupt" in str(shown[1].outputs[0].traceback)
    assert shown[1].source == "check = 1\n# (more checks ran here)\ncheck.score()"


@pytest.mark.parametrize(
    ("answer", "without", "graded"), [(2.0, 6.0, 6.0), (-2.0, 2.0, 1.0), (3.0, 0.0, 0.0)]
)
def test_points_of_blocks_that_are_absent_are_shared_by_those_that_are_present(
    answer, without, graded, monkeypatch
):
    """``answer`` is multiplied: 2 is right, -2 right for the first block only."""
    exam = CallExam("f", ("x",), expect=lambda x: abs(x * 2), tensors=False)
    one, two = Case("one", (laid(1 if answer > 0 else -1),)), Case("two", (laid(5),))
    task = Task(exam, (Block("a", "a", 1, (one,)), Block("b", "b", 2, (two,)), Block("c", "c", 3)))
    sheet = Sheet("home.work", task, {"f": lambda x: answer * x})
    assert sheet.score() == pytest.approx(without)
    hidden = type("hidden", (), {"CHECKS": {"work": {"c": (two,)}}})
    monkeypatch.setitem(__import__("sys").modules, "tensorkit_hidden.home", hidden)
    sheet.hidden()
    assert sheet.score() == pytest.approx(graded)
