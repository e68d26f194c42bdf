"""The product of all others, without dividing: the slope of a product along each of its cells.

Dividing the product by a cell goes wrong where the cell is 0, and where the product has left the
range of floats. Pairs need no division: the others of a cell are its partner and the others of the
pair, so half as many products are left to find, then half of those, and so on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import filled, grad_mode
from .indexing import CAT, INDEX
from .layout import Shape
from .moves import CONTIGUOUS, PERMUTE, VIEW


def slope_of_product(x: Any, z: Any, dims: Shape) -> Any:
    """Return the product of the others where a quotient would not do; None where it would."""
    return product_of_others(x, dims) if grad_mode.on or leaves_range(x, z, dims) else None


def product_of_others(x: Any, dims: Shape) -> Any:
    """Return, for each cell, the product of the cells it meets along ``dims``, without itself.

    Shapes: any -> the same. Made of operations of the table, so it has gradients of any order.
    """
    order = tuple(d for d in range(x.ndim) if d not in dims) + dims
    inverse = tuple(order.index(d) for d in range(x.ndim))
    moved = PERMUTE(x, order)
    rest, n = moved.shape[: x.ndim - len(dims)], math.prod(x.shape[d] for d in dims)
    lines = VIEW(CONTIGUOUS(moved), (*rest, n))
    return PERMUTE(VIEW.regroup(by_pairs(lines), moved.shape), inverse)


def by_pairs(x: Any) -> Any:
    """Return the product of all others along the last dim."""
    n = x.shape[-1]
    if n < 2:
        return filled(x, 1.0)
    half = n // 2
    a, b, alone = (INDEX(x, (..., part)) for part in np.s_[:half, half : 2 * half, 2 * half :])
    around = by_pairs(CAT([a * b, alone], -1))
    pairs = INDEX(around, np.s_[..., :half])
    return CAT([pairs * b, pairs * a, INDEX(around, np.s_[..., half:])], -1)


def leaves_range(x: Any, z: Any, dims: Shape) -> bool:
    """Whether a product ``z`` over ``dims`` of ``x`` can no longer be divided by a cell.

    A product that is 0 because a cell is 0 can be dealt with cell by cell; not so one that
    underflowed, overflowed, or met an inf or nan.
    """
    product, limits = z.numpy(), np.finfo(z.dtype)
    fine = (np.abs(product) >= limits.tiny) & (np.abs(product) <= limits.max)
    if fine.all():
        return False
    zero = (x.numpy() == 0).any(axis=dims).reshape(product.shape)
    return not (fine | (zero & (product == 0))).all()
