"""Slopes of formulas, and gradients of gradients that come out of the table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit.calculus import chain_rule, differentiate


@pytest.mark.parametrize(
    ("formula", "name", "slope"),
    [
        ("x", "x", "1.0"),
        ("y", "x", "0.0"),
        ("3 * x", "x", "3"),
        ("x * x", "x", "x + x"),
        ("-x * y", "y", "-x"),
        ("g * (2 * x)", "g", "2 * x"),
        ("x / y", "x", "1 / y"),
        ("exp(x)", "x", "exp(x)"),
        ("sigmoid(2 * x)", "x", "sigmoid(2 * x) * (1 - sigmoid(2 * x)) * 2"),
        ("g if x > 0 else 0.0", "x", "0.0"),
        ("g if x > 0 else 0.0", "g", "1.0 if x > 0 else 0.0"),
        ("x * x if x > y else x", "x", "x + x if x > y else 1.0"),
    ],
)
def test_a_slope_is_a_formula(formula, name, slope):
    assert differentiate(formula, name) == slope


def test_a_slope_equals_nudging():
    for formula in ["x ** 3 - x / (1 + x * x)", "log(x) * sin(x) ** 2", "x * normal(x) + bell(x)"]:
        from tensorkit import scalars

        names = {name: getattr(scalars, name) for name in ("log", "sin", "cos", "normal", "bell")}
        value = eval(differentiate(formula, "x"), {"x": 1.3, **names})
        ends = [eval(formula, {"x": 1.3 + h, **names}) for h in (1e-6, -1e-6)]
        assert value == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-7)


@pytest.mark.parametrize("formula", ["x // 2", "x % 2", "unknown(x)", "x > 2", "x[0]", "max(x, y)"])
def test_what_has_no_known_slope_is_refused(formula):
    with pytest.raises(TypeError, match="no slope is known"):
        differentiate(formula, "x")


@pytest.mark.parametrize(
    ("derivative", "product"),
    [
        ("1.0", "g"),
        ("0.5", "g * 0.5"),
        ("z", "g * z"),
        ("1 - z", "g * (1 - z)"),
        ("1.0 if x > 0 else 0.0", "g if x > 0 else 0.0"),
        ("1.0 if x > 0 else (-1.0 if x < 0 else 0.0)", "g if x > 0 else -g if x < 0 else 0.0"),
        ("(1.0 if x == z else 0.0) / ties", "(g if x == z else 0.0) / ties"),
        ("0.0 if y == 0 else y * x", "0.0 if y == 0 else g * (y * x)"),
    ],
)
def test_the_upstream_gradient_goes_into_the_branches(derivative, product):
    assert chain_rule(derivative) == product


@pytest.mark.parametrize(
    ("f", "third"),
    [
        (lambda x: x.exp(), np.exp),
        (lambda x: x.sin() * x, lambda x: -3 * np.sin(x) - x * np.cos(x)),
        (lambda x: x**5, lambda x: 60 * x**2),
        (lambda x: x.log(), lambda x: 2 / x**3),
        (lambda x: x.reciprocal(), lambda x: -6 / x**4),
        (lambda x: x.sqrt(), lambda x: 0.375 * x**-2.5),
        (
            lambda x: x.tanh(),
            lambda x: (4 * np.sinh(x) ** 2 - 2) / np.cosh(x) ** 4,
        ),
        (lambda x: tk.stack([x, x * x]).prod(), lambda x: 6.0),
        (lambda x: tk.stack([x, x, x]).softmax(0).sum() * x * x, lambda x: 0.0),
    ],
)
def test_third_derivatives(f, third):
    d = tk.grad(tk.grad(tk.grad(f)))
    assert d(tk.tensor(0.7)).item() == pytest.approx(third(0.7), rel=1e-9, abs=1e-12)


def test_whole_powers_have_all_derivatives_at_0():
    f = lambda x: x**2  # noqa: E731
    g = lambda x: x**1  # noqa: E731
    zero = tk.tensor(0.0)
    assert tk.grad(f)(zero).item() == 0
    assert tk.grad(tk.grad(f))(zero).item() == 2
    assert tk.grad(tk.grad(g))(zero).item() == 0
    assert tk.grad(tk.grad(tk.grad(f)))(zero).item() == 0


def test_the_second_derivatives_of_a_product_are_right_at_zeros():
    hessian = tk.jacobian(tk.grad(lambda x: x.prod()))
    assert hessian(tk.tensor([0.0, 2, 3])).tolist() == [[0, 3, 2], [3, 0, 0], [2, 0, 0]]
    assert hessian(tk.tensor([0.0, 0, 3])).tolist() == [[0, 3, 0], [3, 0, 0], [0, 0, 0]]
    assert hessian(tk.tensor([2.0, 3])).tolist() == [[0, 1], [1, 0]]


def nudged(f, values):
    want = np.zeros(values.shape)
    for index in np.ndindex(values.shape):
        ends = []
        for h in (1e-5, -1e-5):
            moved = values.copy()
            moved[index] += h
            ends.append(f(tk.tensor(moved)).item())
        want[index] = (ends[0] - ends[1]) / 2e-5
    return want


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x @ x.T).exp().sum(),
        lambda x: (x.permute(1, 0)[1:, ::-1] * x[:1, 0]).sin().sum(),
        lambda x: x[[0, 0, 1], [2, 2, 0]].exp().sum() * x.sum(),
        lambda x: tk.cat([x, x * x], 1).max(1).square().sum(),
        lambda x: x.softmax(1).log().sum() * x.logsumexp(0).sum(),
        lambda x: x.std(1).sum() * x.norm(),
        lambda x: (x.expand(4, 2, 3) * x).mean((0, 2)).square().sum(),
        lambda x: (x.view(3, 2).tile(2, 1).diagonal().tanh() * x.sum()).sum(),
        lambda x: tk.where(x > 0, x.exp(), x * x * x).sum(),
        lambda x: tk.conv1d(x.view(1, 1, 6), (x * x)[:, :2].view(2, 1, 2)).square().sum(),
        lambda x: tk.max_pool2d((x * x).view(1, 1, 2, 3), (2, 2), 1).exp().sum(),
        lambda x: (shared := x.sigmoid()).mul(shared).add(shared * x).sum().square(),
        lambda x: x.gelu().softplus().sum() ** 3,
    ],
)
def test_second_derivatives_through_everything_equal_nudging_the_first(f):
    values = values_for((2, 3), 5) / 3
    weights = tk.tensor(values_for((2, 3), 6))
    second = tk.grad(lambda x: (tk.grad(f)(x) * weights).sum())(tk.tensor(values))
    want = nudged(lambda x: (tk.grad(f)(x) * weights).sum(), values)
    np.testing.assert_allclose(second, want, rtol=1e-6, atol=1e-6)


def test_create_graph_adds_up_and_keeps_the_graph():
    x = tk.tensor([1.0, 2], requires_grad=True)
    loss = (x * x * x).sum()
    loss.backward(create_graph=True)
    first = x.grad
    assert first.tolist() == [3, 12]
    x.zero_grad_()
    (first * tk.tensor([1.0, 10])).sum().backward()
    assert x.grad.tolist() == [6, 120]
    with pytest.raises(tk.GraphError, match="walked already"):
        loss.backward()


def test_a_gradient_in_float32_has_gradients_in_float32():
    x = tk.tensor([1, 2], requires_grad=True, dtype=tk.float32)
    (g,) = tk.gradients((x.exp() * x).sum(), [x], create_graph=True)
    assert g.dtype == np.float32
    (h,) = tk.gradients(g.sum(), [x])
    assert h.dtype == np.float32
    np.testing.assert_allclose(h, [3 * math.e, 4 * math.e**2], rtol=1e-6)


def test_a_saved_output_that_changed_is_noticed_in_a_recorded_walk():
    x = tk.tensor([1.0, 2], requires_grad=True)
    y = x.exp()
    y.detach()[0] = 5.0
    with pytest.raises(tk.InPlaceError):
        y.sum().backward(create_graph=True)
    assert x.grad is None


# a Function of one's own


class Exp(tk.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_out):
        (y,) = ctx.saved_tensors
        return grad_out * y


class Cube(tk.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return tk.tensor(x.numpy() ** 3)

    @staticmethod
    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        return grad_out * 3 * x * x


class Outside(Cube):
    @staticmethod
    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        return tk.tensor(grad_out.numpy() * 3 * x.numpy() ** 2)


def test_the_backward_of_a_function_is_recorded():
    x = tk.tensor([1.0, 2])
    weights = tk.tensor([1.0, 10])
    for function, second, third in [
        (Exp, [math.e, 10 * math.e**2], [math.e, 10 * math.e**2]),
        (Cube, [6, 120], [6, 60]),
    ]:
        g = tk.grad(lambda x, F=function: F.apply(x).sum())
        h = tk.grad(lambda x, g=g: (g(x) * weights).sum())
        np.testing.assert_allclose(h(x), second)
        np.testing.assert_allclose(tk.grad(lambda x, h=h: h(x).sum())(x), third)


def test_a_function_that_leaves_the_graph_in_backward_is_refused():
    x = tk.tensor([1.0, 2], requires_grad=True)
    out = Outside.apply(x).sum()
    with pytest.raises(tk.GraphError, match=r"Outside.backward computed .* outside the graph"):
        out.backward(create_graph=True)
    assert x.grad is None
    out.backward()
    assert x.grad.tolist() == [3, 12]


def test_a_recorded_walk_through_a_function_leaves_it_as_it_was():
    x = tk.tensor([1.0, 2], requires_grad=True)
    out = Exp.apply(x)
    for _ in range(2):
        tk.gradients(out.sum(), [x], create_graph=True)
    out.sum().backward()
    np.testing.assert_allclose(x.grad, np.exp([1.0, 2]))
    out2 = Exp.apply(x)
    out2.detach()[0] = 7.0
    with pytest.raises(tk.InPlaceError):
        out2.sum().backward(create_graph=True)
