"""The baseline is what one would say knowing only the training labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit.measure.baseline import baseline, constant

TRAINED_ON = np.array([1.0, 0.0, 0.0, 0.0])
ACTUAL = np.array([1.0, 1.0, 0.0, 0.0, 0.0])


def test_classification_calls_all_positive_for_f1_and_the_majority_for_accuracy() -> None:
    found = baseline("classification", constant("classification", TRAINED_ON), ACTUAL)
    assert found["recall"] == 1.0
    assert found["precision"] == pytest.approx(0.4)
    assert found["f1"] == pytest.approx(2 * 0.4 / 1.4)
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["auc"] == 0.5


def test_accuracy_follows_the_majority_of_the_training_rows_not_of_the_rows_judged() -> None:
    assert baseline("classification", 2 / 3, ACTUAL)["accuracy"] == pytest.approx(0.4)


def test_losses_are_those_of_the_training_base_rate() -> None:
    found = baseline("classification", constant("classification", TRAINED_ON), ACTUAL)
    assert found["brier"] == pytest.approx((2 * 0.75**2 + 3 * 0.25**2) / 5)
    assert found["log_loss"] == pytest.approx(-(2 * math.log(0.25) + 3 * math.log(0.75)) / 5)


def test_regression_predicts_the_training_mean() -> None:
    found = baseline("regression", constant("regression", np.array([1.0, 3.0])), np.array([2.0, 4.0, 6.0]))
    assert found["mae"] == pytest.approx(2.0)
    assert found["rmse"] == pytest.approx(math.sqrt(20 / 3))
    assert found["r2"] == pytest.approx(1 - 20 / 8)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_mean_of_the_training_rows_stands_for_them(task: str) -> None:
    assert baseline(task, constant(task, TRAINED_ON), ACTUAL) == baseline(task, 0.25, ACTUAL)
