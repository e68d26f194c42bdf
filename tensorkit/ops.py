"""The table: every operation tensorkit knows, one row each.

A formula stands in the compiled loop exactly as written here. In it x and y are the cells of the
inputs, z that of the output, ``t`` the running value of a fold, ``n`` how many cells met;
the functions are those of ``scalars``. Kernels, tensor methods, gradients, pictures, captions and
tests all read these rows: to add an operation, add a row (and its NumPy oracle to the tests).
"""

from __future__ import annotations

import math
from typing import Any

from .calculus import know
from .elementwise import Elementwise, Map
from .functions import Operation
from .indexing import CAT, INDEX, SCATTER
from .moves import CONTIGUOUS, PERMUTE, TO, TRANSPOSE, VIEW
from .others import slope_of_product
from .product import MATMUL
from .reduction import EXPAND, SUM, Reduce
from .zips import Choose, Power, Zip

POSITIVE = (0.0, math.inf)
FLAT = ("0.0", "0.0")  # a step is flat wherever it has a slope at all

# the powers that have a row of their own
RECIPROCAL = Map(
    "reciprocal", "1/x", "1 / x", "-z * z",
    latex=r"\frac{1}{x}", about="one over x", domain=(POSITIVE,),
)  # fmt: skip
SQRT = Map(
    "sqrt", "√", "sqrt(x)", "0.5 / z",
    latex=r"\sqrt{x}", about="the square root", domain=(POSITIVE,),
)  # fmt: skip
SQUARE = Map("square", "x²", "x * x", "2 * x", latex="x^{2}", about="x times x")

TABLE: tuple[Operation, ...] = (
    # map: name, symbol, formula, dz / dx
    Map("neg", "−", "-x", "-1.0", latex="-x", about="change the sign"),
    Map("exp", "exp", "exp(x)", "z", latex="e^{x}", about="e to the power of x"),
    Map(
        "log", "log", "log(x)", "1 / x",
        latex=r"\ln x", about="the natural logarithm", domain=(POSITIVE,),
    ),
    RECIPROCAL,
    SQRT,
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
    Map(
        "abs", "|x|", "abs(x)", "1.0 if x > 0 else (-1.0 if x < 0 else 0.0)",
        latex="|x|", about="the distance from 0; the slope at 0 is taken as 0",
    ),
    SQUARE,
    Map(
        "log1p", "log1p", "log1p(x)", "1 / (1 + x)",
        latex=r"\ln(1 + x)", about="ln(1 + x), exact near 0", domain=((-1.0, math.inf),),
    ),
    Map("expm1", "expm1", "expm1(x)", "z + 1", latex="e^{x} - 1", about="e^x - 1, exact near 0"),
    Map("sin", "sin", "sin(x)", "cos(x)", latex=r"\sin x", about="the sine of x radians"),
    Map("cos", "cos", "cos(x)", "-sin(x)", latex=r"\cos x", about="the cosine of x radians"),
    Map(
        "sign", "sgn", "1.0 if x > 0 else (-1.0 if x < 0 else x)", "0.0",
        latex=r"\mathrm{sgn}\, x", about="1, 0 or -1; flat wherever it has a slope",
    ),
    Map(
        "floor", "⌊x⌋", "floor(x)", "0.0",
        latex=r"\lfloor x \rfloor", about="the whole number below; flat wherever it has a slope",
    ),
    Map(
        "softplus", "softplus", "softplus(x)", "sigmoid(x)",
        latex=r"\ln(1 + e^{x})", about="a smooth relu",
    ),
    Map(
        "gelu", "gelu", "x * normal(x)", "normal(x) + x * bell(x)",
        latex=r"x\,\Phi(x)", about="x times the normal distribution function",
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
    Power(
        "pow", "^", "x ** y",
        "0.0 if y == 0 else y * x ** (y - 1)",
        "0.0 if x == 0 and y >= 0 else z * log(x)",
        latex="x^{y}", about="x to the power of y", domain=(POSITIVE, (-math.inf, math.inf)),
        rows={-1: RECIPROCAL, 0.5: SQRT, 2: SQUARE},
    ),
    Zip(
        "maximum", "max", "x if x > y or x != x else y",
        "1.0 if x > y else (0.5 if x == y else 0.0)",
        "1.0 if y > x else (0.5 if x == y else 0.0)",
        latex=r"\max(x, y)", about="the larger of each pair; a tie shares the gradient equally",
    ),
    Zip(
        "minimum", "min", "x if x < y or x != x else y",
        "1.0 if x < y else (0.5 if x == y else 0.0)",
        "1.0 if y < x else (0.5 if x == y else 0.0)",
        latex=r"\min(x, y)", about="the smaller of each pair; a tie shares the gradient equally",
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
    Choose(
        "where", "?", "x if c != 0 else y",
        "0.0", "1.0 if c != 0 else 0.0", "0.0 if c != 0 else 1.0",
        latex=r"c \mathbin{?} x : y", about="x where the condition is not 0, else y",
    ),
    # reduce: name, symbol, formula of the fold, dz / dx, start
    SUM,
    Reduce(
        "mean", "mean", "t + x", "1 / n", start=0.0, finish="t / n",
        latex=r"\frac{1}{n}\sum_i x_i", about="add up and divide by how many there are",
    ),
    Reduce(
        "max", "max", "larger(x, t)", "(1.0 if x == z else 0.0) / ties",
        start=-math.inf, helpers={"ties": (0.0, "t + (1.0 if x == z else 0.0)")},
        latex=r"\max_i x_i", about="the largest; ties share the gradient equally",
        of_nothing=False,
    ),
    Reduce(
        "min", "min", "smaller(x, t)", "(1.0 if x == z else 0.0) / ties",
        start=math.inf, helpers={"ties": (0.0, "t + (1.0 if x == z else 0.0)")},
        latex=r"\min_i x_i", about="the smallest; ties share the gradient equally",
        of_nothing=False,
    ),
    Reduce(
        "prod", "Π", "t * x",
        "z / x if zeros == 0 else (others if x == 0 and zeros == 1 else 0.0)",
        start=1.0, slope=slope_of_product,
        helpers={
            "zeros": (0.0, "t + (1.0 if x == 0 else 0.0)"),
            "others": (1.0, "t * (x if x != 0 else 1.0)"),
        },
        latex=r"\prod_i x_i", about="multiply; the slope is the product of all the others",
    ),
    Reduce(
        "all", "∀", "smaller(1.0 if x != 0 else 0.0, t)", "0.0", start=1.0,
        latex=r"\forall i: x_i \ne 0", about="1 if no cell is 0, else 0",
    ),
    Reduce(
        "any", "∃", "larger(1.0 if x != 0 else 0.0, t)", "0.0", start=0.0,
        latex=r"\exists i: x_i \ne 0", about="1 if some cell is not 0, else 0",
    ),
    # move: nothing is computed
    EXPAND,
    PERMUTE,
    TRANSPOSE,
    VIEW,
    CONTIGUOUS,
    TO,
    INDEX,
    SCATTER,
    CAT,
    # product: zip and reduce in one
    MATMUL,
)  # fmt: skip

for _row in TABLE:
    if isinstance(_row, Elementwise):
        know(_row.formula, _row.derivatives)

ROWS: dict[str, Operation] = {row.name: row for row in TABLE}
CALLS: dict[str, Any] = dict(ROWS)  # the same rows, to be called with whatever each takes


def source(op: Operation | str) -> str:
    """Return the text of the loop behind a map, zip or reduce: what numba compiles and steps run.

    Raises KeyError for a name not in the table, and TypeError for a row without a loop, and for
    anything that is no row.
    """
    row: Any = get(op) if isinstance(op, str) else op
    if not isinstance(row, Operation):
        name = getattr(row, "__name__", type(row).__name__)
        raise TypeError(
            f"{name} is no operation of the table: give one such as tk.sum, or its name; "
            "inspect.getsource shows the text of other functions"
        )
    if not hasattr(row, "kernel"):
        does = "calls a library" if row.kind == "product" else "changes how storage is read"
        raise TypeError(f"{row.name} is a {row.kind}: it {does} and runs no loop")
    return str(row.kernel.text)


def get(name: str) -> Operation:
    """Return the row called ``name``. Raises KeyError that lists the names there are."""
    try:
        return ROWS[name]
    except KeyError:
        raise KeyError(f"there is no operation {name!r}; there are {', '.join(ROWS)}") from None
