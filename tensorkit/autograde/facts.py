"""A result as JSON: what the gradebook and the reports need, without the notebooks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .job import Graded, Mark, Result


def facts(result: Result, timestamp: str | None, version: str) -> dict[str, Any]:
    """Write a result down for the journal; ``version`` names the assignment it was held against."""
    notebooks = {}
    for name, graded in result.notebooks.items():
        notebooks[name] = {
            "marks": {k: [mark.score, mark.points] for k, mark in graded.marks.items()},
            "comments": dict(graded.comments),
            "notes": list(graded.notes),
            "flags": list(graded.flags),
            "failed": dict(graded.failed),
        }
    return {
        "timestamp": timestamp,
        "version": version,
        "notebooks": notebooks,
        "notes": list(result.notes),
        "seconds": result.seconds,
        "host": result.host,
        "sandboxed": result.sandboxed,
    }


def recall(student: str, assignment: str, kept: Mapping[str, Any]) -> Result:
    """Read back what `facts` wrote: all but the text of the notebooks."""
    notebooks = {
        name: Graded(
            "",
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
