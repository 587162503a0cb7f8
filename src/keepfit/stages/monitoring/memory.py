"""Memory: how much windows resemble the ones before them, and what that makes of a variance.

An autoregression of first order has one number for it, the correlation of neighbours. A dozen windows say little of it, and what
they say is too low, so columns say it together; and because a memory that is taken for too short costs more than one that is
taken for too long, what is used lies one standard error above what was found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keepfit.measure.sums import Floats

FEWEST = 8
"""Windows from which something can be said of how long they stay alike: of fewer, correcting the bias blows up chance."""
MOST = 0.95


def resemblance(scaled: Floats) -> float:
    """Return the correlation of neighbours, freed of the bias of a short series (Kendall, Biometrika 41, 1954); NaN if unknown.

    Parameters
    ----------
    scaled : float64 array, shape (windows,)
        Residuals of mean 0.
    """
    count, total = len(scaled), float((scaled**2).sum())
    if count < FEWEST or total == 0:
        return math.nan
    return (float((scaled[1:] * scaled[:-1]).sum()) / total + 1 / count) / (1 - 3 / count)


def remembering(alike: Floats, scaled: Sequence[Floats]) -> tuple[Floats, float]:
    """Return the memory to reckon with of each series, 0 to `MOST`, and how many independent series they are worth.

    Each series' own resemblance is drawn towards the mean of all, the more so the less they differ beyond chance (Efron & Morris,
    JASA 70, 1975), and one standard error of that is added.

    Parameters
    ----------
    alike : float64 array, shape (series,)
        See `resemblance`.
    scaled : sequence of float64 array, each of shape (windows,)
        The residuals of each series.
    """
    known = np.isfinite(alike)
    if not known.any():
        return np.zeros(len(alike)), independent(scaled, 0.0)
    counts = np.array([len(one) for one in scaled], np.float64)
    common = float(np.clip(alike[known].mean(), 0.0, MOST))
    many = independent(scaled, common)
    # of the large-sample variance of a correlation, and what freeing it of its bias adds
    error = (1 - common**2) / counts[known] / (1 - 3 / counts[known]) ** 2
    beyond = max(0.0, float(alike[known].var(ddof=1)) - float(error.mean())) if known.sum() > 1 else 0.0
    own = beyond / (beyond + error)
    found = np.full(len(alike), common + math.sqrt(float(error.mean()) / many + beyond))
    found[known] = (
        common + own * (alike[known] - common) + np.sqrt(own * error + (1 - own) ** 2 * float(error.mean()) / many)
    )
    return np.clip(found, 0.0, MOST), many


def independent(scaled: Sequence[Floats], memory: float) -> float:
    """Return how many series that know nothing of each other would say as much of a common variance.

    The correlation of two variances is that of the series, squared. What squared correlations are by chance is taken off: one over
    the windows, which are worth fewer if both remember (Bartlett 1935).
    """
    total = 0.0
    for length in {len(one) for one in scaled}:
        places = [place for place, one in enumerate(scaled) if len(one) == length]
        group = np.stack([scaled[place] for place in places])
        group = group / np.maximum(np.sqrt((group**2).sum(axis=1, keepdims=True)), 1e-12)
        count = len(places)
        # the squares of all products of two series, of the smaller of the two matrices that have the same
        squared = (float(((group.T @ group) ** 2).sum()) - count) / max(1, count * (count - 1))
        by_chance = min(0.9, 1 / max(1.0, (length - 1) * worth(memory)))
        shared = max(0.0, (squared - by_chance) / (1 - by_chance))
        total += count / (1 + (count - 1) * shared)
    return max(1.0, total)


def inflation(memory: float, count: int) -> float:
    """Return by how much memory inflates the variance of the mean of `count` windows."""
    # of `1 + 2 sum((1 - lag / count) memory**lag)`
    rest = 1 - memory
    return 1 + 2 * memory / rest * (1 - (1 - memory**count) / (count * rest))


def worth(memory: float) -> float:
    """Return what share of its windows' number a variance is worth (Bayley & Hammersley, JRSS Supplement 8, 1946)."""
    return (1 - memory**2) / (1 + memory**2)
