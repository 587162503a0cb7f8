"""Boosted histograms of scikit-learn: nulls as they are, a stop that time decides, and an ONNX of its own.

skl2onnx does not convert them. A tree is a list of nodes, and one operator of ONNX holds them all: whether the column of a label is
1 is asked as whether the code is the label's, so that nothing stands before the trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from keepfit.errors import DefinitionError
from keepfit.evidence import History
from keepfit.measure.forest import Forest, Tree
from keepfit.measure.intervals import pinball_loss
from keepfit.measure.labels import log_loss
from keepfit.spec.estimators import QUANTILE
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.stages.training.estimators import Matrix, Rows, Task, skops
from keepfit.stages.training.estimators.refusals import refused
from keepfit.stages.training.estimators.threads import limited
from keepfit.stages.training.estimators.thresholds import below
from keepfit.stages.training.estimators.warned import heard

DEFAULTS: dict[str, Any] = {"max_iter": 300, "learning_rate": 0.05, "max_leaf_nodes": 15, "n_iter_no_change": 30}
CLASSES_OF = (CLASSIFICATION, MULTICLASS)
OPSETS = {"": 15, "ai.onnx.ml": 3}
IR = 8
Column = tuple[
    int, float | None
]  # the matrix's column, and the code that this one is 1 for; None for a number as it is
NODE_FIELDS = (
    "treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true",
)  # fmt: skip


@dataclass(frozen=True)
class Histograms:
    """Fitted trees with the columns that they ask about."""

    estimator: Any
    parameters: dict[str, Any]
    task: Task
    columns: list[Column]
    history: History | None = None

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by scikit-learn itself."""
        asked = unfolded(matrix, self.columns)
        predict = self.estimator.predict_proba if self.task.task in CLASSES_OF else self.estimator.predict
        with limited(asked.size):
            found = np.asarray(predict(asked), np.float64).reshape(len(matrix), -1)
        return found if self.task.labels else found[:, -1]

    def forest(self) -> Forest:
        """Return the trees as arrays."""
        trees = [
            _tree(one.nodes, output, self.columns)
            for each in self.estimator._predictors
            for output, one in enumerate(each)
        ]
        start = tuple(np.ravel(self.estimator._baseline_prediction).astype(float).tolist())
        return Forest.of(trees, len(self.task.features), self.task.labels or 1, start)

    def native(self) -> tuple[str, bytes] | None:
        """Return the trees as skops writes them, if the extra `skops` is there."""
        return skops.written(self.estimator)

    def onnx(self) -> bytes:
        """Return the trees as ONNX: their sum, and the link that makes a score of it."""
        start = np.ravel(self.estimator._baseline_prediction).astype(float).tolist()
        trees = [(one.nodes, place) for each in self.estimator._predictors for place, one in enumerate(each)]
        nodes, leaves = _nodes(trees, self.columns)
        real, count = onnx.TensorProto.FLOAT, len(self.task.features)
        given = onnx.helper.make_tensor_value_info("features", real, [None, count])
        if self.task.task in CLASSES_OF:
            # this operator applies the link a row at a time; one of its own could round another way in a batch
            link, classes = ("SOFTMAX", self.task.labels) if self.task.labels else ("LOGISTIC", 2)
            own = {f"class_{name}": values for name, values in leaves.items()}
            own["classlabels_int64s"] = list(range(classes))
            steps = [_operator("TreeEnsembleClassifier", ["label", "score"], start, nodes | own, link)]
            label = onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [None])
            made = [label, onnx.helper.make_tensor_value_info("score", real, [None, classes])]
        else:
            own = {f"target_{name}": values for name, values in leaves.items()} | {"n_targets": 1}
            steps = [_operator("TreeEnsembleRegressor", ["sum"], start, nodes | own, "NONE")]
            link = "Exp" if self.estimator.loss in ("poisson", "gamma") else "Identity"
            steps.append(onnx.helper.make_node(link, ["sum"], ["score"]))
            made = [onnx.helper.make_tensor_value_info("score", real, [None, 1])]
        graph = onnx.helper.make_graph(steps, "boosting", [given], made)
        opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        content: bytes = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR).SerializeToString()
        return content


def fit(made: Any, parameters: dict[str, Any], task: Task, rows: Rows, validation: Rows | None) -> Histograms:
    """Fit trees; with `validation`, keep those up to the best score on it, looked for until `n_iter_no_change` bring none."""
    if parameters.get("early_stopping", False):
        raise refused(task, "early_stopping= would stop on rows at random; trees stop on later rows by themselves")
    columns = columns_of(task, rows.matrix)
    places = {place: at for at, (place, code) in enumerate(columns) if code is None}
    directions = [0] * len(columns)
    for place, direction in enumerate(task.directions):
        if place in places:
            directions[places[place]] = direction
    own = {"random_state": task.seed, **parameters, "early_stopping": False}
    if task.task == QUANTILE:
        own |= {"loss": "quantile", "quantile": task.quantile}
    try:
        estimator = made(**own, monotonic_cst=directions if task.monotone else None)
        with heard(), limited(rows.matrix.size):
            estimator.fit(unfolded(rows.matrix, columns), rows.target, sample_weight=rows.weights)
    except (TypeError, ValueError) as error:
        if isinstance(error, TypeError) or type(error).__name__ == "InvalidParameterError":
            raise refused(task, str(error)) from error
        raise
    history = None
    if validation is not None and "early_stopping" not in parameters:
        patience = parameters.get("n_iter_no_change", 30)
        later, kept = _losses(estimator, task, columns, validation, patience)
        if task.history:
            earlier, _ = _losses(estimator, task, columns, rows.some(), len(later), len(later))
            history = History(_loss_name(task), earlier, later, kept)
        del estimator._predictors[kept:]
    return Histograms(estimator, {**parameters, "max_iter": len(estimator._predictors)}, task, columns, history)


def columns_of(task: Task, matrix: Matrix) -> list[Column]:
    """Return the columns that trees ask about: numbers that have a value, and one for each label."""
    found: list[Column] = []
    for place, name in enumerate(task.features):
        if name in task.categories:
            found += [(place, float(code)) for code in range(len(task.categories[name]))]
        elif not np.isnan(matrix[:, place]).all():  # of nothing but nulls it would not find bins
            found.append((place, None))
    if not found:
        raise DefinitionError(
            "no feature has any value", where="definitions.py, Model(features=...)", fix="name others"
        )
    return found


def unfolded(matrix: Matrix, columns: list[Column]) -> Matrix:
    """Return the matrix [rows, columns] that scikit-learn sees."""
    found = np.empty((len(matrix), len(columns)), np.float32)
    for at, (place, code) in enumerate(columns):
        found[:, at] = matrix[:, place] if code is None else matrix[:, place] == np.float32(code)
    return found


def _losses(
    estimator: Any, task: Task, columns: list[Column], rows: Rows, patience: int, most: int | None = None
) -> tuple[tuple[float, ...], int]:
    """Return the loss on rows tree by tree, until `patience` trees bring none better, and how many the best one needs."""
    matrix = unfolded(rows.matrix, columns)
    if task.task in CLASSES_OF:
        stages = (scores if task.labels else scores[:, 1] for scores in estimator.staged_predict_proba(matrix))
    else:
        stages = estimator.staged_predict(matrix)
    best, kept, found = np.inf, 1, list[float]()
    with limited(matrix.size):
        for place, score in enumerate(islice(stages, most)):
            found.append(float(np.average(_loss(task, rows.target, score), weights=rows.weights)))
            if found[-1] < best:
                best, kept = found[-1], place + 1
            elif place + 1 - kept >= patience:
                break
    return tuple(found), kept


def _loss_name(task: Task) -> str:
    """Return what scikit-learn calls the loss that decides when to stop."""
    if task.task == QUANTILE:
        return "pinball_loss"
    return "log_loss" if task.task in CLASSES_OF else "squared_error"


def _loss(task: Task, target: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    if task.task == QUANTILE:
        return pinball_loss(target, score, task.quantile)
    if task.labels:
        return log_loss(target, score)
    if task.task != CLASSIFICATION:
        return np.asarray((target - score) ** 2)
    sure = np.finfo(np.float64).eps
    score = np.clip(score, sure, 1 - sure)
    return np.asarray(-np.log(np.where(target > 0, score, 1 - score)))


def _tree(nodes: NDArray[Any], output: int, columns: list[Column]) -> Tree:
    """Return a tree of scikit-learn; the column of a label is asked as whether the code is the label's."""
    left, right = (np.where(nodes["is_leaf"], -1, nodes[name].astype(np.int64)) for name in ("left", "right"))
    missing_left, place = nodes["missing_go_to_left"].astype(bool), nodes["feature_idx"].astype(np.int64)
    codes: dict[int, list[int]] = {}
    for node in np.flatnonzero(left >= 0).tolist():
        if (code := columns[place[node]][1]) is not None:  # 1, which goes right, if the code is this one
            codes[node] = [int(code)]
            left[node], right[node], missing_left[node] = right[node], left[node], False
    feature = np.array([column for column, _ in columns])[place]
    return Tree(
        left, right, feature, nodes["num_threshold"], missing_left, nodes["count"], nodes["value"], codes, output
    )


def _operator(
    name: str, outputs: list[str], start: list[float], attributes: dict[str, Any], link: str
) -> onnx.NodeProto:
    more: dict[str, Any] = {"base_values": start, "post_transform": link}
    return onnx.helper.make_node(name, ["features"], outputs, domain="ai.onnx.ml", **more, **attributes)


def _nodes(trees: list[tuple[NDArray[Any], int]], columns: list[Column]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the attributes of a tree ensemble: lists with an item for every node, and others for every leaf.

    `trees`: the nodes of each, and the place of the label that it adds to.
    """
    rows: list[tuple[Any, ...]] = []
    leaves: list[tuple[Any, ...]] = []
    for tree, (found, label) in enumerate(trees):
        for number, node in enumerate(found):
            left, right = int(node["left"]), int(node["right"])
            if node["is_leaf"]:
                rows.append((tree, number, 0, 0.0, "LEAF", 0, 0, 0))
                leaves.append((tree, number, label, float(node["value"])))
                continue
            place, code = columns[int(node["feature_idx"])]
            if code is None:
                missing = int(node["missing_go_to_left"])
                rows.append((tree, number, place, below(node["num_threshold"]), "BRANCH_LEQ", left, right, missing))
            else:  # 1, which goes right, if the code is this one
                rows.append((tree, number, place, code, "BRANCH_EQ", right, left, 0))
    nodes = zip(NODE_FIELDS, zip(*rows, strict=True), strict=True)
    own = zip(("treeids", "nodeids", "ids", "weights"), zip(*leaves, strict=True), strict=True)
    return {f"nodes_{name}": list(values) for name, values in nodes}, {name: list(values) for name, values in own}
