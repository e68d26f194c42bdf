"""The checks themselves: their data, their oracles and the mistakes they know by name."""

import importlib
import sys

import numpy as np
import pytest
from wrong_answers.bank import HIDDEN

from tensorkit.grading import gradients
from tensorkit.grading.cases import Laid, mixed
from tensorkit.grading.functions import FunctionExam

TASKS = list(gradients.TASKS)


def hidden_checks() -> dict:
    return importlib.import_module("tensorkit_hidden.gradients").CHECKS


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
    sys.path.insert(0, str(HIDDEN))
    try:
        hidden = hidden_checks()
    finally:
        sys.path.remove(str(HIDDEN))
    for name, task in gradients.TASKS.items():
        if isinstance(task.exam, FunctionExam):
            for block in task.blocks:
                for k, case in enumerate((*block.cases, *hidden[name].get(block.key, ()))):
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


@pytest.mark.parametrize("task", TASKS)
def test_each_known_mistake_is_wrong_somewhere_in_the_open(task):
    """A rule that never differs from the truth on public data could not name a mistake."""
    exam = gradients.TASKS[task].exam
    cases = [case for block in gradients.TASKS[task].blocks for case in block.cases]
    for rule in exam.wrong:
        differs = False
        for case in cases:
            arrays = [laid.values for laid in case.inputs]
            if isinstance(exam, FunctionExam) and rule.of == "backward":
                data = (case.grad_out.values, *arrays, *case.extra)
                want = exam.backward(*data)
            else:
                data = (*arrays, *case.extra)
                want = (getattr(exam, "expect", None) or exam.forward)(*data)
            want = want if isinstance(want, tuple) else (want,)
            try:
                with np.errstate(all="ignore"):
                    got = rule.compute(*data)
            except (ValueError, IndexError):
                continue
            got = got if isinstance(got, tuple) else (got,)
            differs |= any(
                np.shape(g) != np.shape(w) or not np.allclose(g, w, rtol=1e-9)
                for g, w in zip(got, want, strict=True)
            )
        assert differs, rule.sentence
