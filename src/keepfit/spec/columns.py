"""Column types of a contract: what a raw value must look like to be let in.

`parse` is the contract for one value; the ingest room compiles the same rules to SQL and a test holds the two equal.
A new type is one class here and one branch in the SQL compiler.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

from keepfit.spec import moments, patterns

Value = str | int | float | bool | None

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
LARGEST_INTEGER = 2**53
# what may stand around a value: what a database takes for blanks when it reads a number, and no more
BLANKS = " \t\r\n\v\f"


@lru_cache
def number_shape(decimal: str = ".", thousands: str | None = None, *, whole: bool = False) -> str:
    """Return the numbers a contract accepts; one pattern for Python and for SQL, so that a request and a file agree.

    A sign between thousands stands before two or three digits (in India: 12,34,567), before the last three at least, and
    not behind a leading 0: what it does not fit was meant as a decimal sign.
    """
    point, digits = re.escape(decimal), "[0-9]+"
    if thousands is not None:
        mark = re.escape(thousands)
        digits = f"([0-9]+|[1-9][0-9]{{0,2}}({mark}[0-9]{{2,3}})*{mark}[0-9]{{3}})"
    if whole:
        return f"[+-]?{digits}({point}0*)?"
    return f"[+-]?({digits}{point}?[0-9]*|{point}[0-9]+)([eE][+-]?[0-9]+)?"


def as_tuple(given: Any) -> Any:
    """Return a list of values as a tuple; a text, or what is no list at all, as it is for `check` to report."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else given


@dataclass(frozen=True)
class Column:
    """A declared column.

    Parameters
    ----------
    nullable : bool
        Whether an empty value is allowed.
    source : str or None
        The header the column has in raw files, if it is not the column's own name. Only a `Time` may have several.
    aliases : tuple of str
        Other headers that it has in some of the files.
    unit : str or None
        What its numbers are measured in, as pages and papers write it.
    unique : bool
        Whether a value may come once only; a later row that repeats it breaks the contract.
    sentinels : tuple of str and numbers
        Values that mean missing, such as -999 or 'NA'.
    """

    nullable: bool = True
    source: str | tuple[str, ...] | None = None
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    unique: bool = False
    sentinels: tuple[str | float, ...] = ()
    kind: ClassVar[str] = "column"
    numeric: ClassVar[bool] = False
    lists: ClassVar[tuple[str, ...]] = ("source", "aliases", "sentinels")

    def __post_init__(self) -> None:
        for name in self.lists:
            object.__setattr__(self, name, as_tuple(getattr(self, name)))

    def parse(self, raw: object) -> Value:
        """Return the typed value of one raw value; empty text is null.

        Raises
        ------
        ValueError
            With the reason, worded as it stands in the quarantine.
        """
        text = "" if raw is None else self._written(raw).strip(BLANKS)
        if text == "" or (self.sentinels and self.is_sentinel(text)):
            if not self.nullable:
                raise ValueError("is missing")
            return None
        return self._parse(text)

    def as_held(self) -> Self:
        """Return the column without the ways in which files write it: its values as they stand in the lake."""
        return replace(self, source=None, aliases=(), sentinels=(), unique=False)

    def is_sentinel(self, text: str) -> bool:
        """Return whether a text without blanks around it means that there is no value."""
        return text in self.sentinel_texts()

    def sentinel_texts(self) -> tuple[str, ...]:
        """Return the sentinels as texts; a number may be written with a point or without."""
        return tuple(dict.fromkeys(text for one in self.sentinels for text in _spelled(one)))

    def _written(self, raw: object) -> str:
        return str(raw).lower() if isinstance(raw, bool) else str(raw)

    def _parse(self, text: str) -> Value:
        return text


def _spelled(sentinel: str | float) -> tuple[str, ...]:
    if isinstance(sentinel, str):
        return (sentinel.strip(BLANKS),)
    whole = (str(int(sentinel)),) if float(sentinel).is_integer() else ()
    return (*whole, repr(float(sentinel)))


@dataclass(frozen=True)
class Float(Column):
    """A number, stored as a 64-bit float.

    Parameters
    ----------
    min, max : float or None
        Inclusive bounds in the column's own unit.
    decimal : str
        The decimal sign: '.' or ','.
    thousands : str or None
        The sign between thousands, such as ',' or '.'.
    """

    min: float | None = None
    max: float | None = None
    decimal: str = "."
    thousands: str | None = None
    kind: ClassVar[str] = "float"
    numeric: ClassVar[bool] = True

    def as_held(self) -> Self:
        """Return the column without the ways in which files write it."""
        return replace(super().as_held(), decimal=".", thousands=None)

    def shape(self, *, whole: bool = False) -> str:
        """Return the regular expression of the numbers it accepts, as they are written."""
        return number_shape(self.decimal, self.thousands, whole=whole)

    def is_sentinel(self, text: str) -> bool:
        """Return whether a text is a sentinel, or the number that one is."""
        if text in self.sentinel_texts():
            return True
        numbers = self.sentinel_numbers()
        return bool(numbers) and re.fullmatch(self.shape(), text) is not None and float(self.plain(text)) in numbers

    def sentinel_texts(self) -> tuple[str, ...]:
        """Return the sentinels that are texts."""
        return tuple(one.strip(BLANKS) for one in self.sentinels if isinstance(one, str))

    def sentinel_numbers(self) -> tuple[float, ...]:
        """Return the sentinels that are numbers."""
        return tuple(float(one) for one in self.sentinels if not isinstance(one, str))

    def _written(self, raw: object) -> str:
        # a number in a JSON body has a point, however the files write theirs
        number = isinstance(raw, int | float) and not isinstance(raw, bool)
        return str(raw).replace(".", self.decimal) if number else super()._written(raw)

    def plain(self, text: str) -> str:
        """Return a number's text with a point and nothing between its digits."""
        without = text.replace(self.thousands, "") if self.thousands else text
        return without if self.decimal == "." else without.replace(self.decimal, ".")

    def _parse(self, text: str) -> Value:
        if not re.fullmatch(self.shape(), text) or math.isinf(number := float(self.plain(text))):
            raise ValueError("is not a number")
        self._check_bounds(number)
        return number + 0.0  # there is one zero: files and databases do not keep the sign of another

    def _check_bounds(self, number: float) -> None:
        if self.min is not None and number < self.min:
            raise ValueError(f"is below {self.min:g}")
        if self.max is not None and number > self.max:
            raise ValueError(f"is above {self.max:g}")


@dataclass(frozen=True)
class Integer(Float):
    """A whole number within +-2**53; '17850.0' is accepted as 17850."""

    kind: ClassVar[str] = "integer"

    def _parse(self, text: str) -> Value:
        if not re.fullmatch(self.shape(whole=True), text):
            raise ValueError("is not a whole number")
        digits = self.plain(text).split(".")[0].lstrip("+-0") or "0"
        # int() reads no text of thousands of digits
        if len(digits) > len(str(LARGEST_INTEGER)) or int(digits) > LARGEST_INTEGER:
            raise ValueError("is not a whole number")
        number = -int(digits) if text.startswith("-") else int(digits)
        self._check_bounds(number)
        return number


@dataclass(frozen=True)
class Boolean(Column):
    """Yes or no: true/false, t/f, yes/no, y/n, 1/0 in any case. Aggregates see 1 and 0."""

    kind: ClassVar[str] = "boolean"
    numeric: ClassVar[bool] = True

    def _parse(self, text: str) -> Value:
        if (word := text.lower()) in (*TRUE, *FALSE):
            return word in TRUE
        raise ValueError("is neither yes nor no")


@dataclass(frozen=True)
class Category(Column):
    """One of a set of labels; with `values` or a `pattern`, a regular expression, any other label goes to quarantine."""

    values: tuple[str, ...] | None = None
    pattern: str | None = None
    kind: ClassVar[str] = "category"
    lists: ClassVar[tuple[str, ...]] = (*Column.lists, "values")

    def _parse(self, text: str) -> Value:
        if self.values is not None and text not in self.values:
            raise ValueError("is not one of " + ", ".join(self.values))
        return _matching(text, self.pattern)


@dataclass(frozen=True)
class Text(Column):
    """Free text; features come from it through `derive`. With a `pattern`, a regular expression, the whole text must match it."""

    pattern: str | None = None
    kind: ClassVar[str] = "text"

    def _parse(self, text: str) -> Value:
        return _matching(text, self.pattern)


def _matching(text: str, pattern: str | None) -> str:
    if pattern is not None and not patterns.compiled(pattern).fullmatch(text):
        raise ValueError(f"does not match {pattern}")
    return text


@dataclass(frozen=True)
class Time(Column):
    """A moment, stored in UTC; for `time=`, `known=`, or to be kept.

    Parameters
    ----------
    source : str, or tuple of str
        The header in raw files; of several, their values are joined by a blank and read as one: ('year', 'month', 'day', 'hour').
        If one of them is missing, so is the time.
    format : str or None
        As strptime reads it: '%d.%m.%Y %H:%M'; of %Y %y %m %b %B %d %H %I %p %M %S %f %a %A %z. None: ISO 8601.
    zone : str or None
        The IANA zone of local times; None: the table's.
    """

    format: str | None = None
    zone: str | None = None
    kind: ClassVar[str] = "time"

    def as_held(self) -> Self:
        """Return the column without the ways in which files write it."""
        return replace(super().as_held(), format=None)

    def _parse(self, text: str) -> Value:
        return moments.micros(text, self.format, self.zone)
