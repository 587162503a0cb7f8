"""What a table was expected to be, and whether its newest measurements say that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        about = (dimension(expect), expect.column)
        newest = next((record for record in reversed(known) if (record["dimension"], record["column"]) == about), None)
        if newest is not None and not meets(expect, newest["value"]) and not _accepted(newest, known):
            found.append(_said(table, expect, newest["value"]))
    return tuple(found)


def state(engine: Engine, lake: Lake, declared: Sequence[Table], as_of: int) -> tuple[Broken, ...]:
    """Return the expectations that some tables do not meet as of a moment; measures nothing."""
    known = measurements(engine, lake)
    return tuple(one for table in declared for one in broken(table, known.get(table.name, ()), as_of))


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
