"""One table, written in every format, comes back as the same texts."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepfit.engines.quoting import literal

# no control characters, which a worksheet cannot hold, and no blanks around a text, which it may lose
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(
    lambda t: t == t.strip()
)
WHOLE = st.integers(-(2**53), 2**53)
# a worksheet keeps fifteen digits, and not the sign of a zero
REAL = (
    st.floats(allow_nan=False, allow_infinity=False, width=32)
    .map(lambda x: float(f"{x:.9g}") + 0.0)
    .filter(lambda x: x == 0 or 1e-4 < abs(x) < 1e15)
)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.replace(microsecond=0, second=t.second or 1)  # midnight is a day in a worksheet
)
KINDS = (TEXTS, WHOLE, REAL, st.booleans(), MOMENTS)
# an empty row of a sheet is none
ROW = st.tuples(*(st.none() | kind for kind in KINDS)).filter(lambda row: any(value is not None for value in row))
ROWS = st.lists(ROW, min_size=1, max_size=6)
HEADER = ["text", "whole", "real", "flag", "happened"]
TYPES = ["varchar", "bigint", "double", "boolean", "timestamp"]


def as_text(value):
    """Return a value as a text file holds it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def as_json(value):
    return value.isoformat() if isinstance(value, datetime) else value


def records(rows):
    return [dict(zip(HEADER, map(as_json, row), strict=True)) for row in rows]


def as_csv(rows, path):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *(map(as_text, row) for row in rows)])
    path.write_bytes(text.getvalue().encode())


def as_json_lines(rows, path):
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records(rows)))


def as_json_array(rows, path):
    path.write_text(json.dumps(records(rows), indent=1))


def as_parquet(rows, path, connection):
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(HEADER, TYPES, strict=True))
    connection.execute(f"create or replace temp table written ({columns})")
    connection.executemany("insert into written values (?, ?, ?, ?, ?)", rows)
    connection.execute(f"copy written to {literal(str(path))}")


def as_sheet(rows, path):
    book = openpyxl.Workbook()
    for place, row in enumerate([HEADER, *rows], start=1):
        for column, value in enumerate(row, start=1):
            cell = book.active.cell(place, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a text such as '=1' is no formula
    book.save(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet", ".xlsx"])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_a_table_comes_back_as_the_same_texts(read, connection, tmp_path, suffix, rows):
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        as_parquet(rows, path, connection)
    else:
        {".csv": as_csv, ".jsonl": as_json_lines, ".json": as_json_array, ".xlsx": as_sheet}[suffix](rows, path)
    found = read(path.name, path)
    assert found.header == tuple(HEADER)
    assert [tuple(map(number, row)) for row in found.rows] == [
        tuple(number(as_text(value)) for value in row) for row in rows
    ]


def number(text):
    """Return a number in one of the ways to write it: programs differ in exponents."""
    try:
        return text if text is None or not math.isfinite(float(text)) else (float(text), "." in text)
    except ValueError:
        return text
