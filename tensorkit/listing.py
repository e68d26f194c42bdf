"""A listing is the source of a function as a reader sees it: without its indent, with line numbers.

Python says in bytes of the file which expression runs; a listing turns that into columns of a line.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Span = tuple[int, int]
Value = float | int | bool | str | tuple[Any, ...]


@dataclass(frozen=True)
class Listing:
    """The lines of a function without their common indent, and how to find its statements."""

    lines: tuple[str, ...]
    first: int
    indent: int
    statements: Mapping[int, int]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Listing:
        """Read the source of a function; no lines if it has none, as after ``exec``."""
        try:
            given, first = inspect.getsourcelines(function)
        except (OSError, TypeError):
            return cls((), 1, 0, {})
        text = textwrap.dedent("".join(given))
        indent = len(given[0].rstrip("\n")) - len(text.split("\n", 1)[0])
        lines = tuple(text.rstrip("\n").split("\n"))
        return cls(lines, first, indent, _statements(text, first))

    def span(self, line: int, start: int | None, end: int | None) -> Span | None:
        """Return columns that count characters, from columns that count bytes with the indent."""
        if start is None or end is None or not 0 <= line - self.first < len(self.lines):
            return None
        data = self.lines[line - self.first].encode()
        start, end = start - self.indent, end - self.indent
        return len(data[:start].decode()), len(data[:end].decode())


def _statements(text: str, first: int) -> dict[int, int]:
    """Return, for each line, the line on which its statement begins."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    begins: dict[int, int] = {}
    for node in ast.walk(tree):  # outer statements come first, so inner ones have the last word
        if isinstance(node, ast.stmt):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                begins[line + first - 1] = node.lineno + first - 1
    return begins


def short(value: object) -> Value | None:
    """Return a number, or a run of up to six, as plain Python; None for anything longer."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        parts = [short(one) for one in value] if len(value) <= 6 else [None]
        return None if None in parts else tuple(parts)
    return None
