"""Losses: how wrong an answer is, as one number to walk back from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compositions import cross_entropy
from ..errors import ShapeError
from ..tensor import Tensor
from .module import Module


def same_shape(name: str, answer: Any, wanted: Any) -> Any:
    """Return what is wanted as an array or a tensor; refuse another shape than the answer has.

    Broadcasting would compare every pair. Raises ShapeError.
    """
    if np.shape(answer) != np.shape(wanted):
        raise ShapeError(
            f"{name} compares cell by cell, but was given shapes {np.shape(answer)} and "
            f"{np.shape(wanted)}: give both the same shape, for example with .view(-1)"
        )
    return wanted if isinstance(wanted, Tensor) else np.asarray(wanted)


class MSELoss(Module):
    """The mean of the squared differences."""

    def forward(self, *inputs: Any) -> Any:
        """Return the loss of (answer, wanted), 0-d."""
        answer, wanted = inputs
        wanted = same_shape("MSELoss", answer, wanted)
        return (answer - wanted).square().mean()


class BCELoss(Module):
    """The mean of -(y ln p + (1 - y) ln(1 - p)) for probabilities p and labels y of 0 or 1.

    p is kept ``eps`` away from 0 and 1, where the logarithm has no end.
    """

    def __init__(self, eps: float = 1e-12) -> None:
        self.eps = eps

    def forward(self, *inputs: Any) -> Any:
        """Return the loss of (p, y), 0-d."""
        p, y = inputs
        y = same_shape("BCELoss", p, y)
        p = p.clip(self.eps, 1 - self.eps)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


class CrossEntropyLoss(Module):
    """The mean of -log_softmax(scores) at the right labels; see ``cross_entropy``."""

    def forward(self, *inputs: Any) -> Any:
        """Return the loss of (scores, labels), 0-d."""
        scores, labels = inputs
        return cross_entropy(scores, labels)
