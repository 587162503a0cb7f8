"""A profile keeps every row in exactly one bin, and comes back from JSON as it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from keepfit.stages.monitoring.profile import BINS, LABELS, Labels, Numbers, Profile, profile

NUMBERS = st.lists(st.floats(), max_size=80)
WORDS = st.lists(st.none() | st.text(max_size=2), max_size=80)


def numbers_of(found: Profile) -> Numbers:
    column = found.columns["x"]
    assert isinstance(column, Numbers)
    return column


def labels_of(found: Profile) -> Labels:
    column = found.columns["s"]
    assert isinstance(column, Labels)
    return column


def labels(*values: Any) -> NDArray[Any]:
    return np.array(values, dtype=object)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, WORDS, WORDS)
def test_every_row_is_counted_once(
    numbers: list[float], later_numbers: list[float], words: list[str | None], later_words: list[str | None]
) -> None:
    reference = profile({"x": np.array(numbers, dtype=np.float64), "s": labels(*words)})
    current = reference.count({"x": np.array(later_numbers, dtype=np.float64), "s": labels(*later_words)})
    for counted, rows in ((reference, (numbers, words)), (current, (later_numbers, later_words))):
        x, s = numbers_of(counted), labels_of(counted)
        assert sum(x.counts) + x.nulls == len(rows[0])
        assert sum(s.counts.values()) + s.rest + s.nulls == len(rows[1])
        assert len(x.counts) == len(x.edges) + 1


@settings(deadline=None)
@given(NUMBERS, WORDS)
def test_a_profile_survives_json(numbers: list[float], words: list[str | None]) -> None:
    found = profile({"x": np.array(numbers, dtype=np.float64), "s": labels(*words)})
    assert Profile.from_data(json.loads(json.dumps(found.as_data(), allow_nan=False))) == found


def test_many_values_fall_into_32_even_bins() -> None:
    found = numbers_of(profile({"x": np.random.default_rng(0).normal(size=3200)}))
    assert len(found.counts) == BINS
    assert min(found.counts) >= 99
    assert max(found.counts) <= 101


def test_few_values_have_bins_of_their_own() -> None:
    found = profile({"x": np.array([0.0, 0.0, 1.0, 2.0, np.nan])})
    assert sorted(numbers_of(found).counts)[-3:] == [1, 1, 2]
    assert numbers_of(found).nulls == 1
    between = numbers_of(found.count({"x": np.array([0.5, -1.0, 3.0])}))
    together = np.array(between.counts) * np.array(numbers_of(found).counts)
    assert not together.any()


def test_a_heavy_value_among_many_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(500), np.linspace(0.001, 1, 500)])
    counts = numbers_of(profile({"x": values})).counts
    assert max(counts) == 500


def test_the_most_frequent_labels_are_kept_and_the_rest_counted_together() -> None:
    values = [f"label {i}" for i in range(LABELS + 5) for _ in range(2 if i < LABELS else 1)]
    found = labels_of(profile({"s": labels(*values, None, float("nan"))}))
    assert len(found.counts) == LABELS
    assert set(found.counts.values()) == {2}
    assert (found.rest, found.nulls) == (5, 2)


def test_the_order_of_rows_does_not_matter() -> None:
    assert profile({"s": labels("b", "a", "b", "c")}) == profile({"s": labels("c", "b", "b", "a")})


def test_labels_new_to_the_profile_are_in_the_rest() -> None:
    current = labels_of(profile({"s": labels("a", "b")}).count({"s": labels("a", "new", "newer", None)}))
    assert (current.counts, current.rest, current.nulls) == ({"a": 1, "b": 0}, 2, 1)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_a_column_without_values_has_one_bin(values: list[float]) -> None:
    found = numbers_of(profile({"x": np.array(values, dtype=np.float64)}))
    assert (found.edges, found.counts, found.nulls) == ((), (0,), len(values))


def test_columns_unknown_to_the_profile_are_not_counted() -> None:
    assert profile({"x": np.ones(2)}).count({"y": np.ones(2)}).columns == {}


def test_a_number_column_that_arrives_as_objects_is_counted_as_numbers() -> None:
    current = numbers_of(profile({"x": np.array([1.0, 2.0])}).count({"x": labels(None, 1.0)}))
    assert (sum(current.counts), current.nulls) == (1, 1)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, WORDS, WORDS)
def test_profiles_of_parts_add_up_to_that_of_the_whole(
    numbers: list[float], more_numbers: list[float], words: list[str | None], more_words: list[str | None]
) -> None:
    reference = profile({"x": np.array([-1.0, 0.0, 2.5] * 9), "s": labels("a", "", "b")})
    parts = [
        reference.count({"x": np.array(x, np.float64), "s": labels(*s)})
        for x, s in ((numbers, words), (more_numbers, more_words))
    ]
    whole = reference.count({"x": np.array(numbers + more_numbers, np.float64), "s": labels(*words, *more_words)})
    assert parts[0] + parts[1] == whole


@pytest.mark.parametrize("other", [{"x": np.ones(2)}, {"y": np.zeros(2)}, {"x": labels("a")}])
def test_profiles_of_other_bins_do_not_add_up(other: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ValueError, match=r"bins|only one|add up"):
        profile({"x": np.zeros(2)}) + profile(other)
