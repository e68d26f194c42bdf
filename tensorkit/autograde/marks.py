"""From outputs to marks: nbgrader's own rule, after a look at whether a check really ended.

nbgrader gives all points to a check without an output, and takes the first number that is shown.
The author's solution says how each check ends: with a number, or with nothing. A check that ends
in another way, or twice, was interfered with, and gets no points and a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode, v4
from nbgrader import utils

from .job import Mark
from .mend import grade_id

REFUSED = "ScoreRefused"


def kinds(notebook: NotebookNode) -> dict[str, str]:
    """Learn from the reference how each check ends: "number", "nothing" or "other"."""
    found = {}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name and _is_check(cell):
            results = _results(cell)
            kind = "nothing" if not results else "number"
            if (results and _number(results[0]) is None) or cell.execution_count is None:
                kind = "other"
            found[name] = kind
    return found


def judge(cell: NotebookNode, expected: str | None) -> str:
    """Say why the outputs of a check cannot be its own; an empty string where they can."""
    results = _results(cell)
    errors = [out for out in cell.outputs if out.output_type == "error"]
    if len(results) > 1:
        return "the check showed more than one result"
    if results and errors:
        return "the check showed a result and failed"
    if expected in ("number", "nothing") and not errors and cell.execution_count is None:
        return "the check was not run"
    if expected == "nothing" and results:
        return "the check showed a result, but it has none"
    if expected == "number" and not errors:
        if not results:
            return "the check showed no result"
        value = _number(results[0])
        if value is None or not math.isfinite(value) or value < 0:
            return "the result of the check is not its score"
    if results:
        value = _number(results[0])
        if value is not None and value > float(cell.metadata["nbgrader"]["points"]):
            return "the result of the check is more than its points"
    return ""


def score(
    notebook: NotebookNode, expected: Mapping[str, str]
) -> tuple[dict[str, Mark], dict[str, str | None], dict[str, str], list[str]]:
    """Return marks, comments, why checks failed, and lines for the instructor.

    A refused check gets an error in the place of its outputs, so that everybody can see why.
    """
    marks: dict[str, Mark] = {}
    comments: dict[str, str | None] = {}
    failed: dict[str, str] = {}
    flags: list[str] = []
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None:
            continue
        if utils.is_grade(cell):
            if _is_check(cell):
                refused = judge(cell, expected.get(name))
                if refused:
                    refuse(cell, refused)
                    flags.append(f"{name}: {refused}")
            got, points = utils.determine_grade(cell)
            marks[name] = Mark(got, points)
            if got is not None and got < points:
                failed[name] = _why(cell, got, points)
        if utils.is_solution(cell) or utils.is_task(cell):
            same = cell.metadata["nbgrader"].get("checksum") == utils.compute_checksum(cell)
            comments[name] = "No response." if same and not utils.is_task(cell) else None
    return marks, comments, failed, flags


def refuse(cell: NotebookNode, why: str) -> None:
    """Give a check no points, visibly."""
    text = f"{REFUSED}: {why}; ask your instructor."
    cell.outputs = [v4.new_output("error", ename=REFUSED, evalue=why, traceback=[text])]


def _is_check(cell: NotebookNode) -> bool:
    return bool(utils.is_grade(cell) and not utils.is_solution(cell) and cell.cell_type == "code")


def _results(cell: NotebookNode) -> list[Any]:
    return [out for out in cell.get("outputs", []) if out.output_type == "execute_result"]


def _number(result: Any) -> float | None:
    text = result.get("data", {}).get("text/plain")
    try:
        return float("".join(text)) if text is not None else None
    except ValueError:
        return None


def _why(cell: NotebookNode, got: float, points: float) -> str:
    for out in cell.get("outputs", []):
        if out.output_type == "error":
            first = str(out.evalue).strip().split("\n")[0][:120]
            return f"{out.ename}: {first}" if first else str(out.ename)
        if out.output_type == "stream" and out.name == "stderr":
            return f"wrote to stderr: {out.text.strip().split(chr(10))[-1][:120]}"
    return "no answer" if cell.cell_type != "code" else f"{got:g} of {points:g} points"
