"""What a table was expected to be, and whether its newest measurements say that it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit import tables
from keepfit.engines.protocol import Engine
from keepfit.lake import Lake
from keepfit.spec.loading import Expect
from keepfit.spec.tables import Table
from keepfit.stages.ingest.said import Broken

ACCEPTED, RELATIVE = "accepted", "relative volume"
Record = Mapping[str, Any]

SAYS = {
    "completeness": "{place} has a value in {measured} of rows",
    "validity": "{measured} of the rows read of {place} met the contract",
    "uniqueness": "{measured} of the rows read of {place} repeat no other",
    "timeliness": "{place} is {measured} days old",
    "volume": "the load of {place} has {measured} rows",
    RELATIVE: "the load of {place} has {measured} times the rows of a usual one",
}


def measurements(engine: Engine, lake: Lake) -> dict[str, list[Record]]:
    """Return what was ever measured of each table, the newest last."""
    found: dict[str, list[Record]] = {}
    if lake.exists(name := tables.QUALITY.name):
        rows = engine.rows(lake.parquet_files(name))
        for row in sorted(rows, key=lambda row: (row["as_of"], row["version"])):
            found.setdefault(row["table"], []).append(row)
    return found


def dimension(expect: Expect) -> str:
    """Return the dimension that an expectation is measured in."""
    return RELATIVE if expect.relative else expect.dimension


def meets(expect: Expect, value: float) -> bool:
    """Return whether a measured value lies inside the bounds."""
    low, high = expect.bounds()
    return (low is None or value >= low) and (high is None or value <= high)


def broken(table: Table, records: Sequence[Record], as_of: int) -> tuple[Broken, ...]:
    """Return the expectations that a table does not meet as of a moment.

    Each is judged, as it is declared now, by its newest measurement; what a user accepted since counts as met.

    Parameters
    ----------
    records : sequence of mapping
        The table's measurements, the newest last.
    """
    known = [record for record in records if record["as_of"] <= as_of]
    found = []
    for expect in table.expect:
        newest = _newest(expect, known)
        if newest is not None and not meets(expect, newest["value"]) and not _accepted(newest, known):
            found.append(_said(table, expect, newest["value"]))
    return tuple(found)


def state(engine: Engine, lake: Lake, declared: Sequence[Table], as_of: int) -> tuple[Broken, ...]:
    """Return the expectations that some tables do not meet as of a moment; measures nothing."""
    known = measurements(engine, lake)
    return tuple(one for table in declared for one in broken(table, known.get(table.name, ()), as_of))


@dataclass(frozen=True)
class Stands:
    """How a declared expectation stands by its newest measurement; `baseline` is the median of earlier loads, NaN without any."""

    about: str
    value: float
    bounds: tuple[float | None, float | None]
    baseline: float
    rows: int
    otherwise: str
    met: bool
    said: str


def standing(engine: Engine, lake: Lake, declared: Sequence[Table], as_of: int) -> tuple[Stands, ...]:
    """Return how the expectations of some tables stand as of a moment; those that were never measured are left out."""
    if not any(table.expect for table in declared):
        return ()
    every, found = measurements(engine, lake), []
    for table in declared:
        known = [record for record in every.get(table.name, ()) if record["as_of"] <= as_of]
        for expect in table.expect:
            newest = _newest(expect, known)
            if newest is None:
                continue
            value, place = newest["value"], f"{table.name}.{expect.column}" if expect.column else table.name
            met = meets(expect, value) or _accepted(newest, known)
            said = SAYS[dimension(expect)].format(place=place, measured=_measured(dimension(expect), value))
            baseline = math.nan if newest["baseline"] is None else newest["baseline"]
            found.append(
                Stands(
                    f"{place}: {dimension(expect)}",
                    value,
                    expect.bounds(),
                    baseline,
                    newest["rows"],
                    expect.otherwise,
                    met,
                    said,
                )
            )
    return tuple(found)


def _newest(expect: Expect, known: Sequence[Record]) -> Record | None:
    about = (dimension(expect), expect.column)
    return next((record for record in reversed(known) if (record["dimension"], record["column"]) == about), None)


def _accepted(record: Record, known: Sequence[Record]) -> bool:
    return any(
        one["dimension"] == ACCEPTED and one["as_of"] >= record["as_of"] and one["version"] >= record["version"]
        for one in known
    )


def _said(table: Table, expect: Expect, value: float) -> Broken:
    least, most = expect.bounds()
    low = least is not None and value < least
    bound = float((least if low else most) or 0.0)
    what = dimension(expect)
    expected = f"{'at least' if low else 'at most'} {_number(what, bound)}"
    place = f"{table.name}.{expect.column}" if expect.column else table.name
    says = SAYS[what].format(place=place, measured=_measured(what, value))
    said = f"{what} of {expect.column}" if expect.column else what
    return Broken(table.name, f"{said} {expected}", value, bound, expect.otherwise, f"{says}, {expected} expected")


def _measured(what: str, value: float) -> str:
    if what == "timeliness":
        return f"{value:,.1f}"
    return f"{value:.2f}" if what == RELATIVE else _number(what, value)


def _number(what: str, value: float) -> str:
    if what in ("completeness", "validity", "uniqueness"):
        return f"{100 * value:.4g}%"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.6g}"
