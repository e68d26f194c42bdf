"""Forward: map, zip and reduce, one cell after the other, as the kit's own loop runs them.

The loop beside the picture is the text that is compiled. Here the same text runs as plain Python,
and every step of the picture is something that it read or wrote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorkit.elementwise import Map
from tensorkit.functions import Operation
from tensorkit.graph import no_grad
from tensorkit.pictures.board import Board, Plate, spell_index
from tensorkit.pictures.cells import equals
from tensorkit.pictures.excerpt import corner, cut, left_out, shown
from tensorkit.pictures.fold import reduce_scene
from tensorkit.pictures.running import (
    as_tensor,
    index_of,
    listing,
    lit,
    out_layout,
    run_kernel,
    sits,
    spelled,
    until_write,
)
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import fmt
from tensorkit.reduction import Reduce
from tensorkit.tensor import Tensor
from tensorkit.zips import Choose, Zip


def forward_scene(
    row: Operation,
    *inputs: Any,
    dim: Any = None,
    out_strides: Sequence[int] | None = None,
    start: float | None = None,
) -> Scene:
    """Return the scene of one row of the table, a map, zip or reduce, on ``inputs``.

    ``out_strides`` lays out the output; ``start`` is what out holds before, if not what the row
    wants. Of a large tensor a corner is shown. Raises ShapeError for inputs that do
    not fit each other, TypeError for a wrong number of inputs.
    """
    if row.kind == "product":
        raise TypeError(
            f"{row.name} is a zip and a reduce in one: step through an expression that uses it, "
            f"such as tk.step(lambda x, y: tk.{row.name}(x, y).sum(), x, y)"
        )
    if not isinstance(row, (Map, Zip, Choose, Reduce)):
        raise TypeError(
            f"{row.name} computes nothing, it only reads storage in another way: step through an "
            f"expression that uses it, such as tk.step(lambda x: x.{row.name}(...).sum(), x)"
        )
    wanted = 1 if isinstance(row, Reduce) else len(row.names)
    if len(inputs) != wanted:
        raise TypeError(f"{row.name} takes {wanted} input{'s'[: wanted - 1]}, not {len(inputs)}")
    tensors = [as_tensor(value) for value in inputs]
    if isinstance(row, Reduce):
        return reduce_scene(row, tensors[0], dim, start, out_strides)
    if dim is not None:
        raise TypeError(f"{row.name} works cell by cell and has no dim: leave dim out")
    return elementwise_scene(row, tensors, out_strides, start)


def elementwise_scene(
    row: Map | Zip | Choose,
    inputs: Sequence[Tensor],
    out_strides: Sequence[int] | None = None,
    start: float | None = None,
) -> Scene:
    """Return the scene of a map or a zip: one step for each cell of the output that is shown."""
    with no_grad():
        fitted = row.fitted(*inputs) if not isinstance(row, Map) else tuple(inputs)
    whole = fitted[0].shape
    lengths = shown(whole, len(fitted) + 1)
    plates = [
        Plate(name, name, cut(t.layout, lengths), t.storage, given.shape, whole=whole)
        for name, t, given in zip(row.names, fitted, inputs, strict=True)
    ]
    full = out_layout(whole, out_strides)
    places = full.high + 1 if full.size else 0
    at = cut(full, lengths)
    before = np.broadcast_to(np.array("" if start is None else start, dtype=object), places)
    out = Plate("out", "out", at, before, ghost=start is None, whole=whole)
    parts = [corner(t, lengths) for t in fitted]
    storage = np.full(places, 0.0 if start is None else start, fitted[0].dtype)
    ran = run_kernel(row.kernel, at, storage, row.names, parts)
    board = Board(f"{row.name}: {row.about}", listing(ran))
    board.tensor(plates[0])
    board.sign(row.symbol)
    for plate in plates[1:]:
        board.tensor(plate)
        board.sign("=", pill=False)
    board.tensor(out)
    scene = board.scene()
    rest = left_out("out", lengths, whole, math.prod(whole) - at.size)
    scene.step(_before(row, plates, out, start) + rest, line=1)
    ordinals = {int(p): k for k, p in enumerate(out.positions.ravel())}
    told = [*plates, *([out] if out_strides is not None else [])]
    for steps in until_write(ran.steps):
        (write,) = steps[-1].writes
        ordinal = ordinals[write.positions[0]]
        index = index_of(ordinal, at.shape)
        cells = [touch.values[0] for step in steps for touch in step.reads]
        result, written = write.values[0], board.seats["out"].cell(ordinal)
        same = equals(*cells, result)
        plain: dict[str | None, list[str]] = {None: written}
        scene.step(
            f"out{spell_index(index)} = {spelled(row, cells)} {same} {fmt(result)}. "
            f"{sits(told, index)}.",
            **lit(ran, steps[-1]),
            text=dict.fromkeys(written, result),
            read=[key for p in plates for key in board.seats[p.key].cell(ordinal)],
            write=written,
            keep=plain,
        )
    link_elementwise(board, scene, [plate.key for plate in plates])
    return scene


def link_elementwise(board: Board, scene: Scene, inputs: Sequence[str]) -> None:
    """Link every cell of out to the cells of the same index that it was made from."""
    for ordinal, key in enumerate(board.seats["out"].grid.keys):
        scene.link(key, [k for name in inputs for k in board.seats[name].cell(ordinal)])


def _before(
    row: Map | Zip | Choose, plates: Sequence[Plate], out: Plate, start: float | None
) -> str:
    said = _about(row, plates, out)
    if start is None or not out.layout.size:
        return said
    return f"{said} out holds {fmt(start)} from before: a {row.kind} overwrites it."


def _about(row: Map | Zip | Choose, plates: Sequence[Plate], out: Plate) -> str:
    if not out.layout.size:
        return f"Nothing to do: out has shape {out.layout.shape}, so it has no cells."
    stretched = [
        f"{p.name} {p.given} is read as {p.shape} with strides {p.layout.strides}"
        for p in plates
        if p.given != p.shape
    ]
    if stretched:
        told = ", ".join(stretched)
        return (
            f"Broadcasting: {told}. Dashed cells hold no memory: a cell before them is read again."
        )
    if len(plates) == 1:
        return f"A map visits every cell: out[i] = {row.formula}, where x is x[i]."
    return f"A zip visits pairs of cells: out[i] = {row.formula}, where x is x[i] and y is y[i]."
