"""The chance that a window differs as much as it does from the reference, while nothing moves but what always moves."""

from __future__ import annotations

import math

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.contrasts import LOCATION, SPREAD, Contrasts, contrasts
from keepfit.stages.monitoring.habits import Habit
from keepfit.stages.monitoring.seasons import phase_of
from keepfit.stages.monitoring.tests.tails import normal, student

HEAVY = 4.0
"""Degrees of freedom that the excess of what is no location has at most: what follows from a location that moves has long tails."""
DOUBT = 0.5
"""How much of what follows from a location may be otherwise: there are more ways to move than the one that is reckoned with."""


def chance(reference: Floats, current: Floats, habit: Habit | None, *, ordered: bool, t: int | None = None) -> float:
    """Return the chance that a window differs as much from the reference if nothing has moved but what always moves.

    Parameters
    ----------
    reference, current : float64 array, shape (bins,)
        Counts, those of nulls first.
    habit : Habit or None
        What the past taught; without it, sampling alone.
    ordered : bool
        Whether the bins are those of numbers.
    t : int, optional
        When the window was observed, microseconds UTC; without it, seasons are not taken into account.

    Returns
    -------
    float
        Corrected for the column's contrasts, each of which has a share of it (Bonferroni, weighted).
    """
    if not reference.sum() or not current.sum():
        return 1.0
    both = contrasts(reference, np.stack([reference, current]), ordered=ordered)
    best = 1.0
    noise = both.noise.sum(axis=0)
    for place in range(len(both.kinds)):
        gap = both.values[1, place] - both.values[0, place]
        if not math.isfinite(gap):
            continue
        followed = both.followed[1, place] - both.followed[0, place]
        variance, degrees = noise[place] + (DOUBT * followed) ** 2, math.inf
        if habit is not None and habit.unit[place] > 0:
            if both.kinds[place] == SPREAD:
                gap -= habit.within
            season = habit.season.get(place)
            if season and t is not None:
                at_home = [season[one] for one in habit.home]
                gap -= season[int(phase_of(np.array([t]), habit.cycle)[0])] - (
                    float(np.mean(at_home)) if at_home else 0.0
                )
            variance += habit.excess[place]
            # Satterthwaite (1946): what sampling gave was estimated with the excess; the rest of this window's is known
            own = habit.degrees[place]
            wild = min(own, habit.tail if both.kinds[place] == LOCATION else HEAVY)
            doubt = habit.unit[place] ** 2 / own + habit.excess[place] ** 2 / wild
            degrees = max(min(own, wild), variance**2 / doubt)
        z = abs(gap) / math.sqrt(variance)
        # no tail of Student's is shorter than the normal
        if normal(z) < best * both.weights[place]:
            z = min(z, _plain_score(both, place, noise[place] / variance))
            best = min(best, student(z, degrees) / both.weights[place])
    return best


def _plain_score(both: Contrasts, place: int, shrink: float) -> float:
    """Return a share's score on the plain scale, where the transformed one is too sure of small counts; infinite if it is none."""
    p, q = both.shares[:, place]
    if math.isnan(p):
        return math.inf
    n, m = 1 / both.noise[:, place]
    pooled = (p * n + q * m) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return abs(q - p) / math.sqrt(variance) * math.sqrt(shrink) if variance > 0 else 0.0
