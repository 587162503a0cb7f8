"""The first rows of a raw file, for those who only want to look at it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from keepfit.engines.local.formats.opening import opened
from keepfit.spec.sources import Format


def first_rows(path: Path, format: Format | None, rows: int) -> tuple[tuple[str, ...], list[list[str | None]]]:
    """Return a file's columns, and so many of its rows as texts.

    Raises
    ------
    SourceError
        If it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="keepfit-") as scratch, duckdb.connect() as connection:
        connection.execute("set TimeZone='UTC'")
        found = opened(connection, path, format, path.name, Path(scratch))
        read = (
            connection.execute(f"select * from {found.scan({})} limit {int(rows)}").fetchall() if found.header else []
        )
    return found.header, [list(row) for row in read]
