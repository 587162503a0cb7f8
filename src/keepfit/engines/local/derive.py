"""Derived columns of a checked file: those of the row language as SQL, those of Python functions batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
from arro3.core import Table as ArrowTable

from keepfit.engines import sql
from keepfit.engines.quoting import TYPES, quoted
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


def python_columns(
    connection: duckdb.DuckDBPyConnection, table: Table, typed: dict[str, str], checked: str, target: str
) -> None:
    """Compute the Python columns of a file's good rows into a temporary table: `_record`, and `p:<name>` for each.

    Parameters
    ----------
    typed : dict of str to str
        The SQL of each typed column over the table `checked`.

    Raises
    ------
    SourceError
        If a function raises, returns what it may not, or looks beyond the row.
    """
    if not (names := python_names(table)):
        return
    types = {name: python_of(table, name).returns for name in names}
    columns = "".join(f", {_held(name)} {TYPES[returns.kind]}" for name, returns in types.items())
    connection.execute(f'create or replace temp table "{target}" (_record bigint{columns})')
    needed = {one: table.raw_types()[one] for name in names for one in python_of(table, name).reads}
    picked = "".join(f", {typed[one]} as {quoted('c:' + one)}" for one in needed)
    # by ranges of records, since a connection cannot stream one table while it fills another
    (last,) = connection.execute(f'select coalesce(max(_record), 0) from "{checked}"').fetchone() or (0,)
    for start in range(0, last, BATCH_ROWS):
        batch = ArrowTable.from_arrow(
            connection.sql(
                f'select _record{picked} from "{checked}" where len(_reasons) = 0'
                f" and _record > {start} and _record <= {start + BATCH_ROWS} order by _record"
            )
        )
        if batch.num_rows:
            _fill(connection, _computed(table, batch, needed, types), target)


def _computed(table: Table, batch: ArrowTable, needed: dict[str, Column], types: dict[str, Column]) -> ArrowTable:
    values = {one: Values(batch.column("c:" + one).combine_chunks(), column) for one, column in needed.items()}
    records = batch.column("_record").combine_chunks()
    computed = [records]
    for name, returns in types.items():
        columns = [values[one] for one in python_of(table, name).reads]
        derived = derive(name, table, columns)
        computed.append(array(derived, returns))
        companies = _companies([*columns, Values(computed[-1], returns)], records[0].as_py())
        require_rows_alone(name, table, columns, derived, companies)
    return ArrowTable.from_arrays(computed, names=["_record", *("p:" + name for name in types)])


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
