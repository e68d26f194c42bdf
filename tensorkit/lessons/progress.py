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

    def lines(self) -> list[tuple[str, str]]:
        """Return each lesson's number and name, how many of its builds passed, and what is left."""
        days = passed()
        found = []
        for number, (lesson, names) in enumerate(tasks().items(), 1):
            left = [name for name in names if f"{lesson}.{name}" not in days]
            rest = f", still {' and '.join(left)}" if 0 < len(left) < len(names) else ""
            state = f"{len(names) - len(left)} of {len(names)}{rest}"
            found.append((f"{number} {lesson.replace('_', ' ')}", state))
        return found

    def save(self, path: str | Path) -> Path:
        """Copy what is remembered to a file of your own, and return where it is."""
        Path(path).write_text(json.dumps(passed(), indent=1) + "\n", "utf-8")
        return Path(path)

    def forget(self) -> Progress:
        """Delete the file. The notebooks stay as they are."""
        place().unlink(missing_ok=True)
        return self

    def __repr__(self) -> str:
        lines = [f"{lesson}: {state}" for lesson, state in self.lines()]
        return "\n".join(["Builds that passed all their checks", *lines, f"kept in {place()}"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        rows = "".join(
            f"<tr><td>{lesson}</td><td>{state}</td></tr>" for lesson, state in self.lines()
        )
        table = f"<table><caption>Builds that passed all their checks</caption>{rows}</table>"
        where = f"<p>kept in {html.escape(str(place()))}</p>"
        return {"text/html": table + where, "text/plain": repr(self)}
