"""Zip: two tensors, cell by cell, after broadcasting.

Broadcasting is an explicit ``expand`` in the graph, so that no gradient rule has to undo it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .elementwise import Elementwise
from .errors import DtypeError
from .functions import recording
from .graph import Variable, filled, grad_mode
from .kernels import new, run_elementwise, run_zip
from .layout import broadcast_shapes
from .moves import FLOATS, TO, need_tensor
from .reduction import EXPAND


class Zip(Elementwise):
    """out[i] = formula(x[i], y[i]): pairs of cells, after broadcasting."""

    kind: ClassVar[str] = "zip"
    names: tuple[str, ...] = ("x", "y")

    def __call__(self, x: Any, y: Any) -> Any:
        """Apply to two tensors whose shapes broadcast; either may be a number or an ndarray.

        Raises ShapeError naming the dim and the lengths if the shapes do not fit.
        """
        try:
            # layouts that met before have one shape and dtype: nothing is left to check
            entry, dims, at, size, dtype, empty = self.kernel.calls[x.layout, y.layout]
            tracked = x.requires_grad | y.requires_grad
        except (KeyError, AttributeError):
            x, y = self.fitted(x, y)
            out, tracked = run_zip(self.kernel, x, y), x.requires_grad | y.requires_grad
        else:
            storage = empty(size, dtype)
            entry(storage, x.storage, y.storage, dims)
            out = new(x.made)
            out.storage, out.layout = storage, at
        if tracked and grad_mode.on:
            return self.note((x, y), out)
        return out

    def fitted(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return both as tensors of one shape and dtype."""
        return fit(self.name, x, y)


class Choose(Elementwise):
    """out[i] = formula(c[i], x[i], y[i]): three tensors, cell by cell."""

    kind: ClassVar[str] = "zip"
    names: tuple[str, ...] = ("c", "x", "y")

    def __call__(self, c: Any, x: Any, y: Any) -> Any:
        """Apply to three tensors, numbers or arrays whose shapes broadcast."""
        c, x, y = self.fitted(c, x, y)
        out = run_elementwise(self.kernel, c, x, y)
        inputs = (c, x, y)
        return self.note(inputs, out) if recording(inputs) else out

    def fitted(self, c: Any, x: Any, y: Any) -> tuple[Any, ...]:
        """Return all three as tensors of one shape, in the dtype of what is chosen from."""
        values = [v for v in (x, y, c) if isinstance(v, Variable)]
        like = values[0] if values else x
        x, y = (v if isinstance(v, Variable) else constant_like(self.name, v, like) for v in (x, y))
        if not isinstance(c, Variable):
            c = constant_like(self.name, c, like)
        if c.dtype != x.dtype or c.dtype != y.dtype:
            # whether it is 0 is all that matters, and no rounding may change that
            c = constant_like(self.name, c.numpy() != 0, x if x.dtype == np.float64 else y)
        return fit(self.name, c, x, y)


def fit(name: str, *inputs: Any) -> tuple[Any, ...]:
    """Return all as tensors of one dtype and one shape; broadcasting is recorded as expand."""
    like = next((t for t in inputs if isinstance(t, Variable)), inputs[0])
    tensors = [t if isinstance(t, Variable) else constant_like(name, t, like) for t in inputs]
    if len({t.storage.dtype for t in tensors}) > 1:
        tensors = [TO(t, np.float64) for t in tensors]
    shape = broadcast_shapes(*[t.layout.shape for t in tensors])
    return tuple([t if t.layout.shape == shape else EXPAND.stretch(t, shape) for t in tensors])


def constant_like(name: str, value: Any, like: Any) -> Any:
    """Return a number or an array as a constant tensor; what is no float array takes the dtype."""
    need_tensor(name, like)
    if type(value) is float or (type(value) is int and abs(value) < 1 << 53):
        return filled(like.made, value, (), like.dtype)
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{name} cannot use {value!r}: give numbers, an array or a tensor")
    if array.dtype not in FLOATS or array.ndim == 0:
        array = array.astype(like.dtype)
    flat = np.array(array, order="C").reshape(-1)
    return like.made(flat, array.shape)
