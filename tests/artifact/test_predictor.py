"""ONNX Runtime answers what XGBoost answers: nulls, categories, numbers beyond training, one row or many."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from keepfit.artifact import Predictor
from keepfit.artifact.predictor import PARALLEL_ROWS
from keepfit.stages.training.estimators import Rows, Task
from keepfit.stages.training.estimators.xgboost import Trees, fit

LABELS = tuple("abcdefgh")


def matrix(seed: int, rows: int = 600, spread: float = 1.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = np.column_stack(
        [random.normal(0, spread, rows), random.integers(0, len(LABELS), rows), random.normal(0, spread, rows)]
    )
    found[random.random(found.shape) < 0.15] = math.nan
    return found.astype(np.float32)


@pytest.fixture(scope="module", params=["classification", "regression"])
def fitted(request) -> Trees:
    rows = matrix(1)
    value = np.nan_to_num(rows[:, 0]) + np.isin(rows[:, 1], [0, 2, 5]) + 0.1 * np.nan_to_num(rows[:, 2])
    target = (value > 0.5).astype(float) if request.param == "classification" else value
    return fit(
        Task(request.param, ("x", "label", "y"), {"label": LABELS}, {"n_estimators": 40}, 7), Rows(rows, target), None
    )


@pytest.fixture
def predictor(fitted: Trees) -> Predictor:
    return Predictor(fitted.onnx())


def test_the_predictor_equals_xgboost(fitted, predictor):
    rows = matrix(2, spread=5.0)
    assert np.abs(predictor.score(rows) - fitted.predict(rows)).max() < 1e-5


def test_nothing_known_and_the_largest_numbers_are_scored_alike(fitted, predictor):
    largest = np.finfo(np.float32).max
    rows = np.array([[math.nan] * 3, [largest, 0, -largest], [-largest, 7, largest]], np.float32)
    assert np.abs(predictor.score(rows) - fitted.predict(rows)).max() < 1e-5


def test_a_row_alone_scores_as_among_others(predictor):
    rows = matrix(3, rows=20)
    together = predictor.score(rows)
    assert [predictor.score(rows[place : place + 1])[0] for place in range(20)] == together.tolist()


def test_a_batch_that_is_split_over_the_cores_scores_as_its_parts(predictor):
    rows = matrix(4, rows=PARALLEL_ROWS + 1)
    parts = [predictor.score(part) for part in np.array_split(rows, 7)]
    assert np.array_equal(predictor.score(rows), np.concatenate(parts))


def test_no_rows_have_no_scores(predictor):
    assert predictor.score(np.empty((0, 3), np.float32)).tolist() == []


def test_no_file_of_a_model_is_a_pickle(fitted):
    for content in (fitted.onnx(), fitted.native()[1]):
        assert content[:1] != pickle.PROTO
        with pytest.raises((pickle.UnpicklingError, ValueError, KeyError, IndexError, EOFError)):
            pickle.loads(content)


def test_a_predictor_is_loaded_from_its_folder(fitted, predictor, tmp_path):
    (tmp_path / "model.onnx").write_bytes(fitted.onnx())
    (tmp_path / "artifact.json").write_text("{}")
    rows = matrix(5, rows=5)
    assert np.array_equal(Predictor.load(tmp_path).score(rows), predictor.score(rows))


def test_the_native_model_is_ubjson_that_xgboost_reads_back(fitted):
    import xgboost

    name, content = fitted.native()
    again = xgboost.Booster(model_file=bytearray(content))
    rows = matrix(6, rows=50)
    data = xgboost.DMatrix(rows, feature_types=["q", "c", "q"], enable_categorical=True)
    assert (name, content[:1]) == ("model.ubj", b"{")
    assert np.array_equal(again.predict(data).astype(float), fitted.predict(rows))
