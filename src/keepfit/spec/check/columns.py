"""The rules of declared columns: of what kind their words are, and that a value could meet them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from zoneinfo import available_timezones

from keepfit.errors import did_you_mean
from keepfit.spec import moments, patterns
from keepfit.spec.check.problem import Problem, place
from keepfit.spec.columns import BLANKS, Category, Column, Float, Text, Time
from keepfit.spec.sources import Files
from keepfit.spec.tables import Table

Finding = tuple[str, str]  # what is wrong, and the fix
NOT_IN_NUMBERS = "+-"


def malformed_columns(table: Table) -> Iterator[Problem]:
    """What the other rules read must be there: words of columns are texts, numbers, lists."""
    for what, fix in _sentinels(table.sentinels):
        yield Problem(what, place(table), fix)
    for name, column in table.columns.items():
        if not isinstance(column, Column):
            yield Problem(f"column {name!r} has no type: {column!r}", place(table), "call a type: Float(), Category()")
            continue
        found = [*_words(column), *_sentinels(column.sentinels), *_of_kind(column)]
        yield from (Problem(f"column {name!r}: {what}", place(table), fix) for what, fix in found)


def _words(column: Column) -> Iterator[Finding]:
    for what in ("nullable", "unique"):
        if not isinstance(given := getattr(column, what), bool):
            yield f"{what}={given!r} is neither True nor False", f"write {what}=True"
    several = isinstance(column.source, tuple) and isinstance(column, Time)
    if column.source is not None and not _text(column.source) and not (several and _texts(column.source)):
        fix = "write source='<header>'" if not isinstance(column, Time) else "write source=('<header>', '<header>')"
        yield f"source={column.source!r} is no header", fix
    if not _texts(column.aliases, least=0):
        yield f"aliases={column.aliases!r} is no list of headers", "write aliases=['<header>']"
    if column.unit is not None and not _text(column.unit):
        yield f"unit={column.unit!r} is no text", "write unit='kg'"


def _sentinels(given: object) -> Iterator[Finding]:
    held = given if isinstance(given, tuple) else [None]
    if not all(_text(one) or _number(one) for one in held):
        yield f"sentinels={given!r} is no list of texts and numbers", "write sentinels=[-999, 'NA']"


def _of_kind(column: Column) -> Iterator[Finding]:
    if isinstance(column, Float):
        for what in ("min", "max"):
            if (given := getattr(column, what)) is not None and not _number(given):
                yield f"{what}={given!r} is no number", f"write {what}=0, or leave it out"
        yield from _signs(column)
    if isinstance(column, Category) and column.values is not None and not _texts(column.values):
        yield f"values={column.values!r} is no list of texts", "write values=['web', 'store']"
    if isinstance(column, Category | Text) and column.pattern is not None and not isinstance(column.pattern, str):
        yield f"pattern={column.pattern!r} is no text", "write pattern=r'[A-Z]{2}[0-9]+'"
    if isinstance(column, Time):
        for what, example in (("format", "%d.%m.%Y %H:%M"), ("zone", "Europe/London")):
            if (given := getattr(column, what)) is not None and not _text(given):
                yield f"{what}={given!r} is no text", f"write {what}={example!r}"


def _signs(column: Float) -> Iterator[Finding]:
    if column.decimal not in (".", ","):
        yield f"decimal={column.decimal!r} is no decimal sign", "write decimal=',' or leave it out"
    mark = column.thousands
    if mark is None:
        return
    one_sign = isinstance(mark, str) and len(mark) == 1 and not mark.isalnum() and mark not in NOT_IN_NUMBERS
    if not one_sign:
        yield f"thousands={mark!r} is no sign between thousands", "write thousands=','"
    elif mark == column.decimal:
        other = "." if mark == "," else ","
        yield f"{mark!r} is the decimal sign and the sign between thousands", f"add decimal={other!r}"


def bounds_leave_room(table: Table) -> Iterator[Problem]:
    """A number must fit between min and max, and a label must not mean missing."""
    for name, column in table.columns.items():
        if isinstance(column, Float) and column.min is not None and column.max is not None and column.min > column.max:
            what = f"column {name!r} is at least {column.min:g} and at most {column.max:g}"
            yield Problem(what, place(table), "give min <= max")
        for value in (column.values or ()) if isinstance(column, Category) else ():
            if value != value.strip(BLANKS):
                what = f"column {name!r}: {value!r} has blanks around it, and values are read without"
                yield Problem(what, place(table), f"write {value.strip(BLANKS)!r}")
            elif table.contract()[name].is_sentinel(value):
                what = f"column {name!r}: {value!r} is a value, and means that there is none"
                yield Problem(what, place(table), "leave it out of values or of sentinels")


def patterns_are_read_alike(table: Table) -> Iterator[Problem]:
    """A file and a request are held to one pattern, so both engines must read it alike."""
    for name, column in table.columns.items():
        if isinstance(column, Category | Text) and column.pattern is not None:
            try:
                patterns.compiled(column.pattern)
            except ValueError as error:
                fix = (
                    r"use letters, [A-Z], \d \w \s, ( ) |, * + ? {2}; look-around, (?i) and \1 are not read everywhere"
                )
                yield Problem(f"column {name!r}: pattern {column.pattern!r}: {error}", place(table), fix)


def times_can_be_read(table: Table) -> Iterator[Problem]:
    """A format must tell a moment, a zone must exist, and a time without an offset must have a zone."""
    in_names = table.source.columns_in_names() if isinstance(table.source, Files) else {}
    for name, column in table.contract().items():
        if not isinstance(column, Time) or name in table.looked_up():
            continue
        if column.zone is not None and column.zone != table.zone and column.zone not in available_timezones():
            fix = did_you_mean(column.zone, available_timezones())
            yield Problem(f"column {name!r}: unknown zone {column.zone!r}", place(table), fix)
        form = in_names.get(table.header(name))
        if form is not None and column.format is not None:
            fix = f"leave format={column.format!r} out"
            yield Problem(f"column {name!r}: {{{name}:{form}}} is read as a time already", place(table), fix)
        try:
            moments.shape(column.format or "%Y")
        except ValueError as error:
            fix = "write it as strptime reads it: '%d.%m.%Y %H:%M'"
            yield Problem(f"column {name!r}: format {column.format!r}: {error}", place(table), fix)
            continue
        if column.zone is None and (form or (column.format and not moments.has_offset(column.format))):
            fix = "add zone='Europe/London' (or wherever the clock hangs), or end the format with %z"
            yield Problem(f"column {name!r} has times without a zone", place(table), fix)


def times_are_times(table: Table) -> Iterator[Problem]:
    """What says when a row happened, or became known, is a Time; what says whom it is about is none."""
    for name in table.time_columns():
        column = table.contract()[name]
        if not isinstance(column, Time):
            fix = f"declare it as Time(source={table.header(name)!r}), or leave it out of columns"
            if name in table.looked_up():
                fix = f"take a time of {table.lookup.of.name if table.lookup else ''}"
            yield Problem(f"{name!r} is the time of {table.name}, but declared as {column.kind}", place(table), fix)
    if isinstance(table.contract()[table.entity], Time):
        fix = "name the column that says what predictions are about; keys are compared as text"
        yield Problem(f"the entity {table.entity!r} is a time", place(table), fix)


def headers_are_told_apart(table: Table) -> Iterator[Problem]:
    """A header that is an alias belongs to one column."""
    owners: dict[str, list[str]] = {}
    for name in table.contract():
        ways = [way for way in table.headers_of(name) if len(way) == 1]
        for header in dict.fromkeys(header for (header,) in ways):
            owners.setdefault(header, []).append(name)
    aliases = {alias for column in table.columns.values() for alias in column.aliases}
    for header in (header for header, names in owners.items() if len(names) > 1 and header in aliases):
        what = f"the header {header!r} is that of {' and '.join(map(repr, owners[header]))}"
        yield Problem(what, place(table), "let one column have it")
    for name, column in table.columns.items():
        for alias, times in Counter(column.aliases).items():
            if times > 1 or (alias,) == table.headers_of(name)[0]:
                yield Problem(f"column {name!r} names the header {alias!r} twice", place(table), "name it once")


def _text(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())


def _texts(given: object, least: int = 1) -> bool:
    return isinstance(given, tuple) and len(given) >= least and all(map(_text, given))


def _number(given: object) -> bool:
    """Whether a 64-bit float can hold it."""
    try:
        return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
    except OverflowError:
        return False


COLUMN_RULES: tuple[Callable[[Table], Iterator[Problem]], ...] = (
    bounds_leave_room,
    patterns_are_read_alike,
    times_can_be_read,
    times_are_times,
    headers_are_told_apart,
)
