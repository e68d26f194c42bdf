"""Convolution and pooling: windows by strides, then a product or a reduce that is already there.

A window sliding over an image is a layout: two more dims that walk the same storage again with the
same strides. No number is copied to see all windows, and the gradient of seeing a cell in many
windows is, as for every copy, a sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import ShapeError
from .graph import Node
from .indexing import SCATTER
from .layout import as_shape, layout, whole_numbers
from .moves import CONTIGUOUS, PERMUTE, VIEW, Move, need_tensor, reread
from .ops import CALLS
from .product import MATMUL

Pair = int | tuple[int, int]


class Windows(Move):
    """See the last dims through sliding windows."""

    def __call__(self, x: Any, size: tuple[int, ...], step: tuple[int, ...]) -> Any:
        """Return all windows of ``size``, ``step`` apart, over the last dims; nothing is copied.

        Shapes: (..., n, m) -> (..., windows along n, windows along m, *size).
        Raises ShapeError if a window does not fit.
        """
        need_tensor(self.name, x)
        k = len(size)
        if x.ndim < k:
            raise ShapeError(f"windows of {size} need {k} dims, but shape {x.shape} has {x.ndim}")
        rest, lengths = x.shape[: x.ndim - k], x.shape[x.ndim - k :]
        fits = all(1 <= w <= n for w, n in zip(size, lengths, strict=True))
        if not fits or any(s < 1 for s in step):
            raise ShapeError(
                f"windows of {size}, {step} apart, do not fit into {lengths}: the kernel may be at "
                "most as long as the (padded) input, and the stride at least 1"
            )
        counts = tuple((n - w) // s + 1 for n, w, s in zip(lengths, size, step, strict=True))
        steps = x.strides[x.ndim - k :]
        jumps = tuple(a * b for a, b in zip(steps, step, strict=True))
        at = layout(
            (*rest, *counts, *size), (*x.strides[: x.ndim - k], *jumps, *steps), x.offset, x.dtype
        )
        return self.moved(x, reread(x, at), size=size, step=step)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Add up what each cell received in all the windows that showed it."""
        return (
            WINDOWS_BACK(
                grad_out, ctx.settings["from_shape"], ctx.settings["size"], ctx.settings["step"]
            ),
        )


class WindowsBack(Move):
    """The opposite of windows: overlap and add."""

    def __call__(self, g: Any, shape: Any, size: tuple[int, ...], step: tuple[int, ...]) -> Any:
        """Return ``shape`` with the cells of all windows added where they came from."""
        k = len(size)
        total = np.zeros(shape, g.dtype)
        cells = g.numpy()
        counts = cells.shape[cells.ndim - 2 * k : cells.ndim - k]
        for inside in np.ndindex(*size):
            places: list[Any] = [
                slice(i, i + s * (c - 1) + 1, s)
                for i, s, c in zip(inside, step, counts, strict=True)
            ]
            total[(..., *places)] += cells[(..., *inside)]
        made = g.made(total.reshape(-1), shape)
        return self.moved(g, made, size=size, step=step)

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """See the cells through the same windows again."""
        return (WINDOWS(grad_out, ctx.settings["size"], ctx.settings["step"]),)


WINDOWS = Windows("windows", "▦", r"x_{i + k}", "see cells through sliding windows")
WINDOWS_BACK = WindowsBack("windows_back", "▦ᵀ", r"\sum_k x_{i - k}", "overlap and add windows")


def pad(x: Any, amounts: tuple[int, ...]) -> Any:
    """Surround the last dims with zeros, ``amounts[k]`` on both sides of each.

    Raises ShapeError for a negative amount, or for more amounts than dims.
    """
    need_tensor("pad", x)
    amounts = as_shape(amounts)
    lead = x.ndim - len(amounts)
    if lead < 0:
        raise ShapeError(f"cannot pad {len(amounts)} dims of {x.shape}, which has {x.ndim}")
    if not any(amounts):
        return x
    shape = (*x.shape[:lead], *(n + 2 * p for n, p in zip(x.shape[lead:], amounts, strict=True)))
    inner = tuple(slice(p, p + n) for n, p in zip(x.shape[lead:], amounts, strict=True))
    return SCATTER.put(x, (..., *inner), shape)


def conv1d(x: Any, weight: Any, bias: Any = None, stride: int = 1, padding: int = 0) -> Any:
    """Slide ``weight`` over ``x`` and take the sum of products at each place.

    Shapes: x (batch, in, n), weight (out, in, k), bias (out,) ->
    (batch, out, (n + 2 padding - k) // stride + 1). Raises ShapeError if they do not fit.
    """
    return _convolve("conv1d", x, weight, bias, numbers(stride, 1), numbers(padding, 1))


def conv2d(x: Any, weight: Any, bias: Any = None, stride: Pair = 1, padding: Pair = 0) -> Any:
    """Slide ``weight`` over images and take the sum of products at each place.

    Shapes: x (batch, in, n, m), weight (out, in, k, l), bias (out,) -> (batch, out, ...), each
    length (n + 2 padding - k) // stride + 1. Raises ShapeError if they do not fit.
    """
    return _convolve("conv2d", x, weight, bias, numbers(stride, 2), numbers(padding, 2))


def _convolve(
    name: str, x: Any, weight: Any, bias: Any, step: tuple[int, ...], padding: tuple[int, ...]
) -> Any:
    need_tensor(name, x)
    need_tensor(name, weight)
    k = len(step)
    if x.ndim != k + 2 or weight.ndim != k + 2 or x.shape[1] != weight.shape[1]:
        raise ShapeError(
            f"{name} needs x (batch, in, ...) and weight (out, in, ...) of {k + 2} dims with one "
            f"number of channels in, not {x.shape} and {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"{name} needs one bias for each of {weight.shape[0]} channels out, not {bias.shape}"
        )
    seen = WINDOWS(pad(x, padding), weight.shape[2:], step)
    # (batch, in, places..., kernel...) -> one line of in * kernel cells for each place
    places = tuple(range(2, 2 + k))
    lines = PERMUTE(seen, (0, *places, 1, *range(2 + k, 2 + 2 * k)))
    batch, counts = lines.shape[0], lines.shape[1 : 1 + k]
    met = math.prod(weight.shape[1:])
    flat = VIEW(CONTIGUOUS(lines), (batch * math.prod(counts), met))
    kernel = VIEW(CONTIGUOUS(weight), (weight.shape[0], met))
    out = MATMUL(flat, PERMUTE(kernel, (1, 0)))
    if bias is not None:
        out = out + bias
    out = VIEW(out, (batch, *counts, weight.shape[0]))
    return PERMUTE(out, (0, 1 + k, *range(1, 1 + k)))


def max_pool2d(x: Any, size: Pair, stride: Pair | None = None) -> Any:
    """Return the largest cell of each window; ties share the gradient equally.

    Shapes: (..., n, m) -> (..., windows along n, windows along m). ``stride`` is ``size`` if not
    given, so that windows do not overlap.
    """
    return _pool("max_pool2d", "max", x, size, stride)


def avg_pool2d(x: Any, size: Pair, stride: Pair | None = None) -> Any:
    """Return the mean of each window. Shapes as in ``max_pool2d``."""
    return _pool("avg_pool2d", "mean", x, size, stride)


def _pool(name: str, reduce: str, x: Any, size: Pair, stride: Pair | None) -> Any:
    need_tensor(name, x)
    step = numbers(size if stride is None else stride, 2)
    return CALLS[reduce](WINDOWS(x, numbers(size, 2), step), (-2, -1), keepdim=False)


def numbers(value: Any, count: int) -> tuple[int, ...]:
    """Return one whole number for all of ``count`` dims, or the given ones. Raises ShapeError."""
    given = whole_numbers(value if isinstance(value, (tuple, list)) else (value,) * count, "size")
    if len(given) != count:
        raise ShapeError(f"{value!r} holds {len(given)} numbers: give {count}, or one for all dims")
    return given


CONVOLUTIONS = {f.__name__: f for f in (pad, conv1d, conv2d, max_pool2d, avg_pool2d)}
