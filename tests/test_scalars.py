"""The scalar maths: within two units in the last place of the truth, on every kind of number."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from oracles import EDGES, ORACLES, ulps

import tensorkit as tk
from tensorkit import kernels, scalars

SPAN = {
    "exp": (-745.0, 709.7),
    "log": (0.0, 1e6),
    "sigmoid": (-700.0, 40.0),
    "tanh": (-25.0, 25.0),
    "sqrt": (0.0, 1e9),
    "log1p": (-1.0, 1e6),
    "expm1": (-745.0, 709.7),
    "softplus": (-700.0, 700.0),
    "sin": (-1e5, 1e5),
    "cos": (-1e5, 1e5),
    "floor": (-1e9, 1e9),
    "normal": (-37.0, 9.0),
    "bell": (-37.0, 37.0),
}
TRUTH = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "normal": mpmath.ncdf,
    "bell": mpmath.npdf,
}
WITHIN = {"normal": 4.0, "bell": 2.5}  # the others: 2
ROWS = [name for name in SPAN if name in ORACLES]


def spread(name: str, count: int = 40_000) -> np.ndarray:
    """Return numbers all over the span of a function: even, dense near 0, of every magnitude."""
    low, high = SPAN[name]
    rng = np.random.default_rng(7)
    even = rng.uniform(low, high, count)
    small = rng.uniform(-2, 2, count)
    scales = 10.0 ** rng.uniform(-300, 2, count // 2) * rng.choice([-1, 1], count // 2)
    x = np.concatenate(
        [even, small, scales, 1 + 1e-9 * small, math.log(2) / 2 * (1 + 1e-15 * even)]
    )
    if name in ("sin", "cos"):  # where sine and cosine are 0, nearly
        turns = math.pi / 2 * rng.integers(-60_000, 60_000, count)
        x = np.concatenate([x, turns, turns * (1 + 2e-16)])
    return x[(x >= low) & (x <= high)]


def compiled(name: str, x: np.ndarray) -> np.ndarray:
    """Return a scalar function of all cells, by its own loop."""
    kernel = kernels.elementwise_kernel(f"map_{name}", f"{name}(x)", ("x",))
    return kernels.run_map(kernel, tk.tensor(x)).numpy()


@pytest.mark.parametrize("name", SPAN)
def test_errors_stay_within_two_units_in_the_last_place(name):
    x = spread(name, 1500)
    truth = TRUTH.get(name) or getattr(mpmath, name)
    worst = (0.0, 0.0)
    with mpmath.workprec(160):
        for at, got in zip(x.tolist(), compiled(name, x).tolist(), strict=True):
            want = truth(mpmath.mpf(at))
            unit = math.ulp(float(want))
            if abs(want) > 3e-308:
                worst = max(worst, (float(abs(got - want)) / unit, at))
            else:
                assert abs(got - want) < 1e-307
    assert worst[0] <= WITHIN.get(name, 2.0), worst


@pytest.mark.parametrize("name", ROWS)
def test_many_more_numbers_are_close_to_numpy(name):
    # the oracle itself, in double precision, is off by up to one more
    x = spread(name)
    with np.errstate(all="ignore"):
        want = ORACLES[name](x)
    normal = np.abs(want) > 3e-308
    got = getattr(tk, name)(tk.tensor(x)).numpy()
    assert ulps(got[normal], want[normal]) < 3.5
    assert np.max(np.abs(got[~normal] - want[~normal]), initial=0) < 1e-307


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_and_cosine_far_from_zero(name):
    far = np.array([1e5, 100000.5, -1e6, 3e15, -1e22, 1e200, 1.7976931348623157e308])
    with np.errstate(all="ignore"):
        for x in (far, np.append(far, np.inf), np.append(far, np.nan), np.resize(far, 20_000)):
            want = getattr(np, name)(x)
            assert ulps(getattr(tk, name)(tk.tensor(x)).numpy(), want) <= 1
            mixed = np.resize([0.5, *x.tolist(), -3.0], 10_001)  # one far number among near ones
            assert ulps(compiled(name, mixed), getattr(np, name)(mixed)) <= 2


@pytest.mark.parametrize("name", ROWS)
def test_float32_is_rounded_from_float64(name):
    x = spread(name).astype(np.float32)
    with np.errstate(all="ignore"):
        want = ORACLES[name](x.astype(np.float64)).astype(np.float32)
    got = getattr(tk, name)(tk.tensor(x, dtype=tk.float32)).numpy()
    assert got.dtype == np.float32
    assert ulps(got, want) <= 1


@pytest.mark.parametrize("name", ROWS)
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
    for name in ("tanh", "sqrt", "sin", "expm1", "log1p"):
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
