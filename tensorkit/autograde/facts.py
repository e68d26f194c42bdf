"""A result as JSON: what the gradebook and the reports need, without the notebooks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .job import Graded, Job, Mark, Result


def facts(result: Result, timestamp: str | None) -> dict[str, Any]:
    """Write a result down for the journal."""
    notebooks = {}
    for name, graded in result.notebooks.items():
        notebooks[name] = {
            "marks": {k: [mark.score, mark.points] for k, mark in graded.marks.items()},
            "comments": dict(graded.comments),
            "notes": list(graded.notes),
            "flags": list(graded.flags),
            "failed": dict(graded.failed),
            "ran": bool(graded.text),
        }
    return {
        "timestamp": timestamp,
        "notebooks": notebooks,
        "notes": list(result.notes),
        "seconds": result.seconds,
        "host": result.host,
        "sandboxed": result.sandboxed,
    }


def recall(student: str, assignment: str, kept: Mapping[str, Any]) -> Result:
    """Read back what `facts` wrote; of a notebook's text only whether there was one."""
    notebooks = {
        name: Graded(
            "." if each["ran"] else "",
            {k: Mark(*pair) for k, pair in each["marks"].items()},
            each["comments"],
            tuple(each["notes"]),
            tuple(each["flags"]),
            each["failed"],
        )
        for name, each in kept["notebooks"].items()
    }
    return Result(
        student,
        assignment,
        notebooks,
        notes=tuple(kept["notes"]),
        seconds=kept["seconds"],
        host=kept["host"],
        sandboxed=kept["sandboxed"],
    )


def zero(job: Job, reason: str) -> Result:
    """Grade a submission that cannot be run: no points, and the reason."""
    notebooks = {}
    for clean in job.clean:
        marks = {c.name: Mark(0.0, c.points or 0.0) for c in clean.cells if c.grade}
        failed = dict.fromkeys(marks, reason)
        notebooks[clean.name] = Graded("", marks, notes=(reason,), failed=failed)
    return Result(job.student, job.assignment, notebooks, notes=job.notes)
