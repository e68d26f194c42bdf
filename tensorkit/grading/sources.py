"""Where the authors' notebooks are, and which answer in them belongs to a name.

One source holds everything: text, answers, checks. The student version, the self-study version and
the answer key are made from it, so they cannot drift apart.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
ORDER = ("one_tape", "stretch", "loops", "gradients", "engine", "bad_assert", "fast")
MARKS = re.compile(r"^ *### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\n?", re.MULTILINE)


def folder() -> Path:
    """Return the course folder: the checkout's, or the one that came with an installation."""
    own = PACKAGE.parent / "assignments"
    return own if (PACKAGE.parent / "setup.py").is_file() else PACKAGE / "_shipped" / "assignments"


def homeworks() -> list[str]:
    """Return the names of the homeworks in the order of the course, others after them."""
    found = {path.parent.name for path in (folder() / "source").glob("*/*.ipynb")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def notebook(homework: str) -> Path:
    """Return where the author's notebook of a homework is."""
    return folder() / "source" / homework / f"{homework}.ipynb"


def solution(homework: str, name: str) -> str:
    """Return the author's answer that defines ``name``. Raises LookupError if there is none."""
    cells: list[dict[str, Any]] = json.loads(notebook(homework).read_text("utf-8"))["cells"]
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "### BEGIN SOLUTION" in source:
            text = MARKS.sub("", source)
            if name in {getattr(node, "name", "") for node in ast.parse(text).body}:
                return text
    raise LookupError(f"the source of {homework} has no answer that defines {name}")
