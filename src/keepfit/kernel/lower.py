"""From an aggregate of the language to an output of the kernel and the row expressions that it reads.

The language has more words than the kernel: a share is the mean of a comparison, a median is a quantile, `any` is a maximum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keepfit import clock
from keepfit.kernel.program import EWM_REACH, UNBOUNDED, Window
from keepfit.spec.features import Aggregate
from keepfit.spec.rows import Coded, Literal, Present, RowColumn, RowComparison, RowExpression
from keepfit.spec.tables import Events


@dataclass(frozen=True)
class Lowered:
    """An aggregate as the kernel computes it.

    Attributes
    ----------
    function : str
        One of `program.FUNCTIONS`.
    value : RowExpression or None
        What is aggregated: a number for each row, or null; None for the rows themselves.
    condition : RowExpression or None
        What must be true of a row.
    """

    function: str
    value: RowExpression | None
    condition: RowExpression | None
    window: Window
    parameter: float = 0.0


# how the words of the language are said to the kernel; the others are its own
SAID_AS = {"share": "mean", "any": "max", "all": "min", "median": "quantile"}


def lower(aggregate: Aggregate) -> Lowered:
    """Return what the kernel has to compute for an aggregate."""
    start, end = aggregate.window.offsets()
    function, parameter = SAID_AS.get(aggregate.function, aggregate.function), 0.0
    if function == "quantile":
        parameter = 0.5 if aggregate.function == "median" else float(aggregate.argument or 0)
    if function == "ewm":
        parameter = float(clock.duration(str(aggregate.argument)))
        reach = int(-EWM_REACH * parameter)
        start = reach if start is None else max(start, reach)
    window = Window(UNBOUNDED if start is None else start, end)
    return Lowered(function, _value(aggregate), aggregate.where, window, parameter)


def _value(aggregate: Aggregate) -> RowExpression | None:
    if aggregate.column is None:
        return None
    column = RowColumn(aggregate.column)
    read = READ.get(aggregate.function, _number)
    return read(aggregate, column)


def _number(aggregate: Aggregate, column: RowColumn) -> RowExpression:
    return column


def _presence(aggregate: Aggregate, column: RowColumn) -> RowExpression:
    return column if _numeric(aggregate.events, column.name) else Present(column.name)


def _code(aggregate: Aggregate, column: RowColumn) -> RowExpression:
    return column if _numeric(aggregate.events, column.name) else Coded(column)


def _equal(aggregate: Aggregate, column: RowColumn) -> RowExpression:
    return RowComparison("==", column, Literal(aggregate.argument if aggregate.argument is not None else ""))


def _true(aggregate: Aggregate, column: RowColumn) -> RowExpression:
    return RowComparison("!=", column, Literal(0))


READ: dict[str, Callable[[Aggregate, RowColumn], RowExpression]] = {
    "count": _presence,
    "time_since_last": _presence,
    "time_since_first": _presence,
    "distinct": _code,
    "first": _code,
    "last": _code,
    "entropy": _code,
    "share": _equal,
    "any": _true,
    "all": _true,
}


def _numeric(events: Events, column: str) -> bool:
    declared = events.type_of(column)
    return declared is not None and declared.numeric
