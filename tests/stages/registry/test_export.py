"""Model files at half the precision: what is rounded, what stays, and that ONNX Runtime runs it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from keepfit import HistGradientBoosting, LightGBM, Linear, Logistic, RandomForest, Sklearn, XGBoost
from keepfit.artifact import Predictor
from keepfit.stages.registry.export.float16 import quantised, smallest
from keepfit.stages.registry.export.image import NEEDED, image
from keepfit.stages.registry.export.trees import GT, GTE, LEQ, LT, rounded, split_rounded
from keepfit.stages.training.estimators import Rows, Task, find
from keepfit.testing.estimators import CATEGORIES, FEATURES, rows_of

TASKS = ("classification", "multiclass", "regression")
TREES = (
    XGBoost(n_estimators=40, learning_rate=0.2),
    LightGBM(n_estimators=40, learning_rate=0.2),
    HistGradientBoosting(max_iter=40, learning_rate=0.2),
    RandomForest(n_estimators=20),
)
DENSE = (
    (Logistic(), "classification"),
    (Logistic(), "multiclass"),
    (Linear(), "regression"),
    (Sklearn("sklearn.neural_network:MLPRegressor", hidden_layer_sizes=(80, 80), max_iter=400), "regression"),
)


def task_of(estimator, name: str) -> Task:
    labels = 3 if name == "multiclass" else 0
    return Task(name, FEATURES, CATEGORIES, dict(estimator.parameters), 7, estimator.of, labels=labels)


def fitted(estimator, task: Task, rows: Rows) -> bytes:
    return find(estimator.kind)(task, rows, None).onnx()


def signature(content: bytes) -> tuple[list[str], list[str]]:
    graph = onnx.load_from_string(content).graph
    return [one.name for one in graph.input], [one.name for one in graph.output]


def values(content: bytes) -> dict[str, np.ndarray]:
    """Return the thresholds and leaves of the trees in a file, or else its coefficients and its large constants."""
    model, found = onnx.load_from_string(content), {}
    for node in model.graph.node:
        for one in node.attribute:
            if one.name in ("nodes_splits", "leaf_weights"):
                found[one.name] = onnx.numpy_helper.to_array(one.t)
            elif one.name in ("nodes_values", "class_weights", "target_weights", "coefficients"):
                found[one.name] = np.array(one.floats, np.float32)
    return found


def is_float16(numbers: np.ndarray) -> bool:
    return bool(np.array_equal(numbers.astype(np.float16).astype(np.float32), numbers))


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("estimator", TREES, ids=lambda one: f"{one.kind} {one.of}")
def test_trees_become_smaller_of_the_same_signature_and_answer_nearly_the_same(estimator, name: str) -> None:
    task = task_of(estimator, name)
    rows = rows_of(task)
    before = fitted(estimator, task, rows)
    rewritten, after = smallest(onnx.load_from_string(before)), quantised(before)
    onnx.checker.check_model(onnx.load_from_string(after), full_check=True)
    assert signature(after) == signature(before)
    assert len(after) <= len(rewritten) < 0.7 * len(before)
    matrix = np.concatenate([rows_of(task, seed=seed).matrix for seed in range(2, 5)])
    matrix[:5] = np.nan
    own, same, other = (Predictor(one, labels=task.labels).score(matrix) for one in (before, rewritten, after))
    # without rounding, only the place of the link's last digit is another
    assert np.abs(own - same).max() < 3e-7 * max(1.0, float(np.ptp(own)))
    assert np.abs(own - other).max() > 0
    assert np.mean(np.abs(own - other)) < 1e-3 * float(np.ptp(own))
    starts = 1 if name != "multiclass" else 3  # what every row begins with is kept as it is
    found = values(after)
    assert sum(not is_float16(one) for one in np.unique(found["leaf_weights"])) <= starts
    assert is_float16(found["nodes_splits"])
    assert quantised(before) == after


@pytest.mark.parametrize("estimator", TREES, ids=lambda one: f"{one.kind} {one.of}")
def test_rows_of_whole_numbers_and_codes_go_where_they_went(estimator) -> None:
    task = task_of(estimator, "classification")
    rows = rows_of(task)
    whole = Rows(np.rint(rows.matrix * [400, 400, 400, 1, 1]).astype(np.float32), rows.target)
    before = fitted(estimator, task, whole)
    matrix = whole.matrix[~np.isnan(whole.matrix[:, :3]).any(axis=1)]
    own, other = Predictor(before).score(matrix), Predictor(quantised(before)).score(matrix)
    assert np.abs(own - other).max() < 2e-3  # the leaves alone
    assert np.ptp(own) > 0


@pytest.mark.parametrize("estimator", TREES, ids=lambda one: f"{one.kind} {one.of}")
def test_numbers_beyond_float16_keep_their_splits(estimator) -> None:
    task = task_of(estimator, "regression")
    rows = rows_of(task)
    scale = np.array([1e9, 1, 1, 1, 1], np.float32)
    large = Rows(rows.matrix * scale, rows.target * 1e6)
    before = fitted(estimator, task, large)
    later = rows_of(task, seed=2).matrix * scale
    own, other = Predictor(before).score(later), Predictor(quantised(before)).score(later)
    assert np.isfinite(other).all()
    assert np.mean(np.abs(own - other)) < 2e-3 * np.ptp(own)
    assert np.corrcoef(own, other)[0, 1] > 0.999


@pytest.mark.parametrize("name", TASKS)
def test_the_label_and_a_row_alone_are_those_of_the_scores(name: str) -> None:
    import onnxruntime

    task = task_of(TREES[0], name)
    after = quantised(fitted(TREES[0], task, rows_of(task)))
    matrix = rows_of(task, seed=2).matrix[:40]
    session = onnxruntime.InferenceSession(after, providers=["CPUExecutionProvider"])
    *label, scores = session.run(None, {"features": matrix})
    if name != "regression":
        assert np.array_equal(label[0], scores.argmax(axis=1))
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    alone = np.concatenate([session.run(None, {"features": row[np.newaxis]})[-1] for row in matrix])
    assert np.allclose(alone, scores, rtol=0, atol=1e-7 * max(1.0, float(np.abs(scores).max())))


@pytest.mark.parametrize(("estimator", "name"), DENSE, ids=lambda one: getattr(one, "of", one))
def test_coefficients_and_large_matrices_are_rounded(estimator, name: str) -> None:
    task = task_of(estimator, name)
    before = fitted(estimator, task, rows_of(task))
    after = quantised(before)
    onnx.checker.check_model(onnx.load_from_string(after), full_check=True)
    assert signature(after) == signature(before)
    matrix = rows_of(task, seed=2).matrix
    own, other = Predictor(before, labels=task.labels).score(matrix), Predictor(after, labels=task.labels).score(matrix)
    assert 0 < np.abs(own - other).max() < 2e-3 * max(1.0, float(np.ptp(own)))
    if found := values(after):
        assert is_float16(found["coefficients"])
    else:
        assert len(after) < 0.6 * len(before)
        held = [one.data_type for one in onnx.load_from_string(after).graph.initializer]
        assert onnx.TensorProto.FLOAT16 in held


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("estimator", TREES, ids=lambda one: f"{one.kind} {one.of}")
def test_no_node_leads_to_one_leaf_on_both_sides(estimator, name: str) -> None:
    """ONNX Runtime 1.21 to 1.28 die of it, without an error that could be caught."""
    task = task_of(estimator, name)
    model = onnx.load_from_string(quantised(fitted(estimator, task, rows_of(task))))
    (trees,) = (node for node in model.graph.node if node.op_type == "TreeEnsemble")
    told = {one.name: onnx.helper.get_attribute_value(one) for one in trees.attribute}
    sides = ("nodes_trueleafs", "nodes_falseleafs", "nodes_truenodeids", "nodes_falsenodeids")
    assert not [
        1 for yes, no, one, other in zip(*(told[side] for side in sides), strict=True) if yes and no and one == other
    ]


def test_a_threshold_becomes_the_nearest_that_parts_the_same_whole_numbers() -> None:
    just_below, just_above = np.nextafter(np.float32(3), np.float32(0)), np.nextafter(np.float32(3), np.float32(4))
    splits = np.array([just_below, just_above, just_below, just_above, 0.1, 7.5], np.float32)
    modes = np.array([LEQ, LT, GT, GTE, LT, LEQ])
    found = split_rounded(splits, modes, np.zeros(6, np.int64))
    assert (found[0] < 3, found[1] > 3, found[2] < 3, found[3] > 3) == (True, True, True, True)
    assert found[4] == np.float32(np.float16(0.1))
    assert found[5] == 7.5
    assert is_float16(found)


def test_a_column_of_large_numbers_has_a_power_of_two_of_its_own() -> None:
    splits, columns = np.array([1e6, 1234567.0, 0.3], np.float32), np.array([0, 0, 1])
    found = split_rounded(splits, np.full(3, LT), columns)
    assert is_float16(found[:2] / 2**5)
    assert np.abs(found[:2] / splits[:2] - 1).max() < 2**-11
    assert found[2] == np.float32(np.float16(0.3))
    assert rounded(np.array([1e6], np.float32))[1] == 4
    assert rounded(np.array([65504.0], np.float32)) == (65504.0, 0)


def test_an_image_pins_all_that_its_server_imports() -> None:
    lines = image("churn_rate", "3")["requirements.txt"].decode().splitlines()
    assert lines == sorted(lines)
    pinned = {line.partition("==")[0] for line in lines}
    assert set(NEEDED) <= pinned
    assert {"starlette", "pydantic-core", "h11"} <= pinned  # of those that it needs
    assert not pinned & {"mlflow-skinny", "duckdb", "xgboost-cpu", "numba", "scikit-learn", "keepfit"}


def test_an_image_runs_as_nobody_looks_after_its_health_and_holds_no_test_or_template() -> None:
    files = image("churn_rate", "3")
    told = files["Dockerfile"].decode()
    assert "USER 10001" in told and "HEALTHCHECK" in told and "--read-only" in told
    assert "docker build -t churn-rate:3 ." in told
    assert "keepfit/cli/serve.py" in files
    assert not [name for name in files if "templates" in name or "keepfit/testing" in name or name.endswith(".pyc")]
