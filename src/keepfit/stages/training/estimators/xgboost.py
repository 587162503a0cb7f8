"""Gradient boosted trees by XGBoost; the one home of xgboost and its ONNX converter."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, TrainingError
from keepfit.evidence import History
from keepfit.measure.forest import Forest, Tree
from keepfit.spec.estimators import QUANTILE
from keepfit.spec.model import MULTICLASS
from keepfit.stages.training.estimators import Matrix, Rows, Task, learns
from keepfit.stages.training.estimators.threads import threads
from keepfit.stages.training.estimators.warned import heard

# for a few thousand to a few million rows; any of them can be overridden in the definition
DEFAULTS: dict[str, Any] = {
    "max_depth": 4,
    "learning_rate": 0.05,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "tree_method": "hist",
}
ALIASES = {"eta": "learning_rate"}  # of what has a default: XGBoost would prefer the default
ROUNDS = {"n_estimators": 600, "early_stopping_rounds": 30}
OBJECTIVES = {"classification": "binary:logistic", "regression": "reg:squarederror"}
OF_QUANTILES = {"objective": "reg:quantileerror", "eval_metric": "quantile"}
OPSET = 15
NO_GPU = "Device is changed from GPU to CPU"  # what XGBoost warns of, and goes on


@dataclass(frozen=True)
class Trees:
    """A fitted booster; `parameters` are those used, with the number of trees that early stopping chose."""

    booster: xgboost.Booster
    parameters: dict[str, Any]
    types: list[str]
    history: History | None = None

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by XGBoost's own predictor."""
        return np.asarray(self.booster.predict(_matrix(matrix, self.types)), np.float64)

    def forest(self) -> Forest | None:
        """Return the trees as arrays; None of a booster that is more than trees, or weighs them."""
        learner = json.loads(bytes(self.booster.save_raw("json")))["learner"]
        if learner["gradient_booster"]["name"] != "gbtree":
            return None
        model, labels = learner["gradient_booster"]["model"], int(learner["learner_model_param"]["num_class"])
        trees = [_tree(one, output) for one, output in zip(model["trees"], model["tree_info"], strict=True)]
        row = np.zeros((1, len(self.types)), np.float32)
        raw = self.booster.predict(_matrix(row, self.types), output_margin=True)
        return Forest.of(trees, len(self.types), max(labels, 1)).started(row, raw)

    def native(self) -> tuple[str, bytes]:
        """Return the model as UBJSON."""
        return "model.ubj", bytes(self.booster.save_raw("ubj"))

    def onnx(self) -> bytes:
        """Return the model as ONNX."""
        from onnxmltools.convert import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        inputs = [("features", FloatTensorType([None, len(self.types)]))]
        # the converter would name the graph at random, and equal models would differ
        try:
            found = convert_xgboost(self.booster, name="xgboost", initial_types=inputs, target_opset=OPSET)
        except Exception as error:  # the converter fails in its own ways on boosters that it does not know
            raise TrainingError(
                f"the model cannot be written as ONNX: {type(error).__name__}: {error}",
                where="definitions.py, XGBoost(...)",
                fix="use booster='gbtree' and a standard objective",
            ) from error
        content: bytes = found.SerializeToString()
        return content


@learns("classification", "multiclass", "regression", QUANTILE)
def fit(task: Task, rows: Rows, validation: Rows | None) -> Trees:
    """Fit trees; with `validation`, stop when it has not improved for `early_stopping_rounds` trees.

    Without it, exactly `n_estimators` trees are grown. Features are known to XGBoost as f0 to fn, as its converter needs.
    """
    own = {ALIASES.get(name, name): value for name, value in task.parameters.items()}
    parameters = {**DEFAULTS, **ROUNDS, **own}
    rounds, patience = (_whole(name, parameters.pop(name)) for name in ROUNDS)
    types = ["c" if name in task.categories else "q" for name in task.features]
    settings = {
        **parameters,
        **_objective(task, parameters),
        "seed": task.seed,
        "nthread": parameters.get("nthread", threads(rows.matrix.size)),
        "verbosity": 1,  # warnings say which parameters are not used
    }
    if task.monotone:
        settings["monotone_constraints"] = tuple(task.directions)
    train, losses = _data(rows, types), dict[str, dict[str, list[float]]]()
    # the last of these decides when to stop
    judged = [(_data(rows.some(), types), "train")] if validation and task.history else []
    judged += [(_data(validation, types), "validation")] if validation else []
    try:
        with heard() as warned:
            booster = xgboost.train(
                settings,
                train,
                num_boost_round=rounds,
                evals=judged,
                evals_result=losses,
                early_stopping_rounds=patience if validation else None,
                verbose_eval=False,
            )
    except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
        raise _refused(str(error).strip().splitlines()[0]) from error
    said = " ".join(str(one.message) for one in warned)
    if NO_GPU in said:
        raise TrainingError(
            f"XGBoost finds no GPU for device={settings.get('device')!r}",
            where="definitions.py, XGBoost(...)",
            fix="leave device= out, or install XGBoost with CUDA on a machine that has one: pip install xgboost",
        )
    if "device" in settings:
        booster.set_param({"device": "cpu"})  # what is served scores on a processor
    if unused := re.findall(r"Parameters: \{ (.*) \} are not used", said):
        raise _refused(f"it does not know {unused[0]}")
    grown = booster.best_iteration + 1 if validation else rounds
    used = {**parameters, "n_estimators": grown, "early_stopping_rounds": patience}
    return Trees(booster[:grown], used, types, _history(losses, grown) if "train" in losses else None)


def _tree(told: dict[str, Any], output: int) -> Tree:
    """Return a tree of XGBoost: a value goes left if it is less than the threshold, or not among the codes."""
    left, right = np.array(told["left_children"]), np.array(told["right_children"])
    missing_left = np.array(told["default_left"]).astype(bool)
    threshold = np.array(told["split_conditions"], np.float32)
    codes = {}
    sets = zip(told["categories_nodes"], told["categories_segments"], told["categories_sizes"], strict=True)
    for node, first, size in sets:
        codes[node] = told["categories"][first : first + size]
        left[node], right[node], missing_left[node] = right[node], left[node], not missing_left[node]
    return Tree(
        left,
        right,
        np.array(told["split_indices"]),
        np.nextafter(threshold, np.float32(-np.inf)),
        missing_left,
        np.array(told["sum_hessian"]),
        threshold,  # of a leaf, its value
        codes,
        output,
    )


def _history(found: dict[str, dict[str, list[float]]], kept: int) -> History:
    metric = list(found["validation"])[-1]
    return History(metric, tuple(found["train"][metric]), tuple(found["validation"][metric]), kept)


def _objective(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what is learnt: the definition's own objective, but not of a quantile or of labels, which have one only."""
    if task.task == QUANTILE:
        return {**OF_QUANTILES, "quantile_alpha": task.quantile}
    if task.task == MULTICLASS:
        return {"objective": "multi:softprob", "num_class": task.labels}
    return {"objective": parameters.get("objective", OBJECTIVES[task.task])}


def _whole(name: str, value: Any) -> int:
    if isinstance(value, int) and value > 0:
        return value
    raise _refused(f"{name}={value!r} is not a whole number above 0")


def _refused(why: str) -> DefinitionError:
    return DefinitionError(
        f"XGBoost refuses its parameters: {why}",
        where="definitions.py, XGBoost(...)",
        fix="see https://xgboost.readthedocs.io/en/stable/parameter.html",
    )


def _matrix(matrix: Matrix, types: list[str], **labels: Any) -> xgboost.DMatrix:
    return xgboost.DMatrix(matrix, feature_types=types, enable_categorical=True, **labels)


def _data(rows: Rows, types: list[str]) -> xgboost.DMatrix:
    return _matrix(rows.matrix, types, label=rows.target, weight=rows.weights)
