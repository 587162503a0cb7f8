"""From declared expressions to what must be computed: one program per events table, attributes, and what t tells.

Training set, batch scores and requests compile the same expressions by the same function, so nothing is computed a
second way. The leaves are computed first (`Plan.events`, `Plan.records`, `calendar.of_moment`); `evaluate` combines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from keepfit.kernel.evaluate import evaluate
from keepfit.kernel.lower import Lowered, lower
from keepfit.kernel.program import ROWS, UNBOUNDED, Output, Program
from keepfit.spec.features import Aggregate, Attribute, Calendar, Expression, Holiday
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records

Values = NDArray[Any]
OF_THE_NEWEST = ("last", "time_since_last")


@dataclass(frozen=True)
class EventsPlan:
    """The aggregates over one table of events, for the observed entity or for one that an attribute names.

    Attributes
    ----------
    via : Attribute or None
        Names the entity of the events; None if it is the observed one.
    columns : tuple of RowExpression
        What the rows of the kernel's `values` hold: numbers, codes of texts, conditions.
    names : tuple of str
        The leaf that each output of the program computes.
    newest : tuple of tuple of RowExpression
        For aggregates of the newest row in all the past: what must be there and true of that row.
    retention : int or None
        How far back events matter, in microseconds; None if an aggregate needs the whole past. Beyond it, only the rows
        that `newest` asks for.
    """

    table: Events
    via: Attribute | None
    columns: tuple[RowExpression, ...]
    program: Program
    names: tuple[str, ...]
    newest: tuple[tuple[RowExpression, ...], ...]
    retention: int | None


@dataclass(frozen=True)
class Plan:
    """All leaves that a list of expressions needs, and the expressions themselves."""

    events: tuple[EventsPlan, ...]
    records: tuple[tuple[Records, tuple[str, ...]], ...]
    moments: tuple[Calendar | Holiday, ...]
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
    attributes += [leaf.via for leaf in aggregates if leaf.via is not None]
    records = {leaf.records.name: leaf.records for leaf in attributes}
    ways: dict[tuple[str, str], list[Aggregate]] = {}
    for leaf in aggregates:
        ways.setdefault((leaf.events.name, leaf.via.name if leaf.via is not None else ""), []).append(leaf)
    return Plan(
        events=tuple(_events_plan(ways[way]) for way in sorted(ways)),
        records=tuple(
            (records[name], tuple(sorted({leaf.column for leaf in attributes if leaf.records.name == name})))
            for name in sorted(records)
        ),
        moments=tuple(leaf for leaf in leaves.values() if isinstance(leaf, Calendar | Holiday)),
        expressions=expressions,
    )


def _events_plan(leaves: list[Aggregate]) -> EventsPlan:
    lowered = [lower(leaf) for leaf in leaves]
    read = {str(one): one for each in lowered for one in (each.value, each.condition) if one is not None}
    columns = tuple(read[text] for text in sorted(read))
    place = {str(column): index for index, column in enumerate(columns)}
    outputs = [
        Output(
            each.function,
            ROWS if each.value is None else place[str(each.value)],
            each.window,
            ROWS if each.condition is None else place[str(each.condition)],
            each.parameter,
        )
        for each in lowered
    ]
    return EventsPlan(
        leaves[0].events,
        leaves[0].via,
        columns,
        Program(tuple(outputs)),
        tuple(leaf.name for leaf in leaves),
        _newest(lowered),
        _retention(lowered),
    )


def _of_the_newest(one: Lowered) -> bool:
    """Whether one row of all the past decides: the newest that counts."""
    return one.function in OF_THE_NEWEST and one.window.start == UNBOUNDED and one.window.end == 0


def _newest(lowered: list[Lowered]) -> tuple[tuple[RowExpression, ...], ...]:
    asked = {}
    for one in filter(_of_the_newest, lowered):
        conditions = ([one.value.not_null()] if one.value is not None else []) + (
            [one.condition] if one.condition is not None else []
        )
        asked[" & ".join(map(str, conditions))] = tuple(conditions)
    return tuple(asked[text] for text in sorted(asked))


def _retention(lowered: list[Lowered]) -> int | None:
    unbounded = [one for one in lowered if one.window.start == UNBOUNDED]
    if not all(map(_of_the_newest, unbounded)):
        return None
    return max((-one.window.start for one in lowered if one.window.start != UNBOUNDED), default=0)
