"""A graded cell opens a sheet, may add hidden checks, and ends with its score.

nbgrader reads a score from the text of the cell's result and takes almost anything that is not a
number for full credit. So a Score is a float, prints as one, and shows its report beside it. The
points go to whole blocks of checks, scaled by the blocks that are present: a right answer earns
every point with and without the hidden checks.
"""

from __future__ import annotations

import html
import importlib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .cases import Case
from .exam import Exam
from .messages import Finding

HIDDEN = "tensorkit_hidden"  # importable only where grading happens


@dataclass(frozen=True)
class Block:
    """Points that are earned when every check of the block passes.

    With ``shares`` each check that passes earns its part, rounded down to a quarter in all.
    """

    key: str
    title: str
    points: float
    cases: tuple[Case, ...] = ()
    shares: bool = False

    def earned(self, found: Sequence[Finding]) -> float:
        """Return the points that are left after these findings."""
        if not found:
            return self.points
        if not self.shares or any(finding.ends for finding in found):
            return 0.0
        passed = len(self.cases) - len(found)
        return math.floor(4 * self.points * passed / len(self.cases)) / 4


@dataclass(frozen=True)
class Task:
    """One graded cell: which name it examines, how, and its blocks."""

    exam: Exam
    blocks: tuple[Block, ...]

    @property
    def points(self) -> float:
        """The points of the whole cell."""
        return sum(block.points for block in self.blocks)


class ChecksFailed(AssertionError):
    """Shown in place of a score by nbgrader's validate, which shows only errors."""

    def _render_traceback_(self) -> list[str]:
        return str(self).split("\n")


class Score(float):
    """A number to nbgrader, a report to a reader."""

    report: str

    def __new__(cls, value: float, report: str = "") -> Score:
        """Make the score with the text of its report."""
        score = super().__new__(cls, value)
        score.report = report
        return score

    def __repr__(self) -> str:
        """Write the plain number: nbgrader reads this."""
        return repr(float(self))

    def _repr_html_(self) -> str:
        style = "white-space: pre-wrap; text-align: left; line-height: 1.45; margin: 0"
        return f'<pre style="{style}">{html.escape(self.report)}</pre>'


class Sheet:
    """The checks of one graded cell, their results, and the data of the first one that failed.

    After a failed public check its tensors are attributes of the sheet: ``check.x``,
    ``check.grad_out`` and so on, ready for ``tk.step``.
    """

    def __init__(self, where: str, task: Task, names: Mapping[str, Any]) -> None:
        self._where, self._task, self._names = where, task, names
        self._blocks = {block.key: block for block in task.blocks}
        self._data: dict[str, Any] = {}
        self._is_complete = self._ended = False

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("_data", {})
        if name in data:
            return data[name]
        raise AttributeError(f"no failed check has a {name!r}: run check.score() first")

    def hidden(self) -> None:
        """Add the hidden checks of this cell. Raises ImportError where grading is not set up."""
        homework, _, task = self._where.partition(".")
        module = importlib.import_module(f"{HIDDEN}.{homework}")
        for key, cases in module.CHECKS[task].items():
            block = self._blocks[key]
            more = tuple(replace(case, shown=False) for case in cases)
            self._blocks[key] = replace(block, cases=block.cases + more)
        self._is_complete = True

    def score(self) -> Score:
        """Run the checks. In nbgrader's validate a failure raises ChecksFailed with the report."""
        self._ended = False
        present = [block for block in self._blocks.values() if block.cases]
        results = [(block, self._findings(block)) for block in present]
        weight = sum(block.points for block in present)
        earned = sum(block.earned(found) for block, found in results)
        points = self._task.points * earned / weight if weight else self._task.points
        report = self._report(points, results)
        if earned < weight and os.environ.get("NBGRADER_EXECUTION") == "validate":
            raise ChecksFailed(report)
        return Score(points, report)

    def _findings(self, block: Block) -> list[Finding]:
        exam = self._task.exam
        if exam.name not in self._names:
            what = f"{exam.name} is not defined: run the cell in which you write it."
            return [Finding(what, ends=True)]
        found: list[Finding] = []
        for case in block.cases:
            if self._ended:
                break
            finding = exam.examine(exam.subject(self._names), case)
            if finding:
                found.append(finding)
                self._ended = finding.ends
        return found or ([Finding("", ends=True)] if self._ended else [])

    def _report(self, points: float, results: Sequence[tuple[Block, list[Finding]]]) -> str:
        seen = "" if self._is_complete else " from the checks in this notebook"
        lines = [f"{self._task.exam.title}: {points:g} of {self._task.points:g} points{seen}"]
        for block, found in results:
            verdict = "not yet" if found else "passed"
            lines.append(f"- {block.title}: {verdict} ({block.points:g} p.)")
        for finding in tell(found for _, each in results for found in each):
            lines += ["", *finding.lines()]
            if finding.case:
                self._data = self._task.exam.at_hand(finding.case)
        return "\n".join(lines)


def tell(findings: Iterable[Finding]) -> list[Finding]:
    """Choose what to say: one finding in the open or, if only hidden checks fail, their properties.

    Of the open ones a diagnosed one says most.
    """
    every = [found for found in findings if found.what]
    opened = [found for found in every if not found.hidden]
    if opened:
        return [next((found for found in opened if found.because), opened[0])]
    return list({found.what: found for found in reversed(every)}.values())[::-1][:3]
