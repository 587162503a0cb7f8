"""Variances and trends without error: products enter digit vectors exactly, one rounding when they are read.

Squares are kept in a vector twice as wide as a sum (digit k weighs 2**(32 k - 2148)): the square of three digits is
six integer products. Unlike Dekker's two-product, this neither underflows nor overflows. The numerator
n sum(x**2) - sum(x)**2 is then an exact integer, however much of it cancels; so are both parts of a slope.

Each vector lies beside an accumulator of the same values (`exact`), which knows the range of digits touched and the
infinities. Times are integers, so that digit k of their sums weighs 2**(32 k).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from keepfit.kernel.compiling import called, compiled
from keepfit.kernel.exact import (
    DIGIT_BITS,
    DIGIT_MASK,
    HIGHEST,
    LOWEST,
    MINUS_INFINITY,
    PLUS_INFINITY,
    SMALLEST_EXPONENT,
    Digits,
    propagate,
    rounded,
    scaled,
    split,
)

WORK_ROWS: Final = 4
_TIMES, _TIMES_SQUARED = 3, 5  # digits of sum(t) and sum(t**2), for 2**28 values


@compiled
def add_square(squares: Digits, x: float, times: int) -> None:
    """Add `times * x**2` to a sum of squares, exactly; an infinite `x` is left to its `exact.add`."""
    if math.isinf(x) or x == 0:
        return
    first, low, middle, high = split(x)
    near, far = _product(low, low)
    squares[2 * first] += times * near
    carried = far
    near, far = _product(low, middle)
    squares[2 * first + 1] += times * (carried + 2 * near)
    carried = 2 * far
    near, far = _product(middle, middle)
    squares[2 * first + 2] += times * (carried + near)
    squares[2 * first + 3] += times * far
    if high != 0:
        _add_product(squares, 2 * first + 2, low, high, 2 * times)
        _add_product(squares, 2 * first + 3, middle, high, 2 * times)
        _add_product(squares, 2 * first + 4, high, high, times)


@compiled
def clear_squares(squares: Digits, accumulator: Digits) -> None:
    """Empty the squares of the values of an accumulator that is not cleared yet."""
    for k in range(2 * accumulator[LOWEST], 2 * accumulator[HIGHEST] + 2):
        squares[k] = 0


@compiled
def spread(accumulator: Digits, squares: Digits, n: int, work: Digits) -> tuple[float, int]:
    """Return n sum(x**2) - sum(x)**2 of `n` values as (mantissa, exponent), rounded once; NaN with an infinity.

    Reading costs the square of the digits touched: 3 to 4 for values of like size, 66 at worst.

    Parameters
    ----------
    accumulator, squares : int64 [WIDTH]
        The accumulator's `exact.total` has just been read: its digits are in `work[0]`.
    n : int
        At most `exact.MAX_VALUES`.
    work : int64 [WORK_ROWS, WIDTH]
        Scratch.
    """
    if accumulator[PLUS_INFINITY] or accumulator[MINUS_INFINITY]:
        return math.nan, 0
    lowest, highest = accumulator[LOWEST], accumulator[HIGHEST]
    if lowest > highest:
        return 0.0, 0
    sums, numerator = work[0], work[1]
    first, last = 2 * lowest, 2 * highest + 3
    carry = 0
    for k in range(first, last + 1):  # n times the squares, carries done; a digit below 2**32 times n fits
        if k < last - 1:
            carry += squares[k]
        numerator[k] = n * (carry & DIGIT_MASK)
        carry >>= DIGIT_BITS
    highest += 1
    while highest >= lowest and sums[highest] == 0:
        highest -= 1
    for j in range(lowest, highest + 1):
        _add_product(numerator, 2 * j, sums[j], sums[j], -1)
        for k in range(lowest, j):
            _add_product(numerator, j + k, sums[j], sums[k], -2)
    carry = 0
    for k in range(first, last + 1):  # never negative
        carry += numerator[k]
        numerator[k] = carry & DIGIT_MASK
        carry >>= DIGIT_BITS
    mantissa, exponent = rounded(numerator, first, last)
    return mantissa, exponent + 2 * SMALLEST_EXPONENT


@compiled
def variance(mantissa: float, exponent: int, n: int) -> float:
    """Return the sample variance of `n` values from their `spread`; NaN below two.

    The spread, n (n - 1) and the division are rounded once each: the relative error of a normal result is below
    3 * 2**-53 + O(2**-106). Scaling by a power of two comes last, so nothing overflows before the result does.
    """
    if n < 2:
        return math.nan
    return scaled(mantissa / (float(n) * float(n - 1)), exponent)


@compiled
def deviation(mantissa: float, exponent: int, n: int) -> float:
    """Return the sample standard deviation of `n` values from their `spread`; NaN below two.

    The three roundings of the variance count half under the root, which is rounded once: the relative error of a
    normal result is below 2.5 * 2**-53 + O(2**-106), whatever the mean.
    """
    if n < 2:
        return math.nan
    if exponent & 1:
        mantissa *= 2
        exponent -= 1
    return scaled(math.sqrt(mantissa / (float(n) * float(n - 1))), exponent >> 1)


@called
def add_moment(products: Digits, sums: Digits, squares: Digits, x: float, t: int, times: int) -> None:
    """Add `times` t * x, t and t**2 to their sums, exactly; the product of an infinite `x` is left out."""
    sign = -times if t < 0 else times
    near, far = abs(t) & DIGIT_MASK, abs(t) >> DIGIT_BITS
    sums[0] += sign * near
    sums[1] += sign * far
    _add_product(squares, 0, near, near, times)
    _add_product(squares, 1, near, far, 2 * times)
    _add_product(squares, 2, far, far, times)
    if math.isinf(x) or x == 0:
        return
    if x < 0:
        sign = -sign
    first, low, middle, high = split(x)
    _add_product(products, first, near, low, sign)
    _add_product(products, first + 1, near, middle, sign)
    _add_product(products, first + 1, far, low, sign)
    _add_product(products, first + 2, near, high, sign)
    _add_product(products, first + 2, far, middle, sign)
    _add_product(products, first + 3, far, high, sign)


@compiled
def clear_moments(products: Digits, sums: Digits, squares: Digits, accumulator: Digits) -> None:
    """Empty the moments beside an accumulator that is not cleared yet."""
    for k in range(accumulator[LOWEST], accumulator[HIGHEST] + 3):
        products[k] = 0
    sums[: _TIMES + 1] = 0
    squares[: _TIMES_SQUARED + 1] = 0


@called
def slope(
    accumulator: Digits, products: Digits, sums: Digits, squares: Digits, n: int, unit: float, work: Digits
) -> float:
    """Return the least squares slope of x over t, per `unit` of time; NaN below two times or with an infinity.

    (n sum(t x) - sum(t) sum(x)) / (n sum(t**2) - sum(t)**2): two exact integers, so the slope does not depend on
    where time starts. Each is rounded once, then they are divided and multiplied by the unit, once each: the
    relative error of a normal result is below 4 * 2**-53 + O(2**-106).

    Parameters
    ----------
    accumulator : int64 [WIDTH]
        Sum of x.
    products, sums, squares : int64 [WIDTH]
        As `add_moment` fills them.
    n : int
        How many values.
    unit : float
    work : int64 [WORK_ROWS, WIDTH]
        Scratch.
    """
    if n < 2 or accumulator[PLUS_INFINITY] or accumulator[MINUS_INFINITY]:
        return math.nan
    times, other, result = work[0], work[1], work[2]
    times_sign = propagate(sums, 0, _TIMES - 1, times)
    propagate(squares, 0, _TIMES_SQUARED - 1, other)
    below, below_exponent = _difference(other, 0, _TIMES_SQUARED, 1, n, times, times, 0, _TIMES, 1, result, work[3])
    if below == 0:
        return math.nan
    lowest, highest = accumulator[LOWEST], accumulator[HIGHEST]
    if lowest > highest:
        return 0.0
    sign = propagate(products, lowest, highest + 2, other)
    sums_sign = times_sign * propagate(accumulator, lowest, highest, work[3])
    above, exponent = _difference(
        other, lowest, highest + 3, sign, n, times, work[3], lowest, highest + 1, sums_sign, result, other
    )
    return math.ldexp(above / below * unit, exponent + SMALLEST_EXPONENT - below_exponent)


@called
def _difference(
    a: Digits,
    first: int,
    last: int,
    sign: int,
    n: int,
    b: Digits,
    c: Digits,
    low: int,
    high: int,
    product_sign: int,
    result: Digits,
    work: Digits,
) -> tuple[float, int]:
    """Return `sign n a - product_sign b c` rounded once; a has digits first : last + 1, c low : high + 1, b is a time."""
    stop = max(last + 1, high + _TIMES + 2)
    result[first : stop + 1] = 0
    for k in range(first, last + 1):
        _add_product(result, k, a[k], n, sign)
    for j in range(_TIMES + 1):
        for k in range(low, high + 1):
            _add_product(result, j + k, b[j], c[k], -product_sign)
    found = propagate(result, first, stop, work)
    mantissa, exponent = rounded(work, first, stop + 1)
    return found * mantissa, exponent


@compiled
def _add_product(digits: Digits, k: int, a: int, b: int, times: int) -> None:
    """Add `times * a * b` at digit k; a and b are below 2**32."""
    near, far = _product(a, b)
    digits[k] += times * near
    digits[k + 1] += times * far


@compiled
def _product(a: int, b: int) -> tuple[int, int]:
    """Return a * b as two digits, the lower first; a and b are below 2**32."""
    product = np.uint64(a) * np.uint64(b)
    return np.int64(product & np.uint64(DIGIT_MASK)), np.int64(product >> np.uint64(DIGIT_BITS))  # type: ignore[return-value]
