"""Progress: which build cells once passed all their checks, kept in one file on this machine.

Nothing is sent anywhere. The file is JSON, a task and the day of its first pass, so it can be read,
copied and deleted like any other. What was answered to questions is kept by the page itself
(``tk.explore.calibration``).
"""

from __future__ import annotations

import html
import importlib
import json
import os
from contextlib import suppress
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

ORDER = (
    *("one_tape", "permute_view", "stretch", "map_zip", "reduce", "many_derivatives", "backwards"),
    *("copies", "graph_engine", "moving_back", "errata", "without_races"),
)


def place() -> Path:
    """Return where the file is: TENSORKIT_PROGRESS, or else the user's folder for data."""
    if named := os.environ.get("TENSORKIT_PROGRESS"):
        return Path(named)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "tensorkit" / "progress.json"


def passed() -> dict[str, str]:
    """Return the day on which each task passed first; a file that cannot be read holds none."""
    with suppress(OSError, ValueError):
        found = json.loads(place().read_text("utf-8"))
        if isinstance(found, dict):
            return {str(task): str(day) for task, day in found.items()}
    return {}


def note(task: str) -> None:
    """Remember that ``task`` passed. Where nothing can be written, nothing is remembered."""
    days = passed()
    if task not in days:
        days[task] = date.today().isoformat()
        with suppress(OSError):
            place().parent.mkdir(parents=True, exist_ok=True)
            place().write_text(json.dumps(days, indent=1) + "\n", "utf-8")


def tasks() -> dict[str, list[str]]:
    """Return the names of the tasks of every lesson, in the order of the course."""
    there = (files("tensorkit") / "lessons").iterdir()
    names = {path.name.removesuffix(".py") for path in there} & set(ORDER)
    modules = {name: importlib.import_module(f"tensorkit.lessons.{name}") for name in names}
    return {name: list(modules[name].TASKS) for name in ORDER if name in names}


class Progress:
    """What was built so far, lesson by lesson, as a table."""

    def lines(self) -> list[tuple[str, str, str]]:
        """Return for every task: its lesson, its name, and the day of its first pass, or ""."""
        days = passed()
        return [
            (lesson, task, days.get(f"{lesson}.{task}", ""))
            for lesson, names in tasks().items()
            for task in names
        ]

    def save(self, path: str | Path) -> Path:
        """Copy what is remembered to a file of your own, and return where it is."""
        Path(path).write_text(json.dumps(passed(), indent=1) + "\n", "utf-8")
        return Path(path)

    def forget(self) -> Progress:
        """Delete the file. The notebooks stay as they are."""
        place().unlink(missing_ok=True)
        return self

    def __repr__(self) -> str:
        lines = self.lines()
        done = sum(bool(day) for _, _, day in lines)
        shown = [f"{done} of {len(lines)} builds passed their checks"]
        shown += [f"{lesson}.{task}: {day or 'not yet'}" for lesson, task, day in lines]
        return "\n".join([*shown, f"kept in {place()}"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        first, *lines, last = repr(self).splitlines()
        cells = "".join(
            f"<tr>{''.join(f'<td>{html.escape(part)}</td>' for part in line.split(': '))}</tr>"
            for line in lines
        )
        table = f"<table><caption>{first}</caption>{cells}</table>"
        return {"text/html": f"{table}<p>{html.escape(last)}</p>", "text/plain": repr(self)}
