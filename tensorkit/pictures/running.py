"""From a run of the kit's loop to words: which kernel ran, which line is lit, what a cell became.

A kernel runs here as plain Python, from the file that is compiled, over watched storages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.compiler import Kernel
from tensorkit.errors import ShapeError
from tensorkit.functions import Operation
from tensorkit.kernels import walk
from tensorkit.layout import Layout, Shape, layout, row_major
from tensorkit.listing import Value
from tensorkit.pictures.board import Plate, spell_index
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import MINUS, fmt
from tensorkit.tensor import Tensor, tensor
from tensorkit.trace import Step, Trace, trace
from tensorkit.view import View


def as_tensor(value: Any) -> Tensor:
    """Return a tensor as it is, and anything else as a new one."""
    return value if isinstance(value, Tensor) else tensor(value)


def run_kernel(
    kernel: Kernel,
    onto: Layout,
    out: NDArray[Any],
    names: Sequence[str],
    views: Sequence[View],
    order: Sequence[int] | None = None,
) -> Trace:
    """Run a kernel's plain Python over ``onto.shape`` and return what it did.

    ``onto`` says where each step writes in ``out``; where it has step 0, cells meet.
    """
    storages = {f"{name}_storage": v.storage for name, v in zip(names, views, strict=True)}
    return trace(kernel.plain, {"out": out, **storages, "dims": _dims(onto, views, order)})


def run_unseen(
    kernel: Kernel, onto: Layout, out: NDArray[Any], views: Sequence[View]
) -> NDArray[Any]:
    """Run a kernel as ``run_kernel`` does, but only for what it leaves in ``out``."""
    with np.errstate(all="ignore"):  # as in the compiled loop: 1 / 0 is inf
        kernel.plain(out, *(v.storage for v in views), _dims(onto, views))
    return out


def _dims(
    onto: Layout, views: Sequence[View], order: Sequence[int] | None = None
) -> NDArray[np.int64]:
    dims = list(order or range(len(onto.shape)))
    return np.array(walk(onto.shape, (onto, *(v.layout for v in views)), dims), dtype=np.int64)


def listing(*ran: Trace) -> Source:
    """Return the loops that ran, one below the other, with lines counted from 1."""
    lines: list[str] = []
    for one in ran:
        lines += ["", *one.lines] if lines else one.lines
    return Source(lines)


def lit(ran: Trace, step: Step, before: Sequence[Trace] = ()) -> dict[str, Any]:
    """Return which line and which columns of the listing a step lights, and its variables.

    ``before`` are the loops that stand above the one that ran.
    """
    line = step.line - ran.first + 1 + sum(len(one.lines) + 1 for one in before)
    marks = dict.fromkeys(t.span for t in step.touches if t.span and t.line == step.line)
    moving = {name: step.variables[name] for name in step.variables if _moves(ran, name)}
    return {"line": line, "marks": list(marks), "variables": spell_variables(moving)}


def _moves(ran: Trace, name: str) -> bool:
    """Tell whether a local variable is a cell, or takes different values in the run."""
    values = [step.variables[name] for step in ran.steps if name in step.variables]
    return isinstance(values[0], float) or any(value != values[0] for value in values)


def spell_variables(variables: Mapping[str, Value]) -> str:
    """Return the local variables as ``o=1   index=[0, 1]``, to be broken only between them."""
    return "   ".join(f"{name}={_spell(value)}" for name, value in variables.items())


def _spell(value: Value) -> str:
    if isinstance(value, tuple):
        return "[" + ",\N{NO-BREAK SPACE}".join(map(_spell, value)) + "]"
    return fmt(value)


def until_write(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Gather steps so that each group ends with the one that writes."""
    group: list[Step] = []
    for step in steps:
        group.append(step)
        if step.writes:
            yield group
            group = []


def index_of(ordinal: int, shape: Shape) -> tuple[int, ...]:
    """Return the index of the ``ordinal``-th cell in reading order."""
    return tuple(int(i) for i in np.unravel_index(ordinal, shape)) if shape else ()


def out_layout(shape: Shape, strides: Sequence[int] | None) -> Layout:
    """Return how an output of ``shape`` is laid out; row-major unless ``strides`` are given.

    Raises ShapeError if they are too few or too many, are negative, or let two cells share a place.
    """
    if strides is None:
        return layout(shape, row_major(shape))
    steps = tuple(int(s) for s in strides)
    if len(steps) != len(shape):
        raise ShapeError(f"out has shape {shape}: give {len(shape)} out_strides, not {len(steps)}")
    at = layout(shape, steps)
    places = Plate("out", "out", at, ()).positions if min(steps, default=0) >= 0 else np.zeros(2)
    if np.unique(places).size < places.size:
        raise ShapeError(
            f"out_strides {steps} would put two cells of shape {shape} in one place: "
            f"try {row_major(shape[::-1])[::-1]}"
        )
    return at


def spelled(row: Operation, cells: Sequence[float]) -> str:
    """Return the operation with numbers put in: ``2 + 30``, ``σ(−1)``, ``(2 < 30)``."""
    numbers = [fmt(value) for value in cells]
    guarded = [f"({text})" if text.startswith(MINUS) else text for text in numbers]
    if row.symbol.isalpha():
        return f"{row.symbol}({', '.join(numbers)})"
    if len(cells) == 1:
        if "x" in row.symbol:
            return row.symbol.replace("x", guarded[0])
        return f"{row.symbol}({numbers[0]})"
    if len(cells) == 3:
        return f"({numbers[0]} {row.symbol} {numbers[1]} : {numbers[2]})"
    text = f"{numbers[0]} {row.symbol} {guarded[1]}"
    return f"({text})" if row.symbol in "<≤>≥=≠≈" else text


def sits(plates: Sequence[Plate], index: tuple[int, ...]) -> str:
    """Return where cells of one index sit in their storages, with the arithmetic."""
    told: list[str] = []
    for plate in plates:
        verb = "is" if told else "sits"
        where = plate.arithmetic(index) if index else f"position {plate.arithmetic(index)}"
        told.append(f"{plate.name}{spell_index(index)} {verb} at {where}")
    return ", ".join(told)
