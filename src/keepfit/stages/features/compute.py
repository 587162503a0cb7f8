"""The columns of a plan at observations: events through the kernel, attributes by a join, calendar parts from t."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keepfit.engines.protocol import Column, Observations
from keepfit.kernel.plan import EventsPlan, Plan, calendar_part, compile_plan
from keepfit.kernel.sweep import sweep
from keepfit.snapshot import Snapshot
from keepfit.spec.features import Expression


def compute(expressions: Sequence[Expression], snapshot: Snapshot, observations: Observations) -> dict[str, Column]:
    """Return one column for each expression, by name, in the order of the observations."""
    plan = compile_plan(expressions)
    return plan.evaluate(leaves(plan, snapshot, observations))


def leaves(plan: Plan, snapshot: Snapshot, observations: Observations) -> dict[str, Column]:
    """Return one column for each leaf of a plan, by name."""
    found: dict[str, Column] = {}
    for events in plan.events:
        found.update(_swept(events, snapshot, observations))
    for records, columns in plan.records:
        attributes = snapshot.engine.attributes(records, snapshot.files(records), columns, observations)
        found.update({f"{records.name}_{column}": values for column, values in attributes.items()})
    for part in plan.calendar:
        found[part.name] = calendar_part(part, observations.t)
    return found


def _swept(plan: EventsPlan, snapshot: Snapshot, observations: Observations) -> dict[str, Column]:
    swept = np.empty((len(plan.names), len(observations)))
    runs = snapshot.engine.events(plan.table, snapshot.files(plan.table), plan.columns, observations, snapshot.as_of)
    for run in runs:
        bounds = observations.offsets[run.first : run.stop + 1]
        own = slice(int(bounds[0]), int(bounds[-1]))
        swept[:, own] = sweep(
            plan.program, run.time, run.known, run.values, run.offsets, observations.t[own], bounds - bounds[0]
        )
    return dict(zip(plan.names, swept, strict=True))
