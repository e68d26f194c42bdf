"""The gradients homework's own checks: which mistakes they know, what half an answer keeps, and
that what they want agrees with nudging."""

import numpy as np
import pytest
from homework import HOMEWORKS

import tensorkit as tk
from tensorkit.grading import quiet
from tensorkit.grading.cases import Laid, mixed
from tensorkit.grading.functions import FunctionExam

HOME = HOMEWORKS["gradients"]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 5.0)


def test_the_bank_covers_the_known_mistakes():
    known = "F01 F02 F03 F04 F06 F07 F08 F12 F14 F15 F18 F19 F20 F21 F22 F24 F25 F26 F28"
    known += " A01 A02 A03 A05 A06 A07 P02 P04"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}
    kept = {entry.task for entry in HOME.bank if entry.keeps == "all"}
    assert kept >= {"mul", "max", "unbroadcast"}


EQUIVALENT = {
    "relu": {"return grad_out * (x > 0) -> return grad_out * (x >= 0)": "at 0 both are accepted"},
    "max": {
        "ctx.save_for_backward(x, out) -> ctx.save_for_backward(out, x)": "== may be exchanged",
        "x, out = ctx.saved_tensors -> out, x = ctx.saved_tensors": "== may be exchanged",
        "winners = x == out -> winners = x >= out": "no cell is larger than the largest",
    },
}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.5)
    assert HOME.survivors(cell) == set(EQUIVALENT.get(cell, ()))


def wrapped(task: str, change) -> dict:
    """The reference solution, with its tensors changed on the way in."""
    name = HOME.tasks[task].exam.name
    subject = HOME.reference(task)[name]
    if not isinstance(subject, type):
        return {name: lambda *args: subject(*[change(a) for a in args])}

    class Wrapped(subject):
        @staticmethod
        def forward(ctx, *args):
            return subject.forward(ctx, *[change(a) for a in args])

        @staticmethod
        def backward(ctx, grad_out):
            return subject.backward(ctx, change(grad_out))

    return {name: Wrapped}


def test_right_only_for_plain_2d_data_keeps_about_half():
    def from_storage(value):
        if not isinstance(value, tk.Tensor):
            return value
        assert value.ndim == 2, "two dims only"
        return tk.tensor(value.storage[: value.size].reshape(value.shape))

    total = sum(HOME.score(task, wrapped(task, from_storage)) for task in HOME.tasks)
    assert 12 <= total <= 18


def test_right_only_for_grad_out_of_ones_keeps_about_half():
    total = 0.0
    for task in HOME.tasks:
        exam = HOME.tasks[task].exam
        names = HOME.reference(task)
        if isinstance(exam, FunctionExam):
            subject = names[exam.name]

            class Ones(subject):
                @staticmethod
                def backward(ctx, grad_out, known=subject):
                    return known.backward(ctx, tk.ones(*grad_out.shape))

            names = {exam.name: Ones}
        elif task == "unbroadcast":
            known = names["unbroadcast"]
            names = {"unbroadcast": lambda g, shape, f=known: f(tk.ones(*g.shape), shape)}
        total += HOME.score(task, names)
    assert 12 <= total <= 18


@pytest.mark.parametrize("layout", ["plain", "permuted", "gapped", "stretched"])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 3, 4), (3, 1, 2)])
def test_layouts_hold_the_same_numbers(layout, shape):
    values = mixed(shape, 3)
    if layout == "stretched" and shape:
        values = np.broadcast_to(values[..., :1], shape)
    tensor = Laid(values, layout).tensor()
    assert np.array_equal(tensor.numpy(), values)
    if len(shape) == 2:
        assert tensor.is_contiguous() == (layout == "plain")


def test_test_numbers_are_distinct_and_of_both_signs():
    for shape, seed in [((2, 3), 1), ((3, 4), 5), ((2, 3, 4, 5), 5), ((3, 3), 4)]:
        values = mixed(shape, seed)
        assert len(set(np.abs(values).ravel())) == values.size
        assert values.min() < 0 < values.max()


def every_case():
    for name, task in HOME.tasks.items():
        if isinstance(task.exam, FunctionExam):
            for block in task.blocks:
                for k, case in enumerate((*block.cases, *HOME.hidden[name].get(block.key, ()))):
                    yield pytest.param(task.exam, case, id=f"{name}-{block.key}-{k}")


@pytest.mark.parametrize(("exam", "case"), list(every_case()))
def test_what_is_wanted_agrees_with_nudging(exam, case):
    """The oracle itself, by central differences of its forward rule, except at ties."""
    arrays = [laid.values for laid in case.inputs]
    wanted = exam.backward(case.grad_out.values, *arrays, *case.extra)
    for which, (array, want) in enumerate(zip(arrays, wanted, strict=True)):
        numeric = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            step = 1e-6 * max(1e-3, abs(array[index]))
            ends = []
            for sign in (1, -1):
                moved = array.copy()
                moved[index] += sign * step
                inputs = [*arrays[:which], moved, *arrays[which + 1 :]]
                ends.append((case.grad_out.values * exam.forward(*inputs, *case.extra)).sum())
            numeric[index] = (ends[0] - ends[1]) / (2 * step)
        if exam.settle and "equal winners" in case.about:
            assert exam.settle(want, case.grad_out.values, *arrays, *case.extra)
            continue
        if "equal numbers" in case.about:
            continue  # on the edge of a step a nudge sees the jump
        assert np.allclose(want, numeric, rtol=1e-4, atol=1e-4), (want, numeric)
