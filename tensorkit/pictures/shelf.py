"""Tensors in lines and below them the flat runs of numbers that they read, each drawn once.

Tensors that share a storage are drawn over one tape. Every cell of a grid knows its place there by
a sum, offset + i·s0 + j·s1, and the jumps of that sum can be drawn over the tape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorkit.pictures.board import (
    ABOVE,
    EDGE,
    Piece,
    Plate,
    flow,
    measure,
    spell_index,
    write_head,
)
from tensorkit.pictures.cells import window
from tensorkit.pictures.excerpt import corner, counted
from tensorkit.pictures.layout import Drawn, Point, tape, tensor_size
from tensorkit.pictures.running import index_of
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import MINUS, fmt
from tensorkit.tensor import Tensor

WHOLE = 64  # cells of a tensor, or places of its storage, up to which all are drawn
PART = 48  # cells of a corner
COLOURS = ("write", "read", "grad", "expected")  # of the jumps along dim 0, 1, 2, 3
ONE_LINE = 24  # cells of a tape that is not folded, so that jumps can be drawn over it
OVER = 1.9  # above a tape: its name, and room for jumps
MONO = 0.61  # em, the width of a letter in the font of sums


def part(t: Tensor) -> Tensor:
    """Return a tensor that is small enough to be drawn, or else its corner."""
    small = max(t.size, t.storage.size) <= WHOLE
    lengths = window(t.shape, WHOLE if small else PART)
    return t if lengths == t.shape else corner(t, lengths)


def groups(tensors: Mapping[str, Tensor]) -> list[list[str]]:
    """Return the names of the tensors, those that share a storage together."""
    found: list[list[str]] = []
    for name, t in tensors.items():
        for names in found:
            other = tensors[names[0]].storage
            if np.shares_memory(other, t.storage):
                if _start(other) != _start(t.storage) or other.size != t.storage.size:
                    raise ValueError(
                        f"{names[0]} and {name} share a part of their memory, each as a storage "
                        "of its own: make both from one tensor, by slicing or moving its dims"
                    )
                names.append(name)
                break
        else:
            found.append([name])
    return found


class Shelf:
    """Named tensors in lines, the tapes that they read below, and the steps about them.

    ``extra`` is a tape of so many empty cells, for a copy that a step may fill.
    """

    def __init__(
        self,
        title: str,
        tensors: Mapping[str, Tensor],
        walked: str,
        extra: tuple[str, int] = ("", 0),
    ) -> None:
        self.whole = {name: t.shape for name, t in tensors.items()}
        self.tensors = {name: part(t) for name, t in tensors.items()}
        self.groups = groups(tensors)
        self.plates = {
            name: Plate(name, name, t.layout, t.storage, whole=self.whole[name])
            for name, t in self.tensors.items()
        }
        self.grids: dict[str, Drawn] = {}
        self.tapes: dict[str, dict[int, str]] = {}
        self.spots: dict[str, dict[int, Point]] = {}
        self.sums = [f"{name}.sum" for name in tensors]
        self.walked = walked
        grids = [self._grid(plate) for plate in self.plates.values()]
        right, bottom = flow(grids, EDGE, ABOVE, 27.0)
        strips = [self._strip(names) for names in self.groups]
        if extra[1]:
            strips.append(self._copy(*extra))
        for strip in strips:
            strip.row = True
        wide, bottom = flow(strips, bottom - 0.2, OVER, max(right, float(ONE_LINE)))
        self.scene = Scene(max(right, wide, 15.0) + EDGE, bottom + 0.1, title)
        for piece in (*grids, *strips):
            piece.draw(self.scene, *piece.place, piece.height)
        self._link()
        self.jumps = self._jumps(self.plates[walked])

    def _grid(self, plate: Plate) -> Piece:
        width, height = tensor_size(plate.layout.shape)
        longest = max((len(self.sum_of(plate, k)) for k in range(plate.layout.size)), default=0)
        heads = measure(plate.title, 11, bold=True), measure(plate.note, 9.5)

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            write_head(scene, x, y, plate.title, plate.note)
            shown = self.tensors[plate.key].numpy()
            drawn = scene.tensor(plate.key, shown, x, y, ghost=plate.copies)
            self.grids[plate.key] = drawn
            scene.label(x, y + height + 0.5, "", f"{plate.key}.sum", size=9.5, mono=True)

        wide = max(width, longest * MONO * 9.5 / 34, *heads)
        return Piece(lambda: (wide, height + 0.6), draw)

    def _strip(self, names: Sequence[str]) -> Piece:
        storage = self.tensors[names[0]].storage
        places = self._places(names)
        per_line = min(max(len(places), 1), ONE_LINE)
        title = f"storage of {listed(names)}"
        if len(places) < len(storage):
            title += f", {len(places)} of its {counted(len(storage))} places"
        wide, high = tape(len(places), per_line, (1.0, 0.92)).size
        walked = self.walked in names

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            over = OVER - 0.45 if walked and len(places) <= ONE_LINE else 0.42
            scene.label(x, y - over, title, bold=True, size=10.5)
            if walked:
                self._legend(scene, x + measure(title, 10.5, bold=True) + 0.6, y - over)
            values = [fmt(storage[p]) for p in places]
            key = f"{names[0]}_storage"
            drawn = scene.strip(key, values, x, y, per_line=per_line, numbers=places)
            for name in names:
                self.tapes[name] = dict(zip(places, drawn.keys, strict=True))
                self.spots[name] = dict(zip(places, drawn.places, strict=True))

        legend = 3.4 * self.tensors[self.walked].ndim if walked else 0.0
        width = max(wide, measure(title, 10.5, bold=True) + legend)
        return Piece(lambda: (width, high - 0.35), draw)

    def _places(self, names: Sequence[str]) -> list[int]:
        """Return the places of a storage that are drawn: all, or those that the grids read."""
        count = len(self.tensors[names[0]].storage)
        if count <= WHOLE:
            return list(range(count))
        return sorted({p for n in names for p in self.plates[n].positions.ravel().tolist()})

    def _copy(self, name: str, count: int) -> Piece:
        size = tape(count, count, (1.0, 0.92)).size

        def draw(scene: Scene, x: float, y: float, _: float) -> None:
            scene.label(x, y - 0.42, f"storage of {name}", bold=True, size=10.5)
            self.copy = scene.strip("copy", [""] * count, x, y, per_line=count)

        return Piece(lambda: (size[0], size[1] - 0.35), draw)

    def _legend(self, scene: Scene, x: float, y: float) -> None:
        """Write how far one step along each dim of the walked tensor jumps, in its colour."""
        for d, stride in enumerate(self.plates[self.walked].layout.strides):
            text = f"dim {d} of {self.walked}: {signed(stride)}"
            scene.label(x, y, text, size=9.5, role=COLOURS[d])
            x += measure(text, 9.5) + 0.5

    def _link(self) -> None:
        for names in self.groups:
            for position, key in self.tapes[names[0]].items():
                shared = [k for name in names for k in self.cells(name, position)]
                if shared:
                    self.scene.link(key, shared)

    def _jumps(self, plate: Plate) -> dict[tuple[int, int, int], str]:
        """Draw the jump from every place that an index passes on its way to its position."""
        drawn: dict[tuple[int, int, int], list[str]] = {}
        for ordinal in range(plate.layout.size):
            for jump in self.way(plate, ordinal):
                if jump not in drawn:
                    start, end, d = jump
                    drawn[jump] = self.arc("jump", plate.key, start, end, d, COLOURS[d])
        return {jump: keys[0] for jump, keys in drawn.items() if keys}

    def arc(self, kind: str, name: str, start: int, end: int, d: int, role: str) -> list[str]:
        """Draw a hidden arc over a tape, and return its key; a folded tape has no arcs."""
        spots = self.spots[name]
        # the way to a cell may pass places that are not drawn
        if len(spots) > ONE_LINE or start == end or not {start, end} <= set(spots):
            return []
        a, b = self.over(name, start), self.over(name, end)
        length = abs(b[0] - a[0])
        lift = 2 * min(0.95, 0.3 + 0.09 * length) / length * (1 if b[0] > a[0] else -1)
        key = f"{kind}.{d}.{start}.{end}"
        return [self.scene.arrow(key, a, b, role=role, curve=lift)]

    def over(self, name: str, position: int) -> Point:
        """Return the point above a cell of the tape."""
        x, y = self.spots[name][position]
        return x + 0.5, y - 0.1

    def way(self, plate: Plate, ordinal: int) -> list[tuple[int, int, int]]:
        """Return the jumps (from, to, dim) that lead from the offset to a cell's position."""
        at, found = plate.layout.offset, []
        for d, i in enumerate(index_of(ordinal, plate.layout.shape)):
            for _ in range(i if plate.layout.strides[d] else 0):
                found.append((at, at + plate.layout.strides[d], d))
                at = found[-1][1]
        return found

    def sum_of(self, plate: Plate, ordinal: int) -> str:
        """Return the sum that finds a cell: ``x[1, 2] → 1·3 + 2·1 = 5``."""
        index = index_of(ordinal, plate.layout.shape)
        return f"{plate.name}{spell_index(index)} → {plate.arithmetic(index)}"

    def cells(self, name: str, position: int) -> list[str]:
        """Return the keys of the cells of a tensor that show a position of its storage."""
        flat = self.plates[name].positions.ravel()
        return [self.grids[name].keys[k] for k in np.flatnonzero(flat == position).tolist()]

    def sharing(self, name: str) -> list[str]:
        """Return the names of the tensors on the storage of one, itself first."""
        names = next(group for group in self.groups if name in group)
        return [name, *(other for other in names if other != name)]

    def shown(self, name: str, position: int) -> tuple[list[str], dict[str, str], list[str]]:
        """Return all keys that show a position, every tensor's sum for it, the names it has."""
        keys, sums, called = [self.tapes[name][position]], {}, []
        for other in self.sharing(name):
            plate, cells = self.plates[other], self.cells(other, position)
            keys += cells
            none = "no cell" if plate.layout.shape == plate.shape else "no cell shown"
            sums[f"{other}.sum"] = f"{other}: {none} at {position}"
            if cells:
                ordinal = self.grids[other].keys.index(cells[0])
                sums[f"{other}.sum"] = self.sum_of(plate, ordinal)
                index = spell_index(index_of(ordinal, plate.layout.shape))
                called.append(other + index)
        return keys, sums, called


def signed(number: int) -> str:
    """Return a jump with its sign: ``+3``, ``−1``, ``0``."""
    return str(number) if not number else f"{'+' if number > 0 else MINUS}{abs(number)}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: ``x, y and z``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _start(storage: Any) -> int:
    return int(storage.__array_interface__["data"][0])
