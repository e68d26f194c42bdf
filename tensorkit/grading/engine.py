"""The engine homework: 20 points in 8 graded cells, with the checks that its notebook shows.

First an order, as a property; then the class that is walked, the walk itself, and where it starts.
"""

from __future__ import annotations

from typing import Any

from .cases import Case
from .engine_rules import CHAIN, DIARY, ENGINE, KEEP, ORDER, SEED
from .sheet import Block, Task

START = (1.0, 10.0)
LONG_AND_SHORT = "h = x * w; a = h * v; b = - a; y = h + b"
TWO_AND_ONE = "h = x * w; a = - h; b = a * v; g = h * h; y = g * b"
DIARY_GRAPH = "a = x * w; b = x - v; p = a * b; q = a + v; y = p * q"


def ordered(about: str, graph: str, how: str = "once", **more: Any) -> Case:
    """One graph to sort."""
    return Case(about, (), (graph,), how=how, **more)


def walked(about: str, graph: str, how: str = "once", deriv: Any = START, **more: Any) -> Case:
    """One graph to walk back, or one step of it."""
    return Case(about, (), (graph, deriv), how=how, **more)


def kept(about: str, *shares: Any, how: str = "once", **more: Any) -> Case:
    """Shares to accumulate."""
    return Case(about, (), shares, how=how, **more)


def started(about: str, data: Any, grad_out: Any = None, **more: Any) -> Case:
    """A variable with these numbers, and perhaps a grad_out."""
    return Case(about, (), (data, grad_out), **more)


def _single(key: str, title: str, *cases: Case) -> Block:
    return Block(key, title, 1, cases)


TASKS = {
    "topological_sort": Task(
        ORDER,
        (
            _single(
                "once",
                "every variable, once",
                ordered("a chain", "h = x * w; y = - h", "members"),
                ordered("x is used twice", "y = x * x", "members"),
            ),
            _single(
                "before",
                "consumers before their inputs",
                ordered("a chain", "h = - x; g = - h; y = - g"),
                ordered("a diamond", "a = x * w; b = x * v; y = a + b"),
            ),
            _single(
                "constants",
                "constants left out",
                ordered("a constant factor", "h = c * x; y = h + w", "members"),
            ),
        ),
    ),
    "topological_sort_any": Task(
        ORDER,
        (
            _single(
                "paths",
                "a long and a short path",
                ordered("h is used near and far", LONG_AND_SHORT),
            ),
            _single(
                "fresh",
                "every call starts afresh",
                ordered("the same graph again", "h = x * w; y = h + x", "again"),
            ),
            _single("deep", "deep graphs, in a few steps", ordered("two in a row", "y = - x")),
        ),
    ),
    "chain_rule": Task(
        CHAIN,
        (
            _single(
                "shares",
                "the share of each input",
                walked("a product", "y = x * w"),
                walked("a difference", "y = x - w"),
                walked("x is used twice", "y = x * x"),
            ),
            _single(
                "none",
                "no pair for what gets no share",
                walked("a constant factor", "y = c * x"),
            ),
        ),
    ),
    "accumulate": Task(
        KEEP,
        (
            _single(
                "adds",
                "derivatives add up, in an array of their own",
                kept("one share", (2.0, -3.0)),
                kept("three shares", (2.0, -3.0), (0.5, 8.0), (-7.0, 1.0)),
                kept("two variables get the same array", (2.0, -3.0), (0.5, 8.0), how="own"),
                kept("an array that changes afterwards", (2.0, -3.0), how="own"),
            ),
            _single(
                "zero",
                "zero_grad_ forgets",
                kept("forget, then go on", (2.0, -3.0), (0.5, 8.0), how="zero"),
            ),
        ),
    ),
    "backpropagate": Task(
        ENGINE,
        (
            _single(
                "chain",
                "each variable used once",
                walked("one product", "y = x * w"),
                walked("a chain", "h = x * w; y = h * v"),
            ),
            _single(
                "twice",
                "a leaf used more than once",
                walked("x times x", "y = x * x"),
                walked("three uses of x", "h = x * x; y = h * x"),
                walked("a near and a far use", "h = x * w; y = h + x"),
            ),
            _single(
                "leaves",
                "only leaves keep a derivative",
                walked("one product", "y = x * w", "leaves"),
                walked("a chain", "h = x * w; y = h * v", "leaves"),
            ),
        ),
    ),
    "backpropagate_any": Task(
        ENGINE,
        (
            _single(
                "inner",
                "inner variables used more than once, and a second call",
                walked("h is used near and far", LONG_AND_SHORT),
                walked("h is used twice near and once far", TWO_AND_ONE),
            ),
            _single(
                "alone",
                "no share is changed for others",
                walked(
                    "a sum, then one of its inputs again",
                    "a = x * w; z = a + v; y = z + v",
                    "alone",
                ),
            ),
            _single(
                "calls",
                "chain_rule once for each variable",
                walked("a diamond", "h = x * w; a = h * v; b = - h; y = a + b", "calls"),
            ),
        ),
    ),
    "seed": Task(
        SEED,
        (
            _single(
                "none",
                "without grad_out",
                started("one number", 3.0),
                started("one number in a grid", [[3.0]]),
                started("two numbers", [3.0, 4.0]),
            ),
            _single(
                "given",
                "with grad_out",
                started("two numbers", [3.0, 4.0], [1.0, 10.0]),
                started("another shape", [3.0, 4.0], [1.0, 10.0, 100.0]),
            ),
        ),
    ),
    "my_order": Task(
        DIARY,
        (
            _single("right", "an order that is right", ordered("on paper", DIARY_GRAPH)),
            _single("own", "the order of your engine", ordered("your engine", DIARY_GRAPH, "own")),
        ),
    ),
}
