"""Pearson's chi-square test of homogeneity."""

from __future__ import annotations

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import chi_square_tail

SMALLEST_EXPECTED = 5.0
"""Cells that expect fewer rows are pooled before chi-square, whose approximation fails there (Cochran 1954)."""


def homogeneity(counts: Counts) -> Outcome:
    """Return the two-sample chi-square statistic over the bins; see `chi_square`."""
    return chi_square(counts.before, counts.after)


def chi_square(before: Floats, after: Floats) -> Outcome:
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
        return Outcome(0.0, 1.0)
    both = _pooled(np.stack([before, after]))
    expected = np.outer([n, m], both.sum(axis=0)) / (n + m)
    statistic = float(((both - expected) ** 2 / expected).sum())
    return Outcome(statistic, chi_square_tail(statistic, both.shape[1] - 1))


def _pooled(both: Floats) -> Floats:
    sizes = both.sum(axis=1)
    small = both.sum(axis=0) * sizes.min() / sizes.sum() < SMALLEST_EXPECTED
    pooled = np.column_stack([both[:, ~small], both[:, small].sum(axis=1)])
    return pooled[:, pooled.sum(axis=0) > 0]
