"""Page and Hinkley's test: a stream's mean has moved, found as its values come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class PageHinkley:
    """The Page-Hinkley test of a change of the mean, in both directions.

    With x̄ the mean so far, `S = alpha * S + (x - x̄ - delta)` is summed; a rise is found once `S - min S > threshold`, a fall by
    the mirror image (Page, Biometrika 41, 1954; Hinkley, ibid. 58, 1971; with the fading factor of Gama et al., ACM Computing
    Surveys 46(4), 2014). After a detection it begins anew. Its results are those of river's `PageHinkley`.

    Parameters
    ----------
    min_instances : int
        Values before the first detection.
    delta : float
        A change of the mean that does not matter, in the unit of the values.
    threshold : float
        How much may sum up: larger means fewer false alarms and slower detection.
    alpha : float
        How fast the past is forgotten; 1 is never.
    """

    min_instances: int = 30
    delta: float = 0.005
    threshold: float = 50.0
    alpha: float = 1 - 0.0001
    detected: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._count, self._mean = 0, 0.0
        self._rise, self._fall = 0.0, 0.0
        self._lowest, self._highest = math.inf, -math.inf

    def update(self, value: float) -> bool:
        """Take the next value, and return whether the mean has changed with it."""
        if self.detected:
            self._begin()
        self._count += 1
        self._mean += (value - self._mean) / self._count
        gap = value - self._mean
        self._rise = self.alpha * self._rise + gap - self.delta
        self._fall = self.alpha * self._fall + gap + self.delta
        self._lowest, self._highest = min(self._lowest, self._rise), max(self._highest, self._fall)
        self.detected = self._count >= self.min_instances and self.height > self.threshold
        return self.detected

    @property
    def height(self) -> float:
        """How far the sum stands from its extreme, to the side that is further; 0 before the first value."""
        return max(self._rise - self._lowest, self._highest - self._fall) if self._count else 0.0
