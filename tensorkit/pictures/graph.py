"""The graph of an expression: forward along solid arrows, backward along the same lines, reversed.

The graph that is drawn is the one that ``backward`` walks, and every backward step of the picture
is one step of the engine, in its order. Values stand above, gradients below, dashed until they are
known; a tensor that is used several times shows what each use sends, and then their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.pictures.cells import corner, texts
from tensorkit.pictures.formulas import rule, short, whole
from tensorkit.pictures.graph_boxes import FOLD, HEAD, RULE, SHAPE, Stack, folds, stack
from tensorkit.pictures.graph_layers import Box, Edge, Joint
from tensorkit.pictures.graph_layout import Plan, lay_out
from tensorkit.pictures.graph_small import SmallGraph
from tensorkit.pictures.layout import Drawn, Point
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shapes import Frame
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Call, Tape, run

MARGIN = 0.45
LEGEND = 0.8
LEAST = 12.5  # the legend's width
MOST = 40  # operations
PAGE = 34.0  # cells, what a notebook shows without scrolling
LOOKS = ("cells", "boxes", "folded")
NOTE = "upper cells: values     lower cells: gradients, dashed until known"


def graph_scene(
    f: Callable[..., Any], *inputs: Any, grad_out: Any = None, look: str | None = None
) -> Scene:
    """Return the scene of ``f(*inputs)``: its graph, forward, then backward from ``grad_out``.

    ``look`` is "cells", with every cell of every tensor; "boxes", with a box for each tensor and
    the numbers of the step below; or "folded", boxes without those that only move numbers. Left
    out, it is cells where they fit a page, else boxes. Tensors of more than 24 cells show their
    first cells. Raises ShapeError for more than 40 operations in cells or 120 tensors in boxes,
    ValueError for another look, and whatever ``tape.run`` raises.
    """
    from tensorkit.pictures.graph_steps import link, tell

    if look not in (None, *LOOKS):
        raise ValueError(f"no look {look!r}: the looks are {', '.join(LOOKS)}")
    tape, name = run(f, *inputs, grad_out=grad_out), getattr(f, "__name__", "f")
    many = len(tape.calls) > MOST
    if many and look == "cells":
        raise ShapeError(
            f"this expression has {len(tape.calls)} operations, and cells can be followed up to "
            f"about {MOST}: draw a part of it, or ask for look='boxes'"
        )
    picture = None if many or look in ("boxes", "folded") else GraphPicture(tape, name)
    if picture is None or (look is None and picture.scene.width > PAGE):
        return SmallGraph(tape, name, fold=look == "folded").scene
    link(picture)
    tell(picture)
    return picture.scene


class GraphPicture:
    """A tape on a canvas. ``values``, ``grads`` and ``shares`` tell where each block was drawn."""

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape = tape
        self.folded = folds(tape)  # the stretched tensor is drawn, its source lies within
        inside = {tape.calls[call].out: call for call in self.folded.values()}
        self.stacks = [
            stack(tape, k, inside.get(k))
            for k, grid in enumerate(tape.grids)
            if grid.number is None and k not in self.folded
        ]
        self.box_of = {one.grid: number for number, one in enumerate(self.stacks)}
        for source, call in self.folded.items():
            self.box_of[source] = self.box_of[tape.calls[call].out]
        self.values: dict[int, Drawn] = {}
        self.grads: dict[int, Drawn] = {}
        self.shares: dict[tuple[int, int], Drawn] = {}
        self.drawn = [k for k in range(len(tape.calls)) if k not in inside.values()]
        plan = self.plan()
        title = whole(tape) or (name if name.isidentifier() else "an expression")
        width = max(plan.size[0] + 2 * MARGIN, LEAST)
        height = plan.size[1] + 2 * MARGIN + LEGEND
        self.scene = Scene(width, height, f"{title}, forward and backward")
        for number, one in enumerate(self.stacks):
            self.draw_box(one, self.shift(plan.boxes[number]))
        for place, number in enumerate(self.drawn):
            self.draw_operation(plan, place, number)
        self.scene.label(MARGIN, height - 0.5, NOTE, size=9.5, role="dim")

    def plan(self) -> Plan:
        """Lay out the boxes and the operations between them."""
        boxes = []
        for one in self.stacks:
            half = one.size[1] / 2
            back = one.leaves_from() - half
            boxes.append(Box(one.width, one.size[0], HEAD + half, one.low - half, back))
        joints = [self.joint(number) for number in self.drawn]
        return lay_out(boxes, joints, self.box_of[self.tape.result])

    def joint(self, number: int) -> Joint:
        """Return a call as the layout needs it; numbers are written on the operation itself."""
        call = self.tape.calls[number]
        edges, rules = [], [0.0]
        for k in self.edges(call):
            source = self.stacks[self.box_of[call.inputs[k]]]
            arrived = self.share_number(number, k)
            back = source.arrivals[arrived - 1] if arrived else None
            edges.append(Edge(self.box_of[call.inputs[k]], back))
            if arrived:
                rules.append(text_width(rule(self.tape, call, k)) * 9.5)
        wide = max(text_width(self.symbol(call)) * 12.5, *rules) / CELL + 0.3
        return Joint(self.box_of[call.out], tuple(edges), max(1.0, wide))

    def edges(self, call: Call) -> list[int]:
        """Return which inputs of a call are drawn: all but plain numbers."""
        return [k for k, source in enumerate(call.inputs) if source in self.box_of]

    def share_number(self, number: int, k: int) -> int:
        """Return which share of its input a gradient of a call is, from 1; 0 if there is none."""
        shares = self.tape.shares_to(self.tape.calls[number].inputs[k])
        return next((s.number for call, at, s in shares if (call, at) == (number, k)), 0)

    def symbol(self, call: Call) -> str:
        """Return the sign on an operation, with the number that it takes, if any: ``2 ×``."""
        grids = [self.tape.grids[k] for k in call.inputs]
        numbers = [short(grid) if grid.number is not None else "" for grid in grids]
        if call.kind == "zip" and any(numbers):
            return f"{numbers[0]} {call.symbol} {numbers[1]}".strip()
        return call.symbol

    def draw_box(self, one: Stack, at: Point) -> None:
        """Draw a tensor: its name and shape, its values, and below them its gradients."""
        grid, scene, k = self.tape.grids[one.grid], self.scene, one.grid
        x, y = at[0], at[1] - one.size[1] / 2
        scene.label(x, y - 0.74, one.title, bold=True, size=11)
        scene.label(x, y - 0.29, one.subtitle, size=9, role="dim")
        leaf = grid.call is None
        ghosts = corner(grid.ghosts, one.shown)
        known: Any = np.reshape(texts(corner(grid.values, one.shown)), one.shown)
        if one.source is not None:  # what is stretched may be known before its copies are read
            leaf = self.tape.grids[one.source].call is None
            known = np.where(ghosts, " ", known)
        numbers: Any = known if leaf else np.full(one.shown, " ")
        ghost = ghosts if ghosts.any() else None
        values = scene.tensor(f"v{k}", numbers, x, y, cell=SHAPE, size=10, ghost=ghost)
        self.values[k] = values
        if one.total is None:
            return
        blank: Any = np.full(one.shown, " ")
        shares = self.tape.shares_to(k)
        if len(shares) > 1:
            for call, edge, share in shares:
                top = y + one.arrivals[share.number - 1]
                scene.label(x + 0.04, top - 0.21, one.heads[share.number - 1], size=9, role="dim")
                key = f"s{k}.{share.number}"
                drawn = scene.tensor(key, blank, x, top, None, "ghost", SHAPE, 10)
                self.shares[call, edge] = drawn
            scene.label(x + 0.04, y + one.total - 0.21, one.heads[-1], size=9, role="dim")
        total = scene.tensor(f"g{k}", blank, x, y + one.total, None, "ghost", SHAPE, 10)
        self.grads[k] = total
        if len(shares) == 1:
            self.shares[shares[0][:2]] = total
        if one.source is not None and one.source_total is not None:
            self.draw_fold(one, one.source, ghosts, x, y + one.source_total)

    def draw_fold(self, one: Stack, source: int, ghosts: Any, x: float, y: float) -> None:
        """Draw the sum over the copies, and the gradient of the stretched tensor itself."""
        scene, call = self.scene, self.folded[source]
        whole = self.values[one.grid]
        own = [k for k, copy in enumerate(ghosts.ravel().tolist()) if not copy]
        keys, places = [whole.keys[k] for k in own], tuple(whole.places[k] for k in own)
        self.values[source] = Drawn(keys, one.source_shown, places, SHAPE, whole.box)
        top = y - FOLD - RULE
        scene.pill(f"r{call}.0", x, top, one.sum_width, RULE, one.sum_said, size=9, role="ghost")
        blank = np.full(one.source_shown, " ")
        grad = scene.tensor(f"g{source}", blank, x, y, None, "ghost", SHAPE, 10)
        self.grads[source] = self.shares[call, 0] = grad
        middle = x + SHAPE[0] / 2
        scene.arrow(f"b{call}", (middle, top - FOLD), (middle, top), role="grad", dashed=True)
        scene.arrow(f"b{call}.0", (middle, y - FOLD), (middle, y), role="grad", dashed=True)

    def draw_operation(self, plan: Plan, place: int, number: int) -> None:
        """Draw an operation, and the arrows of both directions."""
        scene, call = self.scene, self.tape.calls[number]
        x0, y0, x1, y1 = self.box(plan.symbols[place])
        scene.pill(f"op{number}", x0, y0, x1 - x0, y1 - y0, self.symbol(call), size=12.5)
        low = y1
        for edge, k in enumerate(self.edges(call)):
            line = [self.shift(p) for p in plan.forward[place, edge]]
            self.arrow(f"f{number}.{k}", line, visible=True)
            if (place, edge) in plan.rules:
                a, b, c, d = self.box(plan.rules[place, edge])
                low = max(low, d)
                scene.pill(f"r{number}.{k}", a, b, c - a, d - b, " ", size=9.5, role="ghost")
                line = [self.shift(p) for p in plan.backward[place, edge]][::-1]
                self.arrow(f"b{number}.{k}", line, back=True)
        edge_of = Frame(x0 - 0.05, y0 - 0.05, x1 - x0 + 0.1, low - y0 + 0.1, corner=0.45)
        scene.frames.append(edge_of)
        x, y = self.shift(plan.boxes[self.box_of[call.out]])
        self.arrow(f"f{number}", [(x1, y), (x, y)], visible=True)
        if call.out in self.grads:
            _, top, _, bottom = self.grads[call.out].box
            level = (top + bottom) / 2
            self.arrow(f"b{number}", [(x, level), (x1, level)], back=True)

    def shift(self, point: Point) -> Point:
        """Return a point of the plan on the canvas."""
        return point[0] + MARGIN, point[1] + MARGIN

    def box(self, edges: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Return a box of the plan on the canvas."""
        return (*self.shift(edges[:2]), *self.shift(edges[2:]))

    def arrow(self, key: str, line: list[Point], visible: bool = False, back: bool = False) -> None:
        """Draw an arrow through points, a little short of both ends."""
        (x0, y0), (x1, y1) = line[0], line[-1]
        way = 0.06 if x1 > x0 else -0.06
        role = "grad" if back else "read"
        via = line[1:-1] or None
        start, end = (x0 + way, y0), (x1 - way, y1)
        self.scene.arrow(key, start, end, role, dashed=back, visible=visible, via=via)
