"""Right implementations that a learner's tests must let pass, and wrong ones that are made of them.

To make a wrong one, change an expression of the text and run the text. A test sees every
implementation from outside only: whatever its name, its source or its place in memory could tell is
the same for right and wrong ones. What counts is what it computes.
"""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorkit as tk

from .cases import Array

Build = Callable[["Meter"], Any]


@dataclass
class Meter:
    """Counts what a learner's test asks of an implementation."""

    cells: int = 0
    calls: int = 0


def tensor_reduce(fn: Callable[[float, float], float]) -> Callable[..., None]:
    """Return a loop that folds the cells of a along one dim into the cells of out."""

    def reduce(
        out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any, dim: int
    ) -> None:
        for index in np.ndindex(*out_shape):
            place = sum(i * s for i, s in zip(index, out_strides, strict=True))
            cell = list(index)
            acc = out[place]
            for j in range(a_shape[dim]):
                cell[dim] = j
                acc = fn(acc, a[sum(i * s for i, s in zip(cell, a_strides, strict=True))])
            out[place] = acc

    return reduce


def unbroadcast(grad: tk.Tensor, shape: tuple[int, ...]) -> tk.Tensor:
    """Return grad summed to shape: over added dims, and over those that were stretched."""
    values = grad.numpy()
    while values.ndim > len(shape):
        values = values.sum(axis=0)
    for dim, length in enumerate(shape):
        if length == 1:
            values = values.sum(axis=dim, keepdims=True)
    return tk.tensor(values)


class Square(tk.Function):
    """Each cell times itself."""

    @staticmethod
    def forward(ctx: Any, x: tk.Tensor) -> tk.Tensor:
        """Return x * x."""
        ctx.save_for_backward(x)
        return tk.tensor(x.numpy() ** 2)

    @staticmethod
    def backward(ctx: Any, grad_out: tk.Tensor) -> tk.Tensor:
        """Return grad_out times the slope 2 x."""
        (x,) = ctx.saved_tensors
        return tk.tensor(grad_out.numpy() * 2 * x.numpy())


REDUCE = inspect.getsource(tensor_reduce)
UNBROADCAST = inspect.getsource(unbroadcast)


def defined(source: str) -> Any:
    """Run the text of one function and return the function."""
    names: dict[str, Any] = {"np": np, "tk": tk, "math": math}
    # annotations stay text, as above
    code = "from __future__ import annotations\n" + textwrap.dedent(source)
    exec(compile(code, "<implementation>", "exec"), names)
    return next(value for name, value in names.items() if name in ("tensor_reduce", "unbroadcast"))


def changed(source: str, *edits: tuple[str, str]) -> str:
    """Return the text with each first string replaced by the second. Raises ValueError unless
    each stands there exactly once.
    """
    for old, new in edits:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in the text")
        source = source.replace(old, new)
    return source


def reducer(*edits: tuple[str, str], text: str = REDUCE) -> Build:
    """Build a tensor_reduce from the right one with some of its text changed."""
    inner = defined(changed(text, *edits))

    def build(meter: Meter) -> Any:
        def tensor_reduce(fn: Any) -> Any:
            loop = inner(fn)

            def reduce(
                out: Any,
                out_shape: Any,
                out_strides: Any,
                a_storage: Any,
                a_shape: Any,
                a_strides: Any,
                reduce_dim: int,
            ) -> Any:
                meter.calls += 1
                meter.cells += math.prod(int(n) for n in a_shape)
                return loop(out, out_shape, out_strides, a_storage, a_shape, a_strides, reduce_dim)

            return reduce

        return tensor_reduce

    return build


def undoer(*edits: tuple[str, str], text: str = UNBROADCAST) -> Build:
    """Build an unbroadcast from the right one with some of its text changed."""
    inner = defined(changed(text, *edits))

    def build(meter: Meter) -> Any:
        def unbroadcast(grad: Any, shape: Any) -> Any:
            meter.calls += 1
            meter.cells += grad.size
            return inner(grad, shape)

        return unbroadcast

    return build


def function(
    forward: Callable[[Array], Any], backward: Callable[..., Any], outside: bool = False
) -> Build:
    """Build a Function of one tensor from ``forward(x)`` and ``backward(x, grad_out)``.

    The first gets and returns arrays, as does the second; its ``grad_out`` is a Tensor all the
    same, so that a wrong rule can read its storage. It may return a Tensor or a tuple as well.
    ``outside`` makes one that keeps x outside of ctx: two uses get in each other's way.
    """

    def build(meter: Meter) -> Any:
        kept: list[Any] = []

        def run_forward(ctx: Any, x: tk.Tensor) -> tk.Tensor:
            meter.calls += 1
            ctx.save_for_backward(x)
            kept[:] = [x]
            return tk.tensor(np.asarray(forward(x.numpy().copy()), dtype=np.float64))

        def run_backward(ctx: Any, grad_out: tk.Tensor) -> Any:
            (x,) = kept if outside else ctx.saved_tensors
            meter.calls += 1
            meter.cells += x.size
            grad = backward(x.numpy().copy(), grad_out)
            return grad if isinstance(grad, (tk.Tensor, tuple)) else tk.tensor(np.asarray(grad))

        methods = {"forward": staticmethod(run_forward), "backward": staticmethod(run_backward)}
        return type("Fn", (tk.Function,), {"__module__": "__main__", **methods})

    return build
