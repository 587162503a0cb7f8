"""A table whose declaration was edited: its files are read again, and its rows exchanged in one commit.

A crash before the commit leaves the old table. After it, while the files are listed under the old declaration, the next
ingest does the same again: to exchange all rows twice doubles none. What a crashed ingest had appended beside them and
not listed is appended again, because the marks of appends count the rebuilds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from keepfit import tables
from keepfit.engines.protocol import CheckedFile, Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.spec.tables import Table
from keepfit.stages.ingest.discover import Found
from keepfit.stages.ingest.listing import (
    Row,
    Standing,
    declaration,
    list_files,
    listing,
    refuse_wrong_file,
    standing,
)

Read = list[tuple[Found, CheckedFile | None]]  # None for a copy of a file before it, whose rows are there already


def belonging(table: Table, folder: Path, found: Sequence[Found], held: Mapping[str, str]) -> list[Found]:
    """Return the files that a table holds and its declaration still matches, in the order in which they were read.

    A file that changed and may change comes with its new content; one that was renamed, under its old name.

    Raises
    ------
    SourceError
        If one of them is gone.
    """
    by_name, by_digest = ({getattr(file, key): file for file in found} for key in ("name", "digest"))
    files = []
    for name, digest in held.items():
        file = by_name.get(name) or by_digest.get(digest)
        if file is not None:
            files.append(replace(file, name=name))
        elif not (folder / name).is_file():
            raise SourceError(
                f"{table.name} is declared differently since its files were ingested, and {name} is gone",
                where=str(folder / name),
                fix="put it back, or restore the declaration",
            )
    return files


def rebuild(engine: Engine, lake: Lake, table: Table, files: Sequence[Found], as_of: int) -> tuple[Read, list[Row]]:
    """Put the rows of these files, read as the table is declared now, in the place of all its rows.

    Returns what was read, and how it was listed. A file is read whatever as_of is: the table held it already.

    Raises
    ------
    SourceError
        If a file does not fit the declaration; the table is then as it was.
    """
    target = tables.source(table.name)
    now = Standing(declaration(table), standing(lake, table).rebuilt + 1)
    with ExitStack() as stack:
        read = _read(engine, table, files, (lake.version(target) + 1) << 32, as_of, stack)
        for file, checked in read:
            if checked and checked.quarantined:
                _quarantine(engine, lake, checked, f"{table.name}/{file.digest}/{now.rebuilt}/{now.declared}")
        rows = engine.together(table, [checked for _, checked in read if checked])
        version = lake.replace(target, rows, notes=now.notes(table))
    listed = [listing(table, file, _counts(checked), version, as_of) for file, checked in read]
    list_files(engine, lake, listed)
    return read, listed


def _read(engine: Engine, table: Table, files: Sequence[Found], order: int, as_of: int, stack: ExitStack) -> Read:
    read: Read = []
    for file in files:
        if any(file.digest == other.digest for other, _ in read):
            read.append((file, None))
            continue
        checked = engine.check_file(table, file.path, file.name, file.digest, order, as_of)
        stack.callback(engine.release, checked)
        refuse_wrong_file(table, file, checked)
        read.append((file, checked))
        order += checked.rows
    return read


def _quarantine(engine: Engine, lake: Lake, checked: CheckedFile, mark: str) -> None:
    """Append the bad rows that are not in quarantine already for the same reason."""
    name, rows = tables.QUARANTINE.name, checked.bad
    if lake.exists(name):
        rows = engine.missing(rows, lake.parquet_files(name), ("table", "file", "digest", "line", "reason"))
    lake.append(name, rows, transaction=mark)


def _counts(checked: CheckedFile | None) -> tuple[int, int, int]:
    return (checked.rows, checked.rows - checked.quarantined, checked.quarantined) if checked else (0, 0, 0)
