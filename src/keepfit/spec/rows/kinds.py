"""Of what type an expression is, given the columns it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keepfit.spec.columns import Boolean, Category, Column, Float, Integer, Text, Time
from keepfit.spec.rows.expression import RowExpression
from keepfit.spec.rows.functions import Fill, RowFunction
from keepfit.spec.rows.nodes import Literal, RowColumn


def result(expression: RowExpression, columns: Mapping[str, Column]) -> Column | None:
    """Return the column type of an expression's values, without bounds; None if it is that of an unknown column."""
    if isinstance(expression, RowColumn):
        return _bare(columns.get(expression.name))
    if expression.boolean:
        return Boolean()
    if isinstance(expression, Literal):
        return Category() if isinstance(expression.value, str) else Float()
    if isinstance(expression, RowFunction) and expression.function == "lower":
        found = result(expression.value, columns)
        return Category() if found is not None and found.numeric else found
    if isinstance(expression, Fill) and isinstance(expression.by, str):
        return result(expression.value, columns)
    return Float()


def kind(expression: RowExpression, columns: Mapping[str, Column]) -> str:
    """Return 'number', 'boolean', 'text', 'time', or 'unknown' for a column that is not declared."""
    found = result(expression, columns)
    if found is None:
        return "unknown"
    if isinstance(found, Time):
        return "time"
    return "boolean" if isinstance(found, Boolean) else "number" if found.numeric else "text"


def nodes(expression: RowExpression) -> Iterator[RowExpression]:
    """Yield an expression and everything it is made of."""
    yield expression
    for part in expression.parts():
        yield from nodes(part)


def _bare(declared: Column | None) -> Column | None:
    for one in (Integer, Float, Boolean, Category, Text):
        if isinstance(declared, one):
            return one()
    return declared
