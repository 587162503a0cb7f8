"""Fit a challenger on a training set: early stopping and the threshold on validation, the test rows never seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.artifact import Knots, Predictor
from keepfit.errors import TrainingError
from keepfit.evidence import History
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.stages.training.estimators import Fitted
from keepfit.stages.training.grow import ChooseThreshold, TrainingRows, grow
from keepfit.stages.training.split import Split, folds, split

# how far ONNX may lie from the library's own predictor before it is taken for another model
PARITY = 1e-4


@dataclass(frozen=True)
class Trained:
    """A challenger, before it is evaluated.

    Attributes
    ----------
    fitted : Fitted
        The estimator, grown on train and validation rows.
    onnx : bytes
        The same model as it will answer.
    scores : float64 array [rows]
        Its score by ONNX for every row that it is judged on, those of the test and of entities held out; NaN for the others.
    onnx_difference : float
        The largest difference between ONNX and the library's own predictor on the test rows, relative to the spread of
        scores for a regression; before the calibration.
    calibration : Knots or None
        What made the scores of what ONNX answers.
    history : History or None
        The loss round by round on train and validation rows, if the estimator tells.
    """

    split: Split
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    threshold: float
    fitted: Fitted
    onnx: bytes
    scores: NDArray[np.float64]
    onnx_difference: float
    calibration: Knots | None = None
    history: History | None = None


def train(model: Model, rows: TrainingRows, *, seed: int, choose_threshold: ChooseThreshold) -> Trained:
    """Return a challenger.

    First a model is grown on train rows and stopped early on validation rows, which also choose the decision threshold;
    then one with as many trees is grown on train and validation rows together. Test rows are only scored.

    Parameters
    ----------
    choose_threshold : callable
        (metric, actual, score) -> threshold.

    Raises
    ------
    TrainingError
        If time cannot be split, a part has one class only, or ONNX does not predict what the library predicts.
    """
    parts = split(rows.t, model.horizon)
    found = grow(model, rows, parts, seed=seed, choose_threshold=choose_threshold)
    onnx = found.fitted.onnx()
    judged = found.split.judged
    raw = Predictor(onnx).raw(found.matrix[judged])
    difference = _difference(model, raw, found.fitted.predict(found.matrix[judged]))
    scores = np.full(len(found.matrix), np.nan)
    scores[judged] = raw if found.calibration is None else found.calibration(raw)
    return Trained(
        found.split,
        tuple(rows.features),
        found.categories,
        found.threshold,
        found.fitted,
        onnx,
        scores,
        difference,
        found.calibration,
        found.history,
    )


@dataclass(frozen=True)
class Fold:
    """What a model grown at an earlier origin says of the rows that came next.

    Attributes
    ----------
    scores : float64 array [test rows]
        By the library's own predictor.
    """

    split: Split
    threshold: float
    scores: NDArray[np.float64]


def backtest(
    model: Model, rows: TrainingRows, count: int, *, seed: int, choose_threshold: ChooseThreshold
) -> Iterator[Fold]:
    """Yield what came out on each of `count` earlier folds, the oldest first; each is grown when it is asked for."""
    for parts in folds(rows.t, model.horizon, count):
        found = grow(model, rows, parts, seed=seed, choose_threshold=choose_threshold)
        yield Fold(found.split, found.threshold, found.scores(found.split.test))


def _difference(model: Model, served: NDArray[np.float64], native: NDArray[np.float64]) -> float:
    difference = float(np.max(np.abs(served - native), initial=0.0))
    if model.task != CLASSIFICATION:
        difference /= float(np.ptp(native)) or 1.0
    if difference > PARITY:
        raise TrainingError(
            f"ONNX predicts {difference:.2g} away from {model.estimator.kind} itself, more than {PARITY}",
            where=f"model {model.name}",
            fix="choose other estimator parameters; the version was not recorded",
        )
    return difference
