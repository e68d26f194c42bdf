"""A board shows every tensor twice: as a grid with its index, and as a tape with its positions.

The picture of an operation is about the grid, its code is about storage. Both stand in one frame,
and pointing at a cell lights it in the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.errors import ShapeError
from tensorkit.layout import Layout
from tensorkit.pictures.layout import Drawn, tape, tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import fmt, text_width
from tensorkit.pictures.theme import CELL

MOST = 64  # cells of one tensor, or of its storage, that a reader can still step through
WIDE = 27.0  # cells; tensors that would reach further go on the next line
EDGE, BETWEEN, ABOVE = 0.6, 1.0, 1.3  # margins; ABOVE a tensor stand its name and its strides
PER_LINE = 12


@dataclass(frozen=True)
class Plate:
    """A tensor to be laid out: how its grid reads ``storage``, which holds texts or numbers.

    ``given`` is its shape before broadcasting, if that differs; ``ghost`` draws all cells as not
    there yet.
    """

    key: str
    name: str
    layout: Layout
    storage: Sequence[Any]
    given: tuple[int, ...] | None = None
    ghost: bool = False

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

    @property
    def title(self) -> str:
        """The name and the shape that the tensor was given in."""
        return f"{self.name}  {self.given or self.layout.shape}"

    @property
    def note(self) -> str:
        """The strides, and what they repeat."""
        at = self.layout
        text = f"strides {at.strides}" if at.strides else "0-d: no strides"
        if at.offset:
            text += f", offset {at.offset}"
        return text if self.given in (None, at.shape) else f"as {at.shape}, {text}"

    @property
    def per_line(self) -> int:
        """How many cells a line of the tape has: whole runs of the last dim, where they fit."""
        last = self.layout.shape[-1] if self.layout.shape else 1
        return last * (PER_LINE // last) if 0 < last <= PER_LINE else PER_LINE

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
    """A plate on the board: its grid and its tape, and which keys show what."""

    plate: Plate
    grid: Drawn
    tape: Drawn

    def at(self, positions: Sequence[int]) -> list[str]:
        """Return the keys of all cells that show these positions, in the grid and on the tape."""
        flat = self.plate.positions.ravel()
        cells = [self.grid.keys[i] for p in positions for i in np.flatnonzero(flat == p)]
        return cells + [self.tape.keys[p] for p in positions]

    def cell(self, ordinal: int) -> list[str]:
        """Return the keys of one cell of the grid and of its place on the tape."""
        position = int(self.plate.positions.ravel()[ordinal])
        return [self.grid.keys[ordinal], self.tape.keys[position]]


@dataclass
class Piece:
    """Something with a size, drawn once its place is known; ``row`` starts a new line.

    A sign stands close to its neighbours, at the middle of the piece before it.
    """

    width: float
    height: float
    draw: Callable[[Scene, float, float, float], None]
    row: bool = False
    sign: bool = False
    place: tuple[float, float] = (0.0, 0.0)


class Board:
    """Tensors with their signs in lines, and below them their storages.

    Fill it with ``tensor``, ``sign`` and ``box``, then call ``scene`` once. Raises ShapeError for
    a tensor or a storage of more than MOST cells, or more than 4 dims.
    """

    def __init__(self, title: str, code: Source | None = None) -> None:
        self.title, self.code = title, code
        self.seats: dict[str, Seat] = {}
        self._plates: list[Plate] = []
        self._grids: dict[str, Drawn] = {}
        self._pieces: list[Piece] = []

    def tensor(self, plate: Plate, row: bool = False) -> None:
        """Add a tensor to the line, or to a new line."""
        check_size(plate.name, plate.layout.shape, len(plate.storage))
        width, height = tensor_size(plate.layout.shape)
        wide = max(width, measure(plate.title, 11, bold=True), measure(plate.note, 9.5))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, plate.title, plate.note)
            values = np.array([fmt(v) for v in plate.storage] or [""], dtype=object)
            shown = values[plate.positions] if plate.layout.size else np.zeros(plate.layout.shape)
            ghost = True if plate.ghost else plate.copies
            self._grids[plate.key] = scene.tensor(plate.key, shown, x, y, ghost=ghost)

        self._plates.append(plate)
        self._pieces.append(Piece(wide, height, draw, row))

    def sign(self, text: str, pill: bool = True) -> None:
        """Add the sign of an operation, or an equals sign, to the line."""
        width = max(1.1, measure(text, 12) + 0.7) if pill else 0.6

        def draw(scene: Scene, x: float, y: float, height: float) -> None:
            middle = y + height / 2
            if pill:
                scene.pill("operation", x, middle - 0.5, width, 1, text, size=12)
            else:
                scene.label(x + width / 2, middle, text, size=16, align="center")

        self._pieces.append(Piece(width, 1, draw, sign=True))

    def box(self, key: str, name: str, note: str, text: object, row: bool = False) -> None:
        """Add a single cell for a local variable of the loop."""
        width = max(1.0, measure(note, 9.5))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, name, note)
            scene.cell(key, x, y, text)

        self._pieces.append(Piece(width, 1, draw, row))

    def shape(self, key: str, name: str, note: str, shape: tuple[int, ...]) -> None:
        """Add an empty grid that only shows a shape."""
        width, height = tensor_size(shape)
        wide = max(width, measure(name, 11, bold=True), measure(note, 9.5))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, name, note)
            scene.tensor(key, np.full(shape, "", dtype=object), x, y, role="read")

        self._pieces.append(Piece(wide, height, draw))

    def scene(self) -> Scene:
        """Draw all that was added; ``seats`` then holds every tensor by its key."""
        right, bottom = flow(self._pieces, EDGE, ABOVE, WIDE)
        strips = [self._strip(plate) for plate in self._plates]
        wide, bottom = flow(strips, bottom, 0.9, max(right, 14.0))
        scene = Scene(max(right, wide, 9.0) + EDGE, bottom + 0.25, self.title, self.code)
        for piece in (*self._pieces, *strips):
            piece.draw(scene, *piece.place, piece.height)
        for seat in self.seats.values():
            for key, position in zip(seat.grid.keys, seat.plate.positions.ravel(), strict=True):
                scene.link(key, seat.tape.keys[int(position)])
        return scene

    def _strip(self, plate: Plate) -> Piece:
        name = f"storage of {plate.name}"
        size = tape(len(plate.storage), plate.per_line, (1.0, 0.92)).size
        width = max(size[0], measure(name, 10.5, bold=True))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            scene.label(x, y - 0.42, name, bold=True, size=10.5)
            values = [fmt(v) for v in plate.storage]
            strip = scene.strip(f"{plate.key}_storage", values, x, y, per_line=plate.per_line)
            if not values:
                scene.label(x, y + 0.4, "no cells", size=8.5, role="dim")
            self.seats[plate.key] = Seat(plate, self._grids[plate.key], strip)

        return Piece(width, size[1] - 0.35, draw)


def flow(pieces: Sequence[Piece], top: float, above: float, wide: float) -> tuple[float, float]:
    """Place pieces from left to right in lines; return where they end, right and below."""
    x, y, right, tallest = EDGE, top + above, EDGE, 0.0
    last: Piece | None = None
    for piece in pieces:
        if last is not None:
            x += 0.5 if piece.sign or last.sign else BETWEEN
            if piece.row or x + piece.width > wide + EDGE:
                x, y, tallest = EDGE, y + tallest + above + 0.4, 0.0
            elif piece.sign:
                piece.height = last.height
        piece.place = (x, y)
        x += piece.width
        right, tallest, last = max(right, x), max(tallest, piece.height), piece
    return right, y + tallest + 0.4


def write_head(scene: Scene, x: float, y: float, name: str, note: str) -> None:
    """Write a name and a note below it, above a tensor at (x, y)."""
    scene.label(x, y - 0.92, name, bold=True, size=11)
    scene.label(x, y - 0.36, note, size=9.5, role="dim", italic=True)


def check_size(name: str, shape: tuple[int, ...], storage: int) -> None:
    """Raise ShapeError for a tensor that is too large to step through."""
    cells = max(math.prod(shape), storage)
    if cells > MOST:
        what = "" if math.prod(shape) == cells else "the storage of "
        raise ShapeError(
            f"{what}{name} has {cells} cells, and a picture steps through at most {MOST}: "
            "choose a smaller shape, such as (4, 6)"
        )
    if len(shape) > 4:
        raise ShapeError(
            f"{name} has {len(shape)} dims, and a picture shows 0 to 4: view it with fewer dims"
        )


def spell_index(index: Sequence[int]) -> str:
    """Return an index as it stands in code: ``[1, 0]``; nothing for a 0-d tensor."""
    return f"[{', '.join(map(str, index))}]" if len(index) else ""


def measure(text: str, size: float, bold: bool = False) -> float:
    """Return the width in cells of a text at a font size in px."""
    return text_width(text) * size * (1.1 if bold else 1.0) / CELL
