"""One tensor operation, exploded: as many functions of numbers as out has cells, each with slopes.

Every input cell and every output cell stands alone, and an arrow joins two if one moves the other.
Backward goes along the same arrows the other way: at an input cell all that arrive add up.
"""

from __future__ import annotations

from typing import Any

from tensorkit.pictures.cells import index_text, number, texts
from tensorkit.pictures.derivatives import differentiated
from tensorkit.pictures.graph_words import total
from tensorkit.pictures.jacobian import APART, HEAD, MARGIN, SHAPE, JacobianPicture
from tensorkit.pictures.layout import tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL

PITCH = 1.02  # from one input cell to the next
ACROSS = 5.2  # between the input cells and the output cells, where the arrows run
NAME = 10  # px


def explode_scene(f: Any, *inputs: Any, grad_out: Any = None) -> Scene:
    """Return the scene of ``f(*inputs)`` as scalar derivatives, given as to ``jacobian_scene``."""
    return Explosion(*differentiated(f, inputs, grad_out)).scene


class Explosion(JacobianPicture):
    """The tensors on the left, as in the grid of derivatives; on the right every cell alone."""

    def draw(self, title: str) -> None:
        """Draw the tensors, the cells of all inputs in a column, those of the output in another."""
        shapes = [self.tape.grids[k].shape for k in self.ins] + [self.out.shape]
        sizes = [tensor_size(shape, SHAPE) for shape in shapes]
        labels = [f"{self.tape.grids[k].name}.grad {self.tape.grids[k].shape}" for k in self.ins]
        label = max(text_width(one) * 12 / CELL for one in [*labels, f"grad_out {self.out.shape}"])
        wide = max(label, *(size[0] for size in sizes)) + 0.6
        rows, across = self.matrix.shape
        panel = sum(size[1] + HEAD for size in sizes) + 0.35 * len(sizes)
        names = [self.cell_name(c) for c in range(across)]
        name = max(text_width(one) for one in names) * NAME / CELL + 0.3
        at_grad = MARGIN + 2 * wide - 0.6 + APART
        at_in = at_grad + SHAPE[0] + 0.2 + name
        at_out = at_in + SHAPE[0] + ACROSS
        top, high = MARGIN + HEAD, max(across, rows) * PITCH
        out_name = text_width(self.out_name(rows - 1)) * NAME / CELL + 0.3
        right = at_out + SHAPE[0] + out_name + max(SHAPE[0], text_width("grad_out") * 12 / CELL)
        height = max(top + high, MARGIN + panel) + MARGIN
        self.scene = scene = Scene(
            right + MARGIN, height, title.replace("every derivative", "exploded")
        )
        self.draw_tensors(wide)
        self.heads, self.arrived, self.sides, self.weights = [], [], [], []
        self.levels: dict[str, list[float]] = {"in": [], "out": []}
        for c, one in enumerate(names):
            y = top + c * PITCH + (high - across * PITCH) / 2
            self.arrived.append(scene.cell(f"a{c}", at_grad, y, " ", *SHAPE, role="ghost"))
            scene.label(at_in - 0.14, y + SHAPE[1] / 2, one, size=NAME, role="dim", align="right")
            self.heads.append(scene.cell(f"c{c}", at_in, y, " ", *SHAPE))
            self.levels["in"].append(y + SHAPE[1] / 2)
        gap = high / rows
        for o in range(rows):
            y = top + (o + 0.5) * gap - SHAPE[1] / 2
            self.sides.append(scene.cell(f"o{o}", at_out, y, " ", *SHAPE))
            at = at_out + SHAPE[0] + 0.14
            scene.label(at, y + SHAPE[1] / 2, self.out_name(o), size=NAME, role="dim")
            x = at_out + SHAPE[0] + out_name
            self.weights.append(scene.cell(f"w{o}", x, y, " ", *SHAPE, role="ghost"))
            self.levels["out"].append(y + SHAPE[1] / 2)
        scene.label(at_grad, top - 0.36, "gradient", size=10.5, bold=True)
        scene.label(at_in, top - 0.36, "cells in", size=10.5, bold=True)
        scene.label(at_out, top - 0.36, "cells out", size=10.5, bold=True)
        at = at_out + SHAPE[0] + out_name
        scene.label(at, top - 0.36, "grad_out", size=10.5, bold=True)
        self.edges = {
            (o, c): self.join(o, c, at_in + SHAPE[0] + 0.08, at_out - 0.08)
            for o in range(rows)
            for c in range(across)
            if self.matrix[o, c] != 0
        }

    def join(self, o: int, c: int, left: float, right: float) -> tuple[str, str]:
        """Draw the arrow of one derivative, and the one by which its gradient comes back."""
        a, b = (left, self.levels["in"][c]), (right, self.levels["out"][o])
        forth = self.scene.arrow(f"f{o}.{c}", a, b)
        back = self.scene.arrow(f"b{o}.{c}", b, a, role="grad", dashed=True)
        return forth, back

    def out_name(self, o: int) -> str:
        """Return the name of an output cell: out[0, 1]."""
        return f"out{index_text(self.out.shape, o)}"

    def link(self) -> None:
        """Link every output cell to what it is made of, and every cell to its tensor."""
        scene = self.scene
        for o, key in enumerate(self.sides):
            scene.link(key, [self.heads[c] for p, c in self.edges if p == o])
            scene.link(key, self.values[self.tape.result].keys[o])
        for c, (k, cell) in enumerate(self.columns):
            scene.link(self.heads[c], self.values[k].keys[cell])
            scene.link(self.arrived[c], [self.weights[o] for o, d in self.edges if d == c])

    def tell(self) -> None:
        """Add all steps: one operation, its cells, every function, then backward cell by cell."""
        scene, rows, across = self.scene, *self.matrix.shape
        inputs = [key for k in self.ins for key in self.values[k].keys]
        out = self.values[self.tape.result].keys
        made = texts(self.out.values)
        goes = "go" if len(self.ins) > 1 else "goes"
        scene.step(
            f"One tensor operation: {self.listed()} {goes} in, out {self.out.shape} comes out."
            f"{self.rest}",
            read=inputs,
            write=out,
            text=dict(zip(out, made, strict=True)),
        )
        flat = [text for k in self.ins for text in texts(self.tape.grids[k].values)]
        scene.step(
            f"Exploded: {across} numbers go in, {rows} come out, so there are {across} × {rows} = "
            f"{across * rows} derivatives.",
            read=[*inputs, *self.heads],
            write=self.sides,
            text=dict(zip([*self.heads, *self.sides], [*flat, *made], strict=True)),
        )
        for o in range(rows):
            met = [c for p, c in self.edges if p == o]
            listed = ", ".join(
                f"{self.cell_name(c)} with slope {number(float(self.matrix[o, c]))}" for c in met
            )
            say = (
                f"{self.out_name(o)} moves with {listed}."
                if met
                else (f"{self.out_name(o)} moves with no input: all its derivatives are 0.")
            )
            scene.step(
                say,
                read=[self.heads[c] for c in met],
                write=self.sides[o],
                show=[self.edges[o, c][0] for c in met],
            )
        forth = [one for one, _ in self.edges.values()]
        scene.step(
            f"{len(self.edges)} of the {across * rows} derivatives are not 0: these have an arrow.",
            show=forth,
        )
        self.tell_back()

    def tell_back(self) -> None:
        """Add the steps of backward: what arrives, what each input cell gets, the shape again."""
        scene, tape = self.scene, self.tape
        upstream = texts(tape.grad_out)
        ends = self.grads[tape.result].keys
        scene.step(
            "Backward: every output cell has a number of grad_out.",
            grad=[*self.weights, *ends],
            text=dict(zip([*self.weights, *ends], upstream * 2, strict=True)),
            keep={"known": [*self.weights, *ends]},
        )
        for c, key in enumerate(self.arrived):
            met = [o for o, d in self.edges if d == c]
            terms = [f"{upstream[o]} · {number(float(self.matrix[o, c]))}" for o in met]
            sums = [float(self.matrix[o, c] * tape.grad_out.flat[o]) for o in met]
            result = number(float(self.gradient[c]))
            where = " and ".join(self.out_name(o) for o in met) or "nothing"
            spelled = " + ".join(terms) if len(terms) <= 3 else total(sums)
            came = f" {spelled} =" if terms else ""
            scene.step(
                f"{self.cell_name(c)} reaches {where}: its gradient is{came} {result}.",
                read=[self.heads[c], *(self.weights[o] for o in met)],
                grad=key,
                text={key: result},
                keep={"known": key},
                show=[self.edges[o, c][1] for o in met],
            )
        home = [self.grads[k].keys[cell] for k, cell in self.columns]
        shapes = "its shape" if len(self.ins) == 1 else "their shapes"
        scene.step(
            f"Put back into {shapes}, these numbers are the gradient of {self.listed(False)}.",
            read=self.arrived,
            grad=home,
            text=dict(zip(home, texts(self.gradient), strict=True)),
            keep={"known": home},
        )
