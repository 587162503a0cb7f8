"""Drift: how far columns have moved from the reference profile, and whether that can be chance.

PSI says how far, a test says whether: with many rows every difference is significant, with few every PSI is large.
Nulls count as a value of their own in both, so that a column that stops arriving is the clearest drift of all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import Drift
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.profile import Labels, Numbers, Profile

PSI_BINS = 10
ALPHA = 0.01
SMALLEST_EXPECTED = 5.0
"""Cells that expect fewer rows are pooled before chi-square, whose approximation fails there (Cochran 1954)."""


def drift(reference: Profile, columns: Mapping[str, NDArray[Any]], *, alpha: float = ALPHA) -> tuple[Drift, ...]:
    """Return how far each column has moved from the reference, the largest PSI first.

    Parameters
    ----------
    reference : Profile
        Of the rows the champion was trained on.
    columns : mapping of str to array, each of shape (rows,)
        The current rows: float64 with NaN for null, or object with labels and None for null. Only columns that the
        reference has too are compared.
    alpha : float
        The chance of calling any column significant if none has moved; shared out evenly (Bonferroni).

    Returns
    -------
    tuple of Drift
        One per column compared; with no current rows its psi is 0 and its p-value 1.
    """
    current = reference.count(columns).columns
    shared = alpha / max(1, len(current))
    found = [_compare(name, reference.columns[name], counted, shared) for name, counted in current.items()]
    return tuple(sorted(found, key=lambda item: (-item.psi, item.column)))


def _compare(column: str, reference: Numbers | Labels, current: Numbers | Labels, alpha: float) -> Drift:
    before, after = _bins(reference), _bins(current)
    # Labels have no order to accumulate along, so numbers and labels take different tests.
    name, test = ("ks", ks) if isinstance(reference, Numbers) else ("chi-square", chi_square)
    statistic, p_value = test(before, after)
    far = psi(*_tenths(before, after)) if isinstance(reference, Numbers) else psi(before, after)
    return Drift(column, name, far, statistic, p_value, p_value < alpha, int(after.sum()))


def _tenths(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return the counts in about ten bins of equal reference mass, the null bin apart.

    The usual bounds of PSI, 0.1 and 0.2, are for ten bins; it grows with their number, where the current rows leave
    narrow bins empty. KS reads the finer ones.
    """
    mass = before[1:]
    middle = np.cumsum(mass) - mass / 2
    tenth = np.minimum((middle / max(mass.sum(), 1.0) * PSI_BINS).astype(int), PSI_BINS - 1)

    def merged(counts: Floats) -> Floats:
        return np.concatenate([counts[:1], np.bincount(tenth, weights=counts[1:], minlength=PSI_BINS)])

    return merged(before), merged(after)


def _bins(counted: Numbers | Labels) -> Floats:
    """Return the counts with the null bin first: in the order of KS, null is below every number."""
    counts = counted.counts if isinstance(counted, Numbers) else (*counted.counts.values(), counted.rest)
    return np.array([counted.nulls, *counts], dtype=np.float64)


def psi(before: Floats, after: Floats) -> float:
    """Return the population stability index of two samples counted in the same bins, freed of its small-sample bias.

    Parameters
    ----------
    before, after : float64 array, shape (bins,)
        Counts.

    Returns
    -------
    float
        `sum((p - q) * ln(p / q)) - (B - 1) * (1 / n + 1 / m)`, at least 0; 0 if a sample is empty.

    Notes
    -----
    The sum is Siddiqi's (Credit Risk Scorecards, 2006), the symmetric Kullback-Leibler divergence. p and q are shares
    after adding half a row to each of the B bins that are occupied in either sample, which keeps empty bins finite. Of
    two samples of one population, n and m rows, the sum is about `(1/n + 1/m)` times a chi-square with B - 1 degrees of
    freedom (Yurdakul & Naranjo, Journal of Risk Model Validation 14(4), 2020); its mean is what is taken off, so that
    a PSI of 0.2 means the same distance, on average, for 200 rows as for a million.
    """
    occupied, n, m = before + after > 0, before.sum(), after.sum()
    if n == 0 or m == 0:
        return 0.0
    p, q = before[occupied] + 0.5, after[occupied] + 0.5
    p, q = p / p.sum(), q / q.sum()
    expected = (len(p) - 1) * (1 / n + 1 / m)
    return max(0.0, float(((p - q) * np.log(p / q)).sum() - expected))


def ks(before: Floats, after: Floats) -> tuple[float, float]:
    """Return the two-sample Kolmogorov-Smirnov distance over the bins, and its p-value.

    Parameters
    ----------
    before, after : float64 array, shape (bins,)
        Counts, in the order of the values.

    Returns
    -------
    statistic : float
        The largest distance of the cumulative shares at bin edges: a lower bound of the distance between the unbinned
        rows.
    p_value : float
        Asymptotic (see `kolmogorov`); too large rather than too small, for the bound and for ties. 1 if a sample is
        empty.
    """
    n, m = before.sum(), after.sum()
    if n == 0 or m == 0:
        return 0.0, 1.0
    distance = float(np.abs(np.cumsum(before) / n - np.cumsum(after) / m).max())
    effective = math.sqrt(n * m / (n + m))
    # Stephens (1970): a correction that makes the asymptotic distribution good from effective sizes of about 4.
    return distance, kolmogorov((effective + 0.12 + 0.11 / effective) * distance)


def kolmogorov(x: float) -> float:
    """Return P(K > x) of the Kolmogorov distribution: `2 * sum((-1)**(k-1) * exp(-2 k² x²))` (Kolmogorov 1933)."""
    # Below 0.2 the probability is 1 in all digits of a double, and the series converges too slowly.
    if x < 0.2:
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(2 * ((-1.0) ** (k - 1) * np.exp(-2 * k**2 * x**2)).sum(), 0.0, 1.0))


def chi_square(before: Floats, after: Floats) -> tuple[float, float]:
    """Return the two-sample chi-square statistic (Pearson 1900) over the bins, and its p-value.

    Parameters
    ----------
    before, after : float64 array, shape (bins,)
        Counts. Bins that expect fewer than 5 rows in either sample are pooled into one.

    Returns
    -------
    statistic : float
        `sum((observed - expected)**2 / expected)` over both samples; B - 1 degrees of freedom for B bins.
    p_value : float
        1 if a sample is empty or all is one bin.
    """
    n, m = before.sum(), after.sum()
    if n == 0 or m == 0:
        return 0.0, 1.0
    both = _pooled(np.stack([before, after]))
    expected = np.outer([n, m], both.sum(axis=0)) / (n + m)
    statistic = float(((both - expected) ** 2 / expected).sum())
    return statistic, chi_square_tail(statistic, both.shape[1] - 1)


def _pooled(both: Floats) -> Floats:
    sizes = both.sum(axis=1)
    small = both.sum(axis=0) * sizes.min() / sizes.sum() < SMALLEST_EXPECTED
    pooled = np.column_stack([both[:, ~small], both[:, small].sum(axis=1)])
    return pooled[:, pooled.sum(axis=0) > 0]


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return P(chi-square with whole `degrees` of freedom > statistic); 1 for 0 degrees.

    The finite series of Abramowitz & Stegun 26.4.4 and 26.4.5, written out because importing scipy takes a second.
    """
    if degrees == 0 or statistic <= 0:
        return 1.0
    half, odd = statistic / 2, degrees % 2
    # Terms are half**a * exp(-half) / gamma(a + 1), for a = 0, 1, ... or 1/2, 3/2, ... below degrees / 2.
    powers = np.arange(degrees // 2) + odd / 2
    terms = [math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers.tolist()]
    return min(1.0, math.fsum([math.erfc(math.sqrt(half)) if odd else 0.0, *terms]))
