"""A reduce as a stencil: as long as x along the reduced dim, 1 along the others.

It fits in as many places as out has cells. ``stencil_scene`` lays it on all of them; in
``implement_scene`` a loop begins at a cell of out, and finds the stencil that belongs to it.
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
    Board,
    Plate,
    check_size,
    measure,
    spell_index,
    write_head,
)
from tensorkit.pictures.expected import prepare
from tensorkit.pictures.fold import BETWEEN, landing, run_fold
from tensorkit.pictures.layout import BoxEdges, Drawn, tensor_size
from tensorkit.pictures.reference import reduce_sum
from tensorkit.pictures.running import as_tensor, index_of, listing, lit, sits, spell_variables
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import MINUS, fmt
from tensorkit.reduction import Reduce
from tensorkit.tensor import Tensor
from tensorkit.trace import Trace, trace

FEW = 6  # terms of a fold that a caption writes out


def stencil_scene(x: Any, dim: int = 0, op: Any = None) -> Scene:
    """Return the scene of a stencil that moves over x, one cell of out after the other.

    ``op`` is a reduce of the table, sum if not given. Raises TypeError for another operation, and
    ShapeError or IndexingError as the operation does.
    """
    row: Any = ops.get("sum") if op is None else op
    if not isinstance(row, Reduce):
        raise TypeError(f"{getattr(row, 'name', row)!r} is no reduce: give one such as tk.sum")
    x = as_tensor(x)
    check_size("x", x.shape, x.storage.size)
    dim = normal_dim(dim, x.shape)
    return _Stencil(x, dim, row).scene


class _Stencil:
    """The picture of a stencil on x, and of out beside or below it."""

    def __init__(self, x: Tensor, dim: int, row: Reduce) -> None:
        self.x, self.dim, self.row = x, dim, row
        self.out = landing(x, (dim,))[0]
        self.places = _places(x, dim)
        self.shape = tuple(n if d == dim else 1 for d, n in enumerate(x.shape))
        self._draw()
        # from cell to cell of out: the same loop, with the reduced dim as the innermost
        order = [*(d for d in range(x.ndim) if d != dim), dim]
        self._tell(*run_fold(row, x, (dim,), order))

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
        write_head(scene, EDGE, top, f"x  {self.x.shape}", ways)
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
            f"The stencil is as long as dim {self.dim}, {length}, and 1 along the others. "
            f"It fits in {_count(self.places, 'place')}, and out has a cell for each."
        )
        after = (rest or ran).after["out"]
        values = self.x.numpy().ravel()
        for number, read in enumerate(gathered(ran, len(self.places))):
            terms = [float(values[cell]) for cell in self.places[number]]
            assert len(read) == len(terms)  # the loop read just the cells that the stencil covers
            index = index_of(number, self.out.shape)
            keys = [self.grid.keys[cell] for cell in self.places[number]]
            kept: dict[str | None, list[str]] = {None: [self.drawn.keys[number]]}
            self.scene.step(
                f"out{spell_index(index)} = {self._spell(terms)} = {fmt(after[number])}. "
                f"{self._cover(index)}",
                read=keys,
                write=self.drawn.keys[number],
                text={self.drawn.keys[number]: after[number]},
                keep=kept,
                show=[*self.outlines[number], *self.arrows[number : number + 1]],
            )

    def _cover(self, index: Shape) -> str:
        free = [":" if d == self.dim else str(i) for d, i in enumerate(index)]
        return f"The stencil covers x[{', '.join(free)}]."

    def _spell(self, terms: list[float]) -> str:
        texts = [fmt(term) for term in terms]
        if len(texts) > FEW:
            texts = [*texts[: FEW - 2], "…", texts[-1]]
        sign = BETWEEN.get(self.row.formula)
        if sign is None:
            name = self.row.symbol if self.row.symbol.isalpha() else self.row.name
            return f"{name}({', '.join(texts)})"
        guarded = [*texts[:1], *(f"({t})" if t.startswith(MINUS) else t for t in texts[1:])]
        total = f" {sign} ".join(guarded) or fmt(self.row.start)
        return total if self.row.last is None else f"({total}) / {len(terms)}"


def implement_scene(x: Any, dim: int = 1) -> Scene:
    """Return the scene of the loop of ``reference.reduce_sum``, run on x: out first, then x.

    Raises ShapeError or IndexingError as the operation sum does.
    """
    x = as_tensor(x)
    call = prepare(reduce_sum, [x], dim, 0.0, None)
    assert call.dim is not None
    ran = trace(reduce_sum, call.arguments)
    given = call.inputs[0]
    shape = tuple(n if d == call.dim else 1 for d, n in enumerate(x.shape))
    board = Board(f"sum over dim {call.dim}, from a cell of out", listing(ran))
    board.tensor(call.out)
    board.shape("stencil", f"stencil  {shape}", f"sum over dim {call.dim}", shape)
    board.tensor(given)
    scene = board.scene()
    seats = board.seats
    places = _places(x, call.dim)
    outlines = [
        draw_outlines(scene, f"around.{number}", seats["x"].grid, cells)
        for number, cells in enumerate(places)
    ]
    if not places:
        scene.step(f"Nothing to do: out has shape {call.out.layout.shape}, so it has no cells.")
    for number, cells in enumerate(places):
        scene.link(seats["out"].grid.keys[number], [k for c in cells for k in seats["x"].cell(c)])
        _tell_cell(scene, board, ran, number, cells, call.dim, outlines[number])
    return scene


def _tell_cell(
    scene: Scene, board: Board, ran: Trace, number: int, cells: list[int], dim: int, show: list[str]
) -> None:
    out, x = board.seats["out"], board.seats["x"]
    index = index_of(number, out.plate.layout.shape)
    free = ["j" if d == dim else str(i) for d, i in enumerate(index)]
    steps = [step for step in ran.steps if step.writes[0].positions == (number,)]
    begin = next(k for k, line in enumerate(ran.lines) if "to_index(" in line)
    scene.step(
        f"Begin at a cell of out: number {number} is out{spell_index(index)}. "
        f"What belongs to it is x[{', '.join(free)}]: dim {dim} is free.",
        line=1 + begin,
        variables=spell_variables({"o": number, "index": index}),
        write=out.cell(number),
        expected=[k for cell in cells for k in x.cell(cell)],
        show=show,
    )
    for cell, step in zip(cells, steps, strict=True):
        before, after = step.reads[0].values[0], step.writes[0].values[0]
        at = index_of(cell, x.plate.layout.shape)
        scene.step(
            f"{sits([x.plate], at)}: {fmt(step.reads[1].values[0])} is added, "
            f"and out{spell_index(index)} goes from {fmt(before)} to {fmt(after)}.",
            **lit(ran, step),
            text=dict.fromkeys(out.cell(number), after),
            read=x.cell(cell),
            write=out.cell(number),
            keep={"dim": x.cell(cell)},
            show=show,
        )


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


def _places(x: Tensor, dim: int) -> list[list[int]]:
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
