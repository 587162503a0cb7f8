"""A table's time is cut into periods of the calendar that a reader sees at once."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import clock
from keepfit.engines.periods import MOST, bucket_of, cut, gaps, gathered


def at(text):
    return clock.to_micros(clock.parse_moment(text))


@pytest.mark.parametrize(
    ("first", "last", "step", "periods"),
    [
        ("2025-01-01", "2025-01-01", "1 hour", 1),
        ("2025-01-01", "2025-01-03T05:00:00Z", "1 hour", 54),
        ("2025-01-01", "2025-02-28", "1 day", 59),
        ("2024-01-01", "2024-12-31", "1 week", 53),
        ("2020-01-01", "2025-06-17", "1 month", 66),
        ("2010-05-01", "2025-06-17", "3 months", 61),
        ("1965-01-01", "2025-06-17", "12 months", 61),
        ("1000-01-01", "2999-12-31", "1200 months", 21),
    ],
)
def test_the_finest_calendar_step_with_few_enough_periods_is_taken(first, last, step, periods):
    found, starts = cut(at(first), at(last))
    assert (found, len(starts)) == (step, periods)
    assert starts[0] <= at(first) and starts[-1] <= at(last) and len(starts) <= MOST


def test_counts_of_buckets_are_gathered_into_the_period_they_lie_in():
    _, starts = cut(at("2020-01-01"), at("2023-12-31"))
    days = np.array([at("2020-01-31"), at("2020-02-01"), at("2020-02-29"), at("2023-12-31")])
    found = gathered(starts, days, np.array([1, 2, 3, 4]))
    assert (found[0], found[1], found[-1], found.sum()) == (1, 5, 4, 10)


def test_gaps_are_the_longest_first_and_to_the_bucket():
    hours = [0, 1, 2, 5, 6, 40]
    found = gaps([hour * clock.HOUR for hour in hours], clock.HOUR)
    assert [(gap.from_at // clock.HOUR, gap.to_at // clock.HOUR) for gap in found] == [(7, 40), (3, 5)]
    assert gaps([0], clock.HOUR) == ()


def test_rows_are_counted_by_the_hour_in_a_young_table_and_by_the_day_in_an_old_one():
    assert bucket_of(at("2024-01-01"), at("2025-12-31")) == clock.HOUR
    assert bucket_of(at("2020-01-01"), at("2025-12-31")) == clock.DAY
