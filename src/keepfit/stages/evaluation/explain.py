"""Why a model says what it says: exact contributions of the features to each prediction, and how much each matters.

Contributions are Shapley values of the trees (Lundberg et al. 2020, "From local explanations to global understanding"), exact
whatever library grew them; see `measure.shapley`. An estimator offers its trees by a method `forest()`; one that has none is
explained by shap where that is installed, or by permutation importance alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import MissingExtra
from keepfit.measure.forest import Forest
from keepfit.measure.metrics import PLAIN, measure
from keepfit.measure.sums import Floats
from keepfit.spec.metric import METRICS
from keepfit.spec.training import Training
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.evaluation.shapley import estimated

Matrix = NDArray[np.float32]
REPEATS = 3
"""How often a column is shuffled; its importance is the mean."""
ESTIMATED = 200
"""Rows whose contributions are estimated at most: each costs twice as many predictions as there are features, times 50."""


@dataclass(frozen=True)
class Contributions:
    """What each feature added to each prediction.

    Attributes
    ----------
    values : float64 array, shape (rows, features)
        In log-odds for a classification, in the target's unit for a regression.
    base : float64 array, shape (rows,)
        What the model says when nothing is known; of several labels, of the likeliest.
    """

    values: Floats
    base: Floats

    @property
    def importance(self) -> Floats:
        """The mean |contribution| of each feature, shape (features,)."""
        return np.asarray(np.abs(self.values).mean(axis=0))


def contributions(
    forest: Forest | None, matrix: Matrix, predict: Callable[[Matrix], Floats] | None = None, *, seed: int = 0
) -> Contributions | None:
    """Return the contributions to the predictions of a matrix; None if nobody can tell them.

    A model without trees is explained by shap where that is installed (`keepfit[explain]`) and `predict` is given: an
    estimate, in the unit of what `predict` returns, for at most `ESTIMATED` rows.
    """
    if not len(matrix):
        return None
    if forest is not None:
        values, base = forest.contributions(matrix, os.cpu_count() or 1)
        likeliest = (values.sum(axis=2) + base).argmax(axis=1)
        return Contributions(values[np.arange(len(matrix)), likeliest], base[likeliest])
    if predict is None or len(matrix) > ESTIMATED:
        return None
    try:
        values, start = estimated(predict, matrix, seed)
    except MissingExtra:
        return None
    return Contributions(values, np.full(len(values), start))


def permutation_importance(
    metric: str,
    judged: Judged,
    predict: Callable[[Matrix], Floats],
    *,
    seed: int,
    repeats: int = REPEATS,
    said: Training = PLAIN,
) -> tuple[Floats, Floats]:
    """Return how much worse the metric gets when a feature's values are shuffled among the rows.

    Parameters
    ----------
    metric : str
        A name in `keepfit.spec.metric.METRICS`.
    predict : callable
        Matrix -> answers.
    seed, repeats : int
        Each feature is shuffled `repeats` times.
    said : Training
        As in `measure`.

    Returns
    -------
    mean, spread : float64 array, shape (features,)
        In the metric's unit, positive if the feature helps; the spread is the standard deviation over repeats.

    Notes
    -----
    Breiman 2001; Fisher, Rudin & Dominici 2019. Features that tell the same stand in for each other and look weaker.
    """
    random = np.random.default_rng(seed)
    whole = measure(metric, judged.actual, predict(judged.matrix), judged.threshold, said)
    found = np.zeros((repeats, judged.matrix.shape[1]))
    for place in range(judged.matrix.shape[1]):
        for turn in range(repeats):
            shuffled = judged.matrix.copy()
            shuffled[:, place] = shuffled[random.permutation(len(judged)), place]
            value = measure(metric, judged.actual, predict(shuffled), judged.threshold, said)
            found[turn, place] = METRICS[metric].gain(whole, over=value)
    return found.mean(axis=0), found.std(axis=0)
