"""Multivariate drift: whether rows of now can be told from the reference's by all columns together, and by which.

Any two windows can be told apart by a little. So where there is a past, the same is asked of its windows, each against the rows
before it: an alarm is an area under the ROC curve beyond what those show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keepfit.evidence import CRITICAL, INFO, MULTIVARIATE, WARNING, Drift
from keepfit.stages.monitoring.tests.domain_classifier import Apart
from keepfit.stages.monitoring.tests.tails import student

NAME = "all features"
LARGE = 0.75
"""An alarm is critical if three times in four a row of now is told from one of then."""
FEWEST, SHOWN = 3, 10


def multivariate(found: Apart, names: Sequence[str], past: Sequence[float], rows: int, bound: float) -> Drift:
    """Return whether rows of now can be told from the reference's.

    Parameters
    ----------
    found : Apart
        Now.
    names : sequence of str
        Of the columns.
    past : sequence of float
        The areas of past windows, each told from the rows before it; with fewer than three, sampling alone gives the chance.
    rows : int
        Current rows.
    bound : float
        The chance of a false alarm.
    """
    by_chance = found.p_value
    if len(past) >= FEWEST:
        odds = np.array([math.log(one / (1 - one)) for one in np.clip([*past, found.area], 0.01, 0.99).tolist()])
        # no window is told better than sampling allows by less than a hundredth
        spread = max(float(odds[:-1].std(ddof=1)), 0.04) * math.sqrt(1 + 1 / len(past))
        t = float(odds[-1] - odds[:-1].mean()) / spread
        half = student(abs(t), len(past) - 1) / 2
        by_chance = max(by_chance, half if t > 0 else 1 - half)
    alarm = by_chance < bound
    most = sorted(zip(names, found.columns.tolist(), strict=True), key=lambda pair: -pair[1])[:SHOWN]
    return Drift(
        NAME,
        "domain classifier",
        0.0,
        found.area,
        found.p_value,
        alarm,
        rows,
        kind=MULTIVARIATE,
        severity=(CRITICAL if found.area >= LARGE else WARNING) if alarm else INFO,
        chance=by_chance,
        bound=bound,
        measures={f"without {name}": -fall for name, fall in most if fall > 0},
    )
