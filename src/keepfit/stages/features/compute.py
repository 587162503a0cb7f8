"""The columns of a plan at observations: events through the kernel, attributes by a join, and what t tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column, Observations
from keepfit.kernel.calendar import of_moment
from keepfit.kernel.plan import EventsPlan, Plan, compile_plan
from keepfit.kernel.sweep import sweep
from keepfit.rows.key import key_text
from keepfit.snapshot import Snapshot
from keepfit.spec.features import Attribute, Expression


def compute(expressions: Sequence[Expression], snapshot: Snapshot, observations: Observations) -> dict[str, Column]:
    """Return one column for each expression, by name, in the order of the observations."""
    plan = compile_plan(expressions)
    return plan.evaluate(leaves(plan, snapshot, observations))


def leaves(plan: Plan, snapshot: Snapshot, observations: Observations) -> dict[str, Column]:
    """Return one column for each leaf of a plan, by name."""
    found: dict[str, Column] = {}
    for records, columns in plan.records:
        attributes = snapshot.engine.attributes(records, snapshot.files(records), columns, observations)
        found.update({f"{records.name}_{column}": values for column, values in attributes.items()})
    for events in plan.events:
        if events.via is None:
            swept = _swept(events, snapshot, observations)
        else:
            swept = _swept_through(events, _keys(events.via, found), snapshot, observations)
        found.update(zip(events.names, swept, strict=True))
    for moment in plan.moments:
        found[moment.name] = of_moment(moment, observations.t)
    return found


def _swept(plan: EventsPlan, snapshot: Snapshot, observations: Observations) -> NDArray[np.float64]:
    """Return [names, observations]."""
    swept = np.empty((len(plan.names), len(observations)))
    runs = snapshot.engine.events(plan.table, snapshot.files(plan.table), plan.columns, observations, snapshot.as_of)
    for run in runs:
        bounds = observations.offsets[run.first : run.stop + 1]
        own = slice(int(bounds[0]), int(bounds[-1]))
        swept[:, own] = sweep(
            plan.program, run.time, run.known, run.values, run.offsets, observations.t[own], bounds - bounds[0]
        )
        del run  # before the next one is made: one is in memory at a time
    return swept


def _swept_through(
    plan: EventsPlan, keys: Column, snapshot: Snapshot, observations: Observations
) -> NDArray[np.float64]:
    """Sweep the events of the entities that an attribute names; each (key, t) once, null where there is no key."""
    named = np.array([key is not None for key in keys], bool)
    swept = np.full((len(plan.names), len(observations)), np.nan)
    if not named.any():
        return swept
    others, order = Observations.grouped(keys[named].astype(str), observations.t[named])
    codes = others.codes()
    new = np.concatenate([[True], (codes[1:] != codes[:-1]) | (others.t[1:] != others.t[:-1])])
    found = np.empty((len(plan.names), len(order)))
    found[:, order] = _swept(plan, snapshot, others.keep(new))[:, np.cumsum(new) - 1]
    swept[:, named] = found
    return swept


def _keys(via: Attribute, found: dict[str, Column]) -> Column:
    declared = via.records.type_of(via.column)
    return np.array([key_text(declared, value) for value in found[via.name].tolist()], object)
