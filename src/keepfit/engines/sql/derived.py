"""Row expressions in SQL: what `keepfit.rows.evaluate` says in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from keepfit.engines.sql.trees import Sql, call, is_null, is_there, name, number, one_zero, text, when
from keepfit.spec.columns import Column, Float, Integer
from keepfit.spec.rows import (
    CODE_DIGITS,
    Clip,
    Coded,
    Constant,
    Fill,
    Literal,
    OneOf,
    Present,
    RowArithmetic,
    RowColumn,
    RowComparison,
    RowExpression,
    RowFunction,
    RowLogic,
    RowNot,
    RowNull,
    TextNumber,
    TextTest,
    kind,
)

ARITHMETIC = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
LOGIC = {"&": exp.And, "|": exp.Or}
TEXT_TESTS = {"startswith": "starts_with", "endswith": "ends_with", "contains": "contains"}
NO_COLUMNS: Mapping[str, Column] = MappingProxyType({})
COMPARISON = {"==": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def derived(expression: RowExpression, columns: Mapping[str, Column] = NO_COLUMNS) -> Sql:
    """Return a row-level expression over typed columns; `keepfit.rows.evaluate` says the same in Python.

    Parameters
    ----------
    columns : mapping of str to Column
        The types of the columns that it reads. Of a type that is missing, `Coded` takes the value for a text.
    """
    if isinstance(expression, RowColumn):
        return _column(expression.name, columns)
    if isinstance(expression, Literal):
        return _constant(expression.value)
    if isinstance(expression, TextNumber):
        return call(f"keepfit_{expression.function}", name(expression.column))
    if isinstance(expression, Present):
        return when(is_there(_column(expression.column, columns)), number(1.0))
    numeric = [kind(part, columns) in ("number", "boolean") for part in expression.parts()]
    parts = [exp.paren(derived(part, columns)) for part in expression.parts()]
    if isinstance(expression, RowComparison):
        sides = [_as_number(part) for part in parts] if any(numeric) else parts
        return COMPARISON[expression.op](this=sides[0], expression=sides[1])
    if isinstance(expression, RowArithmetic):
        left, right = map(_as_number, parts)
        if expression.op == "/":
            return _finite(exp.Div(this=left, expression=call("nullif", right, number(0.0))))
        return _finite(ARITHMETIC[expression.op](this=left, expression=right))
    if isinstance(expression, RowLogic):
        return LOGIC[expression.op](this=parts[0], expression=parts[1])
    if isinstance(expression, RowNot):
        return exp.Not(this=parts[0])
    return _asked(expression, parts[0], numeric[0])


def _column(column: str, columns: Mapping[str, Column]) -> Sql:
    # the contract lets in no NaN; a column that came another way may hold one, which counts as null
    if isinstance(columns.get(column), Float) and not isinstance(columns[column], Integer):
        return call("nullif", name(column), exp.cast(text("nan"), "DOUBLE"))
    return name(column)


def _asked(expression: RowExpression, value: Sql, numeric: bool) -> Sql:
    """Return what is asked of one value."""
    if isinstance(expression, RowNull):
        return exp.paren(is_there(value)) if expression.present else is_null(value)
    if isinstance(expression, OneOf):
        held = _as_number(value) if not isinstance(expression.values[0], str) else value
        return exp.In(this=held, expressions=[_constant(one, bare=False) for one in expression.values])
    if isinstance(expression, Fill):
        by_number = isinstance(expression.by, int | float) and not isinstance(expression.by, bool)
        return call("coalesce", _as_number(value) if by_number else value, _constant(expression.by))
    if isinstance(expression, Clip):
        return _clipped(_as_number(value), expression.low, expression.high)
    if isinstance(expression, TextTest):
        return call(TEXT_TESTS[expression.function], value, text(expression.piece))
    if isinstance(expression, RowFunction):
        return ONE[expression.function](value)
    if isinstance(expression, Coded):
        return exp.Add(this=_as_number(value), expression=number(0.0)) if numeric else _code(value)
    raise TypeError(f"no SQL for {type(expression).__name__}; add a branch here and in keepfit.rows.evaluate")


def _code(value: Sql) -> Sql:
    # not by reading 64 bits of the digest as a number, of which DuckDB alone has a way
    digits = exp.Concat(expressions=[text("0x"), call("left", call("md5", value), exp.Literal.number(CODE_DIGITS))])
    return exp.cast(exp.cast(digits, "BIGINT"), "DOUBLE")


def _clipped(value: Sql, low: float | None, high: float | None) -> Sql:
    bounds = [(beyond, bound) for beyond, bound in ((exp.LT, low), (exp.GT, high)) if bound is not None]
    cases = [(beyond(this=value.copy(), expression=number(bound)), bound) for beyond, bound in bounds]
    return exp.Case(ifs=[exp.If(this=case, true=number(bound)) for case, bound in cases], default=value)


def _log1p(value: Sql) -> Sql:
    # the value stands here once: an expression inside an expression would grow by powers
    above = exp.Add(this=number(1.0), expression=_as_number(value))
    return _finite(call("ln", call("nullif", call("greatest", above, number(0.0)), number(0.0))))


def _as_number(value: Sql) -> Sql:
    return exp.cast(value, "DOUBLE")


def _constant(value: Constant, *, bare: bool = True) -> Sql:
    if isinstance(value, bool) and bare:
        return exp.true() if value else exp.false()
    return text(value) if isinstance(value, str) else number(value)


ONE: dict[str, Callable[[Sql], Sql]] = {
    "abs": lambda value: call("abs", _as_number(value)),
    "log1p": _log1p,
    "lower": lambda value: call("lower", value),
}


def _finite(number: Sql) -> Sql:
    for what in ("inf", "-inf", "nan"):
        number = call("nullif", number, exp.cast(text(what), "DOUBLE"))
    return one_zero(number)
