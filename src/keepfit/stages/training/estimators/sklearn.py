"""scikit-learn's estimators behind columns that fill, scale and unfold; the one home of sklearn and skl2onnx.

What the pipeline before the estimator does is part of the model: a null becomes the median, a label one column that is 0 or 1, and
a label that training never saw is none of them. Boosted histograms take nulls as they are (`boosting.py`).
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import has_fit_parameter

from keepfit.artifact.predictor import ALONE
from keepfit.errors import DefinitionError, TrainingError, did_you_mean
from keepfit.spec.estimators import HIST, LINEAR, LOGISTIC, QUANTILE, RANDOM_FOREST
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.stages.training.estimators import Fitted, Matrix, Rows, Task, boosting, learns, skops
from keepfit.stages.training.estimators.refusals import refused, where
from keepfit.stages.training.estimators.threads import limited, threads
from keepfit.stages.training.estimators.warned import heard

CLASSES = {
    (LOGISTIC, "classification"): LogisticRegression,
    (LINEAR, "regression"): Ridge,
    (RANDOM_FOREST, "classification"): RandomForestClassifier,
    (RANDOM_FOREST, "regression"): RandomForestRegressor,
    (HIST, "classification"): HistGradientBoostingClassifier,
    (HIST, "regression"): HistGradientBoostingRegressor,
    (LOGISTIC, MULTICLASS): LogisticRegression,
    (RANDOM_FOREST, MULTICLASS): RandomForestClassifier,
    (HIST, MULTICLASS): HistGradientBoostingClassifier,
    (HIST, QUANTILE): HistGradientBoostingRegressor,
}
CLASSES_OF = (CLASSIFICATION, MULTICLASS)
DEFAULTS: dict[str, dict[str, Any]] = {
    LOGISTIC: {"max_iter": 1000},
    LINEAR: {},
    RANDOM_FOREST: {"n_estimators": 300, "min_samples_leaf": 5},
    HIST: boosting.DEFAULTS,
}
OPSET = {"": 18, "ai.onnx.ml": 3}
BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
UNSEEN = -1.0


@dataclass(frozen=True)
class Piped:
    """A fitted pipeline: columns, then the estimator."""

    pipeline: Pipeline
    parameters: dict[str, Any]
    task: Task

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by scikit-learn itself."""
        predict = self.pipeline.predict_proba if self.task.task in CLASSES_OF else self.pipeline.predict
        with np.errstate(all="ignore"), limited(matrix.size):
            found = np.asarray(predict(matrix), np.float64).reshape(len(matrix), -1)
        return found if self.task.labels else found[:, -1]

    def native(self) -> tuple[str, bytes] | None:
        """Return the pipeline as skops writes it, if the extra `skops` is there."""
        return skops.written(self.pipeline)

    def onnx(self) -> bytes:
        """Return the pipeline as ONNX."""
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType

        estimator = self.pipeline[-1]
        inputs = [("features", FloatTensorType([None, len(self.task.features)]))]
        options = {id(estimator): {"zipmap": False}} if self.task.task in CLASSES_OF else None
        try:
            found = to_onnx(self.pipeline, name="sklearn", initial_types=inputs, options=options, target_opset=OPSET)
        except Exception as error:  # the converter fails in its own ways on estimators that it does not know
            raise TrainingError(
                f"{type(estimator).__name__} cannot be written as ONNX: {str(error).strip().splitlines()[0]}",
                where=where(self.task),
                fix="use an estimator of https://onnx.ai/sklearn-onnx/supported.html",
            ) from error
        if self.task.of != RANDOM_FOREST:  # products of matrices round another way in a batch
            entry = found.metadata_props.add()
            entry.key, entry.value = ALONE, "true"
        content: bytes = found.SerializeToString()
        return content


@learns("classification", "multiclass", "regression")
def fit(task: Task, rows: Rows, validation: Rows | None) -> Fitted:
    """Fit a pipeline; only boosted histograms look at `validation`, to stop early."""
    parameters = {**DEFAULTS.get(task.of, {}), **task.parameters}
    made = _class(task)
    if issubclass(made, BOOSTED):
        return boosting.fit(made, parameters, task, rows, validation)
    if task.monotone:
        raise DefinitionError(
            f"{task.of} cannot hold monotone=", where=where(task), fix="use XGBoost(), or leave monotone= out"
        )
    estimator = _made(made, parameters, task, rows)
    weights = _weights(estimator, task, rows)
    pipeline = Pipeline([("columns", _columns(task, scale=task.of != RANDOM_FOREST)), ("estimator", estimator)])
    try:
        with heard(), np.errstate(all="ignore"), limited(rows.matrix.size):
            pipeline.fit(rows.matrix, rows.target, **weights)
    except ValueError as error:
        if type(error).__name__ == "InvalidParameterError":
            raise refused(task, str(error)) from error
        raise
    return Piped(pipeline, parameters, task)


def _class(task: Task) -> Any:
    if (task.of, task.task) in CLASSES:
        return CLASSES[task.of, task.task]
    module, _, name = task.of.partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        fix = "install what it is in, or name another class"
        raise DefinitionError(f"there is no module {module!r}: {error}", where=where(task), fix=fix) from error
    made = getattr(found, name, None)
    if not inspect.isclass(made):
        known = [each for each, one in vars(found).items() if inspect.isclass(one) and not each.startswith("_")]
        raise DefinitionError(f"{module} has no class {name!r}", where=where(task), fix=did_you_mean(name, known))
    wanted = "predict_proba" if task.task in CLASSES_OF else "predict"
    if not hasattr(made, wanted) or not hasattr(made, "fit"):
        fix = "name a classifier that gives probabilities" if wanted == "predict_proba" else "name a regressor"
        raise DefinitionError(f"{task.of} has no {wanted}", where=where(task), fix=fix)
    return made


def _made(made: Any, parameters: dict[str, Any], task: Task, rows: Rows) -> Any:
    """Return an estimator of a class, with the task's seed and threads where it has these."""
    try:
        takes = inspect.signature(made).parameters
        own = {"random_state": task.seed, "n_jobs": threads(rows.matrix.size)}
        if made is LogisticRegression:
            own.pop("n_jobs")  # it says that it does nothing
        return made(**{name: value for name, value in own.items() if name in takes}, **parameters)
    except TypeError as error:
        raise refused(task, str(error)) from error


def _weights(estimator: Any, task: Task, rows: Rows) -> dict[str, Any]:
    if rows.weights is None:
        return {}
    if not has_fit_parameter(estimator, "sample_weight"):
        fix = "leave class_weight= and half_life= out, or use another estimator"
        raise DefinitionError(f"{task.of} takes no weights", where=where(task), fix=fix)
    return {"estimator__sample_weight": rows.weights}


def _columns(task: Task, *, scale: bool) -> ColumnTransformer:
    """Return what makes columns without nulls of the matrix."""
    numbers = [place for place, name in enumerate(task.features) if name not in task.categories]
    filled: list[tuple[str, Any]] = [("fill", SimpleImputer(strategy="median", keep_empty_features=True))]
    if scale:
        filled.append(("scale", StandardScaler()))
    parts: list[tuple[str, Any, list[int]]] = [("numbers", Pipeline(filled), numbers)] if numbers else []
    # a category without any label tells nothing
    labels = [place for place, name in enumerate(task.features) if task.categories.get(name)]
    if labels:
        codes = [np.arange(len(task.categories[task.features[place]]), dtype=np.float32) for place in labels]
        unfold = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False, dtype=np.float32)
        none = SimpleImputer(strategy="constant", fill_value=UNSEEN)
        parts.append(("labels", Pipeline([("none", none), ("unfold", unfold)]), labels))
    return ColumnTransformer(parts, sparse_threshold=0)
