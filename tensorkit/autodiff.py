"""Reverse mode: remember how each tensor was made, then walk back from the newest to the oldest.

A Node says which function made a tensor, from which inputs, and what was set aside for backward. It
can only depend on nodes made before it, so newest first is an order in which every gradient is
complete before it is passed on. ``unwind`` is a generator, one step per node: ``Tensor.backward``
drains it, a stepper pauses on it. There is no second implementation.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from .errors import GraphError, InPlaceError, ShapeError
from .kernels import elementwise_kernel, run_copy, run_zip
from .view import Storage, View, expanded, layout

ADD = elementwise_kernel("zip_add", "x + y", ("x", "y"))
SERIAL = itertools.count()


class Clock:
    """When any tensor was last changed in place: mostly before all that is still to be used."""

    last_write = -1


class GradMode:
    """Whether operations are being recorded."""

    on = True


@contextmanager
def no_grad() -> Iterator[None]:
    """Within ``with no_grad():`` nothing is recorded and results need no gradient."""
    before, GradMode.on = GradMode.on, False
    try:
        yield
    finally:
        GradMode.on = before


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
        other = type(self)._of(self.storage, self.layout)
        other.base = self if self.base is None else self.base
        return other

    def _shadow(self) -> Self:
        """Return a detached copy of the handle that does not keep this tensor alive.

        A node that saves its own output through a shadow does not form a reference cycle.
        """
        other = type(self)._of(self.storage, self.layout)
        other.twin = weakref.ref(self._owner())
        return other

    def _owner(self) -> Variable:
        owner = self if self.base is None else self.base
        alive = owner.twin() if owner.twin is not None else None
        return alive if alive is not None else owner

    def _written(self) -> None:
        """Note that the storage was changed in place, and when."""
        self._owner().written = Clock.last_write = next(SERIAL)


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


class Context:
    """The notebook that forward keeps for backward.

    ``needs_input_grad`` tells, per argument, whether its gradient is wanted. Forward may set
    attributes of its own.
    """

    needs_input_grad: tuple[bool, ...] = ()
    _name = "forward"
    _freed = False
    _saved: tuple[Any, ...] = ()
    _saved_at = -1

    def save_for_backward(self, *tensors: Any) -> None:
        """Set tensors aside. A later change of one of them in place is noticed by backward."""
        self._saved, self._saved_at = tensors, next(SERIAL)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` was given. Raises InPlaceError if one has changed since."""
        if self._freed:
            raise GraphError(FREED)
        if Clock.last_write > self._saved_at:
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


class Node(Context):
    """A node of the graph: which function made a tensor, from which inputs, with which settings.

    ``serial`` counts nodes in the order they were made.
    """

    function: Backward
    inputs: tuple[Variable, ...] = ()
    settings: dict[str, Any] = {}  # noqa: RUF012 - the shared empty default is never written
    serial = -1
    notebook: Context | None = None  # that of a learner's own function

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


def record(node: Node, function: Backward, inputs: tuple[Variable, ...], out: Variable) -> None:
    """Make ``node`` the one that produced ``out``."""
    node.function = function
    node.inputs = inputs
    node.serial = next(SERIAL)
    out.requires_grad = True
    out.ctx = node


class BackwardStep(NamedTuple):
    """One step of backward: ``grad_out`` is complete at ``node``; ``grads`` go to its inputs."""

    node: Node
    grad_out: Any
    grads: tuple[Any, ...]


def nodes_behind(root: Variable) -> list[Node]:
    """Return every node that ``root`` depends on, newest first. No recursion."""
    found: set[Node] = set()
    waiting = [root.ctx] if root.ctx else []
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        waiting += [t.ctx for t in node.inputs if t.ctx is not None]
    return sorted(found, key=lambda node: -node.serial)


def starting_gradient(root: Any, grad_out: Any) -> Any:
    """Return the gradient that backward starts from, checked against ``root``."""
    if not root.requires_grad:
        raise GraphError(
            "this tensor does not depend on any tensor with requires_grad=True, so there is "
            "nothing to differentiate: make the inputs with tk.tensor(..., requires_grad=True)"
        )
    if grad_out is None:
        if root.size != 1:
            raise GraphError(
                f"backward needs one number to start from, but this tensor has shape {root.shape}: "
                "call .sum() first, or pass grad_out, one weight for each of its cells"
            )
        return filled(type(root), 1.0, root.shape, root.dtype)
    if grad_out.shape != root.shape:
        raise ShapeError(
            f"grad_out has shape {grad_out.shape} but the tensor has shape {root.shape}: "
            "grad_out holds one number for each cell of the tensor it arrives at"
        )
    return grad_out if grad_out.dtype == root.dtype else run_copy(grad_out, root.dtype)


def unwind(root: Any, grad_out: Any = None, retain_graph: bool = False) -> Iterator[BackwardStep]:
    """Yield backward steps, newest node first; then add the gradients into the leaves.

    Nothing is changed before every step has succeeded: an error leaves all ``grad`` as they were.
    """
    start = starting_gradient(root, grad_out)
    nodes = nodes_behind(root)
    if any(node._freed for node in nodes):
        raise GraphError(FREED)
    arrived: dict[Node, Any] = {}
    leaves: dict[int, tuple[Any, Any]] = {}
    if root.ctx is None:
        leaves[id(root)] = (root, run_copy(start, start.dtype))
    else:
        arrived[root.ctx] = start
    for node in nodes:
        grad = arrived.pop(node, None)
        if grad is None:
            continue
        grads = node.function.backward(node, grad)
        for parent, share in zip(node.inputs, grads, strict=True):
            if share is None or not parent.requires_grad:
                continue
            if parent.ctx is not None:
                so_far = arrived.get(parent.ctx)
                arrived[parent.ctx] = share if so_far is None else plus(so_far, share)
            elif id(parent) in leaves:
                leaves[id(parent)] = (parent, plus(leaves[id(parent)][1], share))
            else:
                leaves[id(parent)] = (parent, own(share, grad, node))
        yield BackwardStep(node, grad, grads)
    totals = [
        (leaf, total if leaf.grad is None else plus(leaf.grad, total))
        for leaf, total in leaves.values()
    ]
    for leaf, total in totals:
        leaf.grad = total
    if not retain_graph:
        for node in nodes:
            node._free()


def plus(a: Any, b: Any) -> Any:
    """Add two gradients of one shape into a fresh tensor: a shared one is never changed."""
    if a.storage.dtype != b.storage.dtype:
        b = run_copy(b, a.storage.dtype)
    return run_zip(ADD, a, b)


def own(share: Any, grad_out: Any, node: Node) -> Any:
    """Return a gradient that a leaf may keep: copied if anything else might hold its storage."""
    own_work = node.function.kind != "function"  # a learner's backward may return what it saved
    fresh = own_work and share.base is None and share is not grad_out
    fresh = fresh and share.is_contiguous()  # not one number seen many times
    return share if fresh else run_copy(share, share.storage.dtype)


def filled(cls: type[Any], value: float, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return one number seen as a whole grid, through strides of 0."""
    storage: Storage = np.empty(1, dtype)
    storage.fill(value)
    return cls._of(storage, expanded(layout((), (), 0, dtype), shape))
