"""Function and Context, in the convention of torch.autograd.Function."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit.checks import check_gradient


def leaf(shape=(2, 3), seed=1):
    return tk.tensor(values_for(shape, seed), requires_grad=True)


class MyFun(tk.Function):
    """f(x, y) = x y + y, as in the lecture: one operation with a gradient written by hand."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y + y

    @staticmethod
    def backward(ctx, grad_out):
        x, y = ctx.saved_tensors
        return grad_out * y, grad_out * (x + 1)


class Scale(tk.Function):
    """Multiply by a number: an argument that is no tensor."""

    @staticmethod
    def forward(ctx, factor, x, label="unused"):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad_out):
        return None, grad_out * ctx.factor, None


class Identity(tk.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, grad_out):
        return grad_out


def function(forward, backward):
    """Return a Function made of two plain functions."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Made", (tk.Function,), methods)


def test_the_function_of_the_lecture():
    x, y = leaf((2, 3), 1), leaf((2, 3), 2)
    out = MyFun.apply(x, y)
    np.testing.assert_allclose(out.numpy(), x.numpy() * y.numpy() + y.numpy())
    g = values_for((2, 3), 3)
    out.backward(g)
    np.testing.assert_allclose(x.grad.numpy(), g * y.numpy())
    np.testing.assert_allclose(y.grad.numpy(), g * (x.numpy() + 1))
    assert check_gradient(MyFun, x, y).ok
    assert check_gradient(MyFun.apply, x, y).ok


def test_a_function_stands_in_a_graph_like_any_operation():
    x, y = leaf((3,), 1), leaf((3,), 2)
    assert check_gradient(lambda x, y: (MyFun.apply(x.exp(), y) * x).sum(), x, y).ok
    assert MyFun.apply(x, y).ctx.function.name == "MyFun"
    assert "from=MyFun" in repr(MyFun.apply(x, y))


def test_arguments_that_are_no_tensors_get_no_gradient():
    x = leaf((3,))
    with pytest.raises(tk.GraphError, match=r"returned 3 gradients, but forward takes 2 arguments"):
        Scale.apply(2.5, x).sum().backward()
    x.zero_grad_()
    Scale.apply(2.5, x, "given").backward([1.0, 2, 3])
    assert x.grad.tolist() == [2.5, 5, 7.5]
    assert check_gradient(Scale, 2.5, x, "given").ok


def test_nothing_inside_forward_is_recorded():
    seen = []

    def forward(ctx, x):
        inner = x * 2
        seen.append((inner.requires_grad, inner.ctx))
        return inner

    made = function(forward, lambda ctx, g: g * 2)
    out = made.apply(leaf())
    assert seen == [(False, None)]
    assert out.requires_grad
    assert len(out.ctx.inputs) == 1


def test_nothing_inside_backward_is_recorded():
    seen = []

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        assert x.requires_grad
        seen.append((g * x).requires_grad)
        return g * x

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * 0.5

    x = leaf((3,))
    function(forward, backward).apply(x).sum().backward()
    assert seen == [False]
    assert not x.grad.requires_grad


def test_needs_input_grad_tells_which_gradients_are_wanted():
    seen = []

    class Product(tk.Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            seen.append(ctx.needs_input_grad)
            ctx.save_for_backward(x, y)
            return x * y * factor

        @staticmethod
        def backward(ctx, grad_out):
            seen.append(ctx.needs_input_grad)
            _, y = ctx.saved_tensors
            return grad_out * y, None, None

    x, y = leaf((3,)), tk.tensor([1.0, 2, 3])
    Product.apply(x, 1.0, y).sum().backward()
    assert seen == [(True, False, False)] * 2
    np.testing.assert_allclose(x.grad.numpy(), y.numpy())
    assert y.grad is None


def test_a_none_for_a_tensor_means_no_gradient():
    x, y = leaf((3,)), leaf((3,), 2)
    made = function(lambda ctx, x, y: x + y, lambda ctx, g: (g, None))
    made.apply(x, y).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]
    assert y.grad is None


@pytest.mark.parametrize("give", [lambda g: g, lambda g: (g,), lambda g: (g, g, g), lambda g: ()])
def test_a_wrong_number_of_gradients_is_refused(give):
    x, y = leaf((3,)), leaf((3,), 2)
    out = function(lambda ctx, x, y: x + y, lambda ctx, g: give(g)).apply(x, y)
    with pytest.raises(tk.GraphError, match=r"returned \d gradients?, .*takes 2 arguments"):
        out.sum().backward()
    assert x.grad is y.grad is None


def test_gradients_may_come_as_a_list():
    x, y = leaf((3,)), leaf((3,), 2)
    function(lambda ctx, x, y: x + y, lambda ctx, g: [g, g * 2]).apply(x, y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 1, 1], [2, 2, 2])


@pytest.mark.parametrize("wrong", [(3,), (3, 2), (1, 3), (2, 3, 1), ()])
def test_a_gradient_of_a_wrong_shape_is_refused(wrong):
    x = leaf()
    out = function(lambda ctx, f, x: x * f, lambda ctx, g: (None, tk.ones(*wrong))).apply(1.0, x)
    with pytest.raises(tk.ShapeError, match=r"Made.*argument 1, whose shape is \(2, 3\)"):
        out.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("wrong", [1.0, np.ones((2, 3)), [1.0], "g"])
def test_a_gradient_that_is_no_tensor_is_refused(wrong):
    x = leaf()
    out = function(lambda ctx, x: x * 2, lambda ctx, g: wrong).apply(x)
    with pytest.raises(tk.GraphError, match=r"returned \w+ for argument 0: a gradient"):
        out.sum().backward()
    assert x.grad is None


def test_a_gradient_of_another_dtype_is_converted_to_that_of_its_tensor():
    x = tk.tensor(values_for((4,), 1), requires_grad=True, dtype=tk.float32)
    made = function(lambda ctx, x: x * 2, lambda ctx, g: tk.tensor([1.5, 2.5, -3, 4]))
    made.apply(x).sum().backward()
    assert x.grad.dtype == x.grad.storage.dtype == np.float32
    assert x.grad.tolist() == [1.5, 2.5, -3, 4]
    x.zero_grad_()
    made.apply(x.exp() * x).sum().backward()  # the converted one goes on to others as well
    want = [1.5, 2.5, -3, 4] * np.exp(x.numpy()) * (1 + x.numpy())
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-6)


@pytest.mark.parametrize("wrong", [None, 3.0, np.ones(3), (1, 2)])
def test_forward_returns_one_tensor(wrong):
    with pytest.raises(tk.DtypeError, match=r"Made.forward returned .*: return one tensor"):
        function(lambda ctx, x: wrong, lambda ctx, g: g).apply(leaf())


def test_forward_and_backward_must_be_written():
    class Empty(tk.Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf())

    class Half(tk.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="backward"):
        Half.apply(leaf()).sum().backward()


def test_an_identity_that_returns_its_input_is_a_step_of_its_own():
    x = leaf((3,))
    y = Identity.apply(x)
    assert y is not x
    assert x.is_leaf
    assert y.storage is x.storage
    (y * 3).backward([1.0, 2, 3])
    assert x.grad.tolist() == [3, 6, 9]
    z = x * 2
    w = Identity.apply(z)
    x.zero_grad_()
    (w + z).backward([1.0, 2, 3])
    assert x.grad.tolist() == [4, 8, 12]


def test_forward_may_return_a_view_of_its_input():
    made = function(lambda ctx, x: x.permute(1, 0), lambda ctx, g: g.permute(1, 0))
    x = leaf()
    g = values_for((3, 2), 5)
    made.apply(x).backward(g)
    np.testing.assert_allclose(x.grad.numpy(), g.T)
    x.grad[0, 0] = 99
    assert g[0, 0] != 99
    assert check_gradient(made, x).ok


@pytest.mark.parametrize("requires", [False, True])
def test_forward_may_return_a_tensor_from_elsewhere_and_leaves_it_alone(requires):
    constant = tk.tensor([1.0, 2, 3], requires_grad=requires)
    made = function(lambda ctx, x: constant, lambda ctx, g: g * 0)
    out = made.apply(leaf((3,)))
    assert out is not constant
    assert out.requires_grad
    assert constant.requires_grad is requires
    assert constant.is_leaf
    again = made.apply(out)
    again.sum().backward()
    assert constant.grad is None


def test_an_output_used_twice_gets_the_sum():
    x, y = leaf((3,)), leaf((3,), 2)
    calls = []

    def backward(ctx, g):
        calls.append(g.tolist())
        return g * 2, g * 3

    out = function(lambda ctx, x, y: x * 2 + y * 3, backward).apply(x, y)
    (out + out * 4).sum().backward()
    assert calls == [[5, 5, 5]]
    assert x.grad.tolist() == [10, 10, 10]
    assert y.grad.tolist() == [15, 15, 15]


def test_the_same_tensor_may_be_given_twice():
    x = leaf((3,))
    MyFun.apply(x, x).backward([1.0, 2, 3])
    np.testing.assert_allclose(x.grad.numpy(), [1, 2, 3] * (2 * x.numpy() + 1))


def test_gradients_that_share_storage_do_not_share_it_in_the_leaves():
    x, y = leaf((3,)), leaf((3,), 2)
    made = function(lambda ctx, x, y: x + y, lambda ctx, g: (g, g))
    made.apply(x, y).sum().backward()
    x.grad[0] = 99
    assert y.grad.tolist() == [1, 1, 1]


def test_a_backward_that_returns_what_was_saved_does_not_tie_the_leaf_to_it():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    x = leaf((3,))
    function(forward, lambda ctx, g: ctx.saved_tensors[0]).apply(x).sum().backward()
    before = x.tolist()
    x.grad[0] = 99
    assert x.tolist() == before


def test_outside_the_graph_a_function_only_computes():
    x, y = tk.tensor([1.0, 2]), tk.tensor([3.0, 5])
    assert MyFun.apply(x, y).ctx is None
    with tk.no_grad():
        assert MyFun.apply(leaf(), leaf()).ctx is None
    assert Scale.apply(2, tk.tensor([1.5])).tolist() == [3]


def test_an_output_that_was_saved_makes_no_cycle():
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    made = function(forward, lambda ctx, g: g * ctx.saved_tensors[0])
    gc.collect()
    gc.disable()
    try:
        out = made.apply(leaf())
        gone = weakref.ref(out.ctx)
        del out
        assert gone() is None
    finally:
        gc.enable()
    assert check_gradient(made, leaf()).ok


def test_changes_of_saved_tensors_are_noticed():
    def forward(ctx, x, c):
        y = x * c
        ctx.save_for_backward(c, y)
        return y

    def backward(ctx, g):
        c, _ = ctx.saved_tensors
        return g * c, None

    made = function(forward, backward)
    for change in (lambda c, y: c.copy_(0.0), lambda c, y: y.detach().copy_(0.0)):
        x, c = leaf((3,)), tk.tensor([1.0, 2, 3])
        y = made.apply(x, c)
        change(c, y)
        with pytest.raises(tk.InPlaceError, match=r"shape \(3,\) that Made saved"):
            y.sum().backward()


def test_a_freed_function_says_so():
    x, y = leaf((3,)), leaf((3,), 2)
    out = MyFun.apply(x, y)
    out.sum().backward()
    with pytest.raises(tk.GraphError, match="walked already"):
        _ = out.ctx.saved_tensors


def test_a_context_keeps_what_forward_notes():
    def forward(ctx, x, dim):
        ctx.dim, ctx.note = dim, {"shape": x.shape}
        return x.sum(dim)

    def backward(ctx, g):
        assert ctx.dim == 1
        return g.expand(ctx.note["shape"]), None

    made = function(forward, backward)
    assert check_gradient(lambda x: made.apply(x, 1), leaf()).ok


@pytest.mark.parametrize(
    "name", ["inputs", "settings", "serial", "freed", "function", "saved", "x", "shape", "name"]
)
def test_any_attribute_is_kept_for_backward(name):
    def forward(ctx, x):
        setattr(ctx, name, x * 3)
        return x * x * 1.5

    made = function(forward, lambda ctx, g: g * getattr(ctx, name))
    assert check_gradient(made, leaf()).ok


def test_a_function_may_use_another_function():
    class Outer(tk.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return MyFun.apply(x, y) * 2

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * 2 * y, g * 2 * (x + 1)

    assert check_gradient(Outer, leaf(), leaf((2, 3), 2)).ok
