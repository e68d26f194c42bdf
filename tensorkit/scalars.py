"""The scalar maths of the kernels, in plain arithmetic.

No branch leaves the formula and no library is called, so a loop over any of these functions is
turned into vector instructions. The kernels copy the text of a function in, so that what is
compiled and what is stepped through is the same source. Errors stay below 2.5 units in the last
place.
"""

from __future__ import annotations

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
    """Return e**r - 1 for |r| <= ln(2) / 2, by its Taylor series up to r**13 / 13!."""
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 1 / 2
    return r + r * r * p


def exp(x: Any) -> Any:
    """Return e**x = 2**n * e**r with n = round(x / ln 2), so that |r| <= ln(2) / 2."""
    near = min(max(x, -746.0), 710.0)
    shifted = near * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (near - n * LN2_HIGH) - n * LN2_LOW
    # 2**n in two factors: one alone would leave the range near overflow and among subnormals.
    k = to_bits(shifted) - ROUNDER_BITS
    half = k >> 1
    scale = from_bits((half + 1023) << 52)
    y = (1.0 + exp_minus_one(r)) * scale * from_bits((k - half + 1023) << 52)
    return y if x == x else x


def log(x: Any) -> Any:
    """Return ln x = k ln 2 + ln m with m in [sqrt(1/2), sqrt 2), by the series of 2 artanh(s)."""
    tiny = x < SMALLEST_NORMAL
    bits = to_bits(x * 18014398509481984.0 if tiny else x)
    k = (bits - SQRT_HALF_BITS) >> 52
    f = from_bits(bits - (k << 52)) - 1.0
    # k as a float, by the same trick as in exp; 54 undoes the scaling of subnormals.
    power = (from_bits(k + ROUNDER_BITS) - ROUNDER) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 2 / 21
    p = p * z + 2 / 19
    p = p * z + 2 / 17
    p = p * z + 2 / 15
    p = p * z + 2 / 13
    p = p * z + 2 / 11
    p = p * z + 2 / 9
    p = p * z + 2 / 7
    p = p * z + 2 / 5
    p = p * z + 2 / 3
    h = 0.5 * f * f
    y = power * LN2_HIGH - ((h - (s * (h + z * p) + power * LN2_LOW)) - f)
    y = y if x < inf else x
    return y if x > 0.0 else (-inf if x == 0.0 else nan)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e**-x). Where e**-x overflows the answer is 0, as it should be."""
    return 1.0 / (1.0 + exp(-x))


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
