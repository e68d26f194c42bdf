"""The bad assert: its numbers are computed, and its practice finds checks that do not see."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, cells, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.explore.arena_explorer import results
from tensorkit.lessons.errata import LOPSIDED, TASKS
from tensorkit.widgets.questions import bank

NAME = "11_errata"
ONES = ((2, 3), "plain", "all ones", "ones")


def found(*where: Any) -> int:
    return sum(evidence is not None for evidence in results(where).values())


def notices() -> str:
    """Run the four lines as the question shows them."""
    heard = []
    for line in bank("errata").predictions["errata-notices"].code.strip().splitlines():
        name, source = line.split(maxsplit=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(source, {"got": 3, "want": 4})
            except AssertionError:
                heard.append(name)
    [one] = heard
    return one


def jump() -> str:
    def f(x: float) -> float:
        return float((tk.tensor([x]) < 2.0).numpy()[0])

    return flat(round((f(2 + 1e-6) - f(2 - 1e-6)) / 2e-6))


ANSWERS = {
    "errata-notices": lambda: notices().lower(),
    "errata-survivors": lambda: str(len(results(ONES)) - found(*ONES)),
    "errata-jump": jump,
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("errata")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in {way.lower() for way in ways[key]}, key
    assert len(results(ONES)) == 24


def said(key: str) -> str:
    return " ".join(choice.why for choice in bank("errata").quiz[key].choices)


def test_the_quiz_says_what_is_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    shape, layout, values, upstream = ONES
    assert found(shape, "permuted", values, upstream) == found(*ONES)
    assert found(shape, layout, values, "distinct") == found(*ONES) + 5
    assert found(shape, layout, "zero and tie", upstream) == found(*ONES) + 6
    assert "five more" in said("errata-layout") and "six more" in said("errata-layout")
    x = tk.tensor([[2.0, -1.0, 0.5], [-0.25, 1.5, -2.0]])
    assert tk.check_gradient(LOPSIDED, x).ok, "errata-proves"
    assert not np.allclose(LOPSIDED(x).numpy(), x.mean(1).numpy())


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert re.findall(r"(\w) notices", printed(empty["notices-code"])) == ["B"]
    table = [int(n) for n in re.findall(r"(\d+)$", printed(empty["table-code"]), re.MULTILINE)]
    start, shape, turned, values, upstream, two, three = table
    assert start == turned == found(*ONES) and shape < start, "the words below the table"
    assert (
        max(values, upstream) < two < three == found((2, 3), "permuted", "zero and tie", "distinct")
    )
    assert "measured:  -500000" in printed(empty["jump-code"])
    assert "backward:  [0.0, 0.0]" in printed(empty["jump-code"])
    assert "6 cells agree" in printed(empty["cannot-code"])
    assert "Yours to write: " in printed(empty["judge-step"])
    verdicts = printed(filled["judge-step"])
    assert "sigmoid passes" in verdicts and "relu passes" in verdicts
    assert "Forgetful is refused: at (0, 1)" in verdicts
    slopes = [float(n) for n in re.findall(r"([\d.]+)$", printed(empty["weighted-code"]), re.M)]
    assert slopes[1] == pytest.approx(10 * slopes[0], abs=1e-5)


HELP = "import numpy as np\n" + cells(NAME)["weighted-code"].source.split("\n\n\n")[0] + "\n\n"
OURS = HELP + answer(NAME, "judge")
TUPLE = OURS.replace('assert close, f"', 'assert (close, f"') + ")"
WEIGHTS = "1.0 + np.arange(out.size).reshape(out.shape)"
GUARD = re.search(r"        if abs\(left - right\).*?continue[^\n]*\n", OURS, re.DOTALL)[0]  # type: ignore[index]
WRONG = [
    (TUPLE, "can your assert fail?"),
    (OURS.replace(WEIGHTS, "np.ones(out.shape)"), "send back weights that are all different"),
    (OURS.replace("np.ndindex(*x.shape)", "[(0, 0)]"), "go through every index of x"),
    (OURS.replace("1e-4 + 1e-5 * abs(slope)", "0.5"), "make the tolerance smaller"),
    (OURS.replace("1e-4 + 1e-5 * abs(slope)", "1e-6"), "allow a share of the slope"),
    (OURS.replace(GUARD, ""), "skip a cell with two slopes"),
    (OURS.replace("            continue", "            return"), "skip the cell at the kink alone"),
    (OURS.replace("for e in", "for e in np.array(1e5) *").replace("(-eps, 0.0, eps)",
     "np.array([-eps, 0.0, eps])"), "false alarm"),
    (HELP + "def assert_grad_ok(f, x):\n    return True\n", "returned True"),
    (HELP + "def assert_grad_ok(f, x):\n    assert False\n", "a sigmoid that is right"),
    (OURS.replace("leaf = tk.tensor(x.numpy().copy(), requires_grad=True)",
                  "leaf = x.requires_grad_()\n    x.storage[0] = 3"), "changed x in place"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), WRONG)
def test_a_blind_check_is_told_what_it_does_not_see(source: str, sentence: str) -> None:
    assert source != OURS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        report = refused("errata.judge", source)
    assert sentence in report, report


def test_ours_passes_and_so_does_another_way() -> None:
    inside = "slope = min(max(got, min(left, right)), max(left, right))\n        close = abs("
    between = OURS.replace(GUARD, "").replace("close = abs(", inside, 1)
    assert between != OURS
    for source in (OURS, between):
        check = tried("errata.judge", source)
        assert check.passed, check.report


def test_the_call_that_a_report_offers_runs() -> None:
    for source in (WRONG[1][0], WRONG[2][0], WRONG[5][0]):
        [shown] = steps_of(tried("errata.judge", source))
        assert shown._repr_mimebundle_()["text/plain"]


def test_each_function_to_be_judged_is_what_it_says() -> None:
    """The kit's own check agrees with the exam about which gradients are right."""
    judged = 0
    for block in TASKS["judge"].blocks:
        for case in block.cases:
            report = tk.check_gradient(case.extra[0], case.inputs[0].tensor(), raises=False)
            assert report.ok == (case.how == "passes"), case.about
            judged += 1
    assert judged == 10
