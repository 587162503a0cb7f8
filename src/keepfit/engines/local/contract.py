"""Read one CSV file under its contract: typed good rows, and bad rows with every reason.

All columns are read as text, so that a bad value costs its row and nothing else; DuckDB then types and checks all rows in
one pass. Records that are no CSV records at all (too few or too many fields, an unclosed quote) are kept as they stand.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import duckdb
from sqlglot import exp

from keepfit import clock
from keepfit.engines import sql
from keepfit.engines.local import derive, query
from keepfit.engines.local.lines import evened
from keepfit.engines.protocol import CheckedFile
from keepfit.engines.quoting import TYPES, quoted
from keepfit.errors import SourceError, did_you_mean
from keepfit.spec.columns import Time
from keepfit.spec.moments import NO_ZONE
from keepfit.spec.tables import Events, Table

DELIMITERS = {".csv": ",", ".tsv": "\t"}
DIALECT = "duckdb"


def check(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, label: str, digest: str, order: int, as_of: int
) -> CheckedFile:
    """Return a file's rows, told apart by the table's contract.

    Parameters
    ----------
    label : str
        The file's name as it is kept with each row.
    order : int
        What `_order` counts from: greater than that of any row ingested before.

    Raises
    ------
    SourceError
        If the file cannot be read as CSV, lacks a declared column, or has times whose zone nobody declared.
    """
    header = _header(path)
    _require_columns(table, header, label)
    checked, rejected, torn = (f"{name}_{digest[:16]}" for name in ("checked", "rejected", "torn"))
    with evened(path) as even:
        _read(connection, even, header, label, checked, rejected)
    connection.execute(f'create or replace temp table "{torn}" as {_torn_sql(rejected)}')
    connection.execute(f'create or replace temp table "{checked}" as {_checked_sql(table, header, checked)}')
    _require_zone(connection, table, header, label, checked)
    computed = f"computed_{digest[:16]}"
    derive.python_columns(connection, table, _typed(table), checked, computed)
    good = _good(connection, table, label, order, checked, computed)
    bad = _bad(connection, table, label, digest, as_of, checked, torn)
    summary = _summary(connection, table, checked, torn, good, bad)
    return replace(summary, tables=(checked, computed, torn, rejected, f"{rejected}_scan"))


def _header(path: Path) -> list[str]:
    try:
        with _opened(path) as lines:
            header = next(csv.reader(lines, delimiter=_delimiter(path)), [])
            # DuckDB reads half a gzip without a word
            while path.suffix == ".gz" and lines.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise SourceError(
            f"{path.name} cannot be read: {error}", where=str(path), fix="send the file again, as UTF-8 CSV"
        ) from error
    if not header:
        raise SourceError(f"{path.name} is empty", where=str(path), fix="send the file again, or remove it")
    # pandas writes its index under an empty name
    header = [column or f"column {place}" for place, column in enumerate(header, start=1)]
    folded = [column.lower() for column in header]
    doubled = sorted({column for column in header if folded.count(column.lower()) > 1})
    if doubled:
        raise SourceError(
            f"{path.name} has column {doubled[0]!r} twice", where=str(path), fix="rename one of them in the file"
        )
    return header


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="", errors="replace")
    return path.open(encoding="utf-8-sig", newline="", errors="replace")


def _delimiter(path: Path) -> str:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() not in DELIMITERS:
        fix = "use " + ", ".join(f"{suffix} or {suffix}.gz" for suffix in DELIMITERS)
        raise SourceError(f"{path.name} is of no known format", where=str(path), fix=fix)
    return DELIMITERS[suffix.lower()]


def _require_columns(table: Table, header: list[str], label: str) -> None:
    for column in (table.entity, *table.time_columns(), *table.columns):
        if not _headed(table, column, header):
            missing = next(one for one in table.headers_of(column)[0] if one not in header)
            raise SourceError(
                f"{label} has no column {missing!r}, which {table.name} declares",
                where=label,
                fix=did_you_mean(missing, header, of="the file"),
            )


def _headed(table: Table, column: str, header: list[str]) -> tuple[str, ...]:
    """Return the headers under which a file has a column; none if it lacks it."""
    return next((ways for ways in table.headers_of(column) if set(ways) <= set(header)), ())


def _raw(table: Table, column: str, header: list[str]) -> sql.Sql:
    places = [exp.column(one, table="r", quoted=True) for one in _headed(table, column, header)]
    return sql.joined(table.contract()[column], places)


def _read(
    connection: duckdb.DuckDBPyConnection, path: Path, header: list[str], label: str, checked: str, rejected: str
) -> None:
    columns = exp.Struct(
        expressions=[exp.PropertyEQ(this=sql.text(column), expression=sql.text("VARCHAR")) for column in header]
    )
    reading = (
        f"read_csv({sql.text(str(path)).sql(DIALECT)}, header=true, auto_detect=false, delim='{_delimiter(path)}', quote='\"',"
        f" escape='\"', columns={columns.sql(DIALECT)}, store_rejects=true, strict_mode=true, rejects_table='{rejected}',"
        f" rejects_scan='{rejected}_scan', rejects_limit=0, encoding='utf-8')"
    )
    for name in (checked, rejected, f"{rejected}_scan"):
        connection.execute(f'drop table if exists "{name}"')
    try:
        connection.execute(
            f'create temp table "{checked}" as select row_number() over () as "_record", * from {reading}'
        )
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        fix = "send the file again, as UTF-8 CSV whose lines all end in one way"
        raise SourceError(f"{label} cannot be read as CSV: {message}", where=label, fix=fix) from None


def _torn_sql(rejected: str) -> str:
    """Return the lines that are no records; a quote that is not closed in time tears every line it swallows."""
    return (
        f"with r as (select line, max(error_type) as error, bool_or(error_message like '%unterminated%') as open,"
        f' any_value(csv_line) as raw from "{rejected}" group by line),'
        f" p as (select line, error, if(open, string_split(rtrim(raw, '\r\n'), '\n'), [raw]) as parts from r),"
        f" b as (select *, coalesce(sum(len(parts)) over (order by line rows between unbounded preceding and 1 preceding), 0)"
        f" as before, row_number() over (order by line) - 1 as place from p)"
        f" select line - 2 - place as records_before, line + before - place + unnest(range(len(parts))) as line, error,"
        f" unnest(parts) as raw from b"
    )


def _require_zone(
    connection: duckdb.DuckDBPyConnection, table: Table, header: list[str], label: str, checked: str
) -> None:
    for column in (name for name, declared in table.contract().items() if isinstance(declared, Time)):
        raw, reason = _raw(table, column, header).sql(DIALECT), sql.text(f"{column} {NO_ZONE}").sql(DIALECT)
        found = connection.execute(
            f'select {raw} from "{checked}" r where list_contains(_reasons, {reason}) limit 1'
        ).fetchone()
        if found:
            raise SourceError(
                f"{label}: column {column!r} has times without a zone, such as {found[0]!r}",
                where=f"{label}, column {column!r}; definitions.py, {type(table).__name__} {table.name!r}",
                fix="declare zone='Europe/London' (or wherever the clock hangs), or write times with an offset",
            )


def _checked_sql(table: Table, header: list[str], checked: str) -> str:
    """Return the query that adds to each raw row its typed columns `v:<name>`, and its reasons `_reasons`."""
    values, reasons = [], []
    for column, declared in table.contract().items():
        raw = _raw(table, column, header)
        values.append(f"{sql.typed(declared, raw).sql(DIALECT)} as {_value(column)}")
        reasons.append(sql.broken(declared, column, raw, sql.name(f"v:{column}")).sql(DIALECT))
    return (
        f'with v as (select r.*, {", ".join(values)} from "{checked}" r)'
        f" select *, list_filter([{', '.join(reasons)}], lambda x: x is not null) as _reasons from v as r"
    )


def _good(
    connection: duckdb.DuckDBPyConnection, table: Table, label: str, order: int, checked: str, computed: str
) -> duckdb.DuckDBPyRelation:
    key, *columns = [f"{typed} as {quoted(name)}" for name, typed in _typed(table).items()]
    columns += [f"{computed}.{quoted('p:' + name)} as {quoted(name)}" for name in derive.python_names(table)]
    happened = _value(table.time or "")
    time = [f"{happened} as {quoted(table.time)}"] if table.time else []
    known = "cast(null as timestamptz)" if not table.time else happened
    if isinstance(table, Events) and table.known:
        known = f"greatest({_value(table.known)}, {happened})"
    elif isinstance(table, Events) and table.known_after:
        known = f"{happened} + to_microseconds({_delay(table)})"
    # without a Python column nothing was computed
    rows = f'"{checked}"' + (f' join "{computed}" using (_record)' if derive.python_names(table) else "")
    base = (
        f"select {', '.join([key, *time, *columns])}, {sql.text(label).sql(DIALECT)} as _file, _record,"
        f" {order} + _record as _order, {known} as _known from {rows} where len(_reasons) = 0"
    )
    joined = f"select *{''.join(', ' + one for one in derive.derived_sql(table))} from ({base})"
    return connection.sql(f"{joined} order by {query.clustering(table)}")


def _typed(table: Table) -> dict[str, str]:
    """Return the SQL of each typed column over the checked rows: the key as text first, then as declared."""
    kinds = {table.entity: "VARCHAR"} | {
        name: TYPES[declared.kind] for name, declared in table.columns.items() if name not in (table.entity, table.time)
    }
    return {name: f"cast({_value(name)} as {kind})" for name, kind in kinds.items()}


def _value(column: str) -> str:
    return quoted("v:" + column)


def _delay(table: Events) -> int:
    return clock.duration(table.known_after or "")


def _bad(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    label: str,
    digest: str,
    as_of: int,
    checked: str,
    torn: str,
) -> duckdb.DuckDBPyRelation:
    kept = f"{sql.text(table.name).sql(DIALECT)} as \"table\", {sql.text(label).sql(DIALECT)} as file, '{digest}' as digest"
    header = [row[0] for row in connection.execute(f"select name from pragma_table_info('{checked}')").fetchall()]
    fields = ", ".join(
        f"{name} := {name}"
        for name in (exp.to_identifier(column, quoted=True).sql(DIALECT) for column in header)
        if not name.startswith(('"v:', '"_'))
    )
    raw = f"cast(to_json(struct_pack({fields})) as varchar)"
    # a readable record stands below the header, the records before it and the torn lines before it
    line = f'_record + 1 + (select count(*) from "{torn}" where records_before < _record)'
    return connection.sql(
        f"select {kept}, {line} as line, array_to_string(_reasons, '; ') as reason, {raw} as raw,"
        f' make_timestamptz({as_of}) as as_of from "{checked}" where len(_reasons) > 0'
        f" union all select {kept}, line, 'is no CSV record: ' || lower(cast(error as varchar)),"
        f' raw, make_timestamptz({as_of}) from "{torn}" order by line'
    )


def _summary(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    checked: str,
    torn: str,
    good: duckdb.DuckDBPyRelation,
    bad: duckdb.DuckDBPyRelation,
) -> CheckedFile:
    first = f"epoch_us(min({_value(table.time)}) filter (len(_reasons) = 0))" if table.time else "null"
    rows, broken, first_time = connection.execute(
        f'select count(*), count(*) filter (len(_reasons) > 0), {first} from "{checked}"'
    ).fetchone() or (0, 0, None)
    lines = (connection.execute(f'select count(*) from "{torn}"').fetchone() or (0,))[0]
    reasons = dict(
        connection.execute(
            f'select reason, count(*) from (select unnest(_reasons) as reason from "{checked}")'
            f" group by 1 order by 2 desc, 1"
        ).fetchall()
    )
    if lines:
        reasons["is no CSV record"] = lines
    return CheckedFile(rows + lines, reasons, broken + lines, first_time, good, bad, good.limit(0))
