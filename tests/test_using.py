"""tk.use: loops, rules and an engine of one's own carry a whole training, and can be taken out."""

from __future__ import annotations

import numpy as np
import pytest

import tensorkit as tk
from tensorkit import nn, optim
from tensorkit.handles import Variable

CALLS = []


def walk(shape):
    return np.ndindex(*[int(n) for n in shape])


def place(index, strides):
    return sum(int(i) * int(s) for i, s in zip(index, strides, strict=True))


def tensor_map(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        CALLS.append("map")
        for index in walk(out_shape):
            out[place(index, out_strides)] = fn(a[place(index, a_strides)])

    return loop


def tensor_zip(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
        CALLS.append("zip")
        for index in walk(out_shape):
            out[place(index, out_strides)] = fn(
                a[place(index, a_strides)], b[place(index, b_strides)]
            )

    return loop


def tensor_reduce(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        CALLS.append("reduce")
        for index in walk(out_shape):
            o = place(index, out_strides)
            for k in range(a_shape[dim]):
                inside = (*index[:dim], k, *index[dim + 1 :])
                out[o] = fn(out[o], a[place(inside, a_strides)])

    return loop


def unbroadcast(grad, shape):
    CALLS.append("unbroadcast")
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, n in enumerate(shape):
        if n == 1 and grad.shape[dim] > 1:
            grad = grad.sum(dim)
    return grad


def topological_sort(variable):
    order, seen = [], set()

    def visit(v):
        if v.unique_id in seen or v.is_constant():
            return
        seen.add(v.unique_id)
        for parent in v.parents:
            visit(parent)
        order.append(v)

    visit(variable)
    return order[::-1]


def backpropagate(variable, deriv):
    CALLS.append("backward")
    arrived = {variable.unique_id: deriv}
    for v in topological_sort(variable):
        d = arrived.pop(v.unique_id)
        if v.is_leaf():
            v.accumulate_derivative(d)
            continue
        for parent, share in v.chain_rule(d):
            known = arrived.get(parent.unique_id)
            arrived[parent.unique_id] = share if known is None else known + share


OWN = {
    "map": tensor_map,
    "zip": tensor_zip,
    "reduce": tensor_reduce,
    "unbroadcast": unbroadcast,
    "backward": backpropagate,
}


@pytest.fixture(autouse=True)
def kits_own():
    CALLS.clear()
    yield
    tk.use()


def trained():
    generator = tk.Generator(5)
    data = nn.DATASETS["diag"](12, generator)
    model = nn.Sequential(
        nn.Linear(2, 4, generator=generator),
        nn.ReLU(),
        nn.Linear(4, 1, generator=generator),
        nn.Sigmoid(),
    )
    sgd = optim.SGD(model.parameters(), 0.5, momentum=0.5)
    loss, losses = nn.BCELoss(), []
    for _ in range(4):
        sgd.zero_grad()
        value = loss(model(tk.tensor(data.x)), data.y[:, None])
        value.backward()
        sgd.step()
        losses.append(value.item())
    return losses, [p.numpy().copy() for p in model.parameters()]


def test_a_network_trains_on_code_of_ones_own_as_on_the_kits():
    losses, weights = trained()
    assert CALLS == []
    with tk.use(**OWN):
        own_losses, own_weights = trained()
    assert {*CALLS} == {*OWN}
    np.testing.assert_allclose(own_losses, losses, rtol=1e-9)
    for mine, theirs in zip(own_weights, weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    assert losses[-1] < losses[0]
    CALLS.clear()
    assert trained()[0] == losses, "afterwards everything is the kit's own"
    assert CALLS == []


@pytest.mark.parametrize("name", [*OWN])
def test_each_part_is_exchanged_alone(name):
    losses, _ = trained()
    tk.use(**{name: OWN[name]})
    np.testing.assert_allclose(trained()[0], losses, rtol=1e-9)
    assert {*CALLS} == {name}


def test_a_wrong_part_shows():
    losses, _ = trained()
    with tk.use(unbroadcast=lambda grad, shape: unbroadcast(grad * 2, shape)):
        assert trained()[0] != losses

    def forgetful(fn):
        def loop(out, *rest):
            tensor_map(fn)(out, *rest)
            out[-1] = 0.0

        return loop

    with tk.use(map=forgetful):
        assert tk.tensor([1.0, 2.0]).exp().tolist() == [pytest.approx(np.e), 0.0]
    np.testing.assert_allclose(tk.tensor([1.0, 2.0]).exp().tolist(), np.exp([1.0, 2.0]))


LAYOUTS = {
    "plain": lambda x: x,
    "permuted": lambda x: x.permute(2, 0, 1),
    "sliced": lambda x: x[:, 1:, ::2],
    "stretched": lambda x: x[:, :1, :].expand(2, 3, 4),
    "backwards": lambda x: x[:, ::-1, :],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dim", [None, 0, 1, (0, 2), (2, 1)])
def test_own_loops_are_right_on_every_layout(layout, dim):
    x = LAYOUTS[layout](tk.tensor(np.arange(24.0).reshape(2, 3, 4) - 7.5))
    y = x * 3 + 1
    want = (x.sigmoid() * y).sum(dim), x.max(dim), (x / 4).prod(dim)
    with tk.use(map=tensor_map, zip=tensor_zip, reduce=tensor_reduce):
        got = (x.sigmoid() * y).sum(dim), x.max(dim), (x / 4).prod(dim)
    assert "reduce" in CALLS or layout == "backwards"
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (1, 1)])
def test_own_folds_of_few_cells(shape):
    x = tk.full(shape, 2.5)
    with tk.use(reduce=tensor_reduce, map=tensor_map):
        np.testing.assert_array_equal(x.sum().numpy(), np.sum(np.full(shape, 2.5)))
        np.testing.assert_array_equal(x.neg().numpy(), np.full(shape, -2.5))


def test_what_is_left_out_stays_and_none_puts_one_back():
    tk.use(map=tensor_map, zip=tensor_zip)
    tk.use(map=None)
    x = tk.tensor([1.0, 2.0])
    _ = x.exp() + x
    assert CALLS == ["zip"]
    assert repr(tk.use(zip=tensor_zip)) == "your own: zip"
    assert repr(tk.use()) == "everything is the kit's own"
    _ = x.exp() + x
    assert CALLS == ["zip"]


def test_with_puts_back_what_was_there_before_even_after_an_error():
    tk.use(map=tensor_map)
    with pytest.raises(ZeroDivisionError), tk.use(map=lambda fn: 1 / 0):
        tk.tensor([1.0]).exp()
    tk.tensor([1.0]).exp()
    assert CALLS == ["map"]


def test_other_names_and_things_are_refused_before_anything_changes():
    with pytest.raises(TypeError, match="no 'fold' to exchange: it has map, zip"):
        tk.use(map=tensor_map, fold=tensor_reduce)
    with pytest.raises(TypeError, match="map is int, not a function"):
        tk.use(map=3)
    tk.tensor([1.0]).exp()
    assert CALLS == []


def test_a_handle_tells_what_an_engine_needs():
    x, c = tk.tensor([2.0, -3.0], requires_grad=True), tk.tensor([5.0, 7.0])
    out = Variable(x * x * c)
    square, constant = out.parents
    assert (out.name, square.name, square.parents[0].name) == ("mul", "mul", "leaf")
    assert [v.unique_id for v in square.parents] == [id(x), id(x)]
    assert constant.is_constant()
    assert constant.name == "constant"
    assert not constant.is_leaf()
    ((to, share),) = out.chain_rule(tk.tensor([1.0, 10.0]))
    assert to.unique_id == square.unique_id
    assert share.tolist() == [5.0, 70.0]
    assert Variable(x).chain_rule(share) == []
    Variable(x).accumulate_derivative(share)
    Variable(x).accumulate_derivative(share)
    assert x.grad.tolist() == [10.0, 140.0]
    assert share.tolist() == [5.0, 70.0], "what arrives is never changed"
    assert repr(out) == "Variable(mul, shape (2,))"
