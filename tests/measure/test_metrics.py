"""Metrics equal scikit-learn's where they are defined, and say so where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from keepfit.errors import DefinitionError
from keepfit.measure.metrics import SUMS, Floats, Ranking, measure, measure_all
from keepfit.spec.metric import COST, METRICS

HALVES = st.integers(0, 1)
# Few distinct scores, so that ties are common.
CLASSIFIED = st.lists(st.tuples(HALVES, st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])), min_size=1, max_size=40)
VALUES = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=40)


def columns(rows: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    actual, predicted = zip(*rows, strict=True)
    return np.array(actual, dtype=np.float64), np.array(predicted, dtype=np.float64)


@settings(deadline=None)
@given(CLASSIFIED)
def test_metrics_at_a_threshold_equal_scikit_learn(rows: list[tuple[float, float]]) -> None:
    actual, score = columns(rows)
    called = score >= 0.5
    assert measure("f1", actual, score) == pytest.approx(sk.f1_score(actual, called, zero_division=0.0))
    assert measure("accuracy", actual, score) == pytest.approx(sk.accuracy_score(actual, called))
    precision = sk.precision_score(actual, called, zero_division=np.nan)
    recall = sk.recall_score(actual, called, zero_division=np.nan)
    assert measure("precision", actual, score) == pytest.approx(precision, nan_ok=True)
    assert measure("recall", actual, score) == pytest.approx(recall, nan_ok=True)


@settings(deadline=None)
@given(CLASSIFIED)
def test_scoring_metrics_equal_scikit_learn_with_ties(rows: list[tuple[float, float]]) -> None:
    actual, score = columns(rows)
    assert measure("log_loss", actual, score) == pytest.approx(sk.log_loss(actual, score, labels=[0, 1]))
    assert measure("brier", actual, score) == pytest.approx(((actual - score) ** 2).mean())
    if len(set(actual)) == 2:
        assert measure("auc", actual, score) == pytest.approx(sk.roc_auc_score(actual, score))


@settings(deadline=None)
@given(VALUES)
def test_regression_metrics_equal_scikit_learn(rows: list[tuple[float, float]]) -> None:
    actual, predicted = columns(rows)
    assert measure("rmse", actual, predicted) == pytest.approx(sk.root_mean_squared_error(actual, predicted))
    assert measure("mae", actual, predicted) == pytest.approx(sk.mean_absolute_error(actual, predicted))
    if np.ptp(actual) > 1e-6:
        expected = sk.r2_score(actual, predicted)
        assert measure("r2", actual, predicted) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_auc_weighs_rows_as_if_they_were_repeated() -> None:
    actual, score = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.2, 0.7, 0.9])
    times = np.array([3, 1, 2, 0])
    repeated = sk.roc_auc_score(np.repeat(actual, times), np.repeat(score, times))
    assert Ranking(actual, score).auc(times.astype(float)) == pytest.approx(repeated)


def test_a_score_at_the_threshold_is_called_positive() -> None:
    assert measure("recall", np.array([1.0]), np.array([0.3]), threshold=0.3) == 1.0
    assert measure("recall", np.array([1.0]), np.array([0.3]), threshold=0.31) == 0.0


def test_what_is_undefined_is_nan() -> None:
    ones, low = np.ones(3), np.full(3, 0.1)
    assert math.isnan(measure("auc", ones, low))
    assert math.isnan(measure("precision", ones, low))
    assert math.isnan(measure("recall", np.zeros(3), low))
    assert math.isnan(measure("r2", np.full(3, 0.1), low + 1))
    assert all(math.isnan(measure(name, np.empty(0), np.empty(0))) for name in METRICS)


def test_f1_without_any_positive_is_zero() -> None:
    assert measure("f1", np.zeros(3), np.full(3, 0.1)) == 0.0


def test_log_loss_of_a_sure_mistake_is_finite() -> None:
    assert measure("log_loss", np.array([1.0]), np.array([0.0])) == pytest.approx(36.04, abs=0.01)


def test_r2_does_not_cancel_for_large_values() -> None:
    actual = 1e9 + np.array([0.0, 1.0, 2.0, 3.0])
    assert measure("r2", actual, actual + 0.5) == pytest.approx(1 - 1.0 / 5.0)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_measure_all_has_every_metric_of_the_task(task: str) -> None:
    found = measure_all(task, np.array([0.0, 1.0]), np.array([0.2, 0.7]))
    assert set(found) == {metric.name for metric in METRICS.values() if metric.task == task} - {COST}


def test_every_declared_metric_can_be_measured() -> None:
    assert set(SUMS) | {"auc", COST} == set(METRICS)


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="'recal'") as caught:
        measure("recal", np.ones(1), np.ones(1))
    assert "did you mean 'recall'?" in caught.value.fix
