"""The scalar maths of the kernels, in plain arithmetic.

No branch leaves the formula and no library is called, so a loop over any of these functions is
turned into vector instructions. The kernels copy the text of a function in, so that what is
compiled and what is stepped through is the same source. Errors stay within 2 units in the last
place; of ``normal`` and ``bell``, within 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

inf = float("inf")
nan = float("nan")
# ln 2 in two parts: n * LN2_HIGH is exact for every exponent n (Cody and Waite 1980).
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
LOG2_E = 1.4426950408889634
# Adding 1.5 * 2**52 pushes the fraction out of a float64: the integer stays, in the low bits.
ROUNDER = 6755399441055744.0
ROUNDER_BITS = 0x4338000000000000
ONE_BITS = 0x3FF0000000000000
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
# pi / 2 in three parts, by the same idea.
HALF_PI_HIGH = 1.5707963267923333
HALF_PI_MIDDLE = 2.5633441515839558e-12
HALF_PI_LOW = 1.0562999066987428e-23
TWO_OVER_PI = 0.6366197723675814
# Beyond this, sine and cosine are left to a library; compiler.py keeps that branch out of the way.
FAR = 100000.0
SIGN_BIT = -0x8000000000000000
HIGH_HALF = -0x8000000
SMALLEST_NORMAL = 2.2250738585072014e-308


def to_bits(x: Any) -> Any:
    """Return the 64 bits of a float64 as an integer."""
    return np.float64(x).view(np.int64)


def from_bits(bits: Any) -> Any:
    """Return the float64 that has these 64 bits."""
    return np.int64(bits).view(np.float64)


def sqrt(x: Any) -> Any:
    """Return the square root; nan below zero."""
    return np.sqrt(x)


def exp_rest(r: Any) -> Any:
    """Return e**r - 1 - r for |r| <= ln(2) / 2.

    The series r**2 (1/2 + r/6 + ...), cut after r**11; its last coefficients are fitted
    (Chebyshev) to take up what was cut off, which leaves an error of 1.3e-17. Even and odd powers
    are added up apart: a processor works on both at once.
    """
    z = r * r
    even = 2.7620075879983367e-07
    even = even * z + 2.4801521322368692e-05
    even = even * z + 0.0013888888917196719
    even = even * z + 0.041666666666624164
    even = even * z + 0.5000000000000001
    odd = 2.5100375832561234e-08
    odd = odd * z + 2.7557268480310024e-06
    odd = odd * z + 0.00019841269863040545
    odd = odd * z + 0.008333333333330065
    odd = odd * z + 0.16666666666666669
    return z * (even + r * odd)


def exp(x: Any) -> Any:
    """Return e**x = 2**n * e**r with n = round(x / ln 2), so that |r| <= ln(2) / 2."""
    near = min(max(x, -746.0), 710.0)
    shifted = near * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (near - n * LN2_HIGH) - n * LN2_LOW
    # 2**n in two factors: one alone would leave the range near overflow and among subnormals.
    half = to_bits(0.5 * n + ROUNDER) - ROUNDER_BITS
    rest = to_bits(shifted) - ROUNDER_BITS - half
    y = (1.0 + (r + exp_rest(r))) * from_bits((half + 1023) << 52) * from_bits((rest + 1023) << 52)
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
    return (1.0 + (r + exp_rest(r))) * from_bits((to_bits(shifted) - ROUNDER_BITS + 1023) << 52)


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
    far, low = twice - n * LN2_HIGH, n * LN2_LOW
    scale = from_bits((to_bits(shifted) - ROUNDER_BITS + 1023) << 52)
    e = (scale - 1.0 + scale * far) + scale * (exp_rest(far - low) - low)
    y = from_bits(to_bits(e / (e + 2.0)) | sign)
    return y if x == x else x


def larger(x: Any, y: Any) -> Any:
    """Return the larger of two numbers; nan if one of them is nan."""
    return x if x > y or x != x else y


def smaller(x: Any, y: Any) -> Any:
    """Return the smaller of two numbers; nan if one of them is nan."""
    return x if x < y or x != x else y


def floor(x: Any) -> Any:
    """Return the largest whole number that is not above x."""
    return np.floor(x)


def sin(x: Any) -> Any:
    """Return the sine of x radians; far from 0 a library does so."""
    if abs(x) > FAR:
        return np.sin(x)
    n = x * TWO_OVER_PI + ROUNDER
    y = quarter_wave(x, n, to_bits(n))
    return y if x != 0.0 else x


def cos(x: Any) -> Any:
    """Return the cosine of x radians: the sine a quarter turn further on."""
    if abs(x) > FAR:
        return np.cos(x)
    n = x * TWO_OVER_PI + ROUNDER
    return quarter_wave(x, n, to_bits(n) + 1)


def quarter_wave(x: Any, shifted: Any, quarter: Any) -> Any:
    """Return the sine of r = x - n pi / 2, |r| <= pi / 4, and of ``quarter`` quarter turns.

    pi / 2 comes in three parts: n times each of the first two is exact for |x| < 100000. Sine and
    cosine of r are their series, with fitted coefficients (Chebyshev); ``low`` is what r lost.
    """
    n = shifted - ROUNDER
    far, step = x - n * HALF_PI_HIGH, n * HALF_PI_MIDDLE
    near, last = far - step, n * HALF_PI_LOW
    r = near - last
    low = ((far - near) - step) + ((near - r) - last)
    z = r * r
    p = 1.591810123027412e-10
    p = p * z - 2.5051131455427946e-08
    p = p * z + 2.755731610068303e-06
    p = p * z - 0.0001984126983675497
    p = p * z + 0.008333333333330946
    p = p * z - 0.16666666666666666
    sine = r + (low + r * z * p)
    q = -1.1382614868556325e-11
    q = q * z + 2.0876146024689747e-09
    q = q * z - 2.7557317270560326e-07
    q = q * z + 2.4801587298763433e-05
    q = q * z - 0.0013888888888887395
    q = q * z + 0.041666666666666664
    h = 0.5 * z
    w = 1.0 - h
    cosine = w + (((1.0 - w) - h) + (z * z * q - r * low))
    y = cosine if quarter & 1 else sine
    return -y if quarter & 2 else y


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
    near = min(max(x, -40.0), 710.0)
    shifted = near * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    far, low = near - n * LN2_HIGH, n * LN2_LOW
    # half of it first: 2**n itself would leave the range just before the answer does
    scale = from_bits((to_bits(shifted) - ROUNDER_BITS + 1022) << 52)
    y = 2.0 * ((scale - 0.5 + scale * far) + scale * (exp_rest(far - low) - low))
    return y if abs(x) > 1e-17 else x


def softplus(x: Any) -> Any:
    """Return ln(1 + e**x) as max(x, 0) + ln(1 + f), f = e**-|x|, which cannot overflow.

    The logarithm is that of ``log``; s goes from 0 to 1/3 here, so there are more coefficients.
    """
    f = exp_normal(max(-abs(x), -708.0))
    s = f / (2.0 + f)
    z = s * s
    p = 0.16164134865118995
    p = p * z + 0.08800696405722702
    p = p * z + 0.1200108104593959
    p = p * z + 0.1331414334391922
    p = p * z + 0.15385570117742978
    p = p * z + 0.18181789434252693
    p = p * z + 0.22222222717465243
    p = p * z + 0.28571428567108387
    p = p * z + 0.40000000000014585
    p = p * z + 0.6666666666666666
    h = 0.5 * f * f
    y = max(x, 0.0) + (f - (h - s * (h + z * p)))
    return y if x == x else x


def gauss(x: Any) -> Any:
    """Return e**(-x**2 / 2) for |x| <= 40, like ``exp``.

    The square is taken in two parts, since its rounding would grow in the exponent.
    """
    high = from_bits(to_bits(x) & HIGH_HALF)
    square = -0.5 * high * high
    shifted = square * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (square - n * LN2_HIGH) - (n * LN2_LOW + 0.5 * (x - high) * (x + high))
    half = to_bits(0.5 * n + ROUNDER) - ROUNDER_BITS
    rest = to_bits(shifted) - ROUNDER_BITS - half
    return (
        (1.0 + (r + exp_rest(r))) * from_bits((half + 1023) << 52) * from_bits((rest + 1023) << 52)
    )


def bell(x: Any) -> Any:
    """Return the density of the standard normal distribution."""
    y = 0.3989422804014327 * gauss(min(abs(x), 40.0))
    return y if x == x else x


def normal(x: Any) -> Any:
    """Return the standard normal distribution function: the share of draws that lie below x.

    With a = |x|, the share above a is e**(-a**2 / 2) p(t) / (a + 3) with t = (a - 3) / (a + 3),
    which runs from -1 to 1; the coefficients of p, its even and odd powers, are fitted (Chebyshev).
    """
    a = min(abs(x), 40.0)
    u = 1.0 / (a + 3.0)
    t = (a - 3.0) * u
    s = t * t
    even = -1.3135933402247276e-08 * s + 9.487232199276363e-08
    even = (even * s - 2.7328560573942945e-07) * s + 8.436576374559394e-09
    even = (even * s + 3.639661016328273e-06) * s - 2.0688992367067843e-05
    even = (even * s + 7.881264329401229e-05) * s - 0.0002565753435054921
    even = (even * s + 0.0010275922589893913) * s - 0.010462867023309811
    even = (even * s + 0.23001771997460368) * s + 0.729083690133373
    odd = -4.7870720959922925e-09 * s + 1.657033137527329e-08
    odd = (odd * s + 5.684486037424846e-08) * s - 6.074709787998142e-07
    odd = (odd * s + 2.2657541545091404e-06) * s - 3.5216120993913375e-06
    odd = (odd * s - 1.3244941486425609e-05) * s + 0.00015439426231460667
    odd = (odd * s - 0.0010458285990398509) * s + 0.006972621238880609
    odd = (odd * s - 0.04726302514292172) * s - 0.50933198191749
    tail = gauss(a) * ((even + t * odd) * u)
    y = 1.0 - tail if x > 0.0 else tail
    return y if x == x else x
