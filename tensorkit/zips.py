"""Zip: two tensors, cell by cell, after broadcasting.

Broadcasting is an explicit ``expand`` in the graph, so that no gradient rule has to undo it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from .elementwise import Elementwise
from .errors import DtypeError
from .functions import recording
from .graph import Variable, filled, grad_mode
from .kernels import run_elementwise, run_zip
from .layout import Layout, Shape, broadcast_shapes
from .moves import FLOATS, TO, need_tensor
from .reduction import EXPAND
from .view import new


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
            call = self.kernel.calls.get((x.layout, y.layout))
            tracked = x.requires_grad | y.requires_grad
        except AttributeError:
            call = None
        if call is None:
            x, y = self.fitted(x, y)
            out, tracked = run_zip(self.kernel, x, y), x.requires_grad | y.requires_grad
        else:
            storage = call.empty(call.size, call.dtype)
            call.entry(storage, x.storage, y.storage, call.dims)
            out = new(x.made)
            out.storage, out.layout = storage, call.out
        return self.note((x, y), out) if tracked and grad_mode.on else out

    def fitted(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return both as tensors of one shape and dtype."""
        if not isinstance(y, Variable):
            y = constant_like(self.name, y, x)
        elif not isinstance(x, Variable):
            x = constant_like(self.name, x, y)
        return fit(x, y)


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
        return fit(c, x, y)


@lru_cache(maxsize=1 << 12)
def meeting(*layouts: Layout) -> tuple[Shape, bool]:
    """Return the shape in which such tensors meet, and whether they are of one dtype."""
    shape = broadcast_shapes(*[at.shape for at in layouts])
    return shape, all(at.dtype == layouts[0].dtype for at in layouts)


def fit(*tensors: Any) -> tuple[Any, ...]:
    """Return all in one dtype and one shape; broadcasting is recorded as expand."""
    shape, alike = meeting(*[t.layout for t in tensors])
    if not alike:
        tensors = tuple(TO(t, np.float64) for t in tensors)
    return tuple([t if t.layout.shape == shape else EXPAND.stretch(t, shape) for t in tensors])


def constant_like(name: str, value: Any, like: Any) -> Any:
    """Return an array as a constant tensor, or a number as one of the shape of ``like``.

    What is no float array takes the dtype.
    """
    need_tensor(name, like)
    if type(value) is float or (type(value) is int and abs(value) < 1 << 53):
        return filled(like, value)
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
