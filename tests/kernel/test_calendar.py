"""The calendar of many moments against datetime and zoneinfo, one moment after the other."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo
from zoneinfo._zoneinfo import ZoneInfo as Readable  # of Python, so that its transitions can be read

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit import clock
from keepfit.kernel.calendar import _ahead, _offsets, is_holiday, of_moment
from keepfit.spec.features import CALENDAR_PARTS, Calendar, Holiday

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",  # half an hour
    "Asia/Kathmandu",  # 45 minutes
    "Australia/Lord_Howe",  # summer time of half an hour
    "Pacific/Chatham",  # 45 minutes and summer time
    "Europe/Dublin",  # negative summer time
    "Africa/Casablanca",  # summer time but in Ramadan
    "Europe/Amsterdam",  # seconds before 1937
    "Africa/Monrovia",  # seconds until 1972
    "Pacific/Apia",  # went without 2011-12-30
]
PARTS = {
    "minute": lambda local: local.minute,
    "hour": lambda local: local.hour,
    "weekday": lambda local: local.weekday(),
    "day": lambda local: local.day,
    "week": lambda local: local.isocalendar().week,
    "month": lambda local: local.month,
    "quarter": lambda local: (local.month + 2) // 3,
    "day_of_year": lambda local: local.timetuple().tm_yday,
}
FROM, UNTIL = (clock.to_micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (1900, 2101))


def changes(zone):
    """Return the moments at which a zone's offset changes, by its table of transitions."""
    known = Readable.no_cache(zone)
    offset, found = known._tti_before and known._tti_before.utcoff, []
    for second, told in zip(known._trans_utc, known._ttinfos, strict=True):
        if told.utcoff != offset:
            found.append(second * clock.SECOND)
        offset = told.utcoff
    return found


CHANGES = {zone: [one for one in changes(zone) if FROM < one < UNTIL] for zone in ZONES}


@st.composite
def zones_and_moments(draw):
    zone = draw(st.sampled_from(ZONES))
    moments = st.integers(FROM, UNTIL)
    if CHANGES[zone]:
        moments |= st.builds(int.__add__, st.sampled_from(CHANGES[zone]), st.integers(-3 * clock.HOUR, 3 * clock.HOUR))
        moments |= st.builds(int.__add__, st.sampled_from(CHANGES[zone]), st.integers(-1, 1))
    return zone, draw(st.lists(moments, min_size=1, max_size=40))


@given(zones_and_moments())
@settings(max_examples=150, deadline=None)
def test_every_part_is_that_of_zoneinfo(drawn):
    zone, moments = drawn
    local = [clock.from_micros(one).astimezone(ZoneInfo(zone)) for one in moments]
    assert set(PARTS) == set(CALENDAR_PARTS)
    for part, of in PARTS.items():
        wanted = [of(one) for one in local]
        assert of_moment(Calendar(part, zone), np.array(moments)).tolist() == wanted
        assert of_moment(Calendar(part, zone), np.array(moments[:1])).tolist() == wanted[:1]


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_are_exact_around_every_change(zone):
    steps = (-clock.HOUR, -clock.SECOND, -1, 0, 1, clock.SECOND, clock.HOUR)
    moments = [one + step for one in CHANGES[zone] for step in steps] or [0, 1]
    wanted = [_ahead(ZoneInfo(zone), one) for one in moments]
    assert _offsets(zone, np.array(moments)).tolist() == wanted


def test_no_zone_changes_its_offset_twice_within_a_day():
    for zone in zoneinfo.available_timezones():
        assert all(np.diff(changes(zone)) > clock.DAY), zone


def test_holidays_are_those_of_the_local_date():
    start = clock.to_micros(datetime(2024, 12, 20, tzinfo=UTC))
    t = np.arange(start, start + 20 * clock.DAY, clock.HOUR)
    new_year = Holiday("DE", zone="Pacific/Chatham")
    local = [clock.from_micros(int(one)).astimezone(ZoneInfo("Pacific/Chatham")).date() for one in t]
    assert of_moment(new_year, t).tolist() == [is_holiday("DE", None, day) for day in local]
    assert of_moment(new_year, t[:1]).tolist() == [0.0]


def test_a_slice_of_moments_in_any_order_is_read_alike():
    t = np.array([clock.to_micros(datetime(1969, 12, 31, 23, tzinfo=UTC) + timedelta(hours=one)) for one in range(6)])
    hours = of_moment(Calendar("hour", "Asia/Kathmandu"), t)
    assert of_moment(Calendar("hour", "Asia/Kathmandu"), t[::-2]).tolist() == hours[::-2].tolist()
