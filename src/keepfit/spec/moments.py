"""Times as files write them: ISO 8601, or a format of strptime.

Both are held to a regular expression first, one for Python and for SQL: what else Python and a database take for a time, they
do not agree on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from keepfit import clock

# ISO 8601 with one way to write an offset
OFFSET = r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)"
DATE = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
MOMENT = DATE + r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?" + OFFSET + "?)?"

NO_TIME, NO_ZONE = "is not a time", "has no time zone; append Z or an offset"

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _any_case(words: Sequence[str]) -> str:
    return "(" + "|".join("".join(f"[{one.upper()}{one.lower()}]" for one in word) for word in words) + ")"


# what a directive tells, how it is written, and how where no digit stands beside it
NUMBERS = {
    "Y": ("year", "[12][0-9]{3}", "[12][0-9]{3}"),
    "y": ("year", "[0-9]{2}", "[0-9]{2}"),
    "m": ("month", "(0[1-9]|1[0-2])", "(0?[1-9]|1[0-2])"),
    "d": ("day", "(0[1-9]|[12][0-9]|3[01])", "(0?[1-9]|[12][0-9]|3[01])"),
    "H": ("hour", "([01][0-9]|2[0-3])", "([01]?[0-9]|2[0-3])"),
    "I": ("hour", "(0[1-9]|1[0-2])", "(0?[1-9]|1[0-2])"),
    "M": ("minute", "[0-5][0-9]", "[0-5]?[0-9]"),
    "S": ("second", "[0-5][0-9]", "[0-5]?[0-9]"),
    "f": ("fraction", "[0-9]{6}", "[0-9]{1,6}"),
}
WORDS = {
    "b": ("month", _any_case([month[:3] for month in MONTHS])),
    "B": ("month", _any_case(MONTHS)),
    "a": ("weekday", _any_case([day[:3] for day in DAYS])),
    "A": ("weekday", _any_case(DAYS)),
    "p": ("half of the day", "[AaPp][Mm]"),
    "z": ("offset", r"(Z|[+-](0[0-9]|1[0-5]):?[0-5][0-9])"),
}
# each needs the ones before it
UNITS = ("year", "month", "day", "hour", "minute", "second", "fraction")


@lru_cache
def shape(format: str) -> str:
    """Return the regular expression of what a format reads: of strptime's ways to write a time, those that leave no doubt.

    Where a number stands beside another one, it has all its digits: '%Y%m%d' does not read 2025111.

    Raises
    ------
    ValueError
        With the reason, if the format cannot be read.
    """
    if format != format.strip():
        raise ValueError("it begins or ends with a blank")
    pieces = re.findall(r"%.|[^%]|%", format, re.DOTALL)
    _require_a_moment([piece[1:] for piece in pieces if piece.startswith("%") and piece != "%%"])
    if "%z" in pieces[:-1]:
        raise ValueError("%z stands at the end")
    digits = [piece[1:] in NUMBERS if len(piece) == 2 else piece.isdigit() for piece in pieces]
    beside = [before or after for before, after in zip([False, *digits], [*digits[1:], False], strict=False)]
    return "".join(_shape(piece, bool(crowded)) for piece, crowded in zip(pieces, beside, strict=True))


def _shape(piece: str, crowded: bool) -> str:
    if len(piece) == 1:
        return re.escape(piece)
    if piece[1] in NUMBERS:
        return NUMBERS[piece[1]][1 if crowded else 2]
    return WORDS[piece[1]][1] if piece[1] in WORDS else "%"


def _require_a_moment(directives: Sequence[str]) -> None:
    known = {name: told[0] for name, told in (NUMBERS | WORDS).items()}
    for name in directives:
        if name not in known:
            raise ValueError(f"%{name} is none of {' '.join('%' + one for one in known)} %%")
    told = [known[name] for name in directives]
    for unit in told:
        if told.count(unit) > 1:
            raise ValueError(f"it tells the {unit} twice")
    finest = max((UNITS.index(unit) for unit in told if unit in UNITS), default=0)
    for unit in UNITS[: finest + 1]:
        if unit not in told:
            raise ValueError(f"it does not tell the {unit}")
    if ("I" in directives) != ("p" in directives):
        raise ValueError("%I and %p need each other; %H is the hour from 0 to 23")


def has_offset(format: str | None) -> bool:
    """Return whether every time of a format says its offset from UTC."""
    return format is not None and format.endswith("%z") and not format.endswith("%%z")


def micros(text: str, format: str | None, zone: str | None) -> int:
    """Return a time as microseconds UTC.

    An hour that the clock of `zone` shows twice is taken as the second, one that it skips as if it had not: as the engine does.

    Raises
    ------
    ValueError
        If the text is no time, or a local one and there is no zone.
    """
    moment = _read(text, format)
    if moment.tzinfo is not None:
        return clock.to_micros(moment)
    if zone is None:
        raise ValueError(NO_ZONE)
    local = moment.replace(tzinfo=ZoneInfo(zone))
    return max(clock.to_micros(local), clock.to_micros(local.replace(fold=1)))


def _read(text: str, format: str | None) -> datetime:
    if re.fullmatch(MOMENT if format is None else shape(format), text):
        try:
            # without a zone if the text has none; `micros` adds it
            return datetime.fromisoformat(text) if format is None else datetime.strptime(text, format)  # noqa: DTZ007
        except ValueError:
            pass
    raise ValueError(NO_TIME)


@lru_cache
def fixed_offset(zone: str) -> int | None:
    """Return a zone's offset from UTC in microseconds if it has had one alone since 1970, and will; None if not.

    Every week is looked at, for as long as a rule that is in force today would show: no zone ever changed its clock for less.
    """
    there = ZoneInfo(zone)
    weeks = (clock.from_micros(week * clock.WEEK) for week in range(53 * 72))
    offsets = {week.astimezone(there).utcoffset() for week in weeks}
    (first, *others) = offsets
    return None if others or first is None else round(first.total_seconds() * clock.SECOND)
