"""Shapes below each other, the last dims in one column: what broadcasting says about each dim.

Lengths must be equal or 1, and a shape that is too short gets dims of length 1, on the left only.
Where two lengths clash, dims of length 1 put in by hand may still make the shapes meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from tensorkit.errors import ShapeError
from tensorkit.layout import Shape, broadcast_shapes
from tensorkit.pictures.board import spell_index
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import listed

COLUMN, ROW = 1.45, 1.1
WIDE, HIGH = 1.25, 0.95


@dataclass(frozen=True)
class Verdict:
    """What happens at one dim of the result: its length (None where two clash), and to whom.

    ``lengths`` holds None for a shape that has no such dim.
    """

    dim: int
    lengths: tuple[int | None, ...]
    length: int | None
    stretched: tuple[int, ...]
    new: tuple[int, ...]

    def short(self, names: Sequence[str]) -> str:
        """Return the verdict in one or two words, to stand below a column."""
        if self.length is None:
            given = dict.fromkeys(n for n in self.lengths if n not in (None, 1))
            return " ≠ ".join(map(str, given))
        who = ", ".join(names[k] for k in sorted((*self.stretched, *self.new)))
        return f"{who} ×{self.length}" if who and self.length != 1 else "as it is"

    def said(self, names: Sequence[str], copied: bool = False) -> str:
        """Return the verdict in words; ``copied`` if what is stretched is copied and not reread."""
        told = [
            f"{name} has {'no such dim' if n is None else n}"
            for name, n in zip(names, self.lengths, strict=True)
        ]
        text = f"Dim {self.dim}: {', '.join(told)}"
        if self.length is None:
            return f"{text}. They differ and neither is 1, so nothing says which cells meet"
        parts = [f"{names[k]} gets one of length 1 on the left" for k in self.new]
        grown = [names[k] for k in (*self.stretched, *self.new) if self.length != 1]
        if grown:
            who = f"{listed(grown)} {'are' if len(grown) > 1 else 'is'}"
            how = f"copied {self.length} times" if copied else "read with stride 0"
            parts.append(f"1 stretches to {self.length}, so {who} {how}")
        return f"{text}: {', '.join(parts) or 'equal, cell meets cell'}"


def verdicts(shapes: Sequence[Shape]) -> list[Verdict]:
    """Return what broadcasting says about every dim of the result, from the first to the last."""
    ndim = max(map(len, shapes), default=0)
    found = []
    for dim in range(ndim):
        lengths = tuple(
            shape[dim - ndim + len(shape)] if dim >= ndim - len(shape) else None for shape in shapes
        )
        try:
            (length,) = broadcast_shapes(*((1 if n is None else n,) for n in lengths))
        except ShapeError:
            found.append(Verdict(dim, lengths, None, (), ()))
            continue
        stretched = tuple(k for k, n in enumerate(lengths) if n == 1 and length != 1)
        new = tuple(k for k, n in enumerate(lengths) if n is None)
        found.append(Verdict(dim, lengths, length, stretched, new))
    return found


@dataclass(frozen=True)
class Rescue:
    """Shapes with dims of length 1 put in by hand, and what they then broadcast to."""

    shapes: tuple[Shape, ...]
    result: Shape
    added: tuple[tuple[int, ...], ...]  # where the new dims stand in each shape

    def spelled(self, names: Sequence[str]) -> list[str]:
        """Return the code that puts them in: ``y.unsqueeze(1)``."""
        return [
            name + "".join(f".unsqueeze({d})" for d in dims)
            for name, dims in zip(names, self.added, strict=True)
            if dims
        ]


def rescue(shapes: Sequence[Shape]) -> Rescue | None:
    """Return how dims of length 1 make shapes meet: the fewest dims, and the smallest result.

    At most two new dims in each shape are tried; None if that does not help.
    """
    ways = [[*_with_ones(shape)] for shape in shapes]
    found: list[tuple[tuple[int, int, int], Rescue]] = []
    for picked in product(*ways):
        made, added = zip(*picked, strict=True)
        try:
            result = broadcast_shapes(*made)
        except ShapeError:
            continue
        cost = len(result), sum(map(len, added)), math.prod(result)
        found.append((cost, Rescue(made, result, added)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _with_ones(shape: Shape) -> Iterator[tuple[Shape, tuple[int, ...]]]:
    """Yield a shape with no, one or two dims of length 1 put in, and where they stand."""
    for count in range(3):
        for dims in combinations(range(len(shape) + count), count):
            rest = iter(shape)
            yield tuple(1 if d in dims else next(rest) for d in range(len(shape) + count)), dims


class Table:
    """Lines of a number for each dim, right-justified; below them verdicts, and a result."""

    def __init__(
        self,
        scene: Scene,
        key: str,
        x: float,
        y: float,
        lines: Sequence[Sequence[object]],
        result: bool = True,
    ) -> None:
        self.ndim = max(map(len, lines), default=0)
        self.cells: list[list[str]] = []
        for d in range(self.ndim):
            middle = x + d * COLUMN + WIDE / 2
            scene.label(middle, y - 0.35, f"dim {d}", size=9.5, role="dim", align="center")
        for nth, line in enumerate([*lines, *([()] if result else [])]):
            last = nth == len(lines)
            top = y + nth * ROW + 0.75 * last
            missing = self.ndim - len(line)
            drawn = [
                scene.cell(
                    f"{key}.{nth}.{d}", x + d * COLUMN, top,
                    "" if d < missing else line[d - missing], w=WIDE, h=HIGH,
                    role="ghost" if d < missing else None,
                )
                for d in range(self.ndim)
            ]  # fmt: skip
            self.cells.append(drawn)
        self.words = [f"{key}.verdict.{d}" for d in range(self.ndim)]
        for d, word in enumerate(self.words):
            at = x + d * COLUMN + WIDE / 2
            scene.label(at, y + len(lines) * ROW + 0.3, "", word, size=9.5, align="center")

    def column(self, dim: int) -> list[str]:
        """Return the keys of a dim's lengths, one for each shape."""
        return [line[dim] for line in self.cells[:-1]]

    @property
    def result(self) -> list[str]:
        """The keys of the result's line."""
        return self.cells[-1]


def table_size(ndim: int, lines: int) -> tuple[float, float]:
    """Return the width and height of a table."""
    return ndim * COLUMN, (lines + 1) * ROW + 0.75


def spell_shape(shape: Sequence[int]) -> str:
    """Return a shape as it stands in a call: ``4, 1``."""
    return spell_index(shape)[1:-1]
