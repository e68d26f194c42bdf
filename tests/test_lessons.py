"""What a lesson does around a learner's code: it says what is missing, and goes on."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lessons import tried

from tensorkit.lessons import attempt, progress


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


RIGHT = """
def meet(m, n):
    if m == n or n == 1:
        return m
    if m == 1:
        return n
    raise tk.ShapeError("they must be equal, or one of them 1")
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "folder" / "progress.json"
    monkeypatch.setenv("TENSORKIT_PROGRESS", str(file))
    return file


def test_what_passes_is_remembered_with_its_first_day(kept: Path) -> None:
    tried("stretch.meet", RIGHT.replace("n == 1", "n == 2"))
    assert progress.passed() == {} and not kept.exists()
    tried("stretch.meet", RIGHT)
    today = date.today().isoformat()
    assert progress.passed() == {"stretch.meet": today}
    kept.write_text('{"stretch.meet": "2020-01-31"}')
    tried("stretch.meet", RIGHT)
    assert progress.passed() == {"stretch.meet": "2020-01-31"}


def test_progress_is_shown_saved_and_forgotten(kept: Path, tmp_path: Path) -> None:
    tried("stretch.meet", RIGHT)
    shown = progress.Progress()
    assert "3 stretch: 1 of 2, still source\n" in repr(shown) and str(kept) in repr(shown)
    assert "1 one tape: 0 of 2\n" in repr(shown)
    page = shown._repr_mimebundle_()["text/html"]
    assert page.count("<tr>") == len(progress.tasks())
    assert "<td>3 stretch</td><td>1 of 2, still source</td>" in page
    assert shown.save(tmp_path / "mine.json").read_text() == kept.read_text()
    assert "stretch: 0 of 2\n" in repr(shown.forget()) and not kept.exists()
    assert progress.passed() == {}


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_file_that_is_no_progress_is_none(kept: Path, text: str) -> None:
    kept.parent.mkdir()
    kept.write_text(text)
    assert progress.passed() == {}


def test_where_nothing_can_be_written_a_check_still_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TENSORKIT_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert tried("stretch.meet", RIGHT).passed


def test_the_file_lies_in_the_folder_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENSORKIT_PROGRESS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert progress.place() == Path("/data/tensorkit/progress.json")


def test_every_lesson_with_tasks_has_its_place_in_the_course() -> None:
    folder = Path(progress.__file__).parent
    with_tasks = {p.stem for p in folder.glob("*.py") if "\nTASKS" in p.read_text("utf-8")}
    assert set(progress.tasks()) == with_tasks
