"""Variances of many columns, each from few windows, held against each other.

Four windows say next to nothing of one column's variance, but those of twenty columns say how variances lie: if all agree, each
is known well. This is the moderated variance of Smyth (Statistical Applications in Genetics and Molecular Biology 3(1), 2004).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keepfit.measure.sums import Floats

SMALLEST = 1e-3
FEWEST_COLUMNS = 3
FEWEST_KURTOSIS = 5


def moderated(ratio: Floats, degrees: Floats, independent: float, columns: int) -> tuple[Floats, Floats]:
    """Return variances and degrees of freedom after each has learnt from the others.

    Parameters
    ----------
    ratio : float64 array
        Variances between windows over that of sampling: 1 is no more than chance.
    degrees : float64 array
        Of freedom, of each.
    independent : float
        How many series that know nothing of each other they are worth: no variance gets more degrees of freedom than these have.
    columns : int
        How many columns they are of; fewer than `FEWEST_COLUMNS` say nothing of each other.

    Returns
    -------
    ratio : float64 array
        Never below 1; and unless all columns agree, never below what the column itself showed.
    degrees : float64 array
    """
    floor = np.maximum(ratio, 1.0)
    if columns < FEWEST_COLUMNS:
        return floor, degrees
    log = np.log(np.maximum(ratio, SMALLEST)) - np.array([_digamma(d / 2) - math.log(d / 2) for d in degrees.tolist()])
    spread = float(log.var(ddof=1)) - float(np.mean([_trigamma(d / 2) for d in degrees.tolist()]))
    most = float(degrees.mean()) * min(independent, columns)
    prior = min(2 * _trigamma_inverse(spread), most) if spread > 0 else most
    common = math.exp(float(log.mean()) + _digamma(prior / 2) - math.log(prior / 2))
    shared = (prior * common + degrees * ratio) / (prior + degrees)
    # where the columns differ by no more than chance, what one of them shows beyond the others is chance too
    least = floor if spread > 0 else np.ones_like(floor)
    return np.maximum(least, shared), np.minimum(degrees + prior, np.maximum(most, degrees))


def tailed(scaled: Sequence[Floats], independent: float) -> float:
    """Return the degrees of freedom of Student's t that series are as long-tailed as; infinity if they are no more so than chance.

    By the mean of their excess kurtoses (Fisher's k-statistics), and one standard error more, for long tails hide in few windows.
    """
    found, errors = [], []
    for one in scaled:
        count, variance = len(one), float(one.var())
        if count > FEWEST_KURTOSIS and variance > 0:
            plain = float(((one - one.mean()) ** 4).mean()) / variance**2 - 3
            found.append((count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * plain + 6))
            errors.append(24 / count)
    if not found:
        return math.inf
    beyond = float(np.mean(found)) + math.sqrt(float(np.mean(errors)) / min(independent, len(found)))
    return 4 + 6 / beyond if beyond > 0 else math.inf


def _digamma(x: float) -> float:
    """Return the logarithmic derivative of the gamma function (Abramowitz & Stegun 6.3.5, 6.3.18)."""
    found = 0.0
    while x < 10:
        found -= 1 / x
        x += 1
    inverse = 1 / (x * x)
    return found + math.log(x) - 0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252))


def _trigamma(x: float) -> float:
    """Return the derivative of `_digamma` (Abramowitz & Stegun 6.4.6, 6.4.12)."""
    found = 0.0
    while x < 10:
        found += 1 / (x * x)
        x += 1
    inverse = 1 / (x * x)
    return found + 1 / x + inverse / 2 + inverse / x * (1 / 6 - inverse * (1 / 30 - inverse / 42))


def _trigamma_inverse(value: float) -> float:
    """Return x with trigamma(x) = value, by halving intervals: it falls from infinity to 0."""
    low, high = 1e-6, 1e8
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _trigamma(middle) > value else (low, middle)
    return math.sqrt(low * high)
