"""Jensen and Shannon's distance: how far two distributions lie from their mixture."""

from __future__ import annotations

import numpy as np

from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import shares


def jensen_shannon(counts: Counts) -> Outcome:
    """Return the square root of the Jensen-Shannon divergence in bits, from 0 (equal) to 1 (no value in common).

    `sqrt((KL(p, m) + KL(q, m)) / 2)` with `m = (p + q) / 2` and logarithms to base 2 (Lin, IEEE Transactions on Information
    Theory 37(1), 1991; that the root is a metric: Endres & Schindelin, ibid. 49(7), 2003). 0 if a sample is empty.
    """
    found = shares(counts.before, counts.after)
    if found is None:
        return Outcome(0.0)
    p, q = found
    middle = (p + q) / 2

    def divergence(one: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        some = one > 0
        return float((one[some] * np.log2(one[some] / middle[some])).sum())

    return Outcome(float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2))))
