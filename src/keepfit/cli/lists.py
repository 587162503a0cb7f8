"""How tables, their versions and their rows read in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit import clock
from keepfit.cli import console
from keepfit.cli.features import bars, number
from keepfit.engines.summary import ColumnSummary, Summary

WIDTH = 140
CELL = 22


def overview(found: Mapping[str, Any]) -> None:
    """Print one line a table."""
    heads = ["table", "kind", "version", "rows", "size", "parquet", "files", "columns", "from - to"]
    console.table(heads, [_line(one) for one in found["tables"]])


def _line(one: Mapping[str, Any]) -> list[Any]:
    columns = None if one["columns"] is None else len(one["columns"])
    last = one["problem"] or span(one["from_at"], one["to_at"])
    if one["version"] is None and one["problem"] is None:
        last = "not ingested yet"
    return [
        *(one[name] for name in ("table", "kind", "version", "rows")),
        size(one["bytes"]),
        *(one[name] for name in ("parquet_files", "source_files")),
        columns,
        last,
    ]


def span(first: int | None, last: int | None) -> str:
    """Return a range of time as text."""
    return "-" if first is None or last is None else f"{clock.show(first)} - {clock.show(last)}"


def size(number: int | None) -> str:
    """Return bytes as a person says them."""
    if number is None:
        return "-"
    value, unit = float(number), 0
    while value >= 1000 and unit < 4:
        value, unit = value / 1000, unit + 1
    return f"{number} B" if unit == 0 else f"{value:.1f} {('B', 'kB', 'MB', 'GB', 'TB')[unit]}"


def history(found: Mapping[str, Any]) -> None:
    """Print one line a version."""
    heads = ["version", "as of", "written", "operation", "files", "rows added", ""]
    console.table(heads, [_version(one) for one in found["versions"]])


def _version(one: Mapping[str, Any]) -> list[Any]:
    removed = f" -{one['files_removed']}" if one["files_removed"] else ""
    return [
        one["version"],
        None if one["as_of"] is None else clock.show(one["as_of"]),
        clock.show(one["written_at"] // clock.SECOND * clock.SECOND),
        one["operation"],
        f"+{one['files_added']}{removed}",
        one["rows_added"],
        "" if one["readable"] else "vacuumed",
    ]


def shown(found: Mapping[str, Any]) -> None:
    """Print what a table holds: its columns, then some rows."""
    summary: Summary = found["summary"]
    seen = f", rows known before {found['seen_as_of']}" if found["seen_as_of"] else ""
    time = span(summary.extent.from_at, summary.extent.to_at)
    console.say(f"{found['table']} ({found['kind']}), version {found['version']}{seen}")
    console.say(
        f"{summary.extent.rows:,} rows, {len(summary.columns)} columns, {time};"
        f" {size(found['bytes'])} in {found['parquet_files']} Parquet files"
    )
    for sentence in _remarks(summary, found["quarantine"]):
        console.say(sentence)
    heads = ["column", "type", "missing", "distinct", "least", "median", "greatest", "distribution"]
    declared = found["declared"]
    console.table(heads, [_column(one, declared.get(one.name, {}), summary) for one in summary.columns])
    sample(found["sample"])
    if found["path"]:
        console.say(f"drawn in {found['path']}")


def _remarks(summary: Summary, quarantine: Mapping[str, Any]) -> list[str]:
    said = []
    if summary.entities:
        said.append(f"{summary.entities:,} entities")
    if summary.repeated:
        share = summary.repeated / summary.compared
        about = "" if summary.compared == summary.extent.rows else f", counted on {summary.compared:,}"
        said.append(f"{share:.2%} of rows repeat the key of another{about}")
    if quarantine:
        worst = "; ".join(f"{reason} ({rows:,})" for reason, rows in list(quarantine["reasons"].items())[:3])
        said.append(f"in quarantine: {quarantine['rows']:,} rows: {worst}")
    if summary.sampled < summary.extent.rows:
        said.append(f"medians, distributions and labels are of an even sample of {summary.sampled:,} rows")
    return said


def _column(one: ColumnSummary, declared: Mapping[str, Any], summary: Summary) -> list[Any]:
    unit = f" [{declared['unit']}]" if declared.get("unit") else ""
    kind = declared.get("type") or one.type.lower()
    missing = f"{one.nulls / summary.extent.rows:.1%}" if summary.extent.rows else "-"
    distinct = f"{'~' if summary.estimated else ''}{one.distinct:,}"
    if one.labels or not one.quantiles:
        total = max(one.labelled, 1)
        labels = [f"{_cut(label)} {rows / total:.0%}" for label, rows in one.labels[:4]]
        return [one.name, kind + unit, missing, distinct, "", "", "", ", ".join(labels)]
    form = clock_text if one.type.startswith(("TIMESTAMP", "DATE")) else number
    least, _, median, _, greatest = one.quantiles
    return [one.name, kind + unit, missing, distinct, form(least), form(median), form(greatest), bars(one.counts)]


def clock_text(value: float) -> str:
    """Return a moment that was measured as a number."""
    return clock.show(int(value) // clock.SECOND * clock.SECOND)


def sample(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows: one line each if they fit, and else side by side."""
    if not rows:
        return
    names = list(rows[0])
    widths = [min(max(len(name), *(len(_text(row[name])) for row in rows)), CELL) + 2 for name in names]
    if sum(widths) <= WIDTH:
        console.table(names, [[_text(row[name]) for name in names] for row in rows])
        return
    many = max((WIDTH - max(map(len, names))) // (CELL + 2), 1)
    for start in range(0, len(rows), many):
        some = rows[start : start + many]
        heads = ["", *(f"row {start + place}" for place in range(1, len(some) + 1))]
        console.table(heads, [[name, *(_text(row[name]) for row in some)] for name in names])


def _text(value: Any) -> str:
    return "-" if value is None else _cut(f"{value:.6g}" if isinstance(value, float) else str(value))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CELL else f"{line[: CELL - 1]}\u2026"


def vacuumed(done: Mapping[str, Any]) -> None:
    """Print what a vacuum removed."""
    heads = ["table", "versions", "unreadable now", "needed", "files", "of them orphans", "size"]
    rows = [
        [one.table, one.versions, len(one.lost), len(one.needed), one.files, one.orphans, size(one.bytes)]
        for one in done["tables"]
        if one.files
    ]
    if not rows:
        console.say("nothing to remove: every Parquet file is of a version that is new, young or needed")
        return
    console.table(heads, rows)
    console.say(f"{size(done['bytes'])} {'would be freed' if done['dry_run'] else 'freed'}")
