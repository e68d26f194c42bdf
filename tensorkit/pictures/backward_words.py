"""What the steps of a backward, cell by cell, say: every number on the way is written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorkit import ops
from tensorkit.loops import names_in
from tensorkit.pictures.cells import equals, feeds, index_text, number
from tensorkit.pictures.formulas import NotShort, expression, over, pretty, short, stretched
from tensorkit.pictures.graph_words import total
from tensorkit.tape import Call, Pull, Share, Tape


def forward(tape: Tape, call: Call) -> str:
    """Say what was computed."""
    text = f"Forward: out = {expression(tape, call)}"
    return f"{text}, over {over(call)}." if call.kind == "reduce" else f"{text}."


def arrives(tape: Tape) -> str:
    """Say what arrives from above."""
    what = f"grad_out {tape.grad_out.shape} arrives, one number for each cell of out"
    if len(set(tape.grad_out.ravel().tolist())) == tape.grad_out.size > 1:
        return f"{what}; all are different, so that each can be told by its number."
    return f"{what}."


def names(call: Call) -> tuple[str, ...]:
    """Return what the formulas of a call's row call its inputs."""
    given: tuple[str, ...] = getattr(ops.ROWS[call.name], "names", ("x",))
    return given


def letters(call: Call, inputs: Sequence[int]) -> set[str]:
    """Return which inputs, and z, the local derivatives for some inputs of a call mention."""
    row: Any = ops.ROWS[call.name]
    mentioned = set().union(*(names_in(row.derivatives[k]) for k in inputs))
    return mentioned & {*names(call), "z"}


def cell(tape: Tape, pull: Pull, o: int, leaf: Mapping[int, int]) -> str:
    """Say what output cell ``o`` sends to each input."""
    call = tape.calls[pull.call]
    if call.kind == "reduce":
        return fan_out(tape, pull, o)
    said = []
    upstream = float(pull.grad_out.flat[o])
    for k, share in enumerate(pull.shares):
        slopes = pull.slopes[k]
        if share is None or slopes is None:
            continue
        grid = tape.grids[leaf[k]]
        index = index_text(tape.grids[call.out].shape, o)
        own = leaf[k] == call.inputs[k]
        name = f"{grid.name}.grad{index}" if own else f"product for {grid.name}{index}"
        said.append(f"{name} = {product(upstream, slopes.flat[o], share.values.flat[o])}")
    worked = worked_slope(tape, pull, o) if len(said) == 1 else ""
    return f"{'; '.join(said)}.{worked}"


def product(upstream: float, slope: float, result: float) -> str:
    """Write out what arrives times a slope."""
    arrived, local, sent = map(float, (upstream, slope, result))
    return f"{number(arrived)} · {number(local)} {equals(arrived, local, sent)} {number(sent)}"


def worked_slope(tape: Tape, pull: Pull, o: int) -> str:
    """Write the local derivative of a map out in numbers; empty if it has cases or no cells."""
    call = tape.calls[pull.call]
    row: Any = ops.ROWS[call.name]
    k = next(k for k, share in enumerate(pull.shares) if share is not None)
    used = names_in(row.derivatives[k]) & {*names(call), "z"}
    if not used:
        return ""
    grids = dict(zip(names(call), call.inputs, strict=False)) | {"z": call.out}
    values = {letter: float(tape.grids[grid].values.flat[o]) for letter, grid in grids.items()}
    cells: dict[str, str | float] = {letter: number(value) for letter, value in values.items()}
    slopes = pull.slopes[k]
    assert slopes is not None
    try:
        text = pretty(row.derivatives[k], cells)
    except NotShort:
        return ""
    local = float(slopes.flat[o])
    same = equals(*(values[letter] for letter in used), local)
    return "" if text == number(local) else f" The slope: {text} {same} {number(local)}."


def fan_out(tape: Tape, pull: Pull, o: int) -> str:
    """Say what one cell of a fold sends to the cells that met in it."""
    call = tape.calls[pull.call]
    share, slopes = pull.shares[0], pull.slopes[0]
    assert share is not None and slopes is not None
    grid, out = tape.grids[call.inputs[0]], tape.grids[call.out]
    met = feeds(tape, call, 0)[o]
    arrived = float(pull.grad_out.flat[o])
    upstream = number(arrived)
    place = f"out{index_text(out.shape, o)}"
    local = [float(slopes.flat[i]) for i in met]
    if all(one == 1 for one in local):
        return f"{len(met)} cells met in {place}: each gets a copy of its gradient, {upstream}."
    winners = [i for i in met if slopes.flat[i] != 0]
    if call.name == "max":
        names = joined([f"{grid.name}{index_text(grid.shape, i)}" for i in winners])
        if len(winners) == 1:
            return f"{names} is the largest that met in {place}: it gets {upstream}, the others 0."
        part = number(float(share.values.flat[winners[0]]))
        return f"{names} tie in {place}: they share {upstream}, {part} each; the others get 0."
    each = "; ".join(
        f"{grid.name}.grad{index_text(grid.shape, i)} = "
        f"{product(arrived, one, share.values.flat[i])}"
        for i, one in zip(met, local, strict=True)
    )
    if len(set(local)) == 1:
        each = product(arrived, local[0], share.values.flat[met[0]])
        return f"{len(met)} cells met in {place}: each gets {each}."
    if call.name == "prod":
        return f"The slope of a product is the product of the other cells. {each}."
    return f"{each}."


def copies_add(tape: Tape, call: Call, share: Share, home: int, sent: Sequence[float]) -> str:
    """Say which copies of one cell add up."""
    grid = tape.grids[share.to]
    place = index_text(grid.shape, home)
    terms, result = [float(s) for s in sent], float(share.values.flat[home])
    times = f"{grid.name}{place} was read {len(sent)} times"
    worked = f"{total(terms)} {equals(*terms, result)} {number(result)}"
    return f"{times}: {grid.name}.grad{place} = {worked}."


def home(
    tape: Tape, call: Call, share: Share, at: int, places: Sequence[int], sent: Sequence[float]
) -> str:
    """Say how the gradients of all places where a cell was read come back to it."""
    grid, out = tape.grids[share.to], tape.grids[call.out]
    cell = index_text(grid.shape, at)
    if call.name == "expand" and stretched(call):
        return copies_add(tape, call, share, at, sent)
    there = f"out{index_text(out.shape, places[0])}"
    return f"{there} is {short(grid)}{cell}: its gradient, {number(sent[0])}, goes back there."


def joined(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
