"""Intervals are repeatable, as wide as the clusters make them, and paired."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from keepfit.measure.bootstrap import estimate, estimates, paired_gain
from keepfit.measure.metrics import measure, names_of
from keepfit.spec.metric import METRICS

RANDOM = np.random.default_rng(0)
ACTUAL = (RANDOM.random(600) < 0.4).astype(np.float64)
GOOD = np.clip(0.25 + 0.5 * ACTUAL + RANDOM.normal(0, 0.25, 600), 0, 1)
POOR = np.clip(0.4 + 0.2 * ACTUAL + RANDOM.normal(0, 0.3, 600), 0, 1)
ROWS = np.arange(600)
BINARY = [
    name
    for name, one in METRICS.items()
    if "classification" in one.tasks or name in ("rmse", "mae", "r2", "mape", "smape")
]


@pytest.mark.parametrize("metric", BINARY)
def test_the_interval_holds_the_value_and_repeats_by_seed(metric: str) -> None:
    first = estimate(metric, ACTUAL, GOOD, 0.5, clusters=ROWS, seed=1)
    assert first == estimate(metric, ACTUAL, GOOD, 0.5, clusters=ROWS, seed=1)
    assert first != estimate(metric, ACTUAL, GOOD, 0.5, clusters=ROWS, seed=2)
    assert first.low < first.value < first.high
    assert first.value == measure(metric, ACTUAL, GOOD, 0.5)
    assert first.rows == 600


@pytest.mark.parametrize("metric", BINARY)
def test_replicates_equal_measuring_the_drawn_rows(metric: str) -> None:
    codes = np.repeat([7, 3, 9, 1, 2, 8], 100)
    drawn = np.random.default_rng(4).integers(0, 6, 6)
    in_order = np.unique(codes)
    rows = np.concatenate([np.flatnonzero(codes == in_order[cluster]) for cluster in drawn])
    one_round = estimate(metric, ACTUAL, GOOD, 0.5, clusters=codes, seed=4, rounds=1)
    assert one_round.high == pytest.approx(measure(metric, ACTUAL[rows], GOOD[rows], 0.5))


def test_rows_of_one_entity_widen_the_interval() -> None:
    each_twice = np.repeat(ACTUAL, 4), np.repeat(GOOD, 4)
    by_row = estimate("accuracy", *each_twice, 0.5, clusters=np.arange(2400), seed=1)
    by_entity = estimate("accuracy", *each_twice, 0.5, clusters=np.repeat(ROWS, 4), seed=1)
    assert by_entity.high - by_entity.low > 1.5 * (by_row.high - by_row.low)


def test_the_interval_covers_the_truth_about_nine_times_in_ten() -> None:
    random, covered = np.random.default_rng(5), 0
    for seed in range(100):
        actual = (random.random(200) < 0.7).astype(np.float64)
        found = estimate("accuracy", actual, np.ones(200), 0.5, clusters=np.arange(200), seed=seed, rounds=200)
        covered += found.low <= 0.7 <= found.high
    assert 82 <= covered <= 97


def test_a_single_entity_does_not_feign_certainty() -> None:
    found = estimate("f1", ACTUAL, GOOD, 0.5, clusters=np.zeros(600, dtype=np.int64), seed=1)
    assert found.high > found.low


@pytest.mark.parametrize("metric", ["f1", "auc", "log_loss", "brier"])
def test_a_better_challenger_gains_whichever_way_the_metric_points(metric: str) -> None:
    gain = paired_gain(metric, ACTUAL, GOOD, 0.5, POOR, 0.5, clusters=ROWS, seed=1)
    loss = paired_gain(metric, ACTUAL, POOR, 0.5, GOOD, 0.5, clusters=ROWS, seed=1)
    assert 0 < gain.low < gain.value < gain.high
    assert (loss.low, loss.value, loss.high) == pytest.approx((-gain.high, -gain.value, -gain.low))


def test_a_model_gains_exactly_nothing_over_itself() -> None:
    gain = paired_gain("auc", ACTUAL, GOOD, 0.5, GOOD, 0.5, clusters=ROWS, seed=1)
    assert (gain.low, gain.value, gain.high) == (0.0, 0.0, 0.0)


def test_each_model_is_measured_at_its_own_threshold() -> None:
    gain = paired_gain("recall", ACTUAL, GOOD, 0.0, GOOD, 1.1, clusters=ROWS, seed=1)
    assert gain.value == 1.0


def test_no_rows_and_no_defined_replicate_give_an_undefined_interval() -> None:
    empty = estimate("f1", np.empty(0), np.empty(0), 0.5, clusters=np.empty(0, dtype=np.int64), seed=1)
    assert empty.rows == 0
    assert math.isnan(empty.value) and math.isnan(empty.low)
    one_class = estimate("auc", np.ones(5), np.linspace(0, 1, 5), 0.5, clusters=np.arange(5), seed=1)
    assert math.isnan(one_class.low) and math.isnan(one_class.high)


@pytest.mark.parametrize("metric", ["f1", "auc"])
def test_three_hundred_rounds_on_five_thousand_rows_take_less_than_half_a_second(metric: str) -> None:
    actual, score = np.resize(ACTUAL, 5000), np.linspace(0, 1, 5000)
    # The processor's time, not the wall's: other jobs share this machine.
    start = time.process_time()
    estimate(metric, actual, score, 0.5, clusters=np.arange(5000) // 3, seed=1)
    assert time.process_time() - start < 0.5


def test_several_metrics_from_the_same_draws_equal_each_by_itself() -> None:
    names, codes = names_of("classification"), ROWS // 4
    together = estimates(names, ACTUAL, GOOD, 0.5, clusters=codes, seed=1)
    assert together == {name: estimate(name, ACTUAL, GOOD, 0.5, clusters=codes, seed=1) for name in names}


def test_the_interval_of_the_calibration_error_reaches_down_to_its_value() -> None:
    score = np.linspace(0, 1, 600)
    actual = (np.random.default_rng(3).random(600) < score).astype(np.float64)
    found = estimate("ece", actual, score, 0.5, clusters=ROWS, seed=1)
    assert found.low <= found.value < found.high


def test_every_metric_of_twenty_thousand_rows_takes_less_than_a_second() -> None:
    actual, score = np.resize(ACTUAL, 20_000), np.random.default_rng(1).random(20_000)
    start = time.process_time()
    estimates(names_of("classification"), actual, score, 0.5, clusters=np.arange(20_000) // 3, seed=1)
    assert time.process_time() - start < 1.0
