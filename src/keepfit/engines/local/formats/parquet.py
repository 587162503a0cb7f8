"""Parquet files, every value as a text file would hold it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from keepfit.engines.local.formats.csv import unrepeated
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.staging import stage
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError
from keepfit.spec.sources import Parquet

NESTED = ("STRUCT", "MAP", "UNION", "LIST", "ARRAY")
MOMENTS = ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S")
ZONED = "TIMESTAMP WITH TIME ZONE"


def open_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, _format: Parquet, name: str, folder: Path
) -> Opened:
    """Open Parquet.

    Raises
    ------
    SourceError
        If it is not Parquet, or has a column twice.
    """
    staged = stage(path, name, folder)
    file = literal(str(staged.path))
    try:
        unrepeated(_written(connection, file), name)
        columns = connection.execute(f"describe select * from {_reading(file)}").fetchall()
        rows = connection.execute(f"select sum(num_rows) from parquet_file_metadata({file})").fetchone()
    except duckdb.Error as error:
        message = str(error).splitlines()[0].replace(str(staged.path), name)
        raise SourceError(f"{name} cannot be read: {message}", where=str(path), fix="send the file again") from None
    types = {column: kind for column, kind, *_ in columns}

    def scan(_types: Mapping[str, str]) -> str:
        values = (f"{text(quoted(column), kind)} as {quoted(column)}" for column, kind in types.items())
        return f"(select {', '.join(values)} from {_reading(file)})"

    return Opened(tuple(types), scan, lines=int(rows[0]) if rows else None, types=types, digest=staged.digest)


def text(value: str, kind: str) -> str:
    """Return the SQL of a value of some type as text; of a number its shortest form."""
    written = f"cast({value} as varchar)"
    if kind in ("DOUBLE", "FLOAT"):
        return f"case when not isnan({value}) then regexp_replace({written}, '\\.0$', '') end"
    if kind.startswith("DECIMAL") and not kind.endswith(",0)"):
        return f"regexp_replace({written}, '\\.?0+$', '')"
    if kind == ZONED:
        return f"replace(cast(timezone('UTC', {value}) as varchar), ' ', 'T') || 'Z'"
    if kind in MOMENTS:
        return f"replace({written}, ' ', 'T')"
    if kind == "BLOB":
        return f"nullif(lower(hex({value})), '')"
    if kind.endswith("]") or kind.startswith(NESTED):
        return f"cast(to_json({value}) as varchar)"
    return f"nullif({written}, '')"


def _reading(file: str) -> str:
    return f"read_parquet({file}, hive_partitioning = false)"


def _written(connection: duckdb.DuckDBPyConnection, file: str) -> tuple[str, ...]:
    """Return the columns as the file names them; DuckDB would rename one that comes twice."""
    schema = connection.execute(f"select name, coalesce(num_children, 0) from parquet_schema({file})").fetchall()
    names, inside = [], 0
    for column, children in schema[1:]:
        if inside == 0:
            names.append(column)
        inside = max(inside - 1, 0) + children
    return tuple(names)
