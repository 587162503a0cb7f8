"""Metrics equal scikit-learn's where they are defined, and say so where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from keepfit.errors import DefinitionError
from keepfit.measure.intervals import OF_BOUNDS
from keepfit.measure.labels import OF_LABELS
from keepfit.measure.metrics import SUMS, measure, measure_all
from keepfit.measure.ranking import RANKED, Ranking
from keepfit.measure.sums import Floats
from keepfit.spec.metric import COST, METRICS
from keepfit.spec.training import Training

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
    if actual.any():
        assert measure("pr_auc", actual, score) == pytest.approx(sk.average_precision_score(actual, score))


@settings(deadline=None)
@given(VALUES)
def test_regression_metrics_equal_scikit_learn(rows: list[tuple[float, float]]) -> None:
    actual, predicted = columns(rows)
    assert measure("rmse", actual, predicted) == pytest.approx(sk.root_mean_squared_error(actual, predicted))
    assert measure("mae", actual, predicted) == pytest.approx(sk.mean_absolute_error(actual, predicted))
    if np.ptp(actual) > 1e-6:
        expected = sk.r2_score(actual, predicted)
        assert measure("r2", actual, predicted) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(VALUES)
def test_relative_errors_equal_their_formulas(rows: list[tuple[float, float]]) -> None:
    actual, predicted = columns(rows)
    kept = actual != 0
    if kept.any():
        expected = sk.mean_absolute_percentage_error(actual[kept], predicted[kept])
        if np.abs(actual[kept]).min() > 1e-9:  # scikit-learn divides by no less than epsilon
            assert measure("mape", actual, predicted) == pytest.approx(expected)
    size = np.abs(actual) + np.abs(predicted)
    terms = [2 * abs(a - p) / s if s else 0.0 for a, p, s in zip(actual, predicted, size, strict=True)]
    assert measure("smape", actual, predicted) == pytest.approx(np.mean(terms))


def test_mape_leaves_out_rows_without_a_relative_error() -> None:
    assert measure("mape", np.array([0.0, 2.0]), np.array([5.0, 3.0])) == 0.5
    assert math.isnan(measure("mape", np.zeros(2), np.ones(2)))


TEN = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0])


def test_gain_is_the_share_of_positives_in_the_highest_tenth_and_lift_how_many_times_more_than_by_chance() -> None:
    score = np.arange(10) / 10
    assert measure("gain_10", TEN, score) == 0.5
    assert measure("lift_10", TEN, score) == 5.0


def test_rows_that_tie_at_the_end_of_the_tenth_count_by_their_share() -> None:
    assert measure("lift_10", TEN, np.full(10, 0.3)) == pytest.approx(1.0)
    four_tie = np.array([0.0] * 6 + [0.8] * 4)  # two positives among four rows, of which one belongs to the tenth
    assert measure("gain_10", TEN, four_tie) == pytest.approx(0.25)


def test_the_calibration_error_is_the_mean_gap_over_bins_of_equal_weight() -> None:
    score = np.repeat([0.1, 0.6], 10)
    actual = np.concatenate([np.repeat([1.0, 0.0], [1, 9]), np.repeat([1.0, 0.0], [9, 1])])
    assert measure("ece", actual, score) == pytest.approx((0.0 * 10 + 0.3 * 10) / 20)
    spread = np.linspace(0, 1, 1000)
    calibrated = (np.random.default_rng(1).random(1000) < spread).astype(float)
    bins = [np.abs((calibrated[i : i + 100] - spread[i : i + 100]).sum()) for i in range(0, 1000, 100)]
    assert measure("ece", calibrated, spread) == pytest.approx(sum(bins) / 1000)


@settings(deadline=None)
@given(CLASSIFIED, st.data())
def test_metrics_of_order_weigh_rows_as_if_they_were_repeated(
    rows: list[tuple[float, float]], data: st.DataObject
) -> None:
    actual, score = columns(rows)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(actual), max_size=len(actual))))
    if times.any():
        ranking, repeated = Ranking(actual, score), Ranking(np.repeat(actual, times), np.repeat(score, times))
        for metric in (one for name, one in RANKED.items() if name != "auc_ovr"):
            found = metric(ranking.weigh(ranking.order(times.astype(float))))
            assert found == pytest.approx(metric(repeated.weigh()), nan_ok=True)


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
    assert set(found) == {metric.name for metric in METRICS.values() if metric.measures(task, Training())}


def test_every_declared_metric_can_be_measured() -> None:
    assert set(SUMS) | set(OF_LABELS) | set(RANKED) | set(OF_BOUNDS) | {COST} == set(METRICS)


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="'recal'") as caught:
        measure("recal", np.ones(1), np.ones(1))
    assert "did you mean 'recall'?" in caught.value.fix
