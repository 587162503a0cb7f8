"""Grow a model on a split: first on train rows, stopped and decided on validation rows, then on both together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.artifact import Knots, encode, learn_categories
from keepfit.engines.protocol import Column
from keepfit.errors import DefinitionError, KeepfitError, TrainingError, did_you_mean
from keepfit.evidence import History
from keepfit.spec.estimators import QUANTILE
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION, Model
from keepfit.stages.training.calibration import calibrate
from keepfit.stages.training.estimators import Boosted, Fit, Fitted, Matrix, Rows, Task, can_learn, find
from keepfit.stages.training.interval import Bounds, learnt, of_errors
from keepfit.stages.training.split import Split, held_out, without
from keepfit.stages.training.weights import class_weights, weights

ChooseThreshold = Callable[[str, NDArray[np.float64], NDArray[np.float64]], float]

# tasks that not every plug-in learns
RARE = {QUANTILE: "a quantile", MULTICLASS: "one of several labels"}


class NothingToLearn(TrainingError):
    """A part of the rows is empty, or of one class or value only."""


@dataclass(frozen=True)
class TrainingRows:
    """What is learnt from and judged on.

    Attributes
    ----------
    t : int64 array [rows]
        Microseconds UTC, ascending.
    features : dict of str to array [rows]
        In the definition's order: float64 with NaN for null, or labels and None.
    target : float64 array [rows]
        1 and 0 for a classification; of several labels the place.
    entity : object array [rows], optional
        Keys; needed if the model holds entities out.
    """

    t: NDArray[np.int64]
    features: dict[str, Column]
    target: NDArray[np.float64]
    entity: NDArray[np.object_] | None = None


@dataclass(frozen=True)
class Grown:
    """A model grown on one split.

    Attributes
    ----------
    split : Split
        Without the entities that are held out.
    matrix : float32 array [rows, features]
        All rows, as the model reads them.
    first : Fitted
        The model that learnt from train rows only: what it says of validation rows, it has not learnt from them.
    history : History or None
        How the first model was grown, which the validation rows stopped; None if nobody asked, or its estimator does not tell.
    """

    split: Split
    first: Fitted
    fitted: Fitted
    calibration: Knots | None
    bounds: Bounds | None
    threshold: float
    categories: dict[str, tuple[str, ...]]
    matrix: Matrix
    history: History | None = None

    def answers(self, matrix: Matrix) -> Answers:
        """Return what is answered, calibrated and with bounds if these are declared, by the library's own predictors."""
        found = self.fitted.predict(matrix)
        if self.calibration is not None:
            found = self.calibration(found)
        return found if self.bounds is None else self.bounds.around(found, matrix)

    def validated(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what the first model says of some validation rows, calibrated if declared; shape (rows,) or (rows, labels)."""
        found = self.first.predict(self.matrix[rows])
        return found if self.calibration is None else self.calibration(found)


def grow(
    model: Model,
    rows: TrainingRows,
    parts: Split,
    *,
    seed: int,
    choose_threshold: ChooseThreshold,
    history: bool = False,
) -> Grown:
    """Return a model grown as `train` grows it, on any split."""
    if model.training.hold_out:
        parts = without(parts, held_out(_known(rows.entity, model), model.training.hold_out))
    _require_two_values(model, rows.target, parts)
    names = tuple(rows.features)
    categories = learn_categories({name: values[parts.train] for name, values in rows.features.items()})
    matrix = encode(rows.features, names, categories)
    task = _task(model, names, categories, seed)
    learn = partial(_fit, find(model.estimator.kind), model)
    of = partial(_rows, model, rows, matrix)
    first = learn(replace(task, history=history), of(parts.train), of(parts.validation, like=parts.train))
    calibration, threshold = _decision(
        model, rows.target[parts.validation], partial(first.predict, matrix[parts.validation]), choose_threshold
    )
    bounds = None
    if model.training.interval is not None:
        judged = matrix[parts.validation], rows.target[parts.validation]
        later = of(parts.validation, like=parts.train)
        bounds = _bounds(model, lambda asked: learn(asked, of(parts.train), later), task, first, *judged)
    fitted = learn(replace(task, parameters=first.parameters), of(parts.fitted), None)
    told = first.history if isinstance(first, Boosted) else None
    return Grown(parts, first, fitted, calibration, bounds, threshold, categories, matrix, told)


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


def _bounds(
    model: Model,
    learn: Callable[[Task], Fitted],
    task: Task,
    first: Fitted,
    matrix: Matrix,
    actual: NDArray[np.float64],
) -> Bounds:
    """Return what puts bounds around the scores, calibrated on validation rows.

    A constraint is of the score, not of its bounds: not every library holds one on a quantile.
    """
    share = model.training.interval or 0.0
    if not can_learn(model.estimator, QUANTILE):
        return of_errors(first.predict(matrix), actual, share)
    asked = replace(task, task=QUANTILE, monotone={})
    return learnt(lambda level: learn(replace(asked, quantile=level)), share, model.training.levels, matrix, actual)


def _task(model: Model, features: tuple[str, ...], categories: dict[str, tuple[str, ...]], seed: int) -> Task:
    monotone = dict(model.training.monotone)
    for name in monotone:
        if name not in features or name in categories:
            what = "labels have no order" if name in categories else "no such feature was learned"
            fix = did_you_mean(name, set(features) - set(categories), of=f"model {model.name}")
            raise DefinitionError(f"monotone={{{name!r}: ...}}: {what}", where="definitions.py, Training(...)", fix=fix)
    one, quantile = model.estimator, model.training.quantile
    asked = model.task if quantile is None else QUANTILE
    if asked in RARE and not can_learn(one, asked):
        fix = "use XGBoost(), LightGBM() or HistGradientBoosting()"
        raise DefinitionError(f"{one.of or one.kind} cannot learn {RARE[asked]}", where=f"model {model.name}", fix=fix)
    return Task(asked, features, categories, one.parameters, seed, one.of, monotone, quantile or 0.5, len(model.labels))


def _rows(
    model: Model,
    rows: TrainingRows,
    matrix: Matrix,
    part: NDArray[np.bool_],
    like: NDArray[np.bool_] | None = None,
) -> Rows:
    """Return the rows of a part, weighed as those of `like` are, or as its own are; what is judged on has no age."""
    target = rows.target[part]
    by_class = class_weights(model.training, target if like is None else rows.target[like], model.labels)
    training = model.training if like is None else replace(model.training, half_life=None)
    return Rows(matrix[part], target, weights(training, rows.t[part], target, by_class=by_class))


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
            raise NothingToLearn(f"no {name} rows of {model.name} are left", where="Training(hold_out=...)", fix=fix)
    if model.task == REGRESSION:
        if np.ptp(target[parts.train]) == 0:
            raise NothingToLearn(
                f"the target is {target[parts.train][0]:g} in all {int(parts.train.sum()):,} train rows of {model.name}",
                where=f"target {model.target.name}",
                fix="wait for more history, or choose a target that varies",
            )
        return
    counts = np.bincount(target[parts.train].astype(int), minlength=len(model.labels))
    if model.labels and not counts.all():
        there = ", ".join(f"{label!r} {rows:,}" for label, rows in zip(model.labels, counts, strict=True) if rows)
        raise NothingToLearn(
            f"no train row of {model.name} is {model.labels[int(counts.argmin())]!r}; there are {there}",
            where=f"target {model.target.name}",
            fix="see that it is spelt as in the data (keepfit tables show), wait for more history, or join rare labels",
        )
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if len(np.unique(target[part])) < 2:
            raise NothingToLearn(
                f"the {name} rows of {model.name} have one class only ({int(part.sum()):,} rows)",
                where=f"target {model.target.name}",
                fix="wait for more history, or choose a target that both happens and does not",
            )
