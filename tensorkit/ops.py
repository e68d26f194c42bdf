"""The table: every operation tensorkit knows, one row each.

A formula stands in the compiled loop exactly as written here. In it x and y are the cells of the
inputs, z that of the output, ``t`` the running value of a fold, ``n`` how many cells met;
the functions are those of ``scalars``. Kernels, tensor methods, gradients, pictures, captions and
tests all read these rows: to add an operation, add a row (and its NumPy oracle to the tests).
"""

from __future__ import annotations

import math
from typing import Any

from .elementwise import Map, Zip
from .functions import Operation
from .moves import EXPAND, TO, Contiguous, Permute, Reshape
from .reduction import Reduce

POSITIVE = (0.0, math.inf)
FLAT = ("0.0", "0.0")  # a step is flat wherever it has a slope at all

TABLE: tuple[Operation, ...] = (
    # map: name, symbol, formula, dz / dx
    Map("neg", "−", "-x", "-1.0", latex="-x", about="change the sign"),
    Map("exp", "exp", "exp(x)", "z", latex="e^{x}", about="e to the power of x"),
    Map(
        "log", "log", "log(x)", "1 / x",
        latex=r"\ln x", about="the natural logarithm", domain=(POSITIVE,),
    ),
    Map(
        "reciprocal", "1/x", "1 / x", "-z * z",
        latex=r"\frac{1}{x}", about="one over x", domain=(POSITIVE,),
    ),
    Map(
        "sqrt", "√", "sqrt(x)", "0.5 / z",
        latex=r"\sqrt{x}", about="the square root", domain=(POSITIVE,),
    ),
    Map(
        "sigmoid", "σ", "sigmoid(x)", "z * (1 - z)",
        latex=r"\frac{1}{1 + e^{-x}}", about="squash into 0 to 1",
    ),
    Map(
        "tanh", "tanh", "tanh(x)", "1 - z * z",
        latex=r"\tanh x", about="squash into -1 to 1",
    ),
    Map(
        "relu", "relu", "0.0 if x <= 0 else x", "1.0 if x > 0 else 0.0",
        latex=r"\max(0, x)", about="x where positive, else 0; the slope at 0 is taken as 0",
    ),
    # zip: name, symbol, formula, dz / dx, dz / dy
    Zip("add", "+", "x + y", "1.0", "1.0", latex="x + y", about="the sum of each pair"),
    Zip("sub", "−", "x - y", "1.0", "-1.0", latex="x - y", about="the difference of each pair"),
    Zip("mul", "×", "x * y", "y", "x", latex=r"x \cdot y", about="the product of each pair"),
    Zip(
        "div", "÷", "x / y", "1 / y", "-z / y",
        latex=r"\frac{x}{y}", about="the quotient of each pair",
        domain=((-math.inf, math.inf), POSITIVE),
    ),
    Zip(
        "pow", "^", "x ** y",
        "0.0 if y == 0 else y * x ** (y - 1)",
        "0.0 if x == 0 and y >= 0 else z * log(x)",
        latex="x^{y}", about="x to the power of y", domain=(POSITIVE, (-math.inf, math.inf)),
    ),
    Zip(
        "maximum", "max", "x if x > y or x != x else y",
        "1.0 if x > y else (0.5 if x == y else 0.0)",
        "1.0 if y > x else (0.5 if x == y else 0.0)",
        latex=r"\max(x, y)", about="the larger of each pair; a tie shares the gradient equally",
    ),
    Zip("lt", "<", "1.0 if x < y else 0.0", *FLAT, latex="x < y", about="1 where x < y, else 0"),
    Zip(
        "le", "≤", "1.0 if x <= y else 0.0", *FLAT,
        latex=r"x \le y", about="1 where x <= y, else 0",
    ),
    Zip("gt", ">", "1.0 if x > y else 0.0", *FLAT, latex="x > y", about="1 where x > y, else 0"),
    Zip(
        "ge", "≥", "1.0 if x >= y else 0.0", *FLAT,
        latex=r"x \ge y", about="1 where x >= y, else 0",
    ),
    Zip("eq", "=", "1.0 if x == y else 0.0", *FLAT, latex="x = y", about="1 where equal, else 0"),
    Zip(
        "ne", "≠", "1.0 if x != y else 0.0", *FLAT,
        latex=r"x \ne y", about="1 where unequal, else 0",
    ),
    Zip(
        "is_close", "≈",
        "1.0 if x == y or (abs(x - y) <= 1e-8 + 1e-5 * abs(y) and abs(y) < inf) else 0.0", *FLAT,
        latex=r"x \approx y", about="1 where equal up to 1e-8 + 1e-5 |y|, else 0",
    ),
    # reduce: name, symbol, formula of the fold, dz / dx, start
    Reduce("sum", "Σ", "t + x", "1.0", start=0.0, latex=r"\sum_i x_i", about="add up"),
    Reduce(
        "mean", "mean", "t + x", "1 / n", start=0.0, finish="t / n",
        latex=r"\frac{1}{n}\sum_i x_i", about="add up and divide by how many there are",
    ),
    Reduce(
        "max", "max", "x if x > t or x != x else t", "(1.0 if x == z else 0.0) / ties",
        start=-math.inf, helpers={"ties": (0.0, "t + (1.0 if x == z else 0.0)")},
        latex=r"\max_i x_i", about="the largest; ties share the gradient equally",
        of_nothing=False,
    ),
    Reduce(
        "prod", "Π", "t * x",
        "z / x if zeros == 0 else (others if x == 0 and zeros == 1 else 0.0)",
        start=1.0,
        helpers={
            "zeros": (0.0, "t + (1.0 if x == 0 else 0.0)"),
            "others": (1.0, "t * (x if x != 0 else 1.0)"),
        },
        latex=r"\prod_i x_i", about="multiply; the slope is the product of all the others",
    ),
    Reduce(
        "all", "∀", "1.0 if t != 0 and x != 0 else 0.0", "0.0", start=1.0,
        latex=r"\forall i: x_i \ne 0", about="1 if no cell is 0, else 0",
    ),
    # move: nothing is computed
    EXPAND,
    Permute("permute", "⇄", r"x_{ij} \to x_{ji}", "put the dims in another order"),
    Reshape("view", "▭", r"x \to \mathrm{shape}", "read the cells in order under a new shape"),
    Contiguous("contiguous", "▤", r"x \to x", "copy the cells into reading order"),
    TO,
)  # fmt: skip

ROWS: dict[str, Operation] = {row.name: row for row in TABLE}


def source(op: Operation | str) -> str:
    """Return the text of the loop behind a map, zip or reduce: what numba compiles and steps run.

    Raises KeyError for a name not in the table, and TypeError for a move, which has no loop,
    and for anything that is not a row of the table.
    """
    row: Any = get(op) if isinstance(op, str) else op
    if not isinstance(row, Operation):
        name = getattr(row, "__name__", type(row).__name__)
        raise TypeError(
            f"{name} is no operation of the table: give one such as tk.sum, or its name; "
            "inspect.getsource shows the text of other functions"
        )
    if not hasattr(row, "kernel"):
        raise TypeError(f"{row.name} is a move: it changes how storage is read and runs no loop")
    return str(row.kernel.text)


def get(name: str) -> Operation:
    """Return the row called ``name``. Raises KeyError that lists the names there are."""
    try:
        return ROWS[name]
    except KeyError:
        raise KeyError(f"there is no operation {name!r}; there are {', '.join(ROWS)}") from None
