"""Small graphs, each written as a line of text, and the handles through which an engine walks them.

A graph such as ``h = x * w; y = h + x`` is one operation a statement; the last name is where
backward starts. The same line builds cells of our own, which count what is asked of them, and
tensors to look at. What is right is found here in NumPy, from the order in which cells were made.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tensorkit as tk

from .cases import Array

LEAVES = {"x": (2.0, -3.0), "w": (0.5, 4.0), "v": (-1.5, 10.0), "u": (7.0, 0.25)}
CONSTANTS = {"c": (3.0, -2.0), "k": (-0.5, 6.0)}
SERIAL = itertools.count(1)


@dataclass(frozen=True)
class Function:
    """An operation: its value, and for each input the share of a derivative, or None."""

    forward: Callable[..., Array]
    backward: Callable[..., tuple[Array | None, ...]]


OPERATIONS = {
    ("+", 2): Function(lambda a, b: a + b, lambda d, a, b: (d, d)),  # one array for both
    ("-", 2): Function(lambda a, b: a - b, lambda d, a, b: (d, -d)),
    ("*", 2): Function(lambda a, b: a * b, lambda d, a, b: (d * b, d * a)),
    (">", 2): Function(lambda a, b: (a > b) * 1.0, lambda d, a, b: (None, None)),
    ("-", 1): Function(lambda a: -a, lambda d, a: (-d,)),
    ("*+", 3): Function(lambda a, b, c: a * b + c, lambda d, a, b, c: (d * b, d * a, d)),
}


@dataclass(eq=False)
class Cell:
    """A variable of a graph as the checks know it."""

    name: str
    data: Array
    function: Function | None = None
    inputs: tuple[Cell, ...] = ()
    constant: bool = False
    kept: Array | None = None
    serial: int = field(default_factory=lambda: next(SERIAL))

    @property
    def shares(self) -> Callable[[Array], list[tuple[Cell, Array]]]:
        """The function from a derivative to pairs of an input and its share."""

        def of(d: Array) -> list[tuple[Cell, Array]]:
            if self.function is None:
                return []
            parts = self.function.backward(d, *(one.data for one in self.inputs))
            pairs = zip(self.inputs, parts, strict=True)
            return [(one, d) for one, d in pairs if d is not None and not one.constant]

        return of


def statements(text: str) -> list[tuple[str, str, list[str]]]:
    """Return name, operators in a row, and inputs of each statement."""
    found = []
    for statement in text.split("; "):
        if " = " in statement:
            name, _, *words = statement.split(" ")
            first = len(words) % 2 == 0  # as in - x
            found.append((name, "".join(words[not first :: 2]), words[first::2]))
    return found


def known(text: str, names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that a graph uses."""
    words = text.replace(";", "").split(" ")
    return [name for name in names if name in words]


def cells(text: str) -> list[Cell]:
    """Build a graph: every cell, inputs before what was made from them; the last is the root."""
    used = {n: Cell(n, np.array(LEAVES[n])) for n in known(text, LEAVES)}
    used |= {n: Cell(n, np.array(CONSTANTS[n]), constant=True) for n in known(text, CONSTANTS)}
    found = list(used.values())
    for name, operator, inputs in statements(text):
        function = OPERATIONS[operator, len(inputs)]
        parts = tuple(used[one] for one in inputs)
        constant = all(one.constant for one in parts)
        data = function.forward(*(one.data for one in parts))
        used[name] = Cell(name, data, constant=constant)
        if not constant:
            used[name].function, used[name].inputs = function, parts
        found.append(used[name])
    return found


def expression(text: str) -> Callable[..., Any]:
    """Return the graph as a function of tensors, to step through."""
    parameters = known(text, LEAVES)
    *_, root = [name for name, *_ in statements(text)] or parameters
    lines = [f"def f({', '.join(parameters)}):", *text.split("; "), f"return {root}"]
    source = "\n    ".join(lines) + "\n"
    names: dict[str, Any] = {n: tk.tensor(CONSTANTS[n]) for n in known(text, CONSTANTS)}
    filename = f"<graph {text}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)
    made: Callable[..., Any] = names["f"]
    return made


class TooOften(Exception):
    """More was asked of a graph than any walk needs that visits each variable once."""


class Log:
    """What an engine asked for: reads of parents, and calls of chain_rule in order."""

    def __init__(self, graph: Sequence[Cell]) -> None:
        self.calls: list[Cell] = []
        self.asked = 0
        self.allowed = 100 + 20 * len(graph)

    def count(self) -> None:
        """Count one question. Raises TooOften."""
        self.asked += 1
        if self.asked > self.allowed:
            raise TooOften


class Handle:
    """A variable as an engine sees it; each reading of parents makes new handles."""

    __slots__ = ("_cell", "_log")

    def __init__(self, cell: Cell, log: Log) -> None:
        self._cell, self._log = cell, log

    @property
    def name(self) -> str:
        """What the graph's text calls it."""
        return self._cell.name

    @property
    def data(self) -> Array:
        """Its numbers."""
        return self._cell.data

    @property
    def derivative(self) -> Array | None:
        """What was accumulated."""
        return self._cell.kept

    @property
    def unique_id(self) -> int:
        """A number of its own, which tells nothing about the order of making."""
        return self._cell.serial * 2654435761 % 2**32

    def is_leaf(self) -> bool:
        """Whether a derivative is wanted, and nothing made it."""
        return self._cell.function is None and not self._cell.constant

    def is_constant(self) -> bool:
        """Whether no derivative is wanted."""
        return self._cell.constant

    @property
    def parents(self) -> list[Handle]:
        """New handles on the inputs, in order."""
        self._log.count()
        return [Handle(one, self._log) for one in self._cell.inputs]

    def chain_rule(self, d_output: Any) -> list[tuple[Handle, Any]]:
        """Return a pair for each input that a share goes to."""
        self._log.count()
        if self._cell.function is not None:
            self._log.calls.append(self._cell)
        return [(Handle(one, self._log), d) for one, d in self._cell.shares(d_output)]

    def accumulate_derivative(self, x: Any) -> None:
        """Add to the derivative."""
        kept = self._cell.kept
        self._cell.kept = np.array(x, dtype=float) if kept is None else kept + x

    def __repr__(self) -> str:
        return self.name


def newest_first(graph: Sequence[Cell]) -> list[Cell]:
    """Return an order that is right: what depends on the root's inputs was made before it."""
    needed = {graph[-1]}
    for cell in reversed(graph):
        if cell in needed:
            needed.update(cell.inputs)
    return [cell for cell in reversed(graph) if cell in needed and not cell.constant]


def walk(
    graph: Sequence[Cell],
    deriv: Array,
    order: Callable[[Sequence[Cell]], list[Cell]] = newest_first,
    add: Callable[[Array, Array], Array] = np.add,
) -> dict[str, Array]:
    """Return the derivative of every leaf; another order or another ``add`` makes a mistake."""
    arrived = {graph[-1]: deriv}
    for cell in order(graph):
        if cell in arrived:
            for one, share in cell.shares(arrived[cell]):
                arrived[one] = add(arrived[one], share) if one in arrived else share
    leaves = [one for one in graph if one.function is None and not one.constant]
    return {one.name: arrived.get(one, np.zeros(one.data.shape)) for one in leaves}
