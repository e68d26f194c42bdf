"""What the person who waits can see: one line that lives, or one JSON object for each event.

Names and reasons go to lines of their own above it, so that they are still there afterwards.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from .job import Result

if TYPE_CHECKING:
    from .book import Entry

WIDTH = 24  # of the bar


class Progress:
    """Hears what happens; this one says nothing."""

    def start(self, total: int, skipped: int, where: str) -> None:
        """Say how many submissions are due, how many are graded already, and where they run."""

    def graded(self, result: Result, entry: Entry) -> None:
        """Take note of a submission that is in the gradebook now."""

    def failed(self, student: str, problem: str) -> None:
        """Take note of a submission without a grade: the machine, not the learner, failed."""

    def end(self) -> None:
        """Take note that all is done."""


class Both(Progress):
    """Tells several listeners."""

    def __init__(self, *listeners: Progress) -> None:
        self.listeners = listeners

    def start(self, total: int, skipped: int, where: str) -> None:
        """Tell all."""
        for each in self.listeners:
            each.start(total, skipped, where)

    def graded(self, result: Result, entry: Entry) -> None:
        """Tell all."""
        for each in self.listeners:
            each.graded(result, entry)

    def failed(self, student: str, problem: str) -> None:
        """Tell all."""
        for each in self.listeners:
            each.failed(student, problem)

    def end(self) -> None:
        """Tell all."""
        for each in self.listeners:
            each.end()


class Line(Progress):
    """A bar with counts, rate and time left; where nobody looks at a terminal, lines alone."""

    def __init__(self, stream: TextIO | None = None, clock: Any = time.monotonic) -> None:
        self.stream = stream or sys.stderr
        self.clock = clock
        self.live = self.stream.isatty()
        self.total = self.done = self.without = 0
        self.began = clock()

    def start(self, total: int, skipped: int, where: str) -> None:
        """Begin the bar."""
        self.total, self.began = total, self.clock()
        already = f", {skipped} are graded already" if skipped else ""
        self._say(f"{total} submissions to grade{already}; {where}")
        self._draw()

    def graded(self, result: Result, entry: Entry) -> None:
        """Move on; say what a person should know."""
        self.done += 1
        for line in _lines(result):
            self._say(f"{result.student}: {line}")
        if entry.before is not None and entry.before != entry.after:
            self._say(f"{result.student}: was {entry.before:g}, is {entry.after:g}")
        self._draw()

    def failed(self, student: str, problem: str) -> None:
        """Say who has no grade, and why."""
        self.done += 1
        self.without += 1
        self._say(f"{student}: NOT GRADED: {problem}")
        self._draw()

    def end(self) -> None:
        """Leave the last state of the bar behind."""
        if self.live and self.total:
            self.stream.write("\n")
            self.stream.flush()

    def text(self) -> str:
        """Write the bar as it is now."""
        spent = self.clock() - self.began
        share = self.done / self.total if self.total else 1.0
        bar = ("=" * round(WIDTH * share)).ljust(WIDTH)
        rate = 60 * self.done / spent if spent > 0 else 0.0
        left = _duration(spent * (self.total - self.done) / self.done) if self.done else "?"
        without = f", {self.without} not graded" if self.without else ""
        return f"[{bar}] {self.done} of {self.total}{without}, {rate:.0f} a minute, {left} left"

    def _draw(self) -> None:
        if self.live and self.total:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r" + self.text()[:width].ljust(width))
            self.stream.flush()

    def _say(self, line: str) -> None:
        if self.live:
            self.stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
        # a name that a learner chose must not steer the terminal
        self.stream.write("".join(c if c.isprintable() else "?" for c in line) + "\n")
        self.stream.flush()


class Json(Progress):
    """One JSON object for each event, one a line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout

    def start(self, total: int, skipped: int, where: str) -> None:
        """Write a start."""
        self._write(event="start", total=total, skipped=skipped, where=where)

    def graded(self, result: Result, entry: Entry) -> None:
        """Write a grade."""
        self._write(
            event="graded",
            student=result.student,
            score=entry.after,
            before=entry.before,
            points=entry.points,
            seconds=round(result.seconds, 3),
            host=result.host,
            sandboxed=result.sandboxed,
            notes=_notes(result),
            flags=[flag for graded in result.notebooks.values() for flag in graded.flags],
            failed={k: v for graded in result.notebooks.values() for k, v in graded.failed.items()},
        )

    def failed(self, student: str, problem: str) -> None:
        """Write a failure of the machine."""
        self._write(event="failed", student=student, problem=problem)

    def _write(self, **event: Any) -> None:
        self.stream.write(json.dumps(event) + "\n")
        self.stream.flush()


def _notes(result: Result) -> list[str]:
    return [*result.notes, *(note for each in result.notebooks.values() for note in each.notes)]


def _lines(result: Result) -> list[str]:
    flags = [flag for graded in result.notebooks.values() for flag in graded.flags]
    return [*_notes(result), *(f"look at {flag}" for flag in flags)]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
