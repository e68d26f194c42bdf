"""The glossary: every term in a sentence, every arrow in it true, every lesson's link at home."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lessons import NOTEBOOKS, anchor, cells, headings, stored, words

import tensorkit as tk

NAME = "glossary"
TERMS = {
    heading: cell.source
    for cell in words(NAME)
    for heading in re.findall(r"\A### (.*)$", cell.source, re.MULTILINE)
}
ARROW = re.compile(r"`([^`\n]+)` → `([^`\n]+)`")


def said(value: Any) -> str:
    """Write a value as the glossary does."""
    return repr(value.tolist() if isinstance(value, tk.Tensor) else value)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(cells(NAME)["setup"].source, found)
    return found


@pytest.mark.parametrize("term", TERMS)
def test_a_term_has_a_sentence_an_example_and_a_lesson(term: str, names: dict[str, Any]) -> None:
    _, sentence, *example, more = TERMS[term].split("\n\n")
    assert term == term.lower()
    assert sentence.endswith(".") and sentence[0].isupper()
    arrows = ARROW.findall(TERMS[term])
    assert bool(arrows) != ("```text" in "\n\n".join(example)), "code or a picture"
    for code, result in arrows:
        assert said(eval(code, names)) == result, code
    assert re.fullmatch(r"More: \[.+\]\(\d\d_\w+\.ipynb\)", more)


def test_all_terms_are_listed_and_stand_once() -> None:
    every = [text for level, text in headings(NAME) if level == 3]
    assert len(set(every)) == len(every) == len(TERMS)
    listed = re.findall(r"\[(.+?)\]\(#(.+?)\)", cells(NAME)["terms"].source)
    assert listed == [(term, anchor(term)) for term in sorted(every)]
    for term in every:
        assert cells(NAME)["term-" + re.sub("[ _]", "-", term)].source == TERMS[term]


LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("[01][0-9]_*.ipynb"))


@pytest.mark.parametrize("lesson", [*LESSONS, "bridge"])
def test_a_lesson_leads_here_with_terms_that_there_are(lesson: str) -> None:
    source = "\n".join(cell.source for cell in stored(lesson).cells)
    asked = set(re.findall(r"glossary\.ipynb#([\w-]+)", source))
    assert asked <= {anchor(term) for term in TERMS}
    if re.match(r"0[1-9]|1[0-3]", lesson):
        assert asked, "the first use of a term leads to the glossary"


def test_what_three_pictures_say_is_true() -> None:
    """The pictures that hold numbers of an operation."""
    x = tk.tensor([2.0, 5.0], requires_grad=True)
    (x[0] * 1 + x[0] * x[1] * 10).backward()
    assert "[51 20]" in TERMS["jacobian"] and x.grad.tolist() == [51.0, 20.0]
    leaf = tk.tensor(3.0, requires_grad=True)
    seen = []
    for _ in range(2):
        (leaf * leaf).backward()
        seen.append(leaf.grad.item())
    assert "→ 6  → backward → 12" in TERMS["accumulate"] and seen == [6, 12]
    running = [3.0, 4.0, 6.0]
    cells_of_x = [3.0, 1.0, 2.0]
    assert [sum(cells_of_x[:k]) for k in (1, 2, 3)] == running
    assert "0 + 3 → 3,  3 + 1 → 4,  4 + 2 → 6" in TERMS["fold"]
