"""Bad rows: on their way into quarantine, and those that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit import tables
from keepfit.engines.protocol import Engine
from keepfit.engines.quoting import literal
from keepfit.lake import Lake
from keepfit.raw import Checked, CheckedFile
from keepfit.spec.tables import Table
from keepfit.stages.ingest.listing import Listed, declaration, held, listings

LINES = 1 << 31  # what is no record gets this and its line as a number, which no record has
Raw = dict[str, Any]


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


@dataclass(frozen=True)
class BadRow:
    """A row in quarantine.

    Attributes
    ----------
    record : int or None
        Its number among the records of the file; None if it is no record.
    raw : str
        The row as JSON; of what is no record, its text.
    since : int
        Version of the source table after its file was read as it is now.
    """

    file: str
    digest: str
    line: int | None
    record: int | None
    reason: str
    raw: str
    as_of: int
    since: int

    @property
    def number(self) -> int:
        """What the source table calls the row in `_record`, once it is released."""
        return LINES + (self.line or 0) if self.record is None else self.record

    def values(self) -> Raw | None:
        """Return header -> text; None for what is no record."""
        return None if self.record is None else dict(json.loads(self.raw))


def in_quarantine(engine: Engine, lake: Lake, table: Table, *, as_of: int | None = None) -> list[BadRow]:
    """Return the bad rows of the files that a table holds, as it holds them, that were not released.

    Parameters
    ----------
    as_of : int or None
        Microseconds UTC: only those that were there by then.
    """
    history = listings(engine, lake, [table]).get(table.name, [])
    if not lake.exists(name := tables.QUARANTINE.name):
        return []
    holds, since = held(history), _read_at(history)
    gone = {_told(row) for row in releases(engine, lake, table)}
    rows = []
    for found in engine.rows(lake.parquet_files(name), f'"table" = {literal(table.name)}'):
        listed = holds.get(found["file"])
        if listed is None or (found["digest"], found["declared"]) != (listed.digest, listed.declared):
            continue
        said = {one: found[one] for one in ("file", "digest", "line", "record", "reason", "raw", "as_of")}
        row = BadRow(**said, since=since[listed.path])
        if (row.file, row.since, row.number) not in gone and (as_of is None or row.as_of <= as_of):
            rows.append(row)
    return sorted(rows, key=lambda row: (row.file, row.line or row.number))


def releases(engine: Engine, lake: Lake, table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table that were released: those listed by a release whose commit took place."""
    if not lake.exists(name := tables.RELEASED.name):
        return []
    rows = engine.rows(lake.parquet_files(name), f'"table" = {literal(table.name)}')
    done = lake.marked(tables.source(table.name), list({row["release"] for row in rows}))
    return [row for row in rows if row["release"] in done]


def number_of(row: Mapping[str, Any]) -> int:
    """Return what the source table calls a released row in `_record`."""
    return LINES + int(row["line"]) if row["record"] < 0 else int(row["record"])


def _told(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return row["file"], row["since"], number_of(row)


def _read_at(history: Sequence[Listed]) -> dict[str, int]:
    """Return, of each file, the version of the table after it was read as it is now."""
    found: dict[str, int] = {}
    last: dict[str, tuple[str, str]] = {}
    for one in history:
        if last.get(one.path) != (one.digest, one.declared):
            found[one.path], last[one.path] = one.version, (one.digest, one.declared)
    return found
