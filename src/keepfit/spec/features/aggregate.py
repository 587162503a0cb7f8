"""Aggregates: a function of the events in a window before or after t."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from keepfit import clock
from keepfit.spec.features.attribute import Attribute
from keepfit.spec.features.expression import Expression, word
from keepfit.spec.rows import Literal, RowColumn, RowComparison, RowExpression
from keepfit.spec.window import Window

if TYPE_CHECKING:
    from keepfit.spec.tables import Events

Windows = str | Sequence[str] | None

# what every aggregate means, in the order of the documentation
FUNCTIONS = {
    "count": "number",
    "sum": "sum",
    "mean": "mean",
    "min": "least",
    "max": "greatest",
    "std": "standard deviation",
    "var": "variance",
    "first": "first",
    "last": "last",
    "distinct": "number of distinct values",
    "any": "whether any is true",
    "all": "whether all are true",
    "share": "share",
    "entropy": "entropy in nats",
    "median": "median",
    "quantile": "quantile",
    "trend": "slope per day",
    "ewm": "exponentially weighted mean",
    "time_since_last": "days since the last",
    "time_since_first": "days since the first",
}
# these take any column; the others need a number in every row
OF_ANY_COLUMN = ("count", "distinct", "share", "entropy", "time_since_last", "time_since_first")


class Narrowed(TypedDict, total=False):
    """Which events an aggregate takes, beside its window.

    `where`: only rows that meet a condition (`sales.channel == "web"`, `col("amount") > 100`). `via`: events of another
    entity, which an attribute names (`bridges.county`). `by`: one feature for each of the `top` most frequent values of
    a category, learned on training rows, or for each of `values`.
    """

    where: RowExpression
    via: Attribute
    by: str
    top: int
    values: Sequence[str]


@dataclass(frozen=True, eq=False)
class Aggregate(Expression):
    """A function of the events in a window before or after t.

    Empty window: count and sum are 0, everything else is null. Nulls in the column are skipped; `count()` counts rows.

    Attributes
    ----------
    column : str or None
        The column it reads; None for the rows themselves.
    argument : number, text or None
        Of quantile the share below it, of ewm the half-life, of share the value.
    where : RowExpression or None
        A condition that a row must meet.
    via : Attribute or None
        The attribute of the observed entity that names the entity of the events.
    """

    events: Events
    column: str | None
    function: str
    window: Window
    argument: float | str | None = None
    where: RowExpression | None = None
    via: Attribute | None = None

    @property
    def name(self) -> str:
        """Events, column, function and window: `sales_amount_sum_30d`, `weather_temp_mean_7d_via_stores_county`."""
        function = "" if self.window.lag or self.window.at else self.function
        argument = "" if self.argument is None else word(self.argument)
        narrowed = ["where", self.where.slug] if self.where is not None else []
        narrowed += ["via", self.via.name] if self.via is not None else []
        words = (self.events.name, self.column, function, argument, self.window.label, *narrowed)
        return "_".join(one for one in words if one)

    def ago(self, duration: str) -> Aggregate:
        """Return the same aggregate over a window that lies `duration` earlier.

        For differences and ratios to an earlier window: `week / week.ago("7d")`. Twice earlier adds up.
        """
        if self.window.future:
            raise TypeError(f"{self.events.name}: {self.function} looks ahead; only a past window can lie earlier")
        ago = duration if self.window.ago is None else _sum(self.window.ago, duration)
        return replace(self, window=replace(self.window, ago=ago))


def _sum(*durations: str) -> str:
    """Return durations as one; what is none comes back as it is, and `check` reports it."""
    added = 0
    for text in durations:
        try:
            added += clock.duration(text)
        except (ValueError, TypeError):
            return text
    return clock.duration_text(added)


@dataclass(frozen=True, eq=False)
class ByCategory:
    """One aggregate for each value of a category: those named, or the most frequent ones, learned on training rows only.

    It stands in a model's list of features and is no value itself, so it cannot be combined.

    Attributes
    ----------
    by : str
        A category of the events.
    top : int
        How many values are learned.
    values : tuple of str or None
        The values as declared; None lets them be learned.
    learned : tuple of str or None
        What was learned; the definition kept with a model version has it.
    chosen : str or None
        What the team lets the names of its features begin with.
    """

    aggregate: Aggregate
    by: str
    top: int = 10
    values: tuple[str, ...] | None = None
    learned: tuple[str, ...] | None = None
    chosen: str | None = None

    @property
    def name(self) -> str:
        """What the features of its values begin with: `sales_amount_sum_30d_channel`."""
        return self.chosen if self.chosen is not None else f"{self.aggregate.name}_{self.by}"

    def named(self, name: str) -> ByCategory:
        """Return the same features under names that begin with `name`: `spend_web`, `spend_store`."""
        return replace(self, chosen=name)

    def named_values(self) -> tuple[str, ...] | None:
        """Return the values there is a feature for; None if they are still to be learned."""
        return self.values if self.values is not None else self.learned

    def expand(self) -> list[Expression]:
        """Return an aggregate for each value, `sales_amount_sum_30d_channel_web`; none while they are not learned."""
        values = self.named_values() or ()
        found: list[Expression] = []
        taken: set[str] = set()
        for place, value in enumerate(values):
            own = RowComparison("==", RowColumn(self.by), Literal(value))
            both = own if self.aggregate.where is None else self.aggregate.where & own
            name = f"{self.name}_{word(value) or place}".lower()
            # labels that differ in signs only would have one name
            name = f"{name}_{place}" if name in taken else name
            taken.add(name)
            found.append(replace(self.aggregate, where=both).named(name))
        return found


def aggregates(
    events: Events,
    column: str | None,
    function: str,
    last: Windows,
    next: Windows,
    narrowed: Narrowed,
    argument: float | str | None = None,
) -> Any:
    """Return one aggregate, or a list of them if a list of windows is given; with `by`, of `ByCategory`."""
    if last is not None and next is not None:
        raise TypeError(f"{events.name}: give last= or next=, not both; a window lies before or after t")
    unknown = sorted(set(narrowed) - set(Narrowed.__annotations__))
    if unknown:
        raise TypeError(
            f"{events.name}: {function} takes last, next, where, via, by, top and values, not {unknown[0]!r}"
        )
    many = last if last is not None else next
    side = "last" if last is not None else "next"
    several = isinstance(many, Iterable) and not isinstance(many, str)
    # what is no duration stands as it was written, and `check` reports it
    each: Any = many if several else [many]
    windows = [Window()] if many is None else [Window(**{side: one}) for one in each]
    made = [_narrow(Aggregate(events, column, function, window, argument), narrowed) for window in windows]
    return made if several else made[0]


def _narrow(aggregate: Aggregate, narrowed: Narrowed) -> Aggregate | ByCategory:
    found = replace(aggregate, where=narrowed.get("where"), via=narrowed.get("via"))
    by, values = narrowed.get("by"), narrowed.get("values")
    if by is None:
        if values is not None or "top" in narrowed:
            raise TypeError(
                f"{aggregate.events.name}: top= and values= say which values of by= count; give by='<category>'"
            )
        return found
    # a text would fall into its letters; what is no list stands as it was written, and `check` reports it
    listed: Any = tuple(values) if isinstance(values, Sequence) and not isinstance(values, str) else values
    return ByCategory(found, by, narrowed.get("top", 10), listed)
