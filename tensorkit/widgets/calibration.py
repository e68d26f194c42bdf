"""How sure, and how often right: the calibration curve of whoever answered in this browser.

A learner who is certain and wrong has a misconception, one who guesses and is right has luck. Both
are seen only side by side, so every answer is kept with how sure it was, in the page's own storage
or in a file that the reader saves, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorkit.widgets.form import form
from tensorkit.widgets.questions import bank, lessons, prose

# what each level claims: a guess among four is right one time in four, certain is always
CLAIMS = {1: 25, 2: 44, 3: 62, 4: 81, 5: 100}
SURE = 4  # from this level on one was sure


@dataclass(frozen=True)
class Asked:
    """A question as the curve needs it: where its answer is kept, and the idea that it probes."""

    key: str
    stem: str
    answer: str
    idea: str


@dataclass(frozen=True)
class Said:
    """One answer that was committed to; ``sure`` is a level from 1 to 5."""

    text: str
    sure: int
    right: bool


class Calibration:
    """The calibration curve over all questions of the kit, in the page or from a saved file.

    Raises ValueError for a file that holds something else than saved answers.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.asked = questions()
        self.said = None if path is None else loaded(path)

    def html(self) -> str:
        """Return HTML that draws itself from the answers kept in the page, or those of the file."""
        data = {
            "kind": "calibration",
            "claims": list(CLAIMS.values()),
            "questions": [
                {"key": q.key, "stem": prose(q.stem), "answer": prose(q.answer), "idea": q.idea}
                for q in self.asked
            ],
            "given": None
            if self.said is None
            else {key: vars(said) for key, said in self.said.items()},
        }
        lines = "".join(f"<p>{prose(line)}</p>" for line in str(self).splitlines())
        return form("Calibration", lines, data, "calibration.js")

    def __str__(self) -> str:
        if self.said is None:
            return (
                "How sure, and how often right? This part fills itself from the answers that the "
                "page keeps; it needs its script."
            )
        counted = levels(self.said)
        lines = [f"{sum(n for n, _ in counted.values())} answers."]
        lines += [
            f"{level} of 5 sure ({CLAIMS[level]} %): {right} of {n} right"
            for level, (n, right) in counted.items()
        ]
        lines += [f"Sure, and otherwise: {idea}" for idea in sure_and_wrong(self.asked, self.said)]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": str(self)}


def questions() -> list[Asked]:
    """Return all questions that are graded, lesson by lesson."""
    found = []
    for lesson in lessons():
        here = bank(lesson)
        for p in here.predictions.values():
            if p.accept:
                found.append(Asked(f"{lesson}:{p.id}", p.stem, p.answer, p.idea))
        for q in here.quiz.values():
            (right,) = (c.text for c in q.choices if c.correct)
            idea = f"not so: {q.misconception}"
            found.append(Asked(f"{lesson}:quiz:{q.id}", q.stem, right, idea))
    return found


def loaded(path: str | Path) -> dict[str, Said]:
    """Return the answers of a file that the page saved. Raises ValueError if it is none."""
    try:
        data = json.loads(Path(path).read_text("utf-8"))
        answers = data["tensorkit"]
        found = {
            key: Said(str(one["text"]), one["sure"], one["right"]) for key, one in answers.items()
        }
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError):
        raise ValueError(f"{path} holds no saved answers: save them from the curve first") from None
    if any(one.sure not in CLAIMS or not isinstance(one.right, bool) for one in found.values()):
        raise ValueError(f"{path}: an answer is 1 to 5 sure, and right or not")
    return found


def levels(said: Mapping[str, Said]) -> dict[int, tuple[int, int]]:
    """Return, for each level that was used: how many answers, and how many of them right."""
    return {
        level: (len(here), sum(here))
        for level in CLAIMS
        if (here := [one.right for one in said.values() if one.sure == level])
    }


def sure_and_wrong(asked: list[Asked], said: Mapping[str, Said]) -> list[str]:
    """Return the ideas where one was sure and not right, those missed most often first."""
    missed: dict[str, int] = {}
    for q in asked:
        one = said.get(q.key)
        if one is not None and not one.right and one.sure >= SURE:
            missed[q.idea] = missed.get(q.idea, 0) + 1
    return sorted(missed, key=lambda idea: -missed[idea])
