"""Bounds never cross, and hold the score."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keepfit.artifact import Interval, interval_from

NUMBERS = st.floats(-1e6, 1e6)


def around(score, low, high, widen):
    return Interval(0.9, widen, True).around(np.array([score]), (np.array([low]), np.array([high])))[0].tolist()


def test_learnt_quantiles_are_widened_by_what_they_missed():
    assert around(5.0, 3.0, 8.0, 0.5) == [5.0, 2.5, 8.5]
    assert around(5.0, 3.0, 8.0, -0.5) == [5.0, 3.5, 7.5]


def test_quantiles_that_cross_change_places():
    assert around(5.0, 8.0, 3.0, 0.5) == [5.0, 2.5, 8.5]


def test_bounds_narrowed_past_each_other_meet_in_the_middle():
    assert around(6.0, 5.0, 7.0, -3.0) == [6.0, 6.0, 6.0]


def test_a_score_beyond_a_bound_takes_it_along():
    assert around(9.0, 3.0, 8.0, 0.0) == [9.0, 3.0, 9.0]
    assert around(1.0, 3.0, 8.0, 0.0) == [1.0, 1.0, 8.0]


def test_without_learnt_quantiles_bounds_are_as_far_from_every_score():
    found = Interval(0.9, 2.0, False).around(np.array([1.0, 5.0]))
    assert found.tolist() == [[1.0, -1.0, 3.0], [5.0, 3.0, 7.0]]


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_score_lies_within_its_bounds(score, low, high, widen):
    found = around(score, low, high, widen)
    assert found[1] <= score == found[0] <= found[2]


def test_it_is_plain_data_and_back():
    one = Interval(0.8, -1.5, True)
    assert interval_from(one.as_data()) == one
    assert interval_from(None) is None
