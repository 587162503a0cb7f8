"""Sums and variances of doubles without error: add and remove in any order, round once at the end.

An accumulator is a wide fixed-point number (a small superaccumulator: R. M. Neal, "Fast exact summation using
small and large superaccumulators", arXiv:1505.05571, 2015). Digit k, an int64, weighs 2**(32 k - 1074), so that
the digits cover every finite double. A double's 53-bit mantissa falls on three neighbouring digits; each digit
has 31 spare bits for carries, which therefore need no propagation until a result is read. So adding and
removing are integer additions, exact inverses of each other, and the state is a function of the multiset of
values alone.

Squares go into a second accumulator, twice as wide (digit k weighs 2**(32 k - 2148)): the square of three digits
is six integer products. Unlike Dekker's two-product, this neither underflows nor overflows. The variance's
numerator n * sum(x**2) - sum(x)**2 is then an exact integer too, however much of it cancels.

All functions work in place on int64 vectors, allocate nothing and never fail; a vector starts as zeros. Limits, on
the values held at a time: fewer than 2**31 in a sum and 2**28 in a variance (`MAX_VALUES`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Digits = NDArray[np.int64]

MAX_VALUES: Final = 2**28 - 1
"""Most values at a time: one square adds less than 5 * 2**32 to a digit, which holds 2**63."""

_SUM_DIGITS: Final = 67  # 2098 bits of double range need 66; one more for the carries
# Behind a sum's digits: the range of digits touched since it was last empty, and how many infinities it holds.
_LOWEST: Final = _SUM_DIGITS
_HIGHEST: Final = _SUM_DIGITS + 1
_PLUS_INFINITY: Final = _SUM_DIGITS + 2
_MINUS_INFINITY: Final = _SUM_DIGITS + 3

SUM_WIDTH: Final = _SUM_DIGITS + 4
SQUARES_WIDTH: Final = 2 * _SUM_DIGITS + 2
WORK_SHAPE: Final = (3, SQUARES_WIDTH)

_DIGIT_BITS: Final = 32
_DIGIT_MASK: Final = 0xFFFF_FFFF
_MANTISSA_BITS: Final = 52
_MANTISSA_MASK: Final = 2**52 - 1
_EXPONENT_MASK: Final = 0x7FF
_SMALLEST_EXPONENT: Final = -1074  # the weight of bit 0 of a sum; twice that for squares

# Helpers are inlined into the loop that calls them. Nothing compiled here allocates, so counting references to the
# views it passes around, atomically, is switched off: it took five sixths of the time.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "forceinline": True, "_nrt": False}

# numba's cache looks at a function's own file only; with the digest of the room in the name, no edit of another file
# and no upgrade is ever answered by old code
_SOURCES: Final = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile for the machine without the GIL; keep the code on disk if any cache directory can be written.

    numba refuses `cache=True` at import where neither the package nor the user's cache is writable (a read-only
    image without a home); there, each process compiles for itself.
    """
    function.__qualname__ += f"_{_SOURCES.hexdigest()[:12]}"
    try:
        return cast(Callable[_P, _R], numba.njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:
        return cast(Callable[_P, _R], numba.njit(**_OPTIONS)(function))


@compiled
def add(accumulator: Digits, x: float, times: int) -> None:
    """Add `times * x` to a sum, exactly; `times=-1` undoes an earlier `times=1`.

    Infinities are counted apart, so that a sum is exact again once they have been removed. `x` is not NaN.
    """
    if math.isinf(x):
        accumulator[_PLUS_INFINITY if x > 0 else _MINUS_INFINITY] += times
        return
    first, low, middle, high = _split(x)
    if x < 0:
        times = -times
    accumulator[first] += times * low
    accumulator[first + 1] += times * middle
    accumulator[first + 2] += times * high
    accumulator[_LOWEST] = min(accumulator[_LOWEST], first)
    accumulator[_HIGHEST] = max(accumulator[_HIGHEST], first + 2)


@compiled
def add_square(squares: Digits, x: float, times: int) -> None:
    """Add `times * x**2` to a sum of squares, exactly; an infinite `x` is left to its `add`."""
    if math.isinf(x):
        return
    first, low, middle, high = _split(x)
    _add_product(squares, 2 * first, low, low, times)
    _add_product(squares, 2 * first + 1, low, middle, 2 * times)
    _add_product(squares, 2 * first + 2, low, high, 2 * times)
    _add_product(squares, 2 * first + 2, middle, middle, times)
    _add_product(squares, 2 * first + 3, middle, high, 2 * times)
    _add_product(squares, 2 * first + 4, high, high, times)


@compiled
def clear(accumulator: Digits, squares: Digits) -> None:
    """Empty a sum and its squares (a vector of length 0 if there are none); only touched digits cost."""
    lowest, highest = accumulator[_LOWEST], accumulator[_HIGHEST]
    if lowest <= highest:
        accumulator[lowest : highest + 1] = 0
        if squares.size:
            squares[2 * lowest : 2 * highest + 2] = 0
    accumulator[_PLUS_INFINITY] = accumulator[_MINUS_INFINITY] = 0
    forget_range(accumulator)


@compiled
def forget_range(accumulator: Digits) -> None:
    """Note that every value has been removed: all digits are zero, so the next reading starts narrow again."""
    accumulator[_LOWEST] = _SUM_DIGITS
    accumulator[_HIGHEST] = -1


@compiled
def total(accumulator: Digits, work: Digits) -> tuple[float, int]:
    """Return the sum as (mantissa, exponent): the value is `mantissa * 2**exponent`.

    The mantissa is the exact sum rounded once to 53 bits, half to even, so `ldexp(mantissa, exponent)` is the
    correctly rounded double, infinite where that overflows. (A subnormal sum of doubles has fewer than 53 bits
    and is exact.) An empty or cancelled sum is +0.0. With infinities, the mantissa is what IEEE 754 says.

    Parameters
    ----------
    accumulator : int64 [SUM_WIDTH]
    work : int64 `WORK_SHAPE`
        Scratch.
    """
    if accumulator[_PLUS_INFINITY] or accumulator[_MINUS_INFINITY]:
        if accumulator[_PLUS_INFINITY] and accumulator[_MINUS_INFINITY]:
            return math.nan, 0
        return (math.inf if accumulator[_PLUS_INFINITY] else -math.inf), 0
    lowest, highest = accumulator[_LOWEST], accumulator[_HIGHEST]
    sign = _propagate(accumulator, lowest, highest, work[0])
    mantissa, exponent = _round(work[0], lowest, highest + 1)
    return sign * mantissa, exponent + _SMALLEST_EXPONENT


@compiled
def deviation(accumulator: Digits, squares: Digits, n: int, work: Digits) -> float:
    """Return the sample standard deviation of `n` values; NaN below two values or with an infinity.

    sqrt((n sum(x**2) - sum(x)**2) / (n (n - 1))): the numerator is an exact integer and rounded once, n (n - 1),
    the division and the root once each. The first three count half under the root, so the relative error of a
    normal result is below 2.5 * 2**-53 + O(2**-106), whatever the mean. Scaling by a power of two comes last, so
    nothing overflows or underflows before the result does.

    Reading costs the square of the digits touched: 3 to 4 for values of like size, 66 at worst.

    Parameters
    ----------
    accumulator : int64 [SUM_WIDTH]
    squares : int64 [SQUARES_WIDTH]
    n : int
        At most `MAX_VALUES`.
    work : int64 `WORK_SHAPE`
        Scratch.
    """
    if n < 2 or accumulator[_PLUS_INFINITY] or accumulator[_MINUS_INFINITY]:
        return math.nan
    lowest, highest = accumulator[_LOWEST], accumulator[_HIGHEST]
    first, last = 2 * lowest, 2 * highest + 3
    sums, square_sums, numerator = work[0], work[1], work[2]
    _propagate(accumulator, lowest, highest, sums)
    _propagate(squares, first, last - 2, square_sums)
    numerator[first : last + 1] = 0
    for k in range(first, last):
        _add_product(numerator, k, square_sums[k], n, 1)
    for j in range(lowest, highest + 2):
        for k in range(lowest, highest + 2):
            _add_product(numerator, j + k, sums[j], sums[k], -1)
    _propagate(numerator, first, last, square_sums)
    mantissa, exponent = _round(square_sums, first, last + 1)
    if exponent % 2:
        mantissa *= 2
        exponent -= 1
    variance = mantissa / (float(n) * float(n - 1))
    return math.ldexp(math.sqrt(variance), exponent // 2 + _SMALLEST_EXPONENT)


@compiled
def _split(x: float) -> tuple[int, int, int, int]:
    """Return |x| as three digits: (first, low, middle, high), low weighing as digit `first`."""
    bits = int(np.float64(x).view(np.int64))
    mantissa = bits & _MANTISSA_MASK
    exponent = (bits >> _MANTISSA_BITS) & _EXPONENT_MASK
    if exponent > 0:  # not subnormal: the leading 1 is implied
        mantissa |= 1 << _MANTISSA_BITS
        exponent -= 1
    first, shift = exponent >> 5, exponent & 31  # a digit has 2**5 bits
    low = (mantissa << shift) & _DIGIT_MASK  # bits lost off the top of the int64 are in `above`
    above = mantissa >> (_DIGIT_BITS - shift)
    return first, low, above & _DIGIT_MASK, above >> _DIGIT_BITS


@compiled
def _add_product(digits: Digits, k: int, a: int, b: int, times: int) -> None:
    """Add `times * a * b` at digit k; a and b are below 2**32."""
    product = np.uint64(a) * np.uint64(b)
    digits[k] += times * np.int64(product & np.uint64(_DIGIT_MASK))
    digits[k + 1] += times * np.int64(product >> np.uint64(_DIGIT_BITS))


@compiled
def _propagate(digits: Digits, lowest: int, highest: int, result: Digits) -> int:
    """Write |digits| with all carries done to result[lowest : highest + 2], each in [0, 2**32); return the sign."""
    for sign in (1, -1):
        carry = 0
        for k in range(lowest, highest + 1):
            carry += sign * digits[k]
            result[k] = carry & _DIGIT_MASK
            carry >>= _DIGIT_BITS
        if carry >= 0:  # negative: the number is below zero, so its negation is not
            break
    if lowest <= highest:
        result[highest + 1] = carry
    return sign


@compiled
def _round(digits: Digits, lowest: int, highest: int) -> tuple[float, int]:
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
    return float(np.int64((head >> np.uint64(1)) | sticky)), _DIGIT_BITS * top + length - 63
