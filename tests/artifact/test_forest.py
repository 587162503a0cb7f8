"""Trees walked by compiled code answer what ONNX Runtime answers, to the bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from keepfit import HistGradientBoosting, LightGBM, Linear, RandomForest, XGBoost
from keepfit.artifact import predictor
from keepfit.artifact.forest import read_forest
from keepfit.artifact.predictor import Session
from keepfit.stages.training.estimators import Rows, Task, find

WIDTH = 6
FEATURES = tuple(f"x{place}" for place in range(WIDTH))
KNOWN = (
    XGBoost(n_estimators=60, max_depth=7, learning_rate=0.2),
    XGBoost(n_estimators=25, max_depth=1, learning_rate=0.2),
    LightGBM(n_estimators=60, learning_rate=0.2),
    HistGradientBoosting(max_iter=60, learning_rate=0.2),
)


def rows_of(seed: int, count: int, *, whole: bool = False) -> Rows:
    chance = np.random.default_rng(seed)
    matrix = chance.normal(size=(count, WIDTH)).astype(np.float32) * np.array([1, 1e-30, 1e30, 1, 40, 3], np.float32)
    matrix = np.rint(matrix) if whole else matrix
    target = (matrix[:, 0] + matrix[:, 4] / 40 + chance.normal(size=count) > 0).astype(np.float64)
    matrix[chance.random(matrix.shape) < 0.1] = np.nan
    return Rows(matrix, target)


def written(estimator, task: str, *, whole: bool = False, seed: int = 1) -> bytes:
    told = Task(task, FEATURES, {}, dict(estimator.parameters), seed, estimator.of, labels=0)
    return find(estimator.kind)(told, rows_of(seed, 2_000, whole=whole), None).onnx()


def hard(content: bytes, seed: int, *, whole: bool) -> np.ndarray:
    """Return rows among which are values on thresholds, their neighbours, the largest numbers and nulls."""
    matrix = rows_of(seed, 3_001, whole=whole).matrix
    trees = next(node for node in onnx.load_from_string(content).graph.node if node.op_type.startswith("Tree"))
    told = {one.name: one for one in trees.attribute}
    asked = list(zip(told["nodes_featureids"].ints, told["nodes_values"].floats, strict=True))[:900]
    for row, (feature, threshold) in enumerate(asked):
        at = np.float32(threshold)
        matrix[row, feature] = (at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf)))[
            row % 3
        ]
    matrix[-1], matrix[-2], matrix[-3] = np.finfo(np.float32).max, np.finfo(np.float32).min, np.nan
    return np.clip(matrix, np.finfo(np.float32).min, np.finfo(np.float32).max)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("estimator", KNOWN, ids=lambda one: f"{one.kind} {one.of} {len(one.parameters)}")
@pytest.mark.parametrize(("seed", "whole"), [(1, False), (2, True)])
def test_a_score_is_that_of_onnx_runtime_to_the_bit(estimator, task: str, seed: int, whole: bool) -> None:
    content = written(estimator, task, whole=whole, seed=seed)
    matrix, session, forest = hard(content, seed, whole=whole), Session(content), read_forest(content)
    assert forest is not None
    alone = np.concatenate([session(matrix[row : row + 1]) for row in range(300)])
    found = forest(matrix)
    assert found.dtype == np.float64
    assert len(np.unique(found)) > 10
    assert np.array_equal(found, session(matrix))
    assert np.array_equal(found[:300], alone)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 256, 257, 513])
def test_any_number_of_rows_is_walked(count: int) -> None:
    content = written(KNOWN[0], "classification")
    matrix, forest = rows_of(3, 600).matrix, read_forest(content)
    assert forest is not None
    assert np.array_equal(forest(matrix[:count]), Session(content)(matrix)[:count])


@pytest.mark.parametrize(
    ("estimator", "task"), [(RandomForest(n_estimators=5), "classification"), (Linear(), "regression")]
)
def test_a_file_that_is_more_than_known_trees_is_left_to_onnx_runtime(estimator, task: str) -> None:
    assert read_forest(written(estimator, task)) is None


def test_a_large_batch_walks_compiled_trees_and_trees_that_differ_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(KNOWN[0], "classification")
    matrix = rows_of(5, 4_000).matrix
    expected = Session(content)(matrix)
    monkeypatch.setattr(predictor, "PARALLEL_ROWS", 1_000)
    monkeypatch.setattr(predictor, "MANY_ROWS", 2_000)
    asked: list[int] = []
    own = read_forest(content)
    assert own is not None
    for wrong in (0.0, 1e-7):
        session = Session(content)

        def forest(rows: np.ndarray, wrong: float = wrong) -> np.ndarray:
            asked.append(len(rows))
            return own(rows) + wrong

        session.__dict__["_forest"] = forest
        asked.clear()
        assert np.array_equal(session(matrix), expected)
        assert (sum(asked) == predictor.COMPARED_ROWS) == bool(wrong)
