"""Two exams of the engine homework, for the methods of the class that an engine walks.

The class is examined by itself, one method after the other, on variables made by its constructor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Array, Case
from .engine_exams import GraphExam
from .engine_graph import Cell, cells
from .messages import differs, first_wrong, numbers


@dataclass(frozen=True)
class MethodExam(GraphExam):
    """What two method exams share: they make variables of the learner's class."""

    method: str = ""

    @property
    def title(self) -> str:
        """The class with the method."""
        return f"{self.name}.{self.method}"

    def _make(self, subject: Any, case: Case, data: Any, *more: Any) -> Any:
        return self._run(f"{self.name}(data, ...)", case, subject, np.array(data), *more)

    def _method(self, case: Case, variable: Any, name: str) -> Any:
        if not callable(getattr(variable, name, None)):
            raise self._stop(case, f"{self.name} has no method {name}", data=False)
        return getattr(variable, name)

    def _derivative(self, case: Case, variable: Any) -> Array | None:
        kept = getattr(variable, "derivative", None)
        try:
            return None if kept is None else np.array(kept, dtype=float)
        except (TypeError, ValueError, OverflowError):
            what = f"{self.name}: derivative is of type {type(kept).__name__}"
            raise self._stop(case, what, "want None or an array", data=False) from None


@dataclass(frozen=True)
class ChainExam(MethodExam):
    """``chain_rule(d_output)`` of a variable that one operation made. A case has its text and d."""

    equal: str = "your shares are"

    def _examine(self, subject: Any, case: Case) -> None:
        text, start = case.extra
        graph = cells(text)
        made: dict[Cell, Any] = {}
        for one in graph:
            how = (one.function, tuple(made[each] for each in one.inputs), one.constant)
            made[one] = self._make(subject, case, one.data, *how)
        d = np.array(start)
        rule = self._method(case, made[graph[-1]], "chain_rule")

        def call() -> Any:
            result = rule(d)
            return result if result is None else list(result)

        result = self._run(f"{self.title}(d_output)", case, call)
        got = self._sums(case, graph[-1].inputs, made, result)
        want = self._right(case, "")
        for name, wish in want.items():
            if name not in got:
                what = f"{self.title}, {case.about}: there is no pair for {name}"
                raise self._stop(case, what, f"want the share {numbers(wish)}")
            if differs(got[name], wish):
                because = self._diagnose(case, "", got)
                what = f"{self.title}, {case.about}: wrong share for {name}"
                raise self._stop(case, what, first_wrong(got[name], wish), because)
        self._check_manners(case, made, d, start)

    def _sums(
        self, case: Case, inputs: Sequence[Cell], made: Mapping[Cell, Any], result: Any
    ) -> dict[str, Array]:
        """Read the pairs; an input that comes twice counts with the sum of its shares."""
        if result is None:
            raise self._stop(case, f"{self.title} returned None: is a return missing?", data=False)
        wanted = set(self._right(case, ""))
        got: dict[str, Array] = {}
        for place, pair in enumerate(result):
            what = f"{self.title}, {case.about}: entry {place} of the result"
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise self._stop(case, f"{what} is not a pair", "want (input, share)")
            one = next((cell for cell in inputs if made[cell] is pair[0]), None)
            if one is None:
                where = "each pair begins with one of the inputs, the Variable itself"
                raise self._stop(case, f"{what} does not begin with an input", where)
            if one.name not in wanted:
                why = "is a constant" if one.constant else "gets no share, so None came for it"
                raise self._stop(case, f"{what} is for {one.name}", f"{one.name} {why}: no pair")
            try:
                share = np.array(pair[1], dtype=float)
                got[one.name] = got[one.name] + share if one.name in got else share
            except (TypeError, ValueError, OverflowError):
                where = f"the share of {one.name} is of type {type(pair[1]).__name__}"
                raise self._stop(case, f"{what} has no numbers", where) from None
        return got

    def _check_manners(
        self, case: Case, made: Mapping[Cell, Any], d: Array, start: Sequence[float]
    ) -> None:
        if not np.array_equal(d, np.array(start)):
            what = f"{self.title}, {case.about}: d_output itself was changed"
            raise self._stop(case, what, "others may hold the same array: compute new ones")
        for cell, one in made.items():
            if self._derivative(case, one) is not None:
                what = f"{self.title}, {case.about}: {cell.name} has kept a derivative"
                raise self._stop(case, what, "only return the shares: the engine hands them out")

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        text, start = case.extra
        return cells(text)[-1], np.array(start)

    def _right(self, case: Case, of: str) -> Any:
        root, d = self._given(case, of)
        return shared(root.shares(d))

    def _alike(self, got: Any, guess: Any) -> bool:
        return got.keys() == guess.keys() and not any(differs(got[n], guess[n]) for n in got)


def shared(pairs: Sequence[tuple[Cell, Array]]) -> dict[str, Array]:
    """Add up the shares of each input, by its name."""
    sums: dict[str, Array] = {}
    for one, share in pairs:
        sums[one.name] = sums[one.name] + share if one.name in sums else share
    return sums


@dataclass(frozen=True)
class KeepExam(MethodExam):
    """``accumulate_derivative(x)`` and ``zero_grad_()``. A case has what is accumulated, in order.

    ``how``: "own" hands one array to two variables; "zero" clears before the last one.
    """

    extras: tuple[str, ...] = ("shares",)
    equal: str = "derivative is"

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the shares."""
        return {"shares": [np.array(one) for one in case.extra]}

    def _examine(self, subject: Any, case: Case) -> None:
        xs = [np.array(one) for one in case.extra]
        variable = self._make(subject, case, xs[0] * 0 + 3)
        other = self._make(subject, case, xs[0] * 0 - 2)
        self._add(case, other, xs[0] if case.how == "own" else xs[0].copy())
        if case.how == "zero":
            self._clear(case, variable, xs)  # nothing to forget yet
        for number, x in enumerate(xs):
            if case.how == "zero" and number == len(xs) - 1:
                self._clear(case, variable, xs)
            self._add(case, variable, x)
        got, want = self._derivative(case, variable), self._right(case, "")
        what = f"{self.name}, {case.about}: "
        if got is None:
            raise self._stop(case, f"{what}derivative is still None", f"want {numbers(want)}")
        if differs(got, want):
            because = self._diagnose(case, "", got)
            raise self._stop(case, f"{what}wrong derivative", first_wrong(got, want), because)
        first, *_ = case.extra
        beside = self._derivative(case, other)
        if beside is None or differs(beside, np.array(first)):
            where = "both were given the same array, and one of them writes into it"
            raise self._stop(case, f"{what}the derivative of another variable changed", where)
        pairs = zip(xs, case.extra, strict=True)
        if case.how == "own" and not all(np.array_equal(x, np.array(one)) for x, one in pairs):
            raise self._stop(case, f"{what}x itself was changed", "a + b makes a new array")
        if case.how == "own":
            self._check_own(case, variable, xs, want)

    def _check_own(self, case: Case, variable: Any, xs: Sequence[Array], want: Array) -> None:
        for x in xs:
            x += 100
        got = self._derivative(case, variable)
        if got is None or differs(got, want):
            what = f"{self.name}, {case.about}: x was changed afterwards, and derivative with it"
            raise self._stop(case, what, "keep a copy: np.array(x) makes one")

    def _add(self, case: Case, variable: Any, x: Array) -> None:
        method = self._method(case, variable, "accumulate_derivative")
        self._run(f"{self.name}.accumulate_derivative(x)", case, method, x)

    def _clear(self, case: Case, variable: Any, xs: Sequence[Array]) -> None:
        data = np.array(variable.data)
        method = self._method(case, variable, "zero_grad_")
        self._run(f"{self.name}.zero_grad_()", case, method)
        kept = self._derivative(case, variable)
        what = f"{self.name}.zero_grad_, {case.about}: "
        if kept is not None and (kept.shape != xs[0].shape or kept.any()):
            where = f"it is {numbers(kept)}, want None or zeros of shape {xs[0].shape}"
            raise self._stop(case, f"{what}the derivative is not forgotten", where)
        if differs(np.array(variable.data), data):
            raise self._stop(case, f"{what}data was changed", "only the derivative is forgotten")

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        arrays = [np.array(one) for one in case.extra]
        return (arrays[-1:] if case.how == "zero" else arrays,)

    def _right(self, case: Case, of: str) -> Any:
        (arrays,) = self._given(case, of)
        return np.sum(arrays, axis=0)

    def _data(self, case: Case) -> str:
        return f"shares, in order: {', '.join(numbers(one) for one in case.extra)}"
