"""Operations made of others: a few named lines each, with no gradient rule of their own.

What is built from rows of the table is differentiated with them. Where the obvious formula would
overflow, the line that prevents it says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import DtypeError, ShapeError
from .graph import Variable
from .indexing import CAT, INDEX
from .layout import as_shape, flat_shape, in_order, normal_dim
from .moves import CONTIGUOUS, VIEW, need_tensor
from .ops import CALLS
from .random import draw
from .reduction import EXPAND, SUM, chosen_dims
from .zips import Choose

Dims = int | tuple[int, ...] | None


def reshape(x: Any, *shape: Any) -> Any:
    """Give ``x`` a new shape, like ``view``, but copy where the cells do not lie in order."""
    need_tensor("reshape", x)
    return VIEW(CONTIGUOUS(x), *shape)


def squeeze(x: Any, dim: Dims = None) -> Any:
    """Drop dims of length 1: all of them, or the given ones. Raises ShapeError for a longer dim."""
    need_tensor("squeeze", x)
    dims = (
        [d for d, n in enumerate(x.shape) if n == 1] if dim is None else chosen_dims(dim, x.shape)
    )
    for d in dims:
        if x.shape[d] != 1:
            raise ShapeError(f"cannot squeeze dim {d} of {x.shape}: its length is not 1")
    return VIEW(x, tuple(n for d, n in enumerate(x.shape) if d not in dims))


def unsqueeze(x: Any, dim: int) -> Any:
    """Add a dim of length 1, so that the result's dim ``dim`` is the new one."""
    need_tensor("unsqueeze", x)
    at = normal_dim(dim, (*x.shape, 1))
    return VIEW(x, (*x.shape[:at], 1, *x.shape[at:]))


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Merge the dims from ``start_dim`` to ``end_dim`` into one."""
    need_tensor("flatten", x)
    if not x.shape:
        return VIEW(x, (1,))
    first, last = normal_dim(start_dim, x.shape), normal_dim(end_dim, x.shape)
    if first > last:
        raise ShapeError(f"cannot flatten from dim {first} to dim {last}: the first comes first")
    merged = math.prod(x.shape[first : last + 1])
    return reshape(x, (*x.shape[:first], merged, *x.shape[last + 1 :]))


def flip(x: Any, dim: Dims = None) -> Any:
    """Read backwards along the given dims, with a negative stride; all dims by default."""
    need_tensor("flip", x)
    dims = chosen_dims(dim, x.shape)
    return INDEX(
        x, tuple(slice(None, None, -1) if d in dims else slice(None) for d in range(x.ndim))
    )


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors of one shape along a new dim."""
    return CAT([unsqueeze(t, dim) for t in tensors], dim)


def split(x: Any, size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Cut along ``dim`` into pieces of ``size``, the last may be shorter, or of given sizes."""
    need_tensor("split", x)
    dim = normal_dim(dim, x.shape)
    n = x.shape[dim]
    if isinstance(size, (int, np.integer)):
        if size < 1:
            raise ShapeError(f"cannot split into pieces of {size}: give 1 or more")
        sizes = [min(int(size), n - k) for k in range(0, n, int(size))]
    else:
        sizes = list(as_shape(size))
        if sum(sizes) != n:
            raise ShapeError(f"pieces {sizes} add up to {sum(sizes)}, but dim {dim} has length {n}")
    before, pieces, start = (slice(None),) * dim, [], 0
    for length in sizes:
        pieces.append(INDEX(x, (*before, slice(start, start + length))))
        start += length
    return tuple(pieces)


def tile(x: Any, *times: Any) -> Any:
    """Repeat the whole tensor along each dim: a copy, where ``expand`` only reads again."""
    need_tensor("tile", x)
    counts = flat_shape(times)
    counts = (1,) * (x.ndim - len(counts)) + counts
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    apart = tuple(k for n in shape for k in (1, n))
    wide = tuple(k for c, n in zip(counts, shape, strict=True) for k in (c, n))
    merged = tuple(c * n for c, n in zip(counts, shape, strict=True))
    return VIEW(CONTIGUOUS(EXPAND(reshape(x, apart), wide)), merged)


def diagonal(x: Any, offset: int = 0) -> Any:
    """Return the cells x[..., i, i + offset] of the last two dims, as a new last dim."""
    need_tensor("diagonal", x)
    if x.ndim < 2:
        raise ShapeError(f"diagonal needs two dims, but shape {x.shape} has {x.ndim}")
    n, m = x.shape[-2:]
    length = max(0, min(n + min(offset, 0), m - max(offset, 0)))
    rows = np.arange(length) + max(0, -offset)
    return INDEX(x, (..., rows, rows + offset))


LIMIT = Choose(
    "clip", "clip", "smaller(larger(c, x), y)",
    "0.0 if c < x else (0.0 if c > y else 1.0)", "0.0", "0.0",
    latex=r"\min(\max(c, x), y)", about="c, but no less than x and no more than y",
)  # fmt: skip


def clip(x: Any, low: float | None = None, high: float | None = None) -> Any:
    """Limit to ``low`` and ``high``; the slope is 1 between them and at them, 0 outside."""
    need_tensor("clip", x)
    top = math.inf if high is None else float(high)
    # as in NumPy, the upper limit has the last word
    return LIMIT(x, min(-math.inf if low is None else float(low), top), top)


def var(x: Any, dim: Dims = None, keepdim: bool | None = None, correction: int = 1) -> Any:
    """Return the variance: the mean square distance from the mean, over n - ``correction``.

    As in PyTorch the correction is 1 by default; NumPy's default is 0.
    """
    need_tensor("var", x)
    dims = chosen_dims(dim, x.shape)
    n = math.prod(x.shape[d] for d in dims)
    apart = x - CALLS["mean"](x, dims if x.ndim else None, keepdim=True)
    total = SUM(CALLS["square"](apart), dim, keepdim)
    return total / (float(n - correction) if n > correction else math.nan)


def std(x: Any, dim: Dims = None, keepdim: bool | None = None, correction: int = 1) -> Any:
    """Return the standard deviation: the square root of ``var``. The slope at 0 is taken as 0."""
    return _root(var(x, dim, keepdim, correction))


def norm(x: Any, dim: Dims = None, keepdim: bool | None = None) -> Any:
    """Return the length: the square root of the sum of squares. The slope at 0 is taken as 0."""
    need_tensor("norm", x)
    return _root(SUM(CALLS["square"](x), dim, keepdim))


def _root(squares: Any) -> Any:
    zero = squares.numpy() == 0
    if not zero.any():
        return CALLS["sqrt"](squares)
    # sqrt has no slope at 0: keep backward away from it there
    root = CALLS["sqrt"](CALLS["where"](zero, 1.0, squares))
    return CALLS["where"](zero, 0.0, root)


def logsumexp(x: Any, dim: Dims = None, keepdim: bool | None = None) -> Any:
    """Return ln of the sum of e**x, shifted by the maximum so that exp cannot overflow."""
    need_tensor("logsumexp", x)
    dims = chosen_dims(dim, x.shape)
    top = _top(x, dims)
    shift = np.where(np.isfinite(top), top, 0.0).astype(x.dtype)
    total = SUM(CALLS["exp"](x - shift), dim, keepdim)
    return CALLS["log"](total) + shift.reshape(total.shape)


def softmax(x: Any, dim: int = -1) -> Any:
    """Turn scores into shares that sum to 1 along ``dim``.

    Shapes: (..., n, ...) -> the same. Source: Bridle 1990; shifted by the maximum so that exp
    cannot overflow.
    """
    need_tensor("softmax", x)
    dim = normal_dim(dim, x.shape)
    weights = CALLS["exp"](x - _top(x, dim))
    return weights / SUM(weights, dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """Return the logarithm of ``softmax`` without taking the logarithm of a tiny share."""
    need_tensor("log_softmax", x)
    dim = normal_dim(dim, x.shape)
    apart = x - _top(x, dim)  # small numbers first: the shift would swallow digits of the logarithm
    return apart - CALLS["log"](SUM(CALLS["exp"](apart), dim))


def _top(x: Any, dims: Any) -> Any:
    return np.max(x.numpy(), axis=dims, keepdims=True, initial=-np.inf)


def cross_entropy(scores: Any, labels: Any) -> Any:
    """Return the mean of -log_softmax(scores) at the right labels.

    Shapes: scores (n, classes), labels n whole numbers -> 0-d. Raises ShapeError or DtypeError for
    labels that do not fit.
    """
    need_tensor("cross_entropy", scores)
    right = np.asarray(labels.numpy() if isinstance(labels, Variable) else labels)
    if scores.ndim != 2 or right.shape != scores.shape[:1]:
        raise ShapeError(
            f"cross_entropy needs scores (n, classes) and n labels, not {scores.shape} and "
            f"{right.shape}"
        )
    if (
        right.dtype.kind not in "fiu"
        or np.any(right != np.floor(right))
        or np.any((right < 0) | (right >= scores.shape[1]))
    ):
        raise DtypeError(f"labels must be whole numbers from 0 to {scores.shape[1] - 1}")
    picked = INDEX(log_softmax(scores, 1), (np.arange(len(right)), right.astype(int)))
    return -CALLS["mean"](picked)


def argmax(x: Any, dim: int | None = None, keepdim: bool | None = None) -> Any:
    """Return where the largest cell lies along ``dim``, as numbers; it has no gradient.

    Without ``dim``: its ordinal in reading order, 0-d. The first wins a tie.
    """
    return _position("argmax", np.argmax, x, dim, keepdim)


def argmin(x: Any, dim: int | None = None, keepdim: bool | None = None) -> Any:
    """Return where the smallest cell lies along ``dim``; like ``argmax``."""
    return _position("argmin", np.argmin, x, dim, keepdim)


def _position(
    name: str, find: Callable[..., Any], x: Any, dim: int | None, keepdim: bool | None
) -> Any:
    need_tensor(name, x)
    if dim is not None:
        dim = normal_dim(dim, x.shape)
    if (x.size if dim is None else x.shape[dim]) == 0:
        raise ShapeError(f"{name} of no numbers has no answer: shape {x.shape}, dim {dim}")
    keep = dim is not None if keepdim is None else keepdim
    # float64 whatever x is: float32 cannot count beyond 2**24. NumPy copies what is read-only.
    found = np.asarray(find(x._array(), axis=dim, keepdims=keep), dtype=np.float64, order="C")
    at = in_order(found.shape, found.dtype)
    return x.made._of(found.reshape(-1), at)


def dropout(x: Any, p: float = 0.5, generator: Any = None, training: bool = True) -> Any:
    """Set each cell to 0 with probability ``p`` and scale the others by 1 / (1 - p).

    The mask is drawn from ``generator``, a ``tk.Generator``, or from the one that
    ``tk.manual_seed`` sets.
    """
    need_tensor("dropout", x)
    if not 0 <= p < 1:
        raise ShapeError(f"p is {p}: the probability to drop a cell goes from 0 up to below 1")
    if not training or p == 0:
        return x
    kept = draw(generator).random(x.shape) >= p
    return x * (kept / (1 - p)).astype(x.dtype)


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        reshape, squeeze, unsqueeze, flatten, flip, stack, split, tile, diagonal, clip, var,
        std, norm, logsumexp, softmax, log_softmax, cross_entropy, argmax, argmin, dropout,
    )
}  # fmt: skip
