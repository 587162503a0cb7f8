"""How much windows differ beyond chance: rows of one month share the luck of that month, however many they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats

FEWEST = 30
"""Rows of a window; shorter ones are joined with the next."""
PRIOR_WINDOWS = 3
"""How many windows the prior is worth."""


@dataclass(frozen=True)
class Spread:
    """By how much a window lies from what is expected of it: Student's t with `degrees`, times `scale`."""

    scale: float
    degrees: float

    def drawn(self, random: np.random.Generator) -> float:
        """Return how far one window may lie off."""
        return float(self.scale * random.standard_t(self.degrees))


def between(found: Floats, variances: Floats, prior: float, *, about: float | None = None) -> Spread:
    """Return the spread of windows beyond what chance explains.

    Parameters
    ----------
    found : float64 array, shape (windows,)
        How far each lay from what was expected of it.
    variances : float64 array, shape (windows,)
        Of each, by chance.
    prior : float
        The standard deviation to take if nothing tells.
    about : float, optional
        What they spread around; their own mean, which costs a degree of freedom, if it is not given.

    Notes
    -----
    The variance between windows is the moment estimator of a random-effects analysis (DerSimonian & Laird 1986), at least 0, pooled
    with the prior as if that had been seen in `PRIOR_WINDOWS` windows. What comes is drawn from Student's t, so that few windows
    promise little (Higgins, Thompson & Spiegelhalter 2009).
    """
    weights = 1 / np.maximum(variances, 1e-12)
    degrees = len(found) - (about is None)
    if degrees < 1:
        return Spread(prior, PRIOR_WINDOWS)
    total = weights.sum()
    centre = float((weights * found).sum() / total) if about is None else about
    expected = total - ((weights**2).sum() / total if about is None else 0.0)
    excess = max(0.0, float((weights * (found - centre) ** 2).sum() - degrees) / expected)
    pooled = (PRIOR_WINDOWS * prior**2 + degrees * excess) / (PRIOR_WINDOWS + degrees)
    return Spread(math.sqrt(pooled), float(PRIOR_WINDOWS + degrees))


def windows(t: NDArray[np.int64], length: int) -> NDArray[np.intp]:
    """Return the window of each row, from 0 in the order of time; each has at least `FEWEST` rows, if all of them have.

    Parameters
    ----------
    t : int64 array, shape (rows,)
        Microseconds UTC.
    length : int
        Of a window in microseconds; 0 for one window each moment.
    """
    places = np.unique(t if length == 0 else t // length, return_inverse=True)[1].ravel()
    joined, count, rows = list[int](), 0, 0
    for size in np.bincount(places).tolist():
        joined.append(count)
        rows += size
        if rows >= FEWEST:
            count, rows = count + 1, 0
    last = np.array(joined, np.intp)
    return np.minimum(last, max(count - 1, 0))[places]
