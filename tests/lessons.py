"""Notebooks read, run and taken apart: what the tests of all lessons share.

A notebook is run once for all tests, whichever worker needs it first: as it is stored, its stubs
empty, and then once more in the same kernel with our answers written in, as a learner would.
"""

from __future__ import annotations

import builtins
import fcntl
import html
import json
import linecache
import os
import re
import symtable
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import tensorkit as tk
from tensorkit.widgets.questions import bank, normal

# what the tests build is no learner's progress
os.environ["TENSORKIT_PROGRESS"] = os.devnull

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


@cache
def stored(name: str) -> Any:
    """Return the notebook of a name such as 01_one_tape."""
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def cells(name: str) -> dict[str, Any]:
    return {cell.id: cell for cell in stored(name).cells}


def words(name: str) -> list[Any]:
    return [cell for cell in stored(name).cells if cell.cell_type == "markdown"]


def code(name: str) -> list[Any]:
    return [cell for cell in stored(name).cells if cell.cell_type == "code"]


def headings(name: str) -> list[tuple[int, str]]:
    """Return the level and the text of every heading."""
    return [
        (len(mark), text.strip())
        for cell in words(name)
        for mark, text in re.findall(r"^(#+) (.*)$", cell.source, re.MULTILINE)
    ]


def anchor(heading: str) -> str:
    """Return the address of a heading on its page, as JupyterLab and nbconvert give it."""
    return re.sub(r"[`*]", "", heading).replace(" ", "-")


def parts(name: str) -> dict[str, list[Any]]:
    """Return the code cells below each heading of level 1 or 2."""
    found: dict[str, list[Any]] = {}
    part: list[Any] = []
    for cell in stored(name).cells:
        if cell.cell_type == "markdown" and (mark := re.match(r"##? (.*)", cell.source)):
            part = found.setdefault(mark[1], [])
        elif cell.cell_type == "code":
            part.append(cell)
    return found


def builds(name: str) -> list[str]:
    """Return what the learner writes and we answer: x for every cell x-build with an x-answer."""
    found = [cell.id.removesuffix("-build") for cell in code(name) if cell.id.endswith("-build")]
    return [build for build in found if f"{build}-answer" in cells(name)]


def answer(name: str, build: str) -> str:
    """Return our own code for a build cell, from the cell that shows it."""
    source = cells(name)[f"{build}-answer"].source
    [listing] = re.findall(r"<pre><code>(.*?)</code></pre>", source, re.DOTALL)
    return html.unescape(listing)


def names_that_come_from_elsewhere(source: str) -> set[str]:
    """Return the names that code uses and neither makes itself nor finds in Python."""
    tables, missing = [symtable.symtable(source, "cells", "exec")], set()
    given = {s.get_name() for s in tables[0].get_symbols() if s.is_assigned() or s.is_imported()}
    while tables:
        table = tables.pop()
        tables += table.get_children()
        missing |= {
            s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()
        }
    return missing - given - set(dir(builtins)) - {"get_ipython", "display"}


def executed(name: str, factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cells with their outputs: with the stubs empty, and with our answers."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the workers of one run share it
    kept = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(_run_twice(name)))
    return tuple(
        {cell["id"]: nbformat.from_dict(cell) for cell in ran}
        for ran in json.loads(kept.read_text())
    )  # type: ignore[return-value]


def _run_twice(name: str) -> list[Any]:
    copy = nbformat.from_dict(stored(name))
    client = NotebookClient(
        copy,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        extra_arguments=["--log-level=ERROR"],
    )
    with client.setup_kernel():
        empty = _run_all(client, name, {})
        filled = {f"{build}-build": answer(name, build) for build in builds(name)}
        return [empty, _run_all(client, name, filled)] if filled else [empty, empty]


def _run_all(client: NotebookClient, name: str, sources: dict[str, str]) -> Any:
    client.nb = nbformat.from_dict(stored(name))
    client.reset_execution_trackers()
    for number, cell in enumerate(client.nb.cells):
        cell.source = sources.get(cell.id, cell.source)
        try:
            client.execute_cell(cell, number)
        except CellExecutionError as error:
            pytest.fail(f"{name}, cell {cell.id}: {error}", pytrace=False)
    return client.nb.cells


def printed(cell: Any) -> str:
    """Return what a cell that ran has to say in plain text."""
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def tried(where: str, source: str) -> Any:
    """Return what the practice named ``where`` makes of a learner's code."""
    names: dict[str, Any] = {"tk": tk}
    # Python shows a learner's line only if it can be looked up
    place = f"<learner {where}>"
    linecache.cache[place] = (len(source), None, source.splitlines(True), place)
    exec(compile(source, place, "exec"), names)
    return tk.practice(where, names)


def refused(where: str, source: str) -> str:
    """Return the report, on one line, about code that must not pass."""
    check = tried(where, source)
    assert not check.passed, f"{source}\npasses {where}"
    return " ".join(check.report.split())


def flat(*values: Any) -> str:
    """Write numbers as a prediction compares them."""
    numbers = np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in values])
    return " ".join(f"{number:g}" for number in numbers)


def accepted(lesson: str) -> dict[str, set[str]]:
    """Return the graded predictions of a lesson, each with the answers that are taken for right."""
    graded = [p for p in bank(lesson).predictions.values() if p.accept]
    return {p.id: {normal(way) for way in (*p.accept, p.answer)} for p in graded}


def steps_of(check: Any) -> list[Any]:
    """Run every call that a report tells one to try, as a learner would."""
    calls = re.findall(r"try: (.*)", check.report)
    return [eval(call, {"tk": tk, "check": check}) for call in calls]
