"""Worksheets of Excel and OpenDocument: written out as CSV and read as such; a line is a row of the sheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb

from keepfit.engines.local.formats.csv import prepare
from keepfit.engines.local.formats.facts import Facts
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.staging import fresh, stage, stage_text
from keepfit.errors import MissingExtra, SourceError, did_you_mean
from keepfit.spec.sources import Csv, Excel

KINDS = {bool: "BOOLEAN", int: "NUMBER", float: "NUMBER", str: "TEXT", time: "TIME", timedelta: "DURATION"}
KINDS |= {date: "DATE", datetime: "DATE"}
EXACT = 2**53  # whole numbers beyond it have lost digits in a sheet


def open_excel(_connection: duckdb.DuckDBPyConnection, path: Path, format: Excel, name: str, folder: Path) -> Opened:
    """Open a worksheet.

    Raises
    ------
    SourceError
        If it is no workbook, has no such sheet, or the sheet is empty.
    MissingExtra
        If the library that reads it is not installed.
    """
    staged = stage(path, name, folder)
    copy = fresh(folder, ".csv")
    width, types = _written(_rows(staged.path, format.sheet, name), format.skip, copy)
    if not width:
        raise SourceError(
            f"{name} has an empty sheet", where=name, fix="send it again, or name another: Excel(sheet=...)"
        )
    facts = Facts(b'"', b",")
    text = replace(stage_text(copy, name, folder, facts), digest=staged.digest)
    ready = prepare(text, facts, Csv(skip=format.skip), name, folder)
    header = ready.scans.header
    told = {header[place]: kind for place, kind in types.items() if place < len(header)}
    ready = replace(ready, folded=False)  # a row of a sheet is one line, whatever its cells hold
    return Opened(header, ready.scans.scan, ready.scans.rejected, types=told, **ready.facts())


def _rows(path: Path, sheet: str | None, name: str) -> Iterator[list[Any]]:
    try:
        import python_calamine
    except ImportError:
        raise MissingExtra("excel", name) from None
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        if sheet is not None and sheet not in workbook.sheet_names:
            fix = did_you_mean(sheet, workbook.sheet_names, of="it")
            raise SourceError(f"{name} has no sheet {sheet!r}", where=name, fix=fix)
        found = workbook.get_sheet_by_name(sheet) if sheet is not None else workbook.get_sheet_by_index(0)
        yield from found.iter_rows()
    except python_calamine.CalamineError as error:
        fix = "open and save it as .xlsx, without a password"
        raise SourceError(f"{name} cannot be read: {error}", where=str(path), fix=fix) from None


def _written(rows: Iterator[list[Any]], skip: int, target: Path) -> tuple[int, dict[int, str]]:
    """Write rows as CSV; return the number of columns, and the type of each as the sheet has it."""
    width, blank = 0, 0
    kinds: dict[int, set[str]] = {}
    with target.open("w", encoding="utf-8", newline="") as text:
        write = csv.writer(text, lineterminator="\n").writerow
        for place, row in enumerate(rows):
            cells = [_text(cell) for cell in row]
            if place < skip or not any(cells):
                blank += 1
                continue
            text.write("\n" * blank)
            blank = 0
            if not width:
                width = _length(cells)
                write([" ".join(cell.split()) for cell in cells[:width]])
                continue
            # what stands beyond the header makes the row none, and must not be lost
            write(cells[: max(width, _length(cells))])
            for column, cell in enumerate(row):
                if cells[column]:
                    kinds.setdefault(column, set()).add(KINDS.get(type(cell), "TEXT"))
    return width, {column: found.pop() if len(found) == 1 else "MIXED" for column, found in kinds.items()}


def _length(cells: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(cells, start=1) if cell), default=0)


def _text(cell: Any) -> str:
    """Return a cell as a text file would hold it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) <= EXACT else repr(cell)
    if isinstance(cell, timedelta):
        seconds = cell.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02}:{int(seconds % 60):02}"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)
