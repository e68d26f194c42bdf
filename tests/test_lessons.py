"""What a lesson does around a learner's code: it says what is missing, and goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tensorkit.lessons import attempt


def empty() -> Any:
    raise NotImplementedError("swap the two")


def test_an_attempt_gives_what_there_is_to_show() -> None:
    assert attempt(lambda: [3, 1]) == [3, 1]


def test_an_empty_stub_and_a_failing_one_are_told_in_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert attempt(empty) is None
    assert capsys.readouterr().out == "Yours to write: swap the two\n"
    pair = [3, 1]
    assert attempt(lambda: pair[2]) is None
    said = capsys.readouterr().out
    assert said.startswith("IndexError: list index out of range (at your line: ")
    assert said.count("\n") == 1 and "pair[2]" in said
