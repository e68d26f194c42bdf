"""A tensor too large to draw is shown by its corner, and the picture says what it leaves out.

Whole up to about BOXES cells in the scene, in grids and on tapes together, and STEPS steps: more
would be slow to draw, and nobody reads them. Beyond that the corner stands for the rest: the same
strides over the same storage, so that every number of it is the one that the whole has.
"""

from __future__ import annotations

import math

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.layout import Layout, Shape, layout
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor

BOXES = 1000  # cells of one scene, grids and tapes together
STEPS = 224  # cells of one tensor that is drawn whole: each is a step, and 450 kB hold no more
DENSE = 320  # cells of a scene from which on they are drawn smaller
DOWN, ACROSS = 36, 32  # cells of a whole tensor, downwards and to the right
PART = (8, 10)  # cells of a corner, the same way
BLOCKS = 4  # slices of a corner, along each outer dim


def shown(shape: Shape, tensors: float) -> Shape:
    """Return how much of ``shape`` is drawn if a scene holds so many tensors of about that shape.

    Raises ShapeError for more than 4 dims, which a picture cannot lay out.
    """
    if len(shape) > 4:
        raise ShapeError(
            f"a tensor of shape {shape} has {len(shape)} dims, and a picture shows 0 to 4: "
            "view it with fewer dims"
        )
    rows, columns = (1, 1, *shape)[-2:]
    down, right = (1, 1, *shape[:-2])[-2:]
    size = math.prod(shape)
    small = 2 * tensors * size <= BOXES and size <= STEPS  # a grid and its tape
    if small and rows * down <= DOWN and columns * right <= ACROSS:
        return shape
    ends = (DOWN, ACROSS) if small and len(shape) <= 2 else PART
    most = (*(BLOCKS,) * (len(shape) - 2), *ends)[-len(shape) :]
    lengths = [min(n, m) for n, m in zip(shape, most, strict=True)]
    for dim in range(len(shape)):  # the outer dims give way first
        while lengths[dim] > 1 and 2 * tensors * math.prod(lengths) > BOXES:
            lengths[dim] -= 1
    return tuple(lengths)


def cut(at: Layout, lengths: Shape) -> Layout:
    """Return the layout of a corner: fewer cells, the same strides, the same first place."""
    return layout(lengths, at.strides, at.offset, at.dtype)


def corner(t: Tensor, lengths: Shape) -> Tensor:
    """Return the corner of a tensor, over the same storage."""
    return Tensor(t.storage, lengths, t.strides, t.offset)


def limits(lengths: Shape, shape: Shape) -> Shape:
    """Return how much of ``shape`` is drawn, if of what it is broadcast to ``lengths`` are."""
    return tuple(
        min(n, length)
        for n, length in zip(shape, lengths[len(lengths) - len(shape) :], strict=True)
    )


def repacked(t: Tensor, lengths: Shape) -> Tensor:
    """Return a copy of a corner in a storage of its own, its dims in the order that they had.

    Gaps between neighbours stay as long as they are, at most 3 places.
    """
    values = t.numpy()[tuple(slice(n) for n in lengths)]
    order = sorted(range(t.ndim), key=lambda d: abs(t.strides[d]))
    step = min((abs(t.strides[d]) for d in order if lengths[d] > 1 and t.strides[d]), default=1)
    strides, step = [0] * t.ndim, min(step, 3)
    for d in order:
        if t.strides[d]:
            strides[d], step = step, step * lengths[d]
    count = (
        1 + sum(s * (n - 1) for s, n in zip(strides, lengths, strict=True)) if values.size else 0
    )
    made = Tensor(np.zeros(max(count, 0)), lengths, strides)
    places = np.full(lengths, 0, dtype=np.int64)
    for d, (n, s) in enumerate(zip(lengths, strides, strict=True)):
        places += (np.arange(n) * s).reshape([n if k == d else 1 for k in range(t.ndim)])
    made.storage[places.ravel()] = values.ravel()
    return made


def spell_part(lengths: Shape, shape: Shape) -> str:
    """Return which part of a shape is shown: ``[0:8, :]``; nothing if it is all."""
    if lengths == shape:
        return ""
    dims = (":" if n == all_ else f"0:{n}" for n, all_ in zip(lengths, shape, strict=True))
    return f"[{', '.join(dims)}]"


def left_out(name: str, lengths: Shape, shape: Shape, steps: int | None = None) -> str:
    """Say in a sentence how many cells, and steps, are not shown; nothing if all are."""
    if lengths == shape:
        return ""
    size, part = math.prod(shape), math.prod(lengths)
    dims = [
        f"dim {d}: 0 to {n - 1} of {all_}"
        for d, (n, all_) in enumerate(zip(lengths, shape, strict=True))
        if n != all_
    ]
    more = "" if steps is None else f" and their {counted(steps)} steps"
    return (
        f" {name} {shape} is shown in part, {', '.join(dims)}: {counted(size - part)} cells{more} "
        "are left out."
    )


def counted(number: int) -> str:
    """Return a count with its thousands apart."""
    return fmt(number) if number < 10_000 else f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")
