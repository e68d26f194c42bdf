"""Zip: two tensors, cell by cell, after broadcasting.

Broadcasting is an explicit ``expand`` in the graph, so that no gradient rule has to undo it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from .elementwise import Elementwise
from .errors import DtypeError
from .functions import recording
from .graph import Variable, filled, grad_mode
from .kernels import Call, elementwise_plan, prepare, run_elementwise
from .layout import Layout, broadcast_shapes, expanded
from .moves import FLOATS, TO, need_tensor
from .reduction import EXPAND
from .view import new

STRETCHED = "stretched"


class Zip(Elementwise):
    """out[i] = formula(x[i], y[i]): pairs of cells, after broadcasting."""

    kind: ClassVar[str] = "zip"
    names: tuple[str, ...] = ("x", "y")

    def __call__(self, x: Any, y: Any) -> Any:
        """Apply to two tensors whose shapes broadcast; either may be a number or an ndarray.

        Raises ShapeError naming the dim and the lengths if the shapes do not fit.
        """
        if type(x) is not type(y):
            x, y = self.tensors(x, y)
        try:
            # layouts that met before have one shape and dtype: nothing is left to check
            call = self.kernel.calls.get((x.layout, y.layout))
        except AttributeError:
            call = None
        if call is None:
            x, y = self.tensors(x, y)
            call = self.meeting(x.layout, y.layout)
        storage = call.empty(call.size, call.dtype)
        call.entry(storage, x.storage, y.storage, call.dims)
        out = new(x.made)
        out.storage, out.layout = storage, call.out
        if grad_mode.on and (x.requires_grad or y.requires_grad):
            if call.reads:
                at_x, at_y = call.reads
                x = x if at_x is x.layout else EXPAND.seen(x, at_x)
                y = y if at_y is y.layout else EXPAND.seen(y, at_y)
            self.note((x, y), out)
        return out

    def tensors(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return both as tensors of one dtype."""
        if not isinstance(y, Variable):
            y = constant_like(self.name, y, x)
        elif not isinstance(x, Variable):
            x = constant_like(self.name, x, y)
        return (x, y) if x.dtype == y.dtype else (TO(x, np.float64), TO(y, np.float64))

    def fitted(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return both as tensors of one dtype and one shape."""
        x, y = self.tensors(x, y)
        return stretched((x, y), meeting(x.layout, y.layout))

    def meeting(self, *layouts: Layout) -> Call:
        """Return the call for layouts of one dtype, and keep it for the next time they meet.

        It is not kept under the layouts alone: others run this loop where nothing is stretched.
        """
        calls = self.kernel.calls
        call = calls.get((STRETCHED, *layouts))
        if call is None:
            met = meeting(*layouts)
            call = calls.get(met) or prepare(self.kernel, met, elementwise_plan(*met), *met)
            if met != layouts:
                call = calls[STRETCHED, *layouts] = replace(call, reads=met)
        return call


class Power(Zip):
    """A zip that is another row where y is one of some numbers: x² is x x, a far quicker loop."""

    def __init__(self, *args: Any, rows: dict[float, Any], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.rows = rows

    def __call__(self, x: Any, y: Any) -> Any:
        """Apply to two tensors whose shapes broadcast; either may be a number or an ndarray.

        The numbers 2, 0.5 and -1 as y are recorded as what they are: square, sqrt, reciprocal.
        Raises ShapeError naming the dim and the lengths if the shapes do not fit.
        """
        if isinstance(x, Variable) and type(y) in (int, float) and y in self.rows:
            return self.rows[y](x)
        return super().__call__(x, y)


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
        if x.dtype != y.dtype:
            x, y = TO(x, np.float64), TO(y, np.float64)
        return stretched((c, x, y), meeting(c.layout, x.layout, y.layout))


@lru_cache(maxsize=1 << 12)
def meeting(*layouts: Layout) -> tuple[Layout, ...]:
    """Return how each is read in the shape in which all meet."""
    shape = broadcast_shapes(*[at.shape for at in layouts])
    return tuple(expanded(at, shape) for at in layouts)


def stretched(tensors: tuple[Any, ...], met: tuple[Layout, ...]) -> tuple[Any, ...]:
    """Return tensors as they are read where they meet: broadcasting is recorded as expand."""
    return tuple(
        [t if met[k] is t.layout else EXPAND.seen(t, met[k]) for k, t in enumerate(tensors)]
    )


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
