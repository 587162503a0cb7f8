"""The test rows of a version, as everything that explains it looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, score_of
from keepfit.measure.intervals import pinball_loss
from keepfit.measure.labels import log_loss
from keepfit.measure.metrics import PLAIN
from keepfit.measure.sums import Floats
from keepfit.spec.model import CLASSIFICATION, REGRESSION
from keepfit.spec.training import Training

SURE = 1e-15
"""Scores are taken as no surer than this, as in log loss."""


@dataclass(frozen=True)
class Judged:
    """Rows a version was not trained on, with what it said of them.

    Attributes
    ----------
    task : str
        'classification', 'multiclass' or 'regression'.
    entity : object array, shape (rows,)
        Keys as text.
    t : int64 array, shape (rows,)
        Microseconds UTC.
    features : dict of str to array, shape (rows,)
        Values before they were encoded: float64 with NaN for null, or labels and None.
    matrix : float32 array, shape (rows, features)
        The same as the model sees them.
    actual : float64 array, shape (rows,)
        What happened; 0 or 1 for a classification, of several labels the place.
    answers : float64 array, shape (rows,) or (rows, columns)
        What the version says; see `keepfit.answers`.
    threshold : float
        Scores >= threshold are called positive.
    clusters : integer array, shape (rows,)
        A code for each row's entity.
    said : Training
        What the model declares of costs and bounds.
    labels : tuple of str
        What the target may be, of several labels.
    """

    task: str
    entity: NDArray[Any]
    t: NDArray[np.int64]
    features: Mapping[str, NDArray[Any]]
    matrix: NDArray[np.float32]
    actual: Floats
    answers: Answers
    threshold: float
    clusters: NDArray[np.integer]
    said: Training = PLAIN
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.actual)

    @property
    def score(self) -> Floats:
        """The score of class 1, the probability of the likeliest label, or the predicted value, shape (rows,)."""
        if self.labels:
            return np.asarray(self.answers.max(axis=1))
        return score_of(self.answers)

    @property
    def loss(self) -> Floats:
        """How wrong each prediction is: log loss in nats, or the absolute error or pinball loss in the target's unit."""
        if self.said.quantile is not None:
            return pinball_loss(self.actual, self.score, self.said.quantile)
        if self.labels:
            return log_loss(self.actual, self.answers)
        if self.task != CLASSIFICATION:
            return np.asarray(np.abs(self.actual - self.score))
        sure = np.clip(self.score, SURE, 1 - SURE)
        return np.asarray(-np.log(np.where(self.actual > 0, sure, 1 - sure)))

    @property
    def loss_name(self) -> str:
        """The name of `loss`."""
        if self.said.quantile is not None:
            return "pinball loss"
        return "absolute error" if self.task == REGRESSION else "log loss"

    @property
    def design_effect(self) -> float:
        """How much more the mean loss varies because rows of one entity resemble each other (Kish 1965); at least 1.

        Standard errors that take rows for independent are widened by its root.
        """
        return design_effect(self.loss, self.clusters)

    def at(self, rows: NDArray[np.intp]) -> Judged:
        """Return some of the rows."""
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("entity", "t", "matrix", "actual", "answers", "clusters")},
            features={name: values[rows] for name, values in self.features.items()},
        )

    def sample(self, most: int, seed: int) -> Judged:
        """Return at most so many rows, drawn evenly, in their order; the same seed draws the same."""
        if len(self) <= most:
            return self
        return self.at(np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False)))


def design_effect(values: Floats, clusters: NDArray[np.integer]) -> float:
    """Return how much more the mean of some values varies because rows of one entity resemble each other; at least 1."""
    codes = np.unique(clusters, return_inverse=True)[1].ravel()
    apart = values - values.mean()
    naive = float((apart**2).sum())
    if codes.max() == 0 or naive == 0:
        return 1.0
    return max(1.0, float((np.bincount(codes, weights=apart) ** 2).sum()) / naive)
