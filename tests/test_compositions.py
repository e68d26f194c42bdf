"""Compositions equal NumPy written out plainly, and their gradients equal nudging."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import close, grids, laws, values_for

import tensorkit as tk
from tensorkit.checks import check_gradient


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=axis, keepdims=True)


def logsumexp(x, axis, keepdims):
    top = x.max(axis=axis, keepdims=True, initial=-1e9)
    found = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return found if keepdims else found.reshape(np.sum(x, axis=axis).shape)


SHAPED = {
    "reshape": (lambda t: t.reshape(-1), lambda a: a.reshape(-1)),
    "squeeze": (lambda t: t.unsqueeze(0).squeeze(), lambda a: a[None].squeeze()),
    "unsqueeze": (lambda t: t.unsqueeze(-1), lambda a: a[..., None]),
    "flatten": (lambda t: t.flatten(), lambda a: a.reshape(-1)),
    "flip": (lambda t: t.flip(), np.flip),
    "T": (lambda t: t.T, np.transpose),
    "stack": (lambda t: tk.stack([t, t * 2], -1), lambda a: np.stack([a, a * 2], -1)),
    "tile": (lambda t: t.tile(2, 1, 3), lambda a: np.tile(a, (2, 1, 3))),
    "clip": (lambda t: t.clip(-1, 1.5), lambda a: np.clip(a, -1, 1.5)),
    "floor of a clip": (lambda t: t.clip(low=0).floor(), lambda a: np.floor(np.clip(a, 0, None))),
}


@pytest.mark.parametrize("name", SHAPED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@laws(30)
@given(st.data())
def test_shapes_and_cells_equal_numpy_on_any_layout(name, dtype, data):
    t, values = data.draw(grids(dtype))
    ours, theirs = SHAPED[name]
    got = ours(t)
    want = theirs(values)
    assert got.dtype == dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


ALONG = {
    "var": lambda a, axis, k: a.var(axis=axis, keepdims=k, ddof=1),
    "std": lambda a, axis, k: a.std(axis=axis, keepdims=k, ddof=1),
    "norm": lambda a, axis, k: np.sqrt((a * a).sum(axis=axis, keepdims=k)),
    "logsumexp": logsumexp,
}


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@laws(40)
@given(st.data())
def test_along_dims_they_equal_numpy(name, dtype, data):
    t, values = data.draw(grids(dtype))
    chosen = tuple(d - t.ndim for d in range(t.ndim) if data.draw(st.booleans()))
    dim = data.draw(st.sampled_from([None, chosen, *range(-t.ndim, t.ndim)]))
    keepdim = data.draw(st.sampled_from([None, True, False]))
    keep = (dim is not None) if keepdim is None else keepdim
    got = getattr(t, name)(dim, keepdim)
    want = ALONG[name](values.astype(np.float64), dim, keep)
    if np.prod([t.shape[d] for d in (range(t.ndim) if dim is None else np.atleast_1d(dim))]) == 0:
        want = np.full_like(want, {"norm": 0, "logsumexp": -np.inf}.get(name, np.nan))
    assert got.dtype == dtype
    assert got.shape == want.shape
    np.testing.assert_allclose(
        got, want, rtol=200 * np.finfo(dtype).eps, atol=1e-6 if dtype == np.float32 else 1e-13
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@laws(40)
@given(st.data())
def test_softmax_and_its_logarithm(dtype, data):
    t, values = data.draw(grids(dtype).filter(lambda g: g[0].ndim))
    dim = data.draw(st.integers(-t.ndim, t.ndim - 1))
    got, log = t.softmax(dim), t.log_softmax(dim)
    assert got.dtype == log.dtype == dtype
    want = softmax(values.astype(np.float64), dim)
    np.testing.assert_allclose(got, want, rtol=100 * np.finfo(dtype).eps, atol=1e-300)
    np.testing.assert_allclose(log, np.log(want), rtol=100 * np.finfo(dtype).eps, atol=1e-6)


F = [
    lambda x: x.reshape(3, 2), lambda x: x.T.reshape(6), lambda x: x.unsqueeze(1).squeeze(1),
    lambda x: x.flatten(), lambda x: x.flip(0), lambda x: x.flip((0, 1)) * x,
    lambda x: tk.stack([x, x * x], 1), lambda x: x.split(2, 1)[0] * x.split([1, 2], -1)[1],
    lambda x: x.tile(2, 2, 1), lambda x: x.diagonal(1), lambda x: x.diagonal(-1),
    lambda x: x.transpose().reshape(3, 1, 2).diagonal(), lambda x: x.clip(-1.0, 2.0),
    lambda x: x.clip(high=0.0),
    lambda x: x.var(1), lambda x: x.var((0, 1), keepdim=False, correction=0), lambda x: x.std(0),
    lambda x: x.std(), lambda x: x.norm(-1), lambda x: x.norm(), lambda x: x.logsumexp((0, 1)),
    lambda x: x.logsumexp(1, keepdim=False), lambda x: x.softmax(0), lambda x: x.log_softmax(-1),
    lambda x: tk.cross_entropy(x, [2, 0]), lambda x: x.min((0, 1)), lambda x: x.T.softmax(),
]  # fmt: skip


@pytest.mark.parametrize("f", F)
def test_gradients_equal_nudging(f):
    x = tk.tensor(values_for((2, 3), 9))
    assert check_gradient(f, x).ok
    assert check_gradient(f, x.T.contiguous().T).ok
    assert check_gradient(f, x.flip()).ok


def test_extreme_scores_do_not_overflow():
    x = tk.tensor([1e4, 1e4 + 1, -1e4])
    np.testing.assert_allclose(x.softmax(), softmax(np.array([0.0, 1, -2e4]), 0), rtol=1e-14)
    assert x.logsumexp().item() == pytest.approx(1e4 + 1 + math.log1p(math.exp(-1)), rel=1e-15)
    shares = tk.tensor([1e9, 1e9 + 0.5])
    want = -math.log1p(math.exp(-0.5))
    assert shares.log_softmax().numpy()[1] == pytest.approx(want, rel=1e-14)  # no digits lost
    assert tk.tensor([-math.inf, 0.0]).softmax().tolist() == [0, 1]
    assert tk.tensor([-math.inf, -math.inf]).logsumexp().item() == -math.inf
    assert tk.tensor([math.inf, 0.0]).logsumexp().item() == math.inf
    assert math.isnan(tk.tensor([math.nan, 0.0]).logsumexp().item())
    assert tk.zeros(0).softmax().shape == (0,)
    assert tk.zeros(0).logsumexp().item() == -math.inf


def test_cross_entropy():
    scores = tk.tensor([[1.0, 2, 3], [0.5, -1, 2]], requires_grad=True)
    labels = np.array([2, 0])
    want = -np.log(softmax(scores.numpy(), 1))[[0, 1], labels].mean()
    for given_labels in (labels, [2, 0], tk.tensor([2.0, 0]), labels.astype(float)):
        assert tk.cross_entropy(scores, given_labels).item() == pytest.approx(want)
    for wrong, error in [
        ([2], tk.ShapeError), ([[2, 0]], tk.ShapeError), ([2, 3], tk.DtypeError),
        ([-1, 0], tk.DtypeError), ([0.5, 1], tk.DtypeError), ([math.nan, 1], tk.DtypeError),
        (["a", "b"], tk.DtypeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            tk.cross_entropy(scores, wrong)


def test_slopes_at_0_and_at_the_limits():
    x = tk.zeros(3, requires_grad=True)
    (x.norm() + x.std() + x.norm(0, keepdim=False)).backward()
    assert x.grad.tolist() == [0, 0, 0]
    y = tk.tensor([-1.0, 0, 0.5, 1, 2, math.nan], requires_grad=True)
    z = y.clip(0, 1)
    np.testing.assert_array_equal(z, [0, 0, 0.5, 1, 1, math.nan])
    z.backward([1.0, 2, 3, 4, 5, 6])
    assert y.grad.tolist() == [0, 2, 3, 4, 0, 6]
    assert y.clip(3, 1).tolist()[:5] == np.clip(y.numpy(), 3, 1).tolist()[:5]


def test_argmax_and_argmin():
    values = values_for((2, 3, 4), 3)
    t = tk.tensor(values, requires_grad=True, dtype=tk.float32)
    for name, oracle in (("argmax", np.argmax), ("argmin", np.argmin)):
        for dim in (None, 0, 1, -1):
            got = getattr(t, name)(dim, keepdim=False)
            np.testing.assert_array_equal(got, oracle(t.numpy(), axis=dim))
            assert not got.requires_grad
            assert got.dtype == np.float64
        assert getattr(t, name)(1).shape == (2, 1, 4)
        with pytest.raises(tk.ShapeError, match=f"{name} of no numbers"):
            getattr(tk.zeros(2, 0), name)(1)
        assert getattr(tk.zeros(0, 2), name)(1).shape == (0, 1)
    assert tk.tensor([1.0, 5, 5]).argmax().item() == 1
    assert tk.tensor([1.0, math.nan, 5]).argmax().item() == 1


def test_split():
    t = tk.arange(7)
    assert [p.tolist() for p in t.split(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [p.shape for p in t.split([2, 0, 5])] == [(2,), (0,), (5,)]
    assert all(p.storage is t.storage for p in t.split(2))
    for wrong in (0, -1, [3, 3], [8, -1]):
        with pytest.raises(tk.ShapeError):
            t.split(wrong)


def test_what_does_not_fit_is_refused():
    t = tk.zeros(2, 3)
    for call, error in [
        (lambda: t.squeeze(1), tk.ShapeError), (lambda: t.squeeze(2), tk.IndexingError),
        (lambda: t.unsqueeze(3), tk.IndexingError), (lambda: t.flatten(1, 0), tk.ShapeError),
        (lambda: t.flip(2), tk.IndexingError), (lambda: t.tile(-1), tk.ShapeError),
        (lambda: t.tile(1.5), tk.DtypeError), (t[0].diagonal, tk.ShapeError),
        (lambda: tk.stack([t, t[0]]), tk.ShapeError), (lambda: t.var(1.0), tk.DtypeError),
        (lambda: t.softmax(2), tk.IndexingError), (lambda: t.dropout(1.0), tk.ShapeError),
        (lambda: t.reshape(4), tk.ShapeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            call()


@pytest.mark.parametrize("name", tk.COMPOSED)
def test_what_is_no_tensor_is_refused(name):
    f = tk.COMPOSED[name]
    needed = [p for p in inspect.signature(f).parameters.values() if p.default is p.empty]
    count = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in needed)
    with pytest.raises(tk.DtypeError, match="needs a tensor"):
        f([3.0] if name == "stack" else 3.0, *[1] * (count - 1))


def test_dropout_draws_from_its_generator():
    x = tk.tensor(values_for((50, 40), 1), requires_grad=True)
    a = x.dropout(0.25, tk.Generator(3))
    b = x.dropout(0.25, tk.Generator(3))
    np.testing.assert_array_equal(a, b)
    kept = a.numpy() != 0
    assert 0.2 < 1 - kept.mean() < 0.3
    close(a.numpy()[kept], (x.numpy() / 0.75)[kept])
    a.backward(np.ones(x.shape))
    np.testing.assert_allclose(x.grad, kept / 0.75)
    assert x.dropout(0.5, training=False) is x
    assert x.dropout(0.0) is x
    assert tk.ones(3, dtype=tk.float32).dropout(0.3).dtype == np.float32
