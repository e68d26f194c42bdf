"""A reduce as one writes it: begin at a cell of out, and find the stencil that belongs to it.

The loop beside the picture is the text that runs; ``reference`` has it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from tensorkit.pictures.board import Board, spell_index
from tensorkit.pictures.expected import prepare
from tensorkit.pictures.reference import folding, reduce_sum
from tensorkit.pictures.running import as_tensor, index_of, listing, lit, sits, spell_variables
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.stencil import draw_outlines, places_of
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor
from tensorkit.trace import Trace, trace

Fold = Callable[[float, float], float]


def implement_scene(
    x: Any, dim: int = 1, fold: Fold | None = None, start: float = 0.0, backwards: bool = False
) -> Scene:
    """Return the scene of a loop of ``reference``, run on x: out first, then x.

    It sums, or puts cells together by ``fold``, from ``start``, with ``backwards`` from the last
    cell to the first. Raises ShapeError or IndexingError as the operation sum does.
    """
    x, loop = as_tensor(x), cast(Any, reduce_sum)
    if fold is not None or backwards:
        along = (lambda n: range(n - 1, -1, -1)) if backwards else range
        loop = cast(Any, folding)(fold or operator.add, along)
    call = prepare(loop, [x], dim, start, None)
    assert call.dim is not None
    ran = trace(loop, call.arguments)
    given = call.inputs[0]
    x = Tensor(np.asarray(given.storage), given.layout.shape, given.layout.strides)  # or its part
    shape = tuple(n if d == call.dim else 1 for d, n in enumerate(x.shape))
    name = "sum" if fold is None else getattr(fold, "__name__", "fold")
    board = Board(f"{name} over dim {call.dim}, from a cell of out", listing(ran))
    board.tensor(call.out)
    board.shape("stencil", f"stencil  {shape}", f"{name} over dim {call.dim}", shape)
    board.tensor(given)
    scene = board.scene()
    seats = board.seats
    places = [cells[::-1] if backwards else cells for cells in places_of(x, call.dim)]
    outlines = [
        draw_outlines(scene, f"around.{number}", seats["x"].grid, cells)
        for number, cells in enumerate(places)
    ]
    if call.rest:
        scene.step(call.rest.strip())
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
    adds = "+=" in ran.lines[-1]
    for cell, step in zip(cells, steps, strict=True):
        before, after = step.reads[0].values[0], step.writes[0].values[0]
        at = index_of(cell, x.plate.layout.shape)
        scene.step(
            f"{sits([x.plate], at)}: {fmt(step.reads[1].values[0])} "
            f"is {'added' if adds else 'folded in'}, "
            f"and out{spell_index(index)} goes from {fmt(before)} to {fmt(after)}.",
            **lit(ran, step),
            text=dict.fromkeys(out.cell(number), after),
            read=x.cell(cell),
            write=out.cell(number),
            keep={"dim": x.cell(cell)},
            show=show,
        )
