"""What the footers of Parquet files tell of a column, so that its rows need not be read: nulls, least, greatest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from keepfit.engines.quoting import literal

# a text of a footer as a number, and as a moment in microseconds; of another type it is null
NUMBER, MOMENT = "try_cast({} as double)", "cast(epoch_us(try_cast({} as timestamptz)) as double)"
INEXACT = 2**53  # from here on not every integer is a double


def footers(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], measures: Mapping[str, str | None]
) -> dict[str, tuple[int, float | None, float | None]]:
    """Return (values, least, greatest) of each column that every footer tells of; the others are left out.

    Parameters
    ----------
    measures : mapping of str to str or None
        Column -> `NUMBER` or `MOMENT`; None: its bounds are not asked for.
    """
    found: dict[str, tuple[int, float | None, float | None]] = {}
    for measure in dict.fromkeys(measures.values()):
        names = [name for name, own in measures.items() if own == measure]
        least, greatest = ((measure or "null").format(f"stats_{end}_value") for end in ("min", "max"))
        whole = "true" if measure is None else f"num_values = stats_null_count or ({least} + {greatest}) is not null"
        rows = connection.execute(
            f"select path_in_schema, cast(sum(num_values - stats_null_count) as bigint), min({least}), max({greatest}),"
            f" bool_and(stats_null_count is not null and ({whole})) from parquet_metadata([{', '.join(map(literal, files))}])"
            f" where path_in_schema in ({', '.join(map(literal, names))}) group by 1"
        ).fetchall()
        found |= {name: (held, low, high) for name, held, low, high, told in rows if told}
    return found


def span(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], time: str, as_of: int
) -> tuple[int, int, int] | None:
    """Return (rows, first time, last time) of a source table; None unless all of its rows were known before `as_of`."""
    told = footers(connection, files, {time: MOMENT, "_known": MOMENT}) if files else {}
    rows, first, last = told.get(time, (0, None, None))
    known, _, newest = told.get("_known", (0, None, None))
    if first is None or last is None or newest is None or known != rows:
        return None
    exact = first > -INEXACT and max(last, newest) < INEXACT
    return (rows, int(first), int(last)) if exact and newest < as_of else None
