"""What a learner's loop should do: which cells feed each cell of out, and what it then holds.

A loop takes flat storages: ``(out, out_shape, out_strides, a, a_shape, a_strides)`` for a map, with
``b, b_shape, b_strides`` as well for a zip, and with ``dim`` for a reduce.
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
from tensorkit.pictures.board import Plate, check_size
from tensorkit.pictures.running import as_tensor, index_of, out_layout
from tensorkit.reduction import Reduce
from tensorkit.tensor import Tensor
from tensorkit.zips import Zip

Cell = tuple[str, int]  # a storage and a position in it
FORMS = (
    "(out, out_shape, out_strides, a, a_shape, a_strides) for a map, "
    "with b, b_shape, b_strides as well for a zip, or with dim for a reduce"
)
WORDS = {"sum": "the sum", "mean": "the mean", "max": "the largest", "prod": "the product"}


@dataclass(frozen=True)
class Call:
    """A loop with its arguments: ``plates`` are out and the inputs, by parameter name."""

    loop: Callable[..., Any]
    kind: str
    out: Plate
    inputs: tuple[Plate, ...]
    dim: int | None
    arguments: dict[str, Any]


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

    Raises TypeError for parameters that fit no loop or another number of inputs, and ShapeError
    for inputs that do not fit or are too large.
    """
    names = list(inspect.signature(getattr(loop, "py_func", loop)).parameters)
    kind = {6: "map", 9: "zip", 7: "reduce"}.get(len(names))
    if kind is None:
        raise TypeError(
            f"{_name(loop)} has {len(names)} parameters ({', '.join(names)}); a loop takes {FORMS}"
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
    slots = range(3, 3 + 3 * wanted, 3)
    plates = tuple(_input(names[k], one) for k, one in zip(slots, tensors, strict=True))
    shape = broadcast_shapes(*(t.shape for t in tensors))
    if dim is not None:
        dim = normal_dim(dim, shape)
        shape = tuple(1 if d == dim else n for d, n in enumerate(shape))
    at = out_layout(shape, out_strides)
    count = at.high + 1 if at.size else 0
    check_size("out", shape, count)
    out = Plate("out", "out", at, [start] * count)
    values: list[Any] = [np.full(count, float(start)), shape, at.strides]
    for one in tensors:
        values += [one.storage.astype(np.float64), one.shape, one.strides]
    values += [] if dim is None else [dim]
    return Call(loop, kind, out, plates, dim, dict(zip(names, values, strict=True)))


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
            return _run(like.kernel.plain, 0.0, [[cell] for cell in cells])
        if isinstance(like, Reduce):
            total = _run(like.kernel.plain, start, [cells])
            if like.last is None:
                return total
            return _run(like.last.plain, 0.0, [[total], [float(len(cells))]])
        if call.kind != "reduce":
            return float(like(*cells))
        running: Any = np.float64(start)
        for cell in cells:
            running = like(running, cell)
        return float(running)


def _run(loop: Callable[..., None], start: float, cells: list[list[Any]]) -> float:
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
    begin = sum(i * s for i, s in zip(index, plate.layout.strides, strict=True))
    return [begin + j * plate.layout.strides[dim] for j in range(plate.layout.shape[dim])]


def _input(name: str, one: Tensor) -> Plate:
    check_size(name, one.shape, one.storage.size)
    if one.offset or min(one.strides, default=0) < 0:
        raise ShapeError(
            f"{name} begins at position {one.offset} of its storage, and a loop has no parameter "
            "for that: give it tensor.contiguous()"
        )
    return Plate(name, name, one.layout, one.storage.tolist())


def _name(function: Any) -> str:
    return str(getattr(function, "name", getattr(function, "__name__", "this function")))
