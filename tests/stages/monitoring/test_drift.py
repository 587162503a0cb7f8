"""Drift is found where there is some, and not where there is none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from keepfit.evidence import WARNING, Drift, as_data, from_data
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.habits import Habit
from keepfit.stages.monitoring.profile import profile
from keepfit.stages.monitoring.reference import Reference


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def one(reference: NDArray[Any], current: NDArray[Any], *, alpha: float = 0.01) -> Drift:
    (found,) = drift(profile({"x": reference}), {"x": current}, alpha=alpha)
    return found


def test_a_shifted_column_drifts() -> None:
    found = one(random(1).normal(0, 1, 5000), random(2).normal(1, 1, 500))
    assert found.psi > 0.5
    assert found.significant
    assert (found.column, found.test, found.rows) == ("x", "ks", 500)


def test_drift_is_written_down_as_json_and_read_back() -> None:
    labels = random(3).choice(np.array(["a", "b"], object), 500)
    before, after = {"x": random(1).normal(0, 1, 500), "g": labels}, {"x": random(2).normal(1, 1, 500), "g": labels}
    found = drift(profile(before), after)
    written = json.dumps([as_data(one) for one in found])
    assert tuple(from_data(Drift, one) for one in json.loads(written)) == found


def test_false_alarms_stay_within_alpha() -> None:
    alarms = 0
    for seed in range(300):
        values = random(seed).lognormal(size=1300)
        found = one(values[:1000], values[1000:], alpha=0.05)
        alarms += found.significant
    assert alarms <= 26


@pytest.mark.parametrize("rows", [200, 20_000])
def test_psi_of_equal_populations_is_near_zero_whatever_the_sample(rows: int) -> None:
    found = [one(random(seed).normal(size=2000), random(seed + 999).normal(size=rows)).psi for seed in range(20)]
    assert np.mean(found) < 0.03


def test_a_column_that_stops_arriving_is_drift_without_an_error() -> None:
    found = one(random().normal(size=1000), np.full(100, np.nan))
    assert found.psi > 1
    assert found.statistic == 1.0
    assert found.significant


def test_a_larger_share_of_nulls_is_drift() -> None:
    values = random().normal(size=2000)
    current = values[:1000].copy()
    current[:300] = np.nan
    found = one(values, current)
    assert found.psi > 0.2
    assert found.significant


def test_a_constant_that_becomes_another_constant_is_drift() -> None:
    found = one(np.zeros(500), np.full(500, 3.0))
    assert found.psi > 1
    assert found.significant


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (np.ones(5), np.empty(0)),
        (np.empty(0), np.ones(5)),
        (np.array(["a"], dtype=object), np.empty(0, dtype=object)),
    ],
)
def test_no_rows_are_no_drift(reference: NDArray[Any], current: NDArray[Any]) -> None:
    found = one(reference, current)
    assert (found.psi, found.p_value, found.significant) == (0.0, 1.0, False)


def test_categories_are_tested_by_chi_square() -> None:
    reference = np.array(["a", "b"] * 500, dtype=object)
    moved = one(reference, np.array(["a"] * 180 + ["b"] * 20, dtype=object))
    same = one(reference, np.array(["a"] * 102 + ["b"] * 98, dtype=object))
    assert moved.test == "chi-square"
    assert moved.significant and moved.psi > 0.2
    assert not same.significant and same.psi == 0.0


def test_a_label_that_was_never_seen_is_drift() -> None:
    found = one(np.array(["a", "b"] * 500, dtype=object), np.array(["a", "b", "new"] * 50, dtype=object))
    assert found.significant


def test_the_largest_psi_comes_first() -> None:
    values = random().normal(size=1000)
    reference = profile({name: values for name in ("still", "far", "near")})
    found = drift(reference, {"still": values, "far": values + 2, "near": values + 0.5})
    assert [item.column for item in found] == ["far", "near", "still"]


def test_more_columns_ask_for_more_evidence() -> None:
    before, after = random(3).normal(size=500), random(4).normal(0.16, 1, 500)
    p_value = one(before, after).p_value
    columns = {f"x{i}": after for i in range(10)}
    together = drift(profile({name: before for name in columns}), columns, alpha=p_value * 5)
    assert one(before, after, alpha=p_value * 5).significant
    assert not any(item.significant for item in together)


def test_columns_unknown_to_the_reference_are_not_compared() -> None:
    assert drift(profile({"x": np.ones(3)}), {"y": np.ones(3)}) == ()


def test_the_binned_distance_is_a_lower_bound_of_the_unbinned() -> None:
    for seed in range(20):
        before, after = random(seed).normal(size=400), random(seed + 50).normal(0.3, 1.2, 300)
        exact = stats.ks_2samp(before, after).statistic
        assert exact - 0.05 < one(before, after).statistic <= exact + 1e-12


def test_an_alarm_is_not_costly_because_nothing_was_ever_lost() -> None:
    before, after = random(3).normal(size=5000), random(4).normal(0.2, 1, 5000)
    bins = len(profile({"x": before}).as_data()["x"]["counts"]) + 1
    free = Reference(
        profile({"x": before}), losses={"x": (0.0,) * bins}, habits={"x": Habit((1.0,) * 13, (0.0,) * 13, (50.0,) * 13)}
    )
    (found,) = drift(free, {"x": after})
    assert (found.significant, found.severity) == (True, WARNING)
