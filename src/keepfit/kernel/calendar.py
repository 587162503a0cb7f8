"""What the moments of observation tell: calendar parts and public holidays, in a zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.errors import DefinitionError, KeepfitError, MissingExtra
from keepfit.spec.features import Calendar, Holiday

PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda local: local.minute,
    "hour": lambda local: local.hour,
    "weekday": lambda local: local.weekday(),
    "day": lambda local: local.day,
    "week": lambda local: local.isocalendar().week,
    "month": lambda local: local.month,
    "quarter": lambda local: (local.month + 2) // 3,
    "day_of_year": lambda local: local.timetuple().tm_yday,
}


def of_moment(leaf: Calendar | Holiday, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a calendar part, or whether it is a holiday, at each moment (microseconds UTC)."""
    moments, places = np.unique(t, return_inverse=True)
    zone = ZoneInfo(leaf.zone)
    if isinstance(leaf, Calendar):
        part = PARTS[leaf.part]
        parts = [part(clock.from_micros(int(moment)).astimezone(zone)) for moment in moments]
        return np.array(parts, np.float64)[places]
    days = [clock.from_micros(int(moment)).astimezone(zone).date() for moment in moments]
    found = [is_holiday(leaf.country, leaf.subdivision, day) for day in days]
    return np.array(found, np.float64)[places]


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
