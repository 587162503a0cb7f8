"""Durations, grids and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepfit import clock

MOMENTS = st.integers(
    clock.to_micros(datetime(1960, 1, 1, tzinfo=UTC)), clock.to_micros(datetime(2100, 1, 1, tzinfo=UTC))
)
GRIDS = st.tuples(st.integers(1, 30), st.sampled_from(["month", "week", "day", "hour"])).map(
    lambda one: f"{one[0]} {one[1]}s"
)


def micros(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def shown(grid: str, start: str, end: str) -> list[str]:
    return [clock.show(moment) for moment in clock.Grid(grid).moments(micros(start), micros(end))]


@given(st.integers(1, 10**6), st.sampled_from(sorted(clock.UNITS)))
def test_a_duration_survives_being_written_and_read(count, unit):
    span = clock.duration(f"{count}{unit}")
    assert span == count * clock.UNITS[unit]
    assert clock.duration(clock.duration_text(span)) == span


@pytest.mark.parametrize(
    ("text", "short"),
    [("90d", "90d"), ("2w", "14d"), ("24h", "1d"), (" 90 min ", "90min"), ("120s", "2min"), ("7s", "7s")],
)
def test_a_duration_is_written_in_its_largest_whole_unit(text, short):
    assert clock.duration_text(clock.duration(text)) == short


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5h", "1 month", "30D", "3d4h", "1y"])
def test_what_is_no_exact_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration; write a whole number and a unit"):
        clock.duration(text)


@pytest.mark.parametrize("text", ["0d", "00s"])
def test_no_time_at_all_is_no_duration(text):
    with pytest.raises(ValueError, match=f"'{text}' is not a duration; write at least 1s"):
        clock.duration(text)


@given(MOMENTS)
def test_a_moment_survives_the_way_to_microseconds_and_back(moment):
    assert clock.to_micros(clock.from_micros(moment)) == moment


def test_a_moment_without_a_zone_has_no_microseconds():
    with pytest.raises(ValueError, match="has no time zone"):
        clock.to_micros(datetime(2025, 6, 1))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-06-01", datetime(2025, 6, 1, tzinfo=UTC)),
        (" 2025-06-01T12:00:00Z ", datetime(2025, 6, 1, 12, tzinfo=UTC)),
        ("2025-06-01T00:30+02:00", datetime(2025, 5, 31, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_utc(text, moment):
    read = clock.parse_moment(text)
    assert read == moment
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2025-06-01T12:00:00", "has no time zone; append Z"),
        ("2025-06-01 00:00", "has no time zone"),
        ("yesterday", "is not a date or time"),
        ("01.06.2025", "is not a date or time"),
        ("2025-02-30", "is not a date or time"),
        ("", "is not a date or time"),
    ],
)
def test_a_moment_that_could_mean_several_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        clock.parse_moment(text)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_moment_with_any_offset_is_the_same_moment(moment, minutes):
    elsewhere = clock.from_micros(moment).astimezone(timezone(timedelta(minutes=minutes)))
    assert micros(elsewhere.isoformat()) == moment


def test_a_moment_is_shown_as_short_as_it_is():
    assert clock.show(micros("2025-06-01")) == "2025-06-01"
    assert clock.show(micros("2025-06-01T12:30:05+02:00")) == "2025-06-01T10:30:05Z"


def test_months_begin_on_the_first():
    assert shown("1 month", "2024-12-15", "2025-03-01") == ["2025-01-01", "2025-02-01", "2025-03-01"]


def test_weeks_begin_on_monday():
    assert shown("1 week", "2025-06-01", "2025-06-16") == ["2025-06-02", "2025-06-09", "2025-06-16"]
    assert clock.from_micros(clock.Grid("1 week").at_or_before(micros("1969-12-31"))).weekday() == 0


def test_multiples_are_counted_from_1970():
    assert shown("3 months", "2025-02-10", "2025-12-31") == ["2025-04-01", "2025-07-01", "2025-10-01"]
    assert shown("5 months", "1970-01-01", "1971-01-01") == ["1970-01-01", "1970-06-01", "1970-11-01"]
    assert shown("2 days", "1970-01-02", "1970-01-06") == ["1970-01-03", "1970-01-05"]
    assert shown("6 hours", "2025-06-01", "2025-06-01T12:00Z") == [
        "2025-06-01",
        "2025-06-01T06:00:00Z",
        "2025-06-01T12:00:00Z",
    ]


@given(GRIDS, MOMENTS, st.integers(0, 400 * clock.DAY), st.integers(0, 400 * clock.DAY))
def test_a_grid_has_the_same_moments_whatever_range_is_asked_for(every, start, before, after):
    grid = clock.Grid(every)
    wide = grid.moments(start - before, start + after)
    assert grid.moments(start, start + after) == [moment for moment in wide if moment >= start]


@given(GRIDS, MOMENTS)
def test_no_grid_moment_lies_between_a_moment_and_the_one_at_or_before_it(every, moment):
    grid = clock.Grid(every)
    found = grid.at_or_before(moment)
    assert found <= moment
    assert grid.at_or_before(found) == found
    assert grid.moments(found, moment) == [found]
    assert not grid.moments(found + 1, moment)


@given(GRIDS, MOMENTS)
def test_the_step_is_the_shortest_that_lies_between_two_moments_of_a_grid(every, start):
    grid = clock.Grid(every)
    first, second = grid.moments(start, start + 2 * 30 * 31 * clock.DAY)[:2]
    assert second - first >= grid.step
    assert grid.unit == "month" or second - first == grid.step


@pytest.mark.parametrize("every", ["month", "0 months", "1 year", "1d", "-1 day", "1.5 days", ""])
def test_what_is_no_grid_is_refused(every):
    with pytest.raises(ValueError, match="is not a grid; write '1 month'"):
        clock.Grid(every)
