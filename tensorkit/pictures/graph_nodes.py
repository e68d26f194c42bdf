"""Which tensors of a run are the nodes of its picture, once moves are folded away.

A permute, a view, an expand or a copy computes nothing forward, so it can vanish into the line
between two nodes. Its step of backward is told with the one before it, so that the order stays the
engine's.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorkit.pictures.cells import texts
from tensorkit.pictures.formulas import short, written
from tensorkit.tape import Cells, Pull, Tape

FOLDED = ("permute", "transpose", "view", "expand", "contiguous", "to")


@dataclass(frozen=True)
class Node:
    """A tensor with a box of its own; ``call`` made it, from the boxes ``sources``, one an edge.

    ``through`` holds, per edge, the calls that are folded into it, the nearest to ``call`` first.
    """

    grid: int
    title: str
    call: int | None = None
    sources: tuple[int, ...] = ()
    through: tuple[tuple[int, ...], ...] = ()

    @property
    def inside(self) -> tuple[int, ...]:
        """All calls that are folded into the lines to this node."""
        return tuple(dict.fromkeys(call for calls in self.through for call in calls))


def nodes_of(tape: Tape, fold: bool) -> dict[int, Node]:
    """Return the nodes by the number of their grid, leaves first, then in the order they were made.

    Plain numbers are written where they are used. With ``fold``, moves have no node, but for one
    that makes the result.
    """
    folded = {
        call.out: number
        for number, call in enumerate(tape.calls)
        if fold and call.name in FOLDED and call.out != tape.result
    }
    leaves = [
        k
        for k, grid in enumerate(tape.grids)
        if grid.call is None
        and grid.number is None
        and (k in tape.parameters or k == tape.result or grid_is_used(tape, k))
    ]
    nodes = {k: Node(k, tape.grids[k].name) for k in leaves}
    for number, call in enumerate(tape.calls):
        if call.out not in folded:
            nodes[call.out] = node_of(tape, number, folded, set(nodes))
    return nodes


def grid_is_used(tape: Tape, grid: int) -> bool:
    """Tell whether a call takes this grid in."""
    return any(grid in call.inputs for call in tape.calls)


def node_of(tape: Tape, number: int, folded: dict[int, int], known: set[int]) -> Node:
    """Return the node of a call: what it is made of, and what is folded into each line."""
    call = tape.calls[number]
    ends = [trace_back(tape, k, folded) for k in call.inputs]
    lines = [(grid, through) for grid, through in ends if grid in known]
    name = tape.grids[call.out].name
    title = f"{name} = {written(call, [operand(tape, k, folded) for k in call.inputs])}"
    sources, through = tuple(grid for grid, _ in lines), tuple(calls for _, calls in lines)
    return Node(call.out, title, number, sources, through)


def trace_back(tape: Tape, grid: int, folded: dict[int, int]) -> tuple[int, tuple[int, ...]]:
    """Return the node that a grid is read from, and the folded calls on the way to it."""
    through = []
    while grid in folded:
        through.append(folded[grid])
        (grid,) = tape.calls[folded[grid]].inputs
    return grid, tuple(through)


def operand(tape: Tape, grid: int, folded: dict[int, int]) -> str:
    """Return what an operand is called: a folded move is written out, an expand goes without."""
    if grid not in folded:
        return short(tape.grids[grid])
    call = tape.calls[folded[grid]]
    inner = operand(tape, call.inputs[0], folded)
    return inner if call.name in ("expand", "to", "contiguous") else written(call, [inner])


def told(tape: Tape, nodes: dict[int, Node]) -> list[tuple[Pull, ...]]:
    """Return the pulls in the engine's order, each with those of folded moves that follow it."""
    groups: list[tuple[Pull, ...]] = []
    for pull in tape.pulls:
        if tape.calls[pull.call].out in nodes:
            groups.append((pull,))
        else:
            groups[-1] = (*groups[-1], pull)
    return groups


def brief(values: Cells) -> str:
    """Return numbers in the room of one cell: up to three as they are, else their range."""
    if not values.size:
        return "no cells"
    if values.size <= 3:
        return "   ".join(texts(values))
    low, high = texts([values.min(), values.max()])
    return f"all {low}" if low == high else f"{low} … {high}"


def listed(values: Cells, most: int = 60) -> str:
    """Return the numbers of a tensor in nested brackets, cut where the room ends."""
    text = nested(values, texts(values))
    return text if len(text) <= most else text[:most].rsplit(",", 1)[0] + ", …"


def nested(values: Cells, numbers: list[str]) -> str:
    """Return numbers in the brackets of their shape."""
    if not values.ndim:
        return numbers[0]
    size = values.size // max(1, len(values))
    parts = [nested(one, numbers[k * size : (k + 1) * size]) for k, one in enumerate(values)]
    return f"[{', '.join(parts)}]"
