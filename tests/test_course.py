"""What all lessons have in common: their form, their frame, a clean run, pages without a network.

A lesson joins by its line in LESSONS, any other notebook by its name in PAGES. What a lesson says
of numbers is held by the tests of that lesson.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lessons import (
    NOTEBOOKS,
    anchor,
    answer,
    builds,
    cells,
    code,
    executed,
    headings,
    names_that_come_from_elsewhere,
    parts,
    printed,
    stored,
    words,
)

import tensorkit.lessons as practised
from tensorkit.cli import publish
from tensorkit.lessons.progress import ORDER
from tensorkit.widgets.questions import bank
from tensorkit.widgets.questions import lessons as banks

# a lesson, and the name of its checks in tensorkit/lessons and its questions in tensorkit/questions
LESSONS: dict[str, str] = {
    "01_one_tape": "one_tape",
    "02_permute_view": "permute_view",
    "03_shapes_that_stretch": "stretch",
    "04_map_zip": "map_zip",
    "05_reduce": "reduce",
    "06_many_derivatives": "many_derivatives",
    "07_backwards": "backwards",
    "08_copies_and_sums": "copies",
    "09_graph_engine": "graph_engine",
    "10_moving_back": "moving_back",
    "11_errata": "errata",
    "12_without_races": "without_races",
}
PAGES: list[str] = ["00_start_here", "13_training", "bridge", "glossary"]
BOTH = [*LESSONS, *PAGES]

FRAME = ["Warm-up", "Predict", "Observe", "Explain", "Build", "Quiz", "Exit"]
SLIDES = {None, "slide", "subslide", "fragment", "skip", "notes"}


def slide(cell: Any) -> str | None:
    return cell.metadata.get("slideshow", {}).get("slide_type")


def text_of(name: str) -> str:
    return "\n".join(cell.source for cell in words(name))


def asked(name: str, what: str) -> list[str]:
    """Return the ids and groups in the calls of Predict or Quiz, in order."""
    source = "\n".join(cell.source for cell in code(name))
    calls = re.findall(rf"{what}\(\s*((?:\"[\w-]+\"[,\s]*)+)", source)
    return [one for call in calls for one in re.findall(r'"([\w-]+)"', call)]


# Form


@pytest.mark.parametrize("name", BOTH)
def test_the_file_is_in_its_one_form(name: str) -> None:
    book = stored(name)
    written = (NOTEBOOKS / f"{name}.ipynb").read_text("utf-8")
    assert written == nbformat.writes(book, version=4) + "\n"
    nbformat.validate(book)
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)
    for cell in book.cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]{1,63}", cell.id)
        assert set(cell.metadata) <= {"slideshow", "tags"}, cell.id
        assert slide(cell) in SLIDES, cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, cell.id
    assert set(book.metadata) == {"kernelspec", "language_info", "title"}
    assert book.metadata.kernelspec.name == "python3"
    assert headings(name)[0] == (1, book.metadata.title)


@pytest.mark.parametrize("name", BOTH)
def test_headings_go_down_one_level_at_a_time_and_start_a_cell(name: str) -> None:
    levels = [level for level, _ in headings(name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for cell in words(name):
        assert not re.search(r"(?s).\n#+ ", cell.source), f"{cell.id}: a heading starts a cell"


@pytest.mark.parametrize("name", BOTH)
def test_every_link_leads_somewhere(name: str) -> None:
    own = {anchor(heading) for _, heading in headings(name)}
    for where in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if re.match(r"https?:", where):
            continue
        file, _, place = where.partition("#")
        path = NOTEBOOKS / file
        if file == "glossary.ipynb" and not path.exists():
            continue  # the last page to be written
        assert path.exists() or not file, where
        if place:
            there = {anchor(h) for _, h in headings(path.stem)} if file else own
            assert place in there, where


@pytest.mark.parametrize("name", BOTH)
def test_pictures_have_words(name: str) -> None:
    assert not re.search(r"!\[\s*\]\(", text_of(name))
    for tag in re.findall(r"<img[^>]*>", text_of(name)):
        assert re.search(r'alt="[^"]+"', tag)


@pytest.mark.parametrize("name", BOTH)
def test_formulas_need_no_script(name: str) -> None:
    assert not [cell.id for cell in words(name) if "$" in cell.source]


@pytest.mark.parametrize("name", BOTH)
def test_every_part_can_be_run_right_after_the_first_cell(name: str) -> None:
    """Whoever has ten minutes, or comes back tomorrow, jumps."""
    setup = cells(name)["setup"]
    assert code(name)[0] is setup
    for heading, part in parts(name).items():
        source = "\n".join(cell.source for cell in [setup, *part] if "%" not in cell.source[:1])
        assert not names_that_come_from_elsewhere(source), heading


def test_the_reader_of_names_sees_what_is_missing() -> None:
    wanting = "y = x + len(z)\ndef f(a): return a + w"
    assert names_that_come_from_elsewhere(wanting) == {"x", "z", "w"}


# Frame


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_the_frame_of_all_lessons(name: str) -> None:
    assert [text for level, text in headings(name) if level == 2] == FRAME
    first = cells(name)["title"]
    assert stored(name).cells[0] is first and slide(first) == "slide"
    beginning = "\n".join(cell.source for cell in words(name)[:3]).split("## ")[0]
    assert re.search(r"About \d\d minutes\. \*\*You have ten\?\*\* .*\]\(#", beginning)
    assert re.search(r"[Yy]ou will be able to", beginning)
    assert slide(stored(name).cells[-1]) is not None


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_predicts_explains_and_ends_as_agreed(name: str) -> None:
    own, here = bank(LESSONS[name]), parts(name)
    graded = [p for p in own.predictions.values() if p.accept]
    assert graded and len(graded) < len(own.predictions)
    assert any("Predict(" in cell.source for cell in here["Predict"])
    told = " ".join(cell.source for cell in here["Explain"])
    assert any(f'"{p.id}"' in told for p in own.predictions.values() if not p.accept)
    exit_ = text_of(name).split("## Exit")[1]
    for said in ("picture to remember", "test to remember", "homework"):
        assert said in exit_, said


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_asks_each_of_its_questions_once(name: str) -> None:
    own = bank(LESSONS[name])
    assert sorted(asked(name, "Predict")) == sorted(own.predictions)
    quiz = asked(name, "Quiz")
    assert len(set(quiz)) == len(quiz)
    opened = [q.id for q in own.quiz.values() if q.id in quiz or q.group in quiz]
    assert sorted(opened) == sorted(own.quiz)
    assert len(opened) >= 5
    elsewhere = [
        one
        for one in quiz
        if one not in own.quiz and one not in {q.group for q in own.quiz.values()}
    ]
    [warm] = [c for c in parts(name)["Warm-up"] if "Quiz(" in c.source]
    assert len(re.findall(r'"[\w-]+"', warm.source)) == 2
    if not name.startswith(("01", "02")):
        assert len(elsewhere) >= 2, "the warm-up asks what came two lessons before"


def test_no_two_lessons_ask_under_one_id() -> None:
    ids = [key for name in banks() for key in (*bank(name).quiz, *bank(name).predictions)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", LESSONS)
def test_every_build_has_its_stub_stepper_check_answer_and_hints(name: str) -> None:
    there = cells(name)
    assert builds(name) == [key[:-6] for key in there if key.endswith("-build")]
    for build in builds(name):
        stub = there[f"{build}-build"].source
        assert re.search(r"raise NotImplementedError\(.+\)\n?\Z", stub), build
        assert f"{build}-step" in there
        checks = there[f"{build}-check"].source
        # what a report advises is a call with check.x
        practice = rf'check = tk\.practice\("{LESSONS[name]}\.\w+", globals\(\)\)\ncheck'
        assert re.fullmatch(practice, checks)
        answered = there[f"{build}-answer"]
        assert answered.metadata.tags == ["answer"]
        defined = set(re.findall(r"^def (\w+)", stub, re.MULTILINE))
        assert defined <= set(re.findall(r"^def (\w+)", answer(name, build), re.MULTILINE))
    hints = text_of(name).split("## Build")[1].split("## Quiz")[0].count("<summary>")
    assert hints >= 4 * len(builds(name)), "three hints and an answer"


@pytest.mark.parametrize("name", LESSONS)
def test_every_task_of_the_practice_is_used(name: str) -> None:
    module = __import__(f"{practised.__name__}.{LESSONS[name]}", fromlist=["TASKS"])
    used = re.findall(r'tk\.practice\("\w+\.(\w+)"', "\n".join(c.source for c in code(name)))
    assert sorted(used) == sorted(module.TASKS)


def test_the_first_page_and_the_progress_name_every_lesson() -> None:
    table = re.findall(
        r"^\| \d+ \| \[.*\]\((\w+)\.ipynb\).* \| (\d+) \|$", text_of(PAGES[0]), re.MULTILINE
    )
    assert [name for name, _ in table if name in LESSONS] == list(LESSONS)
    for name, minutes in table:
        assert f"About {minutes} minutes." in text_of(name)
    assert [lesson for lesson in ORDER if lesson in LESSONS.values()] == list(LESSONS.values())


# Run


@pytest.fixture(scope="module", params=BOTH)
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A notebook's name, its cells as they are stored, and its cells with our answers: each run."""
    return request.param, *executed(request.param, tmp_path_factory)


def test_it_runs_without_an_error_or_a_word_on_stderr(ran: Any) -> None:
    name, *runs = ran
    for run in runs:
        for cell in run.values():
            for output in cell.get("outputs", []):
                assert output.output_type != "error", f"{name}, {cell.id}"
                assert output.get("name") != "stderr", f"{name}, {cell.id}: {output.get('text')}"


def test_an_empty_stub_is_told_and_our_answer_passes(ran: Any) -> None:
    name, empty, filled = ran
    for build in builds(name) if name in LESSONS else []:
        before, after = (printed(run[f"{build}-check"]) for run in (empty, filled))
        assert "not yet" in before and "is not written yet" in before, f"{name}, {build}: {before}"
        assert "all checks pass" in after and "not yet" not in after, f"{name}, {build}: {after}"


def test_plain_text_stands_for_every_output(ran: Any) -> None:
    """What a screen reader, a terminal and a printed page have to go by."""
    name, empty, _ = ran
    for cell in empty.values():
        for output in cell.get("outputs", []):
            if output.output_type in {"display_data", "execute_result"}:
                plain = output.data.get("text/plain", "")
                assert plain and " object at 0x" not in plain, f"{name}, {cell.id}"


@pytest.fixture(scope="module")
def exported(ran: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A notebook's name, and the folder with its page and its slides."""
    name, empty, _ = ran
    folder = tmp_path_factory.mktemp(name)
    path = str(NOTEBOOKS / f"{name}.ipynb")

    def notebook(_: Path) -> Any:
        return nbformat.from_dict({**stored(name), "cells": list(empty.values())})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "run", notebook)
        publish.page(path, folder)
        publish.slides(path, folder, answers=False)
    return name, folder


FETCHED = (
    r"""(?:<(?:script|img|iframe|source|video)[^>]*\ssrc|<link[^>]*\shref)=["']?(?:https?:)?//"""
    r"""|@import\s+(?:url\()?["']?http"""
)


def test_page_and_slides_refer_to_no_network(exported: tuple[str, Path]) -> None:
    name, folder = exported
    for file in (f"{name}.html", f"{name}.slides.html"):
        assert not re.findall(FETCHED, (folder / file).read_text("utf-8"))


def test_the_page_steps_without_kernel_or_network(page: Any, exported: tuple[str, Path]) -> None:
    name, folder = exported
    page.goto((folder / f"{name}.html").as_uri())
    passing = page.get_by_role("button", name="No idea, show me")
    while passing.count():
        passing.first.click()
    for stepper in page.locator(".tk[aria-roledescription=stepper]").all():
        assert stepper.is_visible()
        captions = set()
        for key in ("Home", "End"):
            stepper.press(key)
            captions.add(stepper.locator(".tk-now").inner_text())
        assert all(captions)
        assert stepper.locator("svg[role=img], svg[role=group]").get_attribute("aria-label")
    unnamed = "all => all.filter(e => !e.alt || e.alt.startsWith('No description'))"
    assert page.locator("img").evaluate_all(unnamed) == []
    wide = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
    assert page.locator(".jp-OutputArea-output").evaluate_all(wide) == []


# Every slide that is higher than its frame, by the words that it begins with.
TOO_HIGH = """() => {
  const found = [];
  for (Reveal.slide(0, 0, -1);; Reveal.next()) {
    const slide = Reveal.getCurrentSlide();
    const more = slide.scrollHeight - slide.clientHeight;
    if (more > 1) found.push(`${slide.innerText.trim().slice(0, 60)}: ${more} too high`);
    if (Reveal.isLastSlide() && !Reveal.availableFragments().next) return [...new Set(found)];
  }
}"""


def test_no_slide_scrolls(new_page: Any, exported: tuple[str, Path]) -> None:
    name, folder = exported
    if name not in LESSONS:
        return
    page = new_page(viewport={"width": 1280, "height": 720})
    page.goto((folder / f"{name}.slides.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.evaluate(TOO_HIGH) == []
    shown = [cell.source for cell in code(name) if "picture" in cell.metadata.get("tags", [])]
    listings = page.locator(".jp-CodeMirrorEditor, .highlight").all_text_contents()
    assert not set(shown) & {text.strip() for text in listings}
