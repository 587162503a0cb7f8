"""From the lake to the online store: what the server must know to answer as the batch would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keepfit.kernel.plan import compile_plan
from keepfit.spec.model import Model
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving.store import EVER, OnlineStore

if TYPE_CHECKING:  # it opens the lake, which the server must not load
    from keepfit.snapshot import Snapshot


def publish(model: Model, snapshot: Snapshot, store: OnlineStore) -> dict[str, int]:
    """Fill the store with what the model's features need at and after `snapshot.as_of`; return table -> rows.

    Of events: those that a window can reach, and each entity's newest. Of tables that only the target or the
    observations read: enough to know the entity. Twice with one snapshot gives the same store.
    """
    plan = compile_plan(model.features)
    needed = {part.table.name: (part.columns, part.retention) for part in plan.events}
    columns = {table.name: names for table, names in plan.records}
    counts = {table.name: _events(table, snapshot, store, *needed.get(table.name, ((), 0))) for table in model.events()}
    for records in model.records():
        counts[records.name] = _records(records, snapshot, store, columns.get(records.name, ()))
    return counts


def _events(
    table: Events, snapshot: Snapshot, store: OnlineStore, columns: Sequence[str], retention: int | None
) -> int:
    since = None if retention is None else snapshot.as_of - retention
    rows = snapshot.engine.recent(table, snapshot.files(table), columns, since, snapshot.as_of)
    count, _, newest = snapshot.span(table)
    # the lake owns the time up to its newest row; a row posted since then is not in it yet, however recent as_of is
    until = newest + 1 if count else EVER
    return store.replace(table, rows, until, answers_from=EVER if since is None else snapshot.as_of)


def _records(table: Records, snapshot: Snapshot, store: OnlineStore, columns: Sequence[str]) -> int:
    rows = snapshot.engine.current_records(table, snapshot.files(table), columns, snapshot.as_of)
    # only the newest version is kept, so a history cannot be read as of an earlier moment
    return store.replace_records(table, rows, answers_from=snapshot.as_of if table.time else EVER)
