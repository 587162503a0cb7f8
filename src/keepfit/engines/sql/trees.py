"""The pieces that all of our SQL is built from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

Sql = Any  # sqlglot's own classes differ between its versions


def name(column: str) -> exp.Column:
    """Return a quoted column reference."""
    return exp.column(column, quoted=True)


def call(function: str, *arguments: Sql) -> exp.Anonymous:
    """Return a call of a function that every engine of ours has under this name."""
    return exp.Anonymous(this=function, expressions=list(arguments))


def text(value: str) -> exp.Literal:
    """Return a text constant."""
    return exp.Literal.string(value)


def number(value: float) -> Sql:
    """Return a number constant."""
    # as text, because a database reads -0.0 as a decimal, which has no such number
    return exp.cast(text(repr(float(value))), "DOUBLE")


def whole(value: int) -> Sql:
    """Return a whole number constant."""
    return exp.Neg(this=exp.Literal.number(-value)) if value < 0 else exp.Literal.number(value)


def one_zero(value: Sql) -> Sql:
    """Return a number, 0 for -0: files and databases do not keep the sign of a zero."""
    return exp.paren(exp.Add(this=value, expression=number(0.0)))


def when(condition: Sql, value: Sql) -> exp.Case:
    """Return a value where a condition is true, else null."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def is_null(value: Sql) -> Sql:
    """Return whether there is no value."""
    return exp.Is(this=value.copy(), expression=exp.Null())


def is_there(value: Sql) -> Sql:
    """Return whether there is a value."""
    return exp.Not(this=is_null(value))


def among(value: Sql, constants: Sequence[Sql]) -> Sql:
    """Return whether a value is one of some constants; null for null."""
    return exp.In(this=value.copy(), expressions=list(constants))


def try_cast(value: Sql, kind: str) -> Sql:
    """Return a value of another type, null if it has none."""
    return exp.TryCast(this=value.copy(), to=exp.DataType.build(kind))
