"""Fit a challenger on a training set: early stopping and the threshold on validation, the test rows never seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.artifact import Predictor
from keepfit.artifact.folder import ONNX, QUANTILES, TREES
from keepfit.artifact.predictor import Session
from keepfit.errors import TrainingError
from keepfit.measure.forest import forest_of
from keepfit.spec.model import REGRESSION, Model
from keepfit.stages.training.estimators import Fitted
from keepfit.stages.training.grow import ChooseThreshold, Grown, TrainingRows, grow
from keepfit.stages.training.split import Split, folds, split

# how far ONNX may lie from the library's own predictor before it is taken for another model
PARITY = 1e-4


@dataclass(frozen=True)
class Trained:
    """A challenger, before it is evaluated.

    Attributes
    ----------
    grown : Grown
        The models, grown on train and validation rows.
    features : tuple of str
        The matrix's columns, in order.
    onnx : dict of str to bytes
        File name -> the same models as they will answer.
    scores : float64 array, shape (rows,) or (rows, columns)
        Its answers by ONNX to every row that it is judged on, those of the test and of entities held out; NaN for the others.
    onnx_difference : float
        The largest difference between ONNX and the library's own predictors on the test rows, relative to the spread of
        scores for a regression; before the calibration.
    """

    grown: Grown
    features: tuple[str, ...]
    onnx: dict[str, bytes]
    scores: Answers
    onnx_difference: float

    @property
    def split(self) -> Split:
        """Without the entities that are held out."""
        return self.grown.split

    @property
    def fitted(self) -> Fitted:
        """The estimator."""
        return self.grown.fitted

    @property
    def threshold(self) -> float:
        """The score from which a row is called positive."""
        return self.grown.threshold

    def files(self) -> dict[str, bytes]:
        """Return the model files of an artifact: what answers, the library's own formats, and what explains."""
        native = self.fitted.native()
        own = {native[0]: native[1]} if native else {}
        forest = forest_of(self.fitted)
        own |= {TREES: forest.as_bytes()} if forest else {}
        return own | (self.grown.bounds.native() if self.grown.bounds else {}) | self.onnx


def train(
    model: Model, rows: TrainingRows, *, seed: int, choose_threshold: ChooseThreshold, history: bool = False
) -> Trained:
    """Return a challenger.

    First a model is grown on train rows and stopped early on validation rows, which also choose the decision threshold;
    then one with as many trees is grown on train and validation rows together. Test rows are only scored.

    Parameters
    ----------
    choose_threshold : callable
        (metric, actual, score) -> threshold.
    history : bool
        Whether to keep the loss by round, which takes some time; the model is the same.

    Raises
    ------
    TrainingError
        If time cannot be split, a part has one class only, or ONNX does not predict what the library predicts.
    """
    parts = split(rows.t, model.horizon, model.tested)
    found = grow(model, rows, parts, seed=seed, choose_threshold=choose_threshold, history=history)
    bounds = found.bounds
    models = {ONNX: found.fitted, **(dict(zip(QUANTILES, bounds.quantiles, strict=False)) if bounds else {})}
    onnx = {name: fitted.onnx() for name, fitted in models.items()}
    judged = found.matrix[found.split.judged]
    several = len(model.labels)
    difference = max(
        _difference(model, Session(onnx[name], several)(judged), models[name].predict(judged)) for name in models
    )
    quantiles = [onnx[name] for name in QUANTILES if name in onnx]
    served = Predictor(onnx[ONNX], found.calibration, bounds.interval if bounds else None, quantiles, several).score(
        judged
    )
    scores = np.full((len(found.matrix), *served.shape[1:]), np.nan)
    scores[found.split.judged] = served
    return Trained(found, tuple(rows.features), onnx, scores, difference)


@dataclass(frozen=True)
class Fold:
    """What a model grown at an earlier origin says of the rows that came next.

    Attributes
    ----------
    scores : float64 array, shape (test rows,) or (test rows, columns)
        Its answers by the library's own predictors.
    """

    split: Split
    threshold: float
    scores: Answers


def backtest(
    model: Model, rows: TrainingRows, count: int, *, seed: int, choose_threshold: ChooseThreshold
) -> Iterator[Fold]:
    """Yield what came out on each of `count` earlier folds, the oldest first; each is grown when it is asked for."""
    for parts in folds(rows.t, model.horizon, count, model.tested):
        found = grow(model, rows, parts, seed=seed, choose_threshold=choose_threshold)
        yield Fold(found.split, found.threshold, found.answers(found.matrix[found.split.test]))


def _difference(model: Model, served: NDArray[np.float64], native: NDArray[np.float64]) -> float:
    difference = float(np.max(np.abs(served - native), initial=0.0))
    if model.task == REGRESSION:
        difference /= float(np.ptp(native)) or 1.0
    if difference > PARITY:
        raise TrainingError(
            f"ONNX predicts {difference:.2g} away from {model.estimator.kind} itself, more than {PARITY}",
            where=f"model {model.name}",
            fix="choose other estimator parameters; the version was not recorded",
        )
    return difference
