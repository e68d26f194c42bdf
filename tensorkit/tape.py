"""A tape: what one run of an expression did, forward and backward, as data that no longer changes.

Nothing is computed a second time to be shown. Forward, the expression runs as it is; backward, the
engine's own generator is paused after every node, and what it has just sent is copied here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .autodiff import nodes_behind, plus, unwind
from .errors import DtypeError, GraphError
from .functions import Function
from .graph import Node, Variable, filled, no_grad
from .layout import Shape
from .naming import Names, call_watched, parameters, surroundings, usual_name
from .tensor import Tensor, tensor

Cells = NDArray[Any]
Slopes = tuple[Cells | None, ...]


@dataclass(frozen=True)
class Grid:
    """A tensor of the run. ``call`` is the number of the call that made it; None for a leaf."""

    name: str
    shape: Shape
    strides: Shape
    values: Cells
    needs_grad: bool
    call: int | None = None
    given: bool = True  # whether it has its name from the expression

    @property
    def number(self) -> float | None:
        """The number that this is, if it was written as a number: ``2`` in ``2 * x``."""
        lone = not self.given and self.call is None and not self.needs_grad
        if not lone or self.values.size == 0 or any(self.strides):
            return None
        return float(self.values.flat[0])

    @property
    def ghosts(self) -> Cells:
        """For each cell, whether it is the copy of another: read again through a stride of 0."""
        copies = np.zeros(self.shape, bool)
        for dim, stride in enumerate(self.strides):
            if stride == 0 and self.shape[dim] > 1:
                np.moveaxis(copies, dim, 0)[1:] = True
        return copies


@dataclass(frozen=True)
class Call:
    """One operation of the run: numbers of grids in, the number of a grid out."""

    name: str
    symbol: str
    kind: str
    inputs: tuple[int, ...]
    out: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """What one call sends to one input: the ``number``-th of ``count``, and the sum so far."""

    to: int
    values: Cells
    total: Cells
    number: int
    count: int

    @property
    def completes(self) -> bool:
        """Whether the gradient of the input is complete with this share."""
        return self.number == self.count


@dataclass(frozen=True)
class Pull:
    """One step of backward: ``grad_out`` is complete at the output of ``call``; shares go on.

    ``slopes`` are the local derivatives of a map, zip or reduce, in the shape of its inputs: what
    the same backward sends when the upstream gradient is 1 everywhere.
    """

    call: int
    grad_out: Cells
    shares: tuple[Share | None, ...]
    slopes: tuple[Cells | None, ...]


@dataclass(frozen=True)
class Tape:
    """A run: grids, calls in the order they were made, pulls in the order of backward."""

    grids: tuple[Grid, ...]
    calls: tuple[Call, ...]
    pulls: tuple[Pull, ...]
    result: int
    grad_out: Cells
    parameters: tuple[int, ...]

    def shares_to(self, grid: int) -> list[tuple[int, int, Share]]:
        """Return (number of the call, which of its inputs, share) for all that a grid received."""
        return [
            (pull.call, k, share)
            for pull in self.pulls
            for k, share in enumerate(pull.shares)
            if share is not None and share.to == grid
        ]

    def gradient(self, grid: int) -> Cells | None:
        """Return the complete gradient of a grid; None if backward never reached it."""
        if grid == self.result:
            return self.grad_out
        arrived = self.shares_to(grid)
        return arrived[-1][2].total if arrived else None


def distinct(shape: Shape) -> Cells:
    """Return an upstream gradient of different numbers: 1, 10, 2, 20, 3 ... 9, 90, 11, 110 ...

    With equal numbers, a gradient sent to the wrong cell could not be told from the right one.
    """
    cells = np.arange(math.prod(shape))
    counts = cells // 2 + cells // 18 + 1  # 10, 20 ... are left to the others
    numbers: Cells = np.where(cells % 2, 10.0, 1.0) * counts
    return numbers.reshape(shape)


def run(f: Callable[..., Any], *inputs: Any, grad_out: Any = None) -> Tape:
    """Run ``f`` on copies of ``inputs``, then backward from ``grad_out``, and return what happened.

    Tensors, arrays and lists become leaves; if no tensor among them requires a gradient, all do.
    Numbers, tuples and None are passed as they are. ``grad_out`` is 1 for a result of one cell,
    else ``distinct``. The inputs, and the ``grad`` of tensors that ``f`` finds around it, stay as
    they are. Raises GraphError if the result does not depend on a leaf that requires a gradient.
    """
    if isinstance(f, type) and issubclass(f, Function):
        f = f.apply
    names, arguments = Names(), fresh(inputs)
    named = zip(arguments, parameters(f, len(arguments)), strict=True)
    for value, name in (*named, *surroundings(f)):
        names.give(value, name)
    leaves = [t for t in arguments if isinstance(t, Variable)]
    root = call_watched(f, arguments, names)
    if not isinstance(root, Variable):
        raise DtypeError(
            f"the expression returned {type(root).__name__}: return one tensor, so that there is a "
            "graph to draw"
        )
    nodes = nodes_behind(root)[::-1]
    if any(node._freed for node in nodes):
        raise GraphError("the expression uses a tensor whose graph was freed by a backward")
    start = upstream(root, grad_out)
    book = Book(names, leaves, nodes, root)
    pulls, result = tuple(book.walk_back(start)), book.where[id(root)]
    given = tuple(book.where[id(t)] for t in leaves)
    return Tape(tuple(book.grids), tuple(book.calls), pulls, result, frozen(start), given)


def fresh(inputs: tuple[Any, ...]) -> list[Any]:
    """Return ``inputs`` with every tensor, array and list as a leaf of its own."""
    given = [t for t in inputs if isinstance(t, Variable)]
    all_need = not any(t.requires_grad for t in given)
    made: list[Any] = []
    for one in inputs:
        if isinstance(one, Variable):
            leaf = Tensor(one.storage.copy(), one.shape, one.strides, one.offset)
            leaf.requires_grad = all_need or one.requires_grad
            made.append(leaf)
        elif isinstance(one, (list, np.ndarray)):
            made.append(tensor(one, requires_grad=all_need))
        else:
            made.append(one)
    return made


def upstream(root: Any, grad_out: Any) -> Any:
    """Return the gradient to start from, as a tensor."""
    if isinstance(grad_out, Variable):
        return grad_out
    if grad_out is None:
        grad_out = np.ones(root.shape) if root.size == 1 else distinct(root.shape)
    return tensor(grad_out, dtype=root.dtype)


class Book:
    """Takes a run down: numbers the grids and calls, then follows backward."""

    def __init__(self, names: Names, leaves: list[Any], nodes: list[Node], root: Any) -> None:
        self.names, self.root = names, root
        self.grids: list[Grid] = []
        self.calls: list[Call] = []
        self.where: dict[int, int] = {}
        self.number_of = {node: k for k, node in enumerate(nodes)}
        self.made = {t.ctx: t for node in nodes for t in node.inputs if t.ctx is not None}
        if root.ctx is not None:
            self.made[root.ctx] = root
        for leaf in leaves:
            self.add(leaf)
        for node in nodes:
            for t in node.inputs:
                if id(t) not in self.where:
                    self.add(t)
            function: Any = node.function
            out = self.add(self.made[node])
            inputs = tuple(self.where[id(t)] for t in node.inputs)
            self.calls.append(
                Call(
                    function.name, function.symbol, function.kind, inputs, out, dict(node.settings)
                )
            )
        if id(root) not in self.where:
            self.add(root)

    def add(self, t: Any) -> int:
        """Number a tensor and take it down."""
        number = self.where[id(t)] = len(self.grids)
        name, given = self.name(t)
        call = self.number_of.get(t.ctx) if t.ctx is not None else None
        grid = Grid(name, t.shape, t.strides, frozen(t), t.requires_grad, call, given)
        self.grids.append(grid)
        return number

    def name(self, t: Any) -> tuple[str, bool]:
        """Return a name, and whether the expression gives it; a stretched tensor keeps its name."""
        found = self.names.of(t)
        if found is not None:
            return found, True
        if t.ctx is None:
            owner = self.names.of(t.base) if t.base is not None else None
            return (owner, True) if owner else (self.names.free("cw"[t.requires_grad]), False)
        function = t.ctx.function
        source = t.ctx.inputs[0] if t.ctx.inputs else None
        if function.name in ("expand", "to") and t is not self.root:
            before = self.grids[self.where[id(source)]]
            return before.name, before.given
        if function.name == "permute" and t.ndim == 2 and t is not self.root:
            return self.names.free(self.grids[self.where[id(source)]].name + "ᵀ"), True
        usual = usual_name(function.name, function.kind, t is self.root, t.size == 1)
        return self.names.free(usual), True

    def walk_back(self, start: Any) -> list[Pull]:
        """Pause on every step of the engine's backward and copy what it sends."""
        leaves = {
            id(t): t
            for node in self.number_of
            for t in node.inputs
            if t.ctx is None and t.requires_grad
        }
        before = {key: leaf.grad for key, leaf in leaves.items()}
        so_far: dict[int, list[Any]] = {}
        steps: list[tuple[int, Cells, list[tuple[int, Cells, Cells, int] | None], Slopes]] = []
        try:
            for node, grad_out, grads in unwind(self.root, start, retain_graph=True):
                sent: list[tuple[int, Cells, Cells, int] | None] = []
                for t, share in zip(node.inputs, grads, strict=True):
                    if share is None or not t.requires_grad:
                        sent.append(None)
                        continue
                    sums = so_far.setdefault(id(t), [])
                    sums.append(plus(sums[-1], share) if sums else share)
                    sent.append((self.where[id(t)], frozen(share), frozen(sums[-1]), len(sums)))
                steps.append((self.number_of[node], frozen(grad_out), sent, slopes(node, grad_out)))
        finally:
            for key, leaf in leaves.items():
                leaf.grad = before[key]
        count = {self.where[key]: len(sums) for key, sums in so_far.items()}
        pulls = []
        for call, grad_out, sent, local in steps:
            shares = tuple(Share(*one, count[one[0]]) if one else None for one in sent)
            pulls.append(Pull(call, grad_out, shares, local))
        return pulls


def slopes(node: Node, grad_out: Any) -> Slopes:
    """Return the local derivatives at a node, by asking it for the gradient of 1."""
    if node.function.kind not in ("map", "zip", "reduce"):
        return (None,) * len(node.inputs)
    ones = filled(grad_out, 1.0)
    with no_grad():
        sent = node.function.backward(node, ones)
    return tuple(frozen(one) if one is not None else None for one in sent)


def frozen(t: Any) -> Cells:
    """Return a copy of a tensor's cells that cannot be written."""
    cells = np.array(t.numpy())
    cells.flags.writeable = False
    return cells
