"""Scores become probabilities: a map from score to probability, fitted on validation rows, as knots with straight lines between.

What is served reads the map at the score, so the knots are the calibration: batch and request read the same line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.artifact import Knots
from keepfit.spec.training import ISOTONIC

Floats = NDArray[np.float64]

# log-odds at which a sigmoid is read; straight lines between lie less than 0.0001 beside it
STEPS = np.linspace(-16, 16, 513)
SURE = 1e-7  # scores are float32: nearer to 0 or 1 they tell nothing


def calibrate(how: str, actual: Floats, score: Floats) -> Knots:
    """Return the map from score to probability.

    Parameters
    ----------
    how : 'isotonic' or 'sigmoid'
        The best rising steps (Zadrozny & Elkan 2002), which need a thousand rows or so; or a sigmoid of the log-odds
        (Platt 1999), which is fitted with few.
    actual : float64 array, shape (rows,)
        0 or 1, of both.
    score : float64 array, shape (rows,)
        The score of class 1, in [0, 1], by a model that did not learn from these rows.
    """
    if how == ISOTONIC:
        from sklearn.isotonic import IsotonicRegression  # only where it is used: it loads for a second

        found = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(score, actual)
        return Knots(tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist()))
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(_log_odds(score)[:, None], actual)
    slope, start = max(float(fitted.coef_[0, 0]), 0.0), float(fitted.intercept_[0])
    if slope == 0:  # a falling line would turn the order of the scores round
        start = float(np.log(actual.mean() / (1 - actual.mean())))
    at = 1 / (1 + np.exp(-STEPS))
    return Knots(tuple(at.tolist()), tuple((1 / (1 + np.exp(-(slope * STEPS + start)))).tolist()))


def _log_odds(score: Floats) -> Floats:
    held = np.clip(score, SURE, 1 - SURE)
    return np.asarray(np.log(held / (1 - held)))
