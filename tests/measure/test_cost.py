"""What mistakes cost: the metric, its interval, the baseline and the threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepfit import Cost, Training
from keepfit.measure.baseline import baseline
from keepfit.measure.bootstrap import estimate, paired_gain
from keepfit.measure.metrics import measure, measure_all
from keepfit.stages.evaluation.threshold import choose_threshold

ACTUAL = np.array([0.0, 0.0, 1.0, 1.0])
SCORE = np.array([0.1, 0.6, 0.4, 0.9])
MISSED = Training(cost=Cost(false_positive=1, false_negative=5))


@pytest.mark.parametrize(
    ("threshold", "cost", "value"),
    [(0.5, MISSED, 1.5), (0.3, MISSED, 0.25), (0.95, MISSED, 2.5), (0.05, MISSED, 0.5), (0.5, Training(), 0.5)],
)
def test_cost_is_the_mean_over_all_rows(threshold, cost, value):
    assert measure("cost", ACTUAL, SCORE, threshold, cost) == value


def test_cost_is_measured_only_where_it_is_declared():
    assert "cost" not in measure_all("classification", ACTUAL, SCORE)
    assert measure_all("classification", ACTUAL, SCORE, 0.5, MISSED)["cost"] == 1.5


def test_the_baseline_calls_what_would_have_cost_less_in_training():
    assert baseline("classification", 0.5, ACTUAL, MISSED)["cost"] == 0.5  # everything: two false alarms
    assert baseline("classification", 0.1, ACTUAL, MISSED)["cost"] == 2.5  # nothing: two missed
    assert "cost" not in baseline("classification", 0.5, ACTUAL)


def test_the_threshold_is_where_mistakes_cost_least():
    assert 0.1 < choose_threshold("auc", ACTUAL, SCORE, MISSED) < 0.4
    assert 0.6 < choose_threshold("auc", ACTUAL, SCORE, Training(cost=Cost(false_positive=5, false_negative=1))) < 0.9


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60),
    st.floats(0.1, 10), st.floats(0.1, 10),
)  # fmt: skip
def test_no_other_threshold_costs_less(rows, positive, negative):
    actual, score = np.array([float(row[0]) for row in rows]), np.array([row[1] / 20 for row in rows])
    if len(set(actual)) < 2:
        return
    cost = Training(cost=Cost(positive, negative))
    found = measure("cost", actual, score, choose_threshold("f1", actual, score, cost), cost)
    others = [measure("cost", actual, score, each, cost) for each in (*np.unique(score), 1.1)]
    assert found <= min(others) + 1e-9


def test_cost_has_an_interval_and_a_paired_gain():
    clusters = np.arange(4)
    found = estimate("cost", ACTUAL, SCORE, 0.5, clusters=clusters, seed=1, said=MISSED)
    assert found.low <= found.value == 1.5 <= found.high
    gain = paired_gain("cost", ACTUAL, SCORE, 0.3, SCORE, 0.5, clusters=clusters, seed=1, said=MISSED)
    assert gain.value == 1.25
