"""Which (entity, t) there are: a calendar grid over entities, or one observation a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keepfit import clock
from keepfit.engines.protocol import Observations
from keepfit.kernel.plan import compile_plan
from keepfit.snapshot import Snapshot
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow, Every
from keepfit.stages.features.compute import leaves


def mature(model: Model, snapshot: Snapshot) -> Observations:
    """Return the observations whose target lies in the past: t + horizon <= the end of what is known."""
    return observe(model, snapshot, until=mature_until(model, snapshot))


def newly_mature(model: Model, snapshot: Snapshot, after: int) -> Observations:
    """Return the mature observations with t > after."""
    until = mature_until(model, snapshot)
    if isinstance(model.observe, EachRow):
        found = observe(model, snapshot, until=until)
        return found.keep(found.t > after)
    return _on_grid(model.observe, snapshot, clock.Grid(model.observe.every).moments(after + 1, until))


def mature_until(model: Model, snapshot: Snapshot) -> int:
    """Return the last t whose target is known at the snapshot's as_of."""
    return min(snapshot.complete_until(table) for table in model.awaited()) - model.horizon


def current(model: Model, snapshot: Snapshot, since: int | None = None) -> Observations:
    """Return the observations to predict at as_of: those of the newest grid moment, or the rows that have come.

    Parameters
    ----------
    since : int, optional
        For a model that observes each row: the newest t that was predicted before. Later rows are predicted; without
        it, each entity's newest row.
    """
    if isinstance(model.observe, EachRow):
        found = observe(model, snapshot, until=snapshot.as_of)
        if since is not None:
            return found.keep(found.t > since)
        newest = np.zeros(len(found), bool)
        newest[found.offsets[1:][np.diff(found.offsets) > 0] - 1] = True
        return found.keep(newest)
    return _on_grid(model.observe, snapshot, [clock.Grid(model.observe.every).at_or_before(snapshot.as_of)])


def observe(model: Model, snapshot: Snapshot, *, until: int) -> Observations:
    """Return all observations with t <= until, in order."""
    if isinstance(model.observe, EachRow):
        found = snapshot.engine.each_row(model.observe.of, snapshot.files(model.observe.of), snapshot.as_of)
        return found.keep(found.t <= until)
    first = min((snapshot.span(table)[1] for table in model.events() if snapshot.span(table)[0]), default=until)
    return _on_grid(model.observe, snapshot, clock.Grid(model.observe.every).moments(first, until))


def _on_grid(every: Every, snapshot: Snapshot, moments: Sequence[int]) -> Observations:
    keys, known = snapshot.engine.entities(every.of, snapshot.files(every.of), snapshot.as_of)
    grid = np.array(moments, np.int64)
    # entity-major: each entity's moments in order, and only those after it was first known
    t = np.tile(grid, len(keys))
    there = t > np.repeat(known, len(grid))
    offsets = np.arange(len(keys) + 1, dtype=np.int64) * len(grid)
    found = Observations(keys, offsets, t).keep(there)
    if every.active is None or not len(found):
        return found
    plan = compile_plan([every.active])
    active = plan.evaluate(leaves(plan, snapshot, found))[every.active.name]
    return found.keep(active == 1)
