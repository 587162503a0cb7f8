"""Delta tables that are not of the lake: whatever their owner made of them is read as it is meant, or refused.

The Parquet files of a table are its rows only while the log says no more of them. Values of partitions, rows that a deletion vector
takes out and columns under other names are told by the log alone; such a table is read through it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arro3.core import RecordBatchReader
from deltalake import DeltaTable, QueryBuilder, Schema
from deltalake.exceptions import DeltaError

from keepfit.errors import LakeError
from keepfit.lake.delta import Lake

NAME = "of_others"


def rows(lake: Lake, name: str) -> Any:
    """Return the rows of a table: its Parquet files (tuple of str) if they hold just that, else an Arrow reader.

    Raises
    ------
    LakeError
        If it cannot be read.
    """
    path = lake.root / name
    try:
        table = DeltaTable(str(path))
        # version 1 of the protocol knows neither deletion vectors nor names that differ from those in the files
        if table.protocol().min_reader_version == 1 and not table.metadata().partition_columns:
            return tuple(lake.parquet_files(name))
        return QueryBuilder().register(NAME, table).execute(f"SELECT * FROM {NAME}")
    except Exception as error:
        if not _is_deltas(error):
            raise
        fix = "write it as Parquet with what made it, and name that file"
        raise LakeError(f"the Delta table {name} cannot be read: {_said(error)}", where=str(path), fix=fix) from error


def add(path: Path, found: Any, *, replace: bool) -> None:
    """Add rows to a table, or put them in the place of all that it has, in one commit.

    Parameters
    ----------
    found : object with `__arrow_c_stream__`
        A DuckDB relation that can be read more than once.

    Raises
    ------
    LakeError
        If the table has one of the columns with another type, or takes no such rows.
    """
    lake, name = Lake(path.parent), path.name
    try:
        if not replace and lake.exists(name):
            _fit(DeltaTable(str(path)), found, path)
        (lake.replace if replace else lake.append)(name, found)
    except Exception as error:
        if not _is_deltas(error):
            raise
        what = f"the Delta table {name} takes no such rows: {_said(error)}"
        raise LakeError(what, where=str(path), fix="write into another folder; nothing was added") from error


def _fit(table: DeltaTable, found: Any, path: Path) -> None:
    """Refuse a column that has another type than the table's: it would be cast, and lose what does not fit."""
    there = {field.name: field.type for field in table.schema().fields}
    for field in Schema.from_arrow(RecordBatchReader.from_arrow(found).schema).fields:
        if there.get(field.name, field.type) != field.type:
            what = f"column {field.name!r} is {field.type.type} and that of {path.name} is {there[field.name].type}"
            raise LakeError(what, where=str(path), fix="write into another folder, or replace the table: --force")


def _is_deltas(error: Exception) -> bool:
    """Return whether an error is of the library, which raises plain ones too."""
    return isinstance(error, DeltaError) or type(error) is Exception


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
