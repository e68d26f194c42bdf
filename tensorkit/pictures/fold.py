"""Reduce, forward: the cells that differ only along the reduced dim meet in one cell of out.

Where the loop runs along the reduced dim it keeps the running value in ``t``; where it runs across,
because memory is read in order, the running values are those in out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.errors import ShapeError
from tensorkit.kernels import walk
from tensorkit.layout import Layout, Shape, layout, regrouped
from tensorkit.pictures.board import Board, Plate, spell_index
from tensorkit.pictures.cells import equals
from tensorkit.pictures.excerpt import corner, counted, left_out, shown
from tensorkit.pictures.running import (
    index_of,
    listing,
    lit,
    out_layout,
    run_kernel,
    run_unseen,
    sits,
    until_write,
)
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import fmt
from tensorkit.reduction import Reduce, chosen_dims
from tensorkit.tensor import Tensor
from tensorkit.trace import Trace
from tensorkit.view import View

BETWEEN = {"t + x": "+", "t * x": "×"}  # folds that are written between their operands


def reduce_scene(
    row: Reduce,
    x: Tensor,
    dim: Any = None,
    start: float | None = None,
    out_strides: Sequence[int] | None = None,
) -> Scene:
    """Return the scene of a fold over ``dim``: a step for each cell of the input that is shown.

    ``start`` is what out holds before; if not given, what the fold starts from. ``out_strides``
    lay out its result, of the shape that keeps the dims with length 1. Raises ShapeError for a fold
    of no numbers that has no answer.
    """
    dims = chosen_dims(dim, x.shape)
    share = landing(x, dims)[0].size / max(x.size, 1)  # out takes room as well
    part = corner(x, shown(x.shape, 1 + share))
    # the longest strides outside, as compiled: memory is then read in order, whatever the layout
    order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
    out, onto = landing(part, dims, out_strides)
    ran, rest = run_fold(row, part, dims, order, start, out_strides)
    grid = regrouped(out, ()) if dim is None else out
    assert grid is not None
    over = "all dims" if dim is None else f"dim {', '.join(map(str, dims))}"
    # as the loop asks it: does the innermost dim stay in one cell of out?
    along = walk(part.shape, (onto, part.layout), order)[-1][1] == 0
    begin = row.start if start is None else start
    kept = () if dim is None else landing(x, dims)[0].shape
    plate = Plate("out", "out", grid, [begin] * _places(out), ghost=True, whole=kept)
    fold = _Fold(row, part, plate, onto, x)
    fold.begin, fold.dims = begin, dims
    fold.draw(listing(ran) if rest is None else listing(ran, rest), over, along)
    fold.tell(ran, rest, over, along)
    return fold.picture


def landing(x: Tensor, dims: Shape, strides: Sequence[int] | None = None) -> tuple[Layout, Layout]:
    """Return the layout of out, and that by which every cell of x finds its cell of out."""
    kept = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
    out = out_layout(kept, strides)
    return out, layout(x.shape, tuple(0 if d in dims else s for d, s in enumerate(out.strides)))


def run_fold(
    row: Reduce,
    x: Tensor,
    dims: Shape,
    order: list[int],
    begin: float | None = None,
    strides: Sequence[int] | None = None,
) -> tuple[Trace, Trace | None]:
    """Run a fold, its dims in ``order`` from outer to inner, and what turns it into the result."""
    met = math.prod(x.shape[d] for d in dims)
    if not row.of_nothing and met == 0:
        raise ShapeError(f"{row.name} of no numbers has no answer: shape {x.shape} has no cells")
    out, onto = landing(x, dims, strides)
    start = np.full(_places(out), row.start if begin is None else begin, x.dtype)
    ran = run_kernel(row.kernel, onto, start, ("x",), (x,), order)
    if row.last is None:
        return ran, None
    folded = View(np.array(ran.after["out"]), out.shape, out.strides)
    count = View(np.full(folded.storage.size, float(met)), out.shape, out.strides)
    views = folded, count
    return ran, run_kernel(row.last, out, np.zeros(_places(out)), ("t", "n"), views)


def _places(out: Layout) -> int:
    return out.high + 1 if out.size else 0


def whole_fold(row: Reduce, x: Tensor, dims: Shape, begin: float) -> NDArray[Any]:
    """Return what a fold comes to in every cell of out, flat: the same loop, unseen."""
    out, onto = landing(x, dims)
    folded = run_unseen(row.kernel, onto, np.full(out.size, begin), (x,))
    if row.last is None:
        return folded
    count = np.full(out.size, float(math.prod(x.shape[d] for d in dims)))
    views = View(folded, out.shape), View(count, out.shape)
    return run_unseen(row.last, out, np.zeros(out.size), views)


class _Fold:
    """One fold while its scene is being told."""

    picture: Scene
    board: Board
    begin: float
    dims: Shape

    def __init__(self, row: Reduce, x: Tensor, out: Plate, onto: Layout, whole: Tensor) -> None:
        self.row, self.x, self.out, self.whole = row, x, out, whole
        self.given = Plate("x", "x", x.layout, x.storage, whole=whole.shape)
        # which cell of out sits at a position, and in which each cell of x ends up
        self.at = {int(p): number for number, p in enumerate(out.positions.ravel())}
        lands = Plate("out", "out", onto, ()).positions.ravel()
        self.lands = [self.at[int(p)] for p in lands]
        self.waiting = list(range(x.size))

    def draw(self, source: Source, over: str, along: bool) -> None:
        """Lay the picture out."""
        board = Board(f"{self.row.name} over {over}", source)
        board.tensor(self.given)
        board.sign(self.row.symbol)
        if along:
            board.box("t", "t", "running value", "")
        board.tensor(self.out)
        self.board, self.picture = board, board.scene()
        for cell, lands in enumerate(self.lands):
            self.picture.link(self.key("out", lands)[0], self.key("x", cell))

    def key(self, name: str, cell: int) -> list[str]:
        """Return the keys of a cell: in the grid and on the tape."""
        return self.board.seats[name].cell(cell)

    def tell(self, ran: Trace, rest: Trace | None, over: str, along: bool) -> None:
        """Tell all steps."""
        if not self.at:
            say = f"Nothing to do: out has shape {self.out.layout.shape}, so it has no cells."
            self.picture.step(say, line=1)
            return
        start = fmt(self.begin)
        if not self.x.size:
            result = (rest or ran).after["out"][0]
            self.picture.step(
                f"No cells meet in any cell of out: the fold of nothing is its start, {start}."
                + ("" if rest is None else f" Divided by 0 cells, it is {fmt(result)}."),
                line=1,
                keep=self._keep(self._all_out()),
                text=dict.fromkeys(self._all_out(), result),
            )
            return
        who = (
            "All cells of x" if over == "all dims" else f"Cells of x that differ only along {over}"
        )
        away = left_out("x", self.x.shape, self.whole.shape, self.whole.size - self.x.size)
        self.picture.step(f"{who} meet in one cell of out. It starts as {start}.{away}", line=1)
        if along:
            self._tell_along(ran)
        else:
            self._tell_across(ran)
        if any(self.x.shape[d] != self.whole.shape[d] for d in self.dims):
            self._tell_whole()
        elif rest is not None:
            self._tell_rest(ran, rest)
        if self.begin != self.row.start and self.x.size:
            self.picture.step(
                f"A fold goes on from what out holds, here {start}: {self.row.name} should start "
                f"from {fmt(self.row.start)}, and every cell of out has kept the difference."
            )

    def _tell_whole(self) -> None:
        """Say what out comes to when the cells that are not shown have met as well."""
        reach = [
            n if d in self.dims else m
            for d, (n, m) in enumerate(zip(self.whole.shape, self.x.shape, strict=True))
        ]
        results = whole_fold(self.row, corner(self.whole, tuple(reach)), self.dims, self.begin)
        met = math.prod(self.whole.shape[d] for d in self.dims)
        seen = math.prod(self.x.shape[d] for d in self.dims)
        finish = "" if self.row.last is None else f", divided by {counted(met)}"
        keys = {key: v for c, v in enumerate(results.tolist()) for key in self.key("out", c)}
        self.picture.step(
            f"So far {counted(seen)} cells have met in each cell of out. With the "
            f"{counted(met - seen)} that are not shown{finish}, it comes to this.",
            write=keys,
            text=keys,
        )

    def _tell_along(self, ran: Trace) -> None:
        at = 0
        for step, after in zip(ran.steps, [*ran.steps[1:], None], strict=True):
            (touch,) = step.touches
            own = touch.storage == "out"
            name = f"out{self._index(self.at[touch.positions[0]])}" if own else ""
            value = touch.values[0]
            marks: dict[str, Any] = lit(ran, step)
            if step.writes:
                keys = self.key("out", at)
                say = f"{name} = t = {fmt(value)}."
                marks |= {"read": ["t"], "write": keys, "keep": self._keep(keys)}
                marks["text"] = dict.fromkeys(keys, value)
            elif name:
                at = self.at[touch.positions[0]]
                say = f"t = {name} = {fmt(value)}: the fold begins with what is in out."
                marks |= {"read": self.key("out", at), "write": ["t"], "text": {"t": value}}
            else:
                assert after is not None  # the loop writes t before it ends
                say, read = self._met(at, touch.positions[0], value)
                before, total = step.variables["t"], float(after.variables["t"])  # type: ignore[arg-type]
                fold = self._fold(before, value)
                say = f"t = {fold} {equals(before, value, total)} {fmt(total)}. {say}"
                marks |= {
                    "read": read,
                    "write": ["t"],
                    "keep": self._keep([], read),
                    "text": {"t": total},
                }
            self.picture.step(say, **marks)

    def _tell_across(self, ran: Trace) -> None:
        for steps in until_write(ran.steps):
            (write,) = steps[-1].writes
            (before,), (met,) = (
                [t for step in steps for t in step.reads if t.storage == name]
                for name in ("out", "x_storage")
            )
            at, total = self.at[write.positions[0]], write.values[0]
            say, read = self._met(at, met.positions[0], met.values[0])
            fold = self._fold(before.values[0], met.values[0])
            same = equals(before.values[0], met.values[0], total)
            keys = self.key("out", at)
            self.picture.step(
                f"out{self._index(at)} = {fold} {same} {fmt(total)}. {say}",
                **lit(ran, steps[-1]),
                read=read,
                write=keys,
                keep=self._keep(keys, read),
                text=dict.fromkeys(keys, total),
            )

    def _tell_rest(self, ran: Trace, rest: Trace) -> None:
        for steps in until_write(rest.steps):
            (write,) = steps[-1].writes
            cells = {t.storage: t.values[0] for step in steps for t in step.reads}
            t, n = fmt(cells["t_storage"]), fmt(cells["n_storage"])
            at, mean = self.at[write.positions[0]], write.values[0]
            keys = self.key("out", at)
            worked = f"{t} / {n} {equals(*cells.values(), mean)} {fmt(mean)}"
            self.picture.step(
                f"out{self._index(at)} = {worked}: {n} cells met here.",
                **lit(rest, steps[-1], [ran]),
                write=keys,
                text=dict.fromkeys(keys, write.values[0]),
            )

    def _met(self, at: int, position: int, value: float) -> tuple[str, list[str]]:
        """Return words about the next cell of x at a position that lands in out's cell ``at``."""
        places = self.given.positions.ravel()
        cell = next(c for c in self.waiting if self.lands[c] == at and places[c] == position)
        self.waiting.remove(cell)
        index = index_of(cell, self.x.shape)
        return f"{sits([self.given], index)} and is {fmt(value)}.", self.key("x", cell)

    def _index(self, at: int) -> str:
        return spell_index(index_of(at, self.out.layout.shape))

    def _fold(self, t: Any, x: float) -> str:
        sign = BETWEEN.get(self.row.formula)
        if sign is None:
            name = self.row.symbol if self.row.symbol.isalpha() else self.row.name
            return f"{name}({fmt(t)}, {fmt(x)})"
        return f"{fmt(t)} {sign} {f'({fmt(x)})' if x < 0 else fmt(x)}"

    @staticmethod
    def _keep(plain: list[str], dim: Sequence[str] = ()) -> dict[str | None, Sequence[str]]:
        return {None: plain, "dim": dim}

    def _all_out(self) -> list[str]:
        return [key for cell in self.at.values() for key in self.key("out", cell)]
