"""Bounds are measured by how often they hold, how wide they are, and their pinball loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from keepfit import Training
from keepfit.measure.baseline import baseline, constant
from keepfit.measure.bootstrap import estimates, paired_gain
from keepfit.measure.metrics import measure, measure_all, names_of
from keepfit.spec.metric import METRICS

HALF, NINE = Training(interval=0.5), Training(quantile=0.9)
ACTUAL = np.array([1.0, 5.0, 9.0, 4.0])
ANSWERS = np.array([[2.0, 1.0, 3.0], [2.0, 1.0, 3.0], [9.0, 8.0, 12.0], [5.0, 4.5, 6.5]])
NUMBERS = st.floats(-1e3, 1e3)


def test_coverage_counts_both_bounds_and_width_is_their_distance() -> None:
    assert measure("coverage", ACTUAL, ANSWERS, said=HALF) == 0.5  # the first lies on its bound; 5 and 4 lie outside
    assert measure("width", ACTUAL, ANSWERS, said=HALF) == (2 + 2 + 4 + 2) / 4


def test_pinball_is_the_mean_of_both_quantile_losses() -> None:
    low = [0.0, 0.25 * 4, 0.25 * 1, 0.75 * 0.5]
    high = [0.25 * 2, 0.75 * 2, 0.25 * 3, 0.25 * 2.5]
    assert measure("pinball", ACTUAL, ANSWERS, said=HALF) == pytest.approx((sum(low) + sum(high)) / 8)


def test_winklers_interval_score_is_a_multiple_of_it() -> None:
    alpha, low, high = 0.5, ANSWERS[:, 1], ANSWERS[:, 2]
    missed = 2 / alpha * (np.maximum(low - ACTUAL, 0) + np.maximum(ACTUAL - high, 0))
    assert np.mean(high - low + missed) == pytest.approx(4 / alpha * measure("pinball", ACTUAL, ANSWERS, said=HALF))


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=30), st.sampled_from([0.5, 0.8, 0.95]))
def test_pinball_equals_scikit_learns(rows: list[tuple[float, float, float]], share: float) -> None:
    actual, low, high = (np.array(column) for column in zip(*rows, strict=True))
    answers = np.stack([(low + high) / 2, low, high], axis=1)
    said = Training(interval=share)
    expected = [
        mean_pinball_loss(actual, one, alpha=level) for one, level in zip((low, high), said.levels, strict=True)
    ]
    assert measure("pinball", actual, answers, said=said) == pytest.approx(np.mean(expected))
    expected = mean_pinball_loss(actual, low, alpha=0.9)
    assert measure("pinball", actual, low, said=NINE) == pytest.approx(expected)


def test_a_quantile_is_measured_by_its_loss_and_by_how_many_rows_stay_below() -> None:
    found = measure_all("regression", ACTUAL, np.array([1.0, 4.0, 10.0, 4.0]), said=NINE)
    assert found == pytest.approx({"pinball": (0 + 0.9 * 1 + 0.1 * 1 + 0) / 4, "coverage": 0.75})


def test_the_metrics_of_the_value_are_measured_beside_those_of_its_bounds() -> None:
    found = measure_all("regression", ACTUAL, ANSWERS, said=HALF)
    assert found["mae"] == measure("mae", ACTUAL, ANSWERS[:, 0])
    assert set(found) == {"rmse", "mae", "r2", "mape", "smape", "pinball", "coverage", "width"}
    assert names_of("regression") == ["rmse", "mae", "r2", "mape", "smape"]


def test_the_baseline_is_the_interval_between_training_quantiles() -> None:
    trained = np.arange(101.0)
    assert constant("regression", trained, HALF).tolist() == [50, 25, 75]
    found = baseline("regression", constant("regression", trained, HALF), np.array([20.0, 30.0, 74.0, 75.0]), HALF)
    assert (found["coverage"], found["width"]) == (0.75, 50)
    assert float(constant("regression", trained, NINE)) == pytest.approx(90)


def test_bounds_have_intervals_and_paired_gains() -> None:
    random = np.random.default_rng(1)
    actual = random.normal(0, 1, 400)
    good = np.stack([np.zeros(400), np.full(400, -0.6745), np.full(400, 0.6745)], axis=1)
    wide = good * 3
    clusters = np.arange(400) // 4
    found = estimates(["coverage", "pinball"], actual, good, 0.5, clusters=clusters, seed=1, said=HALF)
    assert found["coverage"].low < found["coverage"].value < found["coverage"].high
    assert found["coverage"].rows == 400
    gain = paired_gain("pinball", actual, good, 0.5, wide, 0.5, clusters=clusters, seed=1, said=HALF)
    assert gain.low > 0
    assert math.isnan(measure("coverage", actual[:0], good[:0], said=HALF))


def test_coverage_is_better_the_nearer_it_is_to_the_declared_share() -> None:
    metric, nine = METRICS["coverage"], Training(interval=0.9)
    assert metric.gain(0.97, 0.8, nine) == pytest.approx(0.03)
    assert metric.gain(1.0, 0.92, nine) == pytest.approx(-0.08)
    assert math.isnan(metric.gain(1.0, 0.92))
    assert not metric.better(1.0, 0.9) and not metric.better(0.9, 1.0)
    assert metric.reaches(0.97, 0.85) and not metric.reaches(0.8, 0.85)  # what a gate asks for is a least share
    actual = np.arange(100.0)
    wide = np.stack([actual, actual - 1, actual + 1], axis=1)
    nearer = np.where(actual[:, None] < 90, wide, wide + 5)
    gain = paired_gain("coverage", actual, nearer, 0.5, wide, 0.5, clusters=actual.astype(int), seed=1, said=nine)
    assert (gain.value, gain.low > 0) == (pytest.approx(0.1), True)
