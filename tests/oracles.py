"""What NumPy says about each row of the table, and tensors that lie in storage in odd ways.

``ORACLES`` has one NumPy function per row; the laws in test_ops.py run every row against its own.
``laid_out`` puts given numbers into a storage in any order, with gaps, backwards, from an offset,
or as one number seen many times, with nan in all cells that nobody should read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st

import tensorkit as tk

Array = np.ndarray[Any, Any]


def laws(examples: int) -> settings:
    """Return settings under which a law gives the same verdict on every run."""
    # no shrinking: a law that fails is found at once, and each example is small already
    phases = [Phase.explicit, Phase.generate]
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=phases
    )


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)) + np.where(np.isnan(x), x, 0 * e)


def bits(test: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda x, y: test(x, y).astype(np.result_type(x, y))


def scatter(g: Array, index: Any, shape: tuple[int, ...]) -> Array:
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out


ORACLES: dict[str, Callable[..., Array]] = {
    "neg": np.negative,
    "exp": np.exp,
    "log": np.log,
    "reciprocal": lambda x: 1 / x,
    "sqrt": np.sqrt,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x <= 0, 0, x),
    "abs": np.abs,
    "square": np.square,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "sign": np.sign,
    "floor": np.floor,
    "softplus": lambda x: np.logaddexp(0, x),
    "gelu": np.vectorize(lambda x: float(x * mpmath.ncdf(x)), "d"),
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "lt": bits(np.less),
    "le": bits(np.less_equal),
    "gt": bits(np.greater),
    "ge": bits(np.greater_equal),
    "eq": bits(np.equal),
    "ne": bits(np.not_equal),
    "is_close": bits(np.isclose),
    "where": lambda c, x, y: np.where(c != 0, x, y),
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "all": lambda x, axis, keepdims: np.all(x != 0, axis=axis, keepdims=keepdims).astype(x.dtype),
    "any": lambda x, axis, keepdims: np.any(x != 0, axis=axis, keepdims=keepdims).astype(x.dtype),
    "expand": np.broadcast_to,
    "permute": np.transpose,
    "view": np.reshape,
    "contiguous": np.ascontiguousarray,
    "transpose": lambda x, dim0=-2, dim1=-1: np.swapaxes(x, dim0, dim1),
    "getitem": lambda x, index: x[index],
    "scatter": scatter,
    "cat": np.concatenate,
    "matmul": np.matmul,
    "to": lambda x, dtype: x.astype(dtype),
}

EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, math.inf, -math.inf, math.nan,
    5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, -2.2250738585072014e-308,
    1.7976931348623157e308, -1.7976931348623157e308, 1e200, -1e200, 1e-200,
    709.78, 709.79, -745.1, -745.2, -708.4, 710.0, 22.0, -22.0, 1e-9, -1e-9, 0.34657359027997264,
]  # fmt: skip


def values_for(shape: tuple[int, ...], seed: int, interval: tuple[float, float] = (-9, 9)) -> Array:
    """Return distinct numbers inside an interval, no two cells alike, none near 0."""
    low, high = interval
    rng = np.random.default_rng(seed)
    size = math.prod(shape)
    sizes = 0.3 + 2.7 * (rng.permutation(size) + rng.random(size)) / max(size, 1)
    signs = np.where(rng.random(size) < 0.5, -1, 1) if low <= -3 else 1
    assert high > 3
    return (sizes * signs).reshape(shape)


@dataclass(frozen=True)
class Place:
    """How the cells of a grid lie in storage. ``order`` lists the dims, outermost first."""

    order: tuple[int, ...]
    gaps: tuple[int, ...]
    backwards: tuple[bool, ...]
    stretched: tuple[bool, ...]
    before: int
    after: int


@st.composite
def places(draw: Any, ndim: int, stretch: bool = True) -> Place:
    """Draw a Place for a grid of ``ndim`` dims; half of them are plain row-major."""
    if draw(st.booleans()):
        plain = (False,) * ndim
        return Place(tuple(range(ndim)), (1,) * ndim, plain, plain, 0, 0)
    flags = st.lists(st.booleans(), min_size=ndim, max_size=ndim).map(tuple)
    return Place(
        tuple(draw(st.permutations(range(ndim)))),
        tuple(draw(st.lists(st.integers(1, 3), min_size=ndim, max_size=ndim))),
        draw(flags),
        draw(flags) if stretch else (False,) * ndim,
        draw(st.integers(0, 3)),
        draw(st.integers(0, 3)),
    )


def laid_out(values: Array, place: Place) -> tuple[tk.Tensor, Array]:
    """Return a tensor that lies as ``place`` says, and the numbers that it shows."""
    for dim, flat in enumerate(place.stretched):
        if flat and values.shape[dim]:
            values = np.repeat(values.take([0], axis=dim), values.shape[dim], axis=dim)
    shape, step = values.shape, 1
    strides, offset = [0] * values.ndim, place.before
    for dim in reversed(place.order):
        if place.stretched[dim]:
            continue
        step *= place.gaps[dim]
        strides[dim] = -step if place.backwards[dim] else step
        offset += step * max(shape[dim] - 1, 0) if place.backwards[dim] else 0
        step *= max(shape[dim], 1)
    storage = np.full(place.before + step + place.after, np.nan, values.dtype)
    for index in np.ndindex(shape):
        storage[offset + sum(i * s for i, s in zip(index, strides, strict=True))] = values[index]
    return tk.Tensor(storage, shape, strides, offset), values


shapes = st.lists(st.integers(0, 4), max_size=5).map(tuple).filter(lambda s: math.prod(s) <= 96)


@st.composite
def grids(draw: Any, dtype: Any = np.float64, edges: bool = False) -> tuple[tk.Tensor, Array]:
    """Draw a tensor of up to five dims that lies anyhow, and its numbers."""
    shape = draw(shapes)
    values = values_for(shape, draw(st.integers(0, 999)))
    if edges:
        values = np.random.default_rng(draw(st.integers(0, 999))).choice(EDGES, shape)
    with np.errstate(over="ignore"):
        values = np.asarray(values, dtype)
    return laid_out(values, draw(places(len(shape))))


def ulps(got: Array, want: Array) -> float:
    """Return the largest distance in units in the last place; inf where only one is nan or inf."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype, (got.dtype, want.dtype)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    if same.all():
        return 0.0
    a, b = got[~same], want[~same]
    if not (np.isfinite(a) & np.isfinite(b)).all():
        return math.inf
    with np.errstate(over="ignore"):
        return float(np.max(np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b)))))


def close(got: Any, want: Any, within: float = 8) -> None:
    """Assert the same shape, and the same numbers up to ``within`` units in the last place."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert ulps(got, want.astype(got.dtype)) <= within, f"got {got}\nwant {want}"
