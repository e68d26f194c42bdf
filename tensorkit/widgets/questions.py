"""A question is data: one plain file a lesson, in ``tensorkit/questions``, checked when it is read.

A quiz question says for every choice why it is right, or what made it tempting. A prediction has an
answer, the ways to type it, and a sentence for each slip that is worth one. What a learner typed
never leaves the page. A file is TOML, and its tables are the questions::

    [quiz.keep-dim]
    group = "exit"                  # left out, it belongs to the lesson's own quiz
    stem = "x has the shape (2, 3). What is the shape of `x.sum(1)`?"
    choices = [
      { wrong = "(1, 3)", why = "That is `x.sum(0)`: you counted dims from 1." },
      { right = "(2, 1)", why = "Dim 1 keeps its place, with length 1." },
    ]
    misconception = "the wrong dim goes away"

    [predict.map-back]
    stem = "`out = x.exp()`, out is 2 and grad_out 10. What does x get?"
    answer = "20"
    accept = ["20"]                 # left out, it is a sentence that nobody grades
    why = "Upstream times slope, and the slope of exp is out."
    slips = [{ said = "10", why = "That is grad_out alone." }]
    idea = "upstream times slope"

``code`` stands below a stem, and ``options`` are offered to pick from.
"""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal


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
    group: str
    code: str = ""


@dataclass(frozen=True)
class Prediction:
    """A question to answer before seeing; without ``accept`` it is a sentence that nobody grades.

    ``options`` are offered to pick from instead of a box to type into, and ``slips`` holds pairs of
    a wrong answer and what it tells about the thought behind it. ``idea`` names what it asks for.
    """

    id: str
    stem: str
    answer: str
    why: str
    accept: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    slips: tuple[tuple[str, str], ...] = ()
    code: str = ""
    idea: str = ""


@dataclass(frozen=True)
class Bank:
    """All questions of one lesson, in the order of the file."""

    name: str
    quiz: dict[str, Question]
    predictions: dict[str, Prediction]


def lessons() -> list[str]:
    """Return the names of all lessons that have questions."""
    found = (files("tensorkit") / "questions").iterdir()
    return sorted(one.name.removesuffix(".toml") for one in found if one.name.endswith(".toml"))


@cache
def bank(name: str) -> Bank:
    """Return the questions of the lesson ``name``.

    Raises ValueError for a lesson without questions, and for a file whose questions break a rule.
    """
    if name not in lessons():
        raise ValueError(f"there is no lesson {name!r} with questions in tensorkit/questions")
    return read(name, _text(name))


@cache
def _text(name: str) -> str:
    return (files("tensorkit") / "questions" / f"{name}.toml").read_text("utf-8")


def read(name: str, text: str) -> Bank:
    """Turn a file's text into a Bank. Raises ValueError naming the question and the rule."""
    data = tomllib.loads(text)
    if strange := set(data) - {"quiz", "predict"}:
        raise ValueError(f"{name}: a question is in [quiz.id] or [predict.id], not in {strange}")
    quiz = {key: question(key, item, name) for key, item in data.get("quiz", {}).items()}
    predictions = {key: prediction(key, item) for key, item in data.get("predict", {}).items()}
    for key in set(quiz) & set(predictions):
        _need(False, key, "it is in the quiz or among the predictions")
    return Bank(name, quiz, predictions)


def question(key: str, item: dict[str, Any], lesson: str) -> Question:
    """Return a quiz question, checked."""
    _known(key, item, "group", "stem", "code", "choices", "misconception")
    for name in ("stem", "misconception"):
        _need(bool(item.get(name)), key, f"it has a {name}")
    choices = tuple(choice(key, one) for one in item.get("choices", ()))
    _need(len(choices) >= 2, key, "there are two choices or more")
    _need(sum(c.correct for c in choices) == 1, key, "one choice is right")
    _need(all(c.why for c in choices), key, "each choice has a why")
    _need(len({c.why for c in choices}) == len(choices), key, "each choice has a why of its own")
    _need(len({c.text for c in choices}) == len(choices), key, "no choice comes twice")
    group, code = item.get("group", lesson), item.get("code", "")
    return Question(key, item["stem"], choices, item["misconception"], group, code)


def choice(key: str, item: dict[str, Any]) -> Choice:
    """Return one choice: ``right`` or ``wrong`` is its text."""
    _known(key, item, "right", "wrong", "why")
    _need(("right" in item) != ("wrong" in item), key, "each choice is either right or wrong")
    return Choice(item.get("right") or item.get("wrong", ""), "right" in item, item.get("why", ""))


def prediction(key: str, item: dict[str, Any]) -> Prediction:
    """Return a prediction, checked."""
    lists = ("accept", "options", "slips")
    _known(key, item, "stem", "code", "answer", "why", "idea", *lists)
    for name in ("stem", "answer", "why"):
        _need(bool(item.get(name)), key, f"it has a {name}")
    slips = tuple((slip["said"], slip["why"]) for slip in item.get("slips", ()))
    several = {name: tuple(item.get(name, ())) for name in lists} | {"slips": slips}
    asked = Prediction(id=key, **{**item, **several})
    said = {normal(way) for way in asked.accept}
    _need(not said or bool(asked.idea), key, "what is graded names its idea")
    _need(all(normal(slip) not in said for slip, _ in slips), key, "no slip is the answer")
    offered = not asked.options or any(normal(option) in said for option in asked.options)
    _need(offered, key, "one of the options is accepted")
    return asked


def lesson_of(key: str, kind: Literal["quiz", "predictions"]) -> str:
    """Return the lesson that asks ``key``: an id is used once over all lessons.

    Raises ValueError if no lesson asks it.
    """
    for name in lessons():
        # one broken file must not stop the lessons that ask nothing of it
        if f".{key}]" in _text(name) and key in getattr(bank(name), kind):
            return name
    there = [one for name in lessons() for one in getattr(bank(name), kind)]
    near = ", ".join(get_close_matches(key, there) or there)
    raise ValueError(f"there is no question {key!r} in any lesson; there are {near}")


def find(table: dict[str, Any], key: str) -> Any:
    """Return an entry. Raises ValueError that lists the ids there are."""
    if key not in table:
        raise ValueError(f"there is no question {key!r}; there are {', '.join(table)}")
    return table[key]


def normal(answer: str) -> str:
    """Return an answer without brackets, commas, case and spelling of numbers.

    "(3, 1.0)" is "3 1", and so is "3x1". questions.js does the same in the page.
    """
    bare = re.sub(r"(?<=\d)\s*x\s*(?=\d)", " ", answer.lower().replace("−", "-"))
    words = re.findall(r"-?\d+\.?\d*|-?\.\d+|[a-z]+", bare)
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


def _known(key: str, item: dict[str, Any], *names: str) -> None:
    strange = sorted(set(item) - set(names))
    _need(not strange, key, f"it holds {', '.join(names)}, and not {', '.join(strange)}")


def _need(holds: bool, key: str, rule: str) -> None:
    if not holds:
        raise ValueError(f"question {key!r} breaks a rule: {rule}")
