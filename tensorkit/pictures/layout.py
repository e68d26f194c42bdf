"""Where the cells of a tensor go: a scalar, a line, a grid, framed slices, a grid of blocks.

The last two dims run down and across one block, as NumPy prints them; dim -3 runs over blocks to
the right, dim -4 downwards. There is no perspective: every cell can be read and pointed at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

Point = tuple[float, float]
BoxEdges = tuple[float, float, float, float]

LABEL = 0.9  # cells above a tensor that its label takes
PAD = 0.14  # between a slice and its frame
HEAD = 0.55  # above a frame, for the index of its slice
SPACE = 0.4  # between frames
PITCH = 1.75  # from line to line of a tape, in its cells: below each line stand the positions
DENSE_PITCH = 1.22  # where they do not


@dataclass(frozen=True)
class Drawn:
    """A tensor on the canvas: the keys of its cells in row-major order, and where they are."""

    keys: list[str]
    shape: tuple[int, ...]
    places: tuple[Point, ...]
    cell: tuple[float, float]
    box: BoxEdges

    def ordinal(self, index: int | Sequence[int]) -> int:
        """Return the row-major number of a cell. Raises IndexError outside the shape."""
        where = (index,) if isinstance(index, int) else tuple(index)
        if len(where) != len(self.shape):
            raise IndexError(
                f"index {where} has {len(where)} entries, the shape {self.shape} has "
                f"{len(self.shape)} dims: give one entry for each dim"
            )
        number = 0
        for i, length in zip(where, self.shape, strict=True):
            if not 0 <= i < length:
                raise IndexError(f"index {where} lies outside the shape {self.shape}")
            number = number * length + i
        return number

    def key(self, index: int | Sequence[int]) -> str:
        """Return the key of the cell at an index such as ``(1, 2)``; ``()`` for a 0-D tensor."""
        return self.keys[self.ordinal(index)]

    def cell_box(self, index: int | Sequence[int]) -> BoxEdges:
        """Return the edges (x0, y0, x1, y1) of the cell at an index."""
        x, y = self.places[self.ordinal(index)]
        return x, y, x + self.cell[0], y + self.cell[1]

    def centre(self, index: int | Sequence[int]) -> Point:
        """Return the middle of the cell at an index."""
        x0, y0, x1, y1 = self.cell_box(index)
        return (x0 + x1) / 2, (y0 + y1) / 2


@dataclass(frozen=True)
class Layout:
    """Places of the cells from (0, 0), the frames around slices, the captions of the frames."""

    places: tuple[Point, ...]
    frames: tuple[BoxEdges, ...]
    heads: tuple[tuple[float, float, str], ...]
    size: tuple[float, float]


def tensor_size(
    shape: Sequence[int], cell: tuple[float, float] = (1.0, 1.0)
) -> tuple[float, float]:
    """Return the width and height in cells of a tensor's picture, without its label (``LABEL``)."""
    return arrange(shape, cell).size


def arrange(shape: Sequence[int], cell: tuple[float, float] = (1.0, 1.0)) -> Layout:
    """Place the cells of a tensor of 0 to 4 dims. Raises ValueError for more."""
    dims = tuple(int(length) for length in shape)
    if len(dims) > 4:
        raise ValueError(
            f"a picture shows 0 to 4 dims, and the shape {dims} has {len(dims)}: "
            "index the tensor, or view it with fewer dims"
        )
    rows, columns = (1, 1, *dims)[-2:]
    outer = dims[:-2]
    w, h = cell
    wide, high = max(columns, 1) * w, max(rows, 1) * h  # a tensor without cells still takes room
    block = [(c * w, r * h) for r in range(rows) for c in range(columns)]
    if not outer:
        return Layout(tuple(block), (), (), (wide, high))
    down, right = (1, *outer)[-2:]
    step_x, step_y = wide + 2 * PAD + SPACE, high + 2 * PAD + HEAD + SPACE * 0.6
    places: list[Point] = []
    frames: list[BoxEdges] = []
    heads: list[tuple[float, float, str]] = []
    for index in product(*(range(length) for length in outer)):
        i, j = ((0, *index))[-2:]
        x, y = j * step_x, i * step_y + HEAD
        places += [(x + PAD + dx, y + PAD + dy) for dx, dy in block]
        frames.append((x, y, x + wide + 2 * PAD, y + high + 2 * PAD))
        heads.append((x + wide / 2 + PAD, y - 0.26, str(list(index))))
    size = (
        max(right, 1) * step_x - SPACE,
        max(down, 1) * step_y - SPACE * 0.6,
    )
    return Layout(tuple(places), tuple(frames), tuple(heads), size)


def tape(
    count: int, per_line: int, cell: tuple[float, float] = (1.0, 1.0), dense: bool = False
) -> Layout:
    """Place ``count`` cells on lines of ``per_line``, with room for positions unless ``dense``."""
    if per_line < 1:
        raise ValueError(f"per_line is {per_line}: a line of a storage strip holds at least 1 cell")
    (w, h), pitch = cell, DENSE_PITCH if dense else PITCH
    lines = max(1, math.ceil(count / per_line))
    places = tuple((i % per_line * w, i // per_line * pitch * h) for i in range(count))
    frames = []
    for line in range(lines):
        filled = min(per_line, count - line * per_line)
        if filled:
            frames.append((0.0, line * pitch * h, filled * w, line * pitch * h + h))
    size = (max(1, min(count, per_line)) * w, (lines * pitch - 0.2) * h)
    return Layout(places, tuple(frames), (), size)
