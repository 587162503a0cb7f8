"""What a definition needs of an online store, and whether a store holds it: nobody is answered from half of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from keepfit.kernel.plan import EventsPlan, Plan


@dataclass(frozen=True)
class Coverage:
    """What is held of one table.

    Attributes
    ----------
    columns : frozenset of str
        Row expressions of events, or columns of records, by their texts.
    reach : int or None
        How far back events go, in microseconds; None for the whole past, and for records.
    newest : frozenset of str
        What the newest rows, beyond the reach, are held for.
    """

    columns: frozenset[str]
    reach: int | None = None
    newest: frozenset[str] = frozenset()

    def covers(self, needed: Coverage) -> bool:
        """Return whether all that is needed is held."""
        far_enough = self.reach is None or (needed.reach is not None and needed.reach <= self.reach)
        return needed.columns <= self.columns and far_enough and (self.reach is None or needed.newest <= self.newest)


def coverage_text(held: Coverage | None) -> str | None:
    """Return what is held as a store keeps it."""
    return None if held is None else json.dumps([sorted(held.columns), held.reach, sorted(held.newest)])


def coverage_from(text: str | None) -> Coverage | None:
    """Return what `coverage_text` wrote."""
    if text is None:
        return None
    columns, reach, newest = json.loads(text)
    return Coverage(frozenset(columns), reach, frozenset(newest))


def needed(plans: Iterable[Plan]) -> dict[str, Coverage]:
    """Return what some definitions need together, by table."""
    parts: dict[str, list[EventsPlan]] = {}
    records: dict[str, set[str]] = {}
    for plan in plans:
        for part in plan.events:
            parts.setdefault(part.table.name, []).append(part)
        for table, columns in plan.records:
            records.setdefault(table.name, set()).update(columns)
    return {
        **{name: _of_events(each) for name, each in parts.items()},
        **{name: Coverage(frozenset(columns)) for name, columns in records.items()},
    }


def _of_events(parts: list[EventsPlan]) -> Coverage:
    reach = [part.retention for part in parts]
    return Coverage(
        frozenset(str(column) for part in parts for column in part.columns),
        None if None in reach else max((one or 0 for one in reach), default=0),
        frozenset(" & ".join(map(str, conditions)) for part in parts for conditions in part.newest),
    )
