"""The bank of wrong answers, as data that runs: a folder for each homework.

A file holds entries, each begun by a line ``# %% task: ID title``. ``# says:`` is a phrase that the
report must contain; ``# keeps:`` is the exact score that remains, or ``all`` for an answer that is
right although it looks different. The code below replaces what it defines in the answer to that
task: a whole cell or, of a class, the methods that it names. Functions that the class does not have
stand before it.
"""

import ast
import textwrap
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    homework: str
    task: str
    id: str
    title: str
    says: str
    keeps: str
    code: str

    def put_into(self, answer: str) -> str:
        """Return an answer's cell with this entry in it."""
        return replaced(answer, self.code)


def replaced(answer: str, code: str) -> str:
    """Put the functions of ``code`` into the class that ``answer`` writes; else take it whole."""
    (whole, *_) = ast.parse(answer).body
    if not isinstance(whole, ast.ClassDef) or code.startswith("class "):
        return code
    given = {node.name: ast.get_source_segment(code, node) for node in ast.parse(code).body}
    lines = answer.split("\n")
    for method in reversed(whole.body):
        if isinstance(method, ast.FunctionDef) and method.name in given:
            new = textwrap.indent(given.pop(method.name), "    ")
            lines[method.lineno - 1 : method.end_lineno] = new.split("\n")
    return "\n\n\n".join([*given.values(), "\n".join(lines)])


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
        text = "\n".join(code).strip() + "\n"
        entries.append(Entry(path.parent.name, task, name, title, **marks, code=text))
    return entries


def bank(homework: str) -> list[Entry]:
    """Return the entries of one homework, file by file."""
    return [entry for path in sorted((HERE / homework).glob("*.txt")) for entry in read(path)]
