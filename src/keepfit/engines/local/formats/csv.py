"""Delimited text: CSV and its relatives, read by DuckDB after a look at their bytes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import duckdb

from keepfit.engines.local.formats.facts import LONGEST_RECORD, MANY_BLANKS, Facts
from keepfit.engines.local.formats.mending import walk
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.rejects import Gaps, cut_lines
from keepfit.engines.local.formats.staging import Staged, stage_table
from keepfit.engines.quoting import literal
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv

TAB = (".tsv", ".tsv.gz")
SERIAL = count(1)


def open_csv(connection: duckdb.DuckDBPyConnection, path: Path, format: Csv, name: str, folder: Path) -> Opened:
    """Open delimited text.

    Raises
    ------
    SourceError
        If it is empty, packed and corrupt, not in its encoding, or its header cannot be read.
    """
    delimiter = format.delimiter or ("\t" if path.name.lower().endswith(TAB) else ",")
    facts = Facts(format.quote.encode(), delimiter.encode())
    staged, facts = stage_table(path, name, folder, facts, format.encoding, format.skip)
    top = _top(staged, facts, format, name)
    header = unrepeated(format.names or top.header, name)
    blank = facts.blank[top.blank :] if len(header) > 1 else []
    places = [before - (top.records - top.blank) + nth for nth, before in enumerate(blank)]
    gaps = Gaps(top.lines + 1, top.records, places, staged.cut)
    lines = facts.records + (not facts.ended) - top.records - len(blank) + len(gaps.cut_places())
    scans = _Scans(staged.path, header, delimiter, format.quote, gaps)
    return Opened(
        header,
        scans.scan,
        scans.rejected,
        first_line=gaps.first_line,
        lines=lines if len(blank) < MANY_BLANKS else None,
        plain=facts.plain,
        digest=staged.digest,
        blank=gaps.blank_among_all(),
        tables=lambda: tuple(scans.made),
    )


@dataclass(frozen=True)
class _Scans:
    """The ways to read one text; each scan keeps what it rejects in a table of its own."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    quote: str
    gaps: Gaps
    made: list[str] = field(default_factory=list)

    def scan(self, types: Mapping[str, str]) -> str:
        rejects = f"rejects_{next(SERIAL)}"
        self.made.extend((rejects, f"{rejects}_scan"))
        columns = ", ".join(f"{literal(name)}: {literal(types.get(name, 'VARCHAR'))}" for name in self.header)
        options = {
            "header": "false",
            "auto_detect": "false",
            "skip": str(self.gaps.above),
            "delim": literal(self.delimiter),
            "quote": literal(self.quote),
            "escape": literal(self.quote),
            "columns": f"{{{columns}}}",
            "strict_mode": "true",
            "store_rejects": "true",
            "rejects_limit": "0",
            "rejects_table": literal(rejects),
            "rejects_scan": literal(f"{rejects}_scan"),
            "encoding": "'utf-8'",
        }
        said = ", ".join(f"{option} = {value}" for option, value in options.items())
        return f"read_csv({literal(str(self.path))}, {said})"

    def rejected(self) -> str:
        return self.gaps.query(self.made[-2])


def unrepeated(header: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the header with a name for each column.

    Raises
    ------
    SourceError
        If a column comes twice.
    """
    # pandas writes its index under an empty name
    header = tuple(column or f"column {place}" for place, column in enumerate(header, start=1))
    seen: dict[str, int] = {}
    for column in header:
        seen[column.lower()] = seen.get(column.lower(), 0) + 1
    doubled = min((column for column in header if seen[column.lower()] > 1), default=None)
    if doubled is not None:
        raise SourceError(
            f"{name} has column {doubled!r} twice",
            where=name,
            fix="rename one of them in the file, or declare Csv(names=...)",
        )
    return header


@dataclass(frozen=True)
class _Top:
    """What stands above the first record: its columns if it names them, its lines, its records as DuckDB counts them."""

    header: tuple[str, ...]
    lines: int
    records: int
    blank: int


def _top(staged: Staged, facts: Facts, format: Csv, name: str) -> _Top:
    lines = records = blank = 0
    record, opened = b"", False
    with staged.path.open("rb") as text:
        while format.names is None or lines < format.skip:
            # a longer one was cut
            line = text.readline(LONGEST_RECORD + 1)
            if not line:
                break
            lines += 1
            above = lines <= format.skip
            empty = not record and not line.strip(b"\r\n")
            blank += empty
            records += not record
            if above or empty:
                continue
            record += line
            opened, _ = walk(line, opened, facts.quote, facts.delimiter)
            if not opened:
                break
    if format.names is None:
        _require_whole(staged, max(records, 1), name)
    if format.names is None and not record:
        raise SourceError(f"{name} is empty", where=name, fix="send the file again, or remove it")
    return _Top(_values(record, format, facts, name), lines, records, blank)


def _values(record: bytes, format: Csv, facts: Facts, name: str) -> tuple[str, ...]:
    if format.names is not None:
        return ()
    quoting = {"quotechar": format.quote} if format.quote else {"quoting": csv.QUOTE_NONE}
    try:
        text = record.decode("utf-8-sig")
        return tuple(next(csv.reader([text], delimiter=facts.delimiter.decode(), strict=True, **quoting)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(
            f"{name} has a header that cannot be read: {error}",
            where=f"{name}, line {format.skip + 1}",
            fix="send the file again as UTF-8, or declare Csv(encoding=..., quote=..., skip=...)",
        ) from None


def _require_whole(staged: Staged, records: int, name: str) -> None:
    """Refuse a file of which a part of the header was cut."""
    for cut in cut_lines(staged.cut):
        if cut["place"] < records:
            raise SourceError(
                f"{name} has a header that cannot be read: {cut['error']}",
                where=f"{name}, line {cut['place'] + 1}: {cut['raw'][:80]!r}",
                fix="send the file again, or declare Csv(quote=..., skip=...)",
            )
        break
