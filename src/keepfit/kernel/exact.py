"""Sums of doubles without error: add and remove in any order, round once at the end.

An accumulator is a wide fixed-point number (a small superaccumulator: R. M. Neal, "Fast exact summation using
small and large superaccumulators", arXiv:1505.05571, 2015). Digit k, an int64, weighs 2**(32 k - 1074), so that
the digits cover every finite double. A double's 53-bit mantissa falls on three neighbouring digits; each digit
has 31 spare bits for carries, which therefore need no propagation until a result is read. So adding and
removing are integer additions, exact inverses of each other, and the state is a function of the multiset of
values alone.

`moments` builds variances and trends on it, `decay` weighted means: exact integers too, until they are read.

All functions work in place on int64 vectors, allocate nothing and never fail; a vector starts as zeros and
`forget_range`. Limit, on the values held at a time: `MAX_VALUES`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import compiled, entry

Digits = NDArray[np.int64]

MAX_VALUES: Final = 2**28 - 1
"""Most values at a time: one square adds less than 5 * 2**32 to a digit, which holds 2**63."""

DIGITS: Final = 75
"""66 cover a double's range; the others are for carries, for products with a time and for weights (`decay`)."""

_MOST_DIGITS: Final = 2 * DIGITS + 2  # products of two accumulators need twice the digits

# Behind all digits: the range of digits touched since it was last empty, and how many infinities it holds.
LOWEST: Final = _MOST_DIGITS
HIGHEST: Final = _MOST_DIGITS + 1
PLUS_INFINITY: Final = _MOST_DIGITS + 2
MINUS_INFINITY: Final = _MOST_DIGITS + 3

WIDTH: Final = _MOST_DIGITS + 4
"""Length of any vector here."""

DIGIT_BITS: Final = 32
DIGIT_MASK: Final = 0xFFFF_FFFF
SMALLEST_EXPONENT: Final = -1074  # the weight of bit 0 of a sum; twice that for squares
_MANTISSA_BITS: Final = 52
_MANTISSA_MASK: Final = 2**52 - 1
_EXPONENT_MASK: Final = 0x7FF


@entry
def add(accumulator: Digits, x: float, times: int) -> None:
    """Add `times * x` to a sum, exactly; `times=-1` undoes an earlier `times=1`.

    Infinities are counted apart, so that a sum is exact again once they have been removed. `x` is not NaN.
    """
    if x == 0:
        return  # zero touches no digit, or every reading would start at the smallest
    if math.isinf(x):
        accumulator[PLUS_INFINITY if x > 0 else MINUS_INFINITY] += times
        return
    first, low, middle, high = split(x)
    put(accumulator, first, low, middle, high, -times if x < 0 else times)


@compiled
def put(accumulator: Digits, first: int, low: int, middle: int, high: int, times: int) -> None:
    """Add `times` a number of three digits that start at digit `first`."""
    accumulator[first] += times * low
    accumulator[first + 1] += times * middle
    accumulator[first + 2] += times * high
    accumulator[LOWEST] = min(accumulator[LOWEST], first)
    accumulator[HIGHEST] = max(accumulator[HIGHEST], first + 1 + (high != 0))


@entry
def clear(accumulator: Digits) -> None:
    """Empty an accumulator; only touched digits cost."""
    for k in range(accumulator[LOWEST], accumulator[HIGHEST] + 1):
        accumulator[k] = 0
    accumulator[PLUS_INFINITY] = accumulator[MINUS_INFINITY] = 0
    forget_range(accumulator)


@entry
def forget_range(accumulator: Digits) -> None:
    """Note that every value has been removed: all digits are zero, so the next reading starts narrow again."""
    accumulator[LOWEST] = DIGITS
    accumulator[HIGHEST] = -1


@entry
def total(accumulator: Digits, work: Digits) -> tuple[float, int]:
    """Return the sum as (mantissa, exponent): the value is `mantissa * 2**exponent`.

    The mantissa is the exact sum rounded once to 53 bits, half to even, so `ldexp(mantissa, exponent)` is the
    correctly rounded double, infinite where that overflows. (A subnormal sum of doubles has fewer than 53 bits
    and is exact.) An empty or cancelled sum is +0.0. With infinities, the mantissa is what IEEE 754 says.

    Parameters
    ----------
    accumulator : int64 [WIDTH]
    work : int64 [at least 1, WIDTH]
        Scratch.
    """
    if accumulator[PLUS_INFINITY] or accumulator[MINUS_INFINITY]:
        if accumulator[PLUS_INFINITY] and accumulator[MINUS_INFINITY]:
            return math.nan, 0
        return (math.inf if accumulator[PLUS_INFINITY] else -math.inf), 0
    lowest, highest = accumulator[LOWEST], accumulator[HIGHEST]
    if lowest > highest:
        return 0.0, 0
    sign = propagate(accumulator, lowest, highest, work[0])
    mantissa, exponent = rounded(work[0], lowest, highest + 1)
    return sign * mantissa, exponent + SMALLEST_EXPONENT


@compiled
def scaled(x: float, exponent: int) -> float:
    """Return x * 2**exponent, as `math.ldexp`; x is 0, not finite, or at least 2**-60 and below 2**64."""
    if -900 < exponent < 900:  # the power is a double and neither it nor the result is subnormal: a product is exact
        return x * np.int64((exponent + 1023) << _MANTISSA_BITS).view(np.float64)  # type: ignore[no-any-return]
    return math.ldexp(x, exponent)


@compiled
def split(x: float) -> tuple[int, int, int, int]:
    """Return |x| as three digits: (first, low, middle, high), low weighing as digit `first`."""
    mantissa, exponent = _parts(x)
    return place(mantissa, exponent)


@compiled
def split_scaled(x: float, shift: int) -> tuple[int, int, int, int]:
    """Return |x| * 2**shift as three digits; `x` is normal and the result fits the digits."""
    mantissa, exponent = _parts(x)
    return place(mantissa, exponent + shift)


@compiled
def _parts(x: float) -> tuple[int, int]:
    """Return |x| as (mantissa, exponent): |x| = mantissa * 2**(exponent - 1074)."""
    bits = int(np.float64(x).view(np.int64))
    mantissa = bits & _MANTISSA_MASK
    exponent = (bits >> _MANTISSA_BITS) & _EXPONENT_MASK
    if exponent > 0:  # not subnormal: the leading 1 is implied
        mantissa |= 1 << _MANTISSA_BITS
        exponent -= 1
    return mantissa, exponent


@compiled
def place(mantissa: int, exponent: int) -> tuple[int, int, int, int]:
    """Return mantissa * 2**exponent as three digits: (first, low, middle, high)."""
    first, shift = exponent >> 5, exponent & 31  # a digit has 2**5 bits
    low = (mantissa << shift) & DIGIT_MASK  # bits lost off the top of the int64 are in `above`
    above = mantissa >> (DIGIT_BITS - shift)
    return first, low, above & DIGIT_MASK, above >> DIGIT_BITS


@compiled
def propagate(digits: Digits, lowest: int, highest: int, result: Digits) -> int:
    """Write |digits| with all carries done to result[lowest : highest + 2], each in [0, 2**32); return the sign."""
    for sign in (1, -1):
        carry = 0
        for k in range(lowest, highest + 1):
            carry += sign * digits[k]
            result[k] = carry & DIGIT_MASK
            carry >>= DIGIT_BITS
        if carry >= 0:  # negative: the number is below zero, so its negation is not
            break
    result[highest + 1] = carry
    return sign


@compiled
def rounded(digits: Digits, lowest: int, highest: int) -> tuple[float, int]:
    """Round a number of digits in [0, 2**32) to 53 bits, half to even; bit 0 of digit 0 weighs 2**0."""
    top = highest
    while top >= lowest and digits[top] == 0:
        top -= 1
    if top < lowest:
        return 0.0, 0
    first = np.uint64(digits[top])
    second = np.uint64(digits[top - 1] if top > lowest else 0)
    third = np.uint64(digits[top - 2] if top > lowest + 1 else 0)
    length = (
        (int(np.float64(digits[top]).view(np.int64)) >> _MANTISSA_BITS) & _EXPONENT_MASK
    ) - 1022  # bits of `first`
    cut = np.uint64(length)
    head = (((first << np.uint64(32)) | second) << (np.uint64(32) - cut)) | (third >> cut)  # the leading 64 bits
    rest = third & ((np.uint64(1) << cut) - np.uint64(1))
    sticky = (head & np.uint64(1)) | np.uint64(rest != 0)
    for k in range(lowest, top - 2):
        sticky |= np.uint64(digits[k] != 0)
    # 63 bits whose last one stands for all that follow convert to a double with one correct rounding.
    return float(np.int64((head >> np.uint64(1)) | sticky)), DIGIT_BITS * top + length - 63
