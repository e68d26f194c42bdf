"""One number of a gradient, and what nudging says about it: by backward, and by moving one cell.

All output cells count, each times its own grad_out: L = Σ grad_out · out, and the slope is dL / dx.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.checks import called, gradients, need_output, same_layout
from tensorkit.errors import IndexingError
from tensorkit.graph import no_grad
from tensorkit.layout import Shape
from tensorkit.pictures.board import spell_index
from tensorkit.pictures.running import as_tensor
from tensorkit.tape import distinct
from tensorkit.tensor import Tensor, tensor


@dataclass(frozen=True)
class Probed:
    """A function of one number: L, as one cell of one input of ``f`` moves."""

    name: str
    cell: str
    x: float
    analytic: float
    terms: Callable[[float], NDArray[Any]]  # grad_out · out, cell by cell

    def at(self, x: float) -> float:
        """Return L where the cell is x."""
        return float(self.terms(x).sum())

    def slope(self, low: float, high: float) -> float:
        """Return the slope of L between two numbers; nan if they are the same."""
        # cell by cell: what does not move then loses nothing to rounding
        rise = float((self.terms(high) - self.terms(low)).sum())
        return rise / (high - low) if high != low else float("nan")

    def central(self, h: float) -> float:
        """Return (L(x + h) - L(x - h)) / 2h, by the numbers that x ± h really are."""
        return self.slope(self.x - h, self.x + h)

    def left(self, h: float) -> float:
        """Return the slope from x - h to x."""
        return self.slope(self.x - h, self.x)

    def right(self, h: float) -> float:
        """Return the slope from x to x + h."""
        return self.slope(self.x, self.x + h)


def probe(f: Any, *inputs: Any, index: Shape | None = None) -> Probed:
    """Return what moving one cell of the first input does: the one at ``index``, or the first.

    Raises IndexingError for an index outside of it, and what ``f`` raises.
    """
    name, run = called(f)
    given: list[Any] = [
        as_tensor(one) if not isinstance(one, int | float | tuple) else one for one in inputs
    ]
    first = given[0]
    index = (0,) * first.ndim if index is None else tuple(index)
    shape = first.shape
    if len(index) != len(shape) or any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
        raise IndexingError(f"there is no cell {list(index)} in an input of shape {shape}")
    fresh = [same_layout(one) if isinstance(one, Tensor) else one for one in given]
    leaf = fresh[0].requires_grad_()
    out = need_output(name, run(*fresh))
    weights = np.ones(out.shape) if out.size == 1 else distinct(out.shape)
    analytic = gradients(out, weights, [leaf])[0]
    values = np.array(first.numpy())

    def terms(x: float) -> NDArray[Any]:
        moved = values.copy()
        moved[index] = x
        with no_grad():
            result = run(tensor(moved), *given[1:])
        product: NDArray[Any] = weights * result.numpy()
        return product

    cell = f"x{spell_index(index)}"
    return Probed(name, cell, float(values[index]), float(analytic[index]), terms)
