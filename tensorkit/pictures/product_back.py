"""Backward of a matrix product: a cell of x took part in a line of out, and all of that answers.

x[i, k] is multiplied by y[k, j] for every j, so its slope on out[i, j] is y[k, j]. Upstream times
slope, summed over j, is again a cell of a matrix product: grad_out @ yᵀ. For y it is xᵀ @ grad_out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.pictures.cells import equals, number, texts
from tensorkit.pictures.formulas import expression
from tensorkit.pictures.layout import Drawn, tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Tape

SHAPE = (1.04, 0.86)
MARGIN = 0.5
HEAD = 0.95
BETWEEN = 1.7
MOST = 60  # cells of one matrix
FEW = 4  # terms that a caption writes out


class ProductPicture:
    """x, y and out side by side, their gradients below; every cell of a gradient is a step.

    Raises ShapeError for stacks of matrices, for vectors, and for more than 60 cells in a matrix.
    """

    def __init__(self, tape: Tape, rest: str = "") -> None:
        self.tape = tape
        self.call = tape.calls[0]
        grids = [tape.grids[k] for k in (*self.call.inputs, self.call.out)]
        shapes = [grid.shape for grid in grids]
        if len(tape.calls) > 1 or any(len(shape) != 2 for shape in shapes):
            raise ShapeError(
                f"the backward of {' @ '.join(map(str, shapes[:-1]))} is shown for two matrices: "
                "view a vector as (1, n) or (n, 1), and take one of a stack"
            )
        if max(grid.values.size for grid in grids) > MOST:
            raise ShapeError(
                f"matrices of {' and '.join(map(str, shapes[:-1]))} make more than {MOST} cells, "
                "and each is a step that reads a whole line: give smaller ones, such as (2, 3) and "
                "(3, 4)"
            )
        self.grads: dict[int, Drawn] = {}
        self.values: dict[int, Drawn] = {}
        self.shares = {
            k: share.values for k, share in enumerate(tape.pulls[0].shares) if share is not None
        }
        self.draw()
        self.link()
        self.tell(rest)

    def draw(self) -> None:
        """Draw the three matrices with their signs, and their gradients below."""
        tape = self.tape
        names = [tape.grids[k].name for k in self.call.inputs]
        numbers = (*self.call.inputs, self.call.out)
        sizes = [tensor_size(tape.grids[k].shape, SHAPE) for k in numbers]
        heads = [f"{name}.grad (2, 3)" for name in names] + ["grad_out (2, 3)"]
        wide = [
            max(size[0], text_width(head) * 12 / CELL)
            for size, head in zip(sizes, heads, strict=True)
        ]
        high = max(size[1] for size in sizes)
        width = sum(wide) + 2 * BETWEEN + 2 * MARGIN
        self.scene = scene = Scene(
            width,
            2 * (HEAD + high) + 3 * MARGIN,
            f"matmul backward: out = {expression(tape, self.call)}",
        )
        x, top, below = MARGIN, MARGIN + HEAD, 2 * MARGIN + 2 * HEAD + high
        for k, (grid, across) in enumerate(zip(numbers, wide, strict=True)):
            shape = tape.grids[grid].shape
            blank: Any = np.full(shape, " ")
            last = k == len(names)
            given: Any = blank if last else np.reshape(texts(tape.grids[grid].values), shape)
            self.values[k] = scene.tensor(f"v{k}", given, x, top, None, None, SHAPE)
            self.heading(x, top, "out" if last else names[k], shape)
            if last or k in self.shares:
                self.grads[k] = scene.tensor(f"g{k}", blank, x, below, None, "ghost", SHAPE)
                self.heading(x, below, "grad_out" if last else f"{names[k]}.grad", shape)
            if not last:
                sign = ("@", "=")[k]
                level = top + min(sizes[k][1], sizes[k + 1][1]) / 2
                scene.label(x + across + BETWEEN / 2, level, sign, size=15, align="center")
            x += across + BETWEEN

    def heading(self, x: float, y: float, name: str, shape: Any) -> None:
        """Write a name above a matrix, and its shape beside it."""
        self.scene.label(x, y - 0.36, name, bold=True, size=11)
        shift = text_width(name) * 11 * 1.13 / CELL + 0.18
        self.scene.label(x + shift, y - 0.36, str(tuple(shape)), size=9.5, role="dim")

    def met(self, k: int, row: int, column: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Return where a cell of input ``k`` took part: cells of out, and of the other input."""
        n, m = self.tape.grids[self.call.out].shape
        if k == 0:
            return [((row, j), (column, j)) for j in range(m)]
        return [((i, column), (i, row)) for i in range(n)]

    def link(self) -> None:
        """Link every gradient to the line of grad_out and the line of slopes that it is made of."""
        for k in self.shares:
            for at, key in zip(np.ndindex(self.values[k].shape), self.grads[k].keys, strict=True):
                for out, other in self.met(k, *at):
                    made = (self.grads[2].key(out), self.values[1 - k].key(other))
                    self.scene.link(key, made)

    def tell(self, rest: str) -> None:
        """Add all steps: forward, what arrives, every cell of both gradients, what they make."""
        scene, tape = self.scene, self.tape
        out = dict(zip(self.values[2].keys, texts(tape.grids[self.call.out].values), strict=True))
        given = [*self.values[0].keys, *self.values[1].keys]
        say = f"Forward: out = {expression(tape, self.call)}."
        scene.step(say + rest, read=given, write=out, text=out)
        up = dict(zip(self.grads[2].keys, texts(tape.grad_out), strict=True))
        say = f"grad_out {tape.grad_out.shape} arrives, one number for each cell of out."
        scene.step(say, grad=up, text=up, keep={"known": up})
        names = [tape.grids[k].name for k in self.call.inputs]
        for k, share in self.shares.items():
            for at in np.ndindex(share.shape):
                self.tell_cell(k, names, at, float(share[at]))
            made = f"grad_out @ {names[1]}ᵀ" if k == 0 else f"{names[0]}ᵀ @ grad_out"
            say = f"All of {names[k]}.grad together: {names[k]}.grad = {made}."
            other = self.values[1 - k].keys
            scene.step(say, read=[*up, *other], grad=self.grads[k].keys)

    def tell_cell(self, k: int, names: list[str], at: tuple[int, ...], result: float) -> None:
        """Add the step of one cell of a gradient."""
        row, column = at
        met = self.met(k, row, column)
        others = self.tape.grids[self.call.inputs[1 - k]].values
        arrays = self.tape.grad_out, others
        terms = [
            f"{number(float(self.tape.grad_out[out]))} · {guarded(number(float(others[other])))}"
            for out, other in met
        ]
        given = [float(a[at]) for pair in met for a, at in zip(arrays, pair, strict=True)]
        same = equals(*given, result)
        if len(terms) > FEW:
            terms = [*terms[: FEW - 1], "…", terms[-1]]
        line, slopes = (
            (f"out[{row}, :]", f"{names[1]}[{column}, :]")
            if k == 0
            else (f"out[:, {column}]", f"{names[0]}[:, {row}]")
        )
        key = self.grads[k].key((row, column))
        self.scene.step(
            f"{names[k]}[{row}, {column}] took part in {line}, with slopes {slopes}: "
            f"{names[k]}.grad[{row}, {column}] = {' + '.join(terms)} {same} {number(result)}.",
            read=[
                self.values[k].key((row, column)),
                *(self.grads[2].key(out) for out, _ in met),
                *(self.values[1 - k].key(other) for _, other in met),
            ],
            grad=key,
            text={key: result},
            keep={"known": key},
        )


def guarded(text: str) -> str:
    """Return a number with brackets around its minus."""
    return f"({text})" if text.startswith("\N{MINUS SIGN}") else text
