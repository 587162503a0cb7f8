"""A rate limit: each caller has a bucket that fills at a rate, and a request takes one from it."""

from __future__ import annotations

import math

MOST = 10_000


class Rates:
    """Token buckets by caller.

    Parameters
    ----------
    rate : float
        Requests per second.
    burst : int
        What a bucket holds when it is full, as it is at first.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._buckets: dict[str, tuple[float, float]] = {}  # caller -> left, and when that was

    def take(self, caller: str, at: float) -> int:
        """Return 0 if a request may pass at a moment (seconds of a monotonic clock), or else the seconds to wait."""
        left, before = self._buckets.pop(caller, (self._burst, at))
        left = min(self._burst, left + (at - before) * self._rate)
        passes = left >= 1
        self._buckets[caller] = (left - passes, at)  # at the end: the first is who has not asked for longest
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        return 0 if passes else math.ceil((1 - left) / self._rate)
