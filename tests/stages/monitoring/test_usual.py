"""What a series usually does is told by its own past: growth, seasons and few values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit.stages.monitoring.usual import usual


def chance(series: list[float] | np.ndarray, season: int = 1) -> float:
    found = usual(np.asarray(series, float), season, 0.01)
    assert found is not None
    return found.chance(float(series[-1]))


def test_growth_is_no_surprise_and_a_fall_is_one() -> None:
    growing = 0.05 * np.arange(20) + np.random.default_rng(1).normal(0, 0.02, 20)
    assert chance(growing) > 0.01
    growing[-1] -= 0.5
    assert chance(growing) < 1e-4


def test_a_quiet_sunday_is_usual_and_a_quiet_monday_is_not() -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, 43)
    week = np.tile([3.0, 3, 3, 3, 3, 1, 0], 7)[:43] + noise
    assert chance(week[:42], 7) > 0.01  # it ends on a Sunday
    week[42] = 0.0
    assert chance(week, 7) < 1e-6


def test_bounds_hold_what_is_not_unusual() -> None:
    found = usual(np.random.default_rng(3).normal(5, 1, 30), 1, 0.01)
    assert found is not None
    low, high = found.bounds(0.01)
    assert found.chance(low) == pytest.approx(0.01)
    assert found.chance(high, upward=True) == pytest.approx(0.005)
    assert found.chance(low, upward=True) > 0.99


def test_a_short_past_says_nothing_and_a_constant_one_has_a_floor() -> None:
    assert usual(np.zeros(9), 1, 0.1) is None
    found = usual(np.zeros(30), 1, 0.1)
    assert found is not None
    assert found.chance(math.log(1.1)) > 0.1
    assert found.chance(math.log(3)) < 1e-5


def test_of_a_series_that_never_changed_any_other_value_is_unusual():
    found = usual(np.zeros(30), 7, 0.0)
    assert found is not None
    assert (found.chance(0.0), found.chance(0.0, upward=True)) == (1.0, 0.5)
    assert found.chance(1e-3) < 1e-6 > found.chance(1e-3, upward=True)
