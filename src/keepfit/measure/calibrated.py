"""Scores to probabilities with the error of that map: a smooth curve of log-odds, fitted on rows that no model learnt from.

What calibrates a model that is served (`Training(calibrate=...)`) is a map alone. What estimates a metric without labels must know
how far off the map may be as well, so it is a regression with few coefficients and their covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats

SURE = 1e-6
"""Scores are held this far from 0 and 1."""
MOST_ROWS = 50_000
PRIOR = (3.0, 2.0, 1.0)
"""Standard deviations, before any row is seen, of what is added to the score's log-odds: level, slope, bends."""
BENDS = ((2_000, (0.05, 0.23, 0.41, 0.59, 0.77, 0.95)), (300, (0.05, 0.35, 0.65, 0.95)), (60, (0.1, 0.5, 0.9)))
"""Rows of the rarer class -> quantiles of the log-odds at which the curve may bend (Harrell 2015, table 2.3); below, a line."""


@dataclass(frozen=True)
class Calibrated:
    """A map from score to log-odds, and the covariance of its coefficients.

    Attributes
    ----------
    centre : float
        Log-odds at which the slope does not matter.
    knots : tuple of float
        Log-odds at which the curve may bend; beyond the outer ones it is a line.
    weights : tuple of float
        What is added to the score's own log-odds: level, slope, one for each bend.
    covariance : tuple of tuple of float
        Of the weights.
    """

    centre: float
    knots: tuple[float, ...]
    weights: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    def log_odds(self, score: Floats, weights: Floats | None = None) -> Floats:
        """Return the log-odds at each score, shape (rows,); under other weights, if they are given."""
        x = log_odds(score)
        own = np.array(self.weights) if weights is None else weights
        return np.asarray(x + _basis(x, self.centre, self.knots) @ own)

    def drawn(self, random: np.random.Generator) -> Floats:
        """Return weights that the rows would allow as well: normal, by the covariance."""
        return random.multivariate_normal(self.weights, self.covariance, check_valid="ignore")


def log_odds(chance: Floats) -> Floats:
    """Return ln(p / (1 - p)), of chances held away from 0 and 1."""
    held = np.clip(chance, SURE, 1 - SURE)
    return np.asarray(np.log(held / (1 - held)))


def chance(odds: Floats) -> Floats:
    """Return the chance of log-odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))


def calibrated(actual: Floats, score: Floats, clusters: NDArray[np.integer]) -> Calibrated:
    """Return the map from score to log-odds of class 1.

    Parameters
    ----------
    actual : float64 array, shape (rows,)
        0 or 1.
    score : float64 array, shape (rows,)
        The score of class 1 in [0, 1], by a model that did not learn from these rows.
    clusters : integer array, shape (rows,)
        A code for each row's entity: rows of one entity resemble each other, and tell less than as many entities.

    Notes
    -----
    A logistic regression on a restricted cubic spline of the score's log-odds, with the score's own log-odds as an offset and a
    normal prior around it (`PRIOR`): few rows leave the score as it is. It is Cox's recalibration (1958) with bends; with the
    covariance of clustered rows (Liang & Zeger 1986).
    """
    if len(actual) > MOST_ROWS:
        some = np.linspace(0, len(actual) - 1, MOST_ROWS).astype(np.intp)
        actual, score, clusters = actual[some], score[some], clusters[some]
    x, rarer = log_odds(score), min(actual.sum(), len(actual) - actual.sum())
    at = next((quantiles for least, quantiles in BENDS if rarer >= least), ())
    knots = np.unique(np.quantile(x, at)) if at else np.empty(0)
    bends = tuple(knots.tolist()) if len(knots) > 2 and np.diff(knots).min() > 1e-3 else ()
    centre = float(x.mean())
    basis = _basis(x, centre, bends)
    prior = np.array([*PRIOR[:2], *[PRIOR[2]] * (basis.shape[1] - 2)])
    weights, inverse = logistic(basis, actual, x, prior)
    each = basis * (actual - chance(x + basis @ weights))[:, None]
    codes = np.unique(clusters, return_inverse=True)[1].ravel()
    count = int(codes.max()) + 1
    if count > 1:
        sums = np.stack([np.bincount(codes, column) for column in each.T], axis=1)
        inverse = inverse @ (sums.T @ sums) @ inverse * count / (count - 1)
    return Calibrated(centre, bends, tuple(weights.tolist()), tuple(tuple(row) for row in inverse.tolist()))


def logistic(basis: Floats, actual: Floats, offset: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Return the weights of a logistic regression with an offset and normal priors around 0, and the inverse of its curvature.

    By Newton's method, each step halved until it does not make things worse.
    """
    weights, precision = np.zeros(basis.shape[1]), 1 / prior**2

    def loss(at: Floats) -> float:
        odds = offset + basis @ at
        return float(np.logaddexp(0, odds).sum() - (actual * odds).sum() + (precision * at**2).sum() / 2)

    held = loss(weights)
    for _ in range(30):
        p = chance(offset + basis @ weights)
        slope = basis.T @ (actual - p) - precision * weights
        step = np.linalg.solve(_curvature(basis, p, precision), slope)
        while (new := loss(weights + step)) > held + 1e-9 and np.abs(step).max() > 1e-9:
            step = step / 2
        weights, held = weights + step, min(new, held)
        if np.abs(step).max() < 1e-7:
            break
    return weights, np.linalg.inv(_curvature(basis, chance(offset + basis @ weights), precision))


def _curvature(basis: Floats, p: Floats, precision: Floats) -> Any:
    return basis.T @ (basis * (p * (1 - p))[:, None]) + np.diag(precision)


def _basis(x: Floats, centre: float, knots: tuple[float, ...]) -> Floats:
    """Return 1, the distance from the centre, and the bends (Harrell 2015, section 2.4.5), shape (rows, 2 + knots - 2)."""
    columns = [np.ones_like(x), x - centre]
    for first in knots[:-2]:
        before, last = knots[-2:]
        one, two, three = (
            above * above * above for above in (np.maximum(x - knot, 0) for knot in (first, before, last))
        )
        found = one - two * (last - first) / (last - before) + three * (before - first) / (last - before)
        columns.append(found / (last - knots[0]) ** 2)
    return np.stack(columns, axis=1)
