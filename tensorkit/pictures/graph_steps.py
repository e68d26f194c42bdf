"""The steps of a graph's picture: what is given, forward, where backward begins, backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.loops import names_in
from tensorkit.pictures import graph_words as words
from tensorkit.pictures.cells import corner, feeds, texts
from tensorkit.pictures.formulas import rule
from tensorkit.pictures.graph import GraphPicture
from tensorkit.pictures.graph_boxes import sum_said
from tensorkit.pictures.layout import Drawn
from tensorkit.tape import Call, Pull


def link(picture: GraphPicture) -> None:
    """Link every cell to the cells that it comes from, forward and backward."""
    for number, call in enumerate(picture.tape.calls):
        for k, source in enumerate(call.inputs):
            if source in picture.values:
                link_edge(picture, number, k)
    for grid, grad in picture.grads.items():
        blocks = [picture.shares[call, k] for call, k, _ in picture.tape.shares_to(grid)]
        if len(blocks) > 1:
            for j, key in enumerate(grad.keys):
                picture.scene.link(key, [one.keys[j] for one in blocks])


def link_edge(picture: GraphPicture, number: int, k: int) -> None:
    """Link the cells of a call's output with those of its input ``k``, and their gradients."""
    tape, scene = picture.tape, picture.scene
    call = tape.calls[number]
    source, used = call.inputs[k], read_back(picture, call, k)
    arrived, grad = picture.shares.get((number, k)), picture.grads.get(call.out)
    for o, cells in enumerate(feeds(tape, call, k)):
        out = cell_key(picture, picture.values[call.out], call.out, o)
        for cell in cells:
            into = cell_key(picture, picture.values[source], source, cell)
            if out is None or into is None:
                continue
            if out != into:  # a tensor and what it is stretched to share their cells
                scene.link(out, into)
            if arrived and grad:
                at = {call.out: o, source: cell}
                keys = [cell_key(picture, picture.values[g], g, at.get(g, o)) for g in used]
                keys.insert(0, cell_key(picture, grad, call.out, o))
                here = cell_key(picture, arrived, source, cell)
                if here:
                    scene.link(here, [key for key in keys if key])


def cell_key(picture: GraphPicture, drawn: Drawn, grid: int, ordinal: int) -> str | None:
    """Return the key of a cell that is counted in the whole tensor; None if it is not shown."""
    shape = picture.tape.grids[grid].shape
    index = tuple(int(i) for i in np.unravel_index(ordinal, shape))
    if any(i >= n for i, n in zip(index, drawn.shape, strict=True)):
        return None
    return drawn.key(index)


def read_back(picture: GraphPicture, call: Call, k: int) -> list[int]:
    """Return the tensors whose values the local derivative for input ``k`` mentions."""
    row: Any = ops.ROWS.get(call.name)
    if call.kind not in ("map", "zip", "reduce") or row is None:
        return []
    named = dict(zip(("x", "y"), call.inputs, strict=False)) | {"z": call.out}
    met = names_in(row.derivatives[k])
    return [grid for letter, grid in named.items() if letter in met and grid in picture.values]


def fill(drawn: Drawn, values: Any) -> dict[str, str]:
    """Return the texts of a block for the numbers that it is to show."""
    return dict(zip(drawn.keys, texts(corner(values, drawn.shape)), strict=True))


def tell(picture: GraphPicture) -> None:
    """Add all steps."""
    tape, scene = picture.tape, picture.scene
    given = [d for k, d in picture.values.items() if tape.grids[k].call is None]
    scene.step(words.leaves(tape), read=[key for drawn in given for key in drawn.keys])
    for number, call in enumerate(tape.calls):
        ins = [picture.values[k] for k in call.inputs if k in picture.values]
        out = picture.values[call.out]
        read = [key for drawn in ins for key in drawn.keys]
        fresh = [key for key in out.keys if key not in read]
        written = [*fresh, f"op{number}"] if number in picture.drawn else fresh
        filled = fill(out, tape.grids[call.out].values)
        scene.step(words.forward(tape, call), read=read, write=written, text=filled)
    first = picture.grads[tape.result]
    begun = fill(first, tape.grad_out)
    scene.step(words.start(tape), text=begun, grad=begun, keep={"known": begun})
    for pull in tape.pulls:
        tell_pull(picture, pull)


def tell_pull(picture: GraphPicture, pull: Pull) -> None:
    """Add one step of backward: what the engine sent from one call to its inputs."""
    number, call = pull.call, picture.tape.calls[pull.call]
    read = list(picture.grads[call.out].keys)
    filled: dict[str, str] = {}
    arrows = [f"b{number}"]
    for k, share in enumerate(pull.shares):
        if share is None:
            continue
        read += [key for g in read_back(picture, call, k) for key in picture.values[g].keys]
        filled |= fill(picture.shares[number, k], share.values)
        if share.count > 1 and share.completes:
            filled |= fill(picture.grads[share.to], share.total)
        if number in picture.drawn:
            filled[f"r{number}.{k}"] = rule(picture.tape, call, k)
        else:
            filled[f"r{number}.{k}"] = sum_said(picture.tape, number)
        arrows.append(f"b{number}.{k}")
    picture.scene.step(
        words.backward(picture.tape, pull),
        text=filled,
        read=[key for key in dict.fromkeys(read) if key not in filled],
        grad=filled,
        hold=arrows,
        keep={"known": filled},
    )
