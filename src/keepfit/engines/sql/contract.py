"""A column's contract: the value that a raw text has, and the reason why it breaks the contract."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from keepfit.engines.sql.trees import Sql, among, call, is_null, is_there, number, one_zero, text, try_cast, when, whole
from keepfit.spec import moments
from keepfit.spec.columns import (
    BLANKS,
    FALSE,
    LARGEST_INTEGER,
    TRUE,
    Boolean,
    Category,
    Column,
    Float,
    Integer,
    Text,
    Time,
)

WITH_OFFSET = ".*:.*" + moments.OFFSET


def cleaned(raw: Sql) -> Sql:
    """Return raw text without blanks around it, null if nothing is left."""
    return call("nullif", call("trim", raw, text(BLANKS)), text(""))


def joined(column: Column, raws: Sequence[Sql]) -> Sql:
    """Return the cleaned text of a column that stands under several headers; null if it is missing under one of them."""
    parts = [cleaned(raw) for raw in raws]
    if len(parts) == 1:
        return parts[0]
    whole_text: Sql = exp.paren(when(_there(column, parts[0]), parts[0]))
    for part in parts[1:]:
        whole_text = exp.DPipe(
            this=exp.DPipe(this=whole_text, expression=text(" ")), expression=when(_there(column, part), part)
        )
    return exp.paren(whole_text)


def _there(column: Column, raw: Sql) -> Sql:
    return exp.not_(sentinel(column, raw)) if column.sentinels else is_there(raw)


def typed(column: Column, raw: Sql) -> Sql:
    """Return the value of cleaned text in the column's type, null if it has none. Bounds are not looked at."""
    value = _read(column, raw)
    return when(exp.not_(sentinel(column, raw)), value) if column.sentinels else value


def _read(column: Column, raw: Sql) -> Sql:
    if isinstance(column, Integer):
        digits = call("split_part", plain(column, raw), text("."), whole(1))
        return when(call("regexp_full_match", raw, text(column.shape(whole=True))), try_cast(digits, "BIGINT"))
    if isinstance(column, Float):
        return when(
            call("regexp_full_match", raw, text(column.shape())), one_zero(try_cast(plain(column, raw), "DOUBLE"))
        )
    if isinstance(column, Boolean):
        return truth(raw)
    if isinstance(column, Time):
        return _moment(column, raw)
    return raw


def sentinel(column: Column, raw: Sql) -> Sql:
    """Return whether cleaned text is one of the column's sentinels; null for null."""
    found = [among(raw, [text(one) for one in column.sentinel_texts()])] if column.sentinel_texts() else []
    if isinstance(column, Float) and (numbers := column.sentinel_numbers()):
        alike = among(try_cast(plain(column, raw), "DOUBLE"), [number(one) for one in numbers])
        found.append(exp.and_(call("regexp_full_match", raw.copy(), text(column.shape())), alike))
    return exp.paren(exp.or_(*found))


def plain(column: Float, raw: Sql) -> Sql:
    """Return a number's text with a point and nothing between its digits."""
    without = call("replace", raw, text(column.thousands), text("")) if column.thousands else raw
    return without if column.decimal == "." else call("replace", without, text(column.decimal), text("."))


def truth(raw: Sql) -> Sql:
    """Return whether a text says yes or no, null if neither."""
    word = call("lower", raw)
    yes, no = (among(word, [text(one) for one in words]) for words in (TRUE, FALSE))
    return exp.Case(ifs=[exp.If(this=yes, true=exp.true()), exp.If(this=no, true=exp.false())])


def _moment(column: Time, raw: Sql) -> Sql:
    if column.format is None:
        # DuckDB reads an offset only after seconds
        full = call("regexp_replace", raw, text("([T ]..:..)([Z+-]|$)"), text("\\1:00\\2"))
        with_offset = call("regexp_full_match", raw.copy(), text(WITH_OFFSET))
        value = exp.Case(
            ifs=[exp.If(this=with_offset, true=try_cast(full, "TIMESTAMPTZ"))],
            default=in_utc(column.zone, try_cast(full, "TIMESTAMP")),
        )
        return when(call("regexp_full_match", raw.copy(), text(moments.MOMENT)), value)
    value = local(column, raw)
    if not moments.has_offset(column.format):
        value = in_utc(column.zone, value)
    return when(call("regexp_full_match", raw.copy(), text(moments.shape(column.format))), value)


def local(column: Time, raw: Sql) -> Sql:
    """Return a text as its format has it, without a zone; with one if the format has an offset."""
    if column.format is None:
        return try_cast(raw, "TIMESTAMP")
    if moments.has_offset(column.format):  # DuckDB reads no Z
        raw = call("regexp_replace", raw, text("Z$"), text("+0000"))
    return call("try_strptime", raw.copy(), text(column.format))


def in_utc(zone: str | None, moment: Sql) -> Sql:
    """Return a local time in UTC; null without a zone. An hour that comes twice is the second one."""
    return call("timezone", text(zone), moment) if zone else exp.cast(exp.Null(), "TIMESTAMPTZ")


def broken(column: Column, label: str, raw: Sql, value: Sql) -> Sql:
    """Return the reason why a value breaks the column's contract, null if it does not.

    Parameters
    ----------
    raw, value : sqlglot expression
        The cleaned text, and the typed value made from it.
    """
    cases = [*_absent(column, raw), *_of_another_type(column, raw, value), *_out_of_bounds(column, raw, value)]
    ifs = [exp.If(this=case, true=text(f"{label} {reason}") if reason else exp.null()) for case, reason in cases]
    return exp.Case(ifs=ifs) if ifs else exp.null()


Cases = list[tuple[Sql, str | None]]


def _absent(column: Column, raw: Sql) -> Cases:
    reason = None if column.nullable else "is missing"
    missing: Cases = [] if column.nullable else [(is_null(raw), reason)]
    return [*missing, (sentinel(column, raw), reason)] if column.sentinels else missing


def _of_another_type(column: Column, raw: Sql, value: Sql) -> Cases:
    unreadable = exp.and_(is_there(raw), is_null(value))
    if isinstance(column, Integer):
        # not abs(value), which the least BIGINT does not have
        outside = exp.not_(exp.Between(this=value.copy(), low=whole(-LARGEST_INTEGER), high=whole(LARGEST_INTEGER)))
        return [(unreadable, "is not a whole number"), (outside, "is not a whole number")]
    if isinstance(column, Float):
        return [(exp.or_(unreadable, call("isinf", value.copy())), "is not a number")]
    if isinstance(column, Boolean):
        return [(unreadable, "is neither yes nor no")]
    if isinstance(column, Time):
        unzoned: Cases = []
        if column.zone is None and not moments.has_offset(column.format):
            read = _moment(Time(format=column.format, zone="UTC"), raw)
            unzoned = [(exp.and_(is_null(value), is_there(read)), moments.NO_ZONE)]
        return [*unzoned, (unreadable, moments.NO_TIME)]
    return []


def _out_of_bounds(column: Column, raw: Sql, value: Sql) -> Cases:
    cases: Cases = []
    if isinstance(column, Float):
        if column.min is not None:
            cases.append((exp.LT(this=value.copy(), expression=number(column.min)), f"is below {column.min:g}"))
        if column.max is not None:
            cases.append((exp.GT(this=value.copy(), expression=number(column.max)), f"is above {column.max:g}"))
    if isinstance(column, Category) and column.values is not None:
        known = among(raw, [text(one) for one in column.values])
        cases.append((exp.not_(known), "is not one of " + ", ".join(column.values)))
    if isinstance(column, Category | Text) and column.pattern is not None:
        matching = call("regexp_full_match", raw.copy(), text(column.pattern))
        cases.append((exp.not_(matching), f"does not match {column.pattern}"))
    return cases
