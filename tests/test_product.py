"""The matrix product, three times: by the library, as zip then reduce, tile by tile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit.checks import check_gradient
from tensorkit.product import by_zip_and_reduce, tiled

SHAPES = [
    ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)),
    ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)),
    ((2, 1, 2, 3), (4, 3, 2)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((2, 3), (3, 0)),
    ((0, 2, 3), (3, 1)), ((0,), (0,)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_matmul_equals_numpy(a, b, dtype):
    xs, ys = values_for(a, 1).astype(dtype), values_for(b, 2).astype(dtype)
    x, y = tk.tensor(xs, dtype=dtype), tk.tensor(ys, dtype=dtype)
    want = xs @ ys
    for got in (x @ y, xs @ y, x @ ys, tk.matmul(x, y), np.matmul(xs, y)):
        assert got.dtype == dtype
        assert got.shape == want.shape
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("a", "b"), [pair for pair in SHAPES if 0 not in pair[0] + pair[1]])
def test_the_gradient_of_matmul_equals_nudging(a, b):
    x, y = tk.tensor(values_for(a, 1)), tk.tensor(values_for(b, 2))
    assert check_gradient(tk.matmul, x, y).ok
    back = tuple(range(len(a)))[::-1]
    assert check_gradient(tk.matmul, x.permute(back).contiguous().permute(back), y.flip(0)).ok


def test_a_matrix_met_by_itself():
    x = tk.tensor(values_for((2, 3), 1))
    assert check_gradient(lambda x: x @ x.T, x).ok
    assert check_gradient(lambda x: x.T @ x, x).ok
    assert check_gradient(lambda x: x.T.expand(4, 3, 2) @ x, x).ok


def test_matmul_of_any_layout():
    x, y = tk.tensor(values_for((4, 3), 1)), tk.tensor(values_for((4, 5), 2))
    for a, b in [(x.T, y), (x[::-1].T, y[::-1]), (x[::2].T, y[::2]), (x[:1].expand(4, 3).T, y)]:
        np.testing.assert_allclose(a @ b, a.numpy() @ b.numpy(), rtol=1e-14)


def test_mixed_dtypes_and_constants():
    x = tk.tensor([[1, 2], [3, 4]], requires_grad=True, dtype=tk.float32)
    y = tk.tensor([[1.0, 2], [3, 5]], requires_grad=True)
    out = x @ y
    assert out.dtype == np.float64
    out.backward([[1.0, 2], [3, 4]])
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(x.grad, np.array([[1.0, 2], [3, 4]]) @ y.numpy().T)
    assert (x @ np.array([[1, 0], [0, 1]])).dtype == np.float32


def test_what_does_not_fit_is_refused():
    for a, b, words in [
        ((2, 3), (2, 3), r"length 3, the dim of the right that it meets 2"),
        ((3,), (2, 3), "length 3"),
        ((), (3,), r"use \* for a single number"),
        ((2, 2, 3), (3, 3, 4), r"cannot broadcast \(2,\) with \(3,\)"),
    ]:
        with pytest.raises(tk.ShapeError, match=words):
            tk.zeros(a) @ tk.zeros(b)
    with pytest.raises(TypeError):
        tk.zeros(2) @ "x"


def test_inf_and_nan_spread_as_numpy_says():
    x = np.array([[math.inf, 0.0], [1.0, math.nan]])
    y = np.array([[0.0, 1.0], [2.0, 3.0]])
    with np.errstate(invalid="ignore"):
        want = x @ y
        np.testing.assert_array_equal(tk.tensor(x) @ tk.tensor(y), want)


@pytest.mark.parametrize(("n", "k", "m"), [(2, 3, 4), (1, 1, 1), (5, 7, 3), (2, 0, 3), (0, 2, 1)])
def test_the_three_views_agree(n, k, m):
    x, y = tk.tensor(values_for((n, k), 1)), tk.tensor(values_for((k, m), 2))
    want = x.numpy() @ y.numpy()
    np.testing.assert_allclose(by_zip_and_reduce(x, y), want, rtol=1e-13, atol=1e-13)
    for tile in (1, 2, 3, 32):
        out = np.zeros((n, m))
        tiled(x.numpy(), y.numpy(), out, tile)
        np.testing.assert_allclose(out, want, rtol=1e-13, atol=1e-13)
    if n * k * m:
        assert check_gradient(by_zip_and_reduce, x, y.T.contiguous().T).ok


def test_the_tiled_loop_compiles_as_it_stands():
    import numba

    x, y = values_for((33, 35), 1), values_for((35, 34), 2)
    out = np.zeros((33, 34))
    numba.njit(tiled)(x, y, out, 16)
    np.testing.assert_allclose(out, x @ y, rtol=1e-12, atol=1e-12)
