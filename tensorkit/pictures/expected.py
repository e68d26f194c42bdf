"""What a learner's loop should do: which cells feed each cell of out, and what it then holds.

A loop takes flat storages: ``(out, out_shape, out_strides, a, a_shape, a_strides)`` for a map, with
``b, b_shape, b_strides`` as well for a zip, and with ``dim`` for a reduce. Or it takes arrays with
their shapes, ``(out, a)``, ``(out, a, b)``, ``(out, a, dim)``, or without out and returns it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorkit.elementwise import Map
from tensorkit.errors import ShapeError
from tensorkit.layout import Shape, broadcast_shapes, expanded, normal_dim
from tensorkit.pictures.board import Plate, spell_index
from tensorkit.pictures.excerpt import left_out, limits, repacked, shown
from tensorkit.pictures.running import as_tensor, index_of, out_layout
from tensorkit.reduction import Reduce
from tensorkit.tensor import Tensor
from tensorkit.trace import Laid
from tensorkit.zips import Zip

Cell = tuple[str, int]  # a storage and a position in it
FORMS = (
    "(out, out_shape, out_strides, a, a_shape, a_strides) for a map, "
    "with b, b_shape, b_strides as well for a zip, or with dim for a reduce; "
    "over arrays it takes (out, a), (out, a, b) or (out, a, dim)"
)
WORDS = {"sum": "the sum", "mean": "the mean", "max": "the largest", "prod": "the product"}


@dataclass(frozen=True)
class Call:
    """A loop with its arguments, by parameter name: out and the inputs as plates.

    ``arrays`` tells whether it is given arrays, and so speaks of indices instead of positions;
    ``rest`` is a sentence about what is left out, if the inputs are corners of larger ones;
    ``returns`` tells whether out is what it returns.
    """

    loop: Callable[..., Any]
    kind: str
    out: Plate
    inputs: tuple[Plate, ...]
    dim: int | None
    arguments: dict[str, Any]
    arrays: bool = False
    rest: str = ""
    returns: bool = False

    def named(self, cell: Cell) -> str:
        """Return a cell as the loop would write it: ``a[7]``, over arrays ``a[1, 1]``."""
        name, position = cell
        if self.arrays:
            plate = next(p for p in (self.out, *self.inputs) if p.name == name)
            found = np.argwhere(plate.positions == position)
            if found.size or not plate.shape:
                return f"{name}{spell_index([int(i) for i in found[0]] if found.size else [])}"
        return f"{name}[{position}]"

    def listed(self, cells: Sequence[Cell], most: int = 6) -> str:
        """Return cells as ``a[1], a[7], a[13]``; the rest of many is counted."""
        words = [self.named(cell) for cell in cells[:most]]
        if len(cells) > most:
            words.append(f"{len(cells) - most} more")
        return " and ".join(words) if len(words) == 2 else ", ".join(words)


@dataclass(frozen=True)
class Expected:
    """The cells that feed each position of out, and what it should then hold: ``want``.

    ``bare`` is what a fold comes to without what was in out before. ``want`` is None if nothing is
    known but the places.
    """

    feeds: dict[int, tuple[Cell, ...]]
    want: dict[int, float] | None
    bare: dict[int, float]
    start: float
    words: str


def prepare(
    loop: Callable[..., Any],
    inputs: Sequence[Any],
    dim: int | None,
    start: float,
    out_strides: Sequence[int] | None,
) -> Call:
    """Return the call of a loop on ``inputs``, with a fresh out that holds ``start``.

    Of large inputs the loop is given a corner, laid out as they are. Raises TypeError for
    parameters that fit no loop or another number of inputs, and ShapeError for inputs that do not
    fit.
    """
    names = list(inspect.signature(getattr(loop, "py_func", loop)).parameters)
    if returns := names[:1] != ["out"]:
        names = ["out", *names]
    arrays = len(names) in (2, 3)
    three = "reduce" if dim is not None or names[-1:] == ["dim"] else "zip"
    kind = {6: "map", 9: "zip", 7: "reduce", 2: "map", 3: three}.get(len(names))
    if kind is None:
        raise TypeError(
            f"{_name(loop)} has {len(names) - returns} parameters "
            f"({', '.join(names[returns:])}); a loop takes {FORMS}"
        )
    wanted = 2 if kind == "zip" else 1
    if len(inputs) != wanted:
        raise TypeError(
            f"{_name(loop)} is a {kind} and takes {wanted} input{'s'[: wanted - 1]}, "
            f"not {len(inputs)}"
        )
    if (kind == "reduce") != (dim is not None):
        what = "a reduce: say over which dim, such as dim=0" if dim is None else f"a {kind}: no dim"
        raise TypeError(f"{_name(loop)} is {what}")
    tensors = [as_tensor(value) for value in inputs]
    whole = broadcast_shapes(*(t.shape for t in tensors))
    dim = None if dim is None else normal_dim(dim, whole)
    lengths, rest = shown(whole, wanted + 1), ""
    if lengths != whole:
        tensors = [repacked(t, limits(lengths, t.shape)) for t in tensors]
        rest = left_out("Each input" if wanted > 1 else names[1 if arrays else 3], lengths, whole)
        rest += " The loop runs on this part alone."
        if out_strides is not None:  # as many as it has dims, in the same order
            order = np.argsort(out_strides, kind="stable")
            packed = np.cumprod([1, *(lengths[d] for d in order[:-1])])
            out_strides = [int(packed[list(order).index(d)]) for d in range(len(lengths))]
    slots = range(1, 1 + wanted) if arrays else range(3, 3 + 3 * wanted, 3)
    plates = tuple(_input(names[k], one, arrays) for k, one in zip(slots, tensors, strict=True))
    shape = tuple(1 if d == dim else n for d, n in enumerate(lengths))
    at = out_layout(shape, out_strides)
    count = at.high + 1 if at.size else 0
    out = Plate("out", "out", at, [start] * count)
    storage: Any = np.full(count, float(start))
    values: list[Any] = [Laid(storage, at)] if arrays else [storage, shape, at.strides]
    for one in tensors:
        storage = one.storage.astype(np.float64)
        values += [Laid(storage, one.layout)] if arrays else [storage, one.shape, one.strides]
    values += [] if dim is None else [dim]
    return Call(
        loop, kind, out, plates, dim, dict(zip(names, values, strict=True)), arrays, rest, returns
    )


def expect(call: Call, like: Callable[..., Any] | None, start: float) -> Expected:
    """Return what the loop should do if it is to be ``like`` an operation or a function of cells.

    Raises TypeError if ``like`` is an operation of another kind.
    """
    rows = {"map": Map, "zip": Zip, "reduce": Reduce}
    if isinstance(like, (Map, Zip, Reduce)) and not isinstance(like, rows[call.kind]):
        raise TypeError(
            f"{_name(call.loop)} is a {call.kind} by its parameters, and {like.name} is a "
            f"{like.kind}: give like= a {call.kind}"
        )
    feeds = {int(p): fed for p, fed in zip(call.out.positions.ravel(), _feeds(call), strict=True)}
    words = "folded from" if call.kind == "reduce" else "made from"
    if isinstance(like, Reduce) and like.name in WORDS:
        words = f"{WORDS[like.name]} of"
    if like is None:
        return Expected(feeds, None, {}, start, words)
    values = {p.name: p.storage for p in call.inputs}

    def fold(begin: float) -> dict[int, float]:
        return {
            position: _value(call, like, [values[name][p] for name, p in fed], begin)
            for position, fed in feeds.items()
        }

    bare = like.start if isinstance(like, Reduce) else 0.0
    return Expected(feeds, fold(start), fold(bare), start, words)


def _value(call: Call, like: Callable[..., Any], cells: list[Any], start: float) -> float:
    """Return one cell of out, by the row's own loop in plain Python or by a function of cells."""
    cells = [np.float64(cell) for cell in cells]
    with np.errstate(all="ignore"):
        if isinstance(like, (Map, Zip)):
            return run_cells(like.kernel.plain, 0.0, [[cell] for cell in cells])
        if isinstance(like, Reduce):
            total = run_cells(like.kernel.plain, start, [cells])
            if like.last is None:
                return total
            return run_cells(like.last.plain, 0.0, [[total], [float(len(cells))]])
        if call.kind != "reduce":
            return float(like(*cells))
        running: Any = np.float64(start)
        for cell in cells:
            running = like(running, cell)
        return float(running)


def run_cells(loop: Callable[..., None], start: float, cells: Sequence[Any]) -> float:
    """Run the plain loop of a row over a few cells, and return the one cell of out."""
    out = np.array([start])
    table = [[1, 0, *(0 for _ in cells)], [len(cells[0]), 0, *(1 for _ in cells)]]
    loop(out, *(np.array(one, dtype=np.float64) for one in cells), np.array(table))
    return float(out[0])


def _feeds(call: Call) -> list[tuple[Cell, ...]]:
    """Return the cells that feed each cell of out, in reading order."""
    shape = call.out.layout.shape
    fed: list[tuple[Cell, ...]] = []
    for ordinal in range(call.out.layout.size):
        index = index_of(ordinal, shape)
        fed.append(
            tuple((p.name, place) for p in call.inputs for place in _met(p, index, shape, call.dim))
        )
    return fed


def _met(plate: Plate, index: Shape, shape: Shape, dim: int | None) -> list[int]:
    """Return the positions of an input that feed the cell of out at ``index``."""
    if dim is None:
        wide = expanded(plate.layout, shape)
        return [wide.offset + sum(i * s for i, s in zip(index, wide.strides, strict=True))]
    at = plate.layout
    begin = at.offset + sum(i * s for i, s in zip(index, at.strides, strict=True))
    return [begin + j * plate.layout.strides[dim] for j in range(plate.layout.shape[dim])]


def _input(name: str, one: Tensor, arrays: bool) -> Plate:
    if not arrays and (one.offset or min(one.strides, default=0) < 0):
        raise ShapeError(
            f"{name} begins at position {one.offset} of its storage, and a loop has no parameter "
            "for that: give it tensor.contiguous()"
        )
    return Plate(name, name, one.layout, one.storage)


def _name(function: Any) -> str:
    return str(getattr(function, "name", getattr(function, "__name__", "this function")))
