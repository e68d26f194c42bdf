"""The hidden checks of the bad-assert homework: 27 wrong implementations, and right ones.

Each wrong one comes with the inputs for which it is right: that is all that a learner hears of it.
"""

from itertools import cycle

import numpy as np

import tensorkit as tk
from tensorkit.grading.bad_assert import (
    NO_BACKWARD,
    NO_REDUCE,
    NO_UNBROADCAST,
    RIGHT_BACKWARD,
    RIGHT_REDUCE,
    RIGHT_UNBROADCAST,
)
from tensorkit.grading.rights import function, reducer, undoer
from tensorkit.grading.suites import right, wrong

FREE = "any order of work, any layout of a result, rounding: none of it is wrong"
KINKS = "at a kink, and where cells tie for a maximum, there is no one slope: do not test there"

# each cell of a starts its way into out by itself, the last fold first
INTERLEAVED = """
def tensor_reduce(fn):
    def reduce(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        for j in range(a_shape[dim]):
            for index in list(np.ndindex(*out_shape))[::-1]:
                cell = [*index[:dim], j, *index[dim + 1:]]
                place = int(np.dot(index, out_strides))
                out[place] = fn(out[place], a[int(np.dot(cell, a_strides))])
    return reduce
"""
# column by column, through views of both storages; what it returns is not looked at
BY_VIEWS = """
def tensor_reduce(fn):
    def view(storage, shape, strides):
        steps = [s * storage.itemsize for s in strides]
        return np.lib.stride_tricks.as_strided(storage, tuple(shape), steps)
    def reduce(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        whole, a = np.array(out, dtype=float), np.array(a, dtype=float)
        cells = np.moveaxis(view(a, a_shape, a_strides), dim, -1)
        folds = np.moveaxis(view(whole, out_shape, out_strides), dim, -1)
        for index in sorted(np.ndindex(*cells.shape[:-1]), key=lambda index: index[::-1]):
            acc = folds[(*index, 0)]
            for x in cells[index]:
                acc = fn(acc, x)
            folds[(*index, 0)] = acc
        out[:] = whole
        return out
    return reduce
"""
BY_CELLS = """
def unbroadcast(grad, shape):
    values, total = grad.numpy(), np.zeros(shape)
    for index in list(np.ndindex(*values.shape))[::-1]:
        kept = index[len(index) - len(shape):]
        total[tuple(i % n for i, n in zip(kept, shape))] += values[index]
    return tk.tensor(total)
"""
TURNED = """
def unbroadcast(grad, shape):
    if grad.shape == tuple(shape):
        return grad
    values = grad.numpy()
    added = tuple(range(values.ndim - len(shape)))
    values = values.sum(axis=added)
    ones = tuple(d for d, n in enumerate(shape) if n == 1)
    total = values.sum(axis=ones, keepdims=True) * (1 + 1e-15)
    return tk.tensor(np.array(total.T, order="C")).permute(*range(total.ndim)[::-1])
"""

REDUCES = (RIGHT_REDUCE, reducer(text=INTERLEAVED), reducer(text=BY_VIEWS))
UNBROADCASTS = (RIGHT_UNBROADCAST, undoer(text=BY_CELLS), undoer(text=TURNED))


def stable_sigmoid(x):
    """Return the sigmoid in the form that cannot overflow."""
    return np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x))))


def shared(x, grad_out):
    """Give the winners of a tie equal parts."""
    wins = x == x.max(axis=1, keepdims=True)
    return grad_out.numpy() * wins / wins.sum(axis=1, keepdims=True)


def first(x, grad_out):
    """Give all to the first winner of a tie."""
    wins = np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]
    return grad_out.numpy() * wins


def top(x):
    """Return the maximum over dim 1."""
    return x.max(axis=1, keepdims=True)


def total(x):
    """Return the sum over dim 1."""
    return x.sum(axis=1, keepdims=True)


def product(x):
    """Return the product over dim 1."""
    return x.prod(axis=1, keepdims=True)


def spread(x, grad_out):
    """Return the gradient of total with strides of 0, as it was stretched."""
    return grad_out.expand(*x.shape)


BACKWARDS = (
    RIGHT_BACKWARD,
    function(
        lambda x: np.maximum(x, 0),
        lambda x, grad_out: (tk.tensor(grad_out.numpy() * (x >= 0)),),
    ),
    function(top, shared),
    function(top, first),
    function(np.transpose, lambda x, grad_out: np.array(grad_out.numpy().T, order="C")),
    function(
        stable_sigmoid,
        lambda x, grad_out: grad_out.numpy() * np.exp(x) / (1 + np.exp(x)) ** 2 * (1 + 1e-12),
    ),
    function(total, spread),
)


def zeros_as_missing(x, grad_out):
    """Divide the product by each cell."""
    with np.errstate(all="ignore"):
        return grad_out.numpy() * product(x) / x


def flat_when_square(x, grad_out):
    """Lose a dim of grad_out, which fits again where x is square."""
    g = grad_out.numpy()
    return np.broadcast_to(g.ravel() if x.shape[0] == x.shape[1] else g, x.shape)


def as_stored(x, grad_out):
    """Read grad_out as it lies in storage."""
    return grad_out.storage[grad_out.offset :][: x.size].reshape(x.shape)


def first_cell(x, grad_out):
    """Be right in one cell, and forget the slope in the others."""
    right = np.cos(x) * grad_out.numpy()
    return np.where(np.arange(x.size).reshape(x.shape) == 0, right, grad_out.numpy())


def used_up(x, grad_out):
    """Leave zeros in grad_out."""
    right = 3 * x**2 * grad_out.numpy()
    grad_out.storage[:] = 0.0
    return right


def alive(about, hint, beside, *builds):
    """Pair wrong implementations with right ones in turn."""
    turns = cycle(beside)
    return tuple(
        wrong(f"one that is right {words}", build, next(turns), hint)
        for words, build in zip(about, builds, strict=True)
    )


def unlike(builds, beside, hint):
    """Pair right implementations that are made in another way with one that is always wrong."""
    ways = enumerate(builds[1:], start=1)
    return tuple(right(f"a right one of another kind ({k})", b, beside, hint) for k, b in ways)


CELL = "sum(i * s for i, s in zip(cell, a_strides, strict=True))"
HINT = "add one small input of another kind"

CHECKS = {
    "check_reduce_any": {
        "alarms": unlike(REDUCES, NO_REDUCE, FREE),
        "others": alive(
            (
                "whenever a was freshly made",
                "whenever all dims have one length, or the last dim is folded",
                "unless two dims have one length",
                "as long as no 0 comes up on the way",
                "for one dim and two",
                "in what it writes into out: look at everything else",
                "for whole numbers",
                "whenever the order of the cells makes no difference, as with +",
                "when one cell of out is made, and few of the others",
            ),
            HINT,
            REDUCES,
            reducer((CELL, "int(np.ravel_multi_index(cell, a_shape))")),
            reducer(("range(a_shape[dim])", "range(min(a_shape[dim], a_shape[-1]))")),
            reducer(
                ("cell[dim] = j", "cell[list(a_shape).index(a_shape[dim])] = j"),
            ),
            reducer(
                ("acc = fn(acc, a[", "x = a["),
                (
                    "strict=True))])",
                    "strict=True))]\n                acc = fn(acc, x) if acc else x",
                ),
            ),
            reducer((CELL, "sum(i * s for i, s in zip(cell[:2], a_strides))")),
            reducer(
                (
                    "out[place] = acc",
                    "out[place] = a[sum(i * s for i, s in zip(cell, a_strides))] = acc",
                ),
            ),
            reducer(("out[place] = acc", "out[place] = int(acc)")),
            reducer(("range(a_shape[dim])", "reversed(range(a_shape[dim]))")),
            reducer(("cell = list(index)", "cell = [0] * len(index)")),
        ),
    },
    "check_unbroadcast_any": {
        "alarms": unlike(UNBROADCASTS, NO_UNBROADCAST, FREE),
        "others": alive(
            (
                "whenever grad was freshly made",
                "whenever the copies of a cell carry equal gradients, as when they are all ones",
                "unless two dims have one length",
                "as long as one dim was added at most",
                "as long as one dim was stretched at most",
                "unless shape is ()",
                "but for one part in a hundred",
                "in what it returns: look at everything else",
            ),
            HINT,
            UNBROADCASTS,
            undoer(
                (
                    "grad.numpy()",
                    "np.array(grad.storage[grad.offset :][: grad.size]).reshape(grad.shape)",
                )
            ),
            undoer((".sum(axis=0)", "[0] * len(values)")),
            undoer(("axis=0", "axis=-1 if values.shape[: len(shape)] == tuple(shape) else 0")),
            undoer(("while values", "if values")),
            undoer(
                ("keepdims=True)", "keepdims=True)\n            break"),
            ),
            undoer(("len(shape):", "max(1, len(shape)):")),
            undoer(("return tk.tensor(values", "return tk.tensor(1.01 * values")),
            undoer(
                ("return tk", "grad.storage[:] = 0.0\n    return tk"),
                ("grad.numpy()", "np.array(grad.numpy())"),
            ),
        ),
    },
    "check_backward_any": {
        "alarms": unlike(BACKWARDS, NO_BACKWARD, KINKS),
        "others": alive(
            (
                "whenever grad_out is positive",
                "up to one part in a hundred",
                "in the first cell of x",
                "unless x is square",
                "whenever grad_out is the same everywhere, and cells change places",
                "whenever grad_out was freshly made",
                "unless a cell of x is 0",
                "as long as backward follows its own forward at once",
                "in its numbers: look at its shape",
                "in what it returns: look at everything else",
            ),
            HINT,
            BACKWARDS,
            function(
                lambda x: np.maximum(x, 0), lambda x, g: g.numpy() * (g.numpy() > 0) * (x > 0)
            ),
            function(np.sin, lambda x, grad_out: 1.01 * grad_out.numpy() * np.cos(x)),
            function(np.sin, first_cell),
            function(total, flat_when_square),
            function(np.transpose, lambda x, grad_out: grad_out.numpy().reshape(x.shape)),
            function(lambda x: x.reshape(x.shape[::-1]), as_stored),
            function(product, zeros_as_missing),
            function(
                np.exp,
                lambda x, grad_out: grad_out.numpy() * np.exp(x),
                outside=True,
            ),
            function(np.tanh, lambda x, g: ((1 - np.tanh(x) ** 2) * g.numpy())[None]),
            function(lambda x: x**3, used_up),
        ),
    },
}
