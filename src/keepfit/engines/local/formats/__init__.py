"""Raw files of any format as tables of texts: `opened(...)`.

A format is one file here, and a line in `opened`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from keepfit.engines.local.formats.csv import open_csv
from keepfit.engines.local.formats.protocol import Opened
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv, Format

__all__ = ["Opened", "opened"]

SUFFIXES: dict[str, Format] = {".csv": Csv(), ".tsv": Csv(), ".txt": Csv()}


def opened(connection: duckdb.DuckDBPyConnection, path: Path, format: Format | None, name: str, folder: Path) -> Opened:
    """Open a raw file.

    Parameters
    ----------
    format : Format or None
        How it is written; None tells it by the suffix.
    name : str
        What to call it in errors.
    folder : Path
        Takes copies; the caller removes it when it has read the file.

    Raises
    ------
    SourceError
        If the file cannot be read, or its format is not known.
    """
    format = format or format_of(name)
    if isinstance(format, Csv):
        return open_csv(connection, path, format, name, folder)
    raise TypeError(f"no reader for {type(format).__name__}; add a file here")


def format_of(name: str) -> Format:
    """Return the format that a file's suffix stands for.

    Raises
    ------
    SourceError
        If it stands for none.
    """
    lowered = Path(name.lower())
    suffix = Path(lowered.stem).suffix if lowered.suffix == ".gz" else lowered.suffix
    if suffix not in SUFFIXES:
        known = ", ".join(sorted(SUFFIXES))
        fix = f"name it by its format ({known}; any of them with .gz), or declare it: Files(..., format=Csv(...))"
        raise SourceError(f"{name} is of no known format", where=name, fix=fix)
    return SUFFIXES[suffix]
