"""How well a version does on a window whose labels are not known yet: each metric with an interval, and a sentence.

What the interval holds, all drawn together in `ROUNDS` worlds:

    the luck of the window's rows       an outcome for each, drawn by its chances
    the error of the calibration        the map drawn by its covariance (classification)
    how windows differ beyond that      as those did that the version was tested on (`keepfit.measure.between`)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.answers import Answers
from keepfit.evidence import Estimate, Estimated
from keepfit.measure.bootstrap import INTERVAL, RAISED_BY_NOISE
from keepfit.measure.expected import Possible, expected
from keepfit.measure.metrics import PLAIN
from keepfit.measure.wording import number
from keepfit.spec.training import Training

ROUNDS = 100
MOST_ROWS = 5_000
"""Rows that tell how wide an interval is; of more, as many, evenly drawn: it is then rather too wide."""


Foresight = Callable[[Any, np.random.Generator | None], Possible]
"""Places of rows -> the ways in which they may turn out: as is most likely, or as in a world that the generator draws."""


def estimates(
    metrics: Sequence[str],
    possible: Foresight,
    answers: Answers,
    threshold: float,
    said: Training = PLAIN,
    *,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> dict[str, Estimate]:
    """Return what is to be expected of metrics, each with its 90% interval.

    Parameters
    ----------
    metrics, threshold, said
        As in `keepfit.measure.metrics.measure`.
    possible : Foresight
        What may happen to the rows.
    answers : float64 array, shape (rows,) or (rows, columns)
        What was answered to them; at least one row.
    seed : int
        The same seed gives the same intervals.
    """
    count, random = len(answers), np.random.default_rng(seed)
    value = expected(metrics, lambda rows: possible(rows, None), answers, threshold, said)
    some = np.arange(count) if count <= MOST_ROWS else np.linspace(0, count - 1, MOST_ROWS).astype(np.intp)
    drawn = [
        expected(metrics, possible(some, random).drawn(random).some, answers[some], threshold, said)
        for _ in range(rounds)
    ]
    shown = (
        value if len(some) == count else expected(metrics, possible(some, None).some, answers[some], threshold, said)
    )
    return {
        name: _estimate(name, value[name], value[name] - shown[name], np.array([one[name] for one in drawn]), count)
        for name in metrics
    }


def _estimate(metric: str, value: float, shift: float, drawn: NDArray[np.float64], rows: int) -> Estimate:
    defined = drawn[np.isfinite(drawn)]
    if not len(defined) or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"), rows)
    if metric in RAISED_BY_NOISE:  # to be expected is what chance makes of it
        value, shift = float(np.median(defined)), 0.0
    low, high = np.percentile(defined, INTERVAL) + shift
    return Estimate(value, min(float(low), value), max(float(high), value), rows)


def estimated(
    version: str,
    metric: str,
    t: NDArray[np.int64],
    metrics: dict[str, Estimate],
    baseline: dict[str, float],
) -> Estimated:
    """Return estimates as evidence.

    Parameters
    ----------
    version, metric : str
        Who answered, and the metric it is judged by.
    t : int64 array, shape (rows,)
        When each row was observed, microseconds UTC.
    metrics, baseline : dict
        What is to be expected, and what the version showed on its test rows.
    """
    first, last, trained = int(t.min()), int(t.max()), {name: baseline.get(name, float("nan")) for name in metrics}
    return Estimated(version, first, last, len(t), metrics, trained, told(metric, metrics, trained, first, last))


def told(metric: str, metrics: dict[str, Estimate], baseline: dict[str, float], first: int, last: int) -> str:
    """Return in a sentence what is to be expected of a model's own metric."""
    if metric not in metrics or not np.isfinite(metrics[metric].low):
        return f"{metric} cannot be estimated before labels mature"
    found, start, end = metrics[metric], clock.show(first), clock.show(last)
    where = f"{found.rows:,} rows of {start if start == end else f'{start} to {end}'}"
    interval = f"[{number(found.low)}, {number(found.high)}]"
    before = baseline[metric]
    beside = "" if np.isnan(before) else f"; its test had {number(before)}"
    return f"{metric} {number(found.value)} {interval} is to be expected of {where}{beside}"
