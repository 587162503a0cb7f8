"""Concept drift: whether the same inputs have begun to mean something else, by the surprises of a version's windows.

The newest window by itself sees what is sudden and large; two sequential tests over all windows see what is small and lasts.

    the newest window    six tenths of the chance of a false alarm
    Page-Hinkley         three tenths; its bound is Lundberg's: `exp(-2 d h)` for standard normal values, a tolerance d, a height h
    ADWIN                a tenth, as its `delta`
"""

from __future__ import annotations

import math

from keepfit.evidence import CONCEPT, Drift
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.drift import COSTLY, severity
from keepfit.stages.monitoring.surprise import Surprises
from keepfit.stages.monitoring.tests.adwin import Adwin
from keepfit.stages.monitoring.tests.page_hinkley import PageHinkley
from keepfit.stages.monitoring.tests.tails import normal

NAME = "concept"
TOLERANCE = 0.25
"""Standard deviations of a window's surprise that sum up to nothing."""
WINDOW, PAGE, CUT = 0.6, 0.3, 0.1
"""Parts of the chance of a false alarm: of the newest window, of Page and Hinkley's test, of ADWIN."""
SHORTEST = 2
"""Windows of each side of a cut."""


def concept(newest: Surprises, sequence: Surprises, bound: float) -> Drift:
    """Return whether what inputs mean has changed.

    Parameters
    ----------
    newest : Surprises
        Of one window, the newest one.
    sequence : Surprises
        Of all windows of the version, the newest last.
    bound : float
        The chance of a false alarm.

    Notes
    -----
    Page-Hinkley takes off the mean so far, so an error that all windows share is no drift. What is left are independent normal
    values of a variance below 1 (the recursive residuals), less the tolerance: of such a sum, the chance of ever standing so far
    above its minimum is bounded at each window by Lundberg's inequality.
    """
    scores, count = newest.scores[0], newest.scores.shape[1]
    most = int(abs(scores).argmax())
    chances = [normal(float(scores[most])) * count / WINDOW]
    heights, cut = zip(*(_stream(values, bound * CUT / count) for values in sequence.scores.T), strict=True)
    chances.append(2 * math.exp(-2 * TOLERANCE * max(heights)) * count / PAGE)
    # a cut says no more than that its chance was below what it was given
    chances += [0.99 * bound] if any(cut) else []
    chance = min(1.0, *chances)
    whole, lost = float(newest.expected[0]), float(newest.realised[0])
    measures = {f"surprise of the {name}": float(z) for name, z in zip(newest.contrasts, scores, strict=True)}
    return Drift(
        NAME,
        "surprise",
        0.0,
        float(scores[most]),
        normal(float(scores[most])),
        chance < bound,
        int(newest.rows[0]),
        kind=CONCEPT,
        severity=severity(chance < bound, lost - whole >= COSTLY * whole),
        chance=chance,
        bound=bound,
        effect=lost - whole,
        relative_effect=(lost - whole) / whole if whole > 0 else None,
        measures=measures
        | {"page_hinkley": max(heights), "adwin": float(any(cut)), "windows": float(len(sequence.rows))},
    )


def _stream(values: Floats, delta: float) -> tuple[float, bool]:
    """Return how far Page and Hinkley's sum stands from its extreme, and whether ADWIN cuts off the newest value."""
    page = PageHinkley(delta=TOLERANCE, threshold=math.inf, alpha=1.0)
    adwin = Adwin(delta=delta, clock=1, min_window_length=SHORTEST, grace_period=2 * SHORTEST)
    cut = False
    for value in values.tolist():
        page.update(value)
        cut = adwin.update(value)
    return page.height, cut
