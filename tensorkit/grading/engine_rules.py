"""The exams of the engine homework, and the mistakes that people make, as rules too.

Each mistake ends the sentence 'your order is ...', 'your numbers equal ...' and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .cases import Array
from .engine_class import ChainExam, KeepExam, shared
from .engine_ends import DiaryExam, SeedExam
from .engine_exams import EngineExam, OrderExam
from .engine_graph import Cell, walk
from .exam import Wrong

Cells = Sequence[Cell]
PLAY = "tk.explore.schedule(check.f, *check.inputs, grad_out=check.deriv)"


def _inputs(cell: Cell, turned: bool = False) -> list[Cell]:
    found = [one for one in cell.inputs if not one.constant]
    return found[::-1] if turned else found


def nearest_first(graph: Cells, turned: bool = False) -> list[Cell]:
    """Return the variables in the order in which a walk by distance meets them."""
    found = [graph[-1]]
    for cell in found:  # which grows as it is walked
        found += [one for one in dict.fromkeys(_inputs(cell, turned)) if one not in found]
    return found


def deep_first(graph: Cells, turned: bool = False) -> list[Cell]:
    """Return the variables in the order in which a walk in depth meets them."""
    found: list[Cell] = []
    waiting = [graph[-1]]
    while waiting:
        cell = waiting.pop()
        if cell not in found:
            found.append(cell)
            waiting += _inputs(cell, not turned)
    return found


def finished(graph: Cells, turned: bool = False) -> list[Cell]:
    """Return the variables in the order in which a walk in depth leaves them: inputs first."""
    found: list[Cell] = []

    def visit(cell: Cell) -> None:
        if cell not in found:
            for one in _inputs(cell, turned):
                visit(one)
            found.append(cell)

    visit(graph[-1])
    return found


def every_path(graph: Cells, turned: bool = False) -> list[Cell]:
    """Return a variable once for every way that leads to it."""

    def paths(cell: Cell) -> list[Cell]:
        return [*(c for one in _inputs(cell, turned) for c in paths(one)), cell]

    return paths(graph[-1])[::-1]


def _orders(sentence: str, order: Any) -> tuple[Wrong, ...]:
    def rule(turned: bool) -> Wrong:
        return Wrong(sentence, lambda graph: [cell.name for cell in order(graph, turned)])

    return rule(False), rule(True)


ORDER = OrderExam(
    "topological_sort",
    ("variable",),
    wrong=(
        *_orders("the right one from its end: what backward starts from comes first", finished),
        *_orders(
            "that in which a walk in depth first meets them: note a variable when it is left",
            deep_first,
        ),
        *_orders(
            "nearest first: a near input may still have a consumer that is far away", nearest_first
        ),
        *_orders("one entry for every path: note in a set which were seen", every_path),
    ),
    step=PLAY,
)


def _write_into(kept: Array, share: Array) -> Array:
    kept += share
    return kept


def _in_order(order: Any, turned: bool) -> Any:
    return lambda graph, d: walk(graph, d, lambda each: order(each, turned))


ENGINE = EngineExam(
    "backpropagate",
    ("variable", "deriv"),
    wrong=(
        Wrong(
            "the share that came last: shares of one variable add up",
            lambda graph, d: walk(graph, d, add=lambda kept, share: share),
        ),
        Wrong(
            "the share that came first: shares of one variable add up",
            lambda graph, d: walk(graph, d, add=lambda kept, share: kept),
        ),
        Wrong(
            "the mean of the shares: they add up",
            lambda graph, d: walk(graph, d, add=lambda kept, share: (kept + share) / 2),
        ),
        Wrong(
            "the product of the shares: they add up",
            lambda graph, d: walk(graph, d, add=lambda kept, share: kept * share),
        ),
        Wrong(
            "what comes of ones for deriv: start with the deriv that was given",
            lambda graph, d: walk(graph, np.ones_like(d)),
        ),
        Wrong(
            "what comes of kept += share: a sum hands one array to both of its inputs",
            lambda graph, d: walk(graph, d.copy(), add=_write_into),
        ),
        *(
            Wrong(
                "what comes of going on before all shares have arrived: use the order of task 1",
                _in_order(order, turned),
            )
            for order in (nearest_first, deep_first)
            for turned in (False, True)
        ),
    ),
    step=PLAY,
)


def _local(cell: Cell, d: Array) -> dict[str, Array]:
    return shared(cell.shares(np.ones_like(d)))


def _turned(cell: Cell, d: Array) -> dict[str, Array]:
    inputs, shares = zip(*cell.shares(d), strict=True)
    return shared(list(zip(inputs, shares[::-1], strict=True)))


CHAIN = ChainExam(
    "Variable",
    ("variable",),
    wrong=(
        Wrong(
            "d_output for each input: ask function.backward",
            lambda cell, d: shared([(one, d) for one, _ in cell.shares(d)]),
        ),
        Wrong("the slopes alone: give d_output to function.backward", _local),
        Wrong("those of the other input: pair each input with its own share", _turned),
        Wrong(
            "the last one alone: an input that is used twice gets two shares",
            lambda cell, d: dict((one.name, share) for one, share in cell.shares(d)),
        ),
    ),
    advice="function.backward(d_output, ...) takes the data of each input, in order",
    method="chain_rule",
)

KEEP = KeepExam(
    "Variable",
    ("variable",),
    wrong=(
        Wrong("the last share alone: add to what is there", lambda xs: xs[-1]),
        Wrong("the first share alone: add to what is there", lambda xs: xs[0]),
        Wrong("the mean: derivatives add up", lambda xs: np.mean(xs, axis=0)),
        Wrong("the product: derivatives add up", lambda xs: np.prod(xs, axis=0)),
        Wrong("more than the sum: the first share is counted twice", lambda xs: sum(xs) + xs[0]),
    ),
    advice="call it by hand on a Variable and print its derivative after each call",
    method="accumulate_derivative and zero_grad_",
)

SEED = SeedExam(
    "seed",
    ("variable",),
    wrong=(
        Wrong("zeros: backward multiplies, so it starts from one", lambda v, g: np.zeros(v.shape)),
        Wrong("the numbers of the variable: its slope in itself is 1", lambda v, g: v),
        Wrong("ones, whatever grad_out is: give grad_out back", lambda v, g: np.ones(v.shape)),
        Wrong("1, in another shape: the shape is that of the variable", lambda v, g: np.ones(())),
        Wrong("[1], in another shape: the shape is that of the variable", lambda v, g: np.ones(1)),
        Wrong("grad_out times the variable: give grad_out back", lambda v, g: v * g),
    ),
    advice="no grad_out: one number or ValueError; with grad_out: the same shape or ValueError",
)

DIARY = DiaryExam(
    "my_order",
    (),
    advice="go through the graph with a pencil: which variable has all of its shares next?",
)
