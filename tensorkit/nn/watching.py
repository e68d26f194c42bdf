"""Training as data: after an epoch, what a network believes, and what gradient reached each layer.

A loss that falls says that something is learned. Why one does not fall is in the gradients: a layer
whose gradient is zero everywhere is dead, and one whose gradient is tiny will take ages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import no_grad
from ..optim import Optimizer
from ..tensor import tensor
from .module import Module

Array = NDArray[Any]

# powers of ten that part the bins of a histogram of gradients; what is smaller or larger joins the
# first or the last of them, and what is exactly zero is counted apart
DECADES = tuple(range(-8, 2))


@dataclass(frozen=True)
class Flow:
    """The gradient that reached one parameter: how its cells spread over the powers of ten.

    ``counts`` has one number for each step between two of DECADES. ``zeros`` cells got exactly
    nothing, and of its ``units`` (places of the last dim), ``dead`` got nothing in any cell.
    """

    name: str
    size: int
    counts: tuple[int, ...]
    zeros: int
    units: int
    dead: int


@dataclass(frozen=True)
class Snapshot:
    """A network after ``epoch`` epochs; 0 is before any.

    ``right`` of ``total`` answers fall on the right side. ``belief`` (n, n) is the probability of
    label 1 over the unit square, line 0 at the top; None if the data are not points of a plane.
    """

    epoch: int
    loss: float
    right: int
    total: int
    belief: Array | None
    flows: tuple[Flow, ...]

    def after(self, epochs: int) -> Snapshot:
        """Return the same snapshot, counted from ``epochs`` epochs earlier."""
        return replace(self, epoch=self.epoch + epochs)


def train(
    model: Module,
    loss: Module,
    optimizer: Optimizer,
    x: Any,
    y: Any,
    epochs: Iterable[int],
    batch: int | None = None,
    every: int = 1,
    grid: int = 12,
) -> Iterator[Snapshot]:
    """Train, and yield a snapshot before the first epoch and after each ``every``-th.

    ``epochs`` is a range, or a progress bar around one. ``x`` (n, ...) and ``y`` (n, ...) are
    arrays; the ``batch`` cells of each step are taken in order, all of them if not given. Close the
    generator to stop: the model keeps what it has learned.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    step = len(x) if batch is None else batch
    yield look(model, loss, x, y, 0, grid)
    epoch = 0
    for epoch in epochs:
        for start in range(0, len(x), step):
            optimizer.zero_grad()
            part = slice(start, start + step)
            loss(model(tensor(x[part])), y[part]).backward()
            optimizer.step()
        if (epoch + 1) % every == 0:
            yield look(model, loss, x, y, epoch + 1, grid)


def look(model: Module, loss: Module, x: Array, y: Array, epoch: int, grid: int = 12) -> Snapshot:
    """Return what the model is like now; its gradients are left as they were."""
    kept = [(p, p.grad) for _, p in model.named_parameters()]
    for p, _ in kept:
        p.grad = None
    answer = model(tensor(x))
    value = loss(answer, y)
    value.backward()
    flows = tuple(flow(name, p.grad) for name, p in model.named_parameters())
    for p, grad in kept:
        p.grad = grad
    right = int(np.sum(decided(answer.numpy()) == y.reshape(len(y), -1)[:, 0]))
    belief = None
    if x.ndim == 2 and x.shape[1] == 2 and answer.shape[1:] in ((), (1,)):
        with no_grad():
            belief = model(tensor(plane(grid))).numpy().reshape(grid, grid).copy()
    return Snapshot(epoch, value.item(), right, len(x), belief, flows)


def decided(answers: Array) -> Array:
    """Return the label of each answer (n, ...): by one probability, or by the largest score."""
    flat = answers.reshape(len(answers), -1)
    chosen: Array = flat.argmax(1) if flat.shape[1] > 1 else (flat[:, 0] > 0.5).astype(int)
    return chosen


def plane(n: int) -> Array:
    """Return the middles (n * n, 2) of n by n fields of the unit square; the top line first."""
    at = (np.arange(n) + 0.5) / n
    across, down = np.meshgrid(at, at[::-1])
    return np.stack([across.ravel(), down.ravel()], 1)


def flow(name: str, grad: Any) -> Flow:
    """Return how a gradient spreads over the powers of ten; None counts as all zeros."""
    cells = np.zeros((1, 1)) if grad is None else np.abs(np.asarray(grad))
    lines = cells.reshape(-1, cells.shape[-1]) if cells.ndim else cells.reshape(1, 1)
    dead = int((lines == 0).all(0).sum())
    some = cells[cells > 0]
    powers = np.clip(np.log10(some), DECADES[0], np.nextafter(DECADES[-1], -np.inf))
    counts, _ = np.histogram(powers, bins=np.array(DECADES, dtype=float))
    zeros = int(cells.size - some.size)
    return Flow(name, cells.size, tuple(map(int, counts)), zeros, lines.shape[1], dead)
