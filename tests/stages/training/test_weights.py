"""What a row counts for."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import Training
from keepfit.clock import DAY
from keepfit.stages.training.weights import class_weights, weights

TARGET = np.array([0.0, 0.0, 0.0, 1.0])
T = np.array([0, 10, 20, 20], np.int64) * DAY


def of(training: Training) -> list[float] | None:
    found = weights(training, T, TARGET, by_class=class_weights(training, TARGET))
    return None if found is None else found.tolist()


def test_without_a_word_no_row_has_a_weight():
    assert of(Training()) is None


def test_balanced_classes_weigh_the_same_in_sum():
    assert of(Training(class_weight="balanced")) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2.0])


def test_classes_weigh_what_is_declared():
    assert of(Training(class_weight={0: 1, 1: 5})) == [1.0, 1.0, 1.0, 5.0]


def test_a_weight_halves_with_each_half_life_before_the_last_row():
    assert of(Training(half_life="10d")) == [0.25, 0.5, 1.0, 1.0]


def test_age_and_class_multiply():
    assert of(Training(half_life="10d", class_weight={0: 2, 1: 5})) == [0.5, 1.0, 2.0, 5.0]


def test_one_class_has_nothing_to_balance():
    assert class_weights(Training(class_weight="balanced"), np.ones(3)) == (1.0, 1.0)
