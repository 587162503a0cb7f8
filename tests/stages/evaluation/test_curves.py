"""Curves pass through the points that scikit-learn finds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from keepfit.clock import DAY, HOUR
from keepfit.stages.evaluation.curves import curves, wilson
from keepfit.stages.evaluation.judged import Judged

ACTUAL = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
SCORE = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.9])
T = np.array([0, HOUR, HOUR + 1, DAY, 3 * DAY, 40 * DAY])
SEGMENT = np.array(["a", "a", "b", "b", None, "a"], dtype=object)


def judged(task: str) -> Judged:
    rows = np.arange(6)
    matrix = np.zeros((6, 1), np.float32)
    return Judged(task, rows.astype(object), T, {"segment": SEGMENT}, matrix, ACTUAL, SCORE, 0.5, rows)


def points(found: list[dict[str, float]]) -> set[tuple[float, float]]:
    return {(round(one["x"], 9), round(one["y"], 9)) for one in found}


def test_roc_and_precision_recall_pass_through_scikit_learns_points() -> None:
    found = curves(judged("classification"), seed=1)
    fpr, tpr, _ = sk.roc_curve(ACTUAL, SCORE, drop_intermediate=False)
    assert points(found["roc"]) == {(round(x, 9), round(y, 9)) for x, y in zip(fpr, tpr, strict=True)}
    precision, recall, _ = sk.precision_recall_curve(ACTUAL, SCORE)
    theirs = {(round(x, 9), round(y, 9)) for x, y in zip(recall[:-1], precision[:-1], strict=True)}
    assert points(found["pr"]) == theirs


def test_the_gain_curve_runs_from_no_row_to_all_positives() -> None:
    found = curves(judged("classification"), seed=1)["gain"]
    assert (found[0], found[-1]) == ({"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0})


def test_calibration_has_the_mean_score_the_rate_and_its_interval() -> None:
    found = curves(judged("classification"), seed=1)["calibration"]
    assert sum(one["rows"] for one in found) == 6
    assert sum(one["x"] * one["rows"] for one in found) == pytest.approx(SCORE.sum())
    assert all(one["low"] <= one["y"] <= one["high"] for one in found)


def test_wilsons_interval_of_half_of_ten() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.2692718, 0.7307282), abs=1e-6)


def test_errors_are_told_by_hour_weekday_month_and_category() -> None:
    found = curves(judged("regression"), seed=1)
    loss = np.abs(ACTUAL - SCORE)
    hours = {one["label"]: (one["y"], one["rows"]) for one in found["error_by_hour"]}
    assert hours["1"] == (pytest.approx(loss[[1, 2]].mean()), 2)
    assert {one["label"] for one in found["error_by_month"]} == {"1", "2"}
    assert [one["label"] for one in found["error_by_segment"]] == ["a", "b", "(none)"]


def test_the_weekday_of_a_monthly_grid_is_left_out() -> None:
    found = curves(judged("regression"), seed=1)
    assert "error_by_hour" in found and "error_by_weekday" not in found


def test_residuals_count_every_row() -> None:
    found = curves(judged("regression"), seed=1)
    assert sum(one["rows"] for one in found["residuals"]) == 6
    assert len(found["fit"]) == 6
