"""When predictions are made: the observations (entity, t) of a model."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.spec.features import Expression
from keepfit.spec.tables import Events, Records


@dataclass(frozen=True, eq=False)
class Every:
    """An observation of each entity at each moment of a calendar grid.

    Parameters
    ----------
    every : str
        The grid in UTC: '1 month', '1 week', '1 day', '6 hours' (see `keepfit.clock.Grid`).
    of : Records or Events
        Whose entities: those of the records, or those seen in the events before t.
    active : Expression or None
        A past-window condition; only entities that meet it at t are observed: `sales.within("90d")`.
    """

    every: str
    of: Records | Events
    active: Expression | None = None


@dataclass(frozen=True, eq=False)
class EachRow:
    """An observation at each row of events, 1 µs after the row is known: the row itself is visible, nothing after it is."""

    of: Events
