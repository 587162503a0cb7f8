"""The rules of one row expression, in `derive=` or in a `where=`: it reads what there is, as what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem
from keepfit.spec.columns import Category, Column, Time
from keepfit.spec.rows import (
    Clip,
    Fill,
    Literal,
    OneOf,
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
    nodes,
)
from keepfit.spec.tables import Table

Columns = Mapping[str, Column]
Finding = tuple[str, str]  # what is wrong, and the fix
NUMBERS = {"number", "boolean"}
ASKED = {"startswith": "a prefix", "endswith": "an ending", "contains": "a piece of text", "lower": "lower case"}


def row_problems(expression: RowExpression, table: Table, what: str, where: str) -> Iterator[Problem]:
    """Yield what is wrong with an expression over all columns of a table, declared and derived.

    Parameters
    ----------
    what : str
        Who reads, as the beginning of a sentence: "feature 'web_sales'".
    where : str
        The place that a problem names.
    """
    columns = table.types()
    yield from unknown_columns(expression.columns(), table, what, where, columns)
    yield from misfits(expression, table, what, where, columns)


def unknown_columns(read: set[str], table: Table, what: str, where: str, columns: Columns) -> Iterator[Problem]:
    """Yield those columns of `read` that are not among `columns`."""
    for name in sorted(read - set(columns)):
        known = [column for column in columns if column != table.entity or column in table.columns]
        found, fix = f"unknown column {name!r}", did_you_mean(name, known, of=table.name)
        if name in table.derive:
            found, fix = f"the derived column {name!r}", "repeat its expression: derived columns read declared ones"
        yield Problem(f"{what} reads {found}", where, fix)


def misfits(expression: RowExpression, table: Table, what: str, where: str, columns: Columns) -> Iterator[Problem]:
    """Yield where an expression treats a value as what it is not."""
    if isinstance(expression, RowColumn) and isinstance(columns.get(expression.name), Time):
        yield Problem(f"{what} {_a_time(expression)[0]}", where, _a_time(expression)[1])
    for node in nodes(expression):
        for rule in ROW_RULES:
            for found, fix in rule(node, table, columns):
                yield Problem(f"{what} {found}", where, fix)


def _computes_with_numbers(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    computes = isinstance(node, RowArithmetic | Clip) or (isinstance(node, RowFunction) and node.function != "lower")
    if computes and "text" in _kinds(node, columns):
        yield "computes with a text", "declare the column as Float() or Integer()"


def _compares_alike(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    found = _kinds(node, columns)
    if isinstance(node, RowComparison) and "text" in found and found & NUMBERS:
        yield "compares a text with a number", "compare a text with a text, a number with a number"
    if isinstance(node, OneOf):
        of_texts = isinstance(node.values[0], str)
        if (of_texts and found & NUMBERS) or (not of_texts and "text" in found):
            one, many = ("a number", "texts") if of_texts else ("a text", "numbers")
            yield f"looks for {one} among {many}", "look for a text among texts, for a number among numbers"


def _reads_no_times(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    if not isinstance(node, RowNull):
        yield from (_a_time(part) for part in node.parts() if kind(part, columns) == "time")


def _a_time(part: RowExpression) -> Finding:
    return f"reads {part}, which is a time", "ask only whether it is there: .is_null(), .not_null()"


def _asks_texts(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    if isinstance(node, TextTest | RowFunction) and node.function in ASKED and _kinds(node, columns) & NUMBERS:
        yield f"asks a number for {ASKED[node.function]}", "declare the column as Text()"


def _reads_declared_texts(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    declared = columns.get(node.column) if isinstance(node, TextNumber) else None
    if isinstance(node, TextNumber) and declared is not None and declared.kind != "text":
        fix = f"declare it as Text(), or read another column of {table.name}"
        yield f"reads {node.column!r} as text, but it is {declared.kind}", fix


def _joins_conditions(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    if isinstance(node, RowLogic | RowNot) and (found := _kinds(node, columns) & {"number", "text"}):
        sign = node.op if isinstance(node, RowLogic) else "~"
        fix = "compare it first, in parentheses: (col('amount') > 0) & (col('channel') == 'web')"
        yield f"takes a {min(found)} for a condition: {sign} in {node}", fix


def _fills_alike(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    if not isinstance(node, Fill) or {"unknown", "time"} & (found := _kinds(node, columns)):
        return
    by = kind(Literal(node.by), columns)
    if by not in found and (by, *found) != ("number", "boolean"):
        yield f"fills a {min(found)} with {node.by!r}", f"fill in a {min(found)}"


def _looks_for_declared_values(node: RowExpression, table: Table, columns: Columns) -> Iterator[Finding]:
    """A text that a category cannot hold is a slip of the pen; the condition would never be met."""
    if isinstance(node, OneOf):
        column, sought = node.value, [value for value in node.values if isinstance(value, str)]
    elif isinstance(node, RowComparison) and node.op in ("==", "!=") and isinstance(node.right, Literal):
        column, sought = node.left, [node.right.value] if isinstance(node.right.value, str) else []
    else:
        return
    declared = columns.get(column.name) if isinstance(column, RowColumn) else None
    if isinstance(declared, Category) and declared.values is not None:
        for value in sought:
            if value not in declared.values:
                yield (
                    f"looks for {value!r}, which {column} never is",
                    did_you_mean(value, declared.values, of=str(column)),
                )


def _kinds(node: RowExpression, columns: Columns) -> set[str]:
    return {kind(part, columns) for part in node.parts()}


ROW_RULES: tuple[Callable[[RowExpression, Table, Columns], Iterator[Finding]], ...] = (
    _computes_with_numbers,
    _compares_alike,
    _reads_no_times,
    _asks_texts,
    _reads_declared_texts,
    _joins_conditions,
    _fills_alike,
    _looks_for_declared_values,
)
