"""The matrix product: three views of one thing.

It is a zip then a reduce: every row of the left meets every column of the right, cells multiply,
products add up (``by_zip_and_reduce``). It is a loop that walks tiles small enough to stay close to
the processor (``tiled``), which is how fast products are written. And it is a call to the library
that does just that in machine code (``MATMUL``), which is what runs. All three give one answer.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .errors import ShapeError
from .functions import Operation
from .graph import Node, Variable, grad_mode, record
from .layout import Layout, broadcast_shapes, in_order
from .moves import CONTIGUOUS, TO, TRANSPOSE, VIEW, need_tensor
from .reduction import EXPAND, SUM, sum_to
from .view import new
from .zips import constant_like


class MatMul(Operation):
    """out[..., i, j] = sum over k of x[..., i, k] y[..., k, j]."""

    kind: ClassVar[str] = "product"

    def __init__(self, name: str, symbol: str, latex: str, about: str) -> None:
        super().__init__(name, symbol, latex, about)
        self.plans: dict[Any, Layout] = {}

    def __call__(self, x: Any, y: Any) -> Any:
        """Multiply matrices, or stacks of matrices whose leading dims broadcast.

        Shapes: (..., n, k) and (..., k, m) -> (..., n, m). A 1-D operand is a single row on the
        left and a single column on the right; that dim is then dropped. Raises ShapeError naming
        the two lengths that should agree.
        """
        try:
            at = self.plans[x.layout, y.layout]
        except (KeyError, AttributeError):
            x, y = self.fitted(x, y)
            if x.ndim == 1 or y.ndim == 1:
                return self.with_vectors(x, y)
            at = self.plan(x.layout, y.layout)
        left, right = x._array(), y._array()
        out = new(x.made)
        out.storage = (left.dot(right) if len(at.shape) == 2 else left @ right).ravel()
        out.layout = at
        if grad_mode.on and (x.requires_grad or y.requires_grad):
            record(self, (x, y), out, saved=(x, y))
        return out

    def fitted(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return both as tensors of one dtype whose inner lengths agree."""
        if not isinstance(x, Variable):
            x = self.constant(x, y)
        elif not isinstance(y, Variable):
            y = self.constant(y, x)
        if x.dtype != y.dtype:
            x, y = TO(x, np.float64), TO(y, np.float64)
        a, b = x.layout.shape, y.layout.shape
        if not a or not b:
            raise ShapeError(f"cannot multiply {a} by {b} as matrices: use * for a single number")
        inner = b[-2] if len(b) > 1 else b[0]
        if a[-1] != inner:
            raise ShapeError(
                f"cannot multiply {a} by {b} as matrices: the last dim of the left has length "
                f"{a[-1]}, the dim of the right that it meets {inner}; they must be equal"
            )
        return x, y

    def constant(self, value: Any, like: Any) -> Any:
        """Return an array as a constant tensor; refuse a number, which is no matrix."""
        need_tensor(self.name, like)
        if isinstance(value, (int, float)):
            raise ShapeError(
                f"cannot multiply {like.layout.shape} by {value!r} as matrices: use * for a single "
                "number"
            )
        return constant_like(self.name, value, like)

    def plan(self, a: Layout, b: Layout) -> Layout:
        """Return the layout of the product, and keep it for the next call with these layouts."""
        shape = (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        if len(self.plans) >= 1 << 12:
            self.plans.clear()
        at = self.plans[a, b] = in_order(shape, a.dtype)
        return at

    def with_vectors(self, x: Any, y: Any) -> Any:
        """Let a vector take part as a matrix of one row or one column; drop that dim again."""
        left = VIEW(CONTIGUOUS(x), (1, *x.shape)) if x.ndim == 1 else x
        right = VIEW(CONTIGUOUS(y), (*y.shape, 1)) if y.ndim == 1 else y
        out = self(left, right)
        shape = out.shape[:-1] if y.ndim == 1 else out.shape
        if x.ndim == 1:
            row = len(out.shape) - 2
            shape = shape[:row] + shape[row + 1 :]
        return VIEW(out, shape)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Return d out · yᵀ for x and xᵀ · d out for y, summed over what was broadcast.

        Source: each out[i, j] = sum of x[i, k] y[k, j], so x[i, k] reaches out[i, j] with slope
        y[k, j], for every j: the contributions add up, and that sum is a matrix product again.
        """
        x, y = ctx.saved_tensors
        if not grad_mode.on and len(x.layout.shape) == len(y.layout.shape) == 2:
            # the same two products, without a tensor for what is only turned
            g = grad_out._array()
            return (
                self.whole(g.dot(y._array().T), x) if x.requires_grad else None,
                self.whole(x._array().T.dot(g), y) if y.requires_grad else None,
            )
        return (
            sum_to(self(grad_out, TRANSPOSE(y)), x.layout.shape) if x.requires_grad else None,
            sum_to(self(TRANSPOSE(x), grad_out), y.layout.shape) if y.requires_grad else None,
        )

    def whole(self, product: Any, like: Any) -> Any:
        """Return an array as a tensor in the shape of ``like``, outside the graph."""
        out = new(like.made)
        out.storage, out.layout = product.ravel(), in_order(like.layout.shape, like.layout.dtype)
        return out


def by_zip_and_reduce(x: Any, y: Any) -> Any:
    """Multiply (n, k) by (k, m): expand both to (n, k, m), zip with times, sum over the middle."""
    (n, k), m = x.shape, y.shape[1]
    cube = EXPAND(VIEW(CONTIGUOUS(x), (n, k, 1)), (n, k, m)) * EXPAND(y, (n, k, m))
    return VIEW(SUM(cube, 1), (n, m))


def tiled(x: Any, y: Any, out: Any, tile: int = 32) -> None:
    """Add the product of arrays x (n, k) and y (k, m) into ``out`` (n, m), tile by tile.

    A tile of y is used for a whole block of rows while it is still in the cache. Plain Python that
    numba compiles as it stands: ``numba.njit(tiled)``.
    """
    n, inner = x.shape
    m = y.shape[1]
    for i0 in range(0, n, tile):
        for k0 in range(0, inner, tile):
            for j0 in range(0, m, tile):
                for i in range(i0, min(i0 + tile, n)):
                    for k in range(k0, min(k0 + tile, inner)):
                        factor = x[i, k]
                        for j in range(j0, min(j0 + tile, m)):
                            out[i, j] += factor * y[k, j]


MATMUL = MatMul("matmul", "@", r"\sum_k x_{ik} y_{kj}", "the matrix product")
