"""``tk.use``: put loops and rules of your own into the kit, and train a network on them.

Nothing else changes: the same tensors, the same graph, the same steppers. What you leave out stays
the kit's own.
"""

from __future__ import annotations

from typing import Any

from . import ops
from .compiler import Kernel
from .errors import TensorkitError
from .handles import Variable
from .reduction import Reduce
from .swaps import Own, swaps

NAMES = ("map", "zip", "reduce", "unbroadcast", "backward")


class UseError(TensorkitError, TypeError):
    """What was given to ``tk.use`` cannot take the place of the kit's own."""


class Using:
    """What ``tk.use`` changed; ``with tk.use(...):`` puts everything back at its end."""

    def __init__(self, before: dict[str, Own | None]) -> None:
        self.before = before

    def __enter__(self) -> Using:
        return self

    def __exit__(self, *_: object) -> None:
        put(self.before)

    def __repr__(self) -> str:
        yours = [name for name in NAMES if getattr(swaps, name) is not None]
        return f"your own: {', '.join(yours)}" if yours else "everything is the kit's own"


def use(**own: Own | None) -> Using:
    """Use functions of your own from here on, or within ``with tk.use(...):``.

    ``map=tensor_map``, ``zip=tensor_zip``, ``reduce=tensor_reduce``: each is called with a function
    of numbers, and returns a loop over flat storages in MiniTorch's convention, such as
    ``loop(out, out_shape, out_strides, a, a_shape, a_strides)``; zip has ``b, b_shape, b_strides``
    after it, reduce a ``dim``. A fold finds its start value in out.
    ``unbroadcast(grad, shape)``: sums a gradient to a shape. ``backward=backpropagate``: is called
    with the Variable to start from and its gradient, and calls ``accumulate_derivative`` on leaves.

    ``tk.use()`` puts the kit's own back; ``tk.use(map=None)`` only that one. Raises UseError for
    any other name, and for what cannot be called.
    """
    for name, value in own.items():
        if name not in NAMES:
            raise UseError(f"the kit has no {name!r} to exchange: it has {', '.join(NAMES)}")
        if value is not None and not callable(value):
            raise UseError(f"{name} is {type(value).__name__}, not a function: give it by its name")
    before = {name: vars(swaps).get(name) for name in NAMES}
    if own.get("backward") is not None:
        own["backward"] = walking(own["backward"])
    put(own or dict.fromkeys(NAMES))
    return Using(before)


def walking(backpropagate: Any) -> Own:
    """Return a learner's engine, to be called with the tensor to start from."""

    def backward(root: Any, grad_out: Any) -> None:
        backpropagate(Variable(root), grad_out)

    return backward


def put(own: dict[str, Own | None]) -> None:
    """Exchange loops and rules; calls that were prepared for the ones before are forgotten."""
    for name, value in own.items():
        setattr(swaps, name, value)
    forget()


def forget() -> None:
    """Have every loop be chosen anew."""
    for kernel in Kernel.every:
        kernel.calls.clear()
    for row in ops.TABLE:
        if isinstance(row, Reduce):
            row.plans.clear()
