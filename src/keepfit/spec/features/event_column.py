"""A column of events with all its aggregates: `sales.amount.sum(last="30d")`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from keepfit import clock
from keepfit.errors import did_you_mean
from keepfit.spec.features.aggregate import FUNCTIONS, Aggregate, Narrowed, Windows, aggregates
from keepfit.spec.features.attribute import Attribute
from keepfit.spec.features.expression import Expression
from keepfit.spec.rows import RowColumn, RowExpression
from keepfit.spec.window import Window

if TYPE_CHECKING:
    from keepfit.spec.tables import Events


@dataclass(frozen=True, eq=False)
class EventColumn(RowColumn):
    """A column of events: waiting for an aggregate, or part of a condition in `where=`.

    Each aggregate takes `last=` for the past or `next=` for a target, one window or a list of them (without either
    it reads the entity's whole past), and what `Narrowed` names: `where`, `via`, `by`.
    """

    events: Events

    def __repr__(self) -> str:
        return f"{self.events.name}.{self.name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [*FUNCTIONS, "lag", "at", "drop", "rise"]
        raise AttributeError(f"{self!r} has no aggregate {name!r}; {did_you_mean(name, known)}")

    def _make(
        self,
        function: str,
        last: Windows,
        next: Windows,
        narrowed: Narrowed,
        argument: float | str | None = None,
    ) -> Any:
        return aggregates(self.events, self.name, function, last, next, narrowed, argument)

    def count(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the number of non-null values."""
        return self._make("count", last, next, narrowed)

    def sum(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the exact sum, rounded once."""
        return self._make("sum", last, next, narrowed)

    def mean(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the mean."""
        return self._make("mean", last, next, narrowed)

    def min(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the least value."""
        return self._make("min", last, next, narrowed)

    def max(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the greatest value."""
        return self._make("max", last, next, narrowed)

    def std(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the sample standard deviation (n-1); null for fewer than two values."""
        return self._make("std", last, next, narrowed)

    def var(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the sample variance (n-1); null for fewer than two values."""
        return self._make("var", last, next, narrowed)

    def first(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the oldest non-null value."""
        return self._make("first", last, next, narrowed)

    def last(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the newest non-null value."""
        return self._make("last", last, next, narrowed)

    def distinct(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the number of distinct values, of any column."""
        return self._make("distinct", last, next, narrowed)

    def any(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return 1 if any value is true (not zero), 0 if none is."""
        return self._make("any", last, next, narrowed)

    def all(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return 1 if all values are true (not zero), 0 if one is not."""
        return self._make("all", last, next, narrowed)

    def share(
        self, of: str | float | bool, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]
    ) -> Any:
        """Return the share of the non-null values that equal `of`, 0 to 1."""
        return self._make("share", last, next, narrowed, of)

    def entropy(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return Shannon's entropy of the values in nats: 0 if all are alike, ln k for k equally frequent ones."""
        return self._make("entropy", last, next, narrowed)

    def median(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the median."""
        return self._make("median", last, next, narrowed)

    def quantile(self, q: float, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the quantile below which a share `q` of the values lies, interpolated (type 7)."""
        return self._make("quantile", last, next, narrowed, q)

    def trend(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the least-squares slope per day; null for fewer than two values or one moment only."""
        return self._make("trend", last, next, narrowed)

    def ewm(self, half_life: str, last: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the mean, each value weighted by 2**(-age/half_life); rows older than 60 half-lives are left out."""
        return self._make("ewm", last, None, narrowed, half_life)

    def time_since_last(self, last: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the days since the newest non-null value."""
        return self._make("time_since_last", last, None, narrowed)

    def time_since_first(self, last: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the days since the oldest non-null value."""
        return self._make("time_since_first", last, None, narrowed)

    def lag(self, lag: str, tolerance: str) -> Aggregate:
        """Return the last value in [t - lag - tolerance, t - lag)."""
        return Aggregate(self.events, self.name, "last", Window(lag=lag, tolerance=tolerance))

    def at(self, at: str, tolerance: str) -> Aggregate:
        """Return the last value in [t + at - tolerance, t + at), as a target."""
        return Aggregate(self.events, self.name, "last", Window(at=at, tolerance=tolerance))

    def drop(self, next: str, by: float = 0) -> Expression:
        """Return, as a target, whether the next value within `next` is lower than the last one by more than `by`.

        Null, and so left out of training, if no value follows within the horizon or none came before.
        """
        lower = self.last() - self.first(next=next) > by
        return lower.named(self._step("drop", next, by))  # type: ignore[no-any-return]

    def rise(self, next: str, by: float = 0) -> Expression:
        """Return, as a target, whether the next value within `next` is higher than the last one by more than `by`."""
        higher = self.first(next=next) - self.last() > by
        return higher.named(self._step("rise", next, by))  # type: ignore[no-any-return]

    def _step(self, what: str, next: str, by: float) -> str:
        by_name = f"_by_{by:g}".replace(".", "p") if by else ""
        return f"{self.events.name}_{self.name}_{what}{by_name}_next_{str(next).replace(' ', '')}"


def time_to_next(events: Events, next: str, narrowed: Narrowed) -> Expression:
    """Return the days from t to the next row within a horizon; exactly the horizon's days if none comes (censored)."""
    refused = sorted(set(narrowed) - {"where", "via"})
    if refused:
        raise TypeError(f"{events.name}.time_to_next takes next, where and via, not {refused[0]!r}; it is one value")
    if not isinstance(next, str):
        raise TypeError(f"{events.name}.time_to_next({next!r}): {next!r} is no duration; write time_to_next('90d')")
    where, via = narrowed.get("where"), narrowed.get("via")
    since = Aggregate(events, None, "time_since_first", Window(next=next), None, where, via)
    days = (0 - since).fill(clock.duration(next) / clock.DAY)
    if isinstance(where, RowExpression | None) and isinstance(via, Attribute | None):
        return days.named(since.name.replace("time_since_first_next", "time_to_next"))
    return days  # no name can be built from these; `check` reports them
