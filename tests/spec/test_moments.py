"""What a format of a time reads, and which zones keep one offset."""

from __future__ import annotations

import re

import pytest

from keepfit.spec import moments


@pytest.mark.parametrize(
    ("format", "reads", "refuses"),
    [
        ("%d.%m.%Y", ["1.6.2025", "01.06.2025", "31.02.2025"], ["1.6.25", "32.1.2025", "01.06.2025 ", "1/6/2025"]),
        ("%Y%m%d", ["20250601"], ["2025601", "202561"]),
        ("%H:%M %d/%m/%y", ["9:05 1/6/25"], ["24:00 1/6/25", "9:60 1/6/25"]),
        ("%d %B %Y", ["1 June 2025", "1 JUNE 2025"], ["1 Jun 2025"]),
        ("%Y-%m-%dT%H:%M:%S.%f%z", ["2025-06-01T00:00:00.5Z", "2025-06-01T00:00:00.5+0200"], ["2025-06-01T00:00:00.5"]),
    ],
)
def test_a_format_reads_what_leaves_no_doubt(format, reads, refuses):
    assert [text for text in (*reads, *refuses) if re.fullmatch(moments.shape(format), text)] == reads


@pytest.mark.parametrize(
    ("format", "reason"),
    [
        ("%d.%m", "does not tell the year"),
        ("%Y %H", "does not tell the month"),
        ("%Y-%j", "%j is none of"),
        ("%c", "%c is none of"),
        ("%Y-%m %b", "tells the month twice"),
        ("%Y-%m-%d %I:%M", "%I and %p need each other"),
        ("%Y-%m-%d %H:%M %p", "%I and %p need each other"),
        ("%z %Y", "%z stands at the end"),
        (" %Y", "begins or ends with a blank"),
        ("", "does not tell the year"),
        ("%Y%", "% is none of"),
    ],
)
def test_a_format_that_tells_no_moment_is_refused_with_the_reason(format, reason):
    with pytest.raises(ValueError, match=reason):
        moments.shape(format)


def test_a_text_that_fits_the_format_may_still_be_no_day():
    with pytest.raises(ValueError, match="is not a time"):
        moments.micros("31.02.2025", "%d.%m.%Y", "UTC")


def test_zones_that_keep_one_offset_are_told_from_those_that_do_not():
    hours = {
        zone: moments.fixed_offset(zone)
        for zone in ("Asia/Kolkata", "UTC", "Etc/GMT+3", "Europe/London", "Asia/Shanghai")
    }
    five = 5.5 * 3600e6
    assert hours == {
        "Asia/Kolkata": five,
        "UTC": 0,
        "Etc/GMT+3": -3 * 3600e6,
        "Europe/London": None,
        "Asia/Shanghai": None,
    }
