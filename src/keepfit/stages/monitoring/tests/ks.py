"""Kolmogorov and Smirnov's test: the largest distance between two cumulative distributions."""

from __future__ import annotations

import math

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import kolmogorov


def distance(counts: Counts) -> Outcome:
    """Return the two-sample Kolmogorov-Smirnov distance over the bins; see `ks`."""
    return ks(counts.before, counts.after)


def ks(before: Floats, after: Floats) -> Outcome:
    """Return the two-sample Kolmogorov-Smirnov distance over the bins, and its p-value.

    Parameters
    ----------
    before, after : float64 array, shape (bins,)
        Counts, in the order of the values; null is below every number.

    Returns
    -------
    statistic : float
        The largest distance of the cumulative shares at bin edges: a lower bound of the distance between the unbinned
        rows.
    p_value : float
        Asymptotic (see `kolmogorov`); too large rather than too small, for the bound and for ties. 1 if a sample is
        empty.

    Notes
    -----
    `D = max |F(x) - G(x)|` (Smirnov 1939), with Stephens' correction (JRSS B 32, 1970) that makes the asymptotic
    distribution good from effective sizes of about 4.
    """
    n, m = before.sum(), after.sum()
    if n == 0 or m == 0:
        return Outcome(0.0, 1.0)
    distance = float(np.abs(np.cumsum(before) / n - np.cumsum(after) / m).max())
    effective = math.sqrt(n * m / (n + m))
    return Outcome(distance, kolmogorov((effective + 0.12 + 0.11 / effective) * distance))
