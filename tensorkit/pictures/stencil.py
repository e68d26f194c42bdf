"""A reduce as a stencil: as long as x along the reduced dim, 1 along the others.

It fits in as many places as out has cells: laid on each of them in turn, it says which cells meet
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.layout import Shape, normal_dim
from tensorkit.pictures.board import (
    EDGE,
    Plate,
    measure,
    spell_index,
    write_head,
)
from tensorkit.pictures.cells import equals
from tensorkit.pictures.excerpt import corner, left_out, shown, spell_part
from tensorkit.pictures.expected import run_cells
from tensorkit.pictures.fold import BETWEEN, landing, run_fold, whole_fold
from tensorkit.pictures.layout import BoxEdges, Drawn, tensor_size
from tensorkit.pictures.running import as_tensor, index_of
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import MINUS, fmt
from tensorkit.reduction import Reduce
from tensorkit.tensor import Tensor
from tensorkit.trace import Trace

FEW = 6  # terms of a fold that a caption writes out


def stencil_scene(
    x: Any, dim: int = 0, op: Any = None, start: float | None = None, backwards: bool = False
) -> Scene:
    """Return the scene of a stencil that moves over x, one cell of out after the other.

    ``op`` is a reduce, sum if not given; ``start`` is what it starts from, if not its own, and
    ``backwards`` lets it read each stencil from its end. Raises TypeError for another operation,
    and ShapeError or IndexingError as the operation does.
    """
    row: Any = ops.get("sum") if op is None else op
    if not isinstance(row, Reduce):
        raise TypeError(f"{getattr(row, 'name', row)!r} is no reduce: give one such as tk.sum")
    x = as_tensor(x)
    dim = normal_dim(dim, x.shape)
    return _Stencil(x, dim, row, row.start if start is None else start, backwards).scene


class _Stencil:
    """The picture of a stencil on x, and of out beside or below it."""

    def __init__(
        self, whole: Tensor, dim: int, row: Reduce, start: float, backwards: bool = False
    ) -> None:
        self.whole, self.dim, self.row, self.start = whole, dim, row, start
        self.backwards = backwards
        self.x = x = corner(whole, shown(whole.shape, 2))
        self.out = landing(x, (dim,))[0]
        self.places = places_of(x, dim)
        if backwards:
            self.places = [cells[::-1] for cells in self.places]
        self.shape = tuple(n if d == dim else 1 for d, n in enumerate(x.shape))
        self._draw()
        # from cell to cell of out: the same loop, with the reduced dim as the innermost
        order = [*(d for d in range(x.ndim) if d != dim), dim]
        self._tell(*run_fold(row, turned(x, dim) if backwards else x, (dim,), order, start))

    def _draw(self) -> None:
        (w, h), (ow, oh), (sw, sh) = map(tensor_size, (self.x.shape, self.out.shape, self.shape))
        beside = self.x.ndim == 1 or (self.x.ndim == 2 and self.dim == 1)
        below = self.x.ndim == 2 and self.dim == 0
        top, ways = 1.9, _directions(self.x.ndim)
        end = EDGE + max(w, measure(ways, 9.5), 1.6)
        under = top + h + (1.6 if below else 1.8)
        at = (end + 1.0, top) if beside else (EDGE, under)
        right = (at[0] + max(ow, 2.2) if beside else end) + 1.0
        width = max(right + max(sw, 4.4), EDGE + ow + (3 if below else 0)) + EDGE
        height = max(top + h, at[1] + oh, top + sh) + 0.6
        self.scene = scene = Scene(width, height, f"{self.row.name} over dim {self.dim}")
        part = spell_part(self.x.shape, self.whole.shape)
        ways = f"{part} of it" if part else ways
        write_head(scene, EDGE, top, f"x  {self.whole.shape}", ways)
        self.grid = scene.tensor("x", self.x.numpy(), EDGE, top)
        blank = np.full(self.out.shape, "", dtype=object)
        self.drawn = scene.tensor("out", blank, *at, ghost=True)
        name = f"out  {self.out.shape}"
        if below:
            scene.label(at[0] + ow + 0.35, at[1] + oh / 2, name, bold=True, size=11)
        else:
            write_head(scene, *at, name, _count(self.places, "cell"))
        note = f"{self.row.name} over dim {self.dim}"
        write_head(scene, right, top, f"stencil  {self.shape}", note)
        scene.tensor("stencil", np.full(self.shape, "", dtype=object), right, top, role="read")
        self.outlines = [
            draw_outlines(scene, f"around.{number}", self.grid, cells)
            for number, cells in enumerate(self.places)
        ]
        # in more dims an arrow would run over other slices
        self.arrows = self._arrows() if self.x.size and (beside or below) else []
        for number, cells in enumerate(self.places):
            if cells:
                scene.link(self.drawn.keys[number], [self.grid.keys[cell] for cell in cells])

    def _arrows(self) -> list[str]:
        drawn = []
        for number, cells in enumerate(self.places):
            x0, y0, x1, y1 = around(self.grid, cells)
            a, b, c, d = self.drawn.cell_box(index_of(number, self.out.shape))
            middle = ((x0 + x1) / 2, (y0 + y1) / 2)
            start, end = ((x1 + 0.15, middle[1]), (a - 0.12, (b + d) / 2))
            if self.x.ndim == 2 and self.dim == 0:
                start, end = (middle[0], y1 + 0.15), ((a + c) / 2, b - 0.12)
            drawn.append(self.scene.arrow(f"to.{number}", start, end, role="write"))
        return drawn

    def _tell(self, ran: Trace, rest: Trace | None) -> None:
        length = self.x.shape[self.dim]
        self.scene.step(
            f"The stencil is {length} long along dim {self.dim}, as x is, and 1 along the others. "
            f"It fits in {_count(self.places, 'place')}, and out has a cell for each."
            + left_out("x", self.x.shape, self.whole.shape)
            + self._way()
        )
        after = (rest or ran).after["out"]
        values = self.x.numpy().ravel()
        for number, read in enumerate(gathered(ran, len(self.places))):
            terms = [float(values[cell]) for cell in self.places[number]]
            assert len(read) == len(terms)  # the loop read just the cells that the stencil covers
            sign = equals(*terms, after[number]) if self.row.name in ops.ROWS else "→"
            index = index_of(number, self.out.shape)
            keys = [self.grid.keys[cell] for cell in self.places[number]]
            kept: dict[str | None, list[str]] = {None: [self.drawn.keys[number]]}
            self.scene.step(
                f"out{spell_index(index)} = {self._spell(terms)} {sign} {fmt(after[number])}. "
                f"{self._cover(index)}",
                read=keys,
                write=self.drawn.keys[number],
                text={self.drawn.keys[number]: after[number]},
                keep=kept,
                show=[*self.outlines[number], *self.arrows[number : number + 1]],
            )

        if self.x.shape[self.dim] != self.whole.shape[self.dim]:
            self._tell_whole()

    def _way(self) -> str:
        """Say how the cells under the stencil are put together, if not as usual."""
        end = " The fold reads it from its end." if self.backwards else ""
        if self.start == self.row.start and self.row.name in ops.ROWS:
            return end
        return (
            f"{end} The fold is t = {self.row.formula.replace('*', '·')}, from {fmt(self.start)}."
        )

    def _tell_whole(self) -> None:
        """Say what out comes to when the stencil is as long as x really is."""
        reach = tuple(
            n if d == self.dim else m
            for d, (n, m) in enumerate(zip(self.whole.shape, self.x.shape, strict=True))
        )
        long = corner(self.whole, reach)
        results = whole_fold(
            self.row, turned(long, self.dim) if self.backwards else long, (self.dim,), self.start
        )
        filled = dict(zip(self.drawn.keys, results.tolist(), strict=True))
        self.scene.step(
            f"The whole stencil is {reach[self.dim]} long, and "
            f"{self.x.shape[self.dim]} of that are drawn. Over all of it, out comes to this.",
            write=filled,
            text=filled,
        )

    def _cover(self, index: Shape) -> str:
        free = [":" if d == self.dim else str(i) for d, i in enumerate(index)]
        return f"The stencil covers x[{', '.join(free)}]."

    def _spell(self, terms: list[float]) -> str:
        texts = [fmt(term) for term in terms]
        if len(texts) > FEW:
            texts = [*texts[: FEW - 2], "…", texts[-1]]
        sign = BETWEEN.get(self.row.formula)
        if sign is None and self.row.name not in ops.ROWS:
            cells = np.array(terms)
            steps = [
                run_cells(self.row.kernel.plain, self.start, [cells[:n]]) for n in range(len(terms))
            ]
            return " → ".join(map(fmt, steps))  # and then the last
        if sign is None:
            name = self.row.symbol if self.row.symbol.isalpha() else self.row.name
            return f"{name}({', '.join(texts)})"
        if self.start != self.row.start:
            texts = [fmt(self.start), *texts]
        guarded = [*texts[:1], *(f"({t})" if t.startswith(MINUS) else t for t in texts[1:])]
        total = f" {sign} ".join(guarded) or fmt(self.row.start)
        return total if self.row.last is None else f"({total}) / {len(terms)}"


def turned(x: Tensor, dim: int) -> Tensor:
    """Return x read from the end along one dim: the same storage, a negative stride."""
    strides = tuple(-s if d == dim else s for d, s in enumerate(x.strides))
    offset = x.offset + x.strides[dim] * (x.shape[dim] - 1) if x.size else x.offset
    return Tensor(x.storage, x.shape, strides, offset)


def gathered(ran: Trace, cells: int) -> Iterator[list[int]]:
    """Return, for each cell of out in turn, the positions of x that the loop read for it."""
    read: list[list[int]] = [[] for _ in range(cells)]
    at = 0
    for step in ran.steps:
        for touch in step.touches:
            if touch.storage == "out":
                at = touch.positions[0]
            else:
                read[at] += touch.positions
    return iter(read)


def around(grid: Drawn, cells: list[int]) -> BoxEdges:
    """Return the edges of the smallest box around some cells."""
    boxes = [grid.cell_box(index_of(cell, grid.shape)) for cell in cells]
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def draw_outlines(scene: Scene, key: str, grid: Drawn, cells: list[int]) -> list[str]:
    """Draw a hidden outline around cells, one for each slice that they lie in."""
    slices = groupby(cells, key=lambda cell: index_of(cell, grid.shape)[:-2])
    return [
        scene.outline(f"{key}.{number}", *around(grid, list(part)), role="write")
        for number, (_, part) in enumerate(slices)
    ]


def places_of(x: Tensor, dim: int) -> list[list[int]]:
    """Return the cells of x, in reading order, that the stencil covers at each place."""
    out, onto = landing(x, (dim,))
    lands = Plate("out", "out", onto, ()).positions.ravel()
    return [np.flatnonzero(lands == place).tolist() for place in range(out.size)]


def _count(things: list[Any], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _directions(ndim: int) -> str:
    """Return which dim runs where in a picture of a tensor."""
    ways = ["right", "down", "frames right", "frames down"][:ndim]
    return ", ".join(f"dim {d} {way}" for d, way in enumerate(reversed(ways)))
