"""What a learner has put in the place of the kit's own loops and rules: see ``tk.use``.

The core asks here where it chooses a loop or applies a rule. None means that the kit's own is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import scalars
from .compiler import Entry, Kernel
from .layout import Layout, layout, row_major

Own = Callable[..., Any]


class Swaps:
    """``map``, ``zip`` and ``reduce`` turn a function of numbers into a loop; the others are rules.

    ``unbroadcast(grad, shape)`` returns a gradient summed to ``shape``; ``backward(variable,
    grad_out)`` walks the whole graph.
    """

    map: Own | None = None
    zip: Own | None = None
    reduce: Own | None = None
    unbroadcast: Own | None = None
    backward: Own | None = None


swaps = Swaps()


def number_function(kernel: Kernel) -> Callable[..., float]:
    """Return the formula of a loop as a plain function of numbers; a fold is given (t, x)."""
    names = ("t", *kernel.inputs) if kernel.kind == "reduce" else kernel.inputs
    known = {**vars(scalars), "math": math, "np": np}
    function: Callable[..., float] = eval(f"lambda {', '.join(names)}: {kernel.formula}", known)
    return function


def own_entry(kernel: Kernel, out: Layout, layouts: tuple[Layout, ...]) -> Entry | None:
    """Return the learner's loop for these layouts, called as a compiled one is; None if none fits.

    Storages read backwards, and loops over three tensors, are left to the kit.
    """
    if any(step < 0 for at in layouts for step in at.strides):
        return None
    if kernel.kind == "reduce":
        make = swaps.reduce if kernel.inputs == ("x",) else None
        return None if make is None else folded(make(number_function(kernel)), out, layouts[0])
    make = {1: swaps.map, 2: swaps.zip}.get(len(layouts))
    if make is None:
        return None
    loop, ready = make(number_function(kernel)), [described(at) for at in (out, *layouts)]

    def entry(storage: Any, *rest: Any) -> None:
        given = zip((storage, *rest[:-1]), (out, *layouts), ready, strict=True)
        loop(*(part for store, at, know in given for part in (store[at.offset :], *know)))

    return entry


def described(at: Layout) -> tuple[Any, Any]:
    """Return shape and strides as the arrays that MiniTorch's loops are given."""
    return np.array(at.shape, dtype=np.int32), np.array(at.strides, dtype=np.int32)


def folded(loop: Own, out: Layout, at: Layout) -> Entry | None:
    """Return a fold over several dims as folds over one dim after the other."""
    lengths = list(enumerate(zip(at.shape, out.shape, strict=True)))
    dims = [d for d, (n, kept) in lengths if n != kept] or [d for d, (n, _) in lengths if n == 1][
        :1
    ]
    if not dims:
        return None

    def entry(storage: Any, x_storage: Any, _: Any) -> None:
        if storage.size == 0:
            return
        start, seen, store = storage.flat[0], at, x_storage[at.offset :]
        for dim in dims:
            shape = (*seen.shape[:dim], 1, *seen.shape[dim + 1 :])
            onto = layout(shape, row_major(shape), 0, at.dtype)
            into = storage if dim == dims[-1] else np.full(onto.size, start)
            loop(into, *described(onto), store, *described(seen), dim)
            seen, store = onto, into

    return entry
