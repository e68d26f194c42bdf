"""What nbgrader runs around the notebooks, so that accidents cost nobody points or secrets.

Before grading: a cell that was copied must not stop the class, and a machine without the hidden
checks must not give marks. After it: feedback shows a learner's own work and the messages, never
the hidden checks. ``nbgrader_config.py`` puts these steps in their places.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from .sheet import HIDDEN

Step = tuple[Any, dict[str, Any]]
BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


class GradingNotReady(RuntimeError):
    """This machine cannot grade: no submission may get marks, least of all zeros."""


class DropCopies(NbGraderPreprocessor):  # type: ignore[misc]
    """Of cells with one grade id keep the last: it is what the kernel ends up with.

    nbgrader leaves half a record on the others, which its next step takes for an old format and
    stops grading for everyone.
    """

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Step:
        """Take the nbgrader record off every earlier copy; the cell itself stays and runs."""
        seen: set[str] = set()
        for cell in reversed(nb.cells):
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in seen:
                self.log.warning("cell %r exists twice: the last one counts", name)
                for key in ("nbgrader", "deletable", "editable"):
                    cell.metadata.pop(key, None)
            elif name:
                seen.add(name)
        return nb, resources


class NeedHiddenChecks(NbGraderPreprocessor):  # type: ignore[misc]
    """Refuse to grade where the hidden checks cannot be imported."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Step:
        """Raise GradingNotReady if the notebook has hidden checks and the kernel would not."""
        if any(BEGIN in cell.source for cell in nb.cells):
            places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
            if not any(os.path.isdir(os.path.join(place, HIDDEN)) for place in places):
                raise GradingNotReady(
                    f"the hidden checks ({HIDDEN}) are not on PYTHONPATH: grade with the course's "
                    "nbgrader_config.py, or set TENSORKIT_HIDDEN to the folder that holds them"
                )
        return nb, resources


class NeedWarmUp(NbGraderPreprocessor):  # type: ignore[misc]
    """Refuse marks when the locked warm-up cell failed: then the machine is at fault."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Step:
        """Raise GradingNotReady if the cell with the id 'warm-up' ended with an error."""
        for cell in nb.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") != "warm-up":
                continue
            for output in cell.outputs:
                if output.output_type == "error":
                    raise GradingNotReady(
                        f"the warm-up cell failed with {output.ename}: {output.evalue}. "
                        f"Is tensorkit installed for {sys.executable}?"
                    )
        return nb, resources


class HideHiddenChecks(NbGraderPreprocessor):  # type: ignore[misc]
    """Make feedback from graded cells without their hidden lines and without tracebacks."""

    def preprocess_cell(self, cell: Any, resources: dict[str, Any], index: int) -> Step:
        """Cut hidden regions; of an error in a graded cell keep only its kind."""
        if not cell.metadata.get("nbgrader", {}).get("grade"):
            return cell, resources
        cell.source = without_hidden(cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.evalue = ""
                output.traceback = [f"The check could not finish: {output.ename}."]
        return cell, resources


def without_hidden(source: str) -> str:
    """Return a cell's source with each hidden region replaced by one comment."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if BEGIN in line:
            inside = True
            lines.append("# (more checks ran here)")
        elif END in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)
