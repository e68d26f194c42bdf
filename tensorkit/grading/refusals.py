"""Say in one sentence why numba does not compile a kernel, and at which of its lines.

numba's own message is a page long, and most of the lines it names are numba's. The first that lies
in the learner's cell is where something can be done.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from .cases import Case
from .messages import Finding

KNOWS = "numba knows numbers, tuples, arrays, loops and functions under njit"
INDEX = "an index is made of ints: np.zeros(n, np.int64) for a buffer, // in place of /"
# what numba says, and what that means; a group of the pattern is named in the sentence
REASONS = (
    (
        r"Untyped global name '(\w+)'.*<class '(?:function|type)'>",
        "{0} is not under njit: write @njit above it, or do without",
    ),
    (
        r"Untyped global name '(\w+)'",
        "{0} is no number, tuple, array or function under njit: do without it",
    ),
    (r"NameError: name '(\w+)' is not defined", "{0} is not defined"),
    (r"Cannot unify .* for '(\w+)", "{0} is of one type here and of another there: keep to one"),
    (r"Cannot unify ", "both ways of an if give values of one type"),
    (r"(?s)DictType.*cannot safely cast", "all keys of a dict are of one type, and all values"),
    (r"Unknown attribute '(\w+)'", "numba has no {0} here"),
    (r"Unsupported array index type float", INDEX),
    (r"class '(int|float)'", "numba does not take {0} for a type here: write np.{0}64"),
    (r"(tuple)\(array\(", "a tuple cannot be made of an array: its length must be known before"),
)


def refused(name: str, case: Case, kernel: Callable[..., Any], error: Exception) -> Finding:
    """Return what to say of an error that came of compiling."""
    text = str(error)
    because = KNOWS
    for pattern, sentence in REASONS:
        if found := re.search(pattern, text):
            because = sentence.format(*found.groups())
            break
    what, then = f"{name}: numba cannot compile this", "next: write it with numbers, arrays, loops"
    return Finding(what, _own_line(text, kernel), "", because, then, case)


def _own_line(text: str, kernel: Callable[..., Any]) -> str:
    """Return the first line that numba names in the cell of the kernel."""
    code = kernel.__code__
    lines = linecache.getlines(code.co_filename)
    cell = re.escape(PurePath(code.co_filename).name)
    if place := re.search(rf'{cell}(?: \(|", line )(\d+)', text):
        return line_of(lines, 1, int(place[1]))
    if unknown := re.search(r"NameError: name '(\w+)'", text):  # numba does not say where
        for number, line in enumerate(lines, 1):
            if number > code.co_firstlineno and re.search(rf"\b{unknown[1]}\b", line):
                return line_of(lines, 1, number)
    return ""


def line_of(lines: Sequence[str], first: int, line: int | None) -> str:
    """Show a line of the learner's, given those of a text that begins at number ``first``."""
    place = -1 if line is None else line - first
    return f"at your line: {lines[place].strip()}" if 0 <= place < len(lines) else ""
