"""The right rules, and the usual mistakes, where numbers only move: unbroadcast, permute, view.

The Jacobians that are filled in by hand are here too.
"""

from __future__ import annotations

import numpy as np

from .cases import Array
from .exam import CallExam, Wrong
from .functions import FunctionExam

Shape = tuple[int, ...]


def _stretched(grad: Array, shape: Shape) -> tuple[int, ...]:
    missing = grad.ndim - len(shape)
    padded = (1,) * missing + shape
    return tuple(d for d, n in enumerate(padded) if d < missing or (n == 1 and grad.shape[d] != 1))


def undo(grad: Array, shape: Shape) -> Array:
    """Sum over every dim that was stretched or added on the left, then drop the added ones."""
    return np.asarray(grad.sum(axis=_stretched(grad, shape), keepdims=True)).reshape(shape)


def _left(grad: Array, shape: Shape) -> Array:
    padded = shape + (1,) * (grad.ndim - len(shape))
    dims = tuple(d for d, n in enumerate(padded) if n == 1)
    return np.asarray(grad.sum(axis=dims)).reshape(shape)


def _leading_only(grad: Array, shape: Shape) -> Array:
    return np.asarray(grad.sum(axis=tuple(range(grad.ndim - len(shape)))))


def _first(grad: Array, shape: Shape) -> Array:
    for dim in _stretched(grad, shape):
        grad = grad.take([0], axis=dim)
    return grad.reshape(shape)


def _mean(grad: Array, shape: Shape) -> Array:
    return np.asarray(grad.mean(axis=_stretched(grad, shape), keepdims=True)).reshape(shape)


UNBROADCAST = CallExam(
    "unbroadcast",
    ("grad",),
    wrong=(
        Wrong("the mean over the copies: every copy contributed, so add them up", _mean),
        Wrong("the share of one copy: add up what all the copies received", _first),
        Wrong(
            "grad.sum() in every cell: sum over the stretched dims only",
            lambda grad, shape: np.full(shape, grad.sum()),
        ),
        Wrong("the sums aligned from the left: shapes are aligned from the right", _left),
        Wrong(
            "the sum over the added dims only: dims of length 1 were stretched too", _leading_only
        ),
        Wrong(
            "the right sums with too many dims: the shape must be exactly `shape`",
            lambda grad, shape: undo(grad, shape).reshape((1,) * (grad.ndim - len(shape)) + shape),
        ),
        Wrong(
            "the right sums with the dims of length 1 dropped: keep them",
            lambda grad, shape: undo(grad, shape).squeeze(),
        ),
        Wrong(
            "the first cells of grad in a new shape: add up, do not cut off",
            lambda grad, shape: grad.ravel()[: int(np.prod(shape))].reshape(shape),
        ),
        Wrong("grad itself: the stretched dims still have to be summed", lambda grad, shape: grad),
        Wrong(
            "the number of copies, as if grad were all ones",
            lambda grad, shape: undo(np.ones_like(grad), shape),
        ),
    ),
    step="tk.step(lambda b: (b * check.grad).sum(), tk.ones(*check.shape))",
    extras=("shape",),
    expect=undo,
)


def inverse(order: Shape) -> Shape:
    """Return the order that puts every dim back."""
    return tuple(order.index(d) for d in range(len(order)))


PERMUTE = FunctionExam(
    "Permute",
    ("x",),
    wrong=(
        Wrong(
            "grad_out read in order into the old shape: that is view, not permute",
            lambda g, x, order: g.reshape(x.shape),
        ),
        Wrong("grad_out as it came: put its dims back", lambda g, x, order: g),
        Wrong("ones, as if grad_out were all ones", lambda g, x, order: np.ones_like(x)),
        Wrong(
            "x read in order into the new shape: that is view, not permute",
            lambda x, order: x.reshape([x.shape[d] for d in order]),
            of="forward",
        ),
    ),
    step="tk.step(lambda x: (x.permute(*check.order) * check.grad_out).sum(), check.x)",
    extras=("order",),
    forward=lambda x, order: x.transpose(order),
    backward=lambda g, x, order: (g.transpose(inverse(order)),),
)

VIEW = FunctionExam(
    "View",
    ("x",),
    wrong=(
        Wrong(
            "grad_out read from storage, cell after cell: copy it into reading order first",
            lambda g, x, shape: g.T.ravel().reshape(x.shape),
        ),
        Wrong("grad_out as it came: give it the shape of x", lambda g, x, shape: g),
        Wrong("grad_out transposed: read its cells in order instead", lambda g, x, shape: g.T),
        Wrong("ones, as if grad_out were all ones", lambda g, x, shape: np.ones_like(x)),
        Wrong(
            "x read from storage, cell after cell: x does not lie in reading order",
            lambda x, shape: x.T.ravel().reshape(shape),
            of="forward",
        ),
    ),
    step="tk.step(lambda x: (x.view(*check.shape) * check.grad_out).sum(), check.x)",
    extras=("shape",),
    forward=lambda x, shape: x.reshape(shape),
    backward=lambda g, x, shape: (g.reshape(x.shape),),
)

PAIR = CallExam(
    "jacobian_of_pair",
    (),
    wrong=(
        Wrong("the transpose: one row per output, one column per input", lambda: [[1, 5], [0, 3]]),
    ),
    expect=lambda: [[1, 0], [5, 3]],
    advice="nudge one input by a tiny bit: how many times that bit does each output move?",
    tensors=False,
    secret=True,
)
_SUM = np.hstack([np.eye(3), np.eye(3)])
OF_SUM = CallExam(
    "jacobian_of_sum",
    (),
    wrong=(
        Wrong("the transpose: one row per output, one column per input", lambda: _SUM.T),
        Wrong(
            "the Jacobian of sum over dim 1: dim 0 is the one that disappears",
            lambda: np.kron(np.eye(2), np.ones((1, 3))),
        ),
        Wrong(
            "a Jacobian in which neighbours in storage meet: they differ in dim 1, not dim 0",
            lambda: np.kron(np.eye(3), np.ones((1, 2))),
        ),
    ),
    expect=lambda: _SUM,
    advice="one row for each of the 3 outputs: which of the 6 cells of x meet in it?",
    tensors=False,
    secret=True,
)
PULL_BACK = CallExam(
    "pull_back",
    ("jacobian", "grad_out"),
    wrong=(
        Wrong("the column sums without grad_out", lambda j, d: j.sum(axis=0)),
        Wrong("the mean of the weighted rows: contributions add up", lambda j, d: d @ j / len(d)),
        Wrong("the first row weighted: every output contributes", lambda j, d: d[0] * j[0]),
        Wrong("the last row weighted: every output contributes", lambda j, d: d[-1] * j[-1]),
    ),
    expect=lambda j, d: d @ j,
    advice="write grad_out beside the rows, multiply, then add down each column",
    tensors=False,
)
