"""Evaluate a row-level expression for one row of typed values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from keepfit.rows.text import FUNCTIONS
from keepfit.spec.columns import Value
from keepfit.spec.rows import (
    COMPARISONS,
    Literal,
    RowArithmetic,
    RowColumn,
    RowComparison,
    RowExpression,
    StartsWith,
    TextNumber,
)

ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else None,
}


def evaluate(expression: RowExpression, row: Mapping[str, Value]) -> Value:
    """Return the value of `expression` for one row; null in, null out; a division by zero or an overflow is null."""
    if isinstance(expression, RowColumn):
        return row.get(expression.name)
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, TextNumber):
        text = row.get(expression.column)
        return None if text is None else FUNCTIONS[expression.function](str(text))
    values = [evaluate(part, row) for part in expression.parts()]
    if any(value is None for value in values):
        return None
    return _combine(expression, values)


def _combine(expression: RowExpression, values: list[Any]) -> Value:
    if isinstance(expression, RowArithmetic):
        number = ARITHMETIC[expression.op](float(values[0]), float(values[1]))
        return None if number is None or not math.isfinite(number) else number
    if isinstance(expression, RowComparison):
        return bool(getattr(operator, COMPARISONS[expression.op])(values[0], values[1]))
    if isinstance(expression, StartsWith):
        return str(values[0]).startswith(expression.prefix)
    raise TypeError(f"no evaluation for {type(expression).__name__}; add a branch here and in the engines")
