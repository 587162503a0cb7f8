"""What policies cost: mistakes of each row, their paired uncertainty, and the frontier."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit.measure.contest import efficient, mistakes, saving
from keepfit.spec.metric import METRICS
from keepfit.spec.training import Cost, Training


def test_a_mistake_counts_one_or_what_the_model_says_it_costs():
    actual, score, threshold = np.array([1.0, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.2]), np.full(4, 0.5)
    assert mistakes("classification", actual, score, threshold, Training()).tolist() == [0, 1, 1, 0]
    dear = Training(cost=Cost(false_positive=2, false_negative=7))
    assert mistakes("classification", actual, score, threshold, dear).tolist() == [0, 7, 2, 0]


def test_a_number_counts_how_far_it_lies_off_and_a_label_whether_it_is_wrong():
    assert mistakes("regression", np.array([1.0, 5]), np.array([3.0, 4]), np.full(2, np.nan), Training()).tolist() == [
        2,
        1,
    ]
    bounded = np.array([[3.0, 0, 9], [4, 0, 9]])
    assert mistakes("regression", np.array([1.0, 5]), bounded, np.full(2, np.nan), Training()).tolist() == [2, 1]
    shares = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert mistakes("multiclass", np.array([1.0, 1]), shares, np.full(2, np.nan), Training()).tolist() == [0, 1]


def test_what_is_saved_is_paired_by_entity_and_holds_the_truth_as_often_as_it_says():
    random, held = np.random.default_rng(5), 0
    for round_ in range(200):
        codes = np.repeat(np.arange(80), 5)
        less = np.repeat(random.normal(0.3, 1, 80), 5) + random.normal(0, 0.2, 400)
        found = saving(less, -10.0, codes, seed=round_)
        held += found.low <= 0.3 * 400 - 10 <= found.high
    assert 0.82 <= held / 200 <= 0.97


def test_without_rows_only_what_is_certain_is_saved():
    found = saving(np.empty(0), -50.0, np.empty(0, np.intp), seed=0)
    assert (found.value, found.low, found.high, found.rows) == (-50, -50, -50, 0)


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("auc", [0.70, 0.74, 0.73, 0.74], [True, True, False, False]),
        ("rmse", [9.0, 7.0, 8.0, 7.0], [True, True, False, False]),
        ("auc", [0.70, float("nan"), 0.69, 0.71], [True, False, False, True]),
    ],
)
def test_the_frontier_is_what_no_other_beats(metric, values, expected):
    assert efficient([1, 3, 5, 8], values, METRICS[metric]) == expected
