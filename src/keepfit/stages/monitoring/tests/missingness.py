"""Whether more, or fewer, values are missing than before."""

from __future__ import annotations

from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import hypergeometric


def missingness(counts: Counts) -> Outcome:
    """Return by how much the share of nulls has changed, and the two-sided p-value of Fisher's exact test (1935).

    `share of nulls now - share of nulls before`. The p-value is twice the smaller tail of the hypergeometric distribution
    of the current nulls, given all nulls of both samples; 1 if a sample is empty.
    """
    n, m = int(counts.before.sum()), int(counts.after.sum())
    if n == 0 or m == 0:
        return Outcome(0.0, 1.0)
    before, now = int(counts.before[0]), int(counts.after[0])
    more = hypergeometric(now, m, before + now, n + m)
    fewer = hypergeometric(m - now, m, n + m - before - now, n + m)
    return Outcome(now / m - before / n, min(1.0, 2 * min(more, fewer)))
