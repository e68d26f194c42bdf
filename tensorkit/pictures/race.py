"""A race, made visible: one line of cells for each iteration, one place for each cell it touches.

Iterations of a parallel loop run in any order, or at the same time. So two of them must never meet
in a cell unless both only read. Where they do, the picture marks both and says which lines did it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tensorkit.lanes import Access, Conflict, Lane, Lanes, run_lanes
from tensorkit.pictures.board import EDGE, Piece, flow, measure, write_head
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source

ITERATIONS, POSITIONS = 8, 12  # that are drawn
LABEL = 1.6  # cells: the room for the number of an iteration
LETTERS = {"read": "r", "write": "w"}


def race_scene(kernel: Callable[..., Any], *arguments: Any) -> Scene:
    """Run a kernel plainly on copies of ``arguments`` and draw what its iterations touch.

    ``arguments`` are what the kernel takes: flat arrays, shapes, strides. Nothing is compiled and
    no thread is started, so the picture is the same every time.
    """
    return Race(run_lanes(kernel, *arguments)).scene


@dataclass
class Field:
    """The cells that one array shows: a line for each iteration, a place for each position."""

    name: str
    keys: list[str]  # of arrays of this name: one that is shared, or one for each iteration
    size: int
    shared: bool
    cells: dict[tuple[int, int], str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    raced: set[int] = field(default_factory=set)

    @property
    def title(self) -> str:
        """The name, and how many cells there are."""
        return self.name if self.size == 1 else f"{self.name}  {self.size} cells"

    @property
    def note(self) -> str:
        """Whose array it is, and what of it is drawn."""
        whose = "one for all iterations" if self.shared else "one for each iteration"
        return whose if self.size <= POSITIONS else f"{whose}; its first {POSITIONS} cells"


class Race:
    """The story of one run, iteration by iteration."""

    def __init__(self, ran: Lanes, loop: int = 0) -> None:
        self.ran = ran
        conflicts = ran.conflicts
        # a kernel may have several parallel loops: the first that races is the one to look at
        self.loop = next((c.second.lane.loop for c in conflicts if c.second.lane), loop)
        self.conflicts = [c for c in conflicts if c.second.lane and c.second.lane.loop == self.loop]
        self.count = ran.loops[self.loop] if ran.loops else 0
        self.rows = min(self.count, ITERATIONS)
        self.fields = list(self._fields())
        self.scene = self._draw()
        self._tell()

    def _fields(self) -> Iterator[Field]:
        """Yield every array that an iteration writes, those that race first."""
        touched = [a for a in self.ran.accesses if a.lane and a.lane.loop == self.loop]
        written = dict.fromkeys(a.touch.storage for a in touched if a.touch.kind == "write")
        racing = [c.key for c in self.conflicts]
        names = dict.fromkeys(self.ran.names[key] for key in (*racing, *written))
        for name in names:
            keys = [key for key in written if self.ran.names[key] == name]
            size = max(self.ran.sizes[key] for key in keys)
            yield Field(name, keys, size, len(keys) == 1)

    def _draw(self) -> Scene:
        pieces = [
            Piece(partial(self.size_of, one), partial(self.paint, one)) for one in self.fields
        ]
        right, bottom = flow(pieces, EDGE, 1.3, 27.0)
        code = Source(self.ran.lines, self.ran.first) if self.ran.lines else None
        title = f"Which iteration touches what: {self.ran.function}"
        scene = Scene(max(right, 12.0) + EDGE, bottom + 0.6, title, code)
        for piece in pieces:
            piece.draw(scene, *piece.place, piece.height)
        only_read = self._only_read()
        words = "" if not only_read else f"Only read, so safe to share: {', '.join(only_read)}."
        scene.label(EDGE, bottom + 0.1, words, size=9.5, role="dim", italic=True)
        return scene

    def _only_read(self) -> list[str]:
        """Return the arguments that iterations of this loop read and none of them writes."""
        touched = [a for a in self.ran.accesses if a.lane and a.lane.loop == self.loop]
        read = {self.ran.names[a.touch.storage] for a in touched}
        return [n for n in self.ran.arguments if n in read - {f.name for f in self.fields}]

    def size_of(self, one: Field) -> tuple[float, float]:
        """Return the width and height of an array's picture."""
        words = max(measure(one.title, 11, bold=True), measure(one.note, 9.5))
        return max(LABEL + min(one.size, POSITIONS), words), self.rows + 0.5

    def paint(self, one: Field, scene: Scene, x: float, y: float, _: float) -> None:
        """Draw the cells of an array, empty: a line for each iteration."""
        write_head(scene, x, y, one.title, one.note)
        left, width = x + LABEL, min(one.size, POSITIONS)
        for row in range(self.rows):
            scene.label(left - 0.25, y + row + 0.5, f"i = {row}", size=9.5, align="right")
            for position in range(width):
                key = f"{one.name}.{row}.{position}"
                scene.cell(key, left + position, y + row, "", role="ghost", size=11)
                one.cells[row, position] = key
        for position in range(width):
            at = left + position + 0.5, y + self.rows + 0.3
            scene.label(*at, str(position), size=8.5, role="dim", align="center")

    def field_of(self, access: Access) -> Field | None:
        """Return the drawn array that an access touches; None for one that is only read."""
        return next((one for one in self.fields if access.touch.storage in one.keys), None)

    def _tell(self) -> None:
        scene, ran = self.scene, self.ran
        if not ran.loops:
            none = "There is no parallel loop here (no prange)"
            if ran.ending.how != "returned":
                none = "No parallel loop (prange) began"
            scene.step(f"{none}: nothing runs at the same time, so nothing can race.")
            self._end()
            return
        more = (
            "" if self.count <= self.rows else f" The first {self.rows} are drawn, all are checked."
        )
        scene.step(
            f"The parallel loop has {self.count} iterations. They may run in any order, or at the "
            f"same time. A line shows what one of them touches: r is read, w is written.{more}"
        )
        for (lane, line), group in itertools.groupby(
            (a for a in ran.accesses if a.lane and a.lane.loop == self.loop), _where
        ):
            accesses = list(group)
            met = [c for c in self.conflicts if any(a is c.second for a in accesses)]
            if lane.number < self.rows:
                self._step(lane, line, accesses, met)
        self._end()

    def _step(self, lane: Lane, line: int, accesses: list[Access], met: list[Conflict]) -> None:
        marked: dict[str, list[str]] = {"read": [], "write": []}
        text: dict[str, str] = {}
        wrong: list[str] = []
        for access in accesses:
            one = self.field_of(access)
            key = one.cells.get((lane.number, access.position)) if one else None
            if one is None or key is None:
                continue
            had, letter = one.seen.get(key, ""), LETTERS[access.touch.kind]
            text[key] = one.seen[key] = had if letter in had else "".join(sorted(had + letter))
            marked[access.touch.kind].append(key)
            if any(access is conflict.second for conflict in met):
                one.raced.add(access.position)
            if access.position in one.raced:
                wrong += [
                    k for (_, p), k in one.cells.items() if p == access.position and k in one.seen
                ]
        if not text and not met:
            return
        say = f"Iteration {lane.number} {_said(self.ran, accesses)}."
        if met:
            say += f" A race: {met[0]}."
        self.scene.step(
            say,
            line=line if self.scene.code and self.scene.code.holds(line) else None,
            marks=list(dict.fromkeys(a.touch.span for a in accesses if a.touch.span)),
            bad=bool(met),
            text=text,
            read=marked["read"],
            write=marked["write"],
            wrong=wrong if met else (),
            keep={None: [key for key in text if key not in wrong], "wrong": wrong},
        )

    def _end(self) -> None:
        ending = self.ran.ending
        if ending.error == "NotImplementedError":
            self.scene.step(f"Yours to write: {ending.message or 'put your loop there.'}")
        elif ending.how != "returned":
            what = f"{ending.error}: {ending.message}" if ending.error else ending.message
            self.scene.step(f"The run ended here: {what}.", bad=True)
        elif self.conflicts:
            self.scene.step(f"{self._verdict()} {self._advice()}", bad=True)
        elif self.ran.loops:
            made = [one.name for one in self.fields if not one.shared]
            own = f" Each iteration has its own {' and '.join(made)}." if made else ""
            self.scene.step(
                "No cell that an iteration writes is touched by another, on this input: its "
                f"iterations may run in any order.{own}"
            )

    def _verdict(self) -> str:
        names = dict.fromkeys(c.array for c in self.conflicts)
        counts = [(name, sum(c.array == name for c in self.conflicts)) for name in names]
        said = " and ".join(f"{n} {'cell' if n == 1 else 'cells'} of {name}" for name, n in counts)
        return f"Iterations meet in {said}. What they leave there depends on who comes last."

    def _advice(self) -> str:
        racing = {c.key for c in self.conflicts}
        made = [one for one in self.ran.made if one.lane is None]
        buffers = [m for m in made if any(self.ran.names[key] == m.name for key in racing)]
        if buffers:
            one = buffers[0]
            return (
                f"{one.name} is made once, on line {one.line}, before the loop. Make it inside the "
                "loop: each iteration then has its own."
            )
        return (
            "Let the parallel loop run over the cells of out, so that each of them belongs to one "
            "iteration, and fold inside it."
        )


def _where(access: Access) -> tuple[Lane, int]:
    assert access.lane is not None
    return access.lane, access.touch.line


def _said(ran: Lanes, accesses: list[Access]) -> str:
    """Return what accesses did, in words: ``reads a[3], writes out[0]``."""
    parts = []
    for kind, verb in (("read", "reads"), ("write", "writes")):
        cells = [
            f"{ran.names[a.touch.storage]}[{a.position}]" for a in accesses if a.touch.kind == kind
        ]
        cells = list(dict.fromkeys(cells))
        if cells:
            rest = f" and {len(cells) - 4} more" if len(cells) > 5 else ""
            parts.append(f"{verb} {', '.join(cells[: 4 if rest else 5])}{rest}")
    return ", ".join(parts)
