"""Delimited text: CSV and its relatives, read by DuckDB after a look at their bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from keepfit.engines.local.formats.facts import LONG_RECORD, LONGEST_LINE, MANY_BLANKS, Facts, Places
from keepfit.engines.local.formats.fields import walk
from keepfit.engines.local.formats.folds import folds
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.rejects import Gaps, cut_lines
from keepfit.engines.local.formats.scans import Scans
from keepfit.engines.local.formats.staging import Staged, mended, stage_text
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv

TAB = (".tsv", ".tsv.gz")
UNUSED = b"\x01\x02"  # separates nothing


def open_csv(connection: duckdb.DuckDBPyConnection, path: Path, format: Csv, name: str, folder: Path) -> Opened:
    """Open delimited text.

    Raises
    ------
    SourceError
        If it is empty, packed and corrupt, not in its encoding, or its header cannot be read.
    """
    delimiter = format.delimiter or ("\t" if name.lower().endswith(TAB) else ",")
    headed = format.names is None and format.skip == 0
    facts = Facts(format.quote.encode(), delimiter.encode(), headed=headed)
    staged = stage_text(path, name, folder, facts, format.encoding)
    ready = prepare(staged, facts, format, name, folder)
    return Opened(ready.scans.header, ready.scans.scan, ready.scans.rejected, **ready.facts())


def prepare_lines(staged: Staged, facts: Facts, skip: int, name: str, folder: Path) -> Prepared:
    """Prepare a text whose records are its lines: a table of one column, `line`, that is null for a blank line.

    Parameters
    ----------
    facts : Facts
        What `line_facts()` saw of it.
    """
    ready = prepare(staged, facts, Csv(quote="", skip=skip, names=("line",)), name, folder, blank_records=False)
    return replace(ready, plain=False)  # its columns are cut from the line, and never read as numbers


def line_facts() -> Facts:
    """Return the facts to see of a text whose records are its lines."""
    return Facts(b"", UNUSED)


@dataclass(frozen=True)
class Prepared:
    """A text ready to be scanned: how, and what is known of its lines."""

    scans: Scans
    lines: int | None
    plain: bool
    digest: str
    folded: bool = False

    def facts(self) -> dict[str, Any]:
        """Return what an `Opened` tells of it."""
        return {
            "first_line": self.scans.gaps.first_line,
            "lines": self.lines,
            "plain": self.plain,
            "digest": self.digest,
            "blank": self.scans.gaps.blank_among_all(),
            "folds": self._folds if self.folded else None,
            "tables": lambda: tuple(self.scans.made),
        }

    def _folds(self) -> Iterator[tuple[Places, Places]]:
        scans, gaps, above = self.scans, self.scans.gaps, 0
        for records, feeds in folds(scans.path, scans.quote.encode(), scans.delimiter.encode()):
            within = records >= gaps.above
            above = int(feeds[~within][-1]) if not within.all() else above
            yield gaps.lines(records[within]), feeds[within] - above


def prepare(
    staged: Staged, facts: Facts, format: Csv, name: str, folder: Path, *, blank_records: bool = True
) -> Prepared:
    """Mend a staged text where it must be, and look at its header.

    Parameters
    ----------
    blank_records : bool
        Whether a blank line is a record where there is only one column.
    """
    staged, facts = mended(staged, facts, folder, format.skip, len(format.names or ()))
    top = _top(staged, facts, format, name)
    header = unrepeated(format.names or top.header, name)
    blank = [] if len(header) == 1 and blank_records else facts.blank[top.blank :]
    places = [before - (top.records - top.blank) + nth for nth, before in enumerate(blank)]
    gaps = Gaps(top.lines + 1, top.records, places, staged.cut)
    lines = facts.records + (not facts.ended) - top.records - len(blank) + len(gaps.cut_places())
    scans = Scans(staged.path, header, facts.delimiter.decode(), format.quote, gaps, facts.longest > LONG_RECORD)
    return Prepared(scans, lines if len(blank) < MANY_BLANKS else None, facts.plain, staged.digest, facts.folded)


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
            fix="rename one of them; of delimited text the names may be declared instead: Csv(names=..., skip=1)",
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
            line = text.readline(LONGEST_LINE + 1)
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
