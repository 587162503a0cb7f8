"""What comes round: the month of the year, the day of the week, the hour of the day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.tails import fisher

YEAR, WEEKS, DAYS = "month of year", "day of week", "hour of day"
LENGTH = {YEAR: 365.25 * clock.DAY, WEEKS: clock.WEEK, DAYS: clock.DAY}
WHOLE = 1.95
"""Cycles that a past must hold before a season is looked for: of two years of months, the last one ends where it begins."""
SEASONAL = 0.01
"""A season is believed if windows of one phase are alike by chance no more often than this."""
FEWEST = 3
"""Degrees of freedom that a season leaves at least."""


def cycle_of(grid: clock.Grid) -> str:
    """Return what windows of a grid are compared by: of months and weeks the month, of days the weekday, of hours the hour."""
    if grid.unit in ("month", "week") or grid.step > clock.DAY:
        return YEAR
    return WEEKS if grid.step == clock.DAY else DAYS


def phase_of(t: NDArray[np.int64], cycle: str) -> NDArray[np.intp]:
    """Return the place of moments (microseconds UTC) in their cycle, from 0."""
    if cycle == YEAR:
        return np.array([clock.from_micros(int(one)).month - 1 for one in t], np.intp)
    if cycle == WEEKS:
        return ((t // clock.DAY + 3) % 7).astype(np.intp)  # 1970 began on a Thursday
    return (t % clock.DAY // clock.HOUR).astype(np.intp)


def phases(t: NDArray[np.int64], cycle: str) -> NDArray[np.intp] | None:
    """Return the phases of past windows; None if they do not go round twice."""
    whole = len(t) > 1 and (t[-1] - t[0]) * len(t) / (len(t) - 1) >= WHOLE * LENGTH[cycle]
    return phase_of(t, cycle) if whole else None


def seasonal(residual: Floats, weight: Floats, phase: NDArray[np.intp], lost: int) -> Floats | None:
    """Return what each phase adds, if the phases differ by more than chance."""
    phases, count = int(phase.max()) + 1, len(residual)
    sums = np.bincount(phase, weight, minlength=phases)
    if phases < 2 or (sums == 0).any() or count - phases - lost < FEWEST:
        return None
    means: Floats = np.bincount(phase, residual * weight, minlength=phases) / sums
    whole = float((residual**2 * weight).sum())
    inside = float(((residual - means[phase]) ** 2 * weight).sum())
    free = count - phases - lost + 1
    between = max(whole - inside, 0.0) / (phases - 1)
    if inside <= 0 or fisher(between / (inside / free), phases - 1, free) >= SEASONAL:
        return None
    return means
