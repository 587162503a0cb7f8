"""Derived columns of a checked file: those of the row language as SQL, those of Python functions batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
from arro3.core import Table as ArrowTable

from keepfit.engines import sql
from keepfit.engines.quoting import TYPES, literal, quoted
from keepfit.rows.python import Values, array, derive, python_of, require_rows_alone
from keepfit.spec.columns import Column
from keepfit.spec.rows import Python
from keepfit.spec.tables import Table

BATCH_ROWS = 100_000
ROWS_ALONE, NULLS_ALONE = 64, 16  # of a batch, and of each column of it
DIALECT = "duckdb"


def derived_sql(table: Table) -> list[str]:
    """Return the columns of the row language, over typed columns."""
    types = table.raw_types()
    return [
        f"{sql.derived(expression, types).sql(DIALECT)} as {quoted(name)}"
        for name, expression in table.derive.items()
        if not isinstance(expression, Python)
    ]


def python_names(table: Table) -> list[str]:
    """Return the names of the columns that Python functions compute."""
    return [name for name, derivation in table.derive.items() if isinstance(derivation, Python)]


def begin(cursor: duckdb.DuckDBPyConnection, table: Table, target: str) -> None:
    """Make the table that Python columns are computed into: `_order`, and `p:<name>` for each."""
    columns = "".join(f", {_held(name)} {TYPES[python_of(table, name).returns.kind]}" for name in python_names(table))
    cursor.execute(f"create table {target} (_order bigint{columns})")


def python_columns(cursor: duckdb.DuckDBPyConnection, table: Table, part: Path, place: int, target: str) -> None:
    """Compute the Python columns of one file's rows in a part.

    Parameters
    ----------
    place : int
        The file's place: `_order` of its rows is `place * 2**32 + _record`.
    target : str
        What `begin` made.

    Raises
    ------
    SourceError
        If a function raises, returns what it may not, or looks beyond the row.
    """
    types = {name: python_of(table, name).returns for name in python_names(table)}
    needed = {one: table.raw_types()[one] for name in types for one in python_of(table, name).reads}
    picked = "".join(f", {quoted(one)} as {quoted('c:' + one)}" for one in needed)
    rows = f"select _order, _record{picked} from read_parquet({literal(str(part))}) where _order >> 32 = {place}"
    (last,) = cursor.execute(f"select coalesce(max(_record), 0) from ({rows})").fetchone() or (0,)
    for start in range(0, last, BATCH_ROWS):
        some = f"select * exclude (_record) from ({rows}) where _record > {start} and _record <= {start + BATCH_ROWS}"
        batch = ArrowTable.from_arrow(cursor.sql(f"{some} order by _order"))
        if batch.num_rows:
            _fill(cursor, _computed(table, batch, needed, types), target)


def _computed(table: Table, batch: ArrowTable, needed: dict[str, Column], types: dict[str, Column]) -> ArrowTable:
    values = {one: Values(batch.column("c:" + one).combine_chunks(), column) for one, column in needed.items()}
    orders = batch.column("_order").combine_chunks()
    computed = [orders]
    for name, returns in types.items():
        columns = [values[one] for one in python_of(table, name).reads]
        derived = derive(name, table, columns)
        computed.append(array(derived, returns))
        companies = _companies([*columns, Values(computed[-1], returns)], orders[0].as_py() % 2**32)
        require_rows_alone(name, table, columns, derived, companies)
    return ArrowTable.from_arrays(computed, names=["_order", *("p:" + name for name in types)])


def _companies(columns: Sequence[Values], drawn_by: int) -> Iterator[list[int]]:
    """Yield the rows of a batch that are computed again, call by call.

    All in reversed order, all in two uneven parts, and alone those that functions over rows treat in a way of their own:
    the first and the last, those with a null, the least and the greatest of a numeric column; and evenly spread ones.
    A third of the rows, drawn at random, is a part: so most rows lose their neighbours, wherever the batch was cut;
    `drawn_by`, the batch's first record, makes it another third in each batch, and the same one when a file is read again.
    """
    many = len(columns[0])
    yield list(range(many))[::-1]
    for part in (drawn := np.random.default_rng(drawn_by).random(many) < 1 / 3, ~drawn):
        if part.any():
            yield np.flatnonzero(part).tolist()
    alone = set(_evenly(range(many), ROWS_ALONE))
    for column in columns:
        alone.update(_telling(column))
    yield from ([place] for place in sorted(alone))


def _telling(column: Values) -> Iterator[int]:
    """Yield some rows with a null, and those with the least and the greatest number."""
    values = np.asarray(column)
    null = np.isnan(values) if column.column.numeric else np.array([one is None for one in values.tolist()])
    yield from _evenly(np.flatnonzero(null).tolist(), NULLS_ALONE)
    if column.column.numeric and not null.all():
        yield from (int(np.nanargmin(values)), int(np.nanargmax(values)))


def _evenly(places: Sequence[int], many: int) -> Iterator[int]:
    """Yield so many of the places, the first and the last among them; all if there are fewer."""
    last = len(places) - 1
    return (places[step * last // (many - 1)] for step in range(many if last >= 0 else 0))


def _fill(connection: duckdb.DuckDBPyConnection, computed: ArrowTable, target: str) -> None:
    connection.register("keepfit_computed", computed)
    try:
        connection.execute(f'insert into "{target}" select * from keepfit_computed')
    finally:
        connection.unregister("keepfit_computed")


def _held(name: str) -> str:
    return quoted("p:" + name)
