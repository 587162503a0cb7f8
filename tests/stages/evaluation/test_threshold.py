"""The threshold is the best there is, and does not sit on a score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.measure.metrics import measure
from keepfit.stages.evaluation.threshold import choose_threshold

ROWS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.8, 1.0])), min_size=1, max_size=30)


@settings(deadline=None)
@given(ROWS, st.sampled_from(["f1", "accuracy", "precision", "recall"]))
def test_no_other_threshold_is_better(rows: list[tuple[int, float]], metric: str) -> None:
    actual = np.array([row[0] for row in rows], dtype=np.float64)
    score = np.array([row[1] for row in rows])
    if len(set(actual)) < 2:
        return
    chosen = measure(metric, actual, score, choose_threshold(metric, actual, score))
    others = [measure(metric, actual, score, cut) for cut in [0.0, 0.1, 0.3, 0.4, 0.6, 0.9, 1.0, 1.1]]
    assert chosen == np.nanmax(others)


def test_the_threshold_lies_halfway_between_scores() -> None:
    actual, score = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.6, 0.9])
    assert choose_threshold("f1", actual, score) == pytest.approx(0.4)


@pytest.mark.parametrize("metric", ["auc", "log_loss", "brier"])
def test_metrics_without_a_threshold_use_f1(metric: str) -> None:
    actual, score = np.array([0.0, 1.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    assert choose_threshold(metric, actual, score) == choose_threshold("f1", actual, score)


def test_calling_nothing_positive_is_possible_when_accuracy_asks_for_it() -> None:
    actual, score = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.3, 1.0])
    assert choose_threshold("accuracy", actual, score) > 1.0


def test_full_recall_is_reached_with_as_few_calls_as_possible() -> None:
    actual, score = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.6, 0.9])
    assert choose_threshold("recall", actual, score) == pytest.approx(0.4)


def test_of_equally_precise_thresholds_the_one_with_the_better_f1_is_taken() -> None:
    actual, score = np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.5, 0.9])
    assert choose_threshold("precision", actual, score) == pytest.approx(0.3)


def test_neighbouring_doubles_are_still_parted() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1))
    threshold = choose_threshold("f1", np.array([0.0, 1.0]), np.array([low, high]))
    assert low < threshold <= high


@pytest.mark.parametrize("actual", [[], [1.0, 1.0], [0.0]])
def test_rows_of_one_class_leave_the_default(actual: list[float]) -> None:
    assert choose_threshold("f1", np.array(actual), np.full(len(actual), 0.2)) == 0.5
