"""Rows that are checked once more keep the number that they have in their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import duckdb
import numpy as np
from arro3.core import Array
from arro3.core import Table as ArrowTable

from keepfit.engines.local import parts, query
from keepfit.engines.quoting import literal
from keepfit.raw import Checked
from keepfit.spec.tables import Table

_numbers = count()


def renumbered(
    connection: duckdb.DuckDBPyConnection, table: Table, checked: Checked, records: Mapping[str, Sequence[int]]
) -> Checked:
    """Return checked files whose n-th record has the n-th number; see `Engine.renumbered`."""
    cursor = connection.cursor()
    name = f"keepfit_renumber_{next(_numbers)}"
    files = np.repeat(np.array(list(records), object), [len(numbers) for numbers in records.values()])
    was = [np.arange(1, len(numbers) + 1, dtype=np.int64) for numbers in records.values()]
    now = [np.asarray(numbers, np.int64) for numbers in records.values()]
    columns = [query.texts(files), *(Array.from_numpy(np.concatenate(found)) for found in (was, now))]
    cursor.register(name, ArrowTable.from_arrays(columns, names=["file", "was", "now"]))
    try:
        cursor.execute(
            f"update {checked.bad} b set record = m.now from {name} m where b.file = m.file and b.record = m.was"
        )
        if checked.part is None:
            return checked
        rows = (
            "select p.* replace (m.now as _record, ((p._order >> 32) << 32) + m.now as _order)"
            f" from read_parquet({literal(str(checked.part.path))}) p join {name} m on p._file = m.file and p._record = m.was"
        )
        part = parts.write(cursor, table, rows, checked.part.path.parent)
    finally:
        cursor.unregister(name)
    checked.part.path.unlink()
    return replace(checked, part=part)


def reasons(connection: duckdb.DuckDBPyConnection, checked: Checked) -> dict[tuple[str, int], str]:
    """Return why each bad record is bad; see `Engine.reasons`."""
    found = connection.cursor().execute(
        f"select file, record, array_to_string(reasons, '; ') from {checked.bad} where record is not null"
    )
    return {(file, record): reason for file, record, reason in found.fetchall()}
