"""A contract for the many: what most values of a file are let in by, without trimming or matching them."""

from __future__ import annotations

import math
import re
import sys

from sqlglot import exp

from keepfit.engines.sql.contract import in_utc, local, plain, truth, typed
from keepfit.engines.sql.trees import Sql, among, call, is_null, is_there, number, one_zero, text, try_cast, when, whole
from keepfit.spec import moments
from keepfit.spec.columns import BLANKS, LARGEST_INTEGER, Boolean, Category, Column, Float, Integer, Text, Time

EARLIEST, LATEST = "1000-01-01", "2999-12-31 23:59:59.999999"  # of MOMENT
SINCE = "1970-01-01"  # from when on a zone's one offset is known to hold
UTC_SIGNS = ("Z", "+00:00")


def read_first(column: Column, raw: Sql) -> Sql | None:
    """Return what `quick` would compute several times, for an inner query to compute once; None if there is nothing."""
    return local(column, raw) if isinstance(column, Time) and column.format is None else None


def quick(column: Column, raw: Sql, value: Sql | None = None, first: Sql | None = None) -> tuple[Sql, Sql]:
    """Return the value of raw text, and whether the contract lets in the text with exactly this value.

    The second is never null. False says only that the text needs a closer look: by `typed` and `broken`.

    Parameters
    ----------
    raw : sqlglot expression
        The text as it stands in the file.
    value : sqlglot expression, optional
        By what name the second knows the first, if an inner query has it; else it is computed again.
    first : sqlglot expression, optional
        By what name `read_first` is known, if an inner query has it.
    """
    if isinstance(column, Float):
        found, right = _number_and_right(column, raw, _value(column, raw), value)
    elif isinstance(column, Time) and column.format is None:
        first = local(column, raw) if first is None else first
        found = _moment(column, raw, first)
        known = found if value is None else value
        right = _if_read(column, raw, exp.and_(is_there(known), _written_in_full(column, raw, first)))
    else:
        found = _value(column, raw)
        known = found if value is None else value
        if isinstance(column, Boolean | Time):
            right = _if_read(column, raw, is_there(known))
        else:
            empty = is_null(raw) if column.nullable else exp.false()
            right = call("coalesce", exp.and_(*_of_words(column, raw)), empty)
    return _beside_texts(column, raw, found, right)


def parsed(column: Float, number: Sql, value: Sql) -> tuple[Sql, Sql]:
    """Return the same as `quick` of what is a number already; it stood there as a number, or was empty.

    Parameters
    ----------
    value : sqlglot expression
        By what name the second knows the first.
    """
    return _number_and_right(column, number, one_zero(number.copy()), value)


def is_read_as_written(column: Column) -> bool:
    """Return whether `parsed` says what the text would say: DuckDB reads numbers as the contract does."""
    if not isinstance(column, Float) or isinstance(column, Integer):
        return False
    return column.decimal == "." and column.thousands is None and not _numbers_of_texts(column)


def _number_and_right(column: Float, raw: Sql, number_: Sql, value: Sql | None) -> tuple[Sql, Sql]:
    numbers = [number(one) for one in sorted(column.sentinel_numbers())]
    found = (
        exp.Case(ifs=[exp.If(this=among(number_, numbers), true=exp.null())], default=number_) if numbers else number_
    )
    known = found if value is None else value
    missing = [is_null(raw)]
    if numbers:
        # the text of a whole number is only one
        whole_ = isinstance(column, Integer)
        texts = [text(str(int(one))) for one in sorted(column.sentinel_numbers()) if one.is_integer()]
        missing += [among(raw, texts)] if whole_ and texts else [] if whole_ else [among(number_, numbers)]
    empty = call("coalesce", exp.or_(*missing), exp.false()) if column.nullable else exp.false()
    return found, call("coalesce", _fits(column, raw, known), empty)


def _numbers_of_texts(column: Float) -> set[float]:
    # a sentinel that is a text may read as a number too, and stand between blanks
    return {float(column.plain(one)) for one in column.sentinel_texts() if re.fullmatch(column.shape(), one)}


def _beside_texts(column: Column, raw: Sql, value: Sql, right: Sql) -> tuple[Sql, Sql]:
    """Return both, where a text may be one that means missing."""
    if not column.sentinel_texts():
        return value, exp.paren(right)
    is_one = among(raw, [text(one) for one in column.sentinel_texts()])
    let_in = exp.true() if column.nullable else exp.false()
    return (
        exp.Case(ifs=[exp.If(this=is_one, true=exp.null())], default=value),
        exp.Case(ifs=[exp.If(this=is_one.copy(), true=let_in)], default=right),
    )


def _if_read(column: Column, raw: Sql, fits: Sql) -> Sql:
    return exp.or_(is_null(raw), fits) if column.nullable else fits


def _value(column: Column, raw: Sql) -> Sql:
    if isinstance(column, Integer):
        return try_cast(raw, "BIGINT")
    if isinstance(column, Float):
        return one_zero(_number(column, raw))
    if isinstance(column, Boolean):
        return truth(raw)
    if isinstance(column, Time):
        return typed(column, raw)
    return raw.copy()


def _fits(column: Float, raw: Sql, value: Sql) -> Sql:
    """Return whether a number is as its text says and within bounds; null where the text or the value is null."""
    odd = [number(one) for one in sorted(_numbers_of_texts(column))]
    tests = [_between(column, value), *([exp.not_(among(value, odd))] if odd else [])]
    if isinstance(column, Integer):
        # the text of a whole number is only one, or that of a table which held it as a float
        shown = exp.cast(value.copy(), "VARCHAR")
        alike: Sql = exp.EQ(this=shown, expression=raw.copy())
        if column.decimal == "." and column.thousands is None:
            as_float = exp.EQ(this=exp.DPipe(this=shown.copy(), expression=text(".0")), expression=raw.copy())
            alike = exp.paren(exp.or_(alike, as_float))
        tests.insert(0, alike)
    return exp.and_(*tests)


def _number(column: Float, raw: Sql) -> Sql:
    if column.thousands is not None:
        return when(call("regexp_full_match", raw.copy(), text(column.shape())), try_cast(plain(column, raw), "DOUBLE"))
    # DuckDB reads 1_000, and +-5
    strange = ["_", "+", *([] if column.decimal == "." else ["."])]
    plainly = [exp.not_(call("contains", raw.copy(), text(sign))) for sign in strange]
    return when(exp.and_(*plainly), try_cast(plain(column, raw), "DOUBLE"))


def _between(column: Float, value: Sql) -> Sql:
    """Return whether a number is finite and within bounds."""
    if isinstance(column, Integer):
        low = -LARGEST_INTEGER if column.min is None else max(-LARGEST_INTEGER, math.ceil(column.min))
        high = LARGEST_INTEGER if column.max is None else min(LARGEST_INTEGER, math.floor(column.max))
        return exp.Between(this=value.copy(), low=whole(low), high=whole(high))
    low_, high_ = (-sys.float_info.max, sys.float_info.max)
    low_, high_ = (low_ if column.min is None else column.min, high_ if column.max is None else column.max)
    return exp.Between(this=value.copy(), low=number(low_), high=number(high_))


def _of_words(column: Column, raw: Sql) -> list[Sql]:
    """Return what says that a text has no blanks around it, and is one that the column takes."""
    values = column.values if isinstance(column, Category) else None
    pattern = column.pattern if isinstance(column, Category | Text) else None
    if values is not None:
        clean = [text(one) for one in values if one and one == one.strip(BLANKS)]
        tests = [among(raw, clean)] if clean else [exp.false()]
    else:
        # no blank, and no other control character, is as great as this one
        ends = (raw.copy(), call("array_extract", raw.copy(), whole(-1)))
        tests = [exp.GTE(this=end, expression=text("!")) for end in ends]
    return [*tests, call("regexp_full_match", raw.copy(), text(pattern))] if pattern is not None else tests


def _moment(column: Time, raw: Sql, there: Sql) -> Sql:
    """Return a time of ISO 8601 in UTC, null outside the years in which the zone is known."""
    offset = moments.fixed_offset(column.zone) if column.zone else 0
    in_zone = in_utc(column.zone, there) if offset is None else _shifted(there, offset)
    first = EARLIEST if column.zone is None or offset is None else SINCE
    signed = exp.or_(*(call("ends_with", raw.copy(), text(sign)) for sign in UTC_SIGNS))
    value = (
        in_zone
        if column.zone is None
        else exp.Case(ifs=[exp.If(this=signed, true=_shifted(there, 0))], default=in_zone)
    )
    low, high = (exp.cast(text(end), "TIMESTAMP") for end in (first, LATEST))
    return when(exp.Between(this=there.copy(), low=low, high=high), value)


def _shifted(moment: Sql, offset: int) -> Sql:
    micros = call("epoch_us", moment.copy())
    return call("make_timestamptz", exp.Sub(this=micros, expression=whole(offset)) if offset else micros)


def _written_in_full(column: Time, raw: Sql, there: Sql) -> Sql:
    """Return whether ISO text is how its time is written: all of it, to the minute, or the date alone."""
    shown = exp.cast(there.copy(), "VARCHAR")
    spaced = call("replace", raw.copy(), text("T"), text(" "))
    in_utc_ = exp.EQ(
        this=call("replace", spaced.copy(), text(UTC_SIGNS[1]), text(UTC_SIGNS[0])),
        expression=exp.DPipe(this=shown.copy(), expression=text(UTC_SIGNS[0])),
    )
    if column.zone is None:
        return in_utc_
    long = call("length", raw.copy())
    lengths = exp.or_(among(long, [whole(10), whole(16)]), exp.GTE(this=long.copy(), expression=whole(19)))
    shorter = exp.and_(lengths, call("starts_with", shown.copy(), spaced))
    as_shown = exp.EQ(this=shown.copy(), expression=raw.copy())
    return exp.Case(ifs=[exp.If(this=as_shown, true=exp.true())], default=exp.or_(shorter, in_utc_))
