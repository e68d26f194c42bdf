"""The bank of wrong answers, as data that runs.

A file holds entries, each begun by a line ``# %% task: ID title``. ``# says:`` is a phrase that the
report must contain; ``# keeps:`` is the exact score that remains, or ``all`` for an answer that is
right although it looks different. The code below replaces what it defines in the answer to that
task: a whole function or, for a class, the methods ``forward`` and ``backward``, one or both.
"""

import ast
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
COURSE = HERE.parents[1] / "assignments"
NOTEBOOK = COURSE / "source" / "gradients" / "gradients.ipynb"
HIDDEN = COURSE / "hidden"


@dataclass(frozen=True)
class Entry:
    task: str
    id: str
    title: str
    says: str
    keeps: str
    code: str

    @property
    def cell(self) -> str:
        """The whole answer cell with this entry in place of the reference solution."""
        return replaced(solutions()[self.task.replace("_", "-")], self.code)


def notebook_cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def answers() -> dict[str, str]:
    """The reference solutions, by the id of their cell."""
    cells = notebook_cells()
    chosen = {}
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            chosen[cell["id"]] = "".join(cell["source"])
    return chosen


def solutions() -> dict[str, str]:
    """The same as a learner would write them, without the marks of the regions."""
    return {
        name: re.sub(r" *### (BEGIN|END) SOLUTION\n", "", text) for name, text in answers().items()
    }


def replaced(answer: str, code: str) -> str:
    """Put the functions of ``code`` into ``answer``, a function or a class with two methods."""
    whole = ast.parse(answer).body[0]
    if not isinstance(whole, ast.ClassDef) or code.startswith("class "):
        return code
    given = {node.name: ast.get_source_segment(code, node) for node in ast.parse(code).body}
    lines = [answer.partition("\n")[0], f'    """{ast.get_docstring(whole)}"""']
    for node in whole.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        method = given.get(node.name) or textwrap.dedent(
            "    " + (ast.get_source_segment(answer, node) or "")
        )
        lines += ["", "    @staticmethod", textwrap.indent(method, "    ")]
    return "\n".join(lines) + "\n"


def read(path: Path) -> list[Entry]:
    entries = []
    for block in path.read_text(encoding="utf-8").split("# %% ")[1:]:
        head, _, rest = block.partition("\n")
        task, _, named = head.partition(": ")
        name, _, title = named.partition(" ")
        marks = {"says": "", "keeps": ""}
        code = []
        for line in rest.split("\n"):
            mark, _, value = line.removeprefix("# ").partition(": ")
            if line.startswith("# ") and mark in marks:
                marks[mark] = value
            else:
                code.append(line)
        entries.append(Entry(task, name, title, **marks, code="\n".join(code).strip() + "\n"))
    return entries


BANK = [
    entry for path in sorted(HERE.glob("*.py")) if path != Path(__file__) for entry in read(path)
]
