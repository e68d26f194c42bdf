"""Which cell feeds which, and which cells of a large tensor are shown.

Cells are counted in reading order. What an operation reads for one cell of its output follows from
its settings alone, so the hover links of a picture need no run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.layout import Shape
from tensorkit.pictures.text import exactly, fmt
from tensorkit.tape import Call, Tape

MOST = 24  # cells of one tensor that a picture with several tensors shows
NOISE = 1e-12
Feeds = list[tuple[int, ...]]


def window(shape: Shape, most: int = MOST) -> Shape:
    """Return the corner of a tensor that is shown: its first cells, at most ``most``.

    Raises ShapeError for more than 4 dims, which a picture cannot lay out.
    """
    if len(shape) > 4:
        raise ShapeError(
            f"a tensor of shape {shape} has {len(shape)} dims, and a picture shows at most 4: "
            "view it with fewer dims"
        )
    lengths = list(shape)
    while math.prod(lengths) > most:
        longest = max(range(len(lengths)), key=lambda d: (lengths[d], d))
        lengths[longest] -= 1
    return tuple(lengths)


def corner(values: Any, lengths: Shape) -> Any:
    """Return the first cells of an array along every dim."""
    return np.asarray(values)[tuple(slice(0, n) for n in lengths)]


def texts(values: Any) -> list[str]:
    """Return numbers as cells show them, in reading order."""
    return [number(one) for one in np.asarray(values).ravel().tolist()]


def number(value: float) -> str:
    """Return a number as text; what is left of 0 after rounding is ≈0, and not 2.7e−17."""
    return "≈0" if 0 < abs(value) < NOISE else fmt(value)


def equals(*values: object) -> str:
    """Return the sign for an equation with these numbers: ≈ if one is shown rounded.

    A reader who works out 10 · 0.10 = 1.05 would doubt the rest as well.
    """
    told = [v for v in values if not (isinstance(v, float) and 0 < abs(v) < NOISE)]
    return "=" if all(map(exactly, told)) else "≈"


def index_text(shape: Shape, ordinal: int) -> str:
    """Return the index of a cell as written after a name: ``[0, 1]``; nothing for a 0-d tensor."""
    index = np.unravel_index(ordinal, shape) if shape else ()
    return f"[{', '.join(str(int(i)) for i in index)}]" if shape else ""


def feeds(tape: Tape, call: Call, k: int) -> Feeds:
    """Return, for each cell of a call's output, the cells of input ``k`` that it is made of.

    A learner's own Function may read any cell, so all are named.
    """
    before, after = tape.grids[call.inputs[k]].shape, tape.grids[call.out].shape
    size = math.prod(before)
    numbers = np.arange(size).reshape(before)
    count = math.prod(after)
    if call.kind == "function":
        return [tuple(range(size))] * count
    if call.kind == "reduce":
        dims = call.settings["dims"]
        kept = [d for d in range(len(before)) if d not in dims]
        lines = numbers.transpose([*kept, *dims]).reshape(count, -1)
        return [tuple(line) for line in lines.tolist()]
    if call.name == "expand":
        numbers = np.broadcast_to(numbers, after)
    elif call.name == "permute":
        numbers = numbers.transpose(call.settings["order"])
    return [(one,) for one in numbers.ravel().tolist()]
