"""The curve counts what was said, names what was sure and wrong, and nothing leaves the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import tensorkit as tk
from tensorkit.widgets.calibration import CLAIMS, Calibration, Said, levels, loaded, questions
from tensorkit.widgets.calibration import sure_and_wrong as missed
from tensorkit.widgets.predict import Predict
from tensorkit.widgets.questions import bank, lessons
from tensorkit.widgets.quiz import Quiz

SAID = {
    "gradients:bias": {"text": "1, 2, 3", "sure": 5, "right": False},
    "gradients:zip-back": {"text": "50 30", "sure": 5, "right": True},
    "gradients:vjp": {"text": "51 20", "sure": 5, "right": True},
    "gradients:quiz:keep-dim": {"text": "(2, 4)", "sure": 4, "right": False},
    "gradients:map-back": {"text": "2.5", "sure": 2, "right": True},
    "gradients:count": {"text": "6", "sure": 1, "right": False},
    "gradients:fold-order": {"text": None, "sure": 0, "right": False},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "answers.json"
    kept = {key: said for key, said in SAID.items() if said["text"] is not None}
    place.write_text(json.dumps({"tensorkit": kept}), "utf-8")
    return place


def host(*bodies: str) -> str:
    body = "".join(bodies)
    return f'<!doctype html><html lang="en"><body style="background:#fff">{body}</body></html>'


def opened(page: Any, tmp_path: Path, *bodies: str, said: Any = None) -> Any:
    """Open a page over the answers that it keeps."""
    place = tmp_path / "page.html"
    place.write_text(host(*bodies), "utf-8")
    if said is not None:
        kept = {f"tensorkit:{key}": json.dumps(one) for key, one in said.items()}
        page.add_init_script(f"Object.assign(localStorage, {json.dumps(kept)})")
    page.goto(place.as_uri())
    return page.locator(".tkq").last


def test_every_graded_question_of_the_kit_counts_and_names_an_idea() -> None:
    asked = questions()
    graded = [
        *(p for lesson in lessons() for p in bank(lesson).predictions.values() if p.accept),
        *(q for lesson in lessons() for q in bank(lesson).quiz.values()),
    ]
    assert len(asked) == len(graded) == len({q.key for q in asked})
    assert all(q.idea and q.answer for q in asked)


def test_keys_are_those_under_which_questions_keep_their_answers() -> None:
    keys = {q.key for q in questions()}
    for one in (Predict("bias"), Quiz("keep-dim")):
        (key,) = [key for key in keys if re.search(f'"store": ?"{key}"', one.html())]
        assert key in SAID


def test_answers_are_counted_by_how_sure_they_were(file: Path) -> None:
    said = loaded(file)
    assert levels(said) == {1: (1, 0), 2: (1, 1), 4: (1, 0), 5: (3, 2)}
    ideas = [
        "what was read several times gets the sum",
        "not so: the wrong dim goes away, or the dim is dropped silently",
    ]
    assert missed(questions(), said) == ideas


def test_the_idea_missed_most_often_comes_first() -> None:
    said = {q.key: Said("?", 4, False) for q in questions()[:3]}
    twice = [q for q in questions() if q.key in said]
    twice[2] = type(twice[2])(twice[2].key, "?", "?", twice[1].idea)
    assert missed(twice, said) == [twice[1].idea, twice[0].idea]


def test_a_saved_file_is_told_in_words(file: Path) -> None:
    text = str(Calibration(file))
    assert text.splitlines()[0] == "6 answers."
    assert f"5 of 5 sure ({CLAIMS[5]} %): 2 of 3 right" in text
    assert "Sure, and otherwise: what was read several times gets the sum" in text


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"other": 1}', '{"tensorkit": {"a": {"text": "x", "sure": 9, "right": true}}}',
     '{"tensorkit": {"a": {"text": "x", "sure": 3, "right": "yes"}}}', '{"tensorkit": {"a": 1}}'],
)  # fmt: skip
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    place = tmp_path / "other.json"
    place.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"other\.json"):
        tk.explore.calibration(place)


def test_the_page_draws_what_it_keeps(page: Any, tmp_path: Path) -> None:
    root = opened(page, tmp_path, Calibration().html(), said=SAID)
    curve = root.get_by_role("img")
    assert curve.get_attribute("aria-label") == (
        "Calibration curve. 1 guess: 0 of 1 right; 2: 1 of 1 right; 4: 0 of 1 right; "
        "5 certain: 2 of 3 right."
    )
    assert curve.locator("circle").count() == 4
    heights = curve.locator("circle").evaluate_all(
        "all => all.map(e => Number(e.getAttribute('cy')))"
    )
    shares = [0, 1, 0, 2 / 3]
    assert heights == pytest.approx([14 + 240 * (1 - share) for share in shares])
    claim = sum(CLAIMS[s] for s in (5, 5, 5, 4, 2, 1)) / 6
    told = root.get_by_role("status").inner_text()
    assert told.startswith(
        f"6 answers. You claimed {round(claim)} % and had 50 % right. You were surer"
    )
    assert root.locator("li b").first.inner_text() == "what was read several times gets the sum"
    assert "You said “1, 2, 3”, 5 of 5 sure. It is: 11, 22, 33" in root.inner_text()


def test_it_fills_itself_while_one_answers_and_forgets_when_asked(
    page: Any, tmp_path: Path
) -> None:
    root = opened(page, tmp_path, Quiz("keep-dim").html(), Calibration().html())
    assert "No question is answered" in root.inner_text()
    form = page.locator("form")
    form.get_by_role("radio").first.check()
    form.get_by_label("5 certain").check()
    form.get_by_role("button", name="Check").click()
    assert root.get_by_role("img").get_attribute("aria-label").endswith("5 certain: 0 of 1 right.")
    assert "the wrong dim goes away" in root.inner_text()
    root.get_by_role("button", name="Forget all answers").click()
    assert root.inner_text().startswith("Forgotten.") and root.get_by_role("img").count() == 0
    assert page.evaluate("localStorage.length") == 0


def test_answers_are_saved_and_loaded_elsewhere(page: Any, tmp_path: Path) -> None:
    root = opened(page, tmp_path, Calibration().html(), said=SAID)
    with page.expect_download() as waiting:
        root.get_by_role("button", name="Save as a file").click()
    place = tmp_path / "saved.json"
    waiting.value.save_as(place)
    assert {key: vars(said) for key, said in loaded(place).items()} == {
        key: said for key, said in SAID.items() if said["text"] is not None
    }
    root.get_by_role("button", name="Forget").click()
    page.locator("input[type=file]").set_input_files(place)
    root.get_by_text("6 answers loaded.").wait_for()
    other = tmp_path / "other.json"
    other.write_text("nothing", "utf-8")
    page.locator("input[type=file]").set_input_files(other)
    root.get_by_text("That file holds no saved answers").wait_for()


def test_a_file_given_in_python_is_drawn_whatever_the_page_keeps(
    page: Any, tmp_path: Path, file: Path
) -> None:
    root = opened(page, tmp_path, Calibration(file).html())
    assert root.get_by_role("img").get_attribute("aria-label").endswith("5 certain: 2 of 3 right.")
    assert root.get_by_role("button").all_inner_texts() == ["Save as a file"]


def test_nothing_is_sent_anywhere(page: Any, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    root = opened(page, tmp_path, Calibration().html(), said=SAID)
    root.get_by_role("button", name="Save as a file").click()
    assert all(url.startswith(("file:", "blob:")) for url in asked)
