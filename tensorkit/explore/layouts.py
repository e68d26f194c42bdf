"""The same numbers, laid out otherwise: code that reads storage in order shows itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorkit.layout import Shape, row_major
from tensorkit.tensor import Tensor

KINDS = ("contiguous", "permuted", "strided")
GAP = 2  # places from one cell to the next, where strided
FILL = 90.0  # and what lies between: no cell holds such numbers


def strides_of(shape: Shape, kind: str) -> Sequence[int]:
    """Return the strides by which a tensor of ``shape`` is laid out; see KINDS."""
    if kind == "permuted":
        return row_major(shape[::-1])[::-1]
    return [step * (GAP if kind == "strided" else 1) for step in row_major(shape)]


def laid_out(x: Tensor, kind: str) -> Tensor:
    """Return a tensor of the same numbers in a storage of its own, laid out as ``kind`` says."""
    made = strides_of(x.shape, kind)
    count = 1 + sum(s * (n - 1) for s, n in zip(made, x.shape, strict=True)) if x.size else 0
    out = Tensor(FILL + np.arange(float(count)), x.shape, made)
    places = np.ndarray(
        x.shape, np.int64, buffer=np.arange(max(count, 1)), strides=[8 * s for s in made]
    )
    out.storage[places.ravel()] = x.numpy().ravel()
    return out
