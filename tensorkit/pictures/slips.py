"""Wrong rules of backward that are easily written, and easily missed by a test.

A slip is the right rule with something forgotten: what it does to ``grad_out``, where it reads its
inputs, or its slope. Whether anyone can see it depends on the numbers it is tried with: an upstream
of ones hides a forgotten grad_out, and contiguous tensors hide a rule that reads storage in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# (grad_out, out, inputs, dim) -> a gradient for each input, before copies are added up
Rule = Callable[[Array, Array, tuple[Array, ...], Any], tuple[Array, ...]]


@dataclass(frozen=True)
class Slip:
    """A wrong rule with its name, ready to be tried on tensors."""

    name: str
    rule: Rule
    change: Callable[[Any], Array]
    read: Callable[[Any], Array]

    def try_on(self, grad_out: Any, out: Any, inputs: tuple[Any, ...], dim: Any) -> list[Array]:
        """Return the gradients that the rule gives to the inputs, in their shapes."""
        given = tuple(self.read(t) for t in inputs)
        sent = self.rule(self.change(grad_out), cells(out), given, dim)
        return [undone(one, t.shape) for one, t in zip(sent, inputs, strict=True)]


def cells(t: Any) -> Array:
    """Return the numbers of a tensor in its shape."""
    return np.array(t.numpy())


def raw(t: Any) -> Array:
    """Return storage from its beginning, as if the tensor were contiguous."""
    return np.array(t.storage[: t.size]).reshape(t.shape)


def undone(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum over what was broadcast, rightly: the slips lie elsewhere."""
    while grad.ndim > len(shape):
        grad = grad.sum(0)
    away = tuple(d for d, n in enumerate(shape) if n == 1 < grad.shape[d])
    return grad.sum(away, keepdims=True) if away else grad


def largest(z: Array, x: Array) -> Array:
    """Return 1 where a cell is the largest that met."""
    return np.where(x == z, 1.0, 0.0)


RIGHT: dict[str, Rule] = {
    "sigmoid": lambda g, z, x, dim: (g * z * (1 - z),),
    "mul": lambda g, z, x, dim: (g * x[1], g * x[0]),
    "sum": lambda g, z, x, dim: (g * np.ones_like(x[0]),),
    "max": lambda g, z, x, dim: (g * largest(z, x[0]),),
    "where": lambda g, z, x, dim: (0 * g, g * (x[0] != 0), g * (x[0] == 0)),
    "matmul": lambda g, z, x, dim: (g @ x[1].T, x[0].T @ g),
}
# what is done to grad_out instead of using it as it is
CHANGES: dict[str, Callable[[Any], Array]] = {
    "grad_out forgotten": lambda g: np.ones(g.shape),
    "grad_out twice": lambda g: cells(g) ** 2,
    "grad_out averaged": lambda g: np.full(g.shape, cells(g).mean()),
    "the sign of grad_out": lambda g: np.sign(cells(g)),
    "grad_out from storage": raw,
}
# and a wrong slope: the name of the slip, and its rule
SLOPES: dict[str, tuple[str, Rule]] = {
    "sigmoid": ("x in place of out", lambda g, z, x, dim: (g * x[0] * (1 - x[0]),)),
    "mul": ("the wrong partner", lambda g, z, x, dim: (g * x[0], g * x[1])),
    "sum": (
        "divided by the count",
        lambda g, z, x, dim: (g * np.ones_like(x[0]) / x[0].shape[dim or 0],),
    ),
    "max": ("to every cell", lambda g, z, x, dim: (g * np.ones_like(x[0]),)),
    "where": ("x and y exchanged", lambda g, z, x, dim: (0 * g, g * (x[0] == 0), g * (x[0] != 0))),
    "matmul": (
        "partners in wrong order",
        lambda g, z, x, dim: (g @ x[1].reshape(x[1].shape[::-1]), (x[0].T @ g)),
    ),
}
READS = {"sigmoid": "", "sum": "", "matmul": "partners from storage"}


def slips(name: str) -> Iterator[Slip]:
    """Yield the wrong rules of an operation. Raises KeyError for one that has none written down."""
    for what, change in CHANGES.items():
        yield Slip(what, RIGHT[name], change, cells)
    if reads := READS.get(name, "inputs from storage"):
        yield Slip(reads, RIGHT[name], cells, raw)
    wrong, rule = SLOPES[name]
    yield Slip(wrong, rule, cells, cells)
