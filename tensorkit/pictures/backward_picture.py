"""Where everything stands in the picture of one operation's backward.

Inputs on the left, the output on the right; values above, gradients below. Between the gradients
stand the local derivatives: read along the line, x.grad = slope × grad_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorkit.pictures.cells import texts
from tensorkit.pictures.formulas import expression, short, slope
from tensorkit.pictures.layout import Drawn, tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Call, Cells, Share, Tape

SHAPE = (1.04, 0.86)
MARGIN = 0.5
HEAD = 0.95  # above a block, for its label
BETWEEN = 1.35  # between two columns
SUM = 2.4  # between the products and their sums
BELOW = 0.5  # between two inputs
PRODUCTS = "products"
LANES = 2.9  # between the last column and the output: two lanes and the operation
PILL = 1.1


class BackwardPicture:
    """One call on a canvas: inputs on the left, the output on the right, slopes between them."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.pull = tape.pulls[0]
        self.number = self.pull.call
        self.call: Call = tape.calls[self.number]
        self.out = tape.grids[self.call.out]
        self.ways = [k for k, share in enumerate(self.pull.shares) if share is not None]
        self.leaf = {k: self.origin(k) for k in range(len(self.call.inputs))}
        self.drawn_ins = [k for k, grid in self.leaf.items() if tape.grids[grid].number is None]
        self.values: dict[int, Drawn] = {}
        self.grads: dict[int, Drawn] = {}
        self.slopes: dict[int, Drawn] = {}
        self.products: dict[int, Drawn] = {}
        self.draw()

    def origin(self, k: int) -> int:
        """Return the leaf behind input ``k``: the tensor before it was broadcast."""
        grid = self.call.inputs[k]
        made = self.tape.grids[grid].call
        return grid if made is None else self.tape.calls[made].inputs[0]

    def undo(self, k: int) -> tuple[Call, Share] | None:
        """Return the call that broadcast input ``k`` and what its backward sends; None if none."""
        made = self.tape.grids[self.call.inputs[k]].call
        found = (p for p in self.tape.pulls if p.call == made)
        share = next((p.shares[0] for p in found), None)
        return None if made is None or share is None else (self.tape.calls[made], share)

    def share(self, k: int) -> Cells:
        """Return what the engine sends to input ``k``."""
        share = self.pull.shares[k]
        assert share is not None
        return share.values

    def shows_slope(self, k: int) -> bool:
        """Whether there is a local derivative to be seen: a sum and a move only pass on."""
        slopes = self.pull.slopes[k]
        return slopes is not None and (self.call.kind != "reduce" or self.call.name != "sum")

    def draw(self) -> None:
        """Draw everything: the columns first, then the arrows between them."""
        names = {k: short(self.tape.grids[grid]) for k, grid in self.leaf.items()}
        left = max(
            [
                self.width(self.tape.grids[self.leaf[k]].shape, f"{names[k]}.grad (2, 3)")
                for k in self.drawn_ins
            ]
        )
        full = tensor_size(self.tape.grids[self.call.inputs[0]].shape, SHAPE)[0]
        undone = [k for k in self.ways if self.undo(k)]
        sloped = [k for k in self.ways if self.shows_slope(k)]
        at_products = MARGIN + left + SUM
        many = max(full, text_width(PRODUCTS) * 12 / CELL + 1.6)
        at_slopes = at_products + many + BETWEEN if undone else MARGIN + left + BETWEEN
        head = max((text_width(self.slope_label(k)) * 10.5 / CELL for k in sloped), default=0.0)
        edge = at_slopes + max(full, head) if sloped else MARGIN + left
        if undone and not sloped:
            edge = at_products + full
        at_out = edge + LANES + PILL * 0.6
        high = tensor_size(self.out.shape, SHAPE)[1]
        self.rows = [
            (max(a, high), max(b, high)) if len(self.drawn_ins) == 1 else (a, b)
            for a, b in map(self.room, self.drawn_ins)
        ]
        heights = [2 * HEAD + a + b for a, b in self.rows]
        tall = max(sum(heights) + BELOW * (len(heights) - 1), 2 * (HEAD + high))
        out_width = self.width(self.out.shape, f"grad_out {self.out.shape} ")
        title = f"{self.call.name} backward: out = {expression(self.tape, self.call)}"
        self.scene = Scene(at_out + out_width + MARGIN, tall + 2 * MARGIN, title)
        y = MARGIN
        for k, height, row in zip(self.drawn_ins, heights, self.rows, strict=True):
            self.draw_input(k, y, row, names[k], (MARGIN, at_products, at_slopes))
            y += height + BELOW
        rows = self.rows[0] if len(self.rows) == 1 else (high, high)
        self.draw_output(at_out, MARGIN + (tall - 2 * HEAD - sum(rows)) / 2, rows)
        self.arrows(at_out, edge)

    def width(self, shape: Sequence[int], label: str) -> float:
        """Return the width of a block under a bold label."""
        return max(tensor_size(shape, SHAPE)[0], text_width(label) * 12 / CELL)

    def room(self, k: int) -> tuple[float, float]:
        """Return the heights of an input's values and of what goes back to it."""
        own = tensor_size(self.tape.grids[self.leaf[k]].shape, SHAPE)[1]
        full = tensor_size(self.tape.grids[self.call.inputs[k]].shape, SHAPE)[1]
        return own, (max(own, full) if k in self.ways else -HEAD)

    def block(
        self, key: str, values: Any, x: float, y: float, high: float, role: str | None = None
    ) -> Drawn:
        """Draw a tensor in the middle of a row that is ``high``."""
        own = tensor_size(np.shape(values), SHAPE)[1]
        return self.scene.tensor(key, values, x, y + (high - own) / 2, None, role, SHAPE)

    def slope_label(self, k: int) -> str:
        """Return what stands above the local derivatives."""
        text = slope(self.tape, self.call, k)
        return f"slope = {text}" if text != "slope" else "slope"

    def draw_input(
        self,
        k: int,
        y: float,
        row: tuple[float, float],
        name: str,
        columns: tuple[float, float, float],
    ) -> None:
        """Draw an input, its gradient, its slopes and, if it was broadcast, the products."""
        scene, grid = self.scene, self.tape.grids[self.leaf[k]]
        x, at_products, at_slopes = columns
        y += HEAD
        self.values[k] = self.block(f"v{k}", self.shown(grid.values), x, y, row[0])
        self.label(self.values[k], name, grid.shape)
        if k not in self.ways:
            return
        y += row[0] + HEAD
        blank: Any = np.full(grid.shape, " ")
        self.grads[k] = self.block(f"g{k}", blank, x, y, row[1], "ghost")
        self.label(self.grads[k], f"{name}.grad", grid.shape)
        wide: Any = np.full(self.tape.grids[self.call.inputs[k]].shape, " ")
        self.products[k] = self.grads[k]
        if self.undo(k):
            self.products[k] = self.block(f"p{k}", wide, at_products, y, row[1], "ghost")
            self.label(self.products[k], PRODUCTS, wide.shape)
        if self.shows_slope(k):
            self.slopes[k] = self.block(f"d{k}", wide, at_slopes, y, row[1], "ghost")
            top = self.slopes[k].box[1]
            scene.label(at_slopes, top - 0.36, self.slope_label(k), size=10.5, role="dim")

    def label(self, drawn: Drawn, name: str, shape: Sequence[int]) -> None:
        """Write a name above a block, and its shape beside it."""
        x, y = drawn.box[:2]
        self.scene.label(x, y - 0.36, name, bold=True, size=11)
        shift = text_width(name) * 11 * 1.13 / CELL + 0.18
        self.scene.label(x + shift, y - 0.36, str(tuple(shape)), size=9.5, role="dim")

    def shown(self, values: Cells) -> Any:
        """Return numbers as texts, in their shape."""
        return np.reshape(texts(values), values.shape)

    def draw_output(self, x: float, y: float, row: tuple[float, float]) -> None:
        """Draw the output, and below it the upstream gradient."""
        blank: Any = np.full(self.out.shape, " ")
        y += HEAD
        self.result = self.block("out", blank, x, y, row[0])
        self.label(self.result, "out", self.out.shape)
        self.upstream = self.block("grad_out", blank, x, y + row[0] + HEAD, row[1], "ghost")
        self.label(self.upstream, "grad_out", self.out.shape)

    def arrows(self, at_out: float, edge: float) -> None:
        """Draw the operation and all arrows: forward in line with values, backward below."""
        scene = self.scene
        y, left = middle(self.result), at_out - 0.62 - PILL
        sign = self.call.symbol if self.call.name != "permute" else "⇄"
        grids = [self.tape.grids[k] for k in self.call.inputs]
        if self.call.kind == "zip" and any(g.number is not None for g in grids):
            parts = [short(g) if g.number is not None else "" for g in grids]
            sign = f"{parts[0]} {sign} {parts[1]}".strip()
        scene.pill("op", left, y - 0.45, PILL, 0.9, sign, size=13)
        scene.arrow("f", (left + PILL, y), (at_out - 0.06, y), visible=True)
        ports = np.linspace(-0.2, 0.2, len(self.drawn_ins)) if len(self.drawn_ins) > 1 else [0.0]
        for port, k in zip(ports, self.drawn_ins, strict=True):
            start = self.values[k].box[2] + 0.06, middle(self.values[k])
            lead(scene, f"f{k}", start, (left - 0.05, y + float(port)), left - 0.4)
        for nth, k in enumerate(self.ways):
            near = self.slopes.get(k, self.products[k])
            start = at_out - 0.06, middle(self.upstream) + 0.16 * (nth - (len(self.ways) - 1) / 2)
            lane = edge + 0.95
            lead(scene, f"b{k}", start, (near.box[2] + 0.06, middle(near)), lane, back=True)
            if k in self.slopes:
                ends = self.slopes[k].box[0] - 0.06, self.products[k].box[2] + 0.06
                level = middle(self.slopes[k])
                lead(scene, f"m{k}", (ends[0], level), (ends[1], middle(self.products[k])), 0, True)
                scene.label(ends[0] - 0.4, level - 0.28, "=", size=13, role="dim", align="center")
                times = self.slopes[k].box[2] + 0.5
                scene.label(times, level - 0.28, "×", size=13, role="dim", align="center")
            if self.products[k] is not self.grads[k]:
                a, b = self.products[k], self.grads[k]
                turn = a.box[0] - 0.5
                end = b.box[2] + 0.06, middle(b)
                lead(scene, f"u{k}", (a.box[0] - 0.06, middle(a)), end, turn, back=True)
                scene.label(
                    (a.box[0] + b.box[2]) / 2,
                    min(middle(a), middle(b)) - 0.34,
                    "copies add",
                    size=9,
                    role="dim",
                    align="center",
                )


def middle(drawn: Drawn) -> float:
    """Return the height of the middle of a block."""
    return (drawn.box[1] + drawn.box[3]) / 2


def lead(
    scene: Scene,
    key: str,
    start: tuple[float, float],
    end: tuple[float, float],
    lane: float,
    back: bool = False,
) -> None:
    """Draw an arrow that changes its height in a lane."""
    level = abs(start[1] - end[1]) < 0.02
    via = None if level else [(lane, start[1]), (lane, end[1])]
    if via and lane == 0:
        between = (start[0] + end[0]) / 2
        via = [(between, start[1]), (between, end[1])]
    role = "grad" if back else "read"
    scene.arrow(key, start, end, role, dashed=back, visible=not back, via=via)
