"""The parts of a split are apart in time by the target's horizon, whatever the moments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepfit.clock import DAY
from keepfit.errors import TrainingError
from keepfit.stages.training.split import SHARE, folds, split

MOMENTS = st.lists(st.integers(0, 300), min_size=1, max_size=120).map(
    lambda days: np.array(sorted(days), np.int64) * DAY
)


def parts_of(t, horizon):
    """The split, or None where time is too short."""
    try:
        return split(t, horizon)
    except TrainingError:
        return None


@given(MOMENTS, st.integers(1, 90))
def test_whatever_was_learnt_from_is_over_before_what_it_is_judged_on(t, days):
    horizon = days * DAY
    found = parts_of(t, horizon)
    if found is None:
        return
    assert t[found.train].max() + horizon <= t[found.validation].min()
    assert t[found.validation].max() + horizon <= t[found.test].min()
    assert found.test[t > t[found.test].min()].all()
    assert not (found.train & found.validation).any()
    assert not (found.fitted & found.test).any()
    assert (found.fitted == (found.train | found.validation)).all()


@given(MOMENTS, st.integers(1, 90))
def test_rows_of_one_moment_are_never_parted(t, days):
    found = parts_of(t, days * DAY)
    if found is None:
        return
    for part in (found.train, found.validation, found.test):
        assert not set(t[part]) & set(t[~part])


@given(st.integers(3, 60), st.integers(1, 5))
def test_the_newest_tenth_of_the_moments_is_the_test(count, rows):
    t = np.repeat(np.arange(count, dtype=np.int64), rows) * DAY
    found = split(t, DAY)
    tenth = max(1, int(count * SHARE))
    assert found.test.sum() == found.validation.sum() == tenth * rows
    assert found.train.sum() == (count - 2 * tenth) * rows


def test_rows_between_the_parts_belong_to_none():
    found = split(np.arange(10, dtype=np.int64) * DAY, 3 * DAY)
    assert np.flatnonzero(found.test).tolist() == [9]
    assert np.flatnonzero(found.validation).tolist() == [6]
    assert np.flatnonzero(found.train).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("days", [[0], [0, 1], [0, 0, 0], [0, 1, 2], list(range(60))])
def test_a_past_that_is_too_short_says_so_with_its_bounds(days):
    t = np.array(days, np.int64) * DAY
    with pytest.raises(TrainingError, match="cannot be split into train, validation and test 30d apart") as raised:
        split(t, 30 * DAY)
    assert f"{len(set(days))} moments of observation, 1970-01-01 to" in raised.value.what
    assert "wait for more history" in raised.value.fix


def test_no_rows_cannot_be_split():
    with pytest.raises(TrainingError, match="there are no rows to split"):
        split(np.empty(0, np.int64), DAY)


@given(MOMENTS, st.integers(1, 60), st.integers(1, 4))
def test_every_fold_learns_only_from_what_was_over_before_its_own_test(t, days, count):
    horizon = days * DAY
    try:
        found = folds(t, horizon, count)
    except TrainingError:
        return
    assert len(found) == count
    test_from = t[split(t, horizon).test].min()
    for fold in found:
        assert t[fold.train].max() + horizon <= t[fold.validation].min()
        assert t[fold.validation].max() + horizon <= t[fold.test].min()
        assert t[fold.test].max() + horizon <= test_from
    for older, newer in pairwise(found):
        assert t[older.test].max() < t[newer.test].min()


def test_folds_are_tested_on_neighbouring_tenths():
    t = np.arange(40, dtype=np.int64) * DAY
    found = folds(t, DAY, 3)
    assert [np.flatnonzero(fold.test).tolist() for fold in found] == [
        [24, 25, 26, 27],
        [28, 29, 30, 31],
        [32, 33, 34, 35],
    ]
    assert [int(fold.train.sum()) for fold in found] == [20, 24, 28]


def test_more_folds_than_time_allows_are_refused_with_the_number_that_fits():
    t = np.arange(10, dtype=np.int64) * DAY
    with pytest.raises(TrainingError) as refused:
        folds(t, 2 * DAY, 9)
    assert refused.value.what == "10 moments of observation are enough for 4 of 9 folds"
    assert "ask for 4 folds" in refused.value.fix
    assert len(folds(t, 2 * DAY, 4)) == 4


@given(MOMENTS, st.integers(1, 60), st.integers(1, 400))
def test_a_test_of_a_declared_length_has_the_rows_of_that_time_and_no_others(t, days, length):
    try:
        found = split(t, days * DAY, length * DAY)
    except TrainingError:
        return
    assert (found.test == (t > t.max() - length * DAY)).all()
    assert t[found.validation].max() + days * DAY <= t[found.test].min()
    assert t[found.train].max() + days * DAY <= t[found.validation].min()


def test_folds_end_before_a_test_of_a_declared_length():
    t = np.arange(40, dtype=np.int64) * DAY
    found = folds(t, DAY, 2, 10 * DAY)
    assert [np.flatnonzero(fold.test).tolist() for fold in found] == [[22, 23, 24, 25], [26, 27, 28, 29]]
