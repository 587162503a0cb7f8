"""Fit a challenger on a training set: early stopping and the threshold on validation, the test rows never seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from keepfit.artifact import Knots, Predictor, encode, learn_categories
from keepfit.engines.protocol import Column
from keepfit.errors import DefinitionError, KeepfitError, TrainingError, did_you_mean
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.stages.training.calibration import calibrate
from keepfit.stages.training.estimators import Fit, Fitted, Matrix, Rows, Task, Traced, find
from keepfit.stages.training.split import Split, folds, held_out, split, without
from keepfit.stages.training.weights import class_weights, weights

# how far ONNX may lie from the library's own predictor before it is taken for another model
PARITY = 1e-4
ChooseThreshold = Callable[[str, NDArray[np.float64], NDArray[np.float64]], float]


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
    history : dict of str to list of float
        What the estimator measured on the validation rows, round by round; empty if it does not grow in rounds.
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
    history: dict[str, list[float]] = field(default_factory=dict)


def train(
    model: Model,
    t: NDArray[np.int64],
    features: dict[str, Column],
    target: NDArray[np.float64],
    *,
    seed: int,
    choose_threshold: ChooseThreshold,
    entity: NDArray[np.object_] | None = None,
) -> Trained:
    """Return a challenger.

    First a model is grown on train rows and stopped early on validation rows, which also choose the decision threshold;
    then one with as many trees is grown on train and validation rows together. Test rows are only scored.

    Parameters
    ----------
    t : int64 array [rows]
        Microseconds UTC, ascending.
    features : dict of str to array [rows]
        In the definition's order.
    choose_threshold : callable
        (metric, actual, score) -> threshold.
    entity : object array [rows], optional
        Keys; needed if the model holds entities out.

    Raises
    ------
    TrainingError
        If time cannot be split, a part has one class only, or ONNX does not predict what the library predicts.
    """
    parts = split(t, model.horizon)
    found = grow(model, t, features, target, parts, seed=seed, choose_threshold=choose_threshold, entity=entity)
    onnx = found.fitted.onnx()
    judged = found.split.judged
    raw = Predictor(onnx).raw(found.matrix[judged])
    difference = _difference(model, raw, found.fitted.predict(found.matrix[judged]))
    scores = np.full(len(found.matrix), np.nan)
    scores[judged] = raw if found.calibration is None else found.calibration(raw)
    names = tuple(features)
    return Trained(
        found.split,
        names,
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
class Grown:
    """A model grown on one split.

    Attributes
    ----------
    split : Split
        Without the entities that are held out.
    matrix : float32 array [rows, features]
        All rows, as the model reads them.
    """

    split: Split
    fitted: Fitted
    calibration: Knots | None
    threshold: float
    categories: dict[str, tuple[str, ...]]
    matrix: Matrix
    history: dict[str, list[float]]

    def scores(self, part: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the scores of some rows by the library's own predictor, calibrated."""
        raw = self.fitted.predict(self.matrix[part])
        return raw if self.calibration is None else self.calibration(raw)


def grow(
    model: Model,
    t: NDArray[np.int64],
    features: dict[str, Column],
    target: NDArray[np.float64],
    parts: Split,
    *,
    seed: int,
    choose_threshold: ChooseThreshold,
    entity: NDArray[np.object_] | None = None,
) -> Grown:
    """Return a model grown as `train` grows it, on any split."""
    if model.training.hold_out:
        parts = without(parts, held_out(_known(entity, model), model.training.hold_out))
    _require_two_values(model, target, parts)
    names = tuple(features)
    categories = learn_categories({name: values[parts.train] for name, values in features.items()})
    matrix = encode(features, names, categories)
    task = _task(model, names, categories, seed)
    learn = partial(_fit, find(model.estimator.kind), model)
    rows = partial(_rows, model, t, matrix, target)
    first = learn(task, rows(parts.train), rows(parts.validation, like=parts.train))
    calibration, threshold = _decision(
        model, target[parts.validation], partial(first.predict, matrix[parts.validation]), choose_threshold
    )
    fitted = learn(replace(task, parameters=first.parameters), rows(parts.fitted), None)
    history = first.history if isinstance(first, Traced) else {}
    return Grown(parts, fitted, calibration, threshold, categories, matrix, history)


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
    model: Model,
    t: NDArray[np.int64],
    features: dict[str, Column],
    target: NDArray[np.float64],
    count: int,
    *,
    seed: int,
    choose_threshold: ChooseThreshold,
    entity: NDArray[np.object_] | None = None,
) -> Iterator[Fold]:
    """Yield what came out on each of `count` earlier folds, the oldest first; each is grown when it is asked for."""
    for parts in folds(t, model.horizon, count):
        found = grow(model, t, features, target, parts, seed=seed, choose_threshold=choose_threshold, entity=entity)
        yield Fold(found.split, found.threshold, found.scores(found.split.test))


def _known(entity: NDArray[np.object_] | None, model: Model) -> NDArray[np.object_]:
    if entity is None:
        raise TrainingError("hold_out= needs the entities of the rows", where=f"model {model.name}", fix="pass entity=")
    return entity


def _decision(
    model: Model,
    actual: NDArray[np.float64],
    predict: Callable[[], NDArray[np.float64]],
    choose_threshold: ChooseThreshold,
) -> tuple[Knots | None, float]:
    """Return the calibration and the threshold that validation rows choose."""
    if model.task != CLASSIFICATION:
        return None, 0.5
    score, how = predict(), model.training.calibrate
    calibration = None if how is None else calibrate(how, actual, score)
    return calibration, choose_threshold(model.metric, actual, score if calibration is None else calibration(score))


def _task(model: Model, features: tuple[str, ...], categories: dict[str, tuple[str, ...]], seed: int) -> Task:
    monotone = dict(model.training.monotone)
    for name in monotone:
        if name not in features or name in categories:
            what = "labels have no order" if name in categories else "no such feature was learned"
            fix = did_you_mean(name, set(features) - set(categories), of=f"model {model.name}")
            raise DefinitionError(f"monotone={{{name!r}: ...}}: {what}", where="definitions.py, Training(...)", fix=fix)
    one = model.estimator
    return Task(model.task, features, categories, one.parameters, seed, one.of, monotone)


def _rows(
    model: Model,
    t: NDArray[np.int64],
    matrix: Matrix,
    target: NDArray[np.float64],
    part: NDArray[np.bool_],
    like: NDArray[np.bool_] | None = None,
) -> Rows:
    """Return the rows of a part, weighed as those of `like` are, or as its own are; what is judged on has no age."""
    by_class = class_weights(model.training, target[part if like is None else like])
    training = model.training if like is None else replace(model.training, half_life=None)
    return Rows(matrix[part], target[part], weights(training, t[part], target[part], by_class=by_class))


def _fit(fit: Fit, model: Model, task: Task, rows: Rows, validation: Rows | None) -> Fitted:
    try:
        return fit(task, rows, validation)
    except KeepfitError:
        raise
    except Exception as error:  # an estimator may raise anything, and the champion must stay
        said = (str(error).strip().splitlines() or ["no message"])[0]
        raise TrainingError(
            f"{task.of or model.estimator.kind} failed on {len(rows.target):,} rows: {type(error).__name__}: {said}",
            where=f"model {model.name}",
            fix="choose other parameters or another estimator; the version was not recorded",
        ) from error


def _require_two_values(model: Model, target: NDArray[np.float64], parts: Split) -> None:
    """A part without rows, one class, or one value of the target teach nothing."""
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if not part.any():
            fix = "hold fewer entities out, or wait for more"
            raise TrainingError(f"no {name} rows of {model.name} are left", where="Training(hold_out=...)", fix=fix)
    if model.task != CLASSIFICATION:
        if np.ptp(target[parts.train]) == 0:
            raise TrainingError(
                f"the target is {target[parts.train][0]:g} in all {int(parts.train.sum()):,} train rows of {model.name}",
                where=f"target {model.target.name}",
                fix="wait for more history, or choose a target that varies",
            )
        return
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if len(np.unique(target[part])) < 2:
            raise TrainingError(
                f"the {name} rows of {model.name} have one class only ({int(part.sum()):,} rows)",
                where=f"target {model.target.name}",
                fix="wait for more history, or choose a target that both happens and does not",
            )


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
