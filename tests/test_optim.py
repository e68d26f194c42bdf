"""Optimisers against the formulas of their papers, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorkit as tk

START = np.array([[1.0, -2, 3], [0.5, 4, -1]])
SLOPES = [np.array([[0.3, -1, 2], [4, -5, 0.1]]), np.array([[1.0, 1, -2], [0.2, 3, 5]]), -START]


def run(make, dtype=np.float64, steps=SLOPES):
    p = tk.tensor(START, requires_grad=True, dtype=dtype)
    optimizer = make([p])
    for slope in steps:
        optimizer.zero_grad()
        (p * slope.astype(dtype)).sum().backward()
        optimizer.step()
    return p, optimizer


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd(momentum, dtype):
    p, _ = run(lambda ps: tk.optim.SGD(ps, 0.1, momentum), dtype)
    want, velocity = START.copy(), 0.0
    for slope in SLOPES:
        velocity = momentum * velocity + slope
        want = want - 0.1 * velocity
    assert p.dtype == dtype
    np.testing.assert_allclose(p, want, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_adam():
    p, _ = run(lambda ps: tk.optim.Adam(ps, 0.1))
    want, m, v = START.copy(), 0.0, 0.0
    for t, slope in enumerate(SLOPES, 1):
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        want = want - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(p, want, rtol=1e-13)


def test_adam_counts_the_steps_of_each_parameter():
    p, late = tk.tensor([1.0], True), tk.tensor([1.0], True)
    optimizer = tk.optim.Adam([p, late], 0.1)
    for k in range(3):
        optimizer.zero_grad()
        ((p * 2 + late * 2) if k == 2 else p * 2).sum().backward()
        optimizer.step()
    assert late.item() == pytest.approx(0.9)  # a first step is lr long


@pytest.mark.parametrize("make", [lambda ps: tk.optim.SGD(ps, 0.1, 0.9), tk.optim.Adam])
def test_a_saved_state_goes_on_as_if_nothing_had_happened(make):
    whole, _ = run(make)
    p, half = run(make, steps=SLOPES[:2])
    state = half.state_dict()
    q = tk.tensor(p, requires_grad=True)
    other = make([q])
    other.load_state_dict(state)
    half.memory[0].clear()  # the copy is a copy
    (q * SLOPES[2]).sum().backward()
    other.step()
    np.testing.assert_array_equal(q, whole)
    with pytest.raises(tk.ShapeError, match="of 1 parameters, not 2"):
        make([q, tk.zeros(2, requires_grad=True)]).load_state_dict(state)
    with pytest.raises(tk.ShapeError, match=r"shape \(2, 3\) is not for \(2,\)"):
        make([tk.zeros(2, requires_grad=True)]).load_state_dict(state)


def test_what_can_not_be_changed_is_refused():
    x = tk.zeros(2, requires_grad=True)
    for wrong in ([tk.zeros(2)], [x * 2], [x, x]):
        with pytest.raises(tk.GraphError):
            tk.optim.SGD(wrong, 0.1)
    with pytest.raises(tk.ShapeError, match="at least one"):
        tk.optim.SGD([], 0.1)
    tk.optim.SGD([x], 0.1).step()  # no gradient yet: nothing moves
    assert x.tolist() == [0, 0]


def test_a_step_is_outside_the_graph_and_noticed_by_what_was_saved():
    x = tk.tensor([1.0, 2], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    tk.optim.SGD([x], 0.5).step()
    assert x.tolist() == [0, 0]
    assert x.is_leaf
    with pytest.raises(tk.InPlaceError):
        loss.backward()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 2), (3, 2), (2, 4)])
def test_a_gradient_of_another_shape_moves_nothing(shape, momentum):
    p = tk.tensor(START, requires_grad=True)
    p.grad = tk.ones(shape)
    with pytest.raises(tk.ShapeError, match=r"\(2, 3\)"):
        tk.optim.SGD([p], 0.1, momentum).step()
    np.testing.assert_array_equal(p, START)
