"""Column types of a contract: what a raw value must look like to be let in.

`parse` is the contract for one value; the ingest room compiles the same rules to SQL and a test holds the two equal.
A new type is one class here and one branch in the SQL compiler.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar

Value = str | int | float | bool | None

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
# the numbers a contract accepts; one pattern for Python and for SQL, so that a request and a file agree
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
INTEGER = r"[+-]?[0-9]+(\.0*)?"
LARGEST_INTEGER = 2**53
# what may stand around a value; str.strip() alone would take more than SQL's trim
BLANKS = " \t\r\n"
# ISO 8601 with one way to write an offset; what else Python and a database take for a time, they do not agree on
OFFSET = r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)"
DATE = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
MOMENT = DATE + r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?" + OFFSET + "?)?"


@dataclass(frozen=True)
class Column:
    """A declared column.

    Parameters
    ----------
    nullable : bool
        Whether an empty value is allowed.
    source : str or None
        The header the column has in raw files, if it is not the column's own name.
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
    source: str | None = None
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    unique: bool = False
    sentinels: tuple[str | float, ...] = ()
    kind: ClassVar[str] = "column"
    numeric: ClassVar[bool] = False

    def parse(self, raw: object) -> Value:
        """Return the typed value of one raw value; empty text is null.

        Raises
        ------
        ValueError
            With the reason, worded as it stands in the quarantine.
        """
        text = "" if raw is None else _text(raw).strip(BLANKS)
        if text == "":
            if not self.nullable:
                raise ValueError("is missing")
            return None
        return self._parse(text)

    def _parse(self, text: str) -> Value:
        return text


def _text(raw: object) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)


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

    def _parse(self, text: str) -> Value:
        if not re.fullmatch(NUMBER, text) or math.isinf(number := float(text)):
            raise ValueError("is not a number")
        self._check_bounds(number)
        return number

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
        if not re.fullmatch(INTEGER, text) or abs(number := int(text.split(".")[0])) > LARGEST_INTEGER:
            raise ValueError("is not a whole number")
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

    def __post_init__(self) -> None:
        if self.values is not None:
            object.__setattr__(self, "values", tuple(self.values))

    def _parse(self, text: str) -> Value:
        if self.values is not None and text not in self.values:
            raise ValueError("is not one of " + ", ".join(self.values))
        return text


@dataclass(frozen=True)
class Text(Column):
    """Free text; features come from it through `derive`. With a `pattern`, a regular expression, the whole text must match it."""

    pattern: str | None = None
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Time(Column):
    """A moment, stored in UTC; for `time=`, `known=`, or to be kept.

    Parameters
    ----------
    source : str, or tuple of str
        The header in raw files; of several, their values are joined by a blank and read as one: ('year', 'month', 'day', 'hour').
    format : str or None
        As strptime reads it: '%d.%m.%Y %H:%M'. None: ISO 8601.
    zone : str or None
        The IANA zone of local times; None: the table's.
    """

    source: str | tuple[str, ...] | None = None
    format: str | None = None
    zone: str | None = None
    kind: ClassVar[str] = "time"

    def __post_init__(self) -> None:
        if self.source is not None and not isinstance(self.source, str):
            object.__setattr__(self, "source", tuple(self.source))
