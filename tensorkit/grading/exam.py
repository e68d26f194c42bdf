"""Run one check on a learner's code and return what is wrong with it, or nothing.

What is wanted comes from NumPy, never from tensorkit's own gradients: a mistake in tensorkit must
not mark a right answer wrong. When the numbers are wrong, known wrong rules are tried on the same
data: if just one of them gives the learner's numbers, the message can name the mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorkit as tk

from .cases import Array, Case, Laid
from .messages import WIDTH, Finding, differs, first_wrong, number, numbers, own_line, slip, unlike
from .quiet import TooSlow, limit, quiet

Numbers = tuple[Array, ...]


@dataclass(frozen=True)
class Wrong:
    """A known mistake: how it computes, and the words that follow 'your numbers equal'."""

    sentence: str
    compute: Callable[..., Any]
    of: str = ""  # "forward" where it is not about the gradients of a Function


class Stopped(Exception):
    """The check ended early: the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@dataclass(frozen=True)
class Exam:
    """How to examine one name of the learner's notebook; subclasses say what to call."""

    name: str
    names: tuple[str, ...]
    wrong: tuple[Wrong, ...] = ()
    step: str = ""  # the stepper's call on the failed data
    advice: str = ""  # where there is none
    extras: tuple[str, ...] = ()
    equal: str = "your numbers equal"  # how the sentence of a known mistake begins

    @property
    def title(self) -> str:
        """What is examined, for the first line of a report."""
        return self.name

    def subject(self, names: Mapping[str, Any]) -> Any:
        """Return what is examined, out of the notebook's names; ``name`` is among them."""
        return names[self.name]

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the data of a public check, by name, for the learner to step through."""
        tensors = [laid.tensor() for laid in case.inputs]
        data: dict[str, Any] = dict(zip(self.names, tensors, strict=False))
        data |= dict(zip(self.extras, case.extra, strict=False))
        if case.grad_out is not None:
            data["grad_out"] = case.grad_out.tensor()
        return data

    def examine(self, subject: Any, case: Case) -> Finding | None:
        """Run ``case`` on ``subject``; return None when everything holds."""
        try:
            self._examine(subject, case)
        except Stopped as stop:
            return stop.finding
        return None

    def _examine(self, subject: Any, case: Case) -> None:
        raise NotImplementedError

    def _run(self, label: str, case: Case, call: Callable[..., Any], *args: Any) -> Any:
        """Call the learner's code, quietly; turn an exception into a finding about their line."""
        try:
            with quiet(), limit():
                return call(*args)
        except NotImplementedError:
            raise Stopped(Finding(f"{label} is not written yet.", ends=True)) from None
        except TooSlow as slow:
            what = f"{label}: {slow}. Is there a loop without end?"
            raise Stopped(Finding(what, ends=True)) from None
        except (Exception, SystemExit) as error:
            # the text of the error could show the data of a hidden check
            text = str(error).strip().split("\n")[0] if case.shown else ""
            what = f"{label} raised {type(error).__name__}" + (f": {text}" if text else "")
            where = own_line(error.__traceback__)
            because = slip(error, where) or self._why_raised(case, error)
            raise self._stop(case, what, where, because, data=case.shown) from None

    def _why_raised(self, case: Case, error: BaseException) -> str:
        """Name the known mistake that ends in this error, if an exam knows one."""
        return ""

    def _stop(
        self, case: Case, what: str, where: str = "", because: str = "", data: bool = True
    ) -> Stopped:
        """Make the finding: open for a public check, only the property for a hidden one."""
        if not case.shown:
            where = where if where.startswith("at your line") else ""
            raised = what if " raised " in what else ""
            method = re.match(rf"{self.name}(\.\w+)?", what)
            return Stopped(
                Finding(
                    f"{method[0] if method else self.name}: property failed: {case.about}.",
                    " ".join(part for part in (raised, where) if part),
                    then=f"next: {case.hint}",
                    hidden=True,
                )
            )
        then = f"try: {self.step}" if data and self.step else ""
        then = then or (f"next: {self.advice}" if self.advice else "")
        return Stopped(Finding(what, where, self._data(case) if data else "", because, then, case))

    def _data(self, case: Case) -> str:
        """Write the data of a public check on one line."""
        pairs = list(zip(self.names, case.inputs, strict=False))
        if case.grad_out is not None:
            pairs.append(("grad_out", case.grad_out))
        extras = [f"{k} = {v}" for k, v in zip(self.extras, case.extra, strict=False)]
        for writers in ((_equal, _equal), (_shaped, _equal), (_shaped, _shaped)):
            parts = [writers[name == "grad_out"](name, data.values) for name, data in pairs]
            line = ", ".join(parts[: len(case.inputs)] + extras + parts[len(case.inputs) :])
            if len(line) <= WIDTH:
                break
        return line

    def _tensor(self, label: str, case: Case, value: Any) -> Array:
        """Read the numbers of a returned Tensor; anything else is a finding."""
        if isinstance(value, tk.Tensor):
            return np.array(value.numpy(), dtype=np.float64)
        if value is None:
            text = f"{label} is None: is a return missing?"
        elif isinstance(value, np.ndarray):
            text = f"{label} is a NumPy array: return a Tensor, tk.tensor(array)"
        else:
            text = f"{label} is of type {type(value).__name__}: return a Tensor"
        raise self._stop(case, text, data=False)

    def _same(self, case: Case, before: Sequence[tuple[str, tk.Tensor, Array]]) -> None:
        """Require that no argument was changed in place."""
        for name, tensor, storage in before:
            if not np.array_equal(tensor.storage, storage, equal_nan=True):
                raise self._stop(
                    case,
                    f"{self.name} changed {name} in place",
                    "others may still need those numbers: compute a new tensor instead",
                    data=False,
                )

    def _diagnose(self, case: Case, of: str, got: Any) -> str:
        """Name the known mistake that gives these numbers, if just one does."""
        if not case.shown:
            return ""
        rules = [rule for rule in self.wrong if rule.of == of]
        matches = {rule.sentence for rule in rules if self._gives(rule, case, got)}
        return f"{self.equal} {matches.pop()}" if len(matches) == 1 else ""

    def _gives(self, rule: Wrong, case: Case, got: Any) -> bool:
        try:
            return self._alike(got, self._try(rule, case))
        except Exception:
            return False  # this mistake cannot be made on this data

    def is_mistake(self, rule: Wrong, case: Case) -> bool:
        """Whether a known wrong rule can be tried on this data, and gives something wrong."""
        try:
            got = self._try(rule, case)
        except Exception:
            return False
        return not self._alike(self._right(case, rule.of), got)

    def _try(self, rule: Wrong, case: Case) -> Any:
        """Return what a known mistake gives."""
        with np.errstate(all="ignore"):
            return rule.compute(*self._given(case, rule.of))

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        """Return what a rule computes with."""
        return (*(laid.values for laid in case.inputs), *case.extra)

    def _right(self, case: Case, of: str) -> Any:
        """Return what a right answer gives."""
        raise NotImplementedError

    def _alike(self, got: Any, guess: Any) -> bool:
        """Whether two results are the same numbers, in the same shapes."""
        pairs = [part if isinstance(part, tuple) else (part,) for part in (got, guess)]
        arrays = [[np.asarray(one, dtype=np.float64) for one in pair] for pair in pairs]
        return len(arrays[0]) == len(arrays[1]) and not any(map(unlike, *arrays))


@dataclass(frozen=True)
class CallExam(Exam):
    """Examine a plain function: ``expect`` computes what it should return, in NumPy."""

    expect: Callable[..., Any] = lambda: None
    tensors: bool = True
    secret: bool = False  # answers typed by hand: never show what is wanted

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        want = self._right(case, "")
        args: list[Any] = [self._argument(laid) for laid in case.inputs]
        before = [
            (name, arg, arg.storage.copy())
            for name, arg in zip(self.names, args, strict=False)
            if isinstance(arg, tk.Tensor)
        ]
        label = f"{self.name}({', '.join((*self.names, *self.extras))})"
        value = self._run(label, case, subject, *args, *case.extra)
        got = self._read(f"the result of {label}", case, value)
        if differs(got, want):
            because = self._diagnose(case, "", got)
            what = f"{self.name}, {case.about}: wrong result"
            raise self._stop(case, what, self._where(got, want), because)
        if case.untouched:
            self._same(case, before)
            for name, arg, laid in zip(self.names, args, case.inputs, strict=True):
                if not self.tensors and arg != laid.values.tolist():
                    what = f"{self.name} changed its argument {name}"
                    raise self._stop(case, what, "compute with lists of your own", data=False)

    def _right(self, case: Case, of: str) -> Array:
        return np.asarray(self.expect(*self._given(case, of)), dtype=np.float64)

    def _argument(self, laid: Laid) -> Any:
        return laid.tensor() if self.tensors else laid.values.tolist()

    def _read(self, label: str, case: Case, value: Any) -> Array:
        if self.tensors:
            return self._tensor(label, case, value)
        try:
            if value is None:
                raise TypeError
            return np.array(value.numpy() if isinstance(value, tk.Tensor) else value, dtype=float)
        except (TypeError, ValueError, OverflowError):
            text = f"{label} should be numbers, in rows of equal length"
            raise self._stop(case, text, data=False) from None

    def _where(self, got: Array, want: Array) -> str:
        if not self.secret or got.shape != want.shape:
            return first_wrong(got, want)
        place = [int(i) for i in np.argwhere(~np.isclose(got, want))[0]]
        count = int((~np.isclose(got, want)).sum())
        cell = number(got[tuple(place)])
        return f"first wrong cell {place}: you wrote {cell} ({count} of {want.size} are wrong)"


def _equal(name: str, values: Array) -> str:
    return f"{name} = {numbers(values)}" if values.size <= 12 else _shaped(name, values)


def _shaped(name: str, values: Array) -> str:
    return f"{name} of shape {values.shape}"
