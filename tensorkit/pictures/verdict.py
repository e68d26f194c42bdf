"""The first thing that went wrong in a loop, in words: which read or write, and what belongs there.

A cell of out that ends up wrong is followed back: to a read that does not feed it, a write to the
wrong place, a cell left out or met twice, a start value forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tensorkit.layout import row_major
from tensorkit.pictures.board import spell_index
from tensorkit.pictures.expected import Call, Cell, Expected
from tensorkit.pictures.running import index_of
from tensorkit.pictures.text import fmt
from tensorkit.trace import Trace


@dataclass(frozen=True)
class Finding:
    """Something wrong at a step of the trace, or at its end (None), and the cells concerned."""

    step: int | None
    say: str
    wrong: tuple[Cell, ...] = ()
    expected: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class _Write:
    step: int
    position: int
    reads: tuple[tuple[int, Cell], ...]  # the steps and cells that were read for it
    alone: bool  # the line wrote one cell; else nobody knows which read was for which


def close(a: float, b: float) -> bool:
    """Tell whether two numbers are the same but for rounding; nan is itself."""
    return bool(np.isclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))


def wrong_cells(ran: Trace, expected: Expected) -> list[int]:
    """Return the positions of out that do not hold what they should."""
    after = ran.after["out"]
    want = expected.want or {}
    return [p for p, value in want.items() if not close(after[p], value)]


class Verdict:
    """All findings of one run, at most one a step, in the order of the steps."""

    def __init__(self, call: Call, ran: Trace, expected: Expected) -> None:
        self.call, self.ran, self.expected = call, ran, expected
        self.wrong = wrong_cells(ran, expected)
        self._found: dict[int | None, Finding] = {}
        self._blamed: set[int] = set()
        self.writes = list(self._follow())
        self.written = {write.position for write in self.writes}
        for write in self.writes:
            self._check_reads(write)
        if ran.ending.how == "returned" and expected.want is not None:
            for position in self.wrong:
                self._check_value(position)
            self._check_left_out()

    @property
    def findings(self) -> list[Finding]:
        """The findings, those at the end last."""
        return sorted(self._found.values(), key=lambda f: (f.step is None, f.step))

    def _add(self, finding: Finding) -> None:
        self._found.setdefault(finding.step, finding)

    def _follow(self) -> Iterable[_Write]:
        """Walk through the touches; give each write with what was read since the one before."""
        names = {plate.name for plate in self.call.inputs}
        pending: list[tuple[int, Cell]] = []
        for number, step in enumerate(self.ran.steps):
            for touch in step.touches:
                cells = tuple((touch.storage, p) for p in touch.positions)
                if touch.kind == "read" and touch.storage in names:
                    pending += [(number, cell) for cell in cells]
                elif touch.kind == "write" and touch.storage in names:
                    say = f"{touch.storage} is an input: the loop must not change it."
                    self._add(Finding(number, say, wrong=cells))
                elif touch.kind == "write":
                    yield from self._written(number, touch.positions, tuple(pending))
                    pending = []

    def _written(
        self, number: int, positions: Sequence[int], reads: tuple[tuple[int, Cell], ...]
    ) -> Iterable[_Write]:
        for p in positions:
            if p in self.expected.feeds:
                yield _Write(number, p, reads, len(positions) == 1)
            else:
                at = self.call.out.layout
                say = f"With strides {at.strides} no cell of out sits at position {p}."
                self._add(Finding(number, say, wrong=(("out", p),)))

    def _check_reads(self, write: _Write) -> None:
        fed = self.expected.feeds[write.position]
        strange = [(step, cell) for step, cell in write.reads if cell not in fed]
        if not (strange and write.alone and write.position in self.wrong):
            return
        self._blamed.add(write.position)
        owner = self._owner({cell for _, cell in write.reads})
        if owner is not None and self._out_is_odd():
            self._add(self._misplaced(write, owner))
            return
        for step, cell in strange:
            self._add(Finding(step, self._strange(write.position, cell), (cell,), fed))

    def _owner(self, read: set[Cell]) -> int | None:
        """Return the position of the one cell of out that is fed by just these cells."""
        owners = [p for p, fed in self.expected.feeds.items() if set(fed) == read]
        return owners[0] if len(owners) == 1 else None

    def _out_is_odd(self) -> bool:
        """Tell whether only the layout of out departs from reading order."""
        plain = [p.layout.strides == row_major(p.layout.shape) for p in self.call.inputs]
        return all(plain) and self.call.out.layout.strides != row_major(self.call.out.layout.shape)

    def _misplaced(self, write: _Write, owner: int) -> Finding:
        here, there = self._index(write.position), self._index(owner)
        say = (
            f"What was read belongs to cell {there}, which sits at {self._arithmetic(owner)}: "
            f"position {write.position} is cell {here}."
        )
        return Finding(write.step, say, (("out", write.position),), (("out", owner),))

    def _strange(self, position: int, cell: Cell) -> str:
        fed = self.expected.feeds[position]
        end = "is not it" if len(fed) == 1 else "is not one of them"
        fed_by = f"{self.call.named(('out', position))} is {self.expected.words}"
        say = f"{fed_by} {self.call.listed(fed)}: {self.call.named(cell)} {end}."
        (plate,) = (p for p in self.call.inputs if p.name == cell[0])
        if self.call.kind != "reduce" and plate.layout.strides != row_major(plate.layout.shape):
            say += f" The strides of {plate.name} are {plate.layout.strides}."
        return say

    def _check_value(self, position: int) -> None:
        """Find out why a cell is wrong although no read was strange."""
        writes = [write for write in self.writes if write.position == position]
        if position in self._blamed or not writes:
            return
        fed, last = self.expected.feeds[position], writes[-1].step
        got, want = self.ran.after["out"][position], (self.expected.want or {})[position]
        read = Counter(cell for write in writes for _, cell in write.reads)
        before = {cell for w in self.writes if w.step <= last for _, cell in w.reads}
        missing = tuple(cell for cell in fed if cell not in before)
        twice = tuple(cell for cell in fed if read[cell] > fed.count(cell))
        name = self.call.named(("out", position))
        if missing:
            left = "it was" if len(missing) == 1 else "they were"
            say = f"{name} is {self.expected.words} {self.call.listed(fed)}."
            say += f" {self.call.listed(missing)}: {left} never read."
            self._add(Finding(last, say, (("out", position),), missing))
            return
        if twice and self.call.kind == "reduce":
            say = f"{name} is {self.expected.words} {self.call.listed(fed)}:"
            say += f" {self.call.listed(twice)} was read again."
            again = [s for w in writes for s, cell in w.reads if cell == twice[0]]
            self._add(Finding(again[1], say, twice[:1], fed))
            return
        guess = self._guess(position, got, want)
        say = f"{name} should be {fmt(want)}. {guess}"
        self._add(Finding(last, say, (("out", position),), fed))

    def _guess(self, position: int, got: float, want: float) -> str:
        held = f"out held {fmt(self.expected.start)} before"
        stored = {plate.name: plate.storage for plate in self.call.inputs}
        values = [stored[name][p] for name, p in self.expected.feeds[position]]
        if self.call.kind != "reduce":
            if self.expected.start and close(got, want + self.expected.start):
                return f"{held}, and that was added: a {self.call.kind} overwrites."
            if len(values) == 2 and values[0] != values[1]:
                return "The right cells were read: look at the formula, and at the order."
            return "The right cell was read: look at the formula."
        if close(got, self.expected.bare[position]):
            return f"{held}, and a fold goes on from there: that was left out."
        if len(values) > 1 and close(got, values[-1]):
            return "It holds only the last cell that was read: fold into what is there."
        return "All its cells were read: look at how they are put together."

    def _check_left_out(self) -> None:
        left = [p for p, fed in self.expected.feeds.items() if fed and p not in self.written]
        if not left or not self.written:
            return  # a loop that wrote nothing at all is another story
        was = "was" if len(left) == 1 else "were"
        say = f"{self.call.listed([('out', p) for p in left])} {was} never written."
        self._add(Finding(None, say, tuple(("out", p) for p in left)))

    def _index(self, position: int) -> str:
        (ordinal,) = np.flatnonzero(self.call.out.positions.ravel() == position)
        return spell_index(index_of(int(ordinal), self.call.out.layout.shape))

    def _arithmetic(self, position: int) -> str:
        (ordinal,) = np.flatnonzero(self.call.out.positions.ravel() == position)
        return self.call.out.arithmetic(index_of(int(ordinal), self.call.out.layout.shape))
