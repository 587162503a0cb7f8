"""Wasserstein's distance: how far values have to be carried to make one distribution of the other."""

from __future__ import annotations

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import shares


def wasserstein(counts: Counts) -> Outcome:
    """Return the first Wasserstein distance over the bins, in standard deviations of the reference.

    `sum(|F(e) - G(e)| * width) / sd`: the integral of the distance between the cumulative distributions (Vallender, Theory
    of Probability and its Applications 18(4), 1974), each bin's values spread evenly over it. The outermost bins are taken to
    be as wide as their neighbours, since a profile does not know how far they reach; nulls are left out. 0 if a sample is
    empty or the reference is constant.
    """
    found = shares(counts.before[1:], counts.after[1:])
    if found is None or counts.edges is None or len(counts.edges) < 2:
        return Outcome(0.0)
    p, q = found
    ends = outer(counts.edges)
    middles, widths = (ends[:-1] + ends[1:]) / 2, np.diff(ends)
    spread = float(np.sqrt((p * (middles - (p * middles).sum()) ** 2).sum()))
    if spread == 0:
        return Outcome(0.0)
    gap = np.concatenate([[0.0], np.cumsum(p - q)])
    left, right = gap[:-1], gap[1:]
    # inside a bin the gap runs straight from its left end to its right one: an area of one trapezoid or two triangles
    crossed = left * right < 0
    whole = (np.abs(left) + np.abs(right)) / 2
    reach = np.abs(left) + np.abs(right)
    halves = np.divide(left**2 + right**2, 2 * reach, out=np.zeros_like(reach), where=reach > 0)
    return Outcome(float((np.where(crossed, halves, whole) * widths).sum() / spread))


def outer(edges: Floats) -> Floats:
    """Return the edges with an end on either side."""
    first, last = edges[1] - edges[0], edges[-1] - edges[-2]
    return np.concatenate([[edges[0] - first], edges, [edges[-1] + last]])
