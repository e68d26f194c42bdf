"""The graph: a tensor remembers how it was made.

A Node says which function made a tensor, from which inputs, and what was set aside for backward. It
can only depend on nodes made before it, so the order in which nodes were made is an order in which
everything a node depends on stands before it.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, Self

import numpy as np

from .errors import GraphError, InPlaceError
from .layout import Layout, layout
from .view import Storage, View, new

SERIAL = itertools.count()


class Clock:
    """When any tensor was last changed in place: mostly before all that is still to be used."""

    last_write = -1


class GradMode:
    """Whether operations are being recorded."""

    on = True


# instances, since setting an attribute of a class makes Python forget what it knows of the class
clock, grad_mode = Clock(), GradMode()


@contextmanager
def no_grad() -> Iterator[None]:
    """Within ``with no_grad():`` nothing is recorded and results need no gradient."""
    before, grad_mode.on = grad_mode.on, False
    try:
        yield
    finally:
        grad_mode.on = before


class Variable(View):
    """A view that remembers where it came from.

    The defaults below are those of a constant: an operation outside the graph sets none of them.
    """

    requires_grad: bool = False
    ctx: Node | None = None
    grad: Self | None = None
    base: Variable | None = None  # the tensor whose storage this one shares
    written: int = -1  # when the storage was last changed in place, kept at its owner
    twin: weakref.ref[Variable] | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor: leaves are where gradients are kept."""
        return self.ctx is None

    def detach(self) -> Self:
        """Return the same numbers, on the same storage, outside the graph."""
        other: Self = self.made._of(self.storage, self.layout)
        other.base = self if self.base is None else self.base
        return other

    def _shadow(self) -> Self:
        """Return a detached copy of the handle that does not keep this tensor alive.

        A node that saves its own output through a shadow does not form a reference cycle.
        """
        other: Self = new(self.made)
        other.storage, other.layout = self.storage, self.layout
        # most outputs own their storage
        owner = self if self.base is None and self.twin is None else self._owner()
        other.twin = weakref.ref(owner)
        return other

    def _rejoined(self, ctx: Node) -> Self:
        """Return a saved output as the result of ``ctx``, so that its gradient is followed."""
        other: Self = self.made._of(self.storage, self.layout)
        other.twin = self.twin
        other.requires_grad, other.ctx = True, ctx
        return other

    def _owner(self) -> Variable:
        owner = self if self.base is None else self.base
        alive = owner.twin() if owner.twin is not None else None
        return alive if alive is not None else owner

    def _written(self) -> None:
        """Note that the storage was changed in place, and when."""
        self._owner().written = clock.last_write = next(SERIAL)


Variable.made = Variable


class Backward(Protocol):
    """What the graph asks of an operation: gradients of its inputs from that of its output."""

    @property
    def name(self) -> str:
        """What the operation is called."""

    @property
    def kind(self) -> str:
        """One of map, zip, reduce, move; function for a learner's own."""

    def backward(self, ctx: Any, grad_out: Any) -> Any:
        """Return one gradient per input, or a single one; None where there is none."""


class Notes:
    """What forward sets aside for backward, and when it did."""

    __slots__ = ("_freed", "_saved", "_saved_at")

    _name: str
    _freed: bool
    _saved: tuple[Any, ...]
    _saved_at: int

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` was given. Raises InPlaceError if one has changed since."""
        if self._freed:
            raise GraphError(FREED)
        if clock.last_write > self._saved_at:
            for tensor in self._saved:
                if isinstance(tensor, Variable) and tensor._owner().written > self._saved_at:
                    raise InPlaceError(
                        f"a tensor of shape {tensor.shape} that {self._name} saved for backward "
                        "was changed in place after forward: its gradient would be wrong. "
                        "Change a copy instead, or call backward first"
                    )
        return self._saved

    def _free(self) -> None:
        self._freed, self._saved = True, ()


class Context(Notes):
    """The notebook that forward keeps for backward.

    ``needs_input_grad`` tells, per argument, whether its gradient is wanted. Forward may set
    attributes of its own.
    """

    needs_input_grad: tuple[bool, ...] = ()
    _name = "forward"

    def __init__(self) -> None:
        self._freed, self._saved, self._saved_at = False, (), -1

    def save_for_backward(self, *tensors: Any) -> None:
        """Set tensors aside. A later change of one of them in place is noticed by backward."""
        self._saved, self._saved_at = tensors, next(SERIAL)


class Node(Notes):
    """A node of the graph: which function made a tensor, from which inputs, with which settings.

    ``serial`` counts nodes in the order they were made. ``notebook`` is the Context of a learner's
    own function.
    """

    # as many nodes as operations: slots make them small, and quick to make
    __slots__ = ("__weakref__", "function", "inputs", "notebook", "serial", "settings")

    function: Backward
    inputs: tuple[Variable, ...]
    settings: dict[str, Any]
    serial: int
    notebook: Context | None

    @property
    def _name(self) -> str:  # type: ignore[override]
        return self.function.name

    def _free(self) -> None:
        self._freed, self._saved, self.inputs = True, (), ()
        if self.notebook is not None:
            self.notebook._free()


FREED = (
    "this graph has been walked already and what it had saved was freed: compute the result again "
    "before a second backward, or call backward(retain_graph=True) the first time"
)


NO_SETTINGS: dict[str, Any] = {}  # shared, never written


def record(
    function: Backward,
    inputs: tuple[Variable, ...],
    out: Variable,
    saved: tuple[Any, ...] = (),
    settings: dict[str, Any] = NO_SETTINGS,
) -> Node:
    """Note that ``function`` made ``out`` from ``inputs``, with what its backward will need."""
    node: Node = new(Node)
    node.function = function
    node.inputs = inputs
    node.settings = settings
    node._saved = saved
    node._freed = False
    node.notebook = None
    node.serial = node._saved_at = next(SERIAL)
    out.requires_grad = True
    out.ctx = node
    return node


def filled(like: Any, value: float) -> Any:
    """Return one number seen as a whole grid in the shape of ``like``, through strides of 0."""
    at = one_number(like.layout)
    storage: Storage = np.empty(1, at.dtype)
    storage[0] = value
    out = new(like.made)
    out.storage, out.layout = storage, at
    return out


@lru_cache(maxsize=1 << 12)
def one_number(like: Layout) -> Layout:
    """Return the layout that reads the first number of a storage in every cell."""
    return layout(like.shape, (0,) * len(like.shape), 0, like.dtype)
