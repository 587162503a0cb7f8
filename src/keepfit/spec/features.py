"""The language of features and targets: expressions over an observation (entity, t).

A leaf is an aggregate over a window of events, an attribute of the entity's record, or a part of the calendar at t.
Leaves combine by arithmetic and comparison. Every node has a stable, readable name, and equal names mean equal values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from keepfit.errors import did_you_mean
from keepfit.spec.window import Window

if TYPE_CHECKING:
    from keepfit.spec.tables import Events, Records

Windows = str | Sequence[str] | None
Number = int | float

# functions that need a number in every row; the others take any column
FUNCTIONS = ("count", "sum", "mean", "min", "max", "std", "last", "time_since_last")
SYMBOLS = {
    "+": "plus", "-": "minus", "*": "times", "/": "over",
    "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
}  # fmt: skip
CALENDAR_PARTS = ("hour", "weekday", "day", "month", "day_of_year")


class Expression:
    """A value at an observation. Combine with + - * / and comparisons; rename with `named`."""

    is_condition: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The column name of this value in training sets, requests and reports."""
        raise TypeError(f"{type(self).__name__} must have a name")

    def parts(self) -> tuple[Expression, ...]:
        """Return the expressions this one is made of."""
        return ()

    def leaves(self) -> list[Expression]:
        """Return the leaves of the tree, from left to right."""
        parts = self.parts()
        return [leaf for part in parts for leaf in part.leaves()] if parts else [self]

    def named(self, name: str) -> Expression:
        """Return the same value under another name."""
        return Named(self, name)

    def __add__(self, other: Expression | Number) -> Expression:
        return Combined("+", self, _lift(other))

    def __sub__(self, other: Expression | Number) -> Expression:
        return Combined("-", self, _lift(other))

    def __mul__(self, other: Expression | Number) -> Expression:
        return Combined("*", self, _lift(other))

    def __truediv__(self, other: Expression | Number) -> Expression:
        return Combined("/", self, _lift(other))

    def __radd__(self, other: Number) -> Expression:
        return Combined("+", _lift(other), self)

    def __rsub__(self, other: Number) -> Expression:
        return Combined("-", _lift(other), self)

    def __rmul__(self, other: Number) -> Expression:
        return Combined("*", _lift(other), self)

    def __rtruediv__(self, other: Number) -> Expression:
        return Combined("/", _lift(other), self)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return Compared("==", self, _lift(other))

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return Compared("!=", self, _lift(other))

    def __lt__(self, other: object) -> Expression:
        return Compared("<", self, _lift(other))

    def __le__(self, other: object) -> Expression:
        return Compared("<=", self, _lift(other))

    def __gt__(self, other: object) -> Expression:
        return Compared(">", self, _lift(other))

    def __ge__(self, other: object) -> Expression:
        return Compared(">=", self, _lift(other))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.name!r} has no truth value before it is computed; combine features with + - * / instead"
        )

    __hash__ = object.__hash__


def _lift(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Constant(value)
    raise TypeError(f"a feature cannot be combined with {value!r}; use a feature or a number")


@dataclass(frozen=True, eq=False)
class Constant(Expression):
    """A number."""

    value: Number

    @property
    def name(self) -> str:
        """The number as text."""
        return f"{self.value:g}".replace("-", "minus_").replace(".", "p").replace("+", "")


@dataclass(frozen=True, eq=False)
class Aggregate(Expression):
    """A function of the events in a window before or after t.

    Empty window: count and sum are 0, everything else is null. Nulls in the column are skipped; `count()` counts rows.
    """

    events: Events
    column: str | None
    function: str
    window: Window

    @property
    def name(self) -> str:
        """Events, column, function and window: `sales_amount_sum_30d`."""
        function = "" if self.window.lag or self.window.at else self.function
        return "_".join(word for word in (self.events.name, self.column, function, self.window.label) if word)


def aggregates(events: Events, column: str | None, function: str, last: Windows, next: Windows) -> Any:
    """Return one aggregate, or a list of them if a list of windows is given."""
    if last is not None and next is not None:
        raise TypeError(f"{events.name}: give last= or next=, not both; a window lies before or after t")
    many = last if last is not None else next
    if many is None or isinstance(many, str):
        return Aggregate(events, column, function, Window(last=last, next=next))  # type: ignore[arg-type]
    return [
        Aggregate(events, column, function, Window(**{"last" if last is not None else "next": one})) for one in many
    ]


@dataclass(frozen=True)
class EventColumn:
    """A column of events, waiting for an aggregate: `sales.amount.sum(last="30d")`.

    Each aggregate takes `last=` for the past or `next=` for a target, one window or a list of them; without either
    it reads the entity's whole past.
    """

    events: Events
    name: str

    def __repr__(self) -> str:
        return f"{self.events.name}.{self.name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [*FUNCTIONS, "lag", "at"]
        raise AttributeError(f"{self!r} has no aggregate {name!r}; {did_you_mean(name, known)}")

    def count(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the number of non-null values."""
        return aggregates(self.events, self.name, "count", last, next)

    def sum(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the exact sum, rounded once."""
        return aggregates(self.events, self.name, "sum", last, next)

    def mean(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the mean."""
        return aggregates(self.events, self.name, "mean", last, next)

    def min(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the least value."""
        return aggregates(self.events, self.name, "min", last, next)

    def max(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the greatest value."""
        return aggregates(self.events, self.name, "max", last, next)

    def std(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the sample standard deviation (n-1); null for fewer than two values."""
        return aggregates(self.events, self.name, "std", last, next)

    def last(self, last: Windows = None, next: Windows = None) -> Any:
        """Return the newest non-null value."""
        return aggregates(self.events, self.name, "last", last, next)

    def time_since_last(self, last: Windows = None) -> Any:
        """Return the days since the newest non-null value."""
        return aggregates(self.events, self.name, "time_since_last", last, None)

    def lag(self, lag: str, tolerance: str) -> Aggregate:
        """Return the last value in [t - lag - tolerance, t - lag)."""
        return Aggregate(self.events, self.name, "last", Window(lag=lag, tolerance=tolerance))

    def at(self, at: str, tolerance: str) -> Aggregate:
        """Return the last value in [t + at - tolerance, t + at), as a target."""
        return Aggregate(self.events, self.name, "last", Window(at=at, tolerance=tolerance))


@dataclass(frozen=True, eq=False)
class Attribute(Expression):
    """A column of the entity's record; as of t when the records have a history."""

    records: Records
    column: str

    @property
    def name(self) -> str:
        """Records and column: `customers_age`."""
        return f"{self.records.name}_{self.column}"


@dataclass(frozen=True, eq=False)
class Calendar(Expression):
    """A part of the calendar at t in a zone: hour 0-23, weekday 0 (Monday)-6, day 1-31, month 1-12, day_of_year 1-366."""

    part: str
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """The part, and the zone if it is not UTC: `hour_europe_london`."""
        return self.part if self.zone == "UTC" else f"{self.part}_{self.zone.replace('/', '_').lower()}"


@dataclass(frozen=True, eq=False)
class Combined(Expression):
    """Arithmetic of two values; null if either is, or if the divisor is zero."""

    op: str
    left: Expression
    right: Expression

    @property
    def name(self) -> str:
        """Both names and the operation: `a_over_b`."""
        return f"{self.left.name}_{SYMBOLS[self.op]}_{self.right.name}"

    def parts(self) -> tuple[Expression, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True, eq=False)
class Compared(Combined):
    """A comparison of two values: 1, 0 or null."""

    is_condition: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Named(Expression):
    """A value under a name the team chose."""

    value: Expression
    chosen: str

    @property
    def name(self) -> str:
        """The chosen name."""
        return self.chosen

    @property
    def is_condition(self) -> bool:  # type: ignore[override]
        """Whether the value is a comparison."""
        return self.value.is_condition

    def parts(self) -> tuple[Expression, ...]:
        """Return the value."""
        return (self.value,)
