"""Gradient boosted trees by LightGBM; the one home of lightgbm and its ONNX converter. Needs the extra `lightgbm`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, MissingExtra, TrainingError
from keepfit.evidence import History
from keepfit.measure.forest import Forest, Tree
from keepfit.spec.estimators import QUANTILE
from keepfit.spec.model import MULTICLASS
from keepfit.stages.training.estimators import Matrix, Rows, Task, learns
from keepfit.stages.training.estimators.threads import threads
from keepfit.stages.training.estimators.thresholds import below

try:
    import lightgbm
except ImportError as error:
    raise MissingExtra("lightgbm", "definitions.py, LightGBM(...)") from error

# for a few thousand to a few million rows; any of them can be overridden in the definition
DEFAULTS: dict[str, Any] = {
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.8,
}
ROUNDS = {"n_estimators": 600, "early_stopping_rounds": 30}
# other names of what has a default, as LightGBM knows them: two names of one parameter would contradict each other
ALIASES = {
    "num_leaves": ("num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"),
    "learning_rate": ("eta", "shrinkage_rate"),
    "min_data_in_leaf": ("min_child_samples", "min_data_per_leaf", "min_data", "min_samples_leaf"),
    "bagging_fraction": ("subsample", "sub_row", "bagging"),
    "bagging_freq": ("subsample_freq",),
    "feature_fraction": ("colsample_bytree", "sub_feature"),
    "n_estimators": ("num_iterations", "num_iteration", "num_boost_round", "num_round", "num_rounds", "num_trees"),
    "early_stopping_rounds": ("early_stopping_round", "early_stopping", "n_iter_no_change"),
}
OWN_NAMES = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
OBJECTIVES = {"classification": "binary", "regression": "regression"}
OPSET = 15
UNKNOWN = re.compile(r"Unknown parameter: (\S+)")


class _Heard:
    """What LightGBM says, kept instead of printed."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, text: str) -> None:
        self.said.append(text)

    warning = info


@dataclass(frozen=True)
class Leaves:
    """A fitted booster; `parameters` are those used, with the number of trees that early stopping chose."""

    booster: lightgbm.Booster
    parameters: dict[str, Any]
    text: str
    history: History | None = None

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by LightGBM's own predictor."""
        return np.asarray(self.booster.predict(matrix, num_threads=threads(matrix.size)), np.float64)

    def forest(self) -> Forest | None:
        """Return the trees as arrays; None of trees that hold more than values, or take 0 for missing."""
        told = self.booster.dump_model()
        outputs = told["num_tree_per_iteration"]
        trees = [_tree(one["tree_structure"], place % outputs) for place, one in enumerate(told["tree_info"])]
        if any(tree is None for tree in trees):
            return None
        row = np.zeros((1, self.booster.num_feature()), np.float32)
        held = [tree for tree in trees if tree is not None]
        return Forest.of(held, row.shape[1], outputs).started(
            row, np.asarray(self.booster.predict(row, raw_score=True))
        )

    def native(self) -> tuple[str, bytes]:
        """Return the model as LightGBM's text."""
        return "model.lightgbm.txt", self.text.encode()

    def onnx(self) -> bytes:
        """Return the model as ONNX."""
        from onnxmltools.convert import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType

        inputs = [("features", FloatTensorType([None, self.booster.num_feature()]))]
        try:
            found = convert_lightgbm(
                self.booster, name="lightgbm", initial_types=inputs, target_opset=OPSET, zipmap=False
            )
        except Exception as error:  # the converter fails in its own ways on boosters that it does not know
            raise TrainingError(
                f"the model cannot be written as ONNX: {type(error).__name__}: {error}",
                where="definitions.py, LightGBM(...)",
                fix="use boosting='gbdt' and a standard objective",
            ) from error
        content: bytes = found.SerializeToString()
        return content


@learns("classification", "multiclass", "regression", QUANTILE)
def fit(task: Task, rows: Rows, validation: Rows | None) -> Leaves:
    """Fit trees; with `validation`, stop when it has not improved for `early_stopping_rounds` trees.

    Without it, exactly `n_estimators` trees are grown.
    """
    own = {OWN_NAMES.get(name, name): value for name, value in task.parameters.items()}
    parameters = {**DEFAULTS, **ROUNDS, **own}
    rounds, patience = (_whole(name, parameters.pop(name)) for name in ROUNDS)
    settings = {
        **parameters,
        **_objective(task, parameters),
        "seed": task.seed,
        "num_threads": parameters.get("num_threads", threads(rows.matrix.size)),
        "deterministic": True,
        "force_row_wise": True,  # else it would time both ways, and choose by that
        "verbosity": 0,  # warnings say which parameters are not known
    }
    if task.monotone:
        settings["monotone_constraints"] = task.directions
    heard, losses = _Heard(), dict[str, dict[str, list[float]]]()
    lightgbm.register_logger(heard)
    try:
        data = _data(task, rows, settings)
        judged = {"validation": _data(task, validation, settings, data)} if validation else {}
        if judged and task.history:
            judged = {"train": data, **judged}  # it does not stop by its own train data
        heed: list[Any] = [lightgbm.record_evaluation(losses), lightgbm.early_stopping(patience, verbose=False)]
        booster = lightgbm.train(
            settings,
            data,
            num_boost_round=rounds,
            valid_sets=list(judged.values()),
            valid_names=list(judged),
            callbacks=heed if validation else [],
        )
    except (lightgbm.basic.LightGBMError, TypeError, ValueError) as error:
        raise _refused(str(error).strip().splitlines()[0]) from error
    if unknown := UNKNOWN.findall("\n".join(heard.said)):
        raise _refused(f"it does not know {unknown[0]!r}")
    grown = booster.best_iteration if validation else rounds
    text = exact(booster.model_to_string(num_iteration=grown))
    used = {**parameters, "n_estimators": grown, "early_stopping_rounds": patience}
    history = _history(losses, grown) if "train" in losses else None
    return Leaves(lightgbm.Booster(model_str=text), used, text, history)


def _tree(root: dict[str, Any], output: int) -> Tree | None:
    """Return a tree of LightGBM: a value goes left if it is at most the threshold, or among the codes."""
    told = [root]
    rows: list[tuple[Any, ...]] = []
    codes: dict[int, list[int]] = {}
    for node in told:  # grows as it is walked
        if "leaf_value" in node:
            if "leaf_coeff" in node:
                return None
            rows.append((-1, -1, 0, 0.0, False, node.get("leaf_count", 1), node["leaf_value"]))
            continue
        threshold, missing = node["threshold"], node["missing_type"]
        if missing == "Zero":
            return None
        if node["decision_type"] == "==":
            codes[len(rows)] = [int(code) for code in threshold.split("||")]
            threshold, default = 0.0, False
        else:  # without missing values in training, NaN is read as 0
            default = node["default_left"] if missing == "NaN" else threshold >= 0
        below = len(told)
        rows.append((below, below + 1, node["split_feature"], threshold, default, node["internal_count"], 0.0))
        told += [node["left_child"], node["right_child"]]
    left, right, feature, limit, missing_left, cover, value = map(np.array, zip(*rows, strict=True))
    return Tree(left, right, feature, limit, missing_left, cover, value, codes, output)


def _history(found: dict[str, dict[str, list[float]]], kept: int) -> History:
    metric = next(iter(found["validation"]))
    return History(metric, tuple(found["train"][metric]), tuple(found["validation"][metric]), kept)


def exact(text: str) -> str:
    """Return a model whose thresholds are those of float32 that part the same values of float32."""
    lines = []
    for line in text.splitlines(keepends=True):
        if line.startswith("threshold="):
            rounded = " ".join(repr(below(float(one))) for one in line.removeprefix("threshold=").split())
            lines.append(f"threshold={rounded}\n")
        elif not line.startswith("tree_sizes="):  # lengths of the text as it was; without them, it is read in order
            lines.append(line)
    return "".join(lines)


def _data(task: Task, rows: Rows, settings: dict[str, Any], like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    codes = [place for place, name in enumerate(task.features) if name in task.categories]
    return lightgbm.Dataset(
        rows.matrix, rows.target, weight=rows.weights, reference=like, categorical_feature=codes, params=settings
    )


def _objective(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what is learnt: the definition's own objective, but not of a quantile or of labels, which have one only."""
    if task.task == QUANTILE:
        return {"objective": "quantile", "metric": "quantile", "alpha": task.quantile}
    if task.task == MULTICLASS:
        return {"objective": "multiclass", "num_class": task.labels}
    return {"objective": parameters.get("objective", OBJECTIVES[task.task])}


def _whole(name: str, value: Any) -> int:
    if isinstance(value, int) and value > 0:
        return value
    raise _refused(f"{name}={value!r} is not a whole number above 0")


def _refused(why: str) -> DefinitionError:
    return DefinitionError(
        f"LightGBM refuses its parameters: {why}",
        where="definitions.py, LightGBM(...)",
        fix="see https://lightgbm.readthedocs.io/en/stable/Parameters.html",
    )
