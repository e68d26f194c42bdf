"""Examine a ``tk.Function`` that a learner wrote: forward, then one gradient for each argument.

Mostly the two methods are called directly with a fresh Context, so that the message is about them
alone. Some checks go through ``apply`` and the real backward pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorkit as tk

from .cases import Array, Case
from .exam import Exam, Numbers
from .messages import differs, first_wrong, spell
from .quiet import limit, quiet


@dataclass(frozen=True)
class FunctionExam(Exam):
    """``forward`` and ``backward`` say in NumPy what the learner's class should give.

    ``settle`` may accept other gradients than ``backward`` returns, where several are right.
    """

    forward: Callable[..., Array] = lambda: np.zeros(())
    backward: Callable[..., Numbers] = lambda: ()
    settle: Callable[..., bool] | None = None

    def _examine(self, subject: Any, case: Case) -> None:
        for method in ("forward", "backward"):
            self._check_signature(subject, method, case)
        if case.how in ("apply", "shared"):
            self._through_apply(subject, case)
        else:
            self._direct(subject, case)

    def _check_signature(self, subject: Any, method: str, case: Case) -> None:
        """Notice a missing method, and one with ``self`` or with arguments left out."""
        call = getattr(subject, method, None)
        if not callable(call):
            raise self._stop(case, f"{self.name} has no method {method}", data=False)
        wanted = ("ctx", *self.names, *self.extras) if method == "forward" else ("ctx", "grad_out")
        try:
            inspect.signature(call).bind(*wanted)
        except TypeError:
            takes = inspect.signature(call)
            what = f"{self.name}.{method} takes {takes}, not ({', '.join(wanted)})"
            where = "write @staticmethod above it, and no self"
            raise self._stop(case, what, where, data=False) from None

    def _direct(self, subject: Any, case: Case) -> None:
        assert case.grad_out is not None
        grad_out = case.grad_out.tensor()
        tensors = [laid.tensor() for laid in case.inputs]
        named = zip((*self.names, "grad_out"), (*tensors, grad_out), strict=True)
        before = [(name, tensor, tensor.storage.copy()) for name, tensor in named]
        ctx = tk.Context()
        if case.may_refuse and self._refuses(subject, case):
            return
        out = self._forward(subject, case, ctx, tensors)
        self._check_out(case, out)
        if case.how == "interleaved":
            self._forward(subject, case, tk.Context(), [laid.tensor() for laid in case.other])
        for _ in range(2 if case.how == "twice" else 1):
            label = f"{self.name}.backward(ctx, grad_out)"
            result = self._run(label, case, subject.backward, ctx, grad_out)
            self._check_grads(case, self._grads(case, result))
        if case.untouched:
            self._same(case, before)

    def _refuses(self, subject: Any, case: Case) -> bool:
        try:
            with quiet(), limit():
                subject.forward(tk.Context(), *(laid.tensor() for laid in case.inputs), *case.extra)
        except tk.TensorkitError:
            return True
        except Exception:
            return False  # told by the run that follows
        return False

    def _forward(self, subject: Any, case: Case, ctx: tk.Context, tensors: list[tk.Tensor]) -> Any:
        ctx._name = subject.__name__  # as apply does: a Context names its function in errors
        label = f"{self.name}.forward({', '.join(('ctx', *self.names, *self.extras))})"
        return self._run(label, case, subject.forward, ctx, *tensors, *case.extra)

    def _check_out(self, case: Case, out: Any) -> None:
        got = self._tensor(f"the result of {self.name}.forward", case, out)
        want = self._right(case, "forward")
        if differs(got, want):
            because = self._diagnose(case, "forward", got)
            what = f"{self.name}.forward, {case.about}: wrong result"
            raise self._stop(case, what, first_wrong(got, want), because)

    def _grads(self, case: Case, result: Any) -> list[Any]:
        """Return the gradients of the tensors, whichever way the learner packed them."""
        wanted = len(self.names) + len(self.extras)
        if result is None:
            what = f"{self.name}.backward returned None: is a return missing?"
            raise self._stop(case, what, data=False)
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        # None for a plain argument may be missing here; a strict check asks for it
        loose = len(parts) == len(self.names) and not case.strict
        if len(parts) != wanted and not loose:
            want = spell([*(f"the gradient of {n}" for n in self.names), *self._nones()])
            what = f"{self.name}.backward returned {_count(parts)}, not {wanted}: return {want}"
            raise self._stop(case, what, data=False)
        return parts[: len(self.names)]

    def _nones(self) -> list[str]:
        return [f"None for {name}" for name in self.extras]

    def _check_grads(self, case: Case, grads: list[Any]) -> None:
        for name, grad in zip(self.names, grads, strict=True):
            if grad is None:
                what = f"{self.name}.backward: the gradient of {name} is None"
                where = "None says that no gradient was asked for: return a tensor, be it of zeros"
                raise self._stop(case, what, where, data=False)
        got = tuple(
            self._tensor(f"{self.name}.backward: the gradient of {name}", case, grad)
            for name, grad in zip(self.names, grads, strict=True)
        )
        self._compare(case, got)

    def _given(self, case: Case, of: str) -> tuple[Any, ...]:
        data = super()._given(case, of)
        if of == "forward":
            return data
        assert case.grad_out is not None
        return (case.grad_out.values, *data)

    def _right(self, case: Case, of: str) -> Any:
        return (self.forward if of == "forward" else self.backward)(*self._given(case, of))

    def _compare(self, case: Case, got: Numbers) -> None:
        for name, have, wish in zip(self.names, got, self._right(case, ""), strict=True):
            settled = self.settle and self.settle(have, *self._given(case, ""))
            if not differs(have, wish) or settled:
                continue
            because = self._diagnose(case, "", got)
            what = f"{self.name}.backward, {case.about}: wrong gradient of {name}"
            raise self._stop(case, what, first_wrong(have, wish), because)

    def _through_apply(self, subject: Any, case: Case) -> None:
        assert case.grad_out is not None
        tensors = [laid.tensor(requires_grad=True) for laid in case.inputs]
        given = [tensors[0]] * len(tensors) if case.how == "shared" else tensors
        label = f"{self.name}.apply({', '.join((*self.names, *self.extras))})"
        out = self._run(label, case, subject.apply, *given, *case.extra)
        self._tensor(f"the result of {label}", case, out)
        label = f"{self.name}.apply(...).backward(grad_out)"
        self._run(label, case, out.backward, case.grad_out.tensor())
        if case.how == "shared":
            self._check_shared(case, tensors[0])
            return
        got = tuple(
            self._tensor(f"{label}: {name}.grad", case, tensor.grad)
            for name, tensor in zip(self.names, tensors, strict=True)
        )
        self._compare(case, got)

    def _check_shared(self, case: Case, tensor: tk.Tensor) -> None:
        assert case.grad_out is not None
        same = [case.inputs[0].values] * len(case.inputs)
        want = np.sum(self.backward(case.grad_out.values, *same, *case.extra), axis=0)
        got = self._tensor(f"{self.name}: {self.names[0]}.grad", case, tensor.grad)
        if differs(got, want):
            what = f"{self.name}, {case.about}: wrong gradient"
            raise self._stop(case, what, first_wrong(got, want))


def _count(parts: list[Any]) -> str:
    return "1 value" if len(parts) == 1 else f"{len(parts)} values"
