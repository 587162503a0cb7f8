"""Intervals that hold what they promise: conformal prediction on validation rows.

Where the estimator learns quantiles, two models of it learn those that bound the interval, and what they miss on the validation
rows widens both (conformalised quantile regression; Romano, Patterson & Candes 2019): wide where the target is uncertain, narrow
where it is not. Any other estimator gets the quantile of its absolute errors, the same for every row (split conformal; Lei et al.
2018). If rows are exchangeable, an interval holds at least the declared share of them; a world that drifts holds less, which is
why coverage is measured on later rows, and again when predictions mature.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.artifact import Interval
from keepfit.errors import TrainingError
from keepfit.stages.training.estimators import Fitted, Matrix

Floats = NDArray[np.float64]
LOWER, UPPER = "low", "high"


@dataclass(frozen=True)
class Bounds:
    """What puts bounds around a score, before it is written.

    Attributes
    ----------
    quantiles : tuple of Fitted
        The models of the lower and the upper quantile; none if the estimator learns none.
    """

    interval: Interval
    quantiles: tuple[Fitted, ...] = ()

    def around(self, score: Floats, matrix: Matrix) -> Answers:
        """Return answers, shape (rows, 3), by the library's own predictors."""
        return self.interval.around(score, [one.predict(matrix) for one in self.quantiles])

    def native(self) -> dict[str, bytes]:
        """Return the quantiles' files in the library's own format, by name."""
        found = zip((LOWER, UPPER), (one.native() for one in self.quantiles), strict=False)
        return {held[0].replace("model", side, 1): held[1] for side, held in found if held is not None}


def learnt(
    quantile: Callable[[float], Fitted], share: float, levels: tuple[float, float], matrix: Matrix, actual: Floats
) -> Bounds:
    """Return bounds made of two quantiles.

    The quantiles that are calibrated are those that are served: grown again on validation rows, they would know what
    measures them.

    Parameters
    ----------
    quantile : callable
        A level -> the model of that quantile, which did not learn from these rows.
    share, levels
        What the interval is to hold, and the quantiles that bound it.
    matrix, actual : array [rows]
        The validation rows.
    """
    models = tuple(quantile(level) for level in levels)
    below, above = (model.predict(matrix) for model in models)
    low, high = np.minimum(below, above), np.maximum(below, above)
    widen = conformal(np.maximum(low - actual, actual - high), share)
    return Bounds(Interval(share, widen, True), models)


def of_errors(score: Floats, actual: Floats, share: float) -> Bounds:
    """Return bounds as far from the score as errors on validation rows go; `score` did not learn from these rows."""
    return Bounds(Interval(share, conformal(np.abs(actual - score), share), False))


def conformal(scores: Floats, share: float) -> float:
    """Return the smallest of the scores that at least `ceil((rows + 1) * share)` of them do not exceed.

    Raises
    ------
    TrainingError
        If there are too few rows: then no finite interval can promise that share.
    """
    rank = math.ceil(round((len(scores) + 1) * share, 9))
    if rank > len(scores):
        least = math.ceil(round(share / (1 - share), 9))
        raise TrainingError(
            f"{len(scores):,} validation rows cannot tell what {share:.0%} of the rows stay within",
            where=f"Training(interval={share:g})",
            fix=f"wait for {least:,} rows or more, or declare a smaller share",
        )
    return float(np.sort(scores)[rank - 1])
