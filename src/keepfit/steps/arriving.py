"""Whether the tables that a model reads are as fresh, and as full, as they have always been: nothing need be declared."""

from __future__ import annotations

import math

import numpy as np

from keepfit import clock
from keepfit.engines.summary import Shape
from keepfit.evidence import CRITICAL, EXPECTED, FRESHNESS, INFO, VOLUME, WARNING, Sign
from keepfit.measure.sums import Floats
from keepfit.measure.wording import number
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec.model import Model
from keepfit.spec.tables import Events
from keepfit.stages.ingest import standing
from keepfit.stages.monitoring.seasons import DAYS, WEEKS, cycle_of
from keepfit.stages.monitoring.usual import usual
from keepfit.steps.expecting import BLOCK, tables_of

WINDOWS = 60
"""Past windows that are looked at."""
FLOORS = {FRESHNESS: 0.05, VOLUME: 0.02}
"""By so much the cube root of the age of the newest row always may differ, as a share of it, and the logarithm of the rows."""
SMALLEST = 1.0 / 24 / 60
"""Days: what came within the last minute is as fresh as can be."""


def arrivals(model: Model, snapshot: Snapshot, bound: float) -> tuple[Sign, ...]:
    """Return the freshness and the volume of each table of events, beside what they were in the model's past windows.

    Parameters
    ----------
    bound : float
        The chance of a false alarm that each may have.
    """
    grid = model.watch.grid(model.observe)
    season = {WEEKS: 7, DAYS: clock.DAY // grid.step}.get(
        cycle_of(grid), max(12 // grid.count, 1) if grid.unit == "month" else 1
    )
    return tuple(sign for table in model.events() for sign in _of(table, snapshot, grid, season, bound))


def _of(table: Events, snapshot: Snapshot, grid: clock.Grid, season: int, bound: float) -> list[Sign]:
    as_of = snapshot.as_of
    last = grid.at_or_before(as_of)
    # windows end as long after a moment of the grid as this one
    moments = [at + as_of - last for at in grid.moments(last - int(1.15 * WINDOWS * grid.step), last)][-WINDOWS:]
    shape = Shape(time=table.time, known="_known")
    look = snapshot.engine.look(shape, snapshot.files(table), as_of)
    told = snapshot.once(("arrivals", table.name, tuple(moments)), lambda: look.arrivals(moments))
    # the window in which the first row came may have begun long before it
    began = next((place for place, (rows, _) in enumerate(told) if rows), len(told))
    kept = range(began, len(told))
    ages = np.array([(moments[at] - (told[at][1] or 0)) / clock.DAY for at in kept])
    rows = np.diff(np.array([told[at][0] for at in kept], np.float64))
    if len(rows):  # as if each window were as long as the newest
        lengths = np.diff(np.array(moments[began:], np.float64))
        rows *= lengths[-1] / lengths
    since = clock.show(moments[-2]) if len(moments) > 1 else ""
    return [*_fresh(table.name, ages, season, bound), *_full(table.name, rows, season, bound, since)]


def _fresh(name: str, ages: Floats, season: int, bound: float) -> list[Sign]:
    if not len(ages):
        return []
    # of rows that come by chance the age is exponential, and its cube root nearly normal (Wilson & Hilferty 1931)
    roots, age = np.cbrt(np.maximum(ages, SMALLEST)), float(ages[-1])
    found = usual(roots, season, FLOORS[FRESHNESS] * float(np.median(roots)))
    if found is None:
        return [Sign(FRESHNESS, name, age, INFO, f"the newest row of {name} is {_days(age)} old", rows=len(ages))]
    chance, high = found.chance(float(roots[-1]), upward=True), max(found.bounds(2 * bound)[1], 0.0) ** 3
    said = f"the newest row of {name} is {_days(age)} old, usually at most {_days(high)}"
    severity = WARNING if chance < bound else INFO
    return [Sign(FRESHNESS, name, age, severity, said, None, high, max(found.value, 0.0) ** 3, chance, len(ages))]


def _full(name: str, rows: Floats, season: int, bound: float, since: str) -> list[Sign]:
    if not len(rows):
        return []
    count = round(float(rows[-1]))
    came = f"{count:,} rows of {name} have come since {since}"
    # counts vary at least as Poisson's do
    floor = math.sqrt(FLOORS[VOLUME] ** 2 + 1 / max(float(np.median(rows)), 1.0))
    found = usual(np.log(rows + 0.5), season, floor)
    if found is None:
        return [Sign(VOLUME, name, count, INFO, came, rows=count)]
    chance = found.chance(math.log(count + 0.5))
    low, high = (max(math.exp(end) - 0.5, 0.0) for end in found.bounds(bound))
    severity = INFO if chance >= bound else WARNING if count else CRITICAL
    said = f"{came}, usually {low:,.0f} to {high:,.0f}"
    return [Sign(VOLUME, name, count, severity, said, low, high, math.exp(found.value) - 0.5, chance, count)]


def _days(days: float) -> str:
    return f"{number(days)} days" if days >= 1 else f"{number(24 * days)} hours"


def expectations(project: Project, model: Model, as_of: int) -> tuple[Sign, ...]:
    """Return the newest measurement of each declared expectation beside its bounds and the median of earlier loads."""
    found = []
    for one in standing(project.engine, project.lake, tables_of(model), as_of):
        severity = INFO if one.met else CRITICAL if one.otherwise == BLOCK else WARNING
        low, high = one.bounds
        usual = None if math.isnan(one.baseline) else one.baseline
        found.append(Sign(EXPECTED, one.about, one.value, severity, one.said, low, high, usual, rows=one.rows))
    return tuple(found)
