"""From the lake to the online store: what the server must know to answer as the batch would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keepfit.kernel.plan import EventsPlan, compile_plan
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
    plan = compile_plan(model.inputs())
    columns = {table.name: names for table, names in plan.records}
    counts = {}
    for table in model.events():
        counts[table.name] = _events(table, snapshot, store, [part for part in plan.events if part.table is table])
    for records in model.records():
        counts[records.name] = _records(records, snapshot, store, columns.get(records.name, ()))
    return counts


def _events(table: Events, snapshot: Snapshot, store: OnlineStore, parts: Sequence[EventsPlan]) -> int:
    # one table may be read of the observed entity and of others, through attributes
    columns = {str(column): column for part in parts for column in part.columns}
    newest = tuple(dict.fromkeys(conditions for part in parts for conditions in part.newest))
    reach = [part.retention for part in parts]
    since = None if None in reach else snapshot.as_of - max((one or 0 for one in reach), default=0)
    files = snapshot.files(table)
    rows = snapshot.engine.recent(table, files, list(columns.values()), newest, since, snapshot.as_of)
    count, _, last = snapshot.span(table)
    # the lake owns the time up to its newest row; a row posted since then is not in it yet, however recent as_of is
    until = last + 1 if count else EVER
    return store.replace(table, rows, until, answers_from=EVER if since is None else snapshot.as_of)


def _records(table: Records, snapshot: Snapshot, store: OnlineStore, columns: Sequence[str]) -> int:
    rows = snapshot.engine.current_records(table, snapshot.files(table), columns, snapshot.as_of)
    # only the newest version is kept, so a history cannot be read as of an earlier moment
    return store.replace_records(table, rows, answers_from=snapshot.as_of if table.time else EVER)
