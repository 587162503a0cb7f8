"""From the lake to the online store: what the server must know to answer as the batch would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keepfit.kernel.plan import Plan, compile_plan
from keepfit.spec.model import Model
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving.coverage import Coverage, needed
from keepfit.stages.serving.store import EVER, OnlineStore

if TYPE_CHECKING:  # it opens the lake, which the server must not load
    from keepfit.snapshot import Snapshot


def publish(models: Sequence[Model], snapshot: Snapshot, store: OnlineStore) -> dict[str, int]:
    """Fill the store with what these definitions need at and after `snapshot.as_of`; return table -> rows.

    Several, because while one version takes the place of another both answer. Of events: those that a window can reach,
    those that will be known only later, and each entity's newest. Of tables that only the target or the observations
    read: enough to know the entity. Twice with one snapshot gives the same store.
    """
    plans = [compile_plan(model.inputs()) for model in models]
    needs, counts = needed(plans), {}
    tables = {table.name: table for model in models for table in model.tables()}
    for name in sorted(tables):
        table, held = tables[name], needs.get(name, Coverage(frozenset(), 0))
        if isinstance(table, Events):
            counts[name] = _events(table, snapshot, store, plans, held)
        elif isinstance(table, Records):
            counts[name] = _records(table, snapshot, store, held)
    store.note_filled(snapshot.as_of)
    return counts


def _events(table: Events, snapshot: Snapshot, store: OnlineStore, plans: Sequence[Plan], held: Coverage) -> int:
    parts = [part for plan in plans for part in plan.events if part.table.name == table.name]
    columns = {str(column): column for part in parts for column in part.columns}
    newest = {" & ".join(map(str, each)): each for part in parts for each in part.newest}
    since = None if held.reach is None else snapshot.as_of - held.reach
    files = snapshot.files(table)
    rows = snapshot.engine.recent(table, files, list(columns.values()), list(newest.values()), since, snapshot.as_of)
    # the lake owns the time up to its newest row; a row posted since then is not in it yet, however recent as_of is.
    # A row dated ahead says nothing about what has come
    happened = rows["time"][rows["time"] < snapshot.as_of]
    until = int(happened.max()) + 1 if len(happened) else EVER
    answers_from = EVER if since is None else snapshot.as_of
    return store.replace(table, rows, until, answers_from=answers_from, coverage=held)


def _records(table: Records, snapshot: Snapshot, store: OnlineStore, held: Coverage) -> int:
    columns = sorted(held.columns)
    rows = snapshot.engine.current_records(table, snapshot.files(table), columns, snapshot.as_of)
    # of a history only the newest version and those to come are kept, so it cannot be read as of an earlier moment
    return store.replace_records(table, rows, answers_from=snapshot.as_of if table.time else EVER, coverage=held)
