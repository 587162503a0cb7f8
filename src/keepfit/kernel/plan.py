"""From declared expressions to what must be computed: one program per events table, attributes, calendar parts.

Training set, batch scores and requests compile the same expressions by the same function, so nothing is computed a
second way. The leaves are computed first (`Plan.events`, `Plan.records`, `calendar_part`); `evaluate` combines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.kernel.program import ROWS, UNBOUNDED, Output, Program, Window
from keepfit.spec.features import Aggregate, Attribute, Calendar, Combined, Compared, Constant, Expression, Named
from keepfit.spec.tables import Events, Records

Values = NDArray[Any]
WHOLE_HISTORY = ("count", "sum", "mean", "min", "max", "std")


@dataclass(frozen=True)
class EventsPlan:
    """The aggregates over one table of events.

    Attributes
    ----------
    columns : tuple of str
        The columns that are the rows of the kernel's `values`.
    names : tuple of str
        The leaf that each output of the program computes.
    """

    table: Events
    columns: tuple[str, ...]
    program: Program
    names: tuple[str, ...]

    @property
    def retention(self) -> int | None:
        """How far back events matter, in microseconds; None if an aggregate needs the whole past.

        `last` and `time_since_last` without a window need, beyond it, only each column's newest value.
        """
        unbounded = [output for output in self.program.outputs if output.window.start == UNBOUNDED]
        if any(output.function in WHOLE_HISTORY for output in unbounded):
            return None
        return max(
            (-output.window.start for output in self.program.outputs if output.window.start != UNBOUNDED), default=0
        )


@dataclass(frozen=True)
class Plan:
    """All leaves that a list of expressions needs, and the expressions themselves."""

    events: tuple[EventsPlan, ...]
    records: tuple[tuple[Records, tuple[str, ...]], ...]
    calendar: tuple[Calendar, ...]
    expressions: tuple[Expression, ...]

    def evaluate(self, leaves: Mapping[str, Values]) -> dict[str, Values]:
        """Return each expression's column, by name, from the columns of the leaves."""
        return {expression.name: evaluate(expression, leaves) for expression in self.expressions}


def compile_plan(expressions: Iterable[Expression]) -> Plan:
    """Return what has to be computed for these expressions, each leaf once."""
    expressions = tuple(expressions)
    leaves = {leaf.name: leaf for expression in expressions for leaf in expression.leaves()}
    aggregates = [leaf for leaf in leaves.values() if isinstance(leaf, Aggregate)]
    attributes = [leaf for leaf in leaves.values() if isinstance(leaf, Attribute)]
    events = {leaf.events.name: leaf.events for leaf in aggregates}
    records = {leaf.records.name: leaf.records for leaf in attributes}
    return Plan(
        events=tuple(
            _events_plan(events[name], [leaf for leaf in aggregates if leaf.events.name == name])
            for name in sorted(events)
        ),
        records=tuple(
            (records[name], tuple(sorted({leaf.column for leaf in attributes if leaf.records.name == name})))
            for name in sorted(records)
        ),
        calendar=tuple(leaf for leaf in leaves.values() if isinstance(leaf, Calendar)),
        expressions=expressions,
    )


def _events_plan(table: Events, leaves: list[Aggregate]) -> EventsPlan:
    columns = tuple(sorted({leaf.column for leaf in leaves if leaf.column is not None}))
    outputs = []
    for leaf in leaves:
        start, end = leaf.window.offsets()
        window = Window(UNBOUNDED if start is None else start, end)
        outputs.append(Output(leaf.function, ROWS if leaf.column is None else columns.index(leaf.column), window))
    return EventsPlan(table, columns, Program(tuple(outputs)), tuple(leaf.name for leaf in leaves))


def evaluate(expression: Expression, leaves: Mapping[str, Values]) -> Values:
    """Return an expression's column; null where a part is null or a divisor is zero. Conditions are 1.0 and 0.0."""
    if isinstance(expression, Named):
        return evaluate(expression.value, leaves)
    if isinstance(expression, Constant):
        return np.float64(expression.value)  # type: ignore[return-value]
    if not isinstance(expression, Combined):
        return leaves[expression.name]
    left, right = evaluate(expression.left, leaves), evaluate(expression.right, leaves)
    if isinstance(expression, Compared):
        known = ~(np.isnan(left) | np.isnan(right))
        return np.where(known, COMPARE[expression.op](left, right), np.nan)
    with np.errstate(all="ignore"):
        if expression.op == "/":
            return np.where(right == 0, np.nan, np.divide(left, right))
        return COMBINE[expression.op](left, right)  # type: ignore[no-any-return]


COMBINE = {"+": np.add, "-": np.subtract, "*": np.multiply}
COMPARE = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def calendar_part(leaf: Calendar, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a calendar part of each moment (microseconds UTC) in the leaf's zone."""
    moments, places = np.unique(t, return_inverse=True)
    zone = ZoneInfo(leaf.zone)
    parts = [_part(leaf.part, clock.from_micros(int(moment)).astimezone(zone)) for moment in moments]
    return np.array(parts, np.float64)[places]


def _part(part: str, moment: Any) -> int:
    if part == "weekday":
        return int(moment.weekday())
    return int(moment.timetuple().tm_yday if part == "day_of_year" else getattr(moment, part))
