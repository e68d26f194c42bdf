"""A gradient of tensors is many derivatives: a row for each output cell, a column for each input.

Unroll the inputs into columns and the output into rows, and every cell of the grid is one ordinary
derivative. Backward weighs the rows by grad_out and adds down the columns. Each row comes from a
backward of its own, which starts from 1 at one output cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.pictures.cells import equals, index_text, number, texts
from tensorkit.pictures.derivatives import derivatives, differentiated, flat_gradient, name_of
from tensorkit.pictures.graph_words import total
from tensorkit.pictures.jacobian_words import patterns, row_said
from tensorkit.pictures.layout import Drawn, tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Cells, Tape

__all__ = ["JacobianPicture", "derivatives", "jacobian_scene", "name_of"]

SHAPE = (1.04, 0.82)
MARGIN = 0.5
HEAD = 0.95
APART = 1.5  # between the tensors and the grid
SPACE = 0.3  # between the columns of two inputs
PLAIN = "derivatives"
WEIGHED = "grad_out × derivatives"


def jacobian_scene(f: Any, *inputs: Any, grad_out: Any = None) -> Scene:
    """Return the scene of all derivatives of ``f(*inputs)``, an expression or a row of the table.

    ``grad_out`` has the shape of the output, and holds different numbers if it is left out. Of
    large inputs the corners are taken. Raises ShapeError for more than 16 output cells or 16 input
    cells that cannot be cut so, and whatever ``tape.run`` raises.
    """
    return JacobianPicture(*differentiated(f, inputs, grad_out)).scene


class JacobianPicture:
    """The tensors on the left, the grid of derivatives on the right."""

    def __init__(
        self, tape: Tape, ins: list[int], matrix: Cells, name: str, rest: str = ""
    ) -> None:
        self.tape, self.ins, self.matrix, self.rest = tape, ins, matrix, rest
        self.out = tape.grids[tape.result]
        self.gradient = flat_gradient(tape)
        self.columns = [(k, c) for k in ins for c in range(tape.grids[k].values.size)]
        self.draw(f"out = {name}: every derivative")
        self.link()
        self.tell()

    def draw(self, title: str) -> None:
        """Draw the tensors, the margins of the grid, and the grid."""
        shapes = [self.tape.grids[k].shape for k in self.ins] + [self.out.shape]
        sizes = [tensor_size(shape, SHAPE) for shape in shapes]
        labels = [f"{self.tape.grids[k].name}.grad {self.tape.grids[k].shape}" for k in self.ins]
        label = max(text_width(one) * 12 / CELL for one in [*labels, f"grad_out {self.out.shape}"])
        wide = max(label, *(size[0] for size in sizes)) + 0.6
        rows, across = self.matrix.shape
        left = MARGIN + 2 * wide - 0.6 + APART
        places = text_width(", ".join("0" * len(self.out.shape))) * 9.5 / CELL
        at_out = left + SHAPE[0] + 0.5 + places + 0.25
        at_grid = at_out + SHAPE[0] + 0.3
        top = MARGIN + 2.5
        panel = sum(size[1] + HEAD for size in sizes) + 0.35 * len(sizes)
        high = max(top + (rows + 1) * SHAPE[1] + 0.62, MARGIN + panel)
        first = {k: self.columns.index((k, 0)) for k in self.ins}
        apart = sorted(first.values())
        self.at = [
            at_grid + c * SHAPE[0] + SPACE * (sum(c >= one for one in apart) - 1)
            for c in range(across)
        ]
        named = text_width(WEIGHED) * 11 * 1.13 / CELL
        right = max(self.at[-1] + SHAPE[0], at_grid + named)
        self.scene = Scene(right + MARGIN, high + MARGIN, title)
        self.draw_tensors(wide)
        self.draw_margins(left, at_out, top)
        scene = self.scene
        scene.label(at_grid, MARGIN, PLAIN, key="name", size=11, bold=True)
        self.grid: list[list[str]] = []
        for o in range(rows):
            y = top + o * SHAPE[1]
            places_of = [(x, y) for x in self.at]
            keys = scene.grid(f"j{o}", places_of, [" "] * across, *SHAPE, role="ghost")
            self.grid.append(keys)
        y = top + rows * SHAPE[1] + 0.62
        places_of = [(x, y) for x in self.at]
        self.sums = scene.grid("sum", places_of, [" "] * across, *SHAPE, role="ghost")
        scene.label(
            at_grid - 0.3, y + SHAPE[1] / 2, "add down", size=9.5, role="dim", align="right"
        )

    def draw_tensors(self, wide: float) -> None:
        """Draw inputs and output, with their gradients beside them."""
        scene, y = self.scene, MARGIN
        self.values: dict[int, Drawn] = {}
        self.grads: dict[int, Drawn] = {}
        for k in [*self.ins, self.tape.result]:
            grid = self.tape.grids[k]
            name, grad = (grid.name, f"{grid.name}.grad") if k in self.ins else ("out", "grad_out")
            blank: Any = np.full(grid.shape, " ")
            y += HEAD
            text: Any = np.reshape(texts(grid.values), grid.shape)
            start = text if k in self.ins else blank
            self.values[k] = scene.tensor(f"v{k}", start, MARGIN, y, None, None, SHAPE)
            other = MARGIN + wide
            self.grads[k] = scene.tensor(f"g{k}", blank, other, y, None, "ghost", SHAPE)
            for x, said in ((MARGIN, name), (other, grad)):
                scene.label(x, y - 0.36, said, bold=True, size=11)
                shift = text_width(said) * 11 * 1.13 / CELL + 0.18
                scene.label(x + shift, y - 0.36, str(grid.shape), size=9.5, role="dim")
            y = self.values[k].box[3] + 0.35

    def draw_margins(self, left: float, at_out: float, top: float) -> None:
        """Draw the unrolled input above the grid, the unrolled output and grad_out beside it."""
        scene, above = self.scene, top - SHAPE[1] - 0.3
        self.heads = [scene.cell(f"c{c}", x, above, " ", *SHAPE) for c, x in enumerate(self.at)]
        for c, (k, cell) in enumerate(self.columns):
            x = self.at[c]
            if cell == 0:
                name = self.tape.grids[k].name
                scene.label(x, above - 0.68, name, size=10.5, bold=True)
            at = index_text(self.tape.grids[k].shape, cell).strip("[]")
            scene.label(x + SHAPE[0] / 2, above - 0.22, at, size=9, role="dim", align="center")
        self.sides, self.weights = [], []
        for o in range(self.out.values.size):
            y = top + o * SHAPE[1]
            self.weights.append(scene.cell(f"w{o}", left, y, " ", *SHAPE, role="ghost"))
            at = index_text(self.out.shape, o).strip("[]")
            level = y + SHAPE[1] / 2
            scene.label(at_out - 0.14, level, at, size=9, role="dim", align="right")
            self.sides.append(scene.cell(f"o{o}", at_out, y, " ", *SHAPE))
        scene.label(left, top - 0.3, "grad_out", size=10.5, bold=True)
        scene.label(at_out + SHAPE[0] / 2, top - 0.3, "out", size=10.5, bold=True, align="center")

    def link(self) -> None:
        """Link every derivative to its two cells, every sum to its column."""
        for o, keys in enumerate(self.grid):
            for c, key in enumerate(keys):
                self.scene.link(key, (self.sides[o], self.heads[c], self.weights[o]))
        for c, (k, cell) in enumerate(self.columns):
            column = [keys[c] for o, keys in enumerate(self.grid) if self.matrix[o, c] != 0]
            self.scene.link(self.sums[c], column)
            self.scene.link(self.heads[c], self.values[k].keys[cell])
            self.scene.link(self.grads[k].keys[cell], self.sums[c])
        for o, key in enumerate(self.sides):
            self.scene.link(key, self.values[self.tape.result].keys[o])

    def cell_name(self, c: int) -> str:
        """Return the name of the input cell of a column: x[0, 1]."""
        k, cell = self.columns[c]
        return f"{self.tape.grids[k].name}{index_text(self.tape.grids[k].shape, cell)}"

    def tell(self) -> None:
        """Add all steps."""
        scene, rows, across = self.scene, *self.matrix.shape
        inputs = [key for k in self.ins for key in self.values[k].keys]
        out = self.values[self.tape.result].keys
        made = texts(self.out.values)
        goes = "go" if len(self.ins) > 1 else "goes"
        scene.step(
            f"Forward: {self.listed()} {goes} in, out {self.out.shape} comes out.{self.rest}",
            read=inputs,
            write=out,
            text=dict(zip(out, made, strict=True)),
        )
        flat = [text for k in self.ins for text in texts(self.tape.grids[k].values)]
        scene.step(
            f"A tensor argument is many arguments: {across} input cells become {across} columns.",
            read=inputs,
            write=self.heads,
            text=dict(zip(self.heads, flat, strict=True)),
        )
        scene.step(
            f"Returning a tensor is like running several functions: {rows} output "
            f"cell{'s' * (rows > 1)}, so {rows} row{'s' * (rows > 1)}.",
            read=out,
            write=self.sides,
            text=dict(zip(self.sides, made, strict=True)),
        )
        for o, keys in enumerate(self.grid):
            line = self.matrix[o]
            live = [key for key, slope in zip(keys, line, strict=True) if slope != 0]
            names = [self.cell_name(c) for c in range(across)]
            scene.step(
                row_said(f"out{index_text(self.out.shape, o)}", names, line),
                read=(self.sides[o], *[h for h, s in zip(self.heads, line, strict=True) if s != 0]),
                write=live,
                text=dict(zip(keys, texts(line), strict=True)),
                keep={"dim": [key for key in keys if key not in live], None: live},
            )
        living = [
            key
            for o, keys in enumerate(self.grid)
            for c, key in enumerate(keys)
            if self.matrix[o, c] != 0
        ]
        blocks = [
            (self.tape.grids[k].name, self.matrix[:, [at == k for at, _ in self.columns]])
            for k in self.ins
        ]
        scene.step(patterns(blocks), read=living)
        self.tell_backward(living)

    def tell_backward(self, living: list[str]) -> None:
        """Add the steps of the chain rule: weigh the rows, add down the columns, fold back."""
        scene, tape = self.scene, self.tape
        weights, upstream = texts(tape.grad_out), self.grads[tape.result].keys
        scene.step(
            "Backward: grad_out gives every output cell, so every row, its weight.",
            grad=[*self.weights, *upstream],
            text=dict(zip([*self.weights, *upstream], weights * 2, strict=True)),
            keep={"known": [*self.weights, *upstream]},
        )
        weighed = self.matrix * tape.grad_out.reshape(-1, 1)
        for o, keys in enumerate(self.grid):
            live = [key for key in keys if key in living]
            scene.step(
                f"Row out{index_text(self.out.shape, o)}: every derivative times {weights[o]}.",
                read=self.weights[o],
                grad=live,
                text=dict(zip(keys, texts(weighed[o]), strict=True)) | {"name": WEIGHED},
                keep={"known": live},
            )
        for c, key in enumerate(self.sums):
            met = [o for o in range(len(self.grid)) if self.matrix[o, c] != 0]
            added = [float(weighed[o, c]) for o in met]
            same = equals(*added, float(self.gradient[c]))
            result = number(float(self.gradient[c]))
            name = (
                self.cell_name(c).replace("[", ".grad[")
                if "[" in self.cell_name(c)
                else (f"{self.cell_name(c)}.grad")
            )
            said = f"{name} = {total(added)}" + (f" {same} {result}" if len(met) > 1 else "")
            scene.step(
                f"Column {self.cell_name(c)}, added down: {said}.",
                read=[self.grid[o][c] for o in met],
                grad=key,
                text={key: result},
                keep={"known": key},
            )
        ends = [self.grads[k].keys[cell] for k, cell in self.columns]
        shapes = "its shape" if len(self.ins) == 1 else "their shapes"
        scene.step(
            f"Folded back into {shapes}, this is the gradient of {self.listed(False)}. The engine "
            "gives the same numbers without ever building the grid.",
            read=self.sums,
            grad=ends,
            text=dict(zip(ends, texts(self.gradient), strict=True)),
            keep={"known": ends},
        )

    def listed(self, shapes: bool = True) -> str:
        """Return the names of the inputs, with their shapes."""
        grids = [self.tape.grids[k] for k in self.ins]
        return " and ".join(f"{g.name} {g.shape}" if shapes else g.name for g in grids)
