"""Convolution and pooling against loops in plain NumPy that slide a window by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit.checks import check_gradient
from tensorkit.convolution import WINDOWS, WINDOWS_BACK


def slide(x, weight, bias, step, padding):
    """Convolve with loops over every cell: (batch, in, ...) with (out, in, ...)."""
    k = len(step)
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    size = weight.shape[2:]
    counts = [(n - w) // s + 1 for n, w, s in zip(x.shape[2:], size, step, strict=True)]
    out = np.zeros((x.shape[0], weight.shape[0], *counts), x.dtype)
    for b, o in itertools.product(range(out.shape[0]), range(out.shape[1])):
        for place in np.ndindex(*counts):
            total = 0.0 if bias is None else bias[o]
            for c in range(x.shape[1]):
                for inside in np.ndindex(*size):
                    at = tuple(place[d] * step[d] + inside[d] for d in range(k))
                    total += x[(b, c, *at)] * weight[(o, c, *inside)]
            out[(b, o, *place)] = total
    return out


CASES = [
    ((2, 3, 5, 4), (4, 3, 3, 2), (1, 1), (0, 0)),
    ((1, 2, 5, 6), (3, 2, 2, 3), (2, 1), (1, 2)),
    ((2, 1, 3, 3), (1, 1, 3, 3), (1, 1), (0, 0)),
    ((1, 1, 4, 5), (2, 1, 1, 1), (3, 2), (0, 1)),
    ((0, 2, 4, 5), (3, 2, 2, 2), (1, 1), (0, 0)),
    ((2, 0, 4, 5), (3, 0, 2, 2), (1, 1), (0, 0)),
    ((2, 1, 4, 5), (0, 1, 2, 2), (1, 1), (0, 0)),
]


@pytest.mark.parametrize(("shape", "kernel", "step", "padding"), CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_conv2d_equals_sliding_by_hand(shape, kernel, step, padding, dtype):
    x, w, b = (values_for(s, k).astype(dtype) for k, s in enumerate((shape, kernel, kernel[:1])))
    got = tk.conv2d(*(tk.tensor(a, dtype=dtype) for a in (x, w, b)), step, padding)
    want = slide(x, w, b, step, padding)
    assert got.dtype == dtype
    assert got.shape == want.shape
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
def test_conv1d_equals_sliding_by_hand(stride, padding):
    x, w = values_for((2, 3, 7), 1), values_for((4, 3, 2), 2)
    got = tk.conv1d(tk.tensor(x), tk.tensor(w), stride=stride, padding=padding)
    np.testing.assert_allclose(
        got, slide(x, w, None, (stride,), (padding,)), rtol=1e-12, atol=1e-12
    )


def test_the_gradient_of_a_convolution_equals_nudging():
    x, w, b = (tk.tensor(values_for(s, 3)) for s in ((2, 2, 4, 3), (3, 2, 2, 2), (3,)))
    assert check_gradient(lambda x, w, b: tk.conv2d(x, w, b, (2, 1), (1, 0)), x, w, b).ok
    odd = x.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1).flip((0, 3))
    assert check_gradient(lambda x, w: tk.conv2d(x, w, None, 1, 1), odd, w.flip(2)).ok
    line, short = tk.tensor(values_for((2, 2, 5), 1)), tk.tensor(values_for((3, 2, 3), 2))
    assert check_gradient(lambda x, w: tk.conv1d(x, w, None, 2, 1), line, short).ok


@pytest.mark.parametrize(("size", "stride"), [(2, None), ((3, 2), 1), ((1, 2), (2, 1)), (2, 3)])
def test_pooling_equals_sliding_by_hand(size, stride):
    x = values_for((2, 3, 5, 6), 1)
    n, m = (size, size) if isinstance(size, int) else size
    step = size if stride is None else stride
    s, t = (step, step) if isinstance(step, int) else step
    cells = [
        [x[..., i : i + n, j : j + m] for j in range(0, 6 - m + 1, t)]
        for i in range(0, 5 - n + 1, s)
    ]
    for pool, oracle in ((tk.max_pool2d, np.max), (tk.avg_pool2d, np.mean)):
        want = np.moveaxis(
            [[oracle(c, axis=(-2, -1)) for c in line] for line in cells], (0, 1), (2, 3)
        )
        np.testing.assert_allclose(pool(tk.tensor(x), size, stride), want, rtol=1e-14)
        assert pool(tk.tensor(x[0, 0]), size, stride).shape == want.shape[2:]
        small = tk.tensor(x[:1, :1])
        assert check_gradient(lambda x, p=pool: p(x, size, stride), small).ok


def test_ties_in_a_window_share_the_gradient():
    x = tk.tensor([[5.0, 5, 1], [2, 5, 0]], requires_grad=True)
    tk.max_pool2d(x, 2, 1).backward([[6.0, 10]])
    assert x.grad.tolist() == [[2, 2 + 5, 0], [0, 2 + 5, 0]]


def test_windows_share_memory_and_stay_inside():
    x = tk.tensor(values_for((2, 5, 7), 1)).flip((0, 2))
    seen = WINDOWS(x, (3, 2), (2, 3))
    assert seen.storage is x.storage
    assert 0 <= seen.layout.low <= seen.layout.high < x.storage.size
    want = np.lib.stride_tricks.sliding_window_view(x.numpy(), (3, 2), (1, 2))[:, ::2, ::3]
    np.testing.assert_array_equal(seen, want)
    g = tk.tensor(values_for(seen.shape, 2))
    assert check_gradient(lambda g: WINDOWS_BACK(g, x.shape, (3, 2), (2, 3)), g).ok


def test_pad():
    x = tk.tensor(values_for((2, 3), 1))
    np.testing.assert_array_equal(tk.pad(x, (1, 2)), np.pad(x.numpy(), ((1, 1), (2, 2))))
    assert check_gradient(lambda x: tk.pad(x, (2,)), x.T).ok
    assert tk.pad(x, (0, 0)) is x


def test_what_does_not_fit_is_refused():
    x, w = tk.zeros(2, 3, 5, 4), tk.zeros(4, 3, 3, 2)
    for call in [
        lambda: tk.conv2d(x[0], w), lambda: tk.conv2d(x, w[:, :2]), lambda: tk.conv1d(x, w),
        lambda: tk.conv2d(x, tk.zeros(4, 3, 6, 2)), lambda: tk.conv2d(x, w, None, 0),
        lambda: tk.conv2d(x, w, None, 1, -1), lambda: tk.conv2d(x, w, tk.zeros(3)),
        lambda: tk.conv2d(x, w, tk.zeros(1)), lambda: tk.conv2d(x, w, None, (1, 1, 1)),
        lambda: tk.max_pool2d(x, 6), lambda: tk.max_pool2d(x, 0), lambda: tk.pad(x, (-1,)),
        lambda: tk.max_pool2d(tk.zeros(3), 2), lambda: tk.avg_pool2d(x, 2, 0),
        lambda: tk.pad(x[0, 0, 0], (1, 1)),
    ]:  # fmt: skip
        with pytest.raises(tk.ShapeError):
            call()
    with pytest.raises(tk.DtypeError):
        tk.conv2d(x, w, None, 1.5)
    with pytest.raises(tk.DtypeError, match="needs a tensor"):
        tk.conv2d(np.zeros((1, 3, 5, 4)), w)
