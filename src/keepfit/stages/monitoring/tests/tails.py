"""Tail probabilities of the distributions that tests refer to, written out because importing scipy takes a second."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from keepfit.measure.sums import Floats

NORMAL = NormalDist()
FRACTION_STEPS = 300


def normal(z: float) -> float:
    """Return P(|Z| > |z|) of the standard normal distribution."""
    return math.erfc(abs(z) / math.sqrt(2))


def student(t: float, degrees: float) -> float:
    """Return P(|T| > |t|) of Student's t with `degrees` of freedom, which need not be whole; infinity is the normal.

    The incomplete beta function I_x(degrees / 2, 1 / 2) at `x = degrees / (degrees + t²)` (Abramowitz & Stegun 26.7.1).
    """
    if math.isinf(degrees) or degrees > 1e6:
        return normal(t)
    # written so that neither a huge nor a tiny t loses digits
    x = degrees / (degrees + t * t)
    return _beta(degrees / 2, 0.5, x, t * t / (degrees + t * t))


def _beta(a: float, b: float, x: float, rest: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b); `rest` is 1 - x, without the loss of that subtraction."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    # the continued fraction converges fast below the mean; beyond it, the symmetric one does
    if x < (a + 1) / (a + b + 2):
        return math.exp(log) * _fraction(a, b, x) / a
    return 1 - math.exp(log) * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (Lentz 1976; Press et al., Numerical Recipes, 6.4)."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, FRACTION_STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + factor * d or tiny)
            c = 1 + factor / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def kolmogorov(x: float) -> float:
    """Return P(K > x) of the Kolmogorov distribution: `2 * sum((-1)**(k-1) * exp(-2 k² x²))` (Kolmogorov 1933)."""
    # Below 0.2 the probability is 1 in all digits of a double, and the series converges too slowly.
    if x < 0.2:
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(2 * ((-1.0) ** (k - 1) * np.exp(-2 * k**2 * x**2)).sum(), 0.0, 1.0))


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return P(chi-square with whole `degrees` of freedom > statistic); 1 for 0 degrees.

    The finite series of Abramowitz & Stegun 26.4.4 and 26.4.5.
    """
    if degrees == 0 or statistic <= 0:
        return 1.0
    half, odd = statistic / 2, degrees % 2
    # Terms are half**a * exp(-half) / gamma(a + 1), for a = 0, 1, ... or 1/2, 3/2, ... below degrees / 2.
    powers = np.arange(degrees // 2) + odd / 2
    terms = [math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers.tolist()]
    return min(1.0, math.fsum([math.erfc(math.sqrt(half)) if odd else 0.0, *terms]))


def hypergeometric(found: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X >= found) of the hypergeometric distribution: of `total`, `marked` are marked, and `drawn` are drawn.

    This is Fisher's exact test of a 2x2 table, one-sided (Fisher 1935).
    """
    low, high = max(0, drawn + marked - total), min(drawn, marked)
    if found <= low:
        return 1.0
    if found > high:
        return 0.0
    # the terms of the nearer tail, each from the one before: they fall geometrically beyond the mode
    upper = found > drawn * marked / total
    term = math.exp(_log_choices(found if upper else found - 1, drawn, marked, total))
    summed, k = 0.0, found if upper else found - 1
    while low <= k <= high and term > summed * 1e-17:
        summed += term
        if upper:
            term *= (marked - k) * (drawn - k) / ((k + 1) * (total - marked - drawn + k + 1))
            k += 1
        else:
            term *= k * (total - marked - drawn + k) / ((marked - k + 1) * (drawn - k + 1))
            k -= 1
    return min(1.0, summed) if upper else max(0.0, 1 - summed)


def _log_choices(k: int, drawn: int, marked: int, total: int) -> float:
    def choose(n: int, m: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)

    return choose(marked, k) + choose(total - marked, drawn - k) - choose(total, drawn)


def shares(before: Floats, after: Floats) -> tuple[Floats, Floats] | None:
    """Return two samples' shares in each bin; None if a sample is empty."""
    n, m = before.sum(), after.sum()
    return None if n == 0 or m == 0 else (before / n, after / m)


def fisher(f: float, above: float, below: float) -> float:
    """Return P(F > f) of the F distribution with so many degrees of freedom (Abramowitz & Stegun 26.6.2)."""
    if f <= 0:
        return 1.0
    total = below + above * f
    return _beta(below / 2, above / 2, below / total, above * f / total)
