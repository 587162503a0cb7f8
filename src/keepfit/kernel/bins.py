"""Count numbers in bins between ascending edges, at the speed of reading them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import entry

CELLS = 512
"""Even cells over the span of the edges; in each it is known between which edges a value can lie."""

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def counted(values: Floats, edges: Floats) -> tuple[Whole, int]:
    """Return how many values lie in each bin, and how many are NaN.

    Parameters
    ----------
    values : float64 array, shape (rows,)
        In any order.
    edges : float64 array, shape (edges,)
        Ascending and finite. Bin 0 lies below the first, bin i is `[edges[i-1], edges[i])`, the last is open above.

    Returns
    -------
    counts : int64 array, shape (edges + 1,)
        As `np.searchsorted(edges, values, side="right")` counts them, to the last value.
    nulls : int
    """
    found = np.zeros(len(edges) + 2, np.int64)
    edges = np.ascontiguousarray(edges, np.float64)
    low = float(edges[0]) if len(edges) else 0.0
    span = float(edges[-1]) - low if len(edges) else 0.0
    scale = CELLS / span if span > 0 and math.isfinite(span) else 0.0
    if not math.isfinite(scale):
        scale = 0.0
    # of each edge its cell by the same arithmetic as a value's: which rounds as it may, but never turns an order around
    cells = np.minimum((edges - low) * scale, CELLS).astype(np.int64) if scale else np.zeros(len(edges), np.int64)
    first = np.searchsorted(cells, np.arange(CELLS + 1), side="left")
    stop = np.searchsorted(cells, np.arange(CELLS + 1), side="right")
    _count(np.ascontiguousarray(values, np.float64), edges, low, scale, first, stop, found)
    return found[:-1], int(found[-1])


@entry
def _count(values: Floats, edges: Floats, low: float, scale: float, first: Whole, stop: Whole, found: Whole) -> None:
    for value in values:
        if value != value:
            found[-1] += 1
            continue
        place = (value - low) * scale
        if not place >= 0:  # below the first edge; NaN of infinities times nothing, which the whole search finds
            cell = 0
        elif place >= first.size - 1:
            cell = first.size - 1
        else:
            cell = int(place)
        left, right = first[cell], stop[cell]
        if place != place:
            left, right = 0, edges.size
        while left < right:
            middle = (left + right) >> 1
            if edges[middle] <= value:
                left = middle + 1
            else:
                right = middle
        found[left] += 1
