"""The Gradients lesson: every line of the lecture, a clean run, and steps without a network."""

from __future__ import annotations

import builtins
import html
import re
import symtable
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tensorkit.cli import publish
from tensorkit.widgets.questions import bank

PATH = Path(__file__).resolve().parents[1] / "notebooks" / "14_lecture.ipynb"

# The lecture's headings and lines in its own order; its figures are the steppers between them.
LECTURE = """\
# Module 2.3 - Gradients
## Module 2.3 - Gradients
Gradients
## Tensor Functions
Unary
new_tensor = tensor.log()
Binary (for now, only same shape)
new_tensor = tensor1 + tensor2
Reductions
new_tensor = tensor.sum()
## Tensor Ops
+ 1) Map - Apply to all elements
+ 2) Zip (same as zipWith) - Apply to all pairs
+ 3) Reduce - Reduce a subset
## Map
tk.figures.map()
## Zip
tk.figures.zip()
## Reduce
tk.figures.reduce()
## Errata
+ * Tasks
+ * Bad Assert
## Reduction
tk.figures.stencil(x, dim=0)
## Reduction
tk.figures.stencil(x, dim=1)
## Reduction
tk.figures.implement(x, dim=1)
## Reduction
tk.figures.stencil(cube, dim=2)
# Lecture
## Outline
+ * Gradients
+ * Challenges
# Review: Gradients
## Terminology
+ * Scalar → Tensor
+ * Derivative → Gradient
+ * d_out → grad_out
+ * Recommendation: Reason through gradients as many derivatives
## Map Gradient
tk.figures.map_back()
## Zip Gradient
tk.figures.zip_back()
## Reduce Gradient
tk.figures.reduce_back()
## Lecture Quiz
Quiz()
# Gradients
## Derivatives
+ * Each tensor arg is many args
+ * Returning tensor is like running several Functions
+ * Result backward needs to run chain-rule for each arg and output.
## Terminology
+ * Scalar → Tensor
+ * Derivative → Gradient
+ * d_out → grad_out
+ * Recommendation: Reason through gradients as many derivatives
## Map Gradient
## Zip Gradient
## Reduce Gradient
# Challenges
""".splitlines()

STUBS = ("reduction-build", "map-again", "zip-again", "reduce-again")


@cache
def stored() -> Any:
    return nbformat.read(PATH, as_version=4)


def cells() -> dict[str, Any]:
    return {cell.id: cell for cell in stored().cells}


def slide(cell: Any) -> str | None:
    return cell.metadata.get("slideshow", {}).get("slide_type")


def plain(source: str) -> str:
    """Return a source without its marks of emphasis and code; list items begin with a star."""
    return re.sub(r"`|\*\*|</?code>", "", source).replace("<li>", "* ")


def test_the_file_is_in_its_one_form() -> None:
    text = PATH.read_text("utf-8")
    assert text == nbformat.writes(stored(), version=4) + "\n"
    nbformat.validate(stored())
    ids = [cell.id for cell in stored().cells]
    assert len(set(ids)) == len(ids)
    for cell in stored().cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]{1,63}", cell.id)
        assert set(cell.metadata) <= {"slideshow", "tags"}
        assert slide(cell) in {None, "slide", "subslide", "fragment", "skip", "notes"}
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    assert stored().metadata.kernelspec.name == "python3"


def test_every_line_of_the_lecture_is_there_in_its_order() -> None:
    places = iter(stored().cells)
    cell = next(places)
    at = 0
    for line in LECTURE:
        wanted = line.removeprefix("+ ")
        while (found := find_line(plain(cell.source), wanted, at)) is None:
            cell = next(places, None)
            assert cell is not None, f"not there, or not in its place: {line!r}"
            at = 0
        at = found
        if line.startswith("# "):
            assert slide(cell) == "slide"
        elif line.startswith("## "):
            assert slide(cell) == "subslide"
        elif line.startswith("+ "):
            assert slide(cell) == "fragment", f"{line!r} does not appear by itself"


def find_line(source: str, wanted: str, at: int) -> int | None:
    """Return where ``wanted`` ends after ``at``, if a heading, a line or a call begins with it."""
    end = r"$" if wanted.startswith("#") else ""
    found = re.compile(rf"{re.escape(wanted)}{end}", re.MULTILINE).search(source, at)
    return found.end() if found else None


def test_headings_go_down_one_level_at_a_time() -> None:
    marks = [
        len(mark)
        for cell in stored().cells
        if cell.cell_type == "markdown"
        for mark in re.findall(r"^(#+) ", cell.source, re.MULTILINE)
    ]
    assert marks[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(marks))


def names_that_come_from_elsewhere(source: str) -> set[str]:
    tables, missing = [symtable.symtable(source, "cells", "exec")], set()
    given = {s.get_name() for s in tables[0].get_symbols() if s.is_assigned() or s.is_imported()}
    while tables:
        table = tables.pop()
        tables += table.get_children()
        missing |= {
            s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()
        }
    return missing - given - set(dir(builtins))


def test_every_part_can_be_run_right_after_the_first_cell() -> None:
    """The ten-minute path jumps, and the challenges may be taken in any order."""
    parts: dict[str, list[str]] = {}
    for cell in stored().cells:
        if cell.cell_type == "markdown" and re.match(r"##? ", cell.source):
            part = parts[cell.id] = [cells()["setup"].source]
        elif cell.cell_type == "code":
            part.append(cell.source)
    assert len(parts) > 30
    for heading, sources in parts.items():
        assert not names_that_come_from_elsewhere("\n".join(sources)), heading
    wanting = "y = x + len(z)\ndef f(a): return a + w"
    assert names_that_come_from_elsewhere(wanting) == {"x", "z", "w"}


def test_every_question_is_asked_once() -> None:
    source = "\n".join(cell.source for cell in stored().cells if cell.cell_type == "code")
    predictions = re.findall(r'Predict\(\s*"([a-z0-9-]+)"', source)
    assert sorted(predictions) == sorted(bank("gradients").predictions)
    named = re.findall(r'"([a-z0-9-]+)"', " ".join(re.findall(r"Quiz\(([^)]*)\)", source)))
    own = [q.id for q in bank("gradients").quiz.values() if q.group == "gradients"]
    assert sorted(named + own) == sorted(bank("gradients").quiz)
    graded = [p for p in predictions if bank("gradients").predictions[p].accept]
    in_bank = [p.id for p in bank("gradients").predictions.values() if p.accept]
    assert graded == in_bank, "the look back at the end lists them in the lesson's order"


def test_reductions_are_told_by_dims() -> None:
    for cell in stored().cells:
        if cell.id not in {"derivatives-args", "derivatives-outputs", "derivatives-chain"}:
            assert not re.search(r"\b(rows?|columns?)\b", cell.source, re.IGNORECASE), cell.id


def test_formulas_need_no_script() -> None:
    assert not [c.id for c in stored().cells if c.cell_type == "markdown" and "$" in c.source]


def run(notebook: Any) -> dict[str, Any]:
    """Execute a copy and return its cells by id."""
    copy = nbformat.from_dict(notebook)
    client = NotebookClient(
        copy,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(PATH.parent)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    return {cell.id: cell for cell in copy.cells}


def printed(cell: Any) -> str:
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """The lesson as it is stored, its stubs empty, run once."""
    return run(stored())


def test_it_runs_as_it_is_without_a_word_on_stderr(ran: dict[str, Any]) -> None:
    for cell in ran.values():
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", f"{cell.id}: {output.get('text')}"


@pytest.mark.parametrize("stub", STUBS)
def test_an_empty_stub_is_told_and_breaks_nothing(ran: dict[str, Any], stub: str) -> None:
    assert re.search(
        r"Yours to write: line \d+ raises NotImplementedError", printed(ran[f"{stub}-step"])
    )


def filled() -> Any:
    """Return the lesson with its own answers written into the stubs."""
    copy = nbformat.from_dict(stored())
    table = {cell.id: cell for cell in copy.cells}
    for stub in STUBS:
        [answer] = re.findall(
            r"<pre><code>(.*?)</code></pre>", table[f"{stub}-answer"].source, re.DOTALL
        )
        loop = table[f"{stub}-loop"]
        [raising] = re.findall(r"raise NotImplementedError\(.*\)", loop.source)
        answer = html.unescape(answer)
        loop.source = answer if "def " in answer else loop.source.replace(raising, answer)
    table["errata-build"].source = table["errata-build"].source.replace("[4, 0, 3]", "[4, 3, 0]")
    return copy


@pytest.fixture(scope="module")
def solved() -> dict[str, Any]:
    return run(filled())


@pytest.mark.parametrize("stub", STUBS)
def test_the_answers_of_the_lesson_are_found_right(solved: dict[str, Any], stub: str) -> None:
    said = printed(solved[f"{stub}-step"])
    assert "Every cell of out is right" in said and "✗" not in said


def test_what_the_prose_says_of_numbers_is_so(ran: dict[str, Any], solved: dict[str, Any]) -> None:
    assert "-inf" in printed(ran["unary"])
    assert printed(ran["reductions-code"]) == "(tensor(20.), ())"
    assert printed(ran["reduce-fold"]) == "7123"
    assert printed(ran["review-code"]) == "[5.0, 2.0, 3.0, 6.0]"
    assert "SyntaxWarning" in printed(ran["errata-run"])
    assert printed(ran["errata-build"]) == "sum passes.\nbroken passes.\n"
    assert "sum passes.\nbroken is refused" in printed(solved["errata-build"])
    ones, distinct = printed(ran["ones-switch-code"]).split("grad_out [[")[1:]
    assert (ones.count("WRONG"), distinct.count("WRONG")) == (0, 2)
    assert printed(ran["challenge-2-code"]) == "((3, 2, 2), (2, 3, 2), (2, 2, 3))"
    assert printed(ran["challenge-3-code"]) == "log inf\nsqrt inf\nrelu 0.0\n"
    assert printed(ran["challenge-5-code"]).startswith("True True\n")


@pytest.fixture(scope="module")
def exported(ran: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lesson as a page and as slides, made from one run of it."""
    folder = tmp_path_factory.mktemp("exported")
    lesson = nbformat.from_dict({**stored(), "cells": list(ran.values())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "run", lambda path: nbformat.from_dict(lesson))
        publish.page(str(PATH), folder)
        publish.slides(str(PATH), folder, answers=False)
        publish.slides(str(PATH), folder / "answers", answers=True)
    yield folder


def test_every_stepper_of_the_page_steps_without_kernel_or_network(
    page: Any, exported: Path
) -> None:
    page.goto((exported / "14_lecture.html").as_uri())
    passing = page.get_by_role("button", name="No idea, show me")
    while passing.count():
        passing.first.click()
    steppers = page.locator(".tk[aria-roledescription=stepper]")
    assert steppers.count() >= 20
    for stepper in steppers.all():
        assert stepper.is_visible()
        captions = set()
        for key in ("Home", "ArrowRight", "End"):
            stepper.press(key)
            captions.add(stepper.locator(".tk-now").inner_text())
        assert len(captions) >= 2, captions
        assert stepper.locator("svg[role=img]").get_attribute("aria-label")


def test_the_page_asks_and_answers_without_kernel_or_network(page: Any, exported: Path) -> None:
    page.goto((exported / "14_lecture.html").as_uri())
    first = page.locator(".tkq-form", has_text="Commit").first
    first.get_by_label("−∞").check()
    first.get_by_label("3").check()
    first.get_by_role("button", name="Commit").click()
    assert page.get_by_text("were 3 of 5 sure. That is it.").is_visible()
    asked = page.get_by_role("group", name="What does the backward of sigmoid return")
    question = bank("gradients").quiz["sigmoid-back"]
    form = page.locator("form", has=asked)
    form.get_by_label("4").last.check()
    for k, choice in enumerate(question.choices):
        asked.get_by_role("radio").nth(k).check()
        form.get_by_role("button", name="Check").click()
        assert choice.why.replace("`", "") in form.get_by_role("status").inner_text()
    assert "had 1 right" in page.locator(".tkq").last.inner_text()


# What can be read at each press of the key, from the first slide to the last.
WALK = """() => {
  const seen = [];
  for (Reveal.slide(0, 0, -1);; Reveal.next()) {
    const slide = Reveal.getCurrentSlide().cloneNode(true);
    slide.querySelectorAll('.fragment:not(.visible), script, style').forEach(e => e.remove());
    seen.push(slide.textContent);
    if (Reveal.isLastSlide() && !Reveal.availableFragments().next) return seen;
  }
}"""


def test_the_slides_reveal_in_the_order_of_the_lecture(page: Any, exported: Path) -> None:
    page.goto((exported / "14_lecture.slides.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    states = page.evaluate(WALK)
    at = 0
    for line in LECTURE:
        wanted = re.sub(r"^(\+ )?(#+|\*|\d\)) ", "", line)
        before = at
        while wanted not in states[at]:
            at += 1
            assert at < len(states), f"not revealed, or not in its place: {line!r}"
        if line.startswith("+ "):
            assert at > before, f"{line!r} is there before it is its turn"


def test_slides_keep_answers_only_when_asked(exported: Path) -> None:
    without = (exported / "14_lecture.slides.html").read_text("utf-8")
    with_answers = (exported / "answers" / "14_lecture.slides.html").read_text("utf-8")
    for words in ("Where they break", "Gradient of x[i, j] ←"):
        assert words not in without and words in with_answers
