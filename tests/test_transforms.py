"""grad, gradients and jacobian: what depends on what, and whose gradient is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import tensorkit as tk

X = tk.tensor([1.0, 2, 3])


def test_grad_takes_one_argument_or_several():
    f = lambda x, y: (x * x * y).sum()  # noqa: E731
    y = tk.tensor([4.0, 5, 7])
    assert tk.grad(f)(X, y).tolist() == [8, 20, 42]
    assert tk.grad(f, 1)(X, y).tolist() == [1, 4, 9]
    both = tk.grad(f, (1, 0))(X, y)
    assert [g.tolist() for g in both] == [[1, 4, 9], [8, 20, 42]]
    assert X.grad is None
    assert not X.requires_grad
    assert tk.grad(lambda x: x * x)(3.0).item() == 6


def test_grad_refuses_what_has_no_single_slope():
    with pytest.raises(tk.ShapeError, match=r"returned shape \(3,\).*jacobian"):
        tk.grad(lambda x: x * 2)(X)
    with pytest.raises(tk.ShapeError, match="returned float"):
        tk.grad(lambda x: 3.0)(X)
    with pytest.raises(tk.GraphError, match="does not depend"):
        tk.grad(lambda x: tk.ones(1))(X)


def test_a_constant_slope_has_slope_0():
    twice = tk.grad(tk.grad(lambda x: x**2))
    assert twice(3.0).item() == 2
    assert tk.grad(twice)(3.0).item() == 0
    assert tk.grad(tk.grad(lambda x, y: x * 3 + y))(2.0, 5.0).item() == 0


def test_an_inner_gradient_tells_its_variable_from_an_outer_one():
    # d/dx [x d/dy (x + y) at y = x] = 1, not 2: the inner function is differentiated by y alone
    f = lambda x: (x * tk.grad(lambda y: (x + y).sum())(x)).sum()  # noqa: E731
    assert tk.grad(f)(X).tolist() == [1, 1, 1]


def test_an_inner_gradient_depends_on_what_its_function_uses_from_outside():
    f = lambda x: tk.grad(lambda y: (y * y * x).sum())(tk.ones(3)).sum()  # noqa: E731
    assert tk.grad(f)(X).tolist() == [2, 2, 2]


def test_a_gradient_with_nothing_around_it_is_a_constant():
    assert not tk.grad(lambda x: (x * x).sum())(X).requires_grad


def test_jacobian_has_the_dims_of_the_output_then_of_the_input():
    x = tk.tensor([[1.0, 2, 3], [4, 5, 7]])
    got = tk.jacobian(lambda x: x.sum(1) * tk.tensor([[1.0], [10]]))(x)
    want = np.zeros((2, 1, 2, 3))
    want[0, 0, 0], want[1, 0, 1] = 1, 10
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(tk.jacobian(lambda x: x * x)(X), np.diag([2.0, 4, 6]))
    assert tk.jacobian(lambda x: (x * x).sum())(X).tolist() == [2, 4, 6]
    assert tk.jacobian(lambda x: tk.ones(2))(X).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert tk.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    with pytest.raises(tk.DtypeError, match="returns a tensor"):
        tk.jacobian(lambda x: 3.0)(X)


def test_jacobians_nest():
    f = lambda x: (x * x * x).sum()  # noqa: E731
    hessian = np.diag([6.0, 12, 18])
    np.testing.assert_array_equal(tk.jacobian(tk.jacobian(f))(X), hessian)
    np.testing.assert_array_equal(tk.jacobian(tk.grad(f))(X), hessian)
    third = tk.jacobian(tk.jacobian(tk.grad(f)))(X).numpy()
    assert third.shape == (3, 3, 3)
    assert third.sum() == third.trace(axis1=0, axis2=1).sum() == 18


def test_gradients_of_tensors_in_between_and_no_grad_is_changed():
    y = tk.tensor([1.0, 2], requires_grad=True)
    z = y * 2
    out = (z * y).sum()
    of_y, of_z = tk.gradients(out, [y, z])
    assert (of_y.tolist(), of_z.tolist()) == ([4, 8], [1, 2])
    assert tk.gradients(out, out)[0].item() == 1
    assert tk.gradients(z, y, [1.0, 10])[0].tolist() == [2, 20]
    assert tk.gradients(out, [tk.zeros(2, 3)])[0].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert y.grad is z.grad is None
    out.backward()  # the graph is still there
    assert y.grad.tolist() == [4, 8]


def test_only_what_leads_to_the_inputs_is_walked():
    walked = []

    class Spy(tk.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad_out):
            walked.append(1)
            return grad_out

    x = tk.tensor([1.0, 2], requires_grad=True)
    y = Spy.apply(x)
    out = (y * y).sum()
    assert tk.gradients(out, [y])[0].tolist() == [2, 4]
    assert not walked
    tk.gradients(out, [x])
    assert walked
