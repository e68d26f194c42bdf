"""Examine functions of plain values: ints, tuples, lists; what they return is compared exactly.

A list is as good as a tuple, and an int of NumPy as good as one of Python. A position, an index or
a shape is counted, never measured, so a strict check takes 3 and not 3.0. Some functions return
nothing and fill a buffer of the caller's instead, which may hold anything before.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Case
from .exam import Exam, Wrong

REFUSED = "an error"  # stands for the right answer where none exists


@dataclass(frozen=True)
class Raised:
    """An error that came out of a call, and not as its result."""

    error: Exception


class NotCounted(TypeError):
    """A value that holds a float where something is counted."""


def plain(value: Any, floats: bool = False) -> Any:
    """Return ints, bools and None as Python's own and every run of them as a tuple.

    Raises NotCounted for a float unless ``floats``, and TypeError for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return tuple(plain(part, floats) for part in value)
    if isinstance(value, (float, np.floating)):
        if floats:
            return float(value)
        raise NotCounted(f"{value!r} is a float")
    return operator.index(value)


def written(value: Any) -> str:
    """Write a value as in code: an array as a list, a number of NumPy as one of Python."""
    return repr(_python(value))


def _python(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return type(value)(map(_python, value)) if type(value) in (list, tuple) else value


@dataclass(frozen=True)
class ValueExam(Exam):
    """A function of ``extras``; ``expect`` computes what it must return.

    Where ``expect`` raises ``error``, the learner's function must raise it too. ``settle`` may
    accept other results than the expected one, where several are right: it gets the result and the
    arguments.
    """

    expect: Callable[..., Any] = lambda: None
    error: type[Exception] | None = None
    error_name: str = ""  # how a learner writes it, such as tk.IndexingError
    settle: Callable[..., bool] | None = None
    equal: str = "your result is"

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        args = copy.deepcopy(case.extra)
        want = self._right(case, "")
        value = self._call(subject, case, args, want)
        if value is REFUSED:
            return
        if isinstance(value, Raised):
            kind = type(value.error).__name__
            what = f"{self.name}, {case.about}: the error is {kind}, not {self.error_name}"
            raise self._stop(case, what, f"write raise {self.error_name}(...)")
        if isinstance(value, Exception):
            what = f"{self.name}, {case.about}: an error was returned, not raised"
            raise self._stop(case, what, f"write raise {self.error_name}(...), without return")
        got = self._read(case, value)
        if want is REFUSED:
            what = f"{self.name}, {case.about}: no error was raised"
            where = f"got {written(got)}, want raise {self.error_name}(...)"
            raise self._stop(case, what, where, self._diagnose(case, "", got))
        if not self._accepts(got, want, case):
            raise self._wrong(case, got, want)
        if case.untouched:
            self._unchanged(case, args)

    def _call(self, subject: Any, case: Case, args: tuple[Any, ...], want: Any) -> Any:
        """Call the learner's function. Where an error is right, return REFUSED or Raised."""

        def call(*given: Any) -> Any:
            try:
                return subject(*given)
            except NotImplementedError:
                raise
            except Exception as error:
                if want is not REFUSED or self.error is None:
                    raise
                return REFUSED if isinstance(error, self.error) else Raised(error)

        label = f"{self.name}({', '.join(self.extras)})"
        return self._run(label, case, call, *args)

    def _read(self, case: Case, value: Any, of: str = "the result") -> Any:
        label = f"{of} of {self.name}" if of == "the result" else f"{self.name}: {of}"
        try:
            return plain(value, floats=not case.strict)
        except NotCounted:
            what = f"{label} is {written(value)}: write whole numbers, without a point"
            where = "// and % give ints; / gives floats, even for 6 / 3, and NumPy sometimes does"
            raise self._stop(case, what, where) from None
        except TypeError:
            what = f"{label} is of type {type(value).__name__}: {written(value)[:50]}"
            raise self._stop(case, what, "want ints, tuples or lists", data=False) from None

    def _accepts(self, got: Any, want: Any, case: Case) -> bool:
        if got is None or want is None:
            return got is want
        if got == want or not self.settle:
            return bool(got == want)
        try:
            return self.settle(got, *case.extra)
        except (TypeError, ValueError, LookupError):
            return False  # not of a kind that could be right

    def _wrong(self, case: Case, got: Any, want: Any) -> Exception:
        because = self._diagnose(case, "", got)
        what = f"{self.name}, {case.about}: wrong result"
        if got is None and not because:
            what = f"{self.name} returned None: is a return missing?"
        return self._stop(case, what, first_difference(got, want), because)

    def _unchanged(self, case: Case, args: Sequence[Any]) -> None:
        for name, arg, before in zip(self.extras, args, case.extra, strict=False):
            if written(arg) != written(before):
                what = f"{self.name} changed its argument {name}"
                where = f"it was {written(before)}, and is {written(arg)} after the call"
                raise self._stop(case, what, where, data=False)

    def _right(self, case: Case, of: str) -> Any:
        return self._outcome(self.expect, *self._given(case, of))

    def _try(self, rule: Wrong, case: Case) -> Any:
        return self._outcome(rule.compute, *self._given(case, rule.of))

    def _outcome(self, rule: Callable[..., Any], *args: Any) -> Any:
        """Return what a rule gives; REFUSED if it raises the error."""
        try:
            return plain(rule(*args), floats=True)
        except Exception as error:
            if self.error and isinstance(error, self.error):
                return REFUSED
            raise

    def _why_raised(self, case: Case, error: BaseException) -> str:
        if self.error and isinstance(error, self.error):
            return self._diagnose(case, "", REFUSED).replace(self.equal, "this is", 1)
        return ""

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return copy.deepcopy(case.extra)

    def _alike(self, got: Any, guess: Any) -> bool:
        return (got is None) == (guess is None) and bool(got == guess)

    def _data(self, case: Case) -> str:
        pairs = zip(self.extras, case.extra, strict=False)
        return ", ".join(f"{name} = {written(value)}" for name, value in pairs)


@dataclass(frozen=True)
class BufferExam(ValueExam):
    """A function of ``extras`` and of a buffer that it fills; ``expect`` returns the entries.

    The buffer is the last argument. A case may bring one that is longer than what is written: the
    rest is the caller's.
    """

    buffer: str = "out_index"
    equal: str = "the buffer holds"

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise self._stop(case, f"{self.name} is not a function any more", data=False)
        args = copy.deepcopy(case.extra)
        want = self._right(case, "")
        before = [-1] * len(want) if case.buffer is None else case.buffer
        buffer = copy.deepcopy(before)
        label = f"{self.name}({', '.join((*self.extras, self.buffer))})"
        self._run(label, case, subject, *args, buffer)
        got = self._read(case, buffer, self.buffer)
        kept = plain(before)
        if got == kept and got[: len(want)] != want:
            self._check_written(subject, case, before)
        if got[: len(want)] != want:
            what = f"{self.name}, {case.about}: wrong entries in {self.buffer}"
            entries = got[: len(want)]
            because = self._diagnose(case, "", entries)
            raise self._stop(case, what, first_difference(list(entries), list(want)), because)
        if got[len(want) :] != kept[len(want) :]:
            what = f"{self.name}, {case.about}: entries after the first {len(want)} were changed"
            raise self._stop(case, what, "they belong to the caller: leave them as they are")
        if case.untouched:
            self._unchanged(case, args)

    def _check_written(self, subject: Any, case: Case, before: Any) -> None:
        """Notice a function that makes its entries, but not in the buffer."""
        buffer = [-1] * len(before) if isinstance(before, list) else np.full_like(before, -1)
        label = f"{self.name}({', '.join((*self.extras, self.buffer))})"
        value = self._run(label, case, subject, *copy.deepcopy(case.extra), buffer)
        if len(buffer) and all(entry == -1 for entry in buffer):
            what = f"{self.name}: nothing was written into {self.buffer}"
            note = "what is returned is not looked at: " if value is not None else ""
            where = f"{note}write each entry, as in {self.buffer}[0] = ..."
            raise self._stop(case, what, where, data=False)


def first_difference(got: Any, want: Any) -> str:
    """Say where two values differ first: 'got (1, 2), want (3, 1): entry 0 is wrong'."""
    said = f"got {written(got)}, want {written(want)}"
    runs = (list, tuple)
    if not isinstance(want, runs) or len(want) < 2:
        return said
    if not isinstance(got, runs) or len(got) != len(want):
        return said
    entry = next(k for k, (a, b) in enumerate(zip(got, want, strict=True)) if a != b)
    return f"{said}: entry {entry} is the first wrong one"
