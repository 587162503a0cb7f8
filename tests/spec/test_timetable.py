"""What a policy says of times, as texts and as moments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepfit import clock
from keepfit.spec.timetable import Quiet, Rate, last_scheduled


def micros(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def ends(text: str, moment: str) -> str | None:
    end = Quiet.parse(text).end_of(micros(moment))
    return None if end is None else clock.show(end)


@pytest.mark.parametrize(("text", "days"), [("4 per year", 365), ("1 per quarter", 91), (" 2  per day ", 1)])
def test_a_rate_is_a_number_in_a_period(text, days):
    assert Rate.parse(text).period == days * clock.DAY


@pytest.mark.parametrize("text", ["4", "per year", "0 per year", "-1 per day", "4 per fortnight", "1.5 per year", ""])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="is not a rate"):
        Rate.parse(text)


def test_quiet_hours_end_as_the_clocks_of_their_zone_show():
    assert ends("mon-fri 08:00-18:00 Europe/London", "2026-06-01T07:30:00Z") == "2026-06-01T17:00:00Z"
    assert ends("mon-fri 08:00-18:00 Europe/London", "2026-12-01T07:30:00Z") is None
    assert ends("mon-fri 08:00-18:00", "2026-06-06T12:00:00Z") is None


def test_hours_over_midnight_belong_to_the_day_they_begin_on():
    assert ends("fri 22:00-06:00", "2026-06-06T05:00:00Z") == "2026-06-06T06:00:00Z"
    assert ends("fri 22:00-06:00", "2026-06-05T05:00:00Z") is None
    assert ends("22:00-06:00", "2026-06-01T06:00:00Z") is None


def test_whole_days_that_follow_each_other_are_one_quiet():
    assert ends("sat-mon 00:00-24:00", "2026-06-06T10:00:00Z") == "2026-06-09"


@pytest.mark.parametrize(
    "text",
    [
        "8-18",
        "mon-fry 08:00-18:00",
        "08:00-08:00",
        "00:00-24:00",
        "08:00-18:00 Mars/Base",
        "25:00-26:00",
        "24:00-00:00",
    ],
)
def test_what_says_no_hours_is_refused(text):
    with pytest.raises(ValueError, match=r"no hours|no hour|no time zone"):
        Quiet.parse(text)


@given(
    st.integers(0, 4 * 10**15),
    st.sampled_from(["fri-mon 00:00-24:00", "22:00-06:00 Asia/Kolkata", "sun 01:00-03:00 Europe/London"]),
)
def test_when_quiet_ends_it_has_ended(moment, text):
    end = Quiet.parse(text).end_of(moment)
    assert end is None or (end > moment and Quiet.parse(text).end_of(end) is None)


@given(st.integers(0, 4 * 10**15), st.sampled_from(["0 6 1 * *", "30 1 * * *", "*/5 * * * mon", "0 0 29 2 *"]))
def test_the_last_moment_of_a_timetable_is_not_after_the_moment_and_comes_again_from_itself(moment, cron):
    last = last_scheduled(cron, "UTC", moment)
    assert last <= moment
    assert last_scheduled(cron, "UTC", last) == last


def test_a_timetable_is_read_in_its_zone():
    assert clock.show(last_scheduled("0 6 * * 1", "Europe/London", micros("2026-06-02"))) == "2026-06-01T05:00:00Z"


@pytest.mark.parametrize(("cron", "zone"), [("soon", "UTC"), ("0 0 31 2 *", "UTC"), ("0 6 1 * *", "Mars/Base")])
def test_what_is_no_timetable_is_refused(cron, zone):
    with pytest.raises(ValueError, match="write"):
        last_scheduled(cron, zone, 0)


def test_no_moment_is_missed_when_clocks_are_set_back():
    at = micros("2025-10-26T01:10:00Z")  # 01:10 in London for the second time
    assert clock.show(last_scheduled("30 1 * * *", "Europe/London", at)) == "2025-10-26T00:30:00Z"
    assert clock.show(last_scheduled("15 * * * *", "Europe/London", at)) == "2025-10-26T00:15:00Z"
    assert ends("01:00-01:30 Europe/London", "2025-10-26T01:15:00Z") == "2025-10-26T01:30:00Z"
