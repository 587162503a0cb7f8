"""The population stability index: how far two samples lie apart, as a symmetric divergence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Counts, Outcome

BINS = 10
"""The usual bounds of PSI, 0.1 and 0.25, are for ten bins; it grows with their number."""


def stability(counts: Counts) -> Outcome:
    """Return the PSI, of numbers in about ten bins of equal reference mass; see `psi`."""
    if counts.edges is None:
        return Outcome(psi(counts.before, counts.after))
    return Outcome(psi(*tenths(counts.before, counts.after)))


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


def tenth_of(mass: Floats) -> NDArray[np.intp]:
    """Return the tenth of the reference mass that each bin belongs to, by its middle; `mass` leaves the null bin out."""
    middle = np.cumsum(mass) - mass / 2
    tenth: NDArray[np.intp] = np.minimum((middle / max(mass.sum(), 1.0) * BINS).astype(np.intp), BINS - 1)
    return tenth


def tenths(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return the counts in about ten bins of equal reference mass, the null bin apart."""
    tenth = tenth_of(before[1:])

    def merged(counts: Floats) -> Floats:
        return np.concatenate([counts[:1], np.bincount(tenth, weights=counts[1:], minlength=BINS)])

    return merged(before), merged(after)
