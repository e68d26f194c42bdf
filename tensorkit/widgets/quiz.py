"""A quiz whose wrong answers answer back: each choice says what it gets right and where it leads.

It is one piece of HTML with radio buttons: no kernel, no network, no marks. A question may be tried
again; only the first try is counted, with how sure one was, and kept in the page for its reader.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from tensorkit.widgets.form import form
from tensorkit.widgets.questions import Choice, Question, bank, lesson_of, lessons, listing, prose


class Quiz:
    """The quiz questions ``names``: ids of any lesson, groups of this one, or names of lessons.

    Without a name they are those that the lesson keeps for its own quiz. Raises ValueError for a
    name that is none of these.
    """

    def __init__(self, *names: str, lesson: str = "gradients") -> None:
        found = [one for name in names or (lesson,) for one in chosen(name, lesson)]
        self.questions: list[Question] = [q for _, q in found]
        self._stores = [f"{where}:quiz:{q.id}" for where, q in found]

    def html(self) -> str:
        """Return the quiz as HTML that can be put into any page."""
        questions = [
            {
                "stem": prose(q.stem),
                "code": listing(q.code),
                "store": store,
                "choices": [
                    {"html": prose(c.text), "correct": c.correct, "why": prose(c.why)}
                    for c in q.choices
                ],
            }
            for q, store in zip(self.questions, self._stores, strict=True)
        ]
        body = "".join(self._static(k, q) for k, q in enumerate(self.questions, 1))
        return form("Quiz", body, {"kind": "quiz", "questions": questions})

    def _static(self, number: int, question: Question) -> str:
        choices = "".join(
            f"<li>{prose(choice.text)}<details><summary>Choose this</summary>"
            f"<p><b>{verdict(choice)}</b> {prose(choice.why)}</p></details></li>"
            for choice in question.choices
        )
        stem = f'<p class="tkq-stem"><b>{number}.</b> {prose(question.stem)}</p>'
        return f'{stem}{listing(question.code)}<ol type="a">{choices}</ol>'

    def __str__(self) -> str:
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines += [f"{number}. {question.stem}", *question.code.splitlines()]
            lines += [
                f"   {a}) {c.text}" for a, c in zip(ascii_lowercase, question.choices, strict=False)
            ]
        lines += ["", "Answers"]
        for number, question in enumerate(self.questions, 1):
            for letter, choice in zip(ascii_lowercase, question.choices, strict=False):
                lines.append(f"{number}{letter}) {verdict(choice)} {choice.why}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": str(self)}

    def __repr__(self) -> str:
        return f"Quiz({', '.join(q.id for q in self.questions)})"


def chosen(name: str, lesson: str) -> list[tuple[str, Question]]:
    """Return the questions that a name stands for, each with the lesson that it comes from."""
    table = bank(lesson).quiz
    group = [(lesson, q) for q in table.values() if q.group == name]
    if name in table or group:
        return [(lesson, table[name])] if name in table else group
    if name in lessons():
        return [(name, q) for q in bank(name).quiz.values() if q.group == name]
    owner = lesson_of(name, "quiz")
    return [(owner, bank(owner).quiz[name])]


def verdict(choice: Choice) -> str:
    """Return what is said first to whoever picks this choice."""
    return "Right." if choice.correct else "Not this one."
