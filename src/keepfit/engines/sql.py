"""Row-level SQL as sqlglot trees: a contract and derived columns, emitted in an engine's dialect.

`typed(column)` and `broken(column)` say in SQL what `Column.parse` says in Python; a property test holds the two equal.
Identifiers are always quoted.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

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
    Literal,
    RowArithmetic,
    RowColumn,
    RowComparison,
    RowExpression,
    StartsWith,
    TextNumber,
)

TYPES = {"float": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "category": "VARCHAR", "text": "VARCHAR"}
Sql = Any  # sqlglot's own classes differ between its versions
ARITHMETIC = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
COMPARISON = {"==": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def name(column: str) -> exp.Column:
    """Return a quoted column reference."""
    return exp.column(column, quoted=True)


def quoted(column: str) -> str:
    """Return a quoted identifier as text."""
    return '"' + column.replace('"', '""') + '"'


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


def derived(expression: RowExpression) -> Sql:
    """Return a row-level expression over typed columns."""
    if isinstance(expression, RowColumn):
        return name(expression.name)
    if isinstance(expression, Literal):
        return text(expression.value) if isinstance(expression.value, str) else _number(expression.value)
    if isinstance(expression, TextNumber):
        return call(f"keepfit_{expression.function}", name(expression.column))
    if isinstance(expression, StartsWith):
        return call("starts_with", derived(expression.text), text(expression.prefix))
    if isinstance(expression, RowComparison):
        sides: list[Sql] = [exp.paren(derived(part)) for part in expression.parts()]
        if any(_is_number(part) for part in expression.parts()):
            sides = [exp.cast(side, "DOUBLE") for side in sides]
        return COMPARISON[expression.op](this=sides[0], expression=sides[1])
    if isinstance(expression, RowArithmetic):
        left, right = [exp.cast(exp.paren(derived(part)), "DOUBLE") for part in expression.parts()]
        if expression.op == "/":
            return _finite(exp.Div(this=left, expression=call("nullif", right, _number(0.0))))
        return _finite(ARITHMETIC[expression.op](this=left, expression=right))
    raise TypeError(f"no SQL for {type(expression).__name__}; add a branch here and in keepfit.rows.evaluate")


def _is_number(part: RowExpression) -> bool:
    is_text = isinstance(part, Literal) and isinstance(part.value, str)
    return isinstance(part, Literal | RowArithmetic | TextNumber) and not is_text


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
