"""Backward in another order, with the engine's own rules: what comes too late is lost.

A node passes on what has arrived by the time it is visited. Newest first, everything has; breadth
first or depth first, a share that took the longer path finds the door shut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tensorkit.autodiff import nodes_behind, plus
from tensorkit.graph import Node, Variable, no_grad
from tensorkit.tape import Cells, fresh, frozen, upstream


@dataclass(frozen=True)
class Walk:
    """The gradients of the leaves after one walk, None where none came, and what it lost.

    ``late`` counts the shares that reached a node after it had passed on what it had.
    """

    order: str
    visited: tuple[str, ...]
    gradients: tuple[Cells | None, ...]
    late: int


def newest_first(root: Variable) -> Iterator[Node]:
    """Yield the nodes as the engine does."""
    yield from nodes_behind(root)


def breadth_first(root: Variable) -> Iterator[Node]:
    """Yield the nodes by their distance from the root, each once."""
    seen: set[Node] = set()
    waiting = deque([root.ctx])
    while waiting:
        node = waiting.popleft()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [t.ctx for t in node.inputs]


def depth_first(root: Variable) -> Iterator[Node]:
    """Yield every node before what lies behind it, first inputs first, each once."""
    seen: set[Node] = set()
    waiting = [root.ctx]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [t.ctx for t in reversed(node.inputs)]


ORDERS = {
    "newest first": newest_first,
    "breadth first": breadth_first,
    "depth first": depth_first,
}


def walk(f: Callable[..., Any], *inputs: Any, order: str, grad_out: Any = None) -> Walk:
    """Run ``f`` on copies of ``inputs``, walk its graph back in ``order``, and say what came.

    The gradients are those of the tensors among ``inputs``, in their order. Raises KeyError for an
    order that is not in ``ORDERS``.
    """
    arguments = fresh(inputs)
    root = f(*arguments)
    arrived: dict[int, Any] = {id(root): upstream(root, grad_out)}
    made = {root.ctx: id(root)}
    made |= {t.ctx: id(t) for node in nodes_behind(root) for t in node.inputs}
    done: set[int] = set()
    visited, late = [], 0
    with no_grad():
        for node in ORDERS[order](root):
            place = made[node]
            done.add(place)
            visited.append(node.function.name)
            if place not in arrived:
                continue
            for t, share in zip(
                node.inputs, node.function.backward(node, arrived[place]), strict=True
            ):
                if share is None or not t.requires_grad:
                    continue
                late += id(t) in done
                before = arrived.get(id(t))
                arrived[id(t)] = share if before is None else plus(before, share)
    leaves = [t for t in arguments if isinstance(t, Variable) and t.requires_grad]
    found = (arrived.get(id(t)) for t in leaves)
    gradients = tuple(None if g is None else frozen(g) for g in found)
    return Walk(order, tuple(visited), gradients, late)
