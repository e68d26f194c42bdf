"""You are the scheduler: pick which gradient is passed on next.

A node may pass its gradient on when every consumer of its tensor has reported. Several orders keep
to that, and all of them end with the engine's numbers; an order that does not loses a share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorkit.pictures import graph_words as words
from tensorkit.pictures.graph_nodes import Node, brief, listed
from tensorkit.pictures.graph_small import SmallGraph
from tensorkit.pictures.orders import ORDERS, Walk, walk
from tensorkit.pictures.play import Turn, Turns
from tensorkit.pictures.scene import Scene
from tensorkit.tape import Pull, run

OPENING = (
    "You are the scheduler. {} has its gradient: press the lower cell of the node that passes its "
    "gradient on next. A node is ready when every consumer of its tensor has reported."
)


def schedule_scene(f: Callable[..., Any], *inputs: Any, grad_out: Any = None) -> Scene:
    """Return the game on the graph of ``f(*inputs)``; its steps are the engine's own order.

    The end compares it with breadth first and depth first, really walked with the same rules.
    Raises what ``tape.run`` raises.
    """
    tape = run(f, *inputs, grad_out=grad_out)
    walks = [walk(f, *inputs, order=order, grad_out=grad_out) for order in ORDERS]
    names = [tape.grids[k].name for k in tape.parameters if tape.grids[k].needs_grad]
    drawn = SmallGraph(tape, getattr(f, "__name__", "f"), forward=False, foot=len(walks))
    compare(drawn, walks, names)
    pulls = {tape.calls[pull.call].out: pull for pull in tape.pulls}
    turns = [turn(drawn, pull, pulls) for pull in tape.pulls]
    drawn.scene.title = f"The scheduler: {drawn.scene.title.removesuffix(', forward and backward')}"
    drawn.scene.play = Turns(
        turns, OPENING.format(tape.grids[tape.result].name), verdict(walks, names)
    )
    return drawn.scene


def turn(drawn: SmallGraph, pull: Pull, pulls: dict[int, Pull]) -> Turn:
    """Return the turn of one node: what it waits for, what it says and writes."""
    tape = drawn.tape
    grid = tape.calls[pull.call].out
    node = drawn.nodes[grid]
    waits = consumers(drawn, grid, pulls)
    name = tape.grids[grid].name
    refused = {
        f"g{other}": f"{name} has {len(waits)} consumer{'s' * (len(waits) > 1)}, and "
        f"{drawn.nodes[other].title} has not reported yet: its share would come too late."
        for other in waits
    }
    sent = dict.fromkeys(share.to for share in pull.shares if share is not None)
    arrivals = {f"g{to}": arriving(drawn, to, len(consumers(drawn, to, pulls))) for to in sent}
    return Turn(
        f"g{grid}",
        said(drawn, node, pull),
        needs=list(refused),
        refused=refused,
        arrivals=arrivals,
        hold=[f"b{node.call}.{k}" for k in range(len(node.sources)) if drawn.flows(node, k)],
        keep={"done": f"v{grid}"},
        text=drawn.told(pull),
        name=f"pass on the gradient of {name}",
    )


def consumers(drawn: SmallGraph, grid: int, pulls: dict[int, Pull]) -> list[int]:
    """Return the tensors whose steps of backward send something to ``grid``."""
    return [
        out
        for out, pull in pulls.items()
        if any(share is not None and share.to == grid for share in pull.shares)
    ]


def arriving(drawn: SmallGraph, grid: int, count: int) -> list[str]:
    """Return what a gradient's cell shows by how many of its consumers have reported."""
    gradient = drawn.tape.gradient(grid)
    assert gradient is not None
    return [*(f"{k} of {count} reported" for k in range(1, count)), brief(gradient)]


def said(drawn: SmallGraph, node: Node, pull: Pull) -> str:
    """Say what a node sends; how far each sum has come depends on the order, so not here."""
    call = drawn.tape.calls[pull.call]
    ends = [k for k, share in enumerate(pull.shares) if share is not None]
    sent = "; ".join(words.receives(drawn.tape, call, k) for k in ends)
    return f"{words.title(call)} backward, at {node.title}: {sent or 'nothing to send'}."


def numbers(gradients: Walk, names: list[str]) -> str:
    """Write down the gradients of a walk."""
    pairs = zip(names, gradients.gradients, strict=True)
    return ", ".join(f"{n}.grad = {'none' if g is None else listed(g)}" for n, g in pairs)


def compare(drawn: SmallGraph, walks: list[Walk], names: list[str]) -> None:
    """Add the last step: the same rules in three orders."""
    lines = {}
    for k, one in enumerate(walks):
        lost = f"   {one.late} share{'s' * (one.late > 1)} too late" if one.late else ""
        text = f"{one.order:<15}{numbers(one, names)}{lost}"
        lines[f"d{k}"] = text.replace("  ", "\N{NO-BREAK SPACE}" * 2)
    lines |= {key: " " for key in drawn.lines[len(walks) :]}
    drawn.scene.step(verdict(walks, names), text=lines)


def verdict(walks: list[Walk], names: list[str]) -> str:
    """Say what the engine's order gives, and what the others would have given."""
    right, *others = walks
    parts = [f"Every share arrived in time: {numbers(right, names)}."]
    wrong = [one for one in others if one.late]
    for one in wrong:
        shares = "share" if one.late == 1 else "shares"
        parts.append(
            f"Visiting {one.order}, {one.late} {shares} would have come too late: "
            f"{numbers(one, names)}."
        )
    if not wrong:
        parts.append("On this graph breadth first and depth first happen to lose nothing.")
    return " ".join(parts)
