"""Time as keepfit sees it: microseconds since 1970 UTC, half-open intervals `[start, end)`, calendar grids.

Nothing here reads a clock. `as_of` enters at the command line and is handed down from there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MICROSECOND = 1
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
UNITS = {"s": SECOND, "min": 60 * SECOND, "h": HOUR, "d": DAY, "w": WEEK}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 1970-01-01 was a Thursday; weekly grids start on Mondays.
FIRST_MONDAY = 4 * DAY


def duration(text: str) -> int:
    """Return the microseconds in an exact duration such as '90d', '24h', '2w', '15min'.

    Raises
    ------
    ValueError
        If the text is not a positive whole number and one of the units s, min, h, d, w. A month is not
        an exact duration; it exists only as a calendar grid of observation.
    """
    match = re.fullmatch(r"\s*(\d+)\s*(s|min|h|d|w)\s*", text)
    if match and int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write at least 1s")
    if not match:
        raise ValueError(f"{text!r} is not a duration; write a whole number and a unit: 30d, 24h, 2w, 15min, 10s")
    return int(match[1]) * UNITS[match[2]]


def duration_text(microseconds: int) -> str:
    """Return the shortest exact text of a duration: 2592000000000 -> '30d'."""
    for unit in ("d", "h", "min", "s"):
        if microseconds % UNITS[unit] == 0:
            return f"{microseconds // UNITS[unit]}{unit}"
    return f"{microseconds}us"


def to_micros(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(microseconds: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware datetime."""
    return EPOCH + timedelta(microseconds=microseconds)


def parse_moment(text: str) -> datetime:
    """Return an aware UTC datetime from ISO 8601 text; a plain date is its midnight in UTC.

    Raises
    ------
    ValueError
        If the text is no ISO 8601 date or time, or is a time of day without an offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date or time; write 2025-06-01 or 2025-06-01T12:00:00Z") from None
    if moment.tzinfo is None:
        if len(text.strip()) > len("2025-06-01"):
            raise ValueError(f"{text!r} has no time zone; append Z for UTC or an offset such as +02:00")
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def show(microseconds: int) -> str:
    """Return a moment as short ISO text in UTC: a date if it is midnight, else to the second."""
    moment = from_micros(microseconds)
    if microseconds % DAY == 0:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Grid:
    """The moments of a calendar grid in UTC: every month, week, day or hour, or a multiple of these.

    Months begin on the 1st and weeks on Monday, at 00:00. Multiples are counted from 1970, so the
    same grid has the same moments whatever range is asked for.
    """

    def __init__(self, every: str) -> None:
        match = re.fullmatch(r"\s*(\d+)\s*(month|week|day|hour)s?\s*", every)
        if match and int(match[1]) > 0:
            self.count, self.unit = int(match[1]), match[2]
        else:
            raise ValueError(f"{every!r} is not a grid; write '1 month', '1 week', '1 day' or '6 hours'")

    @property
    def step(self) -> int:
        """The grid's step in microseconds; for months the shortest a step can be."""
        days = {"month": 28 * DAY, "week": WEEK, "day": DAY, "hour": HOUR}
        return self.count * days[self.unit]

    def at_or_before(self, moment: int) -> int:
        """Return the last grid moment <= `moment` (both microseconds UTC)."""
        if self.unit == "month":
            day = from_micros(moment)
            months = (day.year - 1970) * 12 + day.month - 1
            return self._month(months - months % self.count)
        origin = FIRST_MONDAY if self.unit == "week" else 0
        return moment - (moment - origin) % self.step

    def moments(self, start: int, end: int) -> list[int]:
        """Return the grid moments in `[start, end]`, in order; both ends count."""
        found, moment = [], self.at_or_before(start)
        while moment <= end:
            if moment >= start:
                found.append(moment)
            moment = self._next(moment)
        return found

    def _next(self, moment: int) -> int:
        if self.unit != "month":
            return moment + self.step
        day = from_micros(moment)
        return self._month((day.year - 1970) * 12 + day.month - 1 + self.count)

    @staticmethod
    def _month(months: int) -> int:
        return to_micros(datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC))
