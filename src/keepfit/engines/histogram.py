"""A column's values, all or a sample of them, as the few numbers that a picture of it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.summary import BINS, LABELS

TAIL = 0.005
"""Share of values at each end that may lie beyond the picture, if they are far away."""
FAR = 0.5
"""How far that is, as a share of the range of the others."""

Floats = NDArray[np.float64]


def quartiles(values: Floats) -> tuple[float, float, float]:
    """Return the quarter, the median and three quarters of finite values, each of which occurs."""
    found = np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf")
    return float(found[0]), float(found[1]), float(found[2])


def histogram(values: Floats, least: float, greatest: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return edges and counts of finite values that lie in `[least, greatest]`.

    Whole numbers of a small range get a bin each. A few values far away from all others do not press these into one bin:
    they count to the outermost bin.
    """
    if least == greatest:
        return (least, greatest), (len(values),)
    low, high = np.quantile(values, (TAIL, 1 - TAIL), method="inverted_cdf")
    if low == high:
        low, high = least, greatest
    reach = FAR * (high - low)
    low, high = (least if low - least <= reach else low), (greatest if greatest - high <= reach else high)
    if high - low < BINS and bool(np.all(values == np.rint(values))):
        edges = np.arange(low - 0.5, high + 1)
    else:
        edges = np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return tuple(edges.tolist()), tuple(counts.tolist())


def labels(values: list[str]) -> tuple[tuple[tuple[str, int], ...], int, bool]:
    """Return the most frequent labels, how many there are, and whether each came more than once."""
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    # equal counts are ordered by label: the same rows give the same page
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ranked[:LABELS]), len(found), not ranked or ranked[-1][1] > 1


def differing(values: Floats) -> tuple[int, bool]:
    """Return how many values differ, and whether each came more than once: then there are hardly any others."""
    _, counts = np.unique(values, return_counts=True)
    return len(counts), not len(counts) or int(counts.min()) > 1
