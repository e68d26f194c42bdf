"""Measure slopes by nudging, knowing nothing of derivatives: move a cell, see what the output does.

The slope of a smooth function is (f(x + h) - f(x - h)) / 2h, up to a term in h squared. At a kink
the slopes on the two sides differ, and any slope between them is right; beside a jump they are
measured without stepping across it, so that the slope of a step function is 0 there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import Shape

Array = NDArray[Any]
# (which input, index of the cell, its new value) -> the output cells, as one flat array
Run = Callable[[int, Shape, float], Array]


def upstream(size: int, rng: np.random.Generator) -> Array:
    """Return distinct weights between 0.5 and 1.5 in size, of both signs."""
    signs = rng.permutation(np.where(np.arange(size) % 2, 1.0, -1.0))
    sizes: Array = signs * (
        0.5 + rng.permutation(np.arange(size) + rng.random(size)) / max(size, 1)
    )
    return sizes


def sample(shapes: list[Shape], limit: int, rng: Any) -> Iterator[tuple[int, Shape]]:
    """Yield (input, index) for each cell to nudge: all, or ``limit`` drawn per input."""
    for i, shape in enumerate(shapes):
        size = int(np.prod(shape))
        ordinals = np.arange(size)
        if size > limit:
            inner = rng.choice(size - 2, max(limit - 2, 0), replace=False) + 1
            ordinals = np.unique([0, *inner, size - 1])
        for ordinal in ordinals:
            yield i, tuple(int(n) for n in np.unravel_index(ordinal, shape))


def slopes(
    run: Run, number: int, index: Shape, values: Array, middle: Array, eps: float
) -> tuple[Array, Array, bool]:
    """Return the slope of each output cell on the left and on the right, and if there is a kink.

    Where the function is smooth both are the central difference. At a kink or a jump they are
    measured beside the cell, without stepping across it: a step function has slope 0 there.
    """
    x = float(values[index])
    h = eps * max(1.0, abs(x))
    at = {k: x + k * h for k in (-2, -1, -0.5, 0.5, 1, 2)}
    up, down = run(number, index, at[1]), run(number, index, at[-1])
    with np.errstate(all="ignore"):
        centre = (up - down) / (at[1] - at[-1])
        bend = np.abs((up - middle) / (at[1] - x) - (middle - down) / (x - at[-1]))
        rounding = 1e-15 * np.maximum(np.abs(middle), np.abs(up - down)) / h
        rough = bend > 1e-6 + 1e-5 * np.abs(centre) + 8 * rounding
        if not rough.any():
            return centre, centre, False
        nearer = np.abs(
            (run(number, index, at[0.5]) - middle) / (at[0.5] - x)
            - (middle - run(number, index, at[-0.5])) / (x - at[-0.5])
        )
        # curvature bends half as much over half the nudge; a kink bends as much, a jump twice
        rough &= ~((nearer > 0.3 * bend) & (nearer < 0.7 * bend))
        left = (down - run(number, index, at[-2])) / (at[-1] - at[-2])
        right = (run(number, index, at[2]) - up) / (at[2] - at[1])
    return np.where(rough, left, centre), np.where(rough, right, centre), bool(rough.any())
