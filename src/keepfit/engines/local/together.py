"""Bring the events of observed entities together: runs of whole entities, each sorted by (entity, time, arrival).

DuckDB reads the Parquet files with all threads and gives each row its entity's code; compiled code puts the rows in
order. Neither knows more than a run at a time, so memory is bounded by a run and not by the table. A run's scan is cheap
because files are clustered by entity: DuckDB hands the range of the joined keys to it, and Parquet's statistics skip the
row groups of other entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np

from keepfit.engines.local import merge
from keepfit.engines.protocol import Column, SortedEvents

# events of more rows than this are brought together in several runs of entities; an entity of more rows is its own run
RUN_ROWS = 10_000_000


@dataclass(frozen=True)
class Reading:
    """What to read, in SQL.

    Attributes
    ----------
    source : str
        The rows.
    key, time : str
        The entity and the time of a row.
    late : bool
        Whether a row may be known later than it happened.
    values : tuple of str
        The value columns, as doubles.
    as_of : int
        Rows known at or after it are not read.
    """

    source: str
    key: str
    time: str
    late: bool
    values: tuple[str, ...]
    as_of: int


def runs(connection: duckdb.DuckDBPyConnection, reading: Reading, entities: int) -> Iterator[SortedEvents]:
    """Yield the events of the entities in the table `keepfit_keys` (`_k_key`, `_k_code`), in order of their codes.

    Only the run that was yielded last is kept here; drop it before asking for the next, and memory holds one run.
    """
    threads = int(_one(connection, "select current_setting('threads')"))
    for first, stop in _bounds(connection, reading, entities):
        yield _run(connection, reading, first, stop, threads)


def _bounds(connection: duckdb.DuckDBPyConnection, reading: Reading, entities: int) -> list[tuple[int, int]]:
    """Return runs of entities of at most RUN_ROWS rows, or of one entity."""
    if _one(connection, f"select count(*) from {reading.source}") <= RUN_ROWS:  # known from the files' footers
        return [(0, entities)]
    counted = connection.execute(
        f"select _k_code, rows from (select {reading.key} as key, count(*) as rows from {reading.source}"
        f" where _known < make_timestamptz({reading.as_of}) group by 1) join keepfit_keys on key = _k_key"
    ).fetchnumpy()
    rows = np.zeros(entities, np.int64)
    rows[counted["_k_code"]] = counted["rows"]
    before = np.concatenate([[0], np.cumsum(rows)])
    bounds, first = [], 0
    while first < entities:
        stop = int(np.searchsorted(before, before[first] + RUN_ROWS, side="right")) - 1
        bounds.append((first, max(stop, first + 1)))
        first = bounds[-1][1]
    return bounds


def _run(connection: duckdb.DuckDBPyConnection, reading: Reading, first: int, stop: int, threads: int) -> SortedEvents:
    found = _read(connection, reading, first, stop)
    codes, time, order = (found.pop(name) for name in ("_k_code", "_k_time", "_k_order"))
    rows, time, offsets = merge.merged(codes, time, order, stop - first, threads)
    del codes, order
    known = np.empty(rows.size, np.int64) if reading.late else None
    if known is not None:
        merge.gather(found.pop("_k_known"), rows, known, threads)
    values = np.empty((len(reading.values), rows.size))
    for place in range(len(reading.values)):
        merge.gather(found.pop(f"_k_{place}"), rows, values[place], threads)
    return SortedEvents(first, stop, time, known, values, offsets)


def _read(connection: duckdb.DuckDBPyConnection, reading: Reading, first: int, stop: int) -> dict[str, Column]:
    """Return the rows of the entities first : stop in no order, `_k_code` counted from `first`."""
    known = ", epoch_us(_known) as _k_known" if reading.late else ""
    values = "".join(f", coalesce({value}, 'nan'::double) as _k_{place}" for place, value in enumerate(reading.values))
    query = connection.sql(
        f"select (_k_code - {first})::integer as _k_code, epoch_us({reading.time}) as _k_time, _order as _k_order"
        f"{known}{values} from {reading.source} join (from keepfit_keys where _k_code >= {first} and _k_code < {stop})"
        f" on {reading.key} = _k_key where _known < make_timestamptz({reading.as_of})"
    )
    query.execute()  # all threads fill it; a result fetched as it comes is made by one
    return {name: np.asarray(column) for name, column in query.fetchnumpy().items()}


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0
