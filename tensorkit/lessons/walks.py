"""Walks through a graph: handles that tell what is asked, orders, and engines that go wrong.

A right order has every consumer before its inputs. The tempting ones, nearest first and deepest
first, look right on chains.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..autodiff import nodes_behind
from ..handles import Variable
from ..tensor import Tensor


class TooMany(Exception):
    """A walk went over the same tensors again and again."""


class Told(Variable):
    """A handle that tells ``hear`` what is asked of it, and whose parents do so too."""

    def __init__(self, tensor: Tensor, hear: Callable[[str, Variable, Any], None]) -> None:
        super().__init__(tensor)
        self.hear = hear

    @property
    def parents(self) -> list[Variable]:
        """The inputs it was made from."""
        self.hear("parents", self, None)
        return [Told(v.tensor, self.hear) for v in super().parents]

    def chain_rule(self, d_output: Any) -> list[tuple[Variable, Any]]:
        """Return each input with its share."""
        self.hear("passes on", self, d_output)
        return [(Told(v.tensor, self.hear), d) for v, d in super().chain_rule(d_output)]

    def accumulate_derivative(self, x: Any) -> None:
        """Add to the gradient that a leaf keeps."""
        self.hear("keeps", self, x)
        super().accumulate_derivative(x)


def behind(root: Variable) -> list[Variable]:
    """Return every tensor that needs a gradient, newest first, leaves last."""
    nodes = nodes_behind(root.tensor)
    tensors = {id(t): t for node in nodes for t in node.inputs if t.requires_grad}
    made = {id(t.ctx): t for t in (root.tensor, *tensors.values()) if t.ctx is not None}
    leaves = [t for t in tensors.values() if t.ctx is None]
    return [Variable(t) for t in (*(made[id(node)] for node in nodes), *leaves)]  # type: ignore[arg-type]


def nearest_first(root: Variable) -> list[Variable]:
    """Return the tensors by their distance from the result: a tempting order, and a wrong one."""
    found, waiting = {}, deque([root])
    while waiting:
        v = waiting.popleft()
        if v.unique_id not in found and not v.is_constant():
            found[v.unique_id] = v
            waiting += v.parents
    return list(found.values())


def deepest_first(root: Variable) -> list[Variable]:
    """Return each tensor when it is first met, going down at once: another wrong order."""
    found, waiting = {}, [root]
    while waiting:
        v = waiting.pop()
        if v.unique_id not in found and not v.is_constant():
            found[v.unique_id] = v
            waiting += v.parents[::-1]
    return list(found.values())


def ids(order: Sequence[Variable]) -> list[int]:
    """Return the unique ids of an order."""
    return [v.unique_id for v in order]


def called(v: Variable) -> str:
    """Name a tensor in a message."""
    return "a leaf" if v.is_leaf() else f"the result of {v.name}"


def named(got: list[int], root: Variable) -> str:
    """Name the known wrong order that this is, if it is one."""
    bare = Variable(root.tensor)
    place = {key: number for number, key in enumerate(reversed(got))}
    if all(
        place[v.unique_id] < place[p.unique_id]
        for v in behind(bare)
        for p in v.parents
        if not p.is_constant()
    ):
        return "your order goes from the leaves to the result: turn it round before you return it"
    if got == ids(nearest_first(bare)):
        return "this is nearest first: a tensor may be near, and still wait for a longer path"
    if got == ids(deepest_first(bare)):
        return "this adds a tensor when it is first met: add it after all that is behind it"
    return ""


Engine = Callable[[Variable, Any], None]


def walking(
    order: Callable[[Variable], list[Variable]] = behind, add: bool = True, keep: bool = True
) -> Engine:
    """Return an engine that walks in ``order``; without ``add`` or ``keep`` a share replaces."""

    def engine(variable: Variable, deriv: Any) -> None:
        arrived = {variable.unique_id: deriv}
        for v in order(variable):
            d = arrived[v.unique_id]
            if v.is_leaf():
                v.tensor.grad = d
            for parent, share in v.chain_rule(d):
                before = arrived.get(parent.unique_id)
                both = before is not None and add
                if before is None or keep:
                    arrived[parent.unique_id] = before + share if both else share

    return engine


def from_ones(variable: Variable, deriv: Any) -> None:
    """Begin with ones, whatever was given."""
    walking()(variable, deriv * 0 + 1)


def early(variable: Variable, deriv: Any) -> None:
    """Let a leaf keep what has arrived each time that a share comes, and never forget."""
    arrived = {variable.unique_id: deriv}
    for v in behind(variable):
        for parent, share in v.chain_rule(arrived[v.unique_id]):
            before = arrived.get(parent.unique_id)
            arrived[parent.unique_id] = share if before is None else before + share
            if parent.is_leaf():
                parent.accumulate_derivative(arrived[parent.unique_id])
