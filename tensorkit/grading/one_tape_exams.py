"""Two exams of the one-tape homework: an enumeration as a whole, and a class that reads a storage.

An enumeration is judged by two laws that are told apart: every index comes once, and the last dim
turns fastest. The class is judged by what its tensors read, not by how they were made.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import numpy as np

import tensorkit as tk

from ..layout import row_major
from .cases import Array, Case, Laid
from .exam import Exam
from .messages import number
from .values import BufferExam, plain, written

Ints = tuple[int, ...]


def position(index: Sequence[int], strides: Sequence[int]) -> int:
    """Return where the cell at ``index`` lies."""
    return sum(i * s for i, s in zip(index, strides, strict=True))


def indexes(shape: Sequence[int]) -> list[Ints]:
    """Return every index of a shape in reading order: the last dim turns fastest."""
    return list(product(*map(range, shape)))


@dataclass(frozen=True)
class EnumerateExam(BufferExam):
    """``to_index(ordinal, shape, out_index)``. A case has both numbers, or "every" ordinal.

    With every ordinal the order does not matter: each index must come once. With ``how`` "buffer"
    the answer must also be the same as in a buffer of zeros.
    """

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Add a tensor of the shape, to see it counted."""
        return super().at_hand(case) | {"x": tk.Tensor(_tape(case.extra[1]), case.extra[1])}

    def _examine(self, subject: Any, case: Case) -> None:
        if case.extra[0] != "every" or not callable(subject):
            super()._examine(subject, case)
            return
        shape = case.extra[1]
        start = np.zeros(len(shape), dtype=np.int32) if case.buffer is None else case.buffer
        self._check_written(subject, replace(case, extra=(prod(shape) - 1, shape)), start)
        seen: dict[Ints, int] = {}
        for ordinal in range(prod(shape)):
            one = replace(case, extra=(ordinal, shape))
            got = self._index(subject, one, start)
            if case.how == "buffer":
                self._same_as_fresh(subject, one, got, start)
            what = f"{self.name}, {case.about}: ordinal {ordinal} became {list(got)}"
            if any(not 0 <= i < n or i != int(i) for i, n in zip(got, shape, strict=True)):
                raise self._stop(one, what, f"shape {shape} has no such index", self._why(one, got))
            if got in seen:
                where = f"so did ordinal {seen[got]}: every index must come exactly once"
                raise self._stop(one, what, where, self._why(one, got))
            seen[got] = ordinal

    def _index(self, subject: Any, case: Case, start: Any) -> Ints:
        """Call on a copy of a buffer; return what was written, without the rest of the buffer."""
        ordinal, shape = case.extra
        buffer = copy.deepcopy(start)
        label = f"{self.name}({', '.join((*self.extras, self.buffer))})"
        self._run(label, case, subject, ordinal, copy.deepcopy(shape), buffer)
        got: Ints = self._read(case, buffer, self.buffer)
        if got[len(shape) :] != plain(start)[len(shape) :]:
            what = f"{self.name}, {case.about}: entries after the first {len(shape)} were changed"
            raise self._stop(case, what, "they belong to the caller: leave them as they are")
        return got[: len(shape)]

    def _same_as_fresh(self, subject: Any, case: Case, got: Ints, start: Any) -> None:
        zeros = [0] * len(start) if isinstance(start, list) else np.zeros_like(start)
        fresh = self._index(subject, case, zeros)
        if got != fresh:
            what = f"{self.name}, {case.about}: what was in {self.buffer} before shows"
            where = f"{list(fresh)} in a buffer of zeros, {list(got)} in one of {written(start)}"
            raise self._stop(case, what, where)

    def _why(self, case: Case, got: Ints) -> str:
        return self._diagnose(case, "", got)

    def _right(self, case: Case, of: str) -> Any:
        if case.extra[0] == "every":
            return None
        return super()._right(case, of)


@dataclass(frozen=True)
class TapeExam(Exam):
    """A method of the learner's TensorData. A case has its shape, its strides and the arguments.

    ``how`` says what must hold of permute: the "shape" of what it returns, the "cells" as well, or
    that it is "shared": over the same storage, and without a change to what was permuted.
    """

    method: str = ""
    equal: str = "you returned"

    @property
    def title(self) -> str:
        """The class with the method."""
        return f"{self.name}.{self.method}"

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the tensor as x, beside its shape and strides."""
        shape, strides, *_ = case.extra
        return super().at_hand(case) | {"x": tk.Tensor(_tape(shape, strides), shape, strides)}

    def _examine(self, subject: Any, case: Case) -> None:
        shape, strides, *args = case.extra
        storage = _tape(shape, strides)
        label = f"{self.title}({', '.join('*' + name for name in self.extras[2:])})"
        made = self._run(
            "TensorData(storage, shape, strides)", case, subject, storage, *case.extra[:2]
        )
        if not callable(getattr(made, self.method, None)):
            raise self._stop(case, f"TensorData has no method {self.method}", data=False)
        result = self._run(label, case, getattr(made, self.method), *(args[0] if args else ()))
        if self.method == "is_contiguous":
            self._check_answer(case, result)
            if self._form(case, made) != case.extra[:2]:
                what = f"{self.title} changed the tensor that it was called on"
                raise self._stop(case, what, "it answers a question: leave self alone", data=False)
        else:
            self._check_moved(case, made, storage, result)

    def _check_answer(self, case: Case, result: Any) -> None:
        if result is None:
            what = f"{self.title}() returned None: is a return missing?"
            raise self._stop(case, what, "want True or False", data=False)
        if not isinstance(result, (bool, np.bool_, int)):
            what = f"{self.title}() returned {written(result)[:50]}: want True or False"
            raise self._stop(case, what, data=False)
        if bool(result) != self._right(case, ""):
            shape, strides = case.extra
            places = [position(index, strides) for index in indexes(shape)]
            shown = ", ".join(map(str, places[:8])) + (", ..." if len(places) > 8 else "")
            what = f"{self.title}, {case.about}: got {bool(result)}, want {not result}"
            raise self._stop(case, what, f"read in order, the cells lie at positions {shown}")

    def _check_moved(self, case: Case, made: Any, storage: Array, result: Any) -> None:
        got = self._form(case, result)
        want = self._right(case, "")
        because = self._diagnose(case, "", got)
        what = f"{self.title}, {case.about}: wrong "
        if got[0] != want[0]:
            raise self._stop(case, f"{what}shape", f"got {got[0]}, want {want[0]}", because)
        if case.how == "shape":
            return
        for index in indexes(want[0]):
            wish = storage[position(index, want[1])]
            place = position(index, got[1])
            if not 0 <= place < len(result.storage):
                where = f"cell {list(index)} would lie at position {place}: the storage ends before"
                raise self._stop(case, f"{what}strides", where, because)
            have = number(result.storage[place])
            if have != number(wish):
                where = f"first wrong cell {list(index)}: got {have}, want {number(wish)}"
                raise self._stop(case, f"{what}cells", where, because)
        if case.how == "shared":
            self._check_shared(case, made, storage, result)

    def _form(self, case: Case, result: Any) -> tuple[Ints, Ints]:
        """Return shape and strides of what permute returned."""
        if result is None:
            raise self._stop(case, f"{self.title} returned None: is a return missing?", data=False)
        parts: list[Any] = [getattr(result, name, None) for name in ("storage", "shape", "strides")]
        if not isinstance(parts[0], (np.ndarray, list, tuple)):
            what = f"{self.title} returned {type(result).__name__}, not a TensorData"
            raise self._stop(case, what, "return TensorData(storage, shape, strides)", data=False)
        try:
            if not all(isinstance(part, (np.ndarray, list, tuple)) for part in parts):
                raise TypeError
            form: list[Ints] = [tuple(map(operator.index, part)) for part in parts[1:]]
        except TypeError:
            what = f"{self.title}: shape and strides of the result must be tuples of ints"
            where = f"got {written(parts[1])} and {written(parts[2])}"
            raise self._stop(case, what, where, data=False) from None
        if len(form[0]) != len(form[1]):
            what = f"{self.title}: the result has {len(form[0])} lengths and {len(form[1])} strides"
            raise self._stop(case, what, "each dim needs one of both", data=False)
        return form[0], form[1]

    def _check_shared(self, case: Case, made: Any, storage: Array, result: Any) -> None:
        shape, strides, _ = case.extra
        before = _tape(shape, strides)
        if self._form(case, made) != (shape, strides):
            what = f"{self.title} changed the tensor that it was called on"
            raise self._stop(case, what, "return a new TensorData and leave self alone", data=False)
        if result is made:
            what = f"{self.title} returned the tensor that it was called on"
            raise self._stop(case, what, "return a new TensorData, as for any order", data=False)
        if not np.array_equal(storage, before):
            raise self._stop(case, f"{self.title} moved numbers in the storage", data=False)
        if not np.shares_memory(np.asarray(result.storage), storage):
            what = f"{self.title} copied the storage: no number has to move"
            where = "both tensors read one storage, so a write through one shows in the other"
            raise self._stop(case, what, where, data=False)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        return case.extra

    def _right(self, case: Case, of: str) -> Any:
        shape, strides, *order = case.extra
        if self.method == "is_contiguous":
            return [position(i, strides) for i in indexes(shape)] == list(range(prod(shape)))
        return tuple(shape[d] for d in order[0]), tuple(strides[d] for d in order[0])

    def _alike(self, got: Any, guess: Any) -> bool:
        return bool(got == guess)

    def _data(self, case: Case) -> str:
        pairs = zip(self.extras, case.extra, strict=True)
        return ", ".join(f"{name} = {written(value)}" for name, value in pairs)


def _tape(shape: Ints, strides: Ints | None = None) -> Array:
    """Return a storage for a layout: 10, 20, 30 ..., numbers that nobody takes for positions."""
    steps = row_major(shape) if strides is None else strides
    last = sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    return np.arange(10.0, 10.0 * (last + 2), 10.0)


def tape(shape: Ints, layout: Any = "plain") -> Laid:
    """Return numbers of a shape in a layout, to look at beside a check."""
    return Laid(10.0 * np.arange(1.0, 1.0 + prod(shape)).reshape(shape), layout)
