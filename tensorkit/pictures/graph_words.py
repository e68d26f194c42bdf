"""What the steps of a graph's picture say: one sentence on the rule, one on the numbers."""

from __future__ import annotations

import math

import numpy as np

from tensorkit.pictures.cells import equals, feeds, index_text, number
from tensorkit.pictures.formulas import expression, over, short, slope, stretched, written
from tensorkit.tape import Call, Cells, Grid, Pull, Share, Tape


def leaves(tape: Tape) -> str:
    """Say what is given."""
    given = [g for g in tape.grids if g.call is None and g.number is None]
    listed = [f"{g.name} {g.shape}" for g in given]
    names = ", ".join(listed[:-1]) + (" and " if len(listed) > 1 else "") + listed[-1]
    return (
        f"Given: {names}. Forward fills the upper cells from left to right, "
        "backward the lower ones from right to left."
    )


def forward(tape: Tape, call: Call) -> str:
    """Say what a call computes, with the numbers of one cell."""
    out, text = tape.grids[call.out], expression(tape, call)
    ins = [tape.grids[k] for k in call.inputs]
    if call.name == "expand":
        dims = stretched(call)
        if not dims:
            return f"{ins[0].name} is read as {out.shape}: a dim of length 1 more, no copy."
        times = math.prod(out.shape[d] for d in dims)
        return (
            f"Broadcast: {ins[0].name} {ins[0].shape} is read as {out.shape}, with stride 0 along "
            f"{over(call)}. Each cell is read {times} times; dashed cells hold no memory."
        )
    if call.kind == "move":
        same = {
            "permute": "the dims change places; no number moves in storage",
            "view": f"the same cells in the same order, read as {out.shape}",
            "contiguous": "a copy in reading order",
        }
        return f"{out.name} = {text}: {same.get(call.name, 'the same numbers')}."
    if call.kind == "function":
        return f"{out.name} = {text}: the forward of {call.name}, written by you."
    if call.kind == "reduce":
        met = ins[0].values.size // max(1, out.values.size)
        what = f"{met} cell{'s' * (met != 1)} of {ins[0].name} meet in each cell of {out.name}"
        if out.values.size == 1:
            what = f"all {met} cells of {ins[0].name} meet in one"
        return f"{out.name} = {text} over {over(call)}: {what}."
    if not out.values.size:
        return f"{out.name} = {text}: there are no cells to compute."
    at = sample(out.values)
    cells = [float(g.values.flat[at]) for g in ins]
    numbers = [number(cell) for cell in cells]
    how = {"map": "each cell on its own", "zip": "pair by pair"}[call.kind]
    place, result = index_text(out.shape, at), float(out.values.flat[at])
    equal = equals(*cells, result)
    sign = f" {call.symbol} "
    worked = sign.join(numbers) if call.kind == "zip" and not call.symbol.isalpha() else None
    worked = worked or written(call, numbers)
    return f"{out.name} = {text}: {how}. {out.name}{place} = {worked} {equal} {number(result)}."


def start(tape: Tape) -> str:
    """Say where backward begins."""
    out = tape.grids[tape.result]
    if out.values.size == 1 and float(tape.grad_out.flat[0]) == 1:
        return f"Backward begins at {out.name}: its own gradient is 1."
    return f"Backward begins at {out.name}: the upstream gradient grad_out is given from outside."


def backward(tape: Tape, pull: Pull) -> str:
    """Say what a call sends to its inputs, with the numbers of one cell of the first."""
    call = tape.calls[pull.call]
    sent = [(k, share) for k, share in enumerate(pull.shares) if share is not None]
    if not sent:
        return f"{title(call)} backward: nothing to send."
    said = "; ".join(receives(tape, call, k) for k, _ in sent)
    worked = example(tape, pull, *sent[0])
    last = {share.to: share for _, share in sent if share.count > 1}
    sums = [adding(tape, share) for share in last.values()]
    return " ".join([f"{title(call)} backward: {said}.", *([worked] if worked else []), *sums])


def title(call: Call) -> str:
    """Return what a call is called at the head of a sentence."""
    return call.name if call.kind == "move" else call.symbol


def receives(tape: Tape, call: Call, k: int) -> str:
    """Say what input ``k`` receives."""
    into, out = short(tape.grids[call.inputs[k]]), tape.grids[call.out].name
    if call.kind == "function":
        return f"{into} receives what your {call.name}.backward returned"
    if call.name == "expand":
        if not stretched(call):
            return f"{into} receives its gradient, in its own shape"
        return f"{into} was read many times, so the gradients of its copies add, over {over(call)}"
    if call.kind == "move":
        back = {"permute": "with its dims put back", "view": "in its old shape"}
        return f"{into} receives the gradient of {out} {back.get(call.name, 'unchanged')}"
    text = slope(tape, call, k)
    if call.kind == "reduce":
        many = {
            "sum": f"each cell of {into} receives a copy of the gradient of the cell it went into",
            "max": f"the largest cells of {into} receive the gradient; those that tie share it",
            "prod": f"each cell of {into} receives the gradient times the product of the others",
        }
        return many.get(call.name, f"each cell of {into} receives the gradient times {text}")
    if text == "1":
        return f"{into} receives the gradient of {out} unchanged"
    if text == "slope":
        return f"{into} receives the gradient of {out} times its local derivative"
    return f"{into} receives the gradient of {out} times {text}"


def example(tape: Tape, pull: Pull, k: int, share: Share) -> str:
    """Write one cell out in numbers; empty where there is nothing to multiply or add."""
    call, into = tape.calls[pull.call], tape.grids[share.to]
    if share.values.size == 0:
        return ""
    slopes = pull.slopes[k]
    if call.name == "expand" and stretched(call):
        at = sample(share.values)
        terms = [
            float(pull.grad_out.flat[o]) for o, (i,) in enumerate(feeds(tape, call, 0)) if i == at
        ]
        if len(terms) > 6:
            return ""
        result = float(share.values.flat[at])
        same = equals(*terms, result)
        return f"{place(into, share, at)} = {total(terms)} {same} {number(result)}."
    if slopes is None or np.all(slopes == 1):
        return ""
    at = sample(share.values, slopes)
    upstream = arriving(tape, call, k, pull.grad_out, at)
    local, result = float(slopes.flat[at]), float(share.values.flat[at])
    worked = f"{number(upstream)} · {number(local)}"
    same = equals(upstream, local, result)
    return f"{place(into, share, at)} = {worked} {same} {number(result)}."


def arriving(tape: Tape, call: Call, k: int, grad_out: Cells, at: int) -> float:
    """Return the upstream gradient of the output cell that cell ``at`` of input ``k`` went into."""
    fed = next(o for o, cells in enumerate(feeds(tape, call, k)) if at in cells)
    return float(grad_out.flat[fed])


def adding(tape: Tape, share: Share) -> str:
    """Say how far the sum of a gradient with several shares has come."""
    name = tape.grids[share.to].name
    if not share.completes:
        return f"{name} is used {share.count} times: share {share.number} of {share.count} is here."
    shares = [one.values for _, _, one in tape.shares_to(share.to)]
    if not share.total.size:
        return f"All shares of {name} are here; there are no cells to add."
    at = sample(share.total)
    terms, result = [float(one.flat[at]) for one in shares], float(share.total.flat[at])
    sums = f"{gradient_of(tape.grids[share.to], at)} = {total(terms)}"
    same = equals(*terms, result)
    return f"All shares of {name} are here and add: {sums} {same} {number(result)}."


def total(terms: list[float]) -> str:
    """Write a sum."""
    text = number(terms[0]) if terms else "0"
    for term in terms[1:]:
        text += f" − {number(-term)}" if term < 0 else f" + {number(term)}"
    return text


def gradient_of(grid: Grid, at: int) -> str:
    """Return what the gradient of one cell is called: x.grad[0, 1], inside the graph ∂m[0, 1]."""
    index = index_text(grid.shape, at)
    return f"{grid.name}.grad{index}" if grid.call is None else f"∂{grid.name}{index}"


def place(grid: Grid, share: Share, at: int) -> str:
    """Return what a share of a cell is called: its gradient, if nothing else is added to that."""
    if share.count == 1:
        return gradient_of(grid, at)
    return f"This share of {grid.name}{index_text(grid.shape, at)}"


def sample(values: Cells, slopes: Cells | None = None) -> int:
    """Return the cell to write out: the second, or the first after it that is not 0."""
    wanted = values if slopes is None else slopes
    order: list[int] = [*range(1, min(values.size, 24)), 0]
    return next((k for k in order if wanted.flat[k] not in (0, 1)), order[0])
