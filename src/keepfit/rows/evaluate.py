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
    Clip,
    Coded,
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
    code_of,
)

ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right and math.isfinite(right) else None,
}


def evaluate(expression: RowExpression, row: Mapping[str, Value]) -> Value:
    """Return the value of `expression` for one row.

    Null in, null out, but for what is asked of null itself. What is not a number counts as null; a division by zero,
    or by what is not finite, and an overflow are null.
    """
    if isinstance(expression, RowColumn):
        return _known(row.get(expression.name))
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, TextNumber):
        text = row.get(expression.column)
        return None if text is None else FUNCTIONS[expression.function](str(text))
    if isinstance(expression, Present):
        return None if _known(row.get(expression.column)) is None else 1.0
    values = [evaluate(part, row) for part in expression.parts()]
    if isinstance(expression, RowLogic):
        decides = expression.op == "|"
        return decides if decides in values else None if None in values else not decides
    if isinstance(expression, RowNull):
        return (values[0] is not None) == expression.present
    if isinstance(expression, Fill):
        return _filled(values[0], expression.by)
    if any(value is None for value in values):
        return None
    return _combine(expression, values)


def code(value: str | float) -> float:
    """Return the number that stands for a value: of a text, 52 bits of its MD5; of a number, itself."""
    if not isinstance(value, str):
        return float(value) + 0.0  # not -0.0, which equals 0.0
    return code_of(value)


def _combine(expression: RowExpression, values: list[Any]) -> Value:
    value = values[0]
    if isinstance(expression, RowArithmetic):
        return _finite(ARITHMETIC[expression.op](float(value), float(values[1])))
    if isinstance(expression, RowComparison):
        return bool(getattr(operator, COMPARISONS[expression.op])(value, values[1]))
    if isinstance(expression, RowNot):
        return not value
    if isinstance(expression, OneOf):
        return value in expression.values
    if isinstance(expression, TextTest):
        return TEXT_TESTS[expression.function](str(value), expression.piece)
    if isinstance(expression, RowFunction):
        return ONE[expression.function](value)
    if isinstance(expression, Clip):
        return _clipped(float(value), expression.low, expression.high)
    if isinstance(expression, Coded):
        return code(value)
    raise TypeError(f"no evaluation for {type(expression).__name__}; add a branch here and in the engines")


def _known(value: Value) -> Value:
    return None if isinstance(value, float) and math.isnan(value) else value


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number + 0.0  # there is one zero


def _filled(value: Value, by: Value) -> Value:
    if value is None:
        value = by
    # a number filled into whole numbers, or into yes and no, makes numbers of them
    return float(value) if isinstance(by, int | float) and not isinstance(by, bool) else value  # type: ignore[arg-type]


def _clipped(number: float, low: float | None, high: float | None) -> float:
    if low is not None and number < low:
        return low
    return high if high is not None and number > high else number


def _log1p(value: float) -> float | None:
    # not math.log1p, which databases lack; below 1e-8 it is right to 16 places behind the point, not to 16 digits
    above = 1.0 + float(value)
    return _finite(math.log(above)) if above > 0 else None


def _lower(text: str) -> str:
    # letter by letter, as databases do: Python alone looks at a letter's place in the word, or makes two of one
    return text.lower() if text.isascii() else "".join(one.lower()[0] for one in text)


ONE: dict[str, Callable[[Any], Value]] = {
    "abs": lambda value: abs(float(value)),
    "log1p": _log1p,
    "lower": lambda value: _lower(str(value)),
}
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
