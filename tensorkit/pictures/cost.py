"""What a kernel costs, counted: the same on every machine, where seconds never are.

A count says why one version is slower than another: helpers called for each cell, arrays made and
filled only to be read once, a parallel loop with a single iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tensorkit.lanes import Lanes
from tensorkit.pictures.board import EDGE, measure
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import fmt

COLUMN, HEAD = 4.2, 2.0  # cells: the least width of a version, the room above the first line


@dataclass(frozen=True)
class Count:
    """One thing that is counted: its name, how, and what a difference in it means.

    ``each`` says that it is also told for each cell of out.
    """

    name: str
    of: Callable[[Lanes], float]
    more_is_better: bool
    why: str
    each: bool = False


COUNTS = (
    Count(
        "iterations that may run together",
        lambda ran: max(ran.loops, default=0),
        True,
        "A parallel loop cannot use more workers than it has iterations.",
    ),
    Count(
        "calls of helper functions",
        lambda ran: sum(ran.calls.values()),
        False,
        "A helper that is called for each cell is the inner loop: work it out once, before.",
        each=True,
    ),
    Count(
        "arrays made on the way",
        lambda ran: len(ran.made),
        False,
        "Each array is asked of the system, and given back.",
    ),
    Count(
        "bytes of these arrays",
        lambda ran: sum(one.nbytes for one in ran.made),
        False,
        "What is written only to be read once more travels to memory and back for nothing.",
    ),
    Count(
        "cells read", lambda ran: _touched(ran, "read"), False, "Every read is a trip to memory."
    ),
    Count(
        "cells written",
        lambda ran: _touched(ran, "write"),
        False,
        "A running value in a local variable is written once, not at every step of the fold.",
        each=True,
    ),
)


def cost_scene(runs: Mapping[str, Lanes], cells: int) -> Scene:
    """Draw the counts of several runs side by side, one kind of cost a step.

    ``runs`` maps the name of a version to its run, ``cells`` is how many cells of out each of them
    fills. Raises ValueError for no runs.
    """
    if not runs:
        raise ValueError("there is nothing to compare: give at least one run of a kernel")
    names = list(runs)
    table = [[count.of(ran) for ran in runs.values()] for count in COUNTS]
    left = EDGE + max(measure(count.name, 11) for count in COUNTS) + 0.6
    wide = max(COLUMN, *(measure(name, 11, bold=True) + 0.6 for name in names))
    height = HEAD + 1.25 * len(COUNTS) + 0.3
    scene = Scene(left + wide * len(names) + EDGE, height, "What it costs, counted")
    for k, name in enumerate(names):
        at = left + wide * (k + 0.5)
        scene.label(at, HEAD - 0.95, name, bold=True, size=11, align="center")
        scene.label(at, HEAD - 0.4, loops_of(runs[name]), size=9.5, role="dim", align="center")
    keys: list[list[str]] = []
    for row, count in enumerate(COUNTS):
        y = HEAD + 1.25 * row
        scene.label(left - 0.4, y + 0.5, count.name, key=f"name.{row}", size=11, align="right")
        places = [left + wide * k + 0.15 for k in range(len(names))]
        keys.append(
            [
                scene.cell(f"{row}.{k}", x, y, "", w=wide - 0.3, role="ghost", size=11)
                for k, x in enumerate(places)
            ]
        )
    scene.step(f"Each version fills {cells} cells of out. What it does on the way is counted.")
    for count, numbers, line in zip(COUNTS, table, keys, strict=True):
        best = max(numbers) if count.more_is_better else min(numbers)
        differs = len(set(numbers)) > 1
        winners = [key for key, n in zip(line, numbers, strict=True) if differs and n == best]
        scene.step(
            said(count, names, numbers, cells),
            text={key: spelled(n) for key, n in zip(line, numbers, strict=True)},
            keep={None: [key for key in line if key not in winners], "done": winners},
            read=line,
        )
    scene.step(verdict(names, table))
    return scene


def said(count: Count, names: Sequence[str], numbers: Sequence[float], cells: int) -> str:
    """Return one line of the table in words, with what it means if the versions differ."""
    parts = [
        f"{name} {spelled(number)}"
        + (f" ({fmt(number / cells)} a cell of out)" if count.each and number and cells else "")
        for name, number in zip(names, numbers, strict=True)
    ]
    head = f"{count.name[0].upper()}{count.name[1:]}"
    if len(set(numbers)) == 1 and len(names) > 1:
        return f"{head}: {spelled(numbers[0])} in every version."
    return f"{head}: {', '.join(parts)}. {count.why}"


def verdict(names: Sequence[str], table: Sequence[Sequence[float]]) -> str:
    """Say which version wins each count; which one is faster on a machine is another question."""
    wins = [0] * len(names)
    for count, numbers in zip(COUNTS, table, strict=True):
        best = max(numbers) if count.more_is_better else min(numbers)
        for k, number in enumerate(numbers):
            wins[k] += len(set(numbers)) > 1 and number == best
    told = ", ".join(f"{name} in {n}" for name, n in zip(names, wins, strict=True))
    if len(names) == 1:
        return "These counts are the same on every machine and at every run."
    return (
        f"Best counts: {told} of {len(table)}. They are the same on every machine, at every run; "
        "seconds are not."
    )


def loops_of(ran: Lanes) -> str:
    """Return the parallel loops of a run in words."""
    if not ran.loops:
        return "no parallel loop"
    return f"prange of {' and '.join(map(str, dict.fromkeys(ran.loops)))}"


def spelled(number: float) -> str:
    """Return a count with thin spaces between its thousands."""
    return f"{int(number):,}".replace(",", "\N{THIN SPACE}")


def _touched(ran: Lanes, kind: str) -> int:
    return sum(access.touch.kind == kind for access in ran.accesses)
