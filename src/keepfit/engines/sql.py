"""Row-level SQL as sqlglot trees: a contract and derived columns, emitted in an engine's dialect.

`typed(column)` and `broken(column)` say in SQL what `Column.parse` says in Python; a property test holds the two equal.
Identifiers are always quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from keepfit.rows.evaluate import CODE_DIGITS
from keepfit.spec.columns import (
    BLANKS,
    FALSE,
    INTEGER,
    LARGEST_INTEGER,
    NUMBER,
    TRUE,
    Boolean,
    Category,
    Column,
    Float,
    Integer,
)
from keepfit.spec.rows import (
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

Sql = Any  # sqlglot's own classes differ between its versions
ARITHMETIC = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
LOGIC = {"&": exp.And, "|": exp.Or}
TEXT_TESTS = {"startswith": "starts_with", "endswith": "ends_with", "contains": "contains"}
NO_COLUMNS: Mapping[str, Column] = MappingProxyType({})
COMPARISON = {"==": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def name(column: str) -> exp.Column:
    """Return a quoted column reference."""
    return exp.column(column, quoted=True)


def call(function: str, *arguments: Sql) -> exp.Anonymous:
    """Return a call of a function that every engine of ours has under this name."""
    return exp.Anonymous(this=function, expressions=list(arguments))


def text(value: str) -> exp.Literal:
    """Return a text constant."""
    return exp.Literal.string(value)


def cleaned(raw: Sql) -> Sql:
    """Return raw text without blanks around it, null if nothing is left."""
    return call("nullif", call("trim", raw, text(BLANKS)), text(""))


def typed(column: Column, raw: Sql) -> Sql:
    """Return the value of cleaned text in the column's type, null if it has none. Bounds are not looked at."""
    if isinstance(column, Integer):
        whole = call("split_part", raw, text("."), exp.Literal.number(1))
        return _when(
            call("regexp_full_match", raw, text(INTEGER)), exp.TryCast(this=whole, to=exp.DataType.build("BIGINT"))
        )
    if isinstance(column, Float):
        return _when(
            call("regexp_full_match", raw, text(NUMBER)), exp.TryCast(this=raw, to=exp.DataType.build("DOUBLE"))
        )
    if isinstance(column, Boolean):
        word = call("lower", raw)
        yes, no = (_among(word, words) for words in (TRUE, FALSE))
        return exp.Case(ifs=[exp.If(this=yes, true=exp.true()), exp.If(this=no, true=exp.false())])
    return raw


def broken(column: Column, label: str, raw: Sql, value: Sql) -> Sql:
    """Return the reason why a value breaks the column's contract, null if it does not.

    Parameters
    ----------
    raw, value : sqlglot expression
        The cleaned text, and the typed value made from it.
    """
    cases: list[tuple[Any, str]] = []
    if not column.nullable:
        cases.append((exp.Is(this=raw, expression=exp.Null()), "is missing"))
    if isinstance(column, Integer):
        largest = exp.Literal.number(LARGEST_INTEGER)
        # not abs(value), which the least BIGINT does not have
        outside = exp.not_(exp.Between(this=value.copy(), low=exp.Neg(this=largest), high=largest.copy()))
        cases.append((_unreadable(raw, value), "is not a whole number"))
        cases.append((outside, "is not a whole number"))
    elif isinstance(column, Float):
        cases.append((exp.or_(_unreadable(raw, value), call("isinf", value)), "is not a number"))
    elif isinstance(column, Boolean):
        cases.append((_unreadable(raw, value), "is neither yes nor no"))
    elif isinstance(column, Category) and column.values is not None:
        cases.append((exp.not_(_among(raw, column.values)), "is not one of " + ", ".join(column.values)))
    if isinstance(column, Float):
        if column.min is not None:
            cases.append((exp.LT(this=value, expression=_number(column.min)), f"is below {column.min:g}"))
        if column.max is not None:
            cases.append((exp.GT(this=value, expression=_number(column.max)), f"is above {column.max:g}"))
    return (
        exp.Case(ifs=[exp.If(this=case, true=text(f"{label} {reason}")) for case, reason in cases])
        if cases
        else exp.null()
    )


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
        return _when(_there(_column(expression.column, columns)), _number(1.0))
    numeric = [kind(part, columns) in ("number", "boolean") for part in expression.parts()]
    parts = [exp.paren(derived(part, columns)) for part in expression.parts()]
    if isinstance(expression, RowComparison):
        sides = [_as_number(part) for part in parts] if any(numeric) else parts
        return COMPARISON[expression.op](this=sides[0], expression=sides[1])
    if isinstance(expression, RowArithmetic):
        left, right = map(_as_number, parts)
        if expression.op == "/":
            return _finite(exp.Div(this=left, expression=call("nullif", right, _number(0.0))))
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
        return exp.paren(_there(value)) if expression.present else exp.Is(this=value, expression=exp.Null())
    if isinstance(expression, OneOf):
        held = _as_number(value) if not isinstance(expression.values[0], str) else value
        return exp.In(this=held, expressions=[_constant(one, bare=False) for one in expression.values])
    if isinstance(expression, Fill):
        number = isinstance(expression.by, int | float) and not isinstance(expression.by, bool)
        return call("coalesce", _as_number(value) if number else value, _constant(expression.by))
    if isinstance(expression, Clip):
        return _clipped(_as_number(value), expression.low, expression.high)
    if isinstance(expression, TextTest):
        return call(TEXT_TESTS[expression.function], value, text(expression.piece))
    if isinstance(expression, RowFunction):
        return ONE[expression.function](value)
    if isinstance(expression, Coded):
        return exp.Add(this=_as_number(value), expression=_number(0.0)) if numeric else _code(value)
    raise TypeError(f"no SQL for {type(expression).__name__}; add a branch here and in keepfit.rows.evaluate")


def _code(value: Sql) -> Sql:
    # not by reading 64 bits of the digest as a number, of which DuckDB alone has a way
    digits = exp.Concat(expressions=[text("0x"), call("left", call("md5", value), exp.Literal.number(CODE_DIGITS))])
    return exp.cast(exp.cast(digits, "BIGINT"), "DOUBLE")


def _clipped(value: Sql, low: float | None, high: float | None) -> Sql:
    bounds = [(beyond, bound) for beyond, bound in ((exp.LT, low), (exp.GT, high)) if bound is not None]
    cases = [(beyond(this=value.copy(), expression=_number(bound)), bound) for beyond, bound in bounds]
    return exp.Case(ifs=[exp.If(this=case, true=_number(bound)) for case, bound in cases], default=value)


def _log1p(value: Sql) -> Sql:
    # the value stands here once: an expression inside an expression would grow by powers
    above = exp.Add(this=_number(1.0), expression=_as_number(value))
    return _finite(call("ln", call("nullif", call("greatest", above, _number(0.0)), _number(0.0))))


def _as_number(value: Sql) -> Sql:
    return exp.cast(value, "DOUBLE")


def _there(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=value, expression=exp.Null()))


def _constant(value: Constant, *, bare: bool = True) -> Sql:
    if isinstance(value, bool) and bare:
        return exp.true() if value else exp.false()
    return text(value) if isinstance(value, str) else _number(value)


ONE: dict[str, Callable[[Sql], Sql]] = {
    "abs": lambda value: call("abs", _as_number(value)),
    "log1p": _log1p,
    "lower": lambda value: call("lower", value),
}


def _when(condition: Sql, value: Sql) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _unreadable(raw: Sql, value: Sql) -> Sql:
    return exp.and_(
        exp.not_(exp.Is(this=raw.copy(), expression=exp.Null())), exp.Is(this=value.copy(), expression=exp.Null())
    )


def _among(value: Sql, words: tuple[str, ...]) -> Sql:
    return exp.or_(*(exp.EQ(this=value.copy(), expression=text(word)) for word in words))


def _finite(number: Sql) -> Sql:
    for what in ("inf", "-inf", "nan"):
        number = call("nullif", number, exp.cast(text(what), "DOUBLE"))
    return number


def _number(value: float) -> Sql:
    # as text, because a database reads -0.0 as a decimal, which has no such number
    return exp.cast(text(repr(float(value))), "DOUBLE")
