"""Predictions are held against what happened with the metrics they were promoted on."""

from __future__ import annotations

import numpy as np

from keepfit.measure.baseline import baseline, constant
from keepfit.measure.metrics import measure_all
from keepfit.stages.monitoring.performance import realised

ACTUAL, SCORE, T = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.4, 0.3]), np.array([30, 10, 20])


def test_the_window_is_measured_at_the_versions_threshold() -> None:
    found = realised("classification", "4", T, ACTUAL, SCORE, 0.35, 0.25)
    assert found is not None
    assert (found.version, found.from_at, found.to_at, found.rows) == ("4", 10, 30, 3)
    assert found.metrics == measure_all("classification", ACTUAL, SCORE, 0.35)
    assert found.metrics["recall"] == 0.5


def test_the_baseline_learns_from_the_training_rows_only() -> None:
    found = realised(
        "classification", "4", T, ACTUAL, SCORE, 0.35, constant("classification", np.array([1.0, 0.0, 0.0, 0.0]))
    )
    assert found is not None
    assert found.baseline == baseline("classification", 0.25, ACTUAL)


def test_a_regression_has_its_own_metrics() -> None:
    found = realised("regression", "4", T, ACTUAL, SCORE, 0.5, 0.25)
    assert found is not None
    assert set(found.metrics) == {"rmse", "mae", "r2", "mape", "smape"}


def test_nothing_is_realised_before_labels_mature() -> None:
    assert realised("classification", "4", T[:0], ACTUAL[:0], SCORE[:0], 0.5, 0.25) is None
