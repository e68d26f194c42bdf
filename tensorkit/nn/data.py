"""Data to train on: MiniTorch's point sets, and the 8x8 digits that scikit-learn ships.

The point sets are rules about points in the unit square, so any number of points can be drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..random import Generator, draw

Array = NDArray[Any]


class Points(NamedTuple):
    """Points (n, 2) in the unit square (a spiral ends beyond it), labels (n,), 0.0 or 1.0."""

    x: Array
    y: Array


def _ruled(rule: Callable[[Array, Array], Array]) -> Callable[..., Points]:
    def points(n: int, generator: Generator | None = None) -> Points:
        """Draw ``n`` points and label them by the rule."""
        x = draw(generator).random((n, 2))
        return Points(x, rule(x[:, 0], x[:, 1]).astype(float))

    return points


def spiral(n: int, generator: Generator | None = None) -> Points:
    """Two arms that wind around each other, half of the points on each; nothing is random."""
    t = 10 * np.arange(5, 5 + n // 2 + n % 2) / max(n // 2, 1)
    across, along = t * np.cos(t) / 20, t * np.sin(t) / 20
    one = np.stack([0.5 + across, 0.5 + along], 1)
    other = np.stack([0.5 + along, 0.5 - across], 1)[: n // 2]
    return Points(np.concatenate([one, other]), np.repeat([0.0, 1.0], [len(one), len(other)]))


DATASETS: dict[str, Callable[..., Points]] = {
    "simple": _ruled(lambda a, b: a < 0.5),
    "diag": _ruled(lambda a, b: a + b < 0.5),
    "split": _ruled(lambda a, b: (a < 0.2) | (a > 0.8)),
    "xor": _ruled(lambda a, b: (a < 0.5) != (b < 0.5)),
    "circle": _ruled(lambda a, b: (a - 0.5) ** 2 + (b - 0.5) ** 2 > 0.1),
    "spiral": spiral,
}


def digits() -> tuple[Array, Array]:
    """Return scikit-learn's 1797 images (n, 1, 8, 8), 0 to 1, and labels (n,), 0 to 9.

    Raises ImportError with what to install where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError("the digits come with scikit-learn: pip install scikit-learn") from None
    data: Any = load_digits()
    return data.images[:, None] / 16.0, data.target
