"""Practice: what a lesson's build cell is tried on. All checks are open, and nothing is graded.

Beside this file, each lesson has one of its own with its ``TASKS``. ``tk.practice`` in the cell
below a stub says what holds and what does not yet, in the manner of the homework.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..grading.messages import Finding, own_line
from ..grading.sheet import Block, Sheet, tell
from . import progress


class Practice(Sheet):
    """The checks of one build cell; ``passed`` tells whether all of them hold.

    After a failed check its data are attributes, such as ``check.x``: step through them.
    """

    passed = False
    report = ""

    def __init__(self, where: str, task: Any, names: Mapping[str, Any]) -> None:
        super().__init__(where, task, names)
        self.score()

    def _report(self, points: float, results: Sequence[tuple[Block, list[Finding]]]) -> str:
        held = sum(not found for _, found in results)
        self.passed = held == len(results)
        verdict = "all checks pass" if self.passed else f"{held} of {len(results)} checks pass"
        lines = [f"{self._task.exam.name}: {verdict}"]
        lines += [f"- {block.title}: {'not yet' if found else 'yes'}" for block, found in results]
        for finding in tell(found for _, each in results for found in each):
            lines += ["", *finding.lines()]
            if finding.case:
                self._data = self._task.exam.at_hand(finding.case)
        self.report = "\n".join(lines)
        return self.report

    def __repr__(self) -> str:
        return self.report

    def _repr_html_(self) -> str:
        style = "white-space: pre-wrap; text-align: left; line-height: 1.45; margin: 0"
        return f'<pre style="{style}">{html.escape(self.report)}</pre>'


def practice(where: str, names: Mapping[str, Any]) -> Practice:
    """Try a build cell, named "lesson.task"; ``names`` is the notebook's globals().

    An empty stub is no error: the report says that it is not written yet. Raises KeyError if the
    lesson has no such task.
    """
    lesson, _, task = where.partition(".")
    tasks = importlib.import_module(f"{__name__}.{lesson}").TASKS
    if task not in tasks:
        raise KeyError(f"{lesson} has no task {task!r}; it has {', '.join(tasks)}")
    check = Practice(where, tasks[task], names)
    if check.passed:
        progress.note(where)
    return check


def attempt(show: Callable[[], Any]) -> Any:
    """Return what ``show`` makes of a learner's code, or say in a line why it cannot yet.

    It stands below a stub: one that is empty, or fails, must not stop the cells after it.
    """
    try:
        return show()
    except NotImplementedError as error:
        print(f"Yours to write: {error}")
    except Exception as error:
        where = own_line(error.__traceback__)
        print(f"{type(error).__name__}: {error}" + (f" ({where})" if where else ""))
    return None
