"""What a number usually is: the next value of a series, told from the ones before it as each of them was told from its own past."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.tails import student

RECENT, FEWEST = 3, 8
"""Values that the next is told by, and errors of such forecasts that are needed to call one unusual."""
NORMAL_MAD, EFFICIENCY = 1.4826, 0.37
"""Of the median absolute deviation: what makes it the standard deviation of a normal distribution, and how well it knows that."""
TINY = 1e-12
"""Of a series that never changed, any other value is unusual."""
CYCLES = 2
"""Values of the same season that the next is told by."""


@dataclass(frozen=True)
class Usual:
    """What was to be expected of the newest value.

    Attributes
    ----------
    value : float
    spread : float
        The standard deviation of a forecast's error.
    degrees : float
        Of freedom, of that.
    """

    value: float
    spread: float
    degrees: float

    def chance(self, value: float, *, upward: bool = False) -> float:
        """Return the chance of a value as far off; upward: of one as large."""
        t = (value - self.value) / max(self.spread, TINY)
        both = student(abs(t), self.degrees)
        if not upward:
            return both
        return both / 2 if t > 0 else 1 - both / 2

    def bounds(self, chance: float) -> tuple[float, float]:
        """Return between which values it lies but for such a chance, by halving intervals."""
        low, high = 0.0, 1e3
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if student(middle, self.degrees) > chance else (low, middle)
        return self.value - high * self.spread, self.value + high * self.spread


def usual(series: Floats, season: int, floor: float) -> Usual | None:
    """Return what was to be expected of the last value of a series; None if its past is too short.

    Parameters
    ----------
    series : float64 array, shape (windows,)
        The oldest first.
    season : int
        How many windows a season has; 1 is none.
    floor : float
        The smallest error that counts.

    Notes
    -----
    Two forecasts are tried on the past: the median of the three values before, and the mean of the last two of the same season. The
    one whose errors were smaller tells the next. Errors lie about their median, so that a series that grows is no surprise, and
    spread as their median absolute deviation says, so that one day of outage does not hide the next (Hampel 1974). It is worth 0.37
    of the values that a variance is estimated on; few make wide bounds (Student's t).
    """
    best: Usual | None = None
    for lags in (range(1, RECENT + 1), range(season, CYCLES * season + 1, season)):
        longest = max(lags)
        if len(series) <= longest:
            continue
        told: Floats = np.median([series[longest - lag : len(series) - lag] for lag in lags], axis=0)
        errors = series[longest:] - told
        if len(errors) <= FEWEST:
            continue
        past = errors[:-1]
        middle = float(np.median(past))
        spread = max(NORMAL_MAD * float(np.median(np.abs(past - middle))), floor) * math.sqrt(1 + 1 / len(past))
        if best is None or spread < best.spread:
            best = Usual(float(told[-1]) + middle, spread, max(EFFICIENCY * (len(past) - 1), 2.0))
    return best
