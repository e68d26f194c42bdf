"""Map, zip and reduce, backwards: one rule of each kind, that the homework does not ask.

Each is tried with grad_out all ones, where many wrong rules are right, and with telling numbers.
"""

from __future__ import annotations

import numpy as np

from ..grading.cases import Array, Case, Laid, laid
from ..grading.exam import Wrong
from ..grading.functions import FunctionExam
from ..grading.sheet import Block, Task

EXP = FunctionExam(
    "Exp",
    ("x",),
    wrong=(
        Wrong("the slope alone: multiply it by grad_out", lambda g, x: np.exp(x)),
        Wrong("grad_out alone: multiply it by the slope, which is out", lambda g, x: g),
        Wrong("grad_out · x: the slope of exp is its own value, out", lambda g, x: g * x),
        Wrong("grad_out · x · exp(x − 1): that is for powers", lambda g, x: g * x * np.exp(x - 1)),
        Wrong("grad_out · exp(out): out is exp(x) already", lambda g, x: g * np.exp(np.exp(x))),
        Wrong("grad_out · grad_out · out: once is enough", lambda g, x: g * g * np.exp(x)),
        Wrong("grad_out / out: multiply", lambda g, x: g / np.exp(x)),
        Wrong("grad_out + out: multiply", lambda g, x: g + np.exp(x)),
    ),
    step="tk.step(tk.exp, check.x, grad_out=check.grad_out)",
    forward=np.exp,
    backward=lambda g, x: (g * np.exp(x),),
)  # fmt: skip

DIV = FunctionExam(
    "Div",
    ("x", "y"),
    wrong=(
        Wrong("the slopes alone: multiply both by grad_out", lambda g, x, y: (1 / y, -x / y**2)),
        Wrong("a gradient of y with its sign turned: when y grows, x / y shrinks",
              lambda g, x, y: (g / y, g * x / y**2)),
        Wrong("the two gradients in the wrong order: x comes first",
              lambda g, x, y: (-g * x / y**2, g / y)),
        Wrong("the gradients of x · y", lambda g, x, y: (g * y, g * x)),
        Wrong("the gradients of x − y", lambda g, x, y: (g, -g)),
        Wrong("grad_out / y and −grad_out / y²: x is missing in the second",
              lambda g, x, y: (g / y, -g / y**2)),
        Wrong("grad_out / y and −grad_out · x / y: the second is divided by y twice",
              lambda g, x, y: (g / y, -g * x / y)),
        Wrong("grad_out / y for both: y has a slope of its own", lambda g, x, y: (g / y, g / y)),
        Wrong("grad_out / y and 0: y moves the result, too", lambda g, x, y: (g / y, 0 * y)),
        Wrong("grad_out / x and ...: each divides by y", lambda g, x, y: (g / x, -g * y / x**2)),
    ),
    step="tk.step(tk.div, check.x, check.y, grad_out=check.grad_out)",
    forward=np.divide,
    backward=lambda g, x, y: (g / y, -g * x / y**2),
)  # fmt: skip


def energy(x: Array, dim: int) -> Array:
    """Return the sum of squares over ``dim``, kept with length 1."""
    return np.asarray((x * x).sum(axis=dim, keepdims=True))


ENERGY = FunctionExam(
    "SumOfSquares",
    ("x",),
    wrong=(
        Wrong("the slopes alone: multiply by the grad_out of the sum that the cell went into",
              lambda g, x, dim: 2 * x),
        Wrong("the rule of sum: the slope of x · x is 2 · x", lambda g, x, dim: 0 * x + g),
        Wrong("grad_out · x: x is used twice in x · x", lambda g, x, dim: g * x),
        Wrong("grad_out · 2: the slope is 2 · x", lambda g, x, dim: 0 * x + 2 * g),
        Wrong("grad_out · x · x: that is no slope", lambda g, x, dim: g * x * x),
        Wrong("all of grad_out in every cell: each cell went into one sum only",
              lambda g, x, dim: 2 * x * g.sum()),
        Wrong("grad_out · 2 · out: the slope is about the cell, not about the sum",
              lambda g, x, dim: 0 * x + 2 * g * energy(x, dim)),
        Wrong("a gradient in the shape of out: it has the shape of x",
              lambda g, x, dim: g * 2 * x.sum(axis=dim, keepdims=True)),
        Wrong("grad_out itself: hand it out to every cell that met", lambda g, x, dim: g),
        Wrong("divided by the count: nothing was averaged",
              lambda g, x, dim: 2 * g * x / x.shape[dim]),
    ),
    step="tk.explore.backward(tk.sum, check.x * check.x, dim=check.dim)",
    extras=("dim",),
    forward=energy,
    backward=lambda g, x, dim: (g * 2 * x,),
)  # fmt: skip

ONES, DIFFERENT = "grad_out all ones", "grad_out all different"
X = laid([[0.5, -1, 2], [1.5, 0, -0.5]])
Y = laid([[2, 4, -0.5], [0.25, -2, 5]])
G = laid([[1, 10, -100], [2, -20, 200]])


def both(exam: FunctionExam, *inputs: Laid) -> Task:
    """The same data with grad_out all ones, and with telling numbers."""
    ones = Laid(np.ones((2, 3)))
    return Task(
        exam,
        (
            Block("ones", ONES, 1, (Case(ONES, inputs, grad_out=ones),)),
            Block(
                "different", DIFFERENT, 1, (Case(DIFFERENT, inputs, grad_out=G, untouched=True),)
            ),
        ),
    )


def reduced(dim: int, grad_out: object) -> Case:
    """A sum of squares over one dim."""
    # strict, for what is left out here stops the graph in the lesson's last cell
    return Case(f"dim {dim}", (X,), (dim,), laid(grad_out), untouched=True, strict=True)


TASKS = {
    "map": both(EXP, X),
    "zip": both(DIV, X, Y),
    "reduce": Task(
        ENERGY,
        (
            Block("ones", ONES, 1, (reduced(1, [[1], [1]]),)),
            Block("different", DIFFERENT, 1, (reduced(1, [[1], [10]]), reduced(0, [[1, 10, 100]]))),
        ),
    ),
}
