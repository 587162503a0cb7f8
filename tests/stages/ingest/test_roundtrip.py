"""Random tables, written as files and ingested, come back as exactly the rows written; and once, whatever is done to the files."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepfit import Boolean, Events, Files, Float, Integer, Key, Records, Text, Time, clock
from keepfit.engines.quoting import literal
from keepfit.errors import SourceError
from keepfit.lake import Lake

BLANKS = " \t\n\r\v\f"
# lone surrogates are no text; a NUL byte makes a line no record
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"', '""', 'a"b', "a,b", "a\nb", "a\r\nb", "'", " a ", "", "NA", "null", "a\\b", "ü\U0001f600", "=1+1", "#"]
)
# as many as a double holds exactly, and the years of ISO 8601 that are taken: beyond them a row goes to quarantine
WHOLE = st.integers(-(2**53), 2**53) | st.integers(-9, 9)
REAL = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(datetime(1000, 1, 2), datetime(2999, 12, 30)) | st.datetimes(
    datetime(2024, 1, 1), datetime(2025, 1, 1)
)
ROW = st.tuples(*(st.none() | kind for kind in (TEXTS, WHOLE, REAL, st.booleans(), TIMES)))
ROWS = st.lists(ROW, min_size=1, max_size=8)
HEADER = ("who", "note", "whole", "real", "flag", "seen")
COLUMNS = {"note": Text(), "whole": Integer(), "real": Float(), "flag": Boolean(), "seen": Time()}


def plain(value):
    return value.replace(tzinfo=UTC).isoformat() if isinstance(value, datetime) else value


def as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else repr(value) if isinstance(value, float) else str(plain(value))


def as_csv(rows, path, _engine, ends="\r\n", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ends, quoting=quoting).writerows([HEADER, *(map(as_text, row) for row in rows)])
    path.write_bytes(text.getvalue().encode())


def as_quoted_csv(rows, path, engine):
    as_csv(rows, path, engine, "\n", csv.QUOTE_ALL)


def as_json_lines(rows, path, _engine):
    path.write_text("".join(f"{json.dumps(dict(zip(HEADER, map(plain, row), strict=True)))}\n" for row in rows))


def as_json(rows, path, _engine):
    records = [dict(zip(HEADER, map(plain, row), strict=True)) for row in rows]
    path.write_bytes(json.dumps(records, ensure_ascii=False).encode())


def as_parquet(rows, path, engine):
    cursor = engine.connection.cursor()
    cursor.execute(
        "create temp table written (who varchar, note varchar, whole bigint, real double, flag boolean, seen timestamptz)"
    )
    cursor.executemany(
        "insert into written values (?, ?, ?, ?, ?, ?::varchar::timestamptz)",
        [[plain(value) for value in row] for row in rows],
    )
    cursor.execute(f"copy written to {literal(str(path))} (format parquet)")
    cursor.execute("drop table written")


def held(value):
    """Return a value as a table holds it: texts without blanks around them, nothing instead of an empty text."""
    if isinstance(value, str):
        return value.strip(BLANKS) or None
    return clock.to_micros(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else value


@pytest.mark.slow
@pytest.mark.parametrize(
    "key", [None, Key("who", duplicates="last"), Key(duplicates="first")], ids=["plain", "last", "whole"]
)
@pytest.mark.parametrize(
    ("write", "suffix"),
    [
        (as_csv, ".csv"),
        (as_quoted_csv, ".csv"),
        (as_json_lines, ".jsonl"),
        (as_json, ".json"),
        (as_parquet, ".parquet"),
    ],
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_a_table_written_in_any_format_comes_back_row_by_row(desk, write, suffix, key, rows):
    table = Records("table", Files(f"table{suffix}"), entity="who", columns=COLUMNS, key=key)
    rows = [(f"w{place}", *row) for place, row in enumerate(rows, start=1)]
    with tempfile.TemporaryDirectory() as folder:
        again = type(desk)(Path(folder), Lake(Path(folder) / "lake"), desk.engine)
        write(rows, again.data / f"table{suffix}", desk.engine)
        (done,) = again.ingest(table)
        found = sorted(again.rows(table), key=lambda row: row["_record"])
    assert (done.appended, done.quarantined, done.repeated) == (len(rows), 0, 0)
    assert [tuple(row[name] for name in HEADER) for row in found] == [tuple(map(held, row)) for row in rows]
    assert [(row["_file"], row["_record"]) for row in found] == [(f"table{suffix}", n + 1) for n in range(len(rows))]


SALES = Events("sales", Files("sales_*"), entity="who", time="at", columns={"amount": Float()})
PEOPLE = Records("people", Files("people.csv"), entity="who", columns={"age": Integer()})
JANUARY = "who,at,amount\na,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,2\n"


def amounts(desk):
    return sorted(row["amount"] for row in desk.rows(SALES))


def touch(data):
    os.utime(data / "sales_1.csv", (1, 1))


def copy(data):
    shutil.copy(data / "sales_1.csv", data / "sales_2.csv")


def rename(data):
    (data / "sales_1.csv").rename(data / "sales_9.csv")


def write_again(data):
    (data / "sales_1.csv").write_bytes((data / "sales_1.csv").read_bytes())


@pytest.mark.parametrize("act", [touch, copy, rename, write_again])
def test_a_second_ingest_adds_nothing_whatever_is_done_to_a_file_of_the_same_content(desk, act):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(SALES)
    act(desk.data)
    assert desk.ingest(SALES)[0].appended == 0
    assert amounts(desk) == [1, 2]
    assert desk.ingest(SALES)[0].files == ()


def test_a_changed_events_file_is_refused_until_it_is_to_be_replaced(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(SALES)
    desk.write("sales_1.csv", JANUARY.replace(",2\n", ",3\n"))
    with pytest.raises(SourceError, match="has changed after it was ingested"):
        desk.ingest(SALES)
    assert amounts(desk) == [1, 2]
    desk.ingest(SALES, replace=("sales_1.csv",))
    assert amounts(desk) == [1, 3]
    assert desk.ingest(SALES)[0].files == ()


def test_a_changed_records_file_replaces_its_rows(desk):
    for ages in ([("a", 1), ("b", 2)], [("a", 3)], []):
        desk.write("people.csv", "who,age\n" + "".join(f"{who},{age}\n" for who, age in ages))
        desk.ingest(PEOPLE)
        assert sorted((row["who"], row["age"]) for row in desk.rows(PEOPLE)) == ages
