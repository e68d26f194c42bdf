"""Draw the arrows of backward: they are those of forward turned round, where a nudge gets through.

The cells of every tensor stand in one column, so that no arrow crosses a cell. Which arrows are
right is asked of the run: a backward from one output cell alone, for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.pictures.cells import equals, feeds, index_text, number, texts
from tensorkit.pictures.graph_words import total
from tensorkit.pictures.jacobian import derivatives, name_of
from tensorkit.pictures.play import Connect
from tensorkit.pictures.scene import Scene
from tensorkit.tape import Cells, Tape, distinct, run

CELL = (1.5, 0.82)
APART = 0.75  # between two inputs, for the name of the second
MARGIN = 0.5
HEAD = 1.75
ARROW = 4.2  # from column to column
MOST = 16  # cells in a column
OPENING = (
    "Left, what forward read. Now draw backward: an arrow from each cell of grad_out to every "
    "gradient that it has a share in. Then check."
)


def arrows_scene(f: Callable[..., Any], *inputs: Any, grad_out: Any = None) -> Scene:
    """Return the game on ``f(*inputs)``; its steps draw the arrows one output cell at a time.

    Raises ShapeError for more than 16 input cells or output cells, and what ``tape.run`` raises.
    """
    tape = run(f, *inputs, grad_out=grad_out)
    out = tape.grids[tape.result]
    if grad_out is None:
        tape = run(f, *inputs, grad_out=distinct(out.shape))
    ins = [k for k in tape.parameters if tape.grids[k].needs_grad]
    count = sum(tape.grids[k].values.size for k in ins)
    if not 1 <= count <= MOST or not 1 <= out.values.size <= MOST:
        raise ShapeError(
            f"{count} input cells and {out.values.size} output cells: arrows can be drawn for 1 "
            f"to {MOST} of each"
        )
    matrix = np.array([derivatives(f, inputs, out, o) for o in range(out.values.size)])
    return Arrows(tape, ins, matrix, name_of(f, tape)).scene


class Arrows:
    """Forward on the left, backward on the right; ``g0`` ... to ``d0`` ... are the ends to join."""

    def __init__(self, tape: Tape, ins: list[int], matrix: Cells, name: str) -> None:
        self.tape, self.ins, self.matrix = tape, ins, matrix
        self.out = tape.grids[tape.result]
        self.cells = [(k, c) for k in ins for c in range(tape.grids[k].values.size)]
        self.reads = reads(tape)
        self.draw(f"out = {name}: draw the arrows of backward")
        self.tell()
        if matrix.any():  # else there is nothing to draw, and the steps say so
            self.scene.play = self.game()

    def draw(self, title: str) -> None:
        """Draw the four columns and the arrows between them."""
        rows, made = self.matrix.shape
        gaps = APART * (len(self.ins) - 1)
        tall = max(made * CELL[1] + gaps, rows * CELL[1])
        index = max(len(self.name(c)) for c in range(made)) * 0.19 + 0.25
        end = max(len(self.result(o)) for o in range(rows)) * 0.19 + 0.25
        left = MARGIN + index
        half = left + 2 * CELL[0] + ARROW + end
        second = half + 0.9 + index + 0.5
        third = second + CELL[0] + ARROW
        width = third + CELL[0] + end + 0.6 + MARGIN
        self.scene = scene = Scene(width, HEAD + tall + MARGIN, title)
        values = [t for k in self.ins for t in texts(self.tape.grids[k].values)]
        start = HEAD + (tall - made * CELL[1] - gaps) / 2
        ys = [
            start + c * CELL[1] + APART * self.ins.index(k) for c, (k, _) in enumerate(self.cells)
        ]
        top = HEAD + (tall - rows * CELL[1]) / 2
        at = [top + o * CELL[1] for o in range(rows)]
        scene.label(left, MARGIN + 0.1, "forward", bold=True, size=12)
        scene.label(second, MARGIN + 0.1, "backward", bold=True, size=12)
        self.heads(left, second, ys)
        for x, said in ((left + CELL[0] + ARROW, "out"), (third, "grad_out")):
            scene.label(x, top - 0.32, said, bold=True, size=10.5)
        for x, letter, shown, role in ((left, "v", values, None), (second, "d", None, "ghost")):
            for c, y in enumerate(ys):
                scene.cell(f"{letter}{c}", x, y, shown[c] if shown else " ", *CELL, role)
                name = self.name(c) if letter == "v" else self.gradient(c)
                self.index(x - 0.14, y, name, "right")
        made_of = texts(self.out.values)
        weights = texts(self.tape.grad_out)
        for x, letter, shown in ((left + CELL[0] + ARROW, "o", made_of), (third, "g", weights)):
            for o, y in enumerate(at):
                scene.cell(f"{letter}{o}", x, y, shown[o], *CELL)
                name = self.result(o) if letter == "o" else self.upstream(o)
                self.index(x + CELL[0] + 0.14, y, name, "left")
        for o in range(rows):
            for c in range(made):
                a, b = at[o] + CELL[1] / 2, ys[c] + CELL[1] / 2
                if self.cells[c] in self.reads[o]:
                    near, far = left + CELL[0] + 0.05, left + CELL[0] + ARROW - 0.05
                    scene.arrow(f"f{o}.{c}", (near, b), (far, a), "read", visible=True)
                    scene.link(f"o{o}", f"v{c}")
                if self.matrix[o, c] != 0:
                    near, far = second + CELL[0] + 0.05, third - 0.05
                    scene.arrow(f"b{o}.{c}", (far, a), (near, b), "grad", dashed=True)

    def heads(self, left: float, second: float, ys: list[float]) -> None:
        """Write the names of the inputs above their cells."""
        for k in self.ins:
            y = ys[self.cells.index((k, 0))] - 0.32
            grid = self.tape.grids[k]
            self.scene.label(left, y, f"{grid.name} {grid.shape}", bold=True, size=10.5)
            self.scene.label(second, y, f"{grid.name}.grad", bold=True, size=10.5)

    def index(self, x: float, y: float, text: str, align: Any) -> None:
        """Write the name of a cell beside it."""
        self.scene.label(x, y + CELL[1] / 2, text, size=9, role="dim", align=align)

    def name(self, c: int) -> str:
        """Return the name of an input cell: x[0, 1]."""
        k, cell = self.cells[c]
        return f"{self.tape.grids[k].name}{index_text(self.tape.grids[k].shape, cell)}"

    def gradient(self, c: int) -> str:
        """Return the name of the gradient of an input cell: x.grad[0, 1]."""
        k, cell = self.cells[c]
        return f"{self.tape.grids[k].name}.grad{index_text(self.tape.grids[k].shape, cell)}"

    def result(self, o: int) -> str:
        """Return the name of an output cell."""
        return f"out{index_text(self.out.shape, o)}"

    def upstream(self, o: int) -> str:
        """Return the name of a cell of grad_out."""
        return f"grad_out{index_text(self.out.shape, o)}"

    def tell(self) -> None:
        """Add the demonstration: the arrows that leave each output cell, and what they carry."""
        scene = self.scene
        scene.step("Forward read along the arrows on the left. Backward goes the other way.")
        so_far: Any = np.zeros(len(self.cells))
        for o, weight in enumerate(self.tape.grad_out.ravel().tolist()):
            live = [c for c, slope in enumerate(self.matrix[o]) if slope != 0]
            so_far = so_far + weight * self.matrix[o]
            sent = "; ".join(
                f"{number(weight)} · {number(float(self.matrix[o, c]))} to {self.gradient(c)}"
                for c in live
            )
            scene.step(
                f"{self.upstream(o)} = {number(weight)} sends "
                f"{sent or 'nothing: no input moves ' + self.result(o)}.",
                read=f"g{o}",
                grad=[f"d{c}" for c in live],
                text={f"d{c}": number(float(so_far[c])) for c in live},
                hold=[f"b{o}.{c}" for c in live],
                keep={"known": [f"d{c}" for c in live]},
            )
        alone = [c for c in range(len(self.cells)) if not self.matrix[:, c].any()]
        scene.step(
            self.moral(),
            text={f"d{c}": "0" for c in alone},
            keep={"known": [f"d{c}" for c in alone]},
        )

    def moral(self) -> str:
        """Say how the arrows of backward and of forward go together in this run."""
        flat = [(o, c) for o, c in self.read_pairs() if self.matrix[o, c] == 0]
        said = "Every arrow of forward, turned round"
        if flat:
            said += f", but for {len(flat)} along which a nudge does not get through"
        met = self.matrix.astype(bool).sum(0)
        c = int(met.argmax())
        if met[c] > 1:
            terms = (self.matrix[:, c] * self.tape.grad_out.ravel())[self.matrix[:, c] != 0]
            summed = float(terms.sum())
            said += f"; where several arrive they add: {self.gradient(c)} = {total(list(terms))}"
            said += f" {equals(*terms.tolist(), summed)} {number(summed)}"
        return f"{said}."

    def read_pairs(self) -> list[tuple[int, int]]:
        """Return which output cell read which input cell."""
        places = {cell: c for c, cell in enumerate(self.cells)}
        return [
            (o, places[cell])
            for o, met in enumerate(self.reads)
            for cell in sorted(met)
            if cell in places
        ]

    def game(self) -> Connect:
        """Return the game, with a sentence for every arrow that may be missing or wrong."""
        rows, made = self.matrix.shape
        pairs = [(o, c) for o in range(rows) for c in range(made)]
        names = {f"g{o}": self.upstream(o) for o in range(rows)}
        names |= {f"d{c}": self.gradient(c) for c in range(made)}
        return Connect(
            [f"g{o}" for o in range(rows)],
            [f"d{c}" for c in range(made)],
            [(f"g{o}", f"d{c}") for o, c in pairs if self.matrix[o, c] != 0],
            OPENING,
            f"All arrows are there. {self.moral()}",
            {(f"g{o}", f"d{c}"): self.why(o, c) for o, c in pairs},
            names,
        )

    def why(self, o: int, c: int) -> str:
        """Say why an arrow belongs, or does not."""
        slope, put, got = float(self.matrix[o, c]), self.name(c), self.result(o)
        if slope != 0:
            far = "just as far" if slope == 1 else f"{number(slope)} times as far"
            return (
                f"{put} went into {got}, which moves {far}: a share of "
                f"{self.upstream(o)} belongs to {self.gradient(c)}."
            )
        if self.cells[c] in self.reads[o]:
            return f"{got} read {put}, but a nudge of it does not move {got}: the slope is 0."
        return f"{put} did not go into {got}, so nothing comes back from {self.upstream(o)}."


def reads(tape: Tape) -> list[set[tuple[int, int]]]:
    """Return, for each output cell, the cells of leaves that went into it: (grid, cell)."""
    met: dict[int, list[set[tuple[int, int]]]] = {}
    for k, grid in enumerate(tape.grids):
        if grid.call is None:
            met[k] = [{(k, cell)} for cell in range(grid.values.size)]
            continue
        call = tape.calls[grid.call]
        found: list[set[tuple[int, int]]] = [set() for _ in range(grid.values.size)]
        for edge, source in enumerate(call.inputs):
            for o, cells in enumerate(feeds(tape, call, edge)):
                found[o].update(*(met[source][cell] for cell in cells))
        met[k] = found
    return met[tape.result]
