"""Ordinal, index and position are three numbers for one cell, and only one of them is memory.

The ordinal counts cells in reading order. The index is that count written in mixed radix: one digit
for each dim, the last turns fastest, a full dim rolls over and carries 1. The position weighs the
same digits by the strides instead, so it follows the layout while ordinal and index do not.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from tensorkit.errors import IndexingError, ShapeError
from tensorkit.layout import Shape, row_major
from tensorkit.pictures.board import ABOVE, EDGE, Plate, measure, spell_index, write_head
from tensorkit.pictures.layout import tensor_size
from tensorkit.pictures.reference import index_to_position, to_index
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor

How = Literal["count", "divide"]
TALL = 8  # digits of a wheel that is drawn whole
DRAWN = 24  # cells, and places of storage, that are drawn
FEW = 48  # ordinals that are all told
DIGIT = 0.78  # the height of a digit


def odometer_scene(x: Tensor, how: How = "count", ordinal: int | None = None) -> Scene:
    """Return the scene of a counter over the cells of x: its digits are the index.

    With ``how="divide"`` ordinals are taken apart digit by digit, only ``ordinal`` if given; else
    the counter runs through all. Of a large tensor, the ordinals around each carry are told. Raises
    ShapeError for a tensor without cells or of more than 4 dims, IndexingError for no such ordinal.
    """
    if not x.size or not 0 < x.ndim <= 4:
        raise ShapeError(f"an odometer needs 1 to 4 dims and at least one cell, not {x.shape}")
    if ordinal is not None and not 0 <= ordinal < x.size:
        raise IndexingError(f"{x.shape} has ordinals 0 to {x.size - 1}, and no ordinal {ordinal}")
    odometer = _Odometer(x, how)
    told = around_carries(x.shape) if ordinal is None else [ordinal]
    if how == "divide":
        odometer.divide(told)
    else:
        odometer.count(told)
    odometer.sum_up()
    return odometer.scene


def around_carries(shape: Shape) -> list[int]:
    """Return the ordinals to tell: all of a few, else those around the first carry of each dim."""
    size = math.prod(shape)
    if size <= FEW:
        return list(range(size))
    turns = [w * k for w in row_major(shape) for k in (1, 2)]
    near = {t + d for t in turns for d in (-2, -1, 0, 1)} | {0, 1, 2, size - 2, size - 1}
    return sorted(k for k in near if 0 <= k < size)


class _Odometer:
    """The counter, the three numbers that it shows, and below them the cells where they lead."""

    def __init__(self, x: Tensor, how: How) -> None:
        self.x, self.plate = x, Plate("x", "x", x.layout, x.storage.tolist())
        self.weights = row_major(x.shape)
        self.drawn = x.size <= DRAWN and x.storage.size <= DRAWN
        self._lay_out(self._code() if how == "divide" else None)

    def _code(self) -> Source:
        text = [inspect.getsource(f).splitlines() for f in (to_index, index_to_position)]
        lines = [*text[0], "", *text[1]]
        self.divided = next(k for k, line in enumerate(lines, 1) if "%" in line)
        self.summed = next(k for k, line in enumerate(lines, 1) if "sum(" in line)
        return Source(lines)

    def _lay_out(self, code: Source | None) -> None:
        x, plate, ndim = self.x, self.plate, self.x.ndim
        wide, high = tensor_size(x.shape) if self.drawn else (0.0, 0.0)
        top = ABOVE + 0.9
        left = EDGE + (max(wide, measure(plate.note, 9.5)) + 1.4 if self.drawn else 0.0)
        tall = max(n if n <= TALL else 1 for n in x.shape) * DIGIT
        right = left + ndim * 1.5 + 1.1
        last = [n - 1 for n in x.shape]
        sums = max(measure(f"= {self._spell(last, w)}", 10.5) for w in self._two())
        width = max(right + 3.9 + sums, EDGE + (x.storage.size if self.drawn else 0))
        middle = top + max(high, tall, 3.6) + 0.5
        depth = middle + 4.6 if self.drawn else middle
        title = f"Ordinal, index and position in {x.shape}"
        self.scene = scene = Scene(width + EDGE, depth, title, code)
        if self.drawn:
            write_head(scene, EDGE, top, plate.title, plate.note)
            self.grid = scene.tensor("x", x.numpy(), EDGE, top, ghost=plate.copies).keys
            self.read = self._tape(
                "ordinals",
                "in reading order, by ordinal",
                middle + 0.6,
                x.numpy().ravel().tolist(),
            )
            self.tape = self._tape(
                "storage", "in storage, by position", middle + 2.8, x.storage.tolist()
            )
        else:
            scene.label(EDGE, 0.45, f"x  {plate.note}", size=9.5, role="dim", italic=True)
        self._wheels(left, top)
        self._numbers(right, top)

    def _tape(self, key: str, name: str, y: float, values: Sequence[float]) -> list[str]:
        self.scene.label(EDGE, y - 0.4, name, size=10.5, bold=True)
        return self.scene.strip(key, values, EDGE, y, per_line=max(len(values), 1)).keys

    def _wheels(self, left: float, top: float) -> None:
        """Draw a wheel of digits for each dim; a long one shows a single digit."""
        scene = self.scene
        self.wheels: list[list[str]] = []
        tops = []
        for d, n in enumerate(self.x.shape):
            at = left + d * 1.5
            scene.label(at + 0.5, top - 0.92, f"dim {d}", size=10.5, bold=True, align="center")
            scene.label(at + 0.5, top - 0.36, f"of {n}", size=9.5, role="dim", align="center")
            digits = list(range(n)) if n <= TALL else [""]
            places = [(at, top + k * DIGIT) for k in range(len(digits))]
            self.wheels.append(scene.grid(f"wheel{d}", places, digits, h=DIGIT))
            tops.append((at + 0.5, top - 1.15))
        self.carries = {
            d: scene.arrow(f"carry{d}", tops[d], tops[d - 1], role="write", curve=-0.35)
            for d in range(1, self.x.ndim)
        }

    def _numbers(self, x: float, top: float) -> None:
        """Draw the three numbers, each with the sum that it is."""
        scene = self.scene
        names = ("ordinal", "index", "position")
        for nth, name in enumerate(names):
            y = top + nth * 1.25
            scene.label(x, y + 0.45, name, size=11, bold=True)
            wide = 2.6 if name == "index" else 1.3
            scene.cell(name, x + 2.3, y, "", w=wide, h=0.9)
            if name != "index":
                scene.label(x + 3.8, y + 0.45, "", f"{name}.sum", size=10.5)

    def _two(self) -> tuple[Shape, Shape]:
        return self.weights, self.x.strides

    def _spell(self, index: Sequence[int], weights: Sequence[int]) -> str:
        """Return the weighed digits of an index: ``1·6 + 0·2 + 1·1``."""
        terms = [f"{i}·{fmt(w)}" for i, w in zip(index, weights, strict=True)]
        offset = [str(self.x.offset)] if self.x.offset and weights is not self.weights else []
        return " + ".join([*offset, *terms])

    def texts(self, ordinal: int) -> dict[str, object]:
        """Return what all labels say about a cell."""
        index = self.x.index(ordinal)
        numbers = {"ordinal": ordinal, "index": spell_index(index), "position": self.at(ordinal)}
        sums = {
            f"{name}.sum": f"= {self._spell(index, weights)}"
            for name, weights in zip(("ordinal", "position"), self._two(), strict=True)
        }
        return {**numbers, **sums, **self.turned(index)}

    def turned(self, index: Sequence[int]) -> dict[str, object]:
        """Return the texts of the wheels that show a single digit."""
        return {w[0]: i for w, i in zip(self.wheels, index, strict=True) if len(w) == 1}

    def at(self, ordinal: int) -> int:
        """Return the position of a cell."""
        return self.x.position(self.x.index(ordinal))

    def digits(self, index: Sequence[int]) -> list[str]:
        """Return the key of the digit at which each wheel stands."""
        return [w[i if len(w) > 1 else 0] for w, i in zip(self.wheels, index, strict=True)]

    def cell(self, ordinal: int) -> list[str]:
        """Return the keys of a cell in the grid, in reading order and in storage."""
        if not self.drawn:
            return []
        return [self.grid[ordinal], self.read[ordinal], self.tape[self.at(ordinal)]]

    def count(self, ordinals: Sequence[int]) -> None:
        """Tell the counter: which wheels roll over, and what is carried."""
        first = f"Ordinal {ordinals[0]}: every wheel stands at 0, and {self.found(ordinals[0])}."
        for ordinal, say in [(ordinals[0], first), *self._turns(ordinals)]:
            index = self.x.index(ordinal)
            rolled = self._rolled(ordinal) if ordinal else []
            self.scene.step(
                say,
                text=self.texts(ordinal),
                write=self.digits(index),
                read=self.cell(ordinal),
                show=[self.carries[d] for d in rolled if d],
            )

    def _turns(self, ordinals: Sequence[int]) -> Iterator[tuple[int, str]]:
        for before, ordinal in pairwise(ordinals):
            moved = self.x.ndim - 1 - len(self._rolled(ordinal))
            full = [f"dim {d} rolls over to 0 and carries 1" for d in self._rolled(ordinal)]
            turned = f"dim {moved} turns to {self.x.index(ordinal)[moved]}"
            if ordinal > before + 1:
                full, turned = [f"{ordinal - before - 1} ordinals are left out"], f"now {turned}"
            yield (
                ordinal,
                (
                    f"Ordinal {ordinal}: {', '.join([*full, turned])}. "
                    f"{self.found(ordinal).capitalize()}."
                ),
            )

    def _rolled(self, ordinal: int) -> list[int]:
        """Return the dims that went back to 0 when the counter reached an ordinal."""
        index, rolled = self.x.index(ordinal), []
        for d in reversed(range(self.x.ndim)):
            if index[d]:
                break
            rolled.append(d)
        return rolled

    def found(self, ordinal: int) -> str:
        """Say where a cell sits."""
        index = self.x.index(ordinal)
        return f"index {spell_index(index)} sits at {self.plate.arithmetic(index)}"

    def divide(self, ordinals: Sequence[int]) -> None:
        """Tell how each ordinal is taken apart, digit by digit from the last, as the code does."""
        offset = f", and the offset {self.x.offset} is added" if self.x.offset else ""
        for ordinal in ordinals:
            rest, index = ordinal, [0] * self.x.ndim
            blank: dict[str, object] = dict.fromkeys(self.texts(ordinal), "")
            blank["ordinal"] = ordinal
            for d in reversed(range(self.x.ndim)):
                n = self.x.shape[d]
                index[d], left = rest % n, rest // n
                what = f"Ordinal {rest}" if d == self.x.ndim - 1 else str(rest)
                then = f"{left} is left for dim {d - 1}" if d else "the index is complete"
                self.scene.step(
                    f"{what} = {left}·{n} + {index[d]}: the digit of dim {d} is {index[d]}, "
                    f"and {then}.",
                    line=self.divided,
                    variables=f"ordinal={rest}   dim={d}   index={index}",
                    text=(blank if d == self.x.ndim - 1 else {}) | self._so_far(index, d),
                    write=[*self.digits(index)[d:], "index"],
                )
                rest = left
            self.scene.step(
                f"{self.found(ordinal).capitalize()}: the strides weigh the digits now{offset}.",
                line=self.summed,
                variables=f"index={index}",
                text=self.texts(ordinal),
                read=[*self.cell(ordinal), "position"],
                write=self.digits(index),
            )

    def _so_far(self, index: Sequence[int], d: int) -> dict[str, object]:
        known = ["·" if k < d else str(i) for k, i in enumerate(index)]
        turned = {w[0]: known[k] for k, w in enumerate(self.wheels) if len(w) == 1}
        return {"index": f"[{', '.join(known)}]", **turned}

    def sum_up(self) -> None:
        """Tell how often ordinal and position differ."""
        count = np.arange(self.x.size)
        same = int((self.plate.positions.ravel() == count).sum())
        weighed = f"The weights {self.weights} make an ordinal of the digits"
        say = f"{weighed}, the strides {self.x.strides} a position"
        say += f" from {self.x.offset} on" if self.x.offset else ""
        who = "all cells" if same == self.x.size else f"{same} of {self.x.size} cells"
        self.scene.step(f"{say}: the two are equal for {who}.")
