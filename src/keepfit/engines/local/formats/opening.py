"""Which reader opens a raw file: as its format is declared, or as its suffix says.

A format is one file here, with its class in `OPENERS` and its suffixes in `TEXTS` or `BINARY`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from keepfit.engines.local.formats.csv import open_csv
from keepfit.engines.local.formats.excel import open_excel
from keepfit.engines.local.formats.fixed import open_fixed
from keepfit.engines.local.formats.json import open_json
from keepfit.engines.local.formats.parquet import open_parquet
from keepfit.engines.local.formats.protocol import Opened
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv, Excel, FixedWidth, Format, Json, Parquet

OPENERS: dict[type, Callable[..., Opened]] = {
    Csv: open_csv,
    FixedWidth: open_fixed,
    Json: open_json,
    Parquet: open_parquet,
    Excel: open_excel,
}
TEXTS: dict[str, Callable[[], Format]] = {
    ".csv": Csv,
    ".tsv": Csv,
    ".txt": Csv,
    ".json": Json,
    ".jsonl": Json,
    ".ndjson": Json,
}
BINARY: dict[str, Callable[[], Format]] = {
    ".parquet": Parquet,
    ".pq": Parquet,
    ".xlsx": Excel,
    ".xls": Excel,
    ".ods": Excel,
}


def opened(connection: duckdb.DuckDBPyConnection, path: Path, format: Format | None, name: str, folder: Path) -> Opened:
    """Open a raw file.

    Parameters
    ----------
    format : Format or None
        How it is written; None tells it by the suffix.
    name : str
        What to call it in errors; its suffix counts, not that of the path.
    folder : Path
        Takes copies; the caller removes it when it has read the file.

    Raises
    ------
    SourceError
        If the file cannot be read, or its format is not known.
    """
    format = format or format_of(name)
    return OPENERS[type(format)](connection, path, format, name, folder)


def format_of(name: str) -> Format:
    """Return the format that a file's suffix stands for.

    Raises
    ------
    SourceError
        If it stands for none.
    """
    inner, suffix = _suffixes(name)
    found = TEXTS.get(inner) if suffix == ".gz" else (TEXTS | BINARY).get(suffix)
    if found is None:
        fix = (
            f"name it by its format: {', '.join(TEXTS | BINARY)}; {', '.join(f'{one}.gz' for one in TEXTS)};"
            " or declare it: Files(..., format=Csv())"
        )
        raise SourceError(f"{name} is of no known format", where=name, fix=fix)
    return found()


def _suffixes(name: str) -> tuple[str, str]:
    path = Path(name.lower())
    return Path(path.stem).suffix, path.suffix
