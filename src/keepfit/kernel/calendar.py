"""What the moments of observation tell: calendar parts and public holidays, in a zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.errors import DefinitionError, KeepfitError, MissingExtra
from keepfit.spec.features import Calendar, Holiday

Days = NDArray[np.int64]
FIRST = clock.EPOCH.date()
MINUTE = 60 * clock.SECOND
MONDAY = 3  # what to add to days since 1970-01-01, a Thursday, to count weeks from their Mondays

PARTS: dict[str, Callable[[Days, Days], Days]] = {  # of the local days since 1970 and the minutes since midnight
    "minute": lambda days, minutes: minutes % 60,
    "hour": lambda days, minutes: minutes // 60,
    "weekday": lambda days, minutes: (days + MONDAY) % 7,
    "day": lambda days, minutes: days - _begin(days, "M") + 1,
    "week": lambda days, minutes: _week(days),
    "month": lambda days, minutes: _month(days),
    "quarter": lambda days, minutes: (_month(days) + 2) // 3,
    "day_of_year": lambda days, minutes: days - _begin(days, "Y") + 1,
}


def of_moment(leaf: Calendar | Holiday, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a calendar part, or whether it is a holiday, at each moment (microseconds UTC)."""
    if not len(t):
        return np.empty(0, np.float64)
    local = t + _offsets(leaf.zone, t)
    days = local // clock.DAY
    if isinstance(leaf, Calendar):
        return PARTS[leaf.part](days, (local - days * clock.DAY) // MINUTE).astype(np.float64)
    return _of_days(days, lambda day: is_holiday(leaf.country, leaf.subdivision, FIRST + timedelta(day)), np.float64)


def _offsets(zone: str, t: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what the zone's clocks are ahead of UTC at each moment, in microseconds."""
    if len(t) == 1:
        return np.array([_ahead(ZoneInfo(zone), int(t[0]))])
    turns = _of_days(t // clock.DAY, lambda day: _turn(zone, day), np.int64, 3)
    found: NDArray[np.int64] = np.where(t < turns[:, 1], turns[:, 0], turns[:, 2])
    return found


@lru_cache(maxsize=100_000)
def _turn(zone: str, day: int) -> tuple[int, int, int]:
    """Return the zone's offset as a day of UTC begins, when it changes, and the offset then.

    Offsets change at whole seconds, and in no zone twice within a day.
    """
    clocks, start = ZoneInfo(zone), day * clock.DAY
    low, high = start, start + clock.DAY - clock.SECOND
    before, after = _ahead(clocks, low), _ahead(clocks, high)
    if before == after:
        return before, start, after
    while high - low > clock.SECOND:
        middle = low + (high - low) // clock.SECOND // 2 * clock.SECOND
        low, high = (middle, high) if _ahead(clocks, middle) == before else (low, middle)
    return before, high, after


def _ahead(clocks: ZoneInfo, moment: int) -> int:
    offset = clock.from_micros(moment).astimezone(clocks).utcoffset() or timedelta()
    return (offset.days * 86_400 + offset.seconds) * clock.SECOND


def _of_days(days: Days, value: Callable[[int], Any], kind: type[Any], *each: int) -> NDArray[Any]:
    """Return a value, or `each` many, for every day, computed once for each that occurs."""
    if len(days) == 1:
        return np.array([value(int(days[0]))], kind)
    first = days.min()
    places = days - first
    occurs = np.zeros(places.max() + 1, np.bool_)
    occurs[places] = True
    table = np.zeros((len(occurs), *each), kind)
    for place in np.flatnonzero(occurs):
        table[place] = value(int(first + place))
    found: NDArray[Any] = table[places]
    return found


def _begin(days: Days, unit: Literal["M", "Y"]) -> Days:
    """Return the first day of the month or the year."""
    return days.view("M8[D]").astype(f"M8[{unit}]").astype("M8[D]").view(np.int64)


def _month(days: Days) -> Days:
    return days.view("M8[D]").astype("M8[M]").view(np.int64) % 12 + 1


def _week(days: Days) -> Days:
    """Return the ISO week: the year it belongs to is that of its Thursday."""
    thursdays = days - (days + MONDAY) % 7 + 3
    return (thursdays - _begin(thursdays, "Y")) // 7 + 1


def is_holiday(country: str, subdivision: str | None, day: date) -> bool:
    """Return whether a date is a public holiday."""
    return day in _holidays(country, subdivision, day.year)


def refusal(leaf: Holiday) -> KeepfitError | None:
    """Return why a holiday cannot be computed; None if it can."""
    try:
        _holidays(leaf.country, leaf.subdivision, 2000)
    except KeepfitError as error:
        return error
    return None


@lru_cache(maxsize=2000)
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    try:
        import holidays
    except ImportError:
        raise MissingExtra("holidays", f"Holiday({country!r})") from None
    try:
        known: Any = holidays.country_holidays(country, subdiv=subdivision, years=year)
    except (NotImplementedError, AttributeError, TypeError) as error:  # a name in the library that is no country
        where = f"Holiday({country!r}, {subdivision!r})"
        what = f"no holidays are known for {where}: {error}"
        raise DefinitionError(what, where=where, fix="use an ISO 3166 code such as 'GB', or 'DE' with 'BY'") from None
    return frozenset(known)
