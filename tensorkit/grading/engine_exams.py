"""Exams of the engine homework: an order is judged as a property, derivatives by their numbers.

An engine meets handles on a graph of the checks' own, so what it asks for can be counted. A case
holds the text of its graph; ``how`` says which property is looked at beside the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

import tensorkit as tk

from .cases import Array, Case
from .engine_graph import (
    CONSTANTS,
    LEAVES,
    Cell,
    Handle,
    Log,
    TooOften,
    cells,
    expression,
    known,
    newest_first,
    walk,
)
from .exam import Exam, Stopped, Wrong
from .messages import WIDTH, Finding, differs, numbers


@dataclass(frozen=True)
class GraphExam(Exam):
    """An exam on one graph after another. A case has its text, and mostly a derivative."""

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the graph as a function of tensors, its inputs, and the derivative."""
        text, *more = case.extra
        leaves = {n: tk.tensor(LEAVES[n], requires_grad=True) for n in known(text, LEAVES)}
        deriv = tk.tensor(more[0] if more else (1.0, 10.0))
        return {"f": expression(text), "inputs": tuple(leaves.values()), "deriv": deriv} | leaves

    def _data(self, case: Case) -> str:
        text, *more = case.extra
        values = LEAVES | CONSTANTS
        if not more:
            return f"graph: {text}"
        given = [f"{name} = {numbers(values[name])}" for name in known(text, values)]
        full = f"graph: {text}, with {', '.join(given)}, deriv = {numbers(more[0])}"
        return full if len(full) <= WIDTH else f"graph: {text}, deriv = {numbers(more[0])}"

    def _why_raised(self, case: Case, error: BaseException) -> str:
        if isinstance(error, RecursionError):
            return "Python allows about 1000 calls within calls: keep a list of what is to be done"
        if isinstance(error, KeyError):
            return "no derivative arrived there: skip a variable that no share reached"
        return ""

    def _asked_too_often(self, case: Case, log: Log) -> Stopped:
        what = f"{self.name}, {case.about}: asked for parents or chain_rule {log.asked} times"
        return self._stop(case, what, "once for each variable is enough: note which were seen")


def absent(
    graph: Sequence[Cell], names: Sequence[str], unsaid: Sequence[str] = ()
) -> tuple[str, str] | None:
    """Return what an order has too much or too little of, and where; None if it has everything.

    ``unsaid`` are names at its end that nobody had to write.
    """
    want = [cell.name for cell in newest_first(graph)]
    wanted, there = set(want), {*names, *unsaid}
    extra = [name for name in names if name not in wanted]
    if extra:
        return f"{extra[0]} does not belong", "leave out constants: no derivative goes there"
    order = f"your order: {listed(names)}"
    for name, count in Counter(names).items():
        if count > 1:
            return f"{name} is there {'twice' if count == 2 else f'{count} times'}", order
    for name in want:
        if name not in there:
            return f"{name} is missing", order
    return None


def fault(
    graph: Sequence[Cell], names: Sequence[str], unsaid: Sequence[str] = ()
) -> tuple[str, str] | None:
    """Return what is wrong with an order, and where; None if it is one of the right ones."""
    found = absent(graph, names, unsaid)
    if found:
        return found
    place = {name: k for k, name in enumerate([*names, *unsaid])}
    for cell in newest_first(graph):
        for one in cell.inputs:
            if not one.constant and place[one.name] < place[cell.name]:
                what = f"{one.name} comes before {cell.name}"
                return what, f"your order: {listed(names)}; {cell.name} is made from {one.name}"
    return None


def listed(names: Sequence[str]) -> str:
    """Write an order for a sentence; of a long one the beginning."""
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


@dataclass(frozen=True)
class OrderExam(GraphExam):
    """``topological_sort(variable)``: every consumer before its inputs; any such order is right.

    ``how``: "members" looks at what is there, whatever its order; "again" too, in a second call.
    """

    equal: str = "your order is"

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        graph = cells(*case.extra)
        for turn in range(2 if case.how == "again" else 1):
            names = self._order(subject, case, graph)
            found = (fault if case.how == "once" else absent)(graph, names)
            if found:
                call = "in a second call " if turn else ""
                because = self._diagnose(case, "", names)
                what, where = found
                raise self._stop(case, f"{self.name}, {case.about}: {call}{what}", where, because)

    def _order(self, subject: Any, case: Case, graph: Sequence[Cell]) -> list[str]:
        log = Log(graph)

        def call(handle: Handle) -> Any:
            try:
                result = subject(handle)
                return result if result is None else list(result)
            except TooOften:
                return TooOften

        result = self._run(f"{self.name}(variable)", case, call, Handle(graph[-1], log))
        if result is TooOften:
            raise self._asked_too_often(case, log)
        if result is None:
            raise self._stop(case, f"{self.name} returned None: is a return missing?", data=False)
        members = set(graph)
        for place, one in enumerate(result):
            if not isinstance(one, Handle):
                what = f"{self.name}: entry {place} of the result is of type {type(one).__name__}"
                raise self._stop(case, what, "return the variables themselves", data=False)
            if one._cell not in members:
                what = f"{self.name}, {case.about}: {one.name} is from a graph of an earlier call"
                raise self._stop(case, what, "what a call notes must be made within the call")
        return [one.name for one in result]

    def is_mistake(self, rule: Wrong, case: Case) -> bool:
        """Whether a wrong order breaks the property on this graph."""
        return fault(cells(*case.extra), self._try(rule, case)) is not None

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return (cells(*case.extra),)

    def _alike(self, got: Any, guess: Any) -> bool:
        return bool(got == guess)


@dataclass(frozen=True)
class EngineExam(GraphExam):
    """``backpropagate(variable, deriv)``, judged by what the leaves have accumulated at the end.

    ``how``: "again" runs it twice; "leaves" looks at who keeps a derivative, whatever its numbers;
    "calls" allows one call of chain_rule for each; "alone" has deriv unchanged. It is run with the
    learner's own topological_sort, and if that fails with a right one: an order is graded once.
    """

    def examine(self, subject: Any, case: Case) -> Finding | None:
        """Run ``case``; a wrong order from topological_sort is not counted here."""
        found = super().examine(subject, case)
        names = subject.__globals__ if isinstance(subject, FunctionType) else {}
        if found is None or "topological_sort" not in names:
            return found
        with _lent(names, "topological_sort", _sorted):
            again = super().examine(subject, case)
        # what goes wrong in a right order is this function's own; unless only the first says why
        return found if again and found.because and not again.because else again

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        text, start = case.extra
        graph = cells(text)
        log = Log(graph)
        deriv = np.array(start)

        def call() -> Any:
            try:
                for _ in range(2 if case.how == "again" else 1):
                    deriv[...] = start
                    subject(Handle(graph[-1], log), deriv)
            except TooOften:
                return TooOften
            return None

        if self._run(f"{self.name}(variable, deriv)", case, call) is TooOften:
            raise self._asked_too_often(case, log)
        self._check_numbers(case, graph, deriv)
        if case.how == "alone" and not np.array_equal(deriv, np.array(start)):
            what = f"{self.name}, {case.about}: deriv itself was changed"
            raise self._stop(case, what, "a + b makes a new array, a += b writes into a")
        if case.how == "leaves":
            for one in graph:
                if one.kept is not None and (one.constant or one.function is not None):
                    what = f"{self.name}, {case.about}: {one.name} has kept a derivative"
                    where = f"{one.name} is a constant" if one.constant else "it is not a leaf"
                    raise self._stop(case, what, f"{where}: ask is_leaf() first")
        if case.how == "calls":
            for one, count in Counter(log.calls).items():
                if count > 1:
                    what = f"{self.name}, {case.about}: chain_rule of {one.name} was called "
                    where = "wait until all its shares have arrived, add them, and call it once"
                    raise self._stop(case, f"{what}{count} times", where)

    def _check_numbers(self, case: Case, graph: Sequence[Cell], deriv: Array) -> None:
        times = 2 if case.how == "again" else 1
        want = {name: times * d for name, d in self._right(case, "").items()}
        leaves = {one.name: one for one in graph if one.name in want}
        got: dict[str, Array] = {}
        for name, one in leaves.items():
            kept = np.zeros(one.data.shape) if one.kept is None else one.kept
            got[name] = np.asarray(kept, dtype=float)
        for name, wish in want.items():
            missing = case.how == "leaves" and leaves[name].kept is None
            if missing or (case.how != "leaves" and differs(got[name], wish)):
                because = self._diagnose(case, "", got)
                label = "after two calls " if times > 1 else ""
                what = f"{self.name}, {case.about}: {label}wrong derivative of {name}"
                if leaves[name].kept is None:
                    where = f"{name} has none, want {numbers(wish)}"
                else:
                    where = f"got {numbers(got[name])}, want {numbers(wish)}"
                raise self._stop(case, what, where, because)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        text, start = case.extra
        return cells(text), np.array(start)

    def _right(self, case: Case, of: str) -> Any:
        return walk(*self._given(case, of))

    def _alike(self, got: Any, guess: Any) -> bool:
        return not any(differs(got[name], guess[name]) for name in guess)


def _sorted(variable: Any) -> list[Any]:
    """Sort as newest_first does, with the handles that an engine may keep."""
    if not isinstance(variable, Handle):
        return []
    return [Handle(one, variable._log) for one in newest_first(behind(variable._cell))]


def behind(root: Cell) -> list[Cell]:
    """Return a cell and all that it was made from, in the order of making."""
    found = {root}
    waiting = [root]
    for cell in waiting:  # which grows as it is walked
        for one in cell.inputs:
            if one not in found:
                found.add(one)
                waiting.append(one)
    return sorted(found, key=lambda cell: cell.serial)


@contextmanager
def _lent(names: dict[str, Any], name: str, value: Any) -> Iterator[None]:
    before = names[name]
    names[name] = value
    try:
        yield
    finally:
        names[name] = before
