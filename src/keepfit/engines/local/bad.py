"""The bad rows of raw files: read once more, with every reason, their line and their text."""

from __future__ import annotations

import json
from dataclasses import replace

from keepfit.engines.local import reading
from keepfit.engines.local.work import Work
from keepfit.engines.quoting import literal
from keepfit.errors import SourceError
from keepfit.spec import moments
from keepfit.spec.columns import Time

NO_RECORD = "is no record"
NONE_TORN = "select 0 as line, 0 as records_before, '' as error, '' as raw where false"
COLUMNS = "(file varchar, line bigint, record bigint, reasons varchar[], raw varchar)"


def look_again(work: Work) -> None:
    """Find the bad rows of the files that hold more records than good rows."""
    torn = f"{work.bad}_torn"
    for name, source in work.sources.items():
        good, opened = work.found[name].rows, source.opened
        if opened.lines == good:
            continue
        records = work.only(reading.count(work.contract, source))
        rejected = opened.rejected() if opened.rejected else NONE_TORN
        work.cursor.execute(f"create or replace table {torn} as {rejected}")
        if records > good:
            rows = f"select b.*, _record + coalesce(t.torn, 0) as place from ({reading.bad(work.contract, source)}) b"
            nth = f"select records_before, row_number() over (order by line) as n from {torn}"
            before = f"select records_before, max(n) as torn from ({nth}) group by 1"
            work.cursor.execute(
                f"insert into {work.bad} select {literal(name)}, {_below(source)}, _record, _reasons, _raw"
                f" from ({rows} asof left join ({before}) t on b._record > t.records_before)"
            )
        work.cursor.execute(
            f"insert into {work.bad} select {literal(name)}, line, null,"
            f" ['{NO_RECORD}: ' || lower(cast(error as varchar))], raw from {torn}"
        )
        _count_bad(work, name, records, work.only(f"select count(*) from {torn}"))
        work.cursor.execute(f"drop table {torn}")
    for name in list(work.sources):
        _require_zone(work, name)


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


def _count_bad(work: Work, name: str, records: int, torn: int) -> None:
    found = work.cursor.execute(
        f"select case when starts_with(reason, '{NO_RECORD}') then '{NO_RECORD}' else reason end, count(*) from"
        f" (select unnest(reasons) as reason from {work.bad} where file = {literal(name)}) group by 1 order by 2 desc, 1"
    ).fetchall()
    file = work.found[name]
    work.found[name] = replace(file, rows=records + torn, quarantined=records - file.rows + torn, reasons=dict(found))


def _below(source: reading.Source) -> str:
    """Return the line of a record, given its place among records and rejected lines: blank lines are passed over."""
    first = source.opened.first_line - 1
    if not source.opened.blank:
        return f"{first} + place"
    blank = f"[{', '.join(map(str, source.opened.blank))}]"
    return f"{first} + place + len(list_filter({blank}, lambda x: x < place))"
