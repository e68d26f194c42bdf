"""The scalar maths: within a few units in the last place of the truth, on every kind of number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import EDGES, ORACLES, ulps

import tensorkit as tk
from tensorkit import scalars

SPAN = {
    "exp": (-745.0, 709.7),
    "log": (0.0, 1e6),
    "sigmoid": (-700.0, 40.0),
    "tanh": (-25.0, 25.0),
    "sqrt": (0.0, 1e9),
    "log1p": (-1.0, 1e6),
    "expm1": (-745.0, 709.7),
    "softplus": (-700.0, 700.0),
    "sin": (-1e4, 1e4),
    "cos": (-1e4, 1e4),
    "floor": (-1e9, 1e9),
}


def spread(name: str) -> np.ndarray:
    """Return numbers all over the span of a function: even, dense near 0, of every magnitude."""
    low, high = SPAN[name]
    rng = np.random.default_rng(7)
    even = rng.uniform(low, high, 40_000)
    small = rng.uniform(-2, 2, 40_000)
    scales = 10.0 ** rng.uniform(-300, 2, 20_000) * rng.choice([-1, 1], 20_000)
    x = np.concatenate(
        [even, small, scales, 1 + 1e-9 * small, math.log(2) / 2 * (1 + 1e-15 * even)]
    )
    return x[(x >= low) & (x <= high)]


@pytest.mark.parametrize("name", SPAN)
def test_errors_stay_below_three_units_in_the_last_place(name):
    # the oracle itself, in double precision, is off by up to one more
    x = spread(name)
    with np.errstate(all="ignore"):
        want = ORACLES[name](x)
    normal = np.abs(want) > 3e-308
    got = getattr(tk, name)(tk.tensor(x)).numpy()
    assert ulps(got[normal], want[normal]) < 3.5
    assert np.max(np.abs(got[~normal] - want[~normal]), initial=0) < 1e-307


@pytest.mark.parametrize("name", SPAN)
def test_float32_is_rounded_from_float64(name):
    x = spread(name).astype(np.float32)
    with np.errstate(all="ignore"):
        want = ORACLES[name](x.astype(np.float64)).astype(np.float32)
    got = getattr(tk, name)(tk.tensor(x, dtype=tk.float32)).numpy()
    assert got.dtype == np.float32
    assert ulps(got, want) <= 1


@pytest.mark.parametrize("name", SPAN)
def test_plain_python_gives_the_same_special_values_as_numpy(name):
    function = getattr(scalars, name)
    for x in np.array(EDGES):
        with np.errstate(all="ignore"):
            got = np.float64(function(x))
            want = ORACLES[name](x)
        if abs(want) < 1e-307:
            assert abs(got) < 1e-307
            assert got != 0 or math.copysign(1, got) == math.copysign(1, want)
        else:
            assert ulps(got, np.float64(want)) < 4, f"{name}({x}) is {got}, not {want}"


def test_the_sign_of_zero_is_kept():
    for name in ("tanh", "sqrt"):
        for zero in (0.0, -0.0):
            assert math.copysign(1, getattr(scalars, name)(np.float64(zero))) == math.copysign(
                1, zero
            )


def test_nothing_is_lost_near_zero():
    x = np.float64(1e-12)
    assert scalars.tanh(x) == x
    assert scalars.tanh(-x) == -x
    assert scalars.log(1 + np.float64(2**-52)) == 2**-52 - 2**-105
    assert scalars.exp(np.float64(2**-52)) == 1 + 2**-52


def test_exp_reaches_both_ends_of_the_range():
    largest = np.float64(709.782712893384)
    assert ulps(scalars.exp(largest), np.exp(largest)) < 3
    with np.errstate(over="ignore"):
        assert scalars.exp(np.float64(709.79)) == np.inf
        assert scalars.exp(np.float64(np.inf)) == np.inf
    assert scalars.exp(np.float64(-745.13)) == 5e-324
    assert scalars.exp(np.float64(-746)) == 0
    assert scalars.exp(np.float64(-np.inf)) == 0


def test_log_of_subnormals():
    for x in (5e-324, 1e-320, 1e-310, 2.2250738585072014e-308):
        with np.errstate(over="ignore"):
            assert ulps(scalars.log(np.float64(x)), np.log(np.float64(x))) <= 2


def test_inverses_meet_in_the_kernels():
    x = tk.tensor(np.linspace(-30, 30, 1001))
    np.testing.assert_allclose(x.exp().log().numpy(), x.numpy(), rtol=0, atol=1e-14)
    np.testing.assert_allclose((x.sigmoid() + (-x).sigmoid()).numpy(), 1, rtol=4e-16)
