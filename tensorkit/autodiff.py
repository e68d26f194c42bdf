"""Reverse mode: walk the graph back from the newest node to the oldest.

Newest first is an order in which every gradient is complete before it is passed on, since a node
depends only on nodes made before it. ``unwind`` is a generator, one step per node:
``Tensor.backward`` drains it, a stepper pauses on it. There is no second implementation.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from .errors import GraphError, ShapeError
from .graph import FREED, Node, Variable, filled, grad_mode
from .kernels import elementwise_kernel, run_copy, run_zip

ADD = elementwise_kernel("zip_add", "x + y", ("x", "y"))
serial_of = operator.attrgetter("serial")


# one step: a node, the gradient that is complete there, and the gradients it sends to its inputs
BackwardStep = tuple[Node, Any, tuple[Any, ...]]


def nodes_behind(root: Variable) -> list[Node]:
    """Return every node that ``root`` depends on, newest first. No recursion."""
    if root.ctx is None:
        return []
    nodes, found = [root.ctx], {root.ctx}
    for node in nodes:  # which grows as it is walked
        for t in node.inputs:
            source = t.ctx
            if source is not None and source not in found:
                found.add(source)
                nodes.append(source)
    nodes.sort(key=serial_of, reverse=True)
    return nodes


def leading_to(nodes: list[Node], wanted: dict[int, Any]) -> list[Node]:
    """Return those of ``nodes``, newest first, through which gradients reach a wanted tensor."""
    useful: set[Node] = set()
    for node in reversed(nodes):
        if any(id(t) in wanted or t.ctx in useful for t in node.inputs):
            useful.add(node)
    return [node for node in nodes if node in useful]


def starting_gradient(root: Any, grad_out: Any) -> Any:
    """Return the gradient that backward starts from, checked against ``root``."""
    if not root.requires_grad:
        raise GraphError(
            "this tensor does not depend on any tensor with requires_grad=True, so there is "
            "nothing to differentiate: make the inputs with tk.tensor(..., requires_grad=True)"
        )
    if grad_out is None:
        if root.layout.size != 1:
            raise GraphError(
                f"backward needs one number to start from, but this tensor has shape {root.shape}: "
                "call .sum() first, or pass grad_out, one weight for each of its cells"
            )
        return filled(root, 1.0)
    if grad_out.shape != root.shape:
        raise ShapeError(
            f"grad_out has shape {grad_out.shape} but the tensor has shape {root.shape}: "
            "grad_out holds one number for each cell of the tensor it arrives at"
        )
    return grad_out if grad_out.dtype == root.dtype else run_copy(grad_out, root.dtype)


def unwind(
    root: Any,
    grad_out: Any = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    into: dict[int, Any] | None = None,
) -> Iterator[BackwardStep]:
    """Yield backward steps, newest node first; then add the gradients into the leaves.

    ``create_graph`` records the steps themselves, so that gradients have gradients. ``into`` maps
    ids of tensors to None: their gradients are put there, and no leaf is touched.
    Nothing is changed before every step has succeeded: an error leaves all ``grad`` as they were.
    """
    start = starting_gradient(root, grad_out)
    add: Any = operator.add if create_graph else plus
    keep = retain_graph or create_graph
    nodes = nodes_behind(root)
    for node in nodes:
        if node._freed:
            raise GraphError(FREED)
    if into is not None:
        nodes = leading_to(nodes, into)
    arrived: dict[Node, Any] = {}
    ends: dict[int, tuple[Any, Any]] = {}  # where gradients are kept: tensor and gradient, by id
    taken = {id(start.storage)}  # storages that are not, or no longer, free to be kept by a leaf
    if id(root) in into if into is not None else root.ctx is None:
        ends[id(root)] = (root, run_copy(start, start.dtype))
    if root.ctx is not None:
        arrived[root.ctx] = start
    for node in nodes:
        grad = arrived.pop(node, None)
        if grad is None:  # no gradient leads here
            if not keep:
                node._free()
            continue
        before, grad_mode.on = grad_mode.on, create_graph
        try:
            grads = node.function.backward(node, grad)
            for number, parent in enumerate(node.inputs):
                share = grads[number]
                if share is None or not parent.requires_grad:
                    continue
                source = parent.ctx
                if source is None if into is None else id(parent) in into:
                    so_far = ends.get(id(parent))
                    total = own(share, node, taken) if so_far is None else add(so_far[1], share)
                    ends[id(parent)] = (parent, total)
                if source is not None:
                    waiting = arrived.get(source)
                    arrived[source] = share if waiting is None else add(waiting, share)
        finally:
            grad_mode.on = before
        yield node, grad, grads
        if not keep:
            node._free()  # what it had saved is memory for the gradients that follow
    if into is not None:
        into.update({key: total for key, (_, total) in ends.items()})
    else:
        totals = [
            (leaf, total if leaf.grad is None else add(leaf.grad, total))
            for leaf, total in ends.values()
        ]
        for leaf, total in totals:
            leaf.grad = total


def plus(a: Any, b: Any) -> Any:
    """Add two gradients of one shape into a fresh tensor: a shared one is never changed."""
    if a.storage.dtype != b.storage.dtype:
        b = run_copy(b, a.storage.dtype)
    return run_zip(ADD, a, b)


def own(share: Any, node: Node, taken: set[int]) -> Any:
    """Return a gradient that a leaf may keep: copied if anything else might hold its storage.

    ``taken`` holds the ids of storages that were given away already; a copy is also made of a view,
    of one number seen many times, and of what a learner's backward returned, which may be what it
    had saved. A gradient that is part of a graph itself is kept as it is, with its history.
    """
    if share.ctx is not None:
        return share
    key = id(share.storage)
    if (
        key in taken
        or share.base is not None
        or node.function.kind == "function"
        or not share.layout.contiguous
    ):
        return run_copy(share, share.storage.dtype)
    taken.add(key)
    return share
