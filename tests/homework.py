"""A homework as its tests see it: notebook, answers, checks, bank, and how an answer is scored.

``HOMEWORKS`` holds every folder of ``assignments/source``, by name. The hidden checks can be
imported here, as where grading happens.
"""

import ast
import importlib
import itertools
import json
import linecache
import re
import sys
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from mutants import mutants
from wrong_answers.bank import Entry, bank

from tensorkit import grading
from tensorkit.grading.messages import MOST, WIDTH
from tensorkit.grading.sheet import Score, Sheet, Task

COURSE = Path(__file__).resolve().parents[1] / "assignments"
HIDDEN = COURSE / "hidden"
sys.path.insert(0, str(HIDDEN))


class Homework:
    """One homework, by the name of its folder; all that is read is read once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notebook = COURSE / "source" / name / f"{name}.ipynb"

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def cells(self) -> list[dict]:
        return json.loads(self.notebook.read_text(encoding="utf-8"))["cells"]

    @cached_property
    def records(self) -> dict[str, dict]:
        """What nbgrader knows of each cell, by id; cells it does not know are left out."""
        known = [cell for cell in self.cells if "nbgrader" in cell["metadata"]]
        return {cell["id"]: cell["metadata"]["nbgrader"] for cell in known}

    @cached_property
    def sources(self) -> dict[str, str]:
        return {cell["id"]: "".join(cell["source"]) for cell in self.cells}

    @cached_property
    def answers(self) -> dict[str, str]:
        """The reference solutions in code, by the id of their cell."""
        code = {cell["id"] for cell in self.cells if cell["cell_type"] == "code"}
        ids = [name for name, record in self.records.items() if record["solution"]]
        return {name: self.sources[name] for name in ids if name in code}

    @cached_property
    def solutions(self) -> dict[str, str]:
        """The same as a learner would write them, without the marks of the regions."""
        marks = re.compile(r" *### (BEGIN|END) SOLUTION\n?")
        return {name: marks.sub("", text) for name, text in self.answers.items()}

    @cached_property
    def manual(self) -> set[str]:
        """The cells that wait for a human."""
        return {name for name, r in self.records.items() if r["grade"] and r["solution"]}

    @cached_property
    def tasks(self) -> dict[str, Task]:
        return importlib.import_module(f"tensorkit.grading.{self.name}").TASKS

    @cached_property
    def hidden(self) -> dict:
        return importlib.import_module(f"tensorkit_hidden.{self.name}").CHECKS

    @cached_property
    def bank(self) -> list[Entry]:
        return bank(self.name)

    def wrong(self) -> list[Entry]:
        return [entry for entry in self.bank if entry.keeps != "all"]

    def answer_of(self, task: str) -> str:
        """The id of the cell that defines what this task examines."""
        name = self.tasks[task].exam.name
        for cell, text in self.solutions.items():
            if name in {getattr(node, "name", "") for node in ast.parse(text).body}:
                return cell
        raise LookupError(f"no answer of {self.name} defines {name}")

    def beside(self, task: str) -> list[str]:
        """All tasks that examine the same answer."""
        return [other for other in self.tasks if self.answer_of(other) == self.answer_of(task)]

    def cell(self, entry: Entry) -> str:
        """The whole answer cell with this entry in place of the reference solution."""
        return entry.put_into(self.solutions[self.answer_of(entry.task)])

    @cached_property
    def given(self) -> dict:
        """The names of the notebook when every answer is right: its locked cells and answers."""
        code = {cell["id"] for cell in self.cells if cell["cell_type"] == "code"}
        names: dict = {}
        for cell, record in self.records.items():
            if cell in code and not record["grade"]:
                execute(self.sources[cell], f"{self.name} {cell}", names)
        return names

    def run(self, source: str, name: str = "answer") -> dict:
        """Run one answer's cell among right ones."""
        return execute(source, name, dict(self.given))

    def reference(self, task: str) -> dict:
        return self.run(self.answers[self.answer_of(task)])

    def empty(self, task: str) -> dict:
        """What a task's cell defines before a learner has written a line."""
        region = r"### BEGIN SOLUTION.*?### END SOLUTION"
        source = self.answers[self.answer_of(task)]
        return self.run(re.sub(region, "raise NotImplementedError()", source, flags=re.DOTALL))

    def sheet(self, task: str, names: dict, hidden: bool = True) -> Sheet:
        sheet = grading.sheet(f"{self.name}.{task}", names)
        if hidden and task in self.hidden:
            sheet.hidden()
        return sheet

    def score(self, task: str, names: dict, hidden: bool = True) -> Score:
        return self.sheet(task, names, hidden).score()

    def total(self, answers: dict[str, str]) -> float:
        """The points of a whole homework with these answers, by cell, and right ones elsewhere."""
        names = {cell: self.run(answers.get(cell, text)) for cell, text in self.solutions.items()}
        return sum(self.score(task, names[self.answer_of(task)]) for task in self.tasks)

    def survivors(self, cell: str) -> set[str]:
        """The mutants of an answer that lose no point in any task that examines it."""
        tasks = [task for task in self.tasks if self.answer_of(task) == cell]
        alive = set()
        for mutant in mutants(self.solutions[cell]):
            try:
                names = self.run(mutant.source, mutant.label)
            except Exception:
                continue  # the cell itself fails, so its names are not there
            if all(self.passes(task, names) for task in tasks):
                alive.add(mutant.label)
        return alive

    def passes(self, task: str, names: dict) -> bool:
        """Whether every check of a task holds; the first that does not is enough to know."""
        exam, blocks = self.tasks[task].exam, self.tasks[task].blocks
        opened = [case for block in blocks for case in block.cases]
        hidden = itertools.chain(*self.hidden.get(task, {}).values())
        cases = [*hidden, *opened]  # the hidden ones find more
        wordless = [replace(case, shown=False) for case in cases]  # no mistake is to be named
        return exam.name in names and not any(
            exam.examine(exam.subject(names), case) for case in wordless
        )


def execute(source: str, name: str, names: dict) -> dict:
    """Run a cell as a notebook would, with its lines known to tracebacks."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of assert (a, b); a notebook prints it
        code = compile(source, filename, "exec")
    exec(code, names)
    return names


def messages(report: str) -> list[list[str]]:
    return [part.split("\n") for part in report.split("\n\n")[1:]]


def check_style(lines: list[str]) -> None:
    """Six lines of nbgrader's width at most; a hidden check shows its property, never its data."""
    assert len(lines) <= MOST
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(lines)
    if "property failed" in text:
        assert "next: " in text
        ours = re.sub(r"at your line: .* next: ", "", text)
        assert not [word for word in ("got ", "want ", " = [", " = (") if word in ours]
    assert not [word for word in ("tensorkit/", "Traceback") if word in text]


HOMEWORKS = {
    path.parent.name: Homework(path.parent.name)
    for path in sorted((COURSE / "source").glob("*/*.ipynb"))
}


def every_task() -> list:
    """Pairs of homework and task, to parametrise with."""
    return [(home, task) for home in HOMEWORKS.values() for task in home.tasks]


def every_entry() -> list:
    """Pairs of homework and entry of its bank, to parametrise with."""
    return [(home, entry) for home in HOMEWORKS.values() for entry in home.bank]


def name_of(value: object) -> str:
    """What a parameter is called in the name of a test."""
    return f"{value.task}-{value.id}" if isinstance(value, Entry) else str(value)
