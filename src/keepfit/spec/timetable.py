"""What a policy says of times: how often, at which hours not, and by which timetable. Nothing here reads a clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from keepfit import clock

CHANGE = timedelta(days=2)
PERIODS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _HOUR = "|".join(DAYS), r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"
_QUIET = (
    rf"(?:(?P<first>{_DAY})(?:-(?P<last>{_DAY}))?\s+)?(?P<start>{_HOUR})-(?P<end>{_HOUR})(?:\s+(?P<zone>[\w/+-]+))?"
)


@dataclass(frozen=True)
class Rate:
    """So many in a period: '4 per year'.

    Attributes
    ----------
    period : int
        Microseconds.
    """

    count: int
    period: int
    unit: str

    @staticmethod
    @lru_cache
    def parse(text: str) -> Rate:
        """Return the rate that a text says.

        Raises
        ------
        ValueError
            If it says none.
        """
        match = re.fullmatch(rf"\s*(\d+)\s+per\s+({'|'.join(PERIODS)})\s*", text)
        if not match or not int(match[1]):
            raise ValueError(f"{text!r} is not a rate; write '1 per quarter': a whole number per {', '.join(PERIODS)}")
        return Rate(int(match[1]), PERIODS[match[2]] * clock.DAY, match[2])


@dataclass(frozen=True)
class Quiet:
    """Hours of some days of the week, in a zone; they may go over midnight, and then belong to the day that they begin on.

    Attributes
    ----------
    days : tuple of int
        0 is Monday.
    start, end : int
        Minutes of the day.
    """

    days: tuple[int, ...]
    start: int
    end: int
    zone: str

    @staticmethod
    @lru_cache
    def parse(text: str) -> Quiet:
        """Return the hours that a text says, such as 'mon-fri 08:00-18:00 Europe/London'.

        Raises
        ------
        ValueError
            If it says none, or all of them.
        """
        match = re.fullmatch(_QUIET, text.strip(), re.IGNORECASE)
        if not match:
            raise ValueError(f"{text!r} says no hours; write 'mon-fri 08:00-18:00 Europe/London'")
        found = match.groupdict()
        start, end = _minutes(found["start"]), _minutes(found["end"])
        days = _days(found["first"], found["last"])
        if start == end or start == 24 * 60 or (start == 0 and end == 24 * 60 and len(days) == 7):
            raise ValueError(f"{text!r} leaves no hour, or has none; write 'mon-fri 08:00-18:00 Europe/London'")
        return Quiet(days, start, end, known_zone(found["zone"] or "UTC"))

    def end_of(self, moment: int) -> int | None:
        """Return when the quiet that a moment lies in ends, and None if it lies in none; microseconds UTC."""
        now, found = clock.from_micros(moment), None
        while (until := self._end(now)) is not None:
            found = now = until
        return None if found is None else clock.to_micros(found)

    def _end(self, now: datetime) -> datetime | None:
        """Return the end of the hours that a moment of UTC lies in, in UTC: clocks that are set back repeat an hour."""
        midnight = now.astimezone(ZoneInfo(self.zone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        minutes = self.end if self.end > self.start else self.end + 24 * 60
        for began in (midnight, midnight - timedelta(days=1)):
            start, end = _utc(_at(began, self.start)), _utc(_at(began, minutes).replace(fold=1))
            if began.weekday() in self.days and start <= now < end:
                return end
        return None


def last_scheduled(cron: str, zone: str, moment: int) -> int:
    """Return the last moment of a timetable at or before another one; microseconds UTC.

    Raises
    ------
    ValueError
        If the timetable or the zone is none, or the timetable never comes.
    """
    from cronsim import CronSim, CronSimError

    place, now = ZoneInfo(known_zone(zone)), clock.from_micros(moment)
    # the step back is from what lies after the moment: a timetable knows whole minutes
    after = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    try:
        found: datetime = next(CronSim(cron, after.astimezone(place), reverse=True))
        if (after - CHANGE).astimezone(place).utcoffset() != (after + CHANGE).astimezone(place).utcoffset():
            # beside a change of the hour the step back may miss one; steps ahead do not
            found = max(
                takewhile(lambda one: one <= now, map(_utc, CronSim(cron, (now - CHANGE).astimezone(place)))),
                default=found,
            )
    except (CronSimError, StopIteration) as error:
        raise ValueError(
            f"{cron!r} is no timetable ({error or 'it never comes'}); write five fields: '0 6 1 * *'"
        ) from None
    return clock.to_micros(found.astimezone(UTC))


def known_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write one such as 'Europe/London'") from None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _days(first: str | None, last: str | None) -> tuple[int, ...]:
    if first is None:
        return tuple(range(7))
    start, end = DAYS.index(first.lower()), DAYS.index((last or first).lower())
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def _at(midnight: datetime, minutes: int) -> datetime:
    """Return a time of a day as its clocks show it, whatever a change of the hour does."""
    day = midnight + timedelta(days=minutes // (24 * 60))
    return day.replace(hour=minutes // 60 % 24, minute=minutes % 60)
