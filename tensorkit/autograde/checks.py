"""What a kernel that grades has to know about a notebook: which cells are checks, and their names.

It learns digests, not texts: the source of a check is in a sandbox only while it runs.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Iterable
from typing import Any

from nbformat import NotebookNode

from .guard import digest
from .job import Clean
from .mend import grade_id


def orders(notebook: NotebookNode, clean: Clean, output: int, private: Iterable[str] = ()) -> str:
    """Return the orders of `kernel.py` as JSON.

    ``output`` is how much a cell may print, ``private`` are the paths of the checks' own modules.
    """
    locked = {cell.name for cell in clean.cells if cell.locked}
    checks = [digest(cell.source) for cell in notebook.cells if grade_id(cell) in locked]
    released = [cell["source"] for cell in json.loads(clean.template)["cells"]]
    sources = ["".join(source) for source in released] + [cell.source for cell in clean.cells]
    aliases: dict[str, str] = {}
    bound: set[str] = set()
    for source in sources:
        for node in _walk(source):
            if isinstance(node, ast.Import):
                for name in node.names:
                    if name.asname or "." not in name.name:
                        aliases[name.asname or name.name] = name.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                bound.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                bound |= {name.asname or name.name for name in node.names}
    own = sorted(name for name in vars(builtins) if name not in bound)
    aliases = {alias: name for alias, name in aliases.items() if alias not in bound}
    roots = sorted({path.split("/")[0].removesuffix(".py") for path in private})
    return json.dumps(
        {
            "checks": checks,
            "aliases": aliases,
            "builtins": own,
            "output": output,
            "private": roots,
        }
    )


def _walk(source: str) -> list[Any]:
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return []  # a cell with magics, or text
