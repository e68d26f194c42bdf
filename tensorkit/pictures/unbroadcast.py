"""To undo a broadcast, add up the gradients of all copies of a cell: sum where it was stretched.

A cell that was read many times gets as many gradients, and they belong together. The shapes alone
say over which dims: those that are new, and those where a length of 1 was stretched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.errors import ShapeError, TensorkitError
from tensorkit.layout import broadcast_shapes, normal_dim
from tensorkit.pictures.aligned import ROW, Table, table_size
from tensorkit.pictures.board import EDGE, measure, spell_index, write_head
from tensorkit.pictures.cells import equals, number
from tensorkit.pictures.formulas import NotShort, pretty
from tensorkit.pictures.layout import Drawn, tensor_size
from tensorkit.pictures.running import index_of
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import listed
from tensorkit.pictures.stencil import draw_outlines
from tensorkit.pictures.text import MINUS
from tensorkit.tape import distinct
from tensorkit.tensor import Tensor, tensor

CELLS = 48  # of the result; up to that many its grid is drawn
FEW = 6  # terms of a sum that are written out
APART = 1.1
Dims = tuple[int, ...]


def unbroadcast_scene(
    tensors: Mapping[str, Tensor],
    of: str,
    dims: Dims | None = None,
    op: Any = None,
    grad_out: Any = None,
) -> Scene:
    """Return the scene of one input's gradient, after the reader chose to sum over ``dims``.

    ``tensors`` are the two named inputs of the zip ``op``, add if not given; ``of`` names one.
    Without ``dims`` only the question is asked. Shapes: grad_out as the result; different numbers
    if left out. Raises ShapeError for inputs or a grad_out that do not fit.
    """
    if len(tensors) != 2:
        raise ShapeError(f"{len(tensors)} tensors were given: a zip has two inputs")
    undo = Undo(tensors, of, ops.get("add") if op is None else op, grad_out)
    try:
        chosen = None if dims is None else tuple(normal_dim(d, undo.shape) for d in dims)
    except TensorkitError as error:
        picture = _Picture(undo, None)
        picture.scene.step(f"{str(error).capitalize()}.", bad=True)
        return picture.scene
    picture = _Picture(undo, chosen)
    if chosen is None:
        picture.ask()
    else:
        picture.judge(chosen)
        picture.gather()
    return picture.scene


class Undo:
    """What backward computes: a gradient for every copy of a cell, and for the cell itself.

    Both come from the engine: once each copy is a leaf of its own, once the cell is.
    """

    def __init__(self, tensors: Mapping[str, Tensor], of: str, op: Any, grad_out: Any) -> None:
        self.op, self.of, self.names = op, of, list(tensors)
        self.inputs = {name: t.detach() for name, t in tensors.items()}
        self.x = x = self.inputs[of]
        self.shape = broadcast_shapes(*(t.shape for t in self.inputs.values()))
        values = distinct(self.shape) if grad_out is None else grad_out
        self.grad_out = values if isinstance(values, Tensor) else tensor(values)
        if self.grad_out.shape != self.shape:
            raise ShapeError(
                f"grad_out has shape {self.grad_out.shape}, but the result has shape {self.shape}: "
                "give one number for each of its cells"
            )
        self.arriving = self._grad(tensor(x.expand(self.shape).numpy()))
        self.answer = self._grad(tensor(x.numpy()))
        self.new = tuple(range(len(self.shape) - x.ndim))
        self.own = (1,) * len(self.new) + x.shape
        pairs = enumerate(zip(self.own, self.shape, strict=True))
        self.stretched = tuple(d for d, (n, wanted) in pairs if n != wanted)
        cells: Any = tensor(np.arange(x.size).reshape(x.shape))
        # the cell of x, as an ordinal, of which each cell of the result read a copy
        self.lands = cells.expand(self.shape).numpy().astype(int)

    def _grad(self, leaf: Tensor) -> Tensor:
        leaf.requires_grad_()
        out = self.op(*(leaf if name == self.of else t for name, t in self.inputs.items()))
        out.backward(self.grad_out)
        assert leaf.grad is not None
        return leaf.grad

    @property
    def what(self) -> str:
        """What arrives at a copy, in words: grad_out, times the slope where that is not 1."""
        formula = self.op.derivatives[self.names.index(self.of)]
        if formula == "1.0":
            return "grad_out"
        cells = dict(zip(self.op.names, self.names, strict=True))
        try:
            return f"grad_out × {pretty(formula, {**cells, 'z': 'out'})}"
        except NotShort:
            return f"grad_out × slope of {self.of}"

    @property
    def code(self) -> str:
        """The sums that lead from what arrives to the gradient, as code."""
        kept = tuple(d - len(self.new) for d in self.stretched if d not in self.new)
        drop = f".sum({self.new}, keepdim=False)" if self.new else ""
        return drop + (f".sum({kept})" if kept else "")

    def name(self, cell: int) -> str:
        """Return a cell of x as it stands in code."""
        return self.of + spell_index(index_of(cell, self.x.shape))


class _Picture:
    """Shapes below each other; below them what arrives, the reader's sum, and the gradient."""

    def __init__(self, undo: Undo, dims: Dims | None) -> None:
        self.undo = undo
        total = None if dims is None else undo.arriving.sum(dims)
        self.total: Tensor | None = total
        self.small = len(undo.shape) <= 4 and 0 < undo.arriving.size <= CELLS
        heads = [f"{undo.what}  {undo.shape}"]
        heads += [] if total is None else [f"your sum  {total.shape}"]
        heads += [f"{undo.of}.grad  {undo.x.shape}"]
        lines: list[Sequence[object]] = [undo.shape, undo.x.shape]
        if total is not None:
            lines.insert(1, [""] * len(undo.shape))
        names = f" {undo.op.symbol} ".join(undo.names)
        given = " and ".join(f"{n} {t.shape}" for n, t in undo.inputs.items())
        self._draw(f"The gradient of {undo.of} in {names}, {given}", heads, lines)

    def _draw(self, title: str, heads: list[str], lines: list[Sequence[object]]) -> None:
        undo, top = self.undo, 1.0
        shapes = [undo.shape, undo.x.shape]
        if self.total is not None:
            shapes.insert(1, self.total.shape)
        left = EDGE + max(measure(head, 11, bold=True) for head in heads) + 0.7
        wide, high = table_size(len(undo.shape), len(lines))[0], len(lines) * ROW
        below, at = top + high + 1.7, [EDGE]
        sizes = [tensor_size(shape) for shape in shapes] if self.small else []
        for (width, _), head in zip(sizes, heads, strict=False):
            at.append(at[-1] + max(width, measure(head, 11, bold=True)) + APART)
        depth = below + max(height for _, height in sizes) if self.small else top + high
        self.scene = scene = Scene(max(at[-1], left + wide, 15.0) + EDGE, depth + 0.4, title)
        for nth, head in enumerate(heads):
            scene.label(EDGE, top + nth * ROW + 0.48, head, size=11, bold=True)
        self.table = Table(scene, "shape", left, top, lines, result=False)
        if not self.small:
            return
        arriving = [number(v) for v in undo.arriving.numpy().ravel().tolist()]
        texts: list[list[str]] = [[""] * int(np.prod(shape)) for shape in shapes]
        texts[0] = arriving
        self.grids: list[Drawn] = []
        for nth, (x, head, shape) in enumerate(zip(at, heads, shapes, strict=False)):
            write_head(scene, x, below, head, "one for each copy" if not nth else "")
            values = np.array(texts[nth], dtype=object).reshape(shape)
            self.grids.append(scene.tensor(f"grid{nth}", values, x, below, ghost=nth > 0))
        self.copies = [np.flatnonzero(undo.lands == k).tolist() for k in range(undo.x.size)]
        self.outlines = [
            draw_outlines(scene, f"copies.{k}", self.grids[0], cells)
            for k, cells in enumerate(self.copies)
        ]
        for key, cells in zip(self.grids[-1].keys, self.copies, strict=True):
            scene.link(key, [self.grids[0].keys[c] for c in cells])

    def keys(self, nth: int, cells: Sequence[int]) -> list[str]:
        """Return the keys of cells of a grid; none where the grids are too large to be drawn."""
        return [self.grids[nth].keys[c] for c in cells] if self.small else []

    def ask(self) -> None:
        """Ask over which dims to sum."""
        undo = self.undo
        copies = undo.arriving.size // max(undo.x.size, 1)
        many = f"{copies} copies" if copies > 1 else "1 copy"
        self.scene.step(
            f"{undo.of} {undo.x.shape} was read as {undo.shape}, so each of its cells has {many}, "
            f"and {undo.what} arrives at each. Over which dims do you sum to get {undo.of}.grad?"
        )

    def judge(self, dims: Dims) -> None:
        """Sum as the reader chose, and say what is mixed, left apart, or right."""
        undo, total = self.undo, self.total
        assert total is not None
        texts: dict[str, Any] = dict(zip(self.table.cells[1], total.shape, strict=True))
        every = self.keys(1, range(total.size))
        texts |= dict(zip(every, map(number, total.numpy().ravel().tolist()), strict=False))
        plain: dict[str | None, list[str]] = {None: every}
        over = f"over {spell_dims(dims)}: {undo.shape} becomes {total.shape}"
        said = over if dims else f"over no dim: {total.shape} stays"
        summed = [key for d in dims for key in self.table.column(d)[:2]]
        self.scene.step(f"You sum {said}.", text=texts, keep=plain, write=[*every, *summed])
        mixed = [d for d in dims if d not in undo.stretched and undo.shape[d] > 1]
        left = [d for d in undo.stretched if d not in dims]
        for d in mixed:
            self._mixed(d, dims)
        for d in left:
            self._left(d, dims)
        if not mixed and not left:
            gone = f", once {spell_dims(undo.new)} is dropped" if undo.new else ""
            self.scene.step(
                f"Right: {total.shape} is the shape of {undo.of}{gone}. "
                "You summed where it was stretched, and nowhere else.",
                expected=[*every, *self.table.cells[1], *self.table.cells[2]],
            )

    def _mixed(self, d: int, dims: Dims) -> None:
        undo = self.undo
        met = self._met(dims)[0]
        cells = sorted({int(undo.lands.ravel()[c]) for c in met})
        self.scene.step(
            f"Dim {d} was not stretched, {undo.of} has length {undo.own[d]} there: the first cell "
            f"of your sum mixes the gradients of {shortened([undo.name(c) for c in cells])}.",
            wrong=[*self.keys(0, met), *self.keys(1, [0]), *self.table.column(d)],
        )

    def _left(self, d: int, dims: Dims) -> None:
        undo = self.undo
        how = "is new in the result" if d in undo.new else "was stretched from 1"
        apart = [k for k, met in enumerate(self._met(dims)) if 0 in undo.lands.ravel()[met]]
        several = f"the gradients of {undo.name(0)} are still in {len(apart)} cells of your sum"
        self.scene.step(
            f"Dim {d} {how}, with length {undo.shape[d]}, and you did not sum over it: {several}.",
            wrong=[*self.keys(1, apart), *self.table.column(d)],
        )

    def _met(self, dims: Dims) -> list[list[int]]:
        """Return, for each cell of the reader's sum, the cells that met in it."""
        order = [d for d in range(len(self.undo.shape)) if d not in dims]
        assert self.total is not None
        cells = np.arange(self.undo.arriving.size).reshape(self.undo.shape)
        apart = cells.transpose([*order, *dims]).reshape(self.total.size, -1)
        lines: list[list[int]] = apart.tolist()
        return lines

    def gather(self) -> None:
        """Tell the gradient of every cell as the sum over its copies."""
        undo = self.undo
        values = undo.answer.numpy().ravel().tolist()
        arriving = undo.arriving.numpy().ravel().tolist()
        for k, cells in enumerate(self.copies if self.small else ()):
            terms = [number(arriving[c]) for c in cells]
            same = equals(*(arriving[c] for c in cells), values[k])
            key = self.grids[-1].keys[k]
            plain: dict[str | None, str] = {None: key}
            many = f"the {len(cells)} copies" if len(cells) > 1 else "the one copy"
            self.scene.step(
                f"{undo.of}.grad{spell_index(index_of(k, undo.x.shape))} = {spell_sum(terms)}"
                f"{f' {same} {number(values[k])}' if len(terms) > 1 else ''}, "
                f"from {many} of {undo.name(k)}.",
                read=self.keys(0, cells),
                grad=key,
                text={key: number(values[k])},
                keep=plain,
                show=self.outlines[k],
            )
        code = undo.code
        made = f"({undo.what}){code}" if " " in undo.what and code else f"{undo.what}{code}"
        self.scene.step(
            f"{undo.of}.grad = {made}, of shape {undo.answer.shape}: what backward returns."
        )


def spell_dims(dims: Sequence[int]) -> str:
    """Return dims in words: ``dim 0``, ``dims 0 and 2``."""
    return f"dim{'s' * (len(dims) > 1)} {listed([str(d) for d in dims])}"


def spell_sum(terms: Sequence[str]) -> str:
    """Return numbers with signs between them, the middle left out where there are many."""
    few = [*terms[: FEW - 2], "…", terms[-1]] if len(terms) > FEW else terms
    return " + ".join([*few[:1], *(f"({t})" if t.startswith(MINUS) else t for t in few[1:])])


def shortened(words: Sequence[str]) -> str:
    """Return words as a list, the middle left out where there are many."""
    return listed(words) if len(words) <= FEW else f"{', '.join(words[:3])} … {words[-1]}"
