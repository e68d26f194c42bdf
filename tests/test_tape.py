"""A tape holds what one run did, forward and backward, and leaves everything else as it was."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.autodiff import unwind
from tensorkit.tape import distinct, run

X = [[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]]
W = [0.5, -1.0, 2.0]


def leaf(data):
    return tk.tensor(data, requires_grad=True)


def names(tape):
    return [grid.name for grid in tape.grids]


def neuron(x, w, b):
    mixed = x * w
    h = mixed + b
    h = h.sigmoid()
    return h.sum()


def test_names_come_from_parameters_and_local_variables():
    tape = run(neuron, leaf(X), leaf(W), leaf(0.25))
    found = [g.name for g in tape.grids if g.call is None or tape.calls[g.call].kind != "move"]
    assert found == ["x", "w", "b", "mixed", "h", "h₂", "L"]


def test_names_without_local_variables_follow_the_operation_and_stay_apart():
    tape = run(lambda a: ((a * a) * a + a).sigmoid(), leaf(W))
    assert names(tape) == ["a", "m", "m₂", "z", "out"]


def test_a_tensor_found_around_the_function_keeps_its_name_and_its_grad():
    scale = leaf([2.0, 3.0, 4.0])
    scale.grad = tk.tensor([7.0, 7.0, 7.0])
    tape = run(lambda x: (x * scale).sum(), leaf(W))
    assert "scale" in names(tape)
    assert scale.grad.tolist() == [7, 7, 7]
    assert tape.gradient(names(tape).index("scale")).tolist() == W


def test_parameters_of_a_layer_keep_the_names_that_it_gives_them():
    class Layer:
        def __init__(self):
            self.w, self.b = leaf(W), leaf([0.25])

        def named_parameters(self):
            return [("weight", self.w), ("bias", self.b)]

        def __call__(self, x):
            return (x * self.w).sum(1) + self.b

    layer = Layer()
    for f in (layer, lambda x: layer(x).exp()):
        found = names(run(f, leaf(X)))
        assert {"x", "weight", "bias"} <= set(found)


def test_the_run_leaves_its_inputs_as_they_were():
    x = leaf(X)
    run(lambda x: (x * x).sum(), x)
    assert x.grad is None
    assert x.ctx is None


def test_what_was_computed_before_can_be_walked_again():
    x = leaf(W)
    before = x * 3
    run(lambda w: (w * before).sum(), leaf([1.0, 2.0, 4.0]))
    before.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_steps_are_those_of_the_engine_in_its_order():
    def f(x, w):
        e = (x * w).exp()
        return e / e.sum(1)

    grad_out = tk.tensor(distinct((2, 3)))
    tape = run(f, leaf(X), leaf(W), grad_out=grad_out)
    root = f(leaf(X), leaf(W))
    steps = list(unwind(root, grad_out))
    names = [node.function.name for node, _, _ in steps]
    assert [tape.calls[p.call].name for p in tape.pulls] == names
    for pull, (_, arriving, grads) in zip(tape.pulls, steps, strict=True):
        np.testing.assert_array_equal(pull.grad_out, arriving.numpy())
        for share, grad in zip(pull.shares, grads, strict=True):
            np.testing.assert_array_equal(share.values, grad.numpy())


def test_shares_of_a_tensor_that_is_used_twice_add_to_its_gradient():
    tape = run(lambda x, y: x * y + x, leaf([1.0, 2.0, 3.0]), leaf([4.0, -5.0, 6.0]))
    x = leaf([1.0, 2.0, 3.0])
    y = leaf([4.0, -5.0, 6.0])
    (x * y + x).backward(tk.tensor(distinct((3,))))
    shares = [share for _, _, share in tape.shares_to(0)]
    assert [(s.number, s.count, s.completes) for s in shares] == [(1, 2, False), (2, 2, True)]
    assert shares[0].values.tolist() == [1, 10, 2]
    assert shares[1].values.tolist() == [4, -50, 12]
    assert tape.gradient(0).tolist() == x.grad.tolist() == [5, -40, 14]
    assert tape.gradient(1).tolist() == y.grad.tolist()


def test_slopes_are_the_local_derivatives():
    pull = run(lambda x, y: x * y, leaf([1.0, 2.0]), leaf([3.0, 5.0])).pulls[0]
    assert [slope.tolist() for slope in pull.slopes] == [[3, 5], [1, 2]]


def test_numbers_are_told_from_tensors():
    tape = run(lambda x: 2 * x + tk.tensor([5.0, 7.0]), leaf([1.0, 3.0]))
    assert [g.number for g in tape.grids] == [None, 2, None, None, None]


def test_ghosts_are_the_cells_that_are_read_again():
    tape = run(lambda x: x.expand(2, 3).sum(), leaf(W))
    assert tape.grids[1].ghosts.tolist() == [[False] * 3, [True] * 3]


def test_what_is_on_a_tape_cannot_be_written():
    tape = run(lambda x: x.exp(), leaf(W))
    with pytest.raises(ValueError, match="read-only"):
        tape.grids[1].values[0] = 5


def test_upstream_numbers_are_distinct():
    numbers = distinct((4, 6)).ravel().tolist()
    assert numbers[:4] == [1, 10, 2, 20]
    assert len(set(distinct((5, 8, 9)).ravel().tolist())) == 360


def test_an_expression_without_gradient_or_tensor_is_refused():
    with pytest.raises(tk.GraphError, match="nothing to differentiate"):
        run(lambda x: tk.tensor([1.0]), leaf(W))
    with pytest.raises(tk.DtypeError, match="return one tensor"):
        run(lambda x: x.shape, leaf(W))


def test_a_debugger_is_put_back_after_the_run():
    def tracer(frame, event, detail):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        run(lambda x: x.exp(), leaf(W))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_an_error_of_the_expression_comes_through():
    with pytest.raises(tk.ShapeError, match="cannot broadcast"):
        run(lambda x, y: x + y, leaf(W), leaf([1.0, 2.0]))
    assert sys.gettrace() is None or sys.gettrace().__module__ != "tensorkit.naming"
