"""The scalar maths of the kernels, in plain arithmetic.

No branch leaves the formula and no library is called, so a loop over any of these functions is
turned into vector instructions. The kernels copy the text of a function in, so that what is
compiled and what is stepped through is the same source. Errors stay below 2.5 units in the last
place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# ln 2 in two parts: n * LN2_HIGH is exact for every exponent n (Cody and Waite 1980).
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
LOG2_E = 1.4426950408889634
# Adding 1.5 * 2**52 pushes the fraction out of a float64: the integer stays, in the low bits.
ROUNDER = 6755399441055744.0
ROUNDER_BITS = 0x4338000000000000
ONE_BITS = 0x3FF0000000000000
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
SIGN_BIT = -0x8000000000000000
SMALLEST_NORMAL = 2.2250738585072014e-308
inf = float("inf")
nan = float("nan")


def to_bits(x: Any) -> Any:
    """Return the 64 bits of a float64 as an integer."""
    return np.float64(x).view(np.int64)


def from_bits(bits: Any) -> Any:
    """Return the float64 that has these 64 bits."""
    return np.int64(bits).view(np.float64)


def sqrt(x: Any) -> Any:
    """Return the square root; nan below zero."""
    return np.sqrt(x)


def exp_minus_one(r: Any) -> Any:
    """Return e**r - 1 for |r| <= ln(2) / 2.

    The series r + r**2 (1/2 + r/6 + ...), cut after r**11; its last coefficients are fitted
    (Chebyshev) to take up what was cut off, which leaves an error of 1.3e-17.
    """
    p = 2.5100375832561234e-08
    p = p * r + 2.7620075879983367e-07
    p = p * r + 2.7557268480310024e-06
    p = p * r + 2.4801521322368692e-05
    p = p * r + 0.00019841269863040545
    p = p * r + 0.0013888888917196719
    p = p * r + 0.008333333333330065
    p = p * r + 0.041666666666624164
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    return r + r * r * p


def exp(x: Any) -> Any:
    """Return e**x = 2**n * e**r with n = round(x / ln 2), so that |r| <= ln(2) / 2."""
    near = min(max(x, -746.0), 710.0)
    shifted = near * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (near - n * LN2_HIGH) - n * LN2_LOW
    # 2**n in two factors: one alone would leave the range near overflow and among subnormals.
    half = to_bits(0.5 * n + ROUNDER) - ROUNDER_BITS
    rest = to_bits(shifted) - ROUNDER_BITS - half
    y = (1.0 + exp_minus_one(r)) * from_bits((half + 1023) << 52) * from_bits((rest + 1023) << 52)
    return y if x == x else x


def log(x: Any) -> Any:
    """Return ln x = k ln 2 + ln m with m in [sqrt(1/2), sqrt 2).

    With f = m - 1 and s = f / (2 + f), ln m = 2 artanh(s) = 2s + s**3 (2/3 + 2/5 s**2 + ...);
    the coefficients are fitted (Chebyshev) so that seven are enough.
    """
    tiny = x < SMALLEST_NORMAL
    bits = to_bits(x * 18014398509481984.0 if tiny else x)
    k = (bits - SQRT_HALF_BITS) >> 52
    f = from_bits(bits - (k << 52)) - 1.0
    # k as a float, by the same trick as in exp; 54 undoes the scaling of subnormals.
    power = (from_bits(k + ROUNDER_BITS) - ROUNDER) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 0.14616449685043406
    p = p * z + 0.15331721600556042
    p = p * z + 0.18182889125261723
    p = p * z + 0.2222221113479508
    p = p * z + 0.28571428625975487
    p = p * z + 0.39999999999899505
    p = p * z + 0.666666666666667
    h = 0.5 * f * f
    y = power * LN2_HIGH - ((h - (s * (h + z * p) + power * LN2_LOW)) - f)
    y = y if x < inf else x
    return y if x > 0.0 else (-inf if x == 0.0 else nan)


def exp_normal(x: Any) -> Any:
    """Return e**x for |x| <= 708, where the answer is a normal number and one factor is enough."""
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    return (1.0 + exp_minus_one(r)) * from_bits((to_bits(shifted) - ROUNDER_BITS + 1023) << 52)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e**-x), and 0 where e**-x would overflow."""
    y = 1.0 / (1.0 + exp_normal(min(max(-x, -708.0), 708.0)))
    y = y if x > -709.0 else 0.0
    return y if x == x else x


def tanh(x: Any) -> Any:
    """Return (e**2a - 1) / (e**2a + 1) with a = |x| and the sign of x: exact near 0 too."""
    sign = to_bits(x) & SIGN_BIT
    twice = min(2.0 * from_bits(to_bits(x) & ~SIGN_BIT), 40.0)
    shifted = twice * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (twice - n * LN2_HIGH) - n * LN2_LOW
    scale = from_bits((to_bits(shifted) - ROUNDER_BITS + 1023) << 52)
    e = scale * exp_minus_one(r) + (scale - 1.0)
    y = from_bits(to_bits(e / (e + 2.0)) | sign)
    return y if x == x else x


def floor(x: Any) -> Any:
    """Return the largest whole number that is not above x."""
    return np.floor(x)


def sin(x: Any) -> Any:
    """Return the sine of x radians."""
    return np.sin(x)


def cos(x: Any) -> Any:
    """Return the cosine of x radians."""
    return np.cos(x)


def log1p(x: Any) -> Any:
    """Return ln(1 + x). The rounding of 1 + x is put right to first order, exact near 0.

    Source: with u = 1 + x as rounded, ln u + (x - (u - 1)) / u (Higham 2002, section 1.14).
    """
    u = 1.0 + x
    fixed = log(u) + (x - (u - 1.0)) / u
    fixed = fixed if u < inf and u > 0.0 else log(u)
    return fixed if x != 0.0 else x


def expm1(x: Any) -> Any:
    """Return e**x - 1 = 2**n (e**r - 1) + (2**n - 1), exact near 0."""
    near = min(max(x, -40.0), 708.0)
    shifted = near * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (near - n * LN2_HIGH) - n * LN2_LOW
    scale = from_bits((to_bits(shifted) - ROUNDER_BITS + 1023) << 52)
    y = scale * exp_minus_one(r) + (scale - 1.0)
    y = y if x <= 708.0 else exp(x)
    return y if x == x and x != 0.0 else x


def softplus(x: Any) -> Any:
    """Return ln(1 + e**x) as max(x, 0) + ln(1 + e**-|x|), which cannot overflow."""
    small = log1p(exp_normal(max(-abs(x), -708.0)))
    y = max(x, 0.0) + small
    return y if x == x else x


def bell(x: Any) -> Any:
    """Return the density of the standard normal distribution."""
    return 0.3989422804014327 * exp(-0.5 * x * x)


def normal(x: Any) -> Any:
    """Return the standard normal distribution function, (1 + erf(x / sqrt 2)) / 2."""
    return 0.5 * math.erfc(-0.7071067811865476 * x)
