"""Bad rows on their way into quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from keepfit import tables
from keepfit.engines.protocol import Engine
from keepfit.lake import Lake
from keepfit.raw import Checked, CheckedFile
from keepfit.spec.tables import Table
from keepfit.stages.ingest.listing import declaration


def quarantine(
    engine: Engine, lake: Lake, table: Table, checked: Checked, files: Sequence[CheckedFile], as_of: int
) -> None:
    """Append the bad rows of files; those of a content that is there already under this declaration are not repeated."""
    name, stamp = tables.QUARANTINE.name, declaration(table)
    marks = {file.name: f"{table.name}/{file.name}/{file.digest}/{stamp}" for file in files if file.quarantined}
    there = lake.marked(name, list(marks.values()))
    new = [file for file, mark in marks.items() if mark not in there]
    if new:
        stamps: dict[str, str | int] = {"table": table.name, "declared": stamp, "as_of": as_of}
        rows = engine.bad_rows(checked, new, stamps)
        lake.append(name, rows, transaction=[marks[file] for file in new])
