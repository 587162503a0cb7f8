"""Derived columns of a checked file: those of the row language as SQL, those of Python functions batch by batch."""

from __future__ import annotations

import duckdb
from arro3.core import Table as ArrowTable

from keepfit.engines import sql
from keepfit.engines.quoting import TYPES, quoted
from keepfit.rows.python import Values, array, derive, python_of, require_rows_alone
from keepfit.spec.columns import Column
from keepfit.spec.rows import Python
from keepfit.spec.tables import Table

BATCH_ROWS = 100_000
ROWS_ALONE = 64
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
    computed = [batch.column("_record").combine_chunks()]
    for name, returns in types.items():
        columns = [values[one] for one in python_of(table, name).reads]
        derived = derive(name, table, columns)
        require_rows_alone(name, table, columns, derived, ROWS_ALONE)
        computed.append(array(derived, returns))
    return ArrowTable.from_arrays(computed, names=["_record", *("p:" + name for name in types)])


def _fill(connection: duckdb.DuckDBPyConnection, computed: ArrowTable, target: str) -> None:
    connection.register("keepfit_computed", computed)
    try:
        connection.execute(f'insert into "{target}" select * from keepfit_computed')
    finally:
        connection.unregister("keepfit_computed")


def _held(name: str) -> str:
    return quoted("p:" + name)
