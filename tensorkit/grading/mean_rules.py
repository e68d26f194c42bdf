"""Mean and maximum in NumPy, and the mistakes that people make when they compose them from folds.

The reduced dim stays, with length 1; without a dim the mean is one number, in whatever shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Array, Case
from .exam import CallExam, Wrong


@dataclass(frozen=True)
class MeanExam(CallExam):
    """One number may come as shape (), (1,) or (1, 1): all of them are the mean of all cells."""

    def _tensor(self, label: str, case: Case, value: Any) -> Array:
        got = super()._tensor(label, case, value)
        return got.reshape(()) if case.extra[0] is None and got.size == 1 else got


def mean(x: Array, dim: int | None) -> Array:
    """Return the mean along ``dim``, or of all cells."""
    return np.asarray(x.mean(axis=dim, keepdims=dim is not None))


COUNT = "the sum divided by another count: x.shape[dim] cells met in each"
TRUTH = "the mean of all cells: 0 is a dim, ask `dim is None`"
NONE = "the means along dim 0: without a dim, all cells meet"

MEAN = MeanExam(
    "mean",
    ("x",),
    wrong=(
        Wrong("the sum divided by x.size: divide by the length of dim",
              lambda x, dim: x.sum(axis=dim, keepdims=True) / x.size),
        Wrong(COUNT,
              lambda x, dim: x.sum(axis=dim, keepdims=dim is not None)
              / x.sum(axis=dim, keepdims=dim is not None).size),
        Wrong("the sum", lambda x, dim: x.sum(axis=dim, keepdims=dim is not None)),
        Wrong(TRUTH, lambda x, dim: x.mean()),
        Wrong(TRUTH, lambda x, dim: x.mean(keepdims=True)),
        Wrong("the mean without the reduced dim: it stays, with length 1",
              lambda x, dim: x.mean(axis=dim)),
        Wrong("the mean along another dim", lambda x, dim: mean(x, (dim + 1) % x.ndim)),
        Wrong(NONE, lambda x, dim: x.mean(axis={None: 0}[dim])),
        Wrong(NONE, lambda x, dim: x.mean(axis={None: 0}[dim], keepdims=True)),
        Wrong(COUNT,
              lambda x, dim: x.sum(axis=dim, keepdims=True) / x.shape[(dim + 1) % x.ndim]),
    ),
    step="tk.step(tk.mean, check.x, dim=check.dim)",
    extras=("dim",),
    expect=mean,
)  # fmt: skip


def _max(x: Array, dim: int) -> Array:
    return np.asarray(x.max(axis=dim, keepdims=True))


MAX_REDUCE = CallExam(
    "max_reduce",
    ("x",),
    wrong=(
        Wrong("what comes of a fold from 0: 0 is larger than every negative number",
              lambda x, dim: np.maximum(_max(x, dim), 0)),
        Wrong("the maxima along another dim", lambda x, dim: _max(x, (dim + 1) % x.ndim)),
        Wrong("the maxima without the reduced dim: it stays, with length 1",
              lambda x, dim: x.max(axis=dim)),
        Wrong("the largest sizes: -6 is smaller than -1", lambda x, dim: _max(np.abs(x), dim)),
        Wrong("the minima", lambda x, dim: x.min(axis=dim, keepdims=True)),
        Wrong("one maximum for the whole tensor",
              lambda x, dim: np.full_like(_max(x, dim), x.max())),
        Wrong("the sum", lambda x, dim: x.sum(axis=dim, keepdims=True)),
    ),
    step="tk.step(tk.max, check.x, dim=check.dim)",
    extras=("dim",),
    expect=_max,
)  # fmt: skip
