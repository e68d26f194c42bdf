"""The right rules, in NumPy alone, and the mistakes that people make, as rules of their own.

Each mistake ends the sentence 'your numbers equal ...'. A backward rule takes grad_out, the inputs
and the plain arguments of forward; it returns one gradient per input.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .cases import Array
from .exam import Wrong
from .functions import FunctionExam

Slope = Callable[[Array], Array]


def _map(name: str, op: str, forward: Slope, slope: Slope, *more: Wrong) -> FunctionExam:
    """A map: each gradient cell is grad_out times the slope at that cell."""
    return FunctionExam(
        name,
        ("x",),
        wrong=(
            Wrong("the slope alone: multiply it by grad_out", lambda g, x: slope(x)),
            Wrong("grad_out times grad_out times the slope", lambda g, x: g * g * slope(x)),
            Wrong("grad_out alone: multiply it by the slope", lambda g, x: g),
            Wrong("the right gradient with the sign turned", lambda g, x: -g * slope(x)),
            Wrong("grad_out times the output", lambda g, x: g * forward(x)),
            Wrong(
                "the sum over all cells in every cell", lambda g, x: 0 * x + np.sum(g * slope(x))
            ),
            *more,
        ),
        step=f"tk.step(tk.{op}, check.x, grad_out=check.grad_out)",
        forward=forward,
        backward=lambda g, x: (g * slope(x),),
    )


def _sigmoid(x: Array) -> Array:
    return np.where(x < 0, np.exp(-np.abs(x)), 1.0) / (1.0 + np.exp(-np.abs(x)))


LOG = _map(
    "Log",
    "log",
    np.log,
    lambda x: 1 / x,
    Wrong("what comes of x + 1e-6: nothing is added to x here", lambda g, x: g / (x + 1e-6)),
    Wrong("log(x + 1e-6): nothing is added to x here", lambda x: np.log(x + 1e-6), of="forward"),
    Wrong("grad_out times x: the slope of log x is 1/x", lambda g, x: g * x),
    Wrong(
        "grad_out / log(x): divide by the saved input, not the output", lambda g, x: g / np.log(x)
    ),
    Wrong("grad_out / x²: that is the slope of -1/x", lambda g, x: g / x**2),
)
SIGMOID = _map(
    "Sigmoid",
    "sigmoid",
    _sigmoid,
    lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    Wrong("grad_out · x(1 - x): use the output s, not x", lambda g, x: g * x * (1 - x)),
    Wrong("grad_out · (1 - s): the factor s is missing", lambda g, x: g * (1 - _sigmoid(x))),
    Wrong("grad_out · s²: one factor should be 1 - s", lambda g, x: g * _sigmoid(x) ** 2),
)
RELU = _map(
    "ReLU",
    "relu",
    lambda x: np.maximum(x, 0),
    lambda x: np.where(x > 0, 1.0, 0.0),
    Wrong("a gate set by the sign of grad_out: the sign of x decides", lambda g, x: g * (g > 0)),
    Wrong("a gate that is open where x is negative", lambda g, x: g * (x < 0)),
)


def _tk_zip(op: str) -> str:
    return f"tk.step(tk.{op}, check.x, check.y, grad_out=check.grad_out)"


SUB = FunctionExam(
    "Sub",
    ("x", "y"),
    wrong=(
        Wrong("y - x: the operands are swapped", lambda x, y: y - x, of="forward"),
        Wrong("(grad_out, grad_out): y is subtracted, mind its sign", lambda g, x, y: (g, g)),
        Wrong("the gradients of y - x: the signs are swapped", lambda g, x, y: (-g, g)),
        Wrong(
            "the slopes 1 and -1 alone: multiply by grad_out",
            lambda g, x, y: (g * 0 + 1, g * 0 - 1),
        ),
        Wrong("the gradients of x · y", lambda g, x, y: (g * y, g * x)),
    ),
    step=_tk_zip("sub"),
    forward=np.subtract,
    backward=lambda g, x, y: (g, -g),
)
MUL = FunctionExam(
    "Mul",
    ("x", "y"),
    wrong=(
        Wrong(
            "grad_out times the input itself: each input gets the other",
            lambda g, x, y: (g * x, g * y),
        ),
        Wrong("the slopes y and x alone: multiply them by grad_out", lambda g, x, y: (y, x)),
        Wrong("grad_out for both: that is the rule of x + y", lambda g, x, y: (g, g)),
        Wrong("grad_out · y for both inputs: y needs x", lambda g, x, y: (g * y, g * y)),
        Wrong("grad_out · x for both inputs: x needs y", lambda g, x, y: (g * x, g * x)),
        Wrong("grad_out times grad_out times the other", lambda g, x, y: (g * g * y, g * g * x)),
        Wrong(
            "grad_out · x · y: leave the input itself out", lambda g, x, y: (g * x * y, g * x * y)
        ),
        Wrong("the right gradients with one sign turned", lambda g, x, y: (g * y, -g * x)),
    ),
    step=_tk_zip("mul"),
    forward=np.multiply,
    backward=lambda g, x, y: (g * y, g * x),
)
LESS = FunctionExam(
    "Less",
    ("x", "y"),
    wrong=(
        Wrong("grad_out passed through: a step is flat, so its slope is 0", lambda g, x, y: (g, g)),
        Wrong("the gradients of x - y: a step is flat, so its slope is 0", lambda g, x, y: (g, -g)),
        Wrong("ones: a step is flat, so its slope is 0", lambda g, x, y: (g * 0 + 1, g * 0 + 1)),
        Wrong("x > y: the operands are swapped", lambda x, y: 1.0 * (x > y), of="forward"),
    ),
    step=_tk_zip("lt"),
    forward=lambda x, y: 1.0 * (x < y),
    backward=lambda g, x, y: (np.zeros_like(x), np.zeros_like(y)),
)


def _share(g: Array, x: Array, dim: int) -> Array:
    """Give the winner grad_out; equal winners share it equally."""
    winners = x == x.max(axis=dim, keepdims=True)
    return np.asarray(g * winners / winners.sum(axis=dim, keepdims=True))


def _is_share(got: Array, g: Array, x: Array, dim: int) -> bool:
    """Any split among the winners is a gradient, if no share is negative and none is lost."""
    if got.shape != x.shape or not np.isfinite(got).all():
        return False
    losers = x != x.max(axis=dim, keepdims=True)
    total = got.sum(axis=dim, keepdims=True)
    signs = bool((got * np.sign(g) >= 0).all())
    return signs and not got[losers].any() and np.allclose(total, g, rtol=1e-6)


def others(x: Array, dim: int) -> Array:
    """Multiply, for every cell, the other cells along ``dim``: no division, so zeros do no harm."""
    parts = [np.delete(x, k, axis=dim).prod(axis=dim) for k in range(x.shape[dim])]
    return np.stack(parts, axis=dim)


def _reduce(
    name: str,
    forward: Callable[[Array, int], Array],
    backward: Callable[[Array, Array, int], Array],
    *more: Wrong,
    settle: Callable[..., bool] | None = None,
) -> FunctionExam:
    ones = Wrong(
        "the slope alone, as if grad_out were all ones: multiply by grad_out",
        lambda g, x, dim: backward(np.ones_like(g), x, dim),
    )
    total = Wrong(
        "all of grad_out added up in every cell: each cell fed one output cell",
        lambda g, x, dim: np.zeros_like(x) + g.sum(),
    )
    whole = Wrong(
        "a result over the whole tensor: only the cells along dim meet",
        lambda x, dim: np.broadcast_to(
            forward(x.reshape(-1), 0), np.max(x, dim, keepdims=True).shape
        ),
        of="forward",
    )
    dropped = Wrong(
        "the right numbers without the reduced dim: keep it, with length 1",
        lambda x, dim: forward(x, dim).squeeze(dim),
        of="forward",
    )
    other = Wrong(
        "the result of reducing another dim",
        lambda x, dim: forward(x, (dim + 1) % x.ndim),
        of="forward",
    )
    return FunctionExam(
        name,
        ("x",),
        wrong=(ones, total, whole, dropped, other, *more),
        step=f"tk.step(tk.{name.lower()}, check.x, dim=check.dim, grad_out=check.grad_out)",
        extras=("dim",),
        forward=forward,
        backward=lambda g, x, dim: (backward(g, x, dim),),
        settle=settle,
    )


SUM = _reduce(
    "Sum",
    lambda x, dim: x.sum(axis=dim, keepdims=True),
    lambda g, x, dim: np.zeros_like(x) + g,
    Wrong(
        "grad_out divided by the count: that is mean", lambda g, x, dim: 0 * x + g / x.shape[dim]
    ),
    Wrong("grad_out times x: the slope of a sum is 1", lambda g, x, dim: g * x),
    Wrong("zeros", lambda g, x, dim: 0 * x),
    Wrong("grad_out itself: copy it to every cell that fed it", lambda g, x, dim: g),
)
MEAN = _reduce(
    "Mean",
    lambda x, dim: x.mean(axis=dim, keepdims=True),
    lambda g, x, dim: (0 * x + g) / x.shape[dim],
    Wrong("the gradient of sum: divide by the length of dim", lambda g, x, dim: 0 * x + g),
    Wrong(
        "grad_out / x.size: divide by the length of dim only", lambda g, x, dim: 0 * x + g / x.size
    ),
    Wrong("grad_out / grad_out.size", lambda g, x, dim: 0 * x + g / g.size),
    Wrong("sum, not mean", lambda x, dim: x.sum(axis=dim, keepdims=True), of="forward"),
)
MAX = _reduce(
    "Max",
    lambda x, dim: x.max(axis=dim, keepdims=True),
    _share,
    Wrong(
        "the full grad_out to every winner of a tie: shares must add up to grad_out",
        lambda g, x, dim: g * (x == x.max(axis=dim, keepdims=True)),
    ),
    Wrong("grad_out to every cell: only the winner counts", lambda g, x, dim: 0 * x + g),
    Wrong("grad_out times x at the winner", lambda g, x, dim: x * _share(g, x, dim)),
    Wrong(
        "one winner for the whole tensor: there is one for each output cell",
        lambda g, x, dim: g * (x == x.max()),
    ),
    settle=_is_share,
)
PROD = _reduce(
    "Prod",
    lambda x, dim: x.prod(axis=dim, keepdims=True),
    lambda g, x, dim: g * others(x, dim),
    Wrong(
        "grad_out · product / x: with a zero that divides by zero",
        lambda g, x, dim: g * x.prod(axis=dim, keepdims=True) / x,
    ),
    Wrong(
        "grad_out times the whole product: leave the cell itself out",
        lambda g, x, dim: 0 * x + g * x.prod(axis=dim, keepdims=True),
    ),
    Wrong("the rule of sum: multiply by the product of the others", lambda g, x, dim: 0 * x + g),
    Wrong(
        "0 wherever the product is 0: the others may still have a product",
        lambda g, x, dim: np.where(x.prod(axis=dim, keepdims=True) == 0, 0.0, g * others(x, dim)),
    ),
)
