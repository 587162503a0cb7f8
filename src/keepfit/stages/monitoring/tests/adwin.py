"""ADWIN: a window over a stream that drops its older part when its mean differs from the newer part's."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Bucket = tuple[float, float]
"""The sum of a bucket's values, and the sum of their squared distances from their mean."""


@dataclass
class Adwin:
    """Adaptive windowing (Bifet & Gavaldà, SIAM Data Mining 2007), with the exponential histogram of ADWIN2.

    The window is cut where `|mean of the older part - mean of the newer part| > epsilon`, with
    `epsilon = sqrt(2 m s² ln(2 ln(n) / delta)) + 2/3 m ln(2 ln(n) / delta)`, s² the window's variance, n its length and m
    the sum of the inverse lengths of the parts. Memory grows with the logarithm of the window's length. The first cut is that of
    river's `ADWIN`; after it, river begins with an empty window, and this goes on with the newer part, as the paper does.

    Parameters
    ----------
    delta : float
        The significance of a cut: smaller means fewer false alarms.
    clock : int
        Cuts are looked for after every so many values.
    max_buckets : int
        Buckets of each size.
    min_window_length : int
        The shortest part that is compared.
    grace_period : int
        Values before the first cut.
    """

    delta: float = 0.002
    clock: int = 32
    max_buckets: int = 5
    min_window_length: int = 5
    grace_period: int = 10
    width: int = field(default=0, init=False)
    total: float = field(default=0.0, init=False)
    _spread: float = field(default=0.0, init=False)
    _tick: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        # row i holds buckets of 2**i values, the oldest first
        self._rows: list[list[Bucket]] = [[]]

    @property
    def mean(self) -> float:
        """The mean of the window."""
        return self.total / self.width if self.width else 0.0

    @property
    def variance(self) -> float:
        """The variance of the window."""
        return self._spread / self.width if self.width else 0.0

    def update(self, value: float) -> bool:
        """Take the next value, and return whether the window was cut."""
        if self.width:
            self._spread += self.width * (value - self.mean) ** 2 / (self.width + 1)
        self.width += 1
        self.total += value
        self._rows[0].append((value, 0.0))
        self._compress()
        self._tick += 1
        if self._tick % self.clock or self.width <= self.grace_period:
            return False
        changed = False
        while self._cut():
            self._drop()
            changed = True
        return changed

    def _compress(self) -> None:
        for place, row in enumerate(self._rows):
            if len(row) <= self.max_buckets:
                return
            size = 2**place
            (first, spread), (second, other) = row[:2]
            del row[:2]
            if place + 1 == len(self._rows):
                self._rows.append([])
            between = size * (first / size - second / size) ** 2 / 2
            self._rows[place + 1].append((first + second, spread + other + between))

    def _drop(self) -> None:
        """Forget the oldest bucket."""
        size = 2 ** (len(self._rows) - 1)
        total, spread = self._rows[-1].pop(0)
        self.width -= size
        self.total -= total
        self._spread -= spread + size * self.width * (total / size - self.mean) ** 2 / (size + self.width)
        if not self._rows[-1]:
            self._rows.pop()

    def _cut(self) -> bool:
        """Return whether the window falls into two parts of different means."""
        older, summed = 0, 0.0
        for place in range(len(self._rows) - 1, -1, -1):
            for total, _ in self._rows[place]:
                older += 2**place
                summed += total
                if self._differs(older, summed):
                    return True
        return False

    def _differs(self, older: int, summed: float) -> bool:
        newer = self.width - older
        if min(older, newer) < self.min_window_length:
            return False
        inverse = 1 / (older - self.min_window_length + 1) + 1 / (newer - self.min_window_length + 1)
        logarithm = math.log(2 * math.log(self.width) / self.delta)
        epsilon = math.sqrt(2 * inverse * self.variance * logarithm) + 2 / 3 * inverse * logarithm
        return abs(summed / older - (self.total - summed) / newer) > epsilon
