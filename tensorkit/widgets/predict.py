"""A prediction: commit to an answer and to how sure you are, then see.

What one has said before seeing is what one remembers. The answer, and a picture if there is one,
stay shut until then; the page keeps what was said, and nothing is sent anywhere.
"""

from __future__ import annotations

from typing import Any, Protocol

from tensorkit.widgets.form import form
from tensorkit.widgets.questions import Prediction, bank, find, lesson_of, listing, prose


class Shown(Protocol):
    """Anything with HTML of its own, such as a Stepper."""

    def html(self) -> str:
        """Return HTML that stands alone."""
        ...


class Predict:
    """The prediction ``id`` of a lesson; ``show`` is seen only after committing to an answer.

    It works without a kernel and without a network. Where no script runs, the answer opens at a
    click. Raises ValueError for an id that no lesson has, or not the ``lesson`` that was named.
    """

    def __init__(self, id: str, show: Shown | None = None, lesson: str | None = None) -> None:
        self.lesson = lesson or lesson_of(id, "predictions")
        self.prediction: Prediction = find(bank(self.lesson).predictions, id)
        self.show = show

    def html(self) -> str:
        """Return the question and its shut answer as HTML that can be put into any page."""
        asked = self.prediction
        label = "Predict" if asked.accept else "In your own words"
        shown = self.show.html() if self.show else ""
        body = (
            f'<p class="tkq-stem"><b>{label}.</b> {prose(asked.stem)}</p>{listing(asked.code)}'
            f"<details><summary>Answer first, then open this</summary>"
            f'<div class="tkq-answer"><p><b>{prose(asked.answer)}</b></p>'
            f"<p>{prose(asked.why)}</p></div>{shown}</details>"
        )
        return form(
            f"Prediction {asked.id}",
            body,
            {
                "kind": "predict",
                "store": f"{self.lesson}:{asked.id}",
                "graded": bool(asked.accept),
                "accept": asked.accept,
                "options": [{"html": prose(o), "text": o.replace("`", "")} for o in asked.options],
                "slips": [[said, prose(why)] for said, why in asked.slips],
            },
        )

    def __str__(self) -> str:
        asked = self.prediction
        lines = [asked.stem, asked.code, f"Answer: {asked.answer}", asked.why]
        return "\n".join(line for line in lines if line)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": str(self)}


class Review:
    """What the reader of this page predicted, and first of all what was sure but not right."""

    def __init__(self, lesson: str = "gradients") -> None:
        self.lesson = lesson
        self.asked = [p for p in bank(lesson).predictions.values() if p.accept]

    def html(self) -> str:
        """Return HTML that fills itself from the answers kept in the page."""
        questions = [[f"{self.lesson}:{p.id}", prose(p.stem), prose(p.answer)] for p in self.asked]
        body = f"<p>{self}</p>"
        return form("Your predictions", body, {"kind": "review", "questions": questions})

    def __str__(self) -> str:
        return "Look back at your predictions: where were you sure, and not right?"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": str(self)}
