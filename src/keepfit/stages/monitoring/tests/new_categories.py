"""Whether labels come that the reference does not name."""

from __future__ import annotations

from keepfit.stages.monitoring.tests.counts import Counts, Outcome
from keepfit.stages.monitoring.tests.tails import hypergeometric


def new_categories(counts: Counts) -> Outcome:
    """Return the share of current rows whose label has no bin, beyond the reference's share, and Fisher's p-value (1935).

    One-sided: that rare labels become rarer is no news. The p-value is the upper tail of the hypergeometric distribution of
    such rows among the current ones, given all of both samples; 1 if a sample is empty.
    """
    n, m = int(counts.before.sum()), int(counts.after.sum())
    if n == 0 or m == 0:
        return Outcome(0.0, 1.0)
    before, now = int(counts.before[-1]), int(counts.after[-1])
    return Outcome(max(0.0, now / m - before / n), hypergeometric(now, m, before + now, n + m))
