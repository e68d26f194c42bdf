"""A question is data: one plain file a lesson, in ``tensorkit/questions``, checked when it is read.

A quiz question says for every choice why it is right, or what made it tempting. A prediction has an
answer, the ways to type it, and a sentence for each slip that is worth one. What a learner typed
never leaves the page.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One answer to pick; ``why`` is told to whoever picks it."""

    text: str
    correct: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A quiz question; ``misconception`` names what its distractors listen for."""

    id: str
    stem: str
    choices: tuple[Choice, ...]
    misconception: str
    lesson: str
    code: str = ""


@dataclass(frozen=True)
class Prediction:
    """A question to answer before seeing; without ``accept`` it is a sentence that nobody grades.

    ``options`` are offered to pick from instead of a box to type into, and ``slips`` holds pairs of
    a wrong answer and what it tells about the thought behind it.
    """

    id: str
    stem: str
    answer: str
    why: str
    accept: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    slips: tuple[tuple[str, str], ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Bank:
    """All questions of one lesson, in the order of the file."""

    name: str
    quiz: dict[str, Question]
    predictions: dict[str, Prediction]


@cache
def bank(name: str) -> Bank:
    """Return the questions of the lesson ``name``.

    Raises ValueError for a lesson without questions, and for a file whose questions break a rule.
    """
    place = files("tensorkit") / "questions" / f"{name}.json"
    if not place.is_file():
        raise ValueError(f"there is no lesson {name!r} with questions in tensorkit/questions")
    return read(name, json.loads(place.read_text("utf-8")))


def read(name: str, data: dict[str, Any]) -> Bank:
    """Turn a file's contents into a Bank. Raises ValueError naming the question and the rule."""
    quiz, predictions = {}, {}
    for item in data["quiz"]:
        question = Question(**{**item, "choices": tuple(Choice(**c) for c in item["choices"])})
        _need(sum(c.correct for c in question.choices) == 1, question.id, "one choice is correct")
        _need(len(question.choices) >= 2, question.id, "there are two choices or more")
        _need(all(c.why for c in question.choices), question.id, "each choice has a why")
        _need(question.id not in quiz, question.id, "no id comes twice")
        quiz[question.id] = question
    for item in data["predict"]:
        lists = {key: tuple(item[key]) for key in ("accept", "options") if key in item}
        slips = tuple((slip["said"], slip["why"]) for slip in item.get("slips", ()))
        asked = Prediction(**{**item, **lists, "slips": slips})
        _need(asked.id not in predictions, asked.id, "no id comes twice")
        said = {normal(way) for way in asked.accept}
        _need(all(normal(slip) not in said for slip, _ in slips), asked.id, "no slip is the answer")
        _need(
            not asked.options or any(normal(option) in said for option in asked.options),
            asked.id,
            "one of the options is accepted",
        )
        predictions[asked.id] = asked
    return Bank(name, quiz, predictions)


def find(table: dict[str, Any], key: str) -> Any:
    """Return an entry. Raises ValueError that lists the ids there are."""
    if key not in table:
        raise ValueError(f"there is no question {key!r}; there are {', '.join(table)}")
    return table[key]


def normal(answer: str) -> str:
    """Return an answer without brackets, commas, case and spelling of numbers: "(3, 1.0)" is "3 1".

    questions.js does the same in the page.
    """
    words = re.findall(r"-?\d+\.?\d*|-?\.\d+|[a-z]+", answer.lower().replace("−", "-"))
    plain = " ".join(f"{float(w):g}" if re.search(r"\d", w) else w for w in words)
    return plain or answer.strip()


def prose(text: str) -> str:
    """Return plain text as HTML: ``code`` between backquotes, nothing else has a meaning."""
    pieces = text.split("`")
    return "".join(
        f"<code>{html.escape(piece)}</code>" if k % 2 else html.escape(piece)
        for k, piece in enumerate(pieces)
    )


def listing(code: str) -> str:
    """Return code as HTML, or nothing for no code."""
    return f"<pre>{html.escape(code)}</pre>" if code else ""


def _need(holds: bool, key: str, rule: str) -> None:
    if not holds:
        raise ValueError(f"question {key!r} breaks a rule: {rule}")
