"""The graph engine: an order in which every gradient is complete before it is passed on.

Two tasks. An order is judged by what it must keep to, since many are right; gradients are compared
with formulas. The walk is watched through handles that note what is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grading.cases import Array, Case, laid
from ..grading.exam import Exam, Stopped, Wrong
from ..grading.messages import Finding, differs, first_wrong, numbers
from ..grading.sheet import Block, Task
from ..handles import Variable
from ..tensor import Tensor
from .walks import (
    Engine,
    Told,
    TooMany,
    behind,
    called,
    deepest_first,
    early,
    from_ones,
    ids,
    named,
    nearest_first,
    walking,
)

MOST = 300  # questions to the handles of one graph; there are at most 15 tensors in each


@dataclass(frozen=True)
class GraphExam(Exam):
    """A function of a handle on ``f(x, w)``; ``f`` is in ``case.extra``."""

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the graph's function, and leaves to give it."""
        data = super().at_hand(case)
        return data | {name: data[name].requires_grad_() for name in self.names}

    def _root(self, case: Case) -> tuple[Variable, list[Tensor]]:
        leaves = [laid.tensor(requires_grad=True) for laid in case.inputs]
        asked = [0]

        def hear(*_: Any) -> None:
            asked[0] += 1
            if asked[0] > MOST:
                raise TooMany

        return Told(case.extra[0](*leaves), hear), leaves

    def _walk(self, case: Case, label: str, subject: Any, *args: Any) -> Any:
        """Call the learner's function. Stop if it, or another of theirs, is not written yet."""
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)

        def call(*given: Any) -> Any:
            try:
                result = subject(*given)
                return list(result) if isinstance(result, Iterator) else result
            except (TooMany, NotImplementedError) as error:
                return error

        value = self._run(label, case, call, *args)
        if isinstance(value, TooMany):
            what = f"{self.name}, {case.about}: more than {MOST} steps for so small a graph"
            raise self._stop(case, what, "", self.again)
        if isinstance(value, NotImplementedError):
            trace = value.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            name = trace.tb_frame.f_code.co_name if trace else self.name
            raise Stopped(Finding(f"{name} is not written yet.", ends=True))
        return value

    again: str = "each path is walked on its own: what was visited once need not be visited again"

    def _data(self, case: Case) -> str:
        pairs = [*zip(self.names, case.inputs, strict=True), ("deriv", case.grad_out)]
        return ", ".join(f"{name} = {numbers(laid.values)}" for name, laid in pairs if laid)


class OrderExam(GraphExam):
    """Every consumer before its inputs; each tensor that needs a gradient once; no constants."""

    def _examine(self, subject: Any, case: Case) -> None:
        root, _ = self._root(case)
        order = self._walk(case, f"{self.name}(variable)", subject, root)
        if order is None:
            raise self._stop(case, f"{self.name} returned None: is a return missing?", data=False)
        if not isinstance(order, (list, tuple)) or not all(isinstance(v, Variable) for v in order):
            what = f"{self.name} returned {type(order).__name__}: return a list of variables"
            raise self._stop(case, what, data=False)
        want, got = behind(root), ids(order)
        place = {key: number for number, key in enumerate(got)}
        if len(place) < len(got):
            twice = next(v for number, v in enumerate(order) if place[v.unique_id] != number)
            because = "two handles on one tensor are two objects: remember each v.unique_id"
            raise self._problem(case, f"{called(twice)} comes twice", because)
        if any(v.is_constant() for v in order):
            because = "nobody asks for the gradient of a constant: leave out what is_constant()"
            raise self._problem(case, "a constant is in the list", because)
        if missing := [v for v in want if v.unique_id not in place]:
            what = f"{called(missing[0])} is missing: it needs a gradient too"
            raise self._problem(case, what, "")
        for v in want:
            for parent in Variable(v.tensor).parents:
                if place.get(parent.unique_id, len(got)) < place[v.unique_id]:
                    what = f"{called(parent)} comes before {called(v)}, which sends it a share"
                    raise self._problem(case, what, named(got, root))

    def _problem(self, case: Case, what: str, because: str) -> Exception:
        return self._stop(case, f"{self.name}, {case.about}: {what}", "", because)


def by(engine: Engine) -> Callable[..., tuple[Array, ...]]:
    """Return the gradients that an engine gives, as a Wrong computes them."""

    def compute(exam: EngineExam, case: Case) -> tuple[Array, ...]:
        root, leaves = exam._root(case)
        assert case.grad_out is not None
        engine(Variable(root.tensor), case.grad_out.tensor())
        return tuple(np.array(t.grad.numpy()) for t in leaves if t.grad is not None)

    return compute


class EngineExam(GraphExam):
    """Gradients on the leaves, each step taken once; ``case.extra`` holds f and their formula."""

    def _examine(self, subject: Any, case: Case) -> None:
        root, leaves = self._root(case)
        assert case.grad_out is not None
        deriv = case.grad_out.tensor()
        before = [("deriv", deriv, deriv.storage.copy())]
        for _ in range(2 if case.how == "twice" else 1):
            self._walk(case, f"{self.name}(variable, deriv)", subject, root, deriv)
        grads = [t.grad for t in leaves]
        for name, grad in zip(self.names, grads, strict=True):
            if grad is None:
                where = "does the walk reach the leaves, and call accumulate_derivative there?"
                raise self._stop(case, f"{self.name}, {case.about}: {name}.grad is None", where)
        got = tuple(np.array(grad.numpy()) for grad in grads if grad is not None)
        for name, have, want in zip(self.names, got, self._right(case, ""), strict=True):
            if differs(have, want):
                what = f"{self.name}, {case.about}: wrong {name}.grad"
                because = self._diagnose(case, "", got)
                raise self._stop(case, what, first_wrong(have, want), because)
        for v in behind(Variable(root.tensor)):
            if not v.is_leaf() and v.tensor.grad is not None:
                what = f"{self.name}, {case.about}: {called(v)} keeps a gradient"
                raise self._stop(case, what, "", "only leaves keep theirs: ask is_leaf() first")
        self._same(case, before)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return (self, case)

    def _right(self, case: Case, of: str) -> tuple[Array, ...]:
        assert case.grad_out is not None
        times = 2 if case.how == "twice" else 1
        values = [laid.values for laid in case.inputs]
        return tuple(times * np.asarray(g) for g in case.extra[1](case.grad_out.values, *values))


def two_paths(x: Any, w: Any) -> Any:
    """Return what h = x w reaches on a short path, twice, and on a long one: no share is alike."""
    h = x * w
    return h * h + ((h * 10) * 1) * 1


def doubled(x: Any, w: Any) -> Any:
    """Return x w, doubled twelve times: 4096 paths."""
    y = x * w
    for _ in range(12):
        y = y + y
    return y


ALONE = "what comes of one share alone: shares add up"
LATE = "what comes of visiting a tensor before all its consumers: a share came too late"
ORDER = OrderExam(
    "topological_sort",
    ("x", "w"),
    extras=("f",),
    step="tk.explore.schedule(check.f, check.x, check.w)",
)
ENGINE = EngineExam(
    "backpropagate",
    ("x", "w"),
    wrong=(
        Wrong(ALONE, by(walking(add=False))),
        Wrong(ALONE, by(walking(add=False, keep=False))),
        Wrong(LATE, by(walking(nearest_first))),
        Wrong(LATE, by(walking(deepest_first))),
        Wrong("what comes of starting with ones: start with deriv", by(from_ones)),
        Wrong("what comes of keeping a sum before it is complete, and again after", by(early)),
    ),
    extras=("f", "formula"),
    equal="your gradients equal",
    step="tk.explore.graph(check.f, check.x, check.w)",
)  # fmt: skip

X, W = laid([3, -1]), laid([2, 4])
D = laid([1, 10])
Formula = Callable[..., tuple[Array, ...]]


def order(about: str, f: Callable[..., Any]) -> Case:
    """One graph to be put in order."""
    return Case(about, (X, W), (f,))


def walk(about: str, f: Callable[..., Any], formula: Formula, how: str = "once") -> Case:
    """One graph to be walked; ``formula`` gives the gradients of x and w."""
    return Case(about, (X, W), (f, formula), D, how)


def _chain(x: Any, w: Any) -> Any:
    return -(x * w)


def _again(x: Any, w: Any) -> Any:
    return x * w * x


def _minus(d: Array, x: Array, w: Array) -> tuple[Array, ...]:
    return -d * w, -d * x


def _two(d: Array, x: Array, w: Array) -> tuple[Array, ...]:
    h = x * w
    return (2 * h + 10) * d * w, (2 * h + 10) * d * x


PATHS = "h * h + h * 10 * 1 * 1"
TASKS = {
    "order": Task(
        ORDER,
        (
            Block("chain", "a chain", 1, (order("-(x * w)", _chain),)),
            Block("twice", "a tensor used twice", 1, (order("x * w * x", _again),)),
            Block("paths", "a short and a long path", 1, (order(PATHS, two_paths),)),
            Block("once", "4096 paths, each tensor once", 1, (order("12 doublings", doubled),)),
        ),
    ),
    "engine": Task(
        ENGINE,
        (
            Block("chain", "a chain", 1, (walk("-(x * w)", _chain, _minus),)),
            Block(
                "twice",
                "a tensor used twice",
                1,
                (walk("x * w * x", _again, lambda d, x, w: (2 * d * x * w, d * x * x)),),
            ),
            Block("paths", "a short and a long path", 1, (walk(PATHS, two_paths, _two),)),
            Block(
                "once",
                "4096 paths, each tensor once",
                1,
                (walk("12 doublings", doubled, lambda d, x, w: (4096 * d * w, 4096 * d * x)),),
            ),
            Block("again", "a second call adds", 1, (walk("twice", _chain, _minus, "twice"),)),
        ),
    ),
}
