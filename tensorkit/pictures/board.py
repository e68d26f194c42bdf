"""A board shows every tensor twice: as a grid with its index, and as a tape with its positions.

The picture of an operation is about the grid, its code is about storage. Both stand in one frame,
and pointing at a cell lights it in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tensorkit.pictures.excerpt import DENSE, counted
from tensorkit.pictures.layout import Drawn, tape, tensor_size
from tensorkit.pictures.plates import PER_LINE, Plate, Seat
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import fmt, text_width
from tensorkit.pictures.theme import CELL

__all__ = [
    "ABOVE",
    "BETWEEN",
    "EDGE",
    "Board",
    "Plate",
    "Seat",
    "flow",
    "measure",
    "spell_index",
    "write_head",
]

WIDE = 27.0  # cells; tensors that would reach further go on the next line
EDGE, BETWEEN, ABOVE = 0.6, 1.0, 1.3  # margins; ABOVE a tensor stand its name and its strides
SMALL = (0.94, 0.7)  # a cell where there are many


@dataclass
class Piece:
    """Something with a size, drawn once its place is known; ``row`` starts a new line.

    A sign stands close to its neighbours, at the middle of the piece before it.
    """

    size: Callable[[], tuple[float, float]]
    draw: Callable[[Scene, float, float, float], None]
    row: bool = False
    sign: bool = False
    place: tuple[float, float] = (0.0, 0.0)
    height: float = 0.0


class Board:
    """Tensors with their signs in lines, and below them their storages.

    Fill it with ``tensor``, ``sign`` and ``box``, then call ``scene`` once. Where there are many
    cells they are smaller, and only the first place of each line of a tape has its number.
    """

    def __init__(self, title: str, code: Source | None = None) -> None:
        self.title, self.code = title, code
        self.seats: dict[str, Seat] = {}
        self._plates: list[Plate] = []
        self._grids: dict[str, Drawn] = {}
        self._pieces: list[Piece] = []

    def tensor(self, plate: Plate, row: bool = False) -> None:
        """Add a tensor to the line, or to a new line."""

        def size() -> tuple[float, float]:
            width, height = tensor_size(plate.layout.shape, self.cell)
            width += 0.7 * (plate.layout.shape[-1:] != plate.shape[-1:])
            height += 0.6 * (plate.layout.shape[-2:-1] != plate.shape[-2:-1])
            return max(width, measure(plate.title, 11, bold=True), measure(plate.note, 9.5)), height

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, plate.title, plate.note)
            texts = [fmt(plate.storage[p]) for p in plate.positions.ravel().tolist()]
            shown: Any = np.reshape(np.array(texts, dtype=object), plate.layout.shape)
            ghost = True if plate.ghost else plate.copies
            drawn = scene.tensor(plate.key, shown, x, y, cell=self.cell, ghost=ghost)
            self._grids[plate.key] = drawn
            more(scene, drawn, plate.shape)

        self._plates.append(plate)
        self._pieces.append(Piece(size, draw, row))

    @property
    def cell(self) -> tuple[float, float]:
        """The size of a cell: smaller where there are many."""
        return SMALL if self.dense else (1.0, 1.0)

    @cached_property
    def dense(self) -> bool:
        """Whether there are many cells."""
        return sum(p.layout.size + len(p.places) for p in self._plates) > DENSE

    def sign(self, text: str, pill: bool = True) -> None:
        """Add the sign of an operation, or an equals sign, to the line."""
        width = max(1.1, measure(text, 12) + 0.7) if pill else 0.6

        def draw(scene: Scene, x: float, y: float, height: float) -> None:
            middle = y + height / 2
            if pill:
                scene.pill("operation", x, middle - 0.5, width, 1, text, size=12)
            else:
                scene.label(x + width / 2, middle, text, size=16, align="center")

        self._pieces.append(Piece(lambda: (width, 1), draw, sign=True))

    def box(self, key: str, name: str, note: str, text: object, row: bool = False) -> None:
        """Add a single cell for a local variable of the loop."""
        width = max(1.0, measure(note, 9.5))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, name, note)
            scene.cell(key, x, y, text)

        self._pieces.append(Piece(lambda: (width, 1), draw, row))

    def shape(self, key: str, name: str, note: str, shape: tuple[int, ...]) -> None:
        """Add an empty grid that only shows a shape."""

        def size() -> tuple[float, float]:
            width, height = tensor_size(shape, self.cell)
            return max(width, measure(name, 11, bold=True), measure(note, 9.5)), height

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, name, note)
            blank = np.full(shape, "", dtype=object)
            scene.tensor(key, blank, x, y, role="read", cell=self.cell)

        self._pieces.append(Piece(size, draw))

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
                scene.link(key, seat.tape[int(position)])
        return scene

    def _strip(self, plate: Plate) -> Piece:
        name = f"storage of {plate.name}"
        places = plate.places
        if len(places) < len(plate.storage):
            name += f", {len(places)} of {counted(len(plate.storage))} places"
        # the number of the first place stands before its line
        before = 0.25 + measure(str(max(places, default=0)), 8.5) if self.dense else 0.0
        per_line = plate.run(PER_LINE * 2 if self.dense else PER_LINE)
        cell = SMALL if self.dense else (1.0, 0.92)
        wide, high = tape(len(places), per_line, cell, self.dense).size
        width = max(before + wide, measure(name, 10.5, bold=True))

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            scene.label(x, y - 0.42, name, bold=True, size=10.5)
            strip = scene.strip(
                f"{plate.key}_storage",
                [fmt(plate.storage[p]) for p in places],
                x + before,
                y,
                per_line=per_line,
                cell=cell,
                numbers=places,
                dense=self.dense,
            )
            if not places:
                scene.label(x, y + 0.4, "no cells", size=8.5, role="dim")
            by_place = dict(zip(places, strip.keys, strict=True))
            self.seats[plate.key] = Seat(plate, self._grids[plate.key], by_place)

        return Piece(lambda: (width, high - (0.0 if self.dense else 0.35)), draw)


def more(scene: Scene, drawn: Drawn, shape: tuple[int, ...]) -> None:
    """Write dots beside and below a corner, where the tensor goes on."""
    x0, y0, x1, y1 = drawn.box
    if drawn.shape[-1:] != shape[-1:]:
        scene.label(x1 + 0.15, (y0 + y1) / 2, "⋯", size=13, role="dim")
    if drawn.shape[-2:-1] != shape[-2:-1]:
        scene.label((x0 + x1) / 2, y1 + 0.3, "⋮", size=13, role="dim", align="center")


def flow(pieces: Sequence[Piece], top: float, above: float, wide: float) -> tuple[float, float]:
    """Place pieces from left to right in lines; return where they end, right and below."""
    x, y, right, tallest = EDGE, top + above, EDGE, 0.0
    last: Piece | None = None
    for piece in pieces:
        width, piece.height = piece.size()
        if last is not None:
            x += 0.5 if piece.sign or last.sign else BETWEEN
            if piece.row or x + width > wide + EDGE:
                x, y, tallest = EDGE, y + tallest + above + 0.4, 0.0
            elif piece.sign:
                piece.height = last.height
        piece.place = (x, y)
        x += width
        right, tallest, last = max(right, x), max(tallest, piece.height), piece
    return right, y + tallest + 0.4


def write_head(scene: Scene, x: float, y: float, name: str, note: str) -> None:
    """Write a name and a note below it, above a tensor at (x, y)."""
    scene.label(x, y - 0.92, name, bold=True, size=11)
    scene.label(x, y - 0.36, note, size=9.5, role="dim", italic=True)


def spell_index(index: Sequence[int]) -> str:
    """Return an index as it stands in code: ``[1, 0]``; nothing for a 0-d tensor."""
    return f"[{', '.join(map(str, index))}]" if len(index) else ""


def measure(text: str, size: float, bold: bool = False) -> float:
    """Return the width in cells of a text at a font size in px."""
    return text_width(text) * size * (1.1 if bold else 1.0) / CELL
