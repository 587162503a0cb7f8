"""Pieces of queries, and columns on their way from and to DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from arro3.core import Array, DataType
from numpy.typing import NDArray

from keepfit import tables
from keepfit.engines.protocol import Column
from keepfit.engines.quoting import TYPES, literal, quoted
from keepfit.spec.rows import RowColumn, RowExpression
from keepfit.spec.tables import Table


def parquet(files: Sequence[str]) -> str:
    """Return Parquet files as a table."""
    listed = ", ".join(map(literal, files))
    return f"read_parquet([{listed}], union_by_name=true)"


def source(table: Table, files: Sequence[str]) -> str:
    """Return a source table's rows; a table that nothing was appended to yet has no file that tells its columns."""
    if files:
        return parquet(files)
    kinds = {name: column.kind for name in table.column_names() if (column := table.type_of(name))}
    types = {name: TYPES[kind] for name, kind in kinds.items()} | {table.entity: "VARCHAR", **tables.ROW}
    types |= {table.time: "TIMESTAMPTZ"} if table.time else {}
    nothing = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in types.items())
    return f"(select {nothing} where false)"


def span(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
    """Return (rows, first time, last time) of the rows known before `as_of`, by a scan."""
    time = quoted(table.time or "")
    row = connection.execute(
        f"select count(*), epoch_us(min({time})), epoch_us(max({time})) from {source(table, files)}"
        f" where _known < make_timestamptz({as_of})"
    ).fetchone()
    return row if row and row[0] else (0, 0, 0)


def clustering(table: Table) -> str:
    """Return what a source table's rows are sorted by in its files."""
    return ", ".join([*(quoted(name) for name in (table.entity, table.time) if name), "_order"])


def number(table: Table, column: RowExpression) -> str:
    """Return a row expression as the kernel reads it; conditions are 1 and 0."""
    return f"cast({row(table, column)} as double)"


def row(table: Table, expression: RowExpression) -> str:
    """Return a row expression over a table's stored columns."""
    if type(expression) is RowColumn:
        return quoted(expression.name)
    from keepfit.engines import sql  # only here: a plain column needs no compiler of expressions

    return str(sql.derived(expression, table.types()).sql("duckdb"))


def texts(column: Column) -> Array:
    """Return texts as an Arrow array."""
    return Array(list(column), type=DataType.utf8())


def typed(name: str, values: Any, kind: str | None) -> str:
    """Return the SQL of a column of a DuckDB type (as it is if None): microseconds become moments, NaN becomes null."""
    if kind is None:
        return quoted(name)
    value = f"make_timestamptz({quoted(name)})" if kind == "TIMESTAMPTZ" else f"cast({quoted(name)} as {kind})"
    if values.dtype.kind == "f":
        value = f"case when not isnan({quoted(name)}) then {value} end"
    return f"{value} as {quoted(name)}"


def unmasked(column: Any) -> Column:
    """Return a DuckDB column with NaN or None where it is null."""
    mask = np.ma.getmaskarray(column)
    values = np.ma.getdata(column)
    if values.dtype == object:
        texts: Column = values.copy()
        texts[mask] = None
        return texts
    if values.dtype == bool:
        values = values.astype(np.float64)
    if not mask.any():
        return np.asarray(values)
    numbers: Column = values.astype(np.float64)
    numbers[mask] = np.nan
    return numbers


def spread(values: Column, codes: NDArray[np.int64], size: int) -> Column:
    """Return values placed by code, null where a code has none."""
    spread: Column = np.full(size, None, object) if values.dtype == object else np.full(size, np.nan)
    spread[codes] = values
    return spread
