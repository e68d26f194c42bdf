"""Reverse mode: gradients add up, once, in any graph, and a mistake changes nothing."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import laws, values_for

import tensorkit as tk
from tensorkit.autodiff import nodes_behind, unwind


def leaf(shape=(2, 3), seed=1, dtype=tk.float64):
    return tk.tensor(values_for(shape, seed), requires_grad=True, dtype=dtype)


def test_gradients_add_on_a_diamond():
    x = leaf()
    g = values_for((2, 3), 2)
    a, b = x * 2, x * 5
    (a * b).backward(g)
    np.testing.assert_allclose(x.grad.numpy(), g * 20 * x.numpy(), rtol=1e-15)


def test_a_long_row_of_diamonds_takes_one_step_per_node():
    # walked once per path, 60 diamonds would take 2**60 steps
    x = tk.tensor(1.5, requires_grad=True)
    y = x
    for _ in range(60):
        y = y * 0.25 + y * 0.25
    steps = list(unwind(y))
    assert len(steps) == 180
    assert x.grad.item() == 0.5**60


def test_an_input_used_twice_by_one_operation_gets_both_gradients():
    x = leaf((3,))
    g = values_for((3,), 4)
    (x * x).backward(g)
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy() * g)
    x.zero_grad_()
    (x - x).backward(g)
    assert x.grad.tolist() == [0, 0, 0]


@laws(60)
@given(st.data())
def test_a_random_graph_has_the_gradient_of_its_formula(data):
    """Each node is a weighted sum of earlier ones, so the gradient is a sum over paths."""
    g = 0.75
    x = leaf((2,))
    nodes, slopes = [x], [1.0]
    for _ in range(data.draw(st.integers(1, 8))):
        i = data.draw(st.integers(0, len(nodes) - 1))
        j = data.draw(st.integers(0, len(nodes) - 1))
        a, b = data.draw(st.integers(-3, 3)), data.draw(st.integers(-3, 3))
        nodes.append(nodes[i] * a + nodes[j] * b)
        slopes.append(slopes[i] * a + slopes[j] * b)
    nodes[-1].backward([g, -3 * g])
    assert x.grad.tolist() == [g * slopes[-1], -3 * g * slopes[-1]]


def test_leaves_add_up_until_they_are_told_to_forget():
    x = leaf()
    first = values_for((2, 3), 5)
    (x * 3).backward(first)
    kept = x.grad
    (x * 2).backward(first)
    np.testing.assert_allclose(x.grad.numpy(), 5 * first)
    np.testing.assert_allclose(kept.numpy(), 3 * first)
    assert x.zero_grad_() is x
    assert x.grad is None


def test_only_leaves_that_ask_get_a_gradient():
    x, c = leaf(), tk.tensor(values_for((2, 3), 9))
    middle = x * c
    middle.sum().backward()
    assert middle.grad is None
    assert c.grad is None
    np.testing.assert_array_equal(x.grad.numpy(), c.numpy())
    assert (c * 2).requires_grad is False
    assert (c * 2).ctx is None
    assert middle.requires_grad
    assert not middle.is_leaf
    assert x.is_leaf


def test_backward_from_a_leaf():
    x = tk.tensor(2.5, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1
    x.backward(tk.tensor(-3.0))
    assert x.grad.item() == -2
    start = tk.tensor([1.5, 2.5])
    y = leaf((2,))
    y.backward(start)
    y.grad[0] = 9
    assert start.tolist() == [1.5, 2.5]


def test_a_start_may_be_a_number_an_array_or_a_tensor_of_another_dtype():
    for start in (2.0, np.array(2), tk.tensor(2.0), tk.tensor(2.0, dtype=tk.float32)):
        x = tk.tensor(3.0, requires_grad=True)
        (x * x).backward(start)
        assert x.grad.item() == 12
        assert x.grad.dtype == np.float64
    x = leaf((1, 1))
    (x * x).backward()
    assert x.grad.shape == (1, 1)


@pytest.mark.parametrize("shape", [(3, 2), (3,), (1, 3), (2, 3, 1), (6,), ()])
def test_a_start_of_another_shape_is_refused(shape):
    x = leaf()
    y = x * 2
    with pytest.raises(tk.ShapeError, match=r"grad_out has shape .* tensor has shape \(2, 3\)"):
        y.backward(np.ones(shape))
    assert x.grad is None
    y.backward(np.ones((2, 3)))


def test_a_start_is_needed_for_many_cells():
    with pytest.raises(tk.GraphError, match=r"needs one number to start from.*\(2, 3\)"):
        (leaf() * 2).backward()
    with pytest.raises(tk.GraphError, match=r"shape \(0,\)"):
        leaf((0,)).backward()


def test_without_a_graph_there_is_nothing_to_differentiate():
    with pytest.raises(tk.GraphError, match="does not depend on any tensor with requires_grad"):
        tk.tensor(2.0).sum().backward()


def test_a_graph_is_walked_once_unless_it_is_kept():
    x = leaf((3,))
    y = (x * x).exp().sum()
    y.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * first)
    before = x.grad
    with pytest.raises(tk.GraphError, match=r"walked already.*retain_graph=True"):
        y.backward()
    assert x.grad is before


def test_a_graph_that_shares_a_freed_part_is_refused():
    x = leaf((3,))
    shared = x * x
    a, b = shared.sum(), shared.exp().sum()
    a.backward()
    before = x.grad.tolist()
    with pytest.raises(tk.GraphError, match="walked already"):
        b.backward()
    assert x.grad.tolist() == before


def test_what_a_freed_graph_had_saved_is_let_go():
    x = leaf((3,))
    middle = x * 2
    y = (middle * middle).sum()
    gone = weakref.ref(middle)
    del middle
    assert gone() is not None
    y.backward()
    assert gone() is None


def test_a_graph_without_backward_goes_when_its_result_goes():
    gc.collect()
    gc.disable()  # then only reference counts free anything: there may be no cycles
    try:
        x = leaf((3,))
        for f in (
            lambda t: t.exp(),
            lambda t: (t / 3).sigmoid().sum(),
            lambda t: t.max(0),
            lambda t: t.prod(),
            lambda t: t.view(3, 1).expand(2, 3, 2).permute(2, 0, 1).contiguous(),
        ):
            y = f(x)
            gone = weakref.ref(y.ctx)
            del y
            assert gone() is None
    finally:
        gc.enable()


def test_a_chain_of_a_hundred_thousand_nodes():
    x = tk.tensor([1.5, -2.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = -y
    assert len(nodes_behind(y)) == 100_000
    y.backward([3.0, 5.0])
    assert x.grad.tolist() == [3.0, 5.0]
    long = x
    for _ in range(100_000):
        long = -long
    del long  # letting go of a long chain may not recurse either


def test_an_unwinding_has_one_step_per_node_newest_first():
    x, w = leaf((2, 3)), leaf((3,), 2)
    y = (x * w).exp().sum(1)
    steps = list(unwind(y, tk.tensor(values_for((2, 1), 3))))
    assert [node.function.name for node, _, _ in steps] == ["sum", "exp", "mul", "expand"]
    serials = [node.serial for node, _, _ in steps]
    assert serials == sorted(serials, reverse=True)
    _, grad_out, grads = steps[0]
    assert (grad_out.shape, grads[0].shape) == ((2, 1), (2, 3))


def test_gradients_are_added_only_when_the_unwinding_ends():
    x = leaf((3,))
    walk = unwind((x * x).exp().sum())
    next(walk)
    next(walk)
    walk.close()
    assert x.grad is None


# an error leaves everything as it was


class Broken(tk.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad_out):
        raise ZeroDivisionError("in the middle")


def test_an_error_inside_backward_leaves_every_grad_unchanged():
    x, y = leaf((3,)), leaf((3,), 2)
    (x * y).sum().backward()
    kept = x.grad, y.grad, x.grad.tolist(), y.grad.tolist()
    # the newest nodes have already sent gradients to y when the broken one is reached
    loss = (Broken.apply(x) * y).sum()
    with pytest.raises(ZeroDivisionError, match="in the middle"):
        loss.backward()
    assert x.grad is kept[0]
    assert y.grad is kept[1]
    assert (x.grad.tolist(), y.grad.tolist()) == kept[2:]
    assert (x * 2).requires_grad, "recording goes on after an error"


def test_a_grad_of_another_shape_is_refused_before_any_leaf_is_changed():
    x, y = leaf((3,)), leaf((3,), 2)
    assert (tk.zeros(2, 3) + tk.zeros(3)).shape == (2, 3)  # the sum of gradients stretches nothing
    y.grad = tk.zeros(2, 3)
    with pytest.raises(tk.ShapeError):
        (x * y).sum().backward()
    assert x.grad is None
    x.grad, y.grad = tk.zeros(2, 3), None
    with pytest.raises(tk.ShapeError):
        (x * y).sum().backward()
    assert y.grad is None


# leaves own their gradients


SHARERS = {
    "add": lambda x, y: x + y,
    "sum": lambda x, y: (x + y).sum(),
    "add to itself": lambda x, y: x + x + y,
    "moves": lambda x, y: x.permute(1, 0).contiguous().permute(1, 0) + y.view(6).view(2, 3),
    "expand": lambda x, y: x.expand(2, 3) + y.expand(1, 2, 3),
    "keepdim": lambda x, y: x.sum(0) + y.mean(0),
    "less": lambda x, y: x < y,
    "flat": lambda x, y: (x < y) + (y < x),
    "max": lambda x, y: x.max(1, keepdim=False) + y.maximum(x).sum(1, keepdim=False),
    "relu": lambda x, y: x.relu() + y.to(tk.float32),
}


@pytest.mark.parametrize("name", SHARERS)
def test_writing_one_gradient_changes_no_other(name):
    x, y = leaf(), leaf((2, 3), 2)
    out = SHARERS[name](x, y)
    start = tk.tensor(values_for(out.shape, 3))
    before = start.tolist()
    out.backward(start, retain_graph=True)
    for mine, other in ((x, y), (y, x)):
        assert not np.shares_memory(mine.grad.storage, start.storage)
        assert not np.shares_memory(mine.grad.storage, other.grad.storage)
        assert not np.shares_memory(mine.grad.storage, mine.storage)
        kept = other.grad.tolist()
        mine.grad.copy_(values_for((2, 3), 8))
        assert other.grad.tolist() == kept
    assert start.tolist() == before
    assert not x.grad.requires_grad
    x.zero_grad_()
    out.backward(start)
    assert start.tolist() == before


def test_a_gradient_has_the_shape_and_dtype_of_its_leaf():
    x = leaf((2, 1), dtype=tk.float32)
    (x * leaf((3,))).sum().backward()
    assert x.grad.shape == (2, 1)
    assert x.grad.dtype == x.grad.storage.dtype == np.float32


# no_grad and detach


def test_nothing_is_recorded_within_no_grad():
    x = leaf()
    with tk.no_grad():
        for y in (x * 2, x.sum(), x.permute(1, 0), x.contiguous().view(6), x.to(tk.float32)):
            assert not y.requires_grad
            assert y.is_leaf
        with tk.no_grad():
            pass
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_error():
    x = leaf()
    with pytest.raises(KeyError), tk.no_grad():
        raise KeyError
    assert (x * 2).requires_grad


def test_no_grad_decorates_a_function():
    x = leaf()

    @tk.no_grad()
    def double():
        return x * 2

    assert not double().requires_grad
    assert (x * 2).requires_grad


def test_detach_shares_numbers_but_not_the_graph():
    x = leaf()
    y = (x * 2).detach()
    assert y.is_leaf
    assert not y.requires_grad
    assert x.detach().storage is x.storage
    (x * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy())


def test_requires_grad_can_be_turned_on_and_off_at_a_leaf():
    x = tk.tensor([1.0, 2.0])
    assert x.requires_grad_() is x
    assert (x * 2).requires_grad
    assert not (x.requires_grad_(False) * 2).requires_grad
    with pytest.raises(tk.GraphError, match="detach"):
        (leaf() * 2).requires_grad_(False)


# changes in place are noticed


def in_place(t):
    t[...] = t.numpy() + 1


@pytest.mark.parametrize(
    ("f", "changed", "fine"),
    [
        (lambda x, c: x * c, lambda x, c: c.view(6), False),  # the slope of x is c
        (lambda x, c: x * c, lambda x, c: x.detach(), False),
        (lambda x, c: x * c, lambda x, c: tk.zeros(2, 3), True),
        (lambda x, c: x + c, lambda x, c: c, True),
        (lambda x, c: x + c, lambda x, c: x, True),
        (lambda x, c: c.exp() * x, lambda x, c: c, True),
        (lambda x, c: x.exp(), lambda x, c: x, True),  # the slope of exp is its output
        (lambda x, c: x.log(), lambda x, c: x, False),
        (lambda x, c: x.relu(), lambda x, c: x.detach().permute(1, 0), False),
        (lambda x, c: x.relu(), lambda x, c: x.detach().view(6).view(3, 2), False),
        (lambda x, c: x.max(), lambda x, c: x, False),
        (lambda x, c: x.prod(1), lambda x, c: x, False),
        (lambda x, c: x.sum(), lambda x, c: x, True),
        (lambda x, c: x.mean(0), lambda x, c: x, True),
    ],
)
def test_a_change_of_what_was_saved_is_noticed_and_no_other(f, changed, fine):
    x, c = leaf(), tk.tensor(values_for((2, 3), 2))
    y = f(x, c)
    in_place(changed(x, c))
    if fine:
        y.backward(np.ones(y.shape))
        assert x.grad is not None
    else:
        with pytest.raises(tk.InPlaceError, match="changed in place after forward"):
            y.backward(np.ones(y.shape))
        assert x.grad is None


@pytest.mark.parametrize("f", [tk.exp, tk.sigmoid, tk.tanh, tk.sqrt, tk.reciprocal, tk.max])
def test_a_change_of_an_output_is_noticed(f):
    for change in (
        lambda y: in_place(y.detach()),
        lambda y: in_place(y.detach().view(-1)),
        lambda y: in_place(y.detach().detach()),
    ):
        x = tk.tensor([1.0, 2, 3], requires_grad=True)
        y = f(x)
        change(y)
        with pytest.raises(tk.InPlaceError, match=f"that {f.name} saved"):
            y.backward(np.ones(y.shape))


def test_a_change_of_an_output_that_died_is_noticed():
    x = tk.tensor([1.0, 2, 3], requires_grad=True)
    y = x.exp()
    alias, z = y.detach(), y * 2
    del y
    in_place(alias)
    with pytest.raises(tk.InPlaceError):
        z.sum().backward()


def test_a_change_before_forward_does_no_harm():
    x, c = leaf(), tk.zeros(2, 3)
    view = c.permute(1, 0)
    in_place(view)
    y = x * c
    y.sum().backward()
    assert x.grad.tolist() == [[1, 1, 1], [1, 1, 1]]
    in_place(c)
    (x * c).sum().backward()
    assert x.grad.tolist() == [[3, 3, 3], [3, 3, 3]]


def test_a_weight_can_be_updated_after_each_backward():
    w = tk.tensor([2.0, -1.0], requires_grad=True)
    for _ in range(3):
        w.zero_grad_()
        (w * w).sum().backward()
        w.copy_(w.numpy() - 0.25 * w.grad.numpy())
    assert w.tolist() == [0.25, -0.125]
    assert w.requires_grad
    assert w.is_leaf
