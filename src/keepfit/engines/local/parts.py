"""Parquet parts: written into a table's folder by DuckDB, named by no version until the lake commits them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import duckdb

from keepfit.engines.local import footers, query
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import full_disk
from keepfit.raw import Part
from keepfit.spec.tables import Table

# a request for one entity, and a run of entities, read row groups by their least and greatest key
ROW_GROUP_ROWS = 122_880
# values of a row group above which none is looked for any more: most numbers have more
DICTIONARY = 1024
LONGEST_BOUND = 64
Statistics = Mapping[str, Mapping[str, str]]
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00")


def write(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    rows: str,
    folder: Path,
    holds: Callable[[Statistics, int], bool] = lambda statistics, rows: True,
) -> Part | None:
    """Write the rows of a query to a part, in the order a source table is kept in; None if there are none.

    Parameters
    ----------
    holds : callable
        Told what Parquet tells of each column, and the number of rows; a part of which it says no is not kept.

    Raises
    ------
    LakeError
        If it cannot be written; nothing of it is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-{uuid4().hex}.parquet"
    ordered = f"select * from ({rows}) order by {query.clustering(table)}"
    try:
        options = f"row_group_size {ROW_GROUP_ROWS}, dictionary_size_limit {DICTIONARY}, return_stats"
        cursor.execute(f"copy ({ordered}) to {literal(str(path))} (format parquet, {options})")
        found = cursor.fetchone()
    except BaseException as error:
        path.unlink(missing_ok=True)
        if (full := full_disk(error, str(folder))) is not None:
            raise full from error
        raise
    statistics = _told(cursor, path, found[4]) if found else {}
    if found is None or found[1] == 0 or not holds(statistics, found[1]):
        path.unlink(missing_ok=True)
        return None
    nulls = {name: int(values.get("null_count", 0)) for name, values in statistics.items()}
    bounded = [name for name in (table.entity, table.time) if name]
    bounds = {name: bound for name in bounded if (bound := _bound(statistics.get(name, {}))) is not None}
    return Part(path, int(found[1]), int(found[2]), nulls, bounds)


def _told(cursor: duckdb.DuckDBPyConnection, path: Path, told: Statistics) -> Statistics:
    """Return what a written part tells of its columns; what a row group without values hid is read from the footer."""
    statistics = {name.strip('"').replace('""', '"'): dict(values) for name, values in told.items()}
    hidden = [name for name, values in statistics.items() if "has_nan" in values and "min" not in values]
    if not hidden:
        return statistics
    for name, (_, least, greatest) in footers.footers(
        cursor, [str(path)], dict.fromkeys(hidden, footers.NUMBER)
    ).items():
        if least is not None and greatest is not None:
            statistics[name] |= {"min": repr(least), "max": repr(greatest)}
    return statistics


def without(files: Sequence[str]) -> str:
    """Return Parquet files of one table as SQL, with the name of each file."""
    return f"read_parquet([{', '.join(map(literal, files))}], union_by_name=true, filename='_k_part')"


def rewritten(
    cursor: duckdb.DuckDBPyConnection, table: Table, files: Sequence[str], gone: str
) -> tuple[list[str], list[Part]]:
    """Write the files that hold rows to be taken out anew without them; return the old files and the new parts.

    Parameters
    ----------
    gone : str
        SQL condition on a row of the table.
    """
    if not files:
        return [], []
    hit = [name for (name,) in cursor.execute(f"select distinct _k_part from {without(files)} where {gone}").fetchall()]
    made: list[Part] = []
    try:
        for name in hit:
            rows = f"select * exclude (_k_part) from {without([name])} where not coalesce({gone}, false)"
            if part := write(cursor, table, rows, Path(name).parent):
                made.append(part)
    except BaseException:
        discard(made)
        raise
    return hit, made


def discard(parts: Sequence[Part]) -> None:
    """Remove parts that no version names."""
    for part in parts:
        part.path.unlink(missing_ok=True)


def _bound(values: Mapping[str, str]) -> tuple[str, str] | None:
    low, high = values.get("min"), values.get("max")
    if low is None or high is None or max(len(low), len(high)) > LONGEST_BOUND:
        return None
    moments = [MOMENT.fullmatch(text) for text in (low, high)]
    if all(moments):
        texts = [f"{one[1]}T{one[2]}{one[3] or '.000'}Z" for one in moments if one]
        return texts[0], texts[1]
    return None if any(moments) else (low, high)


def columns(names: Sequence[str]) -> str:
    """Return column names as a list in SQL."""
    return ", ".join(map(quoted, names))
