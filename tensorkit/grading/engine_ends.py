"""Two exams of the engine homework: where the walk starts, and the order that one engine took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Array, Case
from .engine_exams import GraphExam, fault
from .engine_graph import Cell, Handle, Log, cells, newest_first
from .exam import Exam, Wrong
from .messages import differs, first_wrong


@dataclass(frozen=True)
class DiaryExam(GraphExam):
    """An order typed by hand: right as an order, and with ``how`` "own" the learner's engine's."""

    engine: str = "backpropagate"

    def subject(self, names: Mapping[str, Any]) -> Any:
        """Return the function that was written, and the engine that it is about."""
        return names[self.name], names.get(self.engine)

    def _examine(self, subject: Any, case: Case) -> None:
        typed, engine = subject
        if not callable(typed):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        value = self._run(f"{self.name}()", case, typed)
        if not isinstance(value, (list, tuple)) or not all(isinstance(n, str) for n in value):
            what = f"the result of {self.name}() should be a list of names, such as ['y', 'h']"
            raise self._stop(case, what, data=False)
        graph = cells(case.extra[0])
        names = [name.strip() for name in value]
        if case.how == "own":
            self._compare(case, graph, names, engine)
            return
        inner = [cell for cell in newest_first(graph) if cell.function is not None]
        rest = [cell.name for cell in newest_first(graph) if cell.function is None]
        leaf = next((name for name in names if name in rest), None)
        found = fault(graph, names, rest)
        if leaf or found:
            what, where = found or ("", "")
            if leaf:
                what, where = f"{leaf} is a leaf", "name the variables that were made by operations"
            raise self._stop(case, f"{self.name}, {case.about}: {what}", where)
        assert len(names) == len(inner)

    def _compare(
        self, case: Case, graph: Sequence[Cell], names: Sequence[str], engine: Any
    ) -> None:
        if not callable(engine):
            what = f"{self.engine} is not defined: run the cell in which you write it"
            raise self._stop(case, what, data=False)
        log = Log(graph)
        deriv = np.ones(graph[-1].data.shape)
        self._run(f"{self.engine}(y, deriv)", case, engine, Handle(graph[-1], log), deriv)
        done = [cell.name for cell in log.calls]
        for place, (name, was) in enumerate(zip(names, done, strict=False)):
            if name != was:
                what = f"{self.name}, {case.about}: entry {place} is not what your engine did"
                where = f"you wrote {name!r}: play your topological_sort through to there"
                raise self._stop(case, what, where)
        if len(names) != len(done):
            what = f"{self.name}, {case.about}: you wrote {len(names)} names"
            where = f"your engine called chain_rule {len(done)} times"
            raise self._stop(case, what, where)


@dataclass(frozen=True)
class SeedExam(Exam):
    """``seed(variable, grad_out)``: what backward starts from, or a ValueError."""

    equal: str = "your result is"

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        data, grad_out = case.extra
        cell = Cell("variable", np.array(data))
        given = [] if grad_out is None else [np.array(grad_out)]
        want = self._right(case, "")

        def call(*args: Any) -> Any:
            try:
                return subject(*args)
            except ValueError:
                if want is None:
                    return ValueError
                raise

        label = f"{self.name}({', '.join(('variable', *('grad_out' for _ in given)))})"
        value = self._run(label, case, call, Handle(cell, Log([cell])), *given)
        if want is None:
            if value is not ValueError:
                what = f"{self.name}, {case.about}: no ValueError was raised"
                raise self._stop(case, what, "write raise ValueError('...')")
            return
        got = self._read(case, value)
        if differs(got, want):
            because = self._diagnose(case, "", got)
            what = f"{self.name}, {case.about}: wrong result"
            raise self._stop(case, what, first_wrong(got, want), because)
        if given and not np.array_equal(given[0], np.array(grad_out)):
            raise self._stop(case, f"{self.name} changed grad_out in place", data=False)

    def _read(self, case: Case, value: Any) -> Array:
        if value is None:
            raise self._stop(case, f"{self.name} returned None: is a return missing?", data=False)
        try:
            return np.array(value, dtype=float)
        except (TypeError, ValueError, OverflowError):
            what = f"{self.name} returned a {type(value).__name__}: want an array of numbers"
            raise self._stop(case, what, data=False) from None

    def _right(self, case: Case, of: str) -> Any:
        data, grad_out = (None if one is None else np.array(one) for one in case.extra)
        assert data is not None
        if grad_out is not None:
            return grad_out if grad_out.shape == data.shape else None
        return np.ones(data.shape) if data.size == 1 else None

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return tuple(None if one is None else np.array(one) for one in case.extra)

    def is_mistake(self, rule: Wrong, case: Case) -> bool:
        """Whether a known mistake gives a wrong result here; refusals are told apart by the run."""
        return self._right(case, "") is not None and super().is_mistake(rule, case)

    def _data(self, case: Case) -> str:
        data, grad_out = self._given(case, "")
        shape = f"variable of shape {data.shape}"
        return shape if grad_out is None else f"{shape}, grad_out of shape {grad_out.shape}"
