"""A plate is a tensor to be laid out: its grid reads a storage, of which a part may be drawn.

The grid is about indices, the tape below it about positions; a plate knows how one leads to the
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.layout import Layout
from tensorkit.pictures.excerpt import spell_part
from tensorkit.pictures.layout import Drawn
from tensorkit.pictures.text import fmt

PER_LINE = 12
TAPE = 64  # places of a storage that are all drawn, even if no cell of the grid sits there


@dataclass(frozen=True)
class Plate:
    """A tensor to be laid out: how its grid reads ``storage``, which holds texts or numbers.

    ``given`` is its shape before broadcasting, if that differs; ``ghost`` draws all cells as not
    there yet. ``whole`` is the shape of what ``layout`` is a corner of.
    """

    key: str
    name: str
    layout: Layout
    storage: Sequence[Any] | NDArray[Any]
    given: tuple[int, ...] | None = None
    ghost: bool = False
    whole: tuple[int, ...] | None = None

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The position in storage of every cell, in the shape of the grid."""
        at = self.layout
        where = np.full(at.shape, at.offset, dtype=np.int64)
        for dim, (length, stride) in enumerate(zip(at.shape, at.strides, strict=True)):
            along = [length if d == dim else 1 for d in range(len(at.shape))]
            where = where + (np.arange(length) * stride).reshape(along)
        return where

    @cached_property
    def copies(self) -> NDArray[np.bool_]:
        """Which cells of the grid are a repeated look at a cell that stands before them."""
        flat = self.positions.ravel()
        first = np.full(flat.size, True)
        first[np.unique(flat, return_index=True)[1]] = False
        return first.reshape(self.layout.shape)

    @cached_property
    def places(self) -> list[int]:
        """The places of storage that are drawn: all of a small one, else those of the grid."""
        used = np.unique(self.positions).tolist()
        return used if len(self.storage) > max(TAPE, 2 * len(used)) else [*range(len(self.storage))]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor, of which the grid may be a corner."""
        return self.layout.shape if self.whole is None else self.whole

    @property
    def title(self) -> str:
        """The name and the shape that the tensor was given in."""
        return f"{self.name}  {self.shape if self.given is None else self.given}"

    @property
    def note(self) -> str:
        """The strides, and what they repeat."""
        at = self.layout
        text = f"strides {at.strides}" if at.strides else "0-d: no strides"
        if at.offset:
            text += f", offset {at.offset}"
        if at.shape != self.shape:
            text = f"{spell_part(at.shape, self.shape)} of it, {text}"
        return text if self.given in (None, self.shape) else f"as {self.shape}, {text}"

    @property
    def per_line(self) -> int:
        """How many cells a line of the tape has."""
        return self.run(PER_LINE)

    def run(self, most: int) -> int:
        """Return how many cells a line of the tape has: whole runs of the last dim, if they fit."""
        last = self.layout.shape[-1] if self.layout.shape else 1
        if len(self.places) < len(self.storage):  # a gap in the storage begins a line
            return min(max(last, 1), most)
        return last * (most // last) if 0 < last <= most else most

    def arithmetic(self, index: tuple[int, ...]) -> str:
        """Return how an index becomes a position, in numbers: ``1·3 + 0·1 = 3``."""
        at = self.layout
        terms = [f"{i}·{fmt(s)}" for i, s in zip(index, at.strides, strict=True)]
        if at.offset:
            terms.insert(0, str(at.offset))
        position = at.offset + sum(i * s for i, s in zip(index, at.strides, strict=True))
        return f"{' + '.join(terms)} = {position}" if terms else str(position)


@dataclass(frozen=True)
class Seat:
    """A plate on the board: its grid, its tape by position, and which keys show what."""

    plate: Plate
    grid: Drawn
    tape: Mapping[int, str]

    def at(self, positions: Sequence[int]) -> list[str]:
        """Return the keys of all cells that show these positions, in the grid and on the tape."""
        flat = self.plate.positions.ravel()
        cells = [self.grid.keys[i] for p in positions for i in np.flatnonzero(flat == p)]
        return cells + [self.tape[p] for p in positions if p in self.tape]

    def cell(self, ordinal: int) -> list[str]:
        """Return the keys of one cell of the grid and of its place on the tape."""
        position = int(self.plate.positions.ravel()[ordinal])
        return [self.grid.keys[ordinal], self.tape[position]]
