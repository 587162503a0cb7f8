"""What a quick look did not let into a part: read once more, rule by rule. What is good after all goes in; the rest is bad."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from keepfit.engines.local import parts, query, reading
from keepfit.engines.local.formats.folds import unfold
from keepfit.engines.local.rules import VALUE
from keepfit.engines.local.work import Work
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError
from keepfit.raw import Part
from keepfit.spec import moments
from keepfit.spec.columns import Time

NO_RECORD = "is no record"
NONE_TORN = "select 0 as line, 0 as records_before, '' as error, '' as raw where false"
COLUMNS = "(file varchar, line bigint, record bigint, reasons varchar[], raw varchar)"


def look_again(work: Work, part: Part | None, added: Sequence[str]) -> Part | None:
    """Find the bad rows of the files that hold more records than the part has of them, and return the part with all good rows."""
    lines = [source.opened.lines for source in work.sources.values()]
    if part is not None and None not in lines and part.rows == sum(line or 0 for line in lines):
        return part
    known = _rows(work, part)
    for name, source in work.sources.items():
        if source.opened.lines != known.get(name, 0):
            _look_at(work, source, part, added)
    if not work.only(f"select count(*) from duckdb_tables() where table_name = {literal(work.left)}"):
        return part
    if work.only(f"select count(*) from {work.left} where len(_reasons) = 0"):
        part = _with_late(work, part, added)
    work.cursor.execute(f"drop table {work.left}")
    return part


def _rows(work: Work, part: Part | None) -> dict[str, int]:
    if part is None:
        return {}
    found = f"select _file, count(*) from {query.parquet([str(part.path)])} group by 1"
    return dict(work.cursor.execute(found).fetchall())


def _look_at(work: Work, source: reading.Source, part: Part | None, added: Sequence[str]) -> None:
    torn, label = f"{work.bad}_torn", literal(source.label)
    rows = reading.left(work.contract, source, part.path if part else None, added)
    there = work.only(f"select count(*) from duckdb_tables() where table_name = {literal(work.left)}")
    # to the end: what a scan rejects can be read when its query is over
    work.cursor.execute(
        f"insert into {work.left} {rows}" if there else f"create table {work.left} as {rows}"
    ).fetchall()
    rejected = source.opened.rejected() if source.opened.rejected else NONE_TORN
    work.cursor.execute(f"create or replace table {torn} as {rejected}")
    bad = f"select * from {work.left} where _file = {label} and len(_reasons) > 0"
    nth = f"select records_before, row_number() over (order by line) as n from {torn}"
    before = f"select records_before, max(n) as torn from ({nth}) group by 1"
    placed = f"select b.*, _record + coalesce(t.torn, 0) as place from ({bad}) b asof left join ({before}) t"
    work.cursor.execute(
        f"insert into {work.bad} select {label}, {_below(source)}, _record, _reasons, _raw"
        f" from ({placed} on b._record > t.records_before)"
    )
    work.cursor.execute(
        f"insert into {work.bad} select {label}, line, null, ['{NO_RECORD}: ' || lower(cast(error as varchar))], raw from {torn}"
    )
    work.cursor.execute(f"drop table {torn}")
    if source.opened.folds is not None and work.only(f"select count(*) from {work.bad} where file = {label}"):
        unfold(work.cursor, work.bad, source.opened.folds(), f"file = {label}")


def _with_late(work: Work, part: Part | None, added: Sequence[str]) -> Part | None:
    late = reading.late(work.contract, work.left, added)
    rows = late if part is None else f"from {query.parquet([str(part.path)])} union all by name {late}"
    whole = parts.write(work.cursor, work.table, rows, work.folder)
    if part is not None:
        part.path.unlink()
    return whole


def count(work: Work) -> None:
    """Tell of each file how many of its rows are good and bad, why, and from when to when they reach; refuse one without a zone."""
    _count_good(work)
    _count_bad(work)
    _count_lines(work)
    for name in list(work.sources):
        _require_zone(work, name)


def begins(work: Work, source: reading.Source) -> int | None:
    """Return the first time in a file whose columns are not as declared; None where none can be read."""
    if work.table.time is None:
        return None
    rows, time = reading.left(work.contract, replace(source, lookup=None), None), quoted(VALUE + work.table.time)
    try:
        found = work.cursor.execute(f"select epoch_us(min({time})) from ({rows})").fetchone()
    except duckdb.Error:  # it lacks what the time is made of, or no more of it can be read
        return None
    return found[0] if found else None


def _count_good(work: Work) -> None:
    if work.part is None:
        return
    time = quoted(work.table.time) if work.table.time else None
    moments_ = f"epoch_us(min({time})), epoch_us(max({time}))" if time else "null, null"
    rows = f"select _file, count(*), {moments_} from {query.parquet([str(work.part.path)])} group by 1"
    for name, good, first, last in work.cursor.execute(rows).fetchall():
        work.found[name] = replace(work.found[name], rows=good, first_time=first, last_time=last)


def _count_bad(work: Work) -> None:
    for name, bad in work.cursor.execute(f"select file, count(*) from {work.bad} group by 1").fetchall():
        work.found[name] = replace(work.found[name], rows=work.found[name].rows + bad, quarantined=bad)
    reasons = work.cursor.execute(
        f"select file, case when starts_with(reason, '{NO_RECORD}') then '{NO_RECORD}' else reason end, count(*) from"
        f" (select file, unnest(reasons) as reason from {work.bad}) group by 1, 2 order by 1, 3 desc, 2"
    ).fetchall()
    for name, reason, rows in reasons:
        work.found[name] = replace(work.found[name], reasons={**work.found[name].reasons, reason: rows})


def _count_lines(work: Work) -> None:
    """Tell of the files whose records are their lines, one below the other, where they begin."""
    torn = {
        name for (name,) in work.cursor.execute(f"select distinct file from {work.bad} where record is null").fetchall()
    }
    for name, source in work.sources.items():
        opened = source.opened
        apart = any(opened.lines is None or before < opened.lines for before in opened.blank)
        if name not in torn and opened.folds is None and not apart:
            work.found[name] = replace(work.found[name], first_line=opened.first_line)


def _require_zone(work: Work, name: str) -> None:
    table = work.table
    for column in (name for name, declared in table.contract().items() if isinstance(declared, Time)):
        reason = f"{column} {moments.NO_ZONE}"
        if reason in work.found[name].reasons:
            kind, header = type(table).__name__, table.headers_of(column)[0][0]
            ((raw,),) = work.cursor.execute(
                f"select raw from {work.bad} where file = {literal(name)} and list_contains(reasons, {literal(reason)}) limit 1"
            ).fetchall()
            error = SourceError(
                f"{name}: column {column!r} has times without a zone, such as {json.loads(raw).get(header)!r}",
                where=f"{name}, column {column!r}; definitions.py, {kind} {table.name!r}",
                fix="declare zone='Europe/London' (or wherever the clock hangs), or write times with an offset",
            )
            work.refuse(name, error)


def _below(source: reading.Source) -> str:
    """Return the line of a record, given its place among records and rejected lines: blank lines are passed over."""
    first = source.opened.first_line - 1
    if not source.opened.blank:
        return f"{first} + place"
    blank = f"[{', '.join(map(str, source.opened.blank))}]"
    return f"{first} + place + len(list_filter({blank}, lambda x: x < place))"
