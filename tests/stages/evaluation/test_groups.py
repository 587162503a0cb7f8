"""Groups are judged on the rows that fairness asks about."""

from __future__ import annotations

import math

import numpy as np

from keepfit.stages.evaluation.groups import group_rates

SEGMENT = np.array(["a", "a", "b", "b", None, "c"], dtype=object)
ACTUAL = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
SCORE = np.array([0.9, 0.2, 0.7, 0.9, 0.8, 0.9])


def test_classification_judges_each_group_on_its_positives() -> None:
    found = group_rates("classification", ACTUAL, SCORE, 0.5, SEGMENT)
    assert found["a"] == {"rows": 2.0, "rate": 0.5}
    assert found["b"] == {"rows": 1.0, "rate": 1.0}


def test_rows_without_a_label_are_a_group() -> None:
    assert group_rates("classification", ACTUAL, SCORE, 0.5, SEGMENT)["(none)"] == {"rows": 1.0, "rate": 1.0}


def test_a_group_without_positives_has_no_rate() -> None:
    found = group_rates("classification", ACTUAL, SCORE, 0.5, SEGMENT)["c"]
    assert found["rows"] == 0.0
    assert math.isnan(found["rate"])


def test_regression_takes_the_mean_absolute_error_of_all_rows() -> None:
    found = group_rates(
        "regression", np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 7.0]), 0.5, np.array(["a", "a", "b"], object)
    )
    assert found == {"a": {"rows": 2.0, "rate": 0.5}, "b": {"rows": 1.0, "rate": 4.0}}


def test_no_rows_give_no_groups() -> None:
    assert group_rates("classification", np.empty(0), np.empty(0), 0.5, np.empty(0, dtype=object)) == {}
