"""In which format a column's times are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

from keepfit.spec import moments

CLOCKS = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", " %H.%M",
    " %H.%M.%S",
)  # fmt: skip
DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y",
    "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d%b%Y",
)  # fmt: skip
PACKED = (
    "%Y-%m", "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d %H%M", "%Y%m%d %H:%M", "%Y%m%d %H:%M:%S",
    "%Y%m%dT%H%M%S",
)  # fmt: skip
FORMATS = tuple(date + clock for date, clock in product(DATES, CLOCKS)) + PACKED
ONLY_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H.%M", "%H.%M.%S", "%I:%M %p", "%I:%M:%S %p", "%H%M")
# of a whole number alone nobody knows whether it is a time, unless its year is one of these
LIKELY_YEARS = range(1900, 2100)
A_NUMBER = re.compile(r"[+-]?[0-9]*[.,]?[0-9]*")
PARTS = {
    "%Y": ("year", "yr", "yyyy"),
    "%m": ("month", "mo", "mon", "mm"),
    "%d": ("day", "dy", "dd", "mday"),
    "%H": ("hour", "hr", "hh"),
    "%M": ("minute", "min", "mi"),
    "%S": ("second", "sec"),
}


@dataclass(frozen=True)
class Written:
    """How times are written.

    Attributes
    ----------
    format : str or None
        As strptime reads it; None is ISO 8601.
    zoned : bool
        Whether each says its offset.
    doubt : str
        What cannot be told from the values, if anything.
    """

    format: str | None
    zoned: bool = False
    doubt: str = ""


def written(texts: Sequence[str]) -> Written | None:
    """Return how texts are written if nearly all of them are times; texts without any are none."""
    if not texts or not all(any(sign.isdigit() for sign in text) for text in texts[:20]):
        return None
    iso = [found for text in texts if (found := _iso().fullmatch(text))]
    if len(iso) >= _most(texts):
        return Written(None, zoned=all(found[_OFFSET] for found in iso))
    whole = all(text.isdigit() for text in texts[:20])
    if not whole and all(map(A_NUMBER.fullmatch, texts[:20])):
        return None
    fits = [form for form in (PACKED if whole else FORMATS) if _fits(form, texts)]
    for form in fits:
        if whole and not all(int(text[:4]) in LIKELY_YEARS for text in texts):
            continue
        return Written(form, doubt=_doubt(form, fits))
    zoned = [f"{form}{gap}%z" for form in FORMATS for gap in ("", " ") if "%H" in form or "%I" in form]
    with_offset = next((form for form in zoned if _fits(form, texts)), None) if texts[0][-1:].isdigit() else None
    return Written(with_offset, zoned=True) if with_offset else None


def only_clock(texts: Sequence[str]) -> str | None:
    """Return the format of texts that are times of the day without a day."""
    return next(
        (form for form in ONLY_CLOCKS if texts and _fits(form, texts, day="2000-01-01 ", ahead="%Y-%m-%d ")), None
    )


def parts(names: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """Return the columns that a moment is split into, and the format of their values joined by blanks; at least to the day."""
    found: list[tuple[str, str]] = []
    for directive, words in PARTS.items():
        name = next((name for name in names if name in words), None)
        if name is None:
            break
        found.append((name, directive))
    if len(found) < 3:
        return None
    return tuple(name for name, _ in found), " ".join(directive for _, directive in found)


_OFFSET = 5  # the group of MOMENT that holds the offset


@lru_cache
def _iso() -> re.Pattern[str]:
    return re.compile(moments.MOMENT)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(moments.shape(form))


def _fits(form: str, texts: Sequence[str], day: str = "", ahead: str = "") -> bool:
    fits = _pattern(ahead + form).fullmatch
    # most formats fail at the first text
    if not any(fits(day + text) for text in texts[:3]):
        return False
    return sum(1 for text in texts if fits(day + text)) >= _most(texts)


def _most(texts: Sequence[str]) -> float:
    return 0.98 * len(texts)


def _doubt(form: str, fits: Sequence[str]) -> str:
    turned = form.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    return f"day or month first? no day above 12 was seen; else {turned!r}" if turned != form and turned in fits else ""
