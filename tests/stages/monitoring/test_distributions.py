"""Columns in numbers and in parts: no row is lost, and the same rows say the same in any order."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.evidence.watched import MISSING, OTHERS, Bin
from keepfit.stages.monitoring.describing import described
from keepfit.stages.monitoring.distributions import PARTS, distributions
from keepfit.stages.monitoring.profile import profile
from keepfit.stages.monitoring.reference import Reference


def parts(before: Any, now: Any) -> tuple[Bin, ...]:
    reference = profile({"x": np.asarray(before)})
    (found,) = distributions(reference, reference.count({"x": np.asarray(now)}))
    return found.bins


@settings(deadline=None)
@given(st.lists(st.floats(allow_infinity=False), max_size=300), st.lists(st.floats(), max_size=60))
def test_every_row_is_in_one_part(before: list[float], now: list[float]) -> None:
    found = parts(np.array(before, np.float64), np.array(now, np.float64))
    assert sum(one.before for one in found) == len(before)
    assert sum(one.now for one in found) == len(now)


def test_parts_are_few_and_a_value_of_many_rows_is_a_part() -> None:
    numbers = np.random.default_rng(0)
    before = np.where(numbers.random(4000) < 0.3, 0.0, numbers.exponential(20, 4000))
    found = parts(np.where(np.arange(4000) % 20 == 0, np.nan, before), before[:900] * 2)
    assert found[0].kind == MISSING and found[0].before == 200
    assert (found[1].low, found[1].high) == (0.0, 0.0) and found[1].before > 1000
    assert len(found) <= PARTS + 2
    ends = [(one.low, one.high) for one in found[2:]]
    assert ends[0][0] == 0.0 and ends[-1][1] is None
    assert [high for _, high in ends[:-1]] == [low for low, _ in ends[1:]]


def test_labels_that_are_frequent_now_or_then_are_named() -> None:
    before = np.array([f"l{place % 30:02}" for place in range(600)] + ["rare"], object)
    found = parts(before, np.array(["rare"] * 50 + ["new"] * 5, object))
    assert len(found) == PARTS + 1 and found[-1].kind == OTHERS
    assert (found[-1].before, found[-1].now) == (601 - 1 - 9 * 20, 5)
    assert next(one.now for one in found if one.label == "rare") == 50


def test_a_column_in_numbers() -> None:
    (x,) = described({"x": np.array([3.0, 1.0, np.nan, 2.0, 2.0])}).values()
    assert (x.rows, x.missing, x.distinct, x.min, x.max) == (5, 1, 3, 1.0, 3.0)
    assert (x.mean, x.std) == (2.0, pytest.approx(0.5**0.5))
    assert (x.quantiles["0.25"], x.quantiles["0.5"], x.quantiles["0.95"]) == (1.0, 2.0, 3.0)
    (s,) = described({"s": np.array(["b", "a", None, "a"], object)}).values()
    assert (s.rows, s.missing, s.distinct, s.mean) == (4, 1, 2, None)
    assert s.top == {"a": 2 / 3, "b": 1 / 3}
    assert described({"x": np.array([np.nan])})["x"].mean is None


def test_a_reference_keeps_its_numbers() -> None:
    rows = {"x": np.arange(50.0), "s": np.array(["a", "b"] * 25, object)}
    found = Reference(profile(rows), stats=described(rows))
    assert Reference.from_data(json.loads(json.dumps(found.as_data(), allow_nan=False))) == found
