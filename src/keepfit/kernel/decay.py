"""Exponentially weighted means without a path: weights relative to an anchor, exact sums, one division.

With half-life H, a row at t weighs 2**(t / H) up to a factor that cancels: t = k H + r gives 2**k * 2**(r / H). The
second factor is in [1, 2) and belongs to the row alone, so x * 2**(r / H) is rounded once and is the same whenever
it enters or leaves. The first is a shift of digits, exact. To stay within the digits, shifts are relative to an
anchor, a multiple of 32 half-lives; moving the anchor moves whole digits. Numerator and denominator share it, so the
mean does not depend on it.

A window reaches back at most 60 half-lives (`program.EWM_REACH`): its rows' shifts differ by less than `_SPAN`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from keepfit.kernel import exact
from keepfit.kernel.compiling import called
from keepfit.kernel.exact import DIGIT_BITS, HIGHEST, LOWEST, MINUS_INFINITY, PLUS_INFINITY, Digits

_SPAN: Final = 62
_MOST: Final = 127  # the greatest shift from the anchor that the digits hold
_BELOW: Final = 63  # digit 0 weighs 2**-1138: a subnormal is scaled up by 2**52 before it is weighted, no bit is lost


@called
def anchor_for(numerator: Digits, denominator: Digits, anchor: int, t: int, half_life: int, empty: bool) -> int:
    """Return the anchor, in half-lives, under which a row at `t` may enter; the sums are moved to it."""
    k = t // half_life
    wanted = ((k - _SPAN) // DIGIT_BITS) * DIGIT_BITS
    if empty:
        return wanted
    if k - anchor <= _MOST:
        return anchor
    digits = (wanted - anchor) // DIGIT_BITS
    _move_down(numerator, digits)
    _move_down(denominator, digits)
    return wanted


@called
def add_decayed(
    numerator: Digits, denominator: Digits, anchor: int, x: float, t: int, half_life: int, times: int
) -> None:
    """Add `times` the weighted value and the weight of a row at `t`, relative to the anchor."""
    k = t // half_life
    weight = 2.0 ** ((t - k * half_life) / half_life)
    shift = k - anchor + _BELOW
    first, low, middle, high = exact.split_scaled(weight, shift)
    exact.put(denominator, first, low, middle, high, times)
    if math.isinf(x):
        numerator[PLUS_INFINITY if x > 0 else MINUS_INFINITY] += times
    elif x != 0:
        mantissa, exponent = math.frexp(x)
        first, low, middle, high = exact.split_scaled(abs(mantissa) * weight, shift + exponent)
        exact.put(numerator, first, low, middle, high, -times if x < 0 else times)


@called
def decayed_mean(numerator: Digits, denominator: Digits, work: Digits) -> float:
    """Return the weighted mean of what is inside; at least one value is.

    2**(r / H) carries 2 ulp at most, its product, both sums and the division half an ulp each: the error is below
    8 * 2**-53 of the weighted mean of |x|.
    """
    above, exponent = exact.total(numerator, work)
    below, below_exponent = exact.total(denominator, work)
    return math.ldexp(above / below, exponent - below_exponent)


@called
def _move_down(accumulator: Digits, digits: int) -> None:
    """Divide by 2**(32 digits): what weighed less has left, and its digits are zero again. Find the range anew."""
    lowest, highest = accumulator[LOWEST], accumulator[HIGHEST]
    exact.forget_range(accumulator)
    for k in range(lowest, highest + 1):
        digit = accumulator[k]
        accumulator[k] = 0
        if digit != 0:
            accumulator[k - digits] = digit
            accumulator[LOWEST] = min(accumulator[LOWEST], k - digits)
            accumulator[HIGHEST] = np.int64(k - digits)
