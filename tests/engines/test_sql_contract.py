"""A column's contract in SQL, whole and quick, says what `Column.parse` says in Python: every text, value and reason."""

from __future__ import annotations

import struct

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from keepfit import Boolean, Category, Float, Integer, Text, Time
from keepfit.engines import sql

SENTINELS = (-999, "NA", "-200,0", 1.5, " - ")
LOCAL = {"zone": "Europe/London"}
COLUMNS = {
    "float": Float(),
    "float never null": Float(nullable=False, min=-1.5, max=1e9),
    "float with sentinels": Float(sentinels=SENTINELS),
    "float with sentinels, never null": Float(sentinels=SENTINELS, nullable=False, max=50),
    "float with a comma": Float(decimal=",", sentinels=(-1.5, "1,0")),
    "float with thousands": Float(thousands=",", sentinels=SENTINELS),
    "float with points between thousands": Float(decimal=",", thousands=".", min=0),
    "float with blanks between thousands": Float(thousands=" "),
    "integer": Integer(),
    "integer within bounds": Integer(min=0.5, max=120, nullable=False),
    "integer with sentinels": Integer(sentinels=(*SENTINELS, 2**53, 7, "007", 10**30)),
    "integer with thousands": Integer(thousands=".", decimal=",", sentinels=(-999,)),
    "boolean": Boolean(),
    "boolean with sentinels": Boolean(sentinels=(0, "no"), nullable=False),
    "category": Category(values=("web", "it's", "é", "1", " padded ", "")),
    "category with sentinels": Category(values=("web", "1"), sentinels=("1", "-"), nullable=False),
    "category with a pattern": Category(pattern=r"[A-Z]\d{1,3}(?:-\w+)?|web.*", sentinels=("web",)),
    "text": Text(),
    "text with sentinels": Text(sentinels=(-999, 1.5, "n/a"), nullable=False),
    "text with a pattern": Text(pattern=r"[\s\w.]+|\S{2}\b."),
    "time": Time(),
    "local time": Time(zone="Europe/London", sentinels=("1900-01-01", 9)),
    "time far east": Time(zone="Asia/Kolkata", nullable=False),
    "time in UTC": Time(zone="UTC"),
    "time west": Time(zone="America/New_York"),
    "time of Europe": Time(format="%d.%m.%Y %H:%M", **LOCAL),
    "time without signs": Time(format="%Y%m%d%H%M%S", zone="Asia/Kolkata", sentinels=(19000101,)),
    "time of America": Time(format="%m/%d/%y %I:%M %p", zone="America/New_York", nullable=False),
    "time with names": Time(format="%A, %d-%b-%Y 100%%", **LOCAL),
    "time with a fraction": Time(format="%Y/%m/%d %H:%M:%S.%f", **LOCAL),
    "time with an offset": Time(format="%Y-%m-%dT%H:%M:%S%z"),
    "month": Time(format="%Y_%m", **LOCAL),
    "year": Time(format="y%Y", **LOCAL),
    "hour of four columns": Time(format="%Y %m %d %H", **LOCAL),
    "time in no zone": Time(format="%d.%m.%Y"),
}
EDGES = [
    "", " ", "\t", "\v", "\f 7 \v", "\xa0", "nan", "NaN", "inf", "-Infinity", "null", "1_000", "1,000", "0x10", "1e400",
    "-1e400", "1e-400", "4.9e-324", "2.4703282292062327e-324", "1.7976931348623159e308", ".5", "5.", ".", "+3", "-0", "-0.0",
    "+-3", "-+3", " +-3", "1e+3", "3.000", "3.10", "1e2", "1e5.", "0b1", "١", "٣.٥", "²", "½", "9007199254740992",
    "9007199254740993", "-9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9" * 40,
    "9" * 5000, "0" * 5000 + "7", "0.1" + "0" * 60 + "1", "TRUE", "t", "Yes", "nO", "no", "0", "0.0", "1", "01", "007", " 7 ",
    "7", "7.0", "-999", " -999", "-999.0", "-9.99e2", "-999,0", "NA", " NA ", "-", "-200,0", "1.5", "1,5", "1,50", "1,0",
    "1,234", "1,234.5", "12,34,567", "1,23", "0,123", "1234,567", "1.234,5", "1.234.567", "1 234.5", "1.234", "0.5", "121",
    "a\nb", 'say "so"', "\u212a", "ſ", "it's", " é ", "é", "web", " web", "web\n", "web\x00", "padded", " padded ", "Web", "A1",
    "A123-x_9", "A1234", "webé", "web\nx", "a b", "a\vb", "ab.", "é9.", "n/a", "!", "\x1f", "\x1fa", "a\x1f", "x\u2003",
]  # fmt: skip
TIMES = [
    "2025-06-01T12:00:00Z", "2025-06-01 12:00:00+02:00", "2025-06-01 12:00:00+00:00", "2025-06-01T12:00-0930", "2025-06-01",
    " 2025-06-01T12:00Z ", "2025-06-01T12:00:00.123456789Z", "2025-06-01 12:00:00.5", "2025-06-01T12:00:00.50", "1969-12-31",
    "2025-10-26 01:30", "2025-10-26T01:30:00", "2025-03-30 01:30:00", "2025-11-02T01:59:59", "2025-03-09T02:30", "2025-02-29",
    "2025-06-31T00:00Z", "2025-06-01 12", "2025-06-01 12:0", "2025-06-01 12:00:0", "2025-06-01 1:00", "20250601T120000Z",
    "2025-06-01 12:00:00 UTC", "2025-06-01 12:00:00 +02:00", "2025-06-01T24:00Z", "2025-06-01 24:00:00", "2025-06-01T12:00:60Z",
    "2025-06-01t12:00Z", "2025-06-01T12:00z", "2025-06-01Z", "2025-6-1", "2025/06/01", "01/06/2025", "infinity", "-infinity",
    "epoch", "0999-01-01 00:00:00", "1000-01-01 00:00:00", "1900-01-01", "2999-12-31T23:59:59Z", "3000-01-01 00:00:00",
    "290000-01-01 00:00:00", "2025-01-01 (BC)", "01.06.2025 12:00", "1.6.2025 2:03", "31.02.2025 10:00", "29.02.2024 10:00",
    "01.06.25 12:00", "01.06.2025  12:00", "01.06.2025 24:00", "26.10.2025 01:30", "01.06.2025", "20250601120000", "2025061120000",
    "19000101", "06/01/25 12:00 am", "6/1/68 1:05 PM", "6/1/69 01:05 pm", "06/01/25 13:00 PM", "6/1/25 1:05 p.m.",
    "Sunday, 1-Jun-2025 100%", "monday, 01-JUN-2025 100%", "Sunday, 31-Feb-2025 100%", "2025/06/01 12:00:00.5",
    "2025/06/01 12:00:00.123456", "2025/06/01 12:00:00.1234567", "2025-06-01T12:00:00+0530", "2025-06-01T12:00:00+05",
    "2025-06-01T12:00:00-15:59", "2025-06-01T12:00:00+16:00", "2025_06", "2025_6", "2025_13", "y2025", "Y2025", "2025 6 1 5",
    "2025 6 1  5", "2025 6 1",
]  # fmt: skip
numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers().map(str),
    st.from_regex(r"\A[+-]?[0-9]{0,3}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?\Z"),
    st.from_regex(r"\A[+-]?[0-9]{0,4}([,. ][0-9]{2,3}){0,3}[.,]?[0-9]{0,3}\Z"),
)
words = st.text(st.sampled_from("0123456789+-.eE_ \t\n\v\xa0\u2003,'\"infatyesoNO١éAwb\\"), max_size=6)
moments = st.datetimes().flatmap(
    lambda at: st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%f", *FORMATS]
    ).map(at.strftime)
)
torn = st.tuples(moments, st.integers(0, 20), st.sampled_from(["", " ", "0", "T", "Z", ":", "1", "-"])).map(
    lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]
)
FORMATS = [column.format for column in COLUMNS.values() if isinstance(column, Time) and column.format]
texts = st.lists(
    st.one_of(st.sampled_from(EDGES), st.sampled_from(TIMES), numbers, words, moments, torn), min_size=1, max_size=60
)
RAW, CLEAN, VALUE = (sql.name(name) for name in ("raw", "clean", "value"))


def bits(value):
    return struct.pack("d", value) if isinstance(value, float) else value


def in_python(column, text):
    """Return value and reason."""
    try:
        return bits(column.parse(text)), None
    except ValueError as error:
        return None, f"raw {error}"


def asked(connection, column, held):
    """Return for each text its value and reason, and its quick value and whether that is to be trusted."""
    time = isinstance(column, Time)
    value, (quickly, fits) = sql.typed(column, CLEAN), sql.quick(column, RAW)
    _, known = sql.quick(column, RAW, sql.name("fast"))
    broken = sql.broken(column, "raw", CLEAN, VALUE)
    clean, value, quickly, fits, known, broken = (
        tree.sql("duckdb") for tree in (sql.cleaned(RAW), value, quickly, fits, known, broken)
    )
    rows = connection.execute(
        f"with t as (select unnest($1::varchar[]) as raw), c as (select raw, {clean} as clean, {quickly} as fast, {fits} as ok"
        f" from t), v as (select *, {value} as value, {known} as known from c) select raw,"
        f" {'epoch_us(value)' if time else 'value'}, {broken}, {'epoch_us(fast)' if time else 'fast'}, ok, known from v",
        [held],
    ).fetchall()
    return [(raw, bits(value), reason, bits(fast), ok, known) for raw, value, reason, fast, ok, known in rows]


@pytest.fixture(scope="module")
def connection():
    found = duckdb.connect()
    found.execute("set TimeZone='UTC'; set threads=1")
    return found


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@given(held=texts)
@example(held=[*EDGES, *TIMES])
@settings(max_examples=8, deadline=None)
def test_sql_and_python_read_the_same_texts_as_the_same_values_for_the_same_reasons(connection, column, held):
    differ = []
    for raw, value, reason, fast, ok, known in asked(connection, column, [None, *held]):
        own_value, own_reason = in_python(column, raw)
        if reason != own_reason or (reason is None and value != own_value):
            differ.append((raw, "python", own_value, own_reason, "sql", value, reason))
        if ok is not known or ok not in (True, False) or (ok and (own_reason or fast != own_value)):
            differ.append((raw, "python", own_value, own_reason, "quick", fast, ok, known))
    assert differ == []


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        (Float(min=0), "19.90", 19.9),
        (Float(), "-1e-3", -0.001),
        (Float(decimal=","), "19,9", 19.9),
        (Float(thousands=","), "1,234.5", 1234.5),
        (Float(sentinels=(-999, "NA")), "5", 5.0),
        (Integer(), "-17850", -17850),
        (Boolean(), "Yes", True),
        (Category(), "Torrance", "Torrance"),
        (Category(values=("a b", "c")), "a b", "a b"),
        (Text(pattern=r"[A-Z]+\d"), "AB1", "AB1"),
        (Text(), "two words", "two words"),
        (Text(), None, None),
        (Time(), "2025-06-01T12:00:00Z", 1748779200000000),
        (Time(), "2025-06-01 12:00:00.25+00:00", 1748779200250000),
        (Time(zone="Asia/Kolkata"), "2025-06-01", 1748716200000000),
        (Time(zone="Asia/Kolkata"), "2025-06-01T00:00", 1748716200000000),
        (Time(zone="Europe/London"), "2025-06-01 00:00:00", 1748732400000000),
        (Time(zone="Europe/London"), "2025-06-01T12:00:00Z", 1748779200000000),
        (Time(zone="Europe/London", format="%d/%m/%Y %H:%M"), "1/6/2025 0:00", 1748732400000000),
    ],
)  # fmt: skip
def test_the_quick_form_suffices_for_what_files_usually_hold(connection, column, raw, value):
    ((_, _, _, fast, ok, _),) = asked(connection, column, [raw])
    assert (fast, ok) == (bits(value), True)


PARTS = Time(source=("y", "m", "d"), format="%Y %m %d", zone="UTC", sentinels=(-1,))


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("2025", " 6 ", "1"), "2025 6 1"),
        (("2025", "", "1"), None),
        ((None, "6", "1"), None),
        (("2025", "-1", "1"), None),
    ],
)
def test_a_column_under_several_headers_is_their_text_or_nothing_if_one_is_missing(connection, parts, text):
    tree = sql.joined(PARTS, [exp.cast(sql.name(name), "VARCHAR") for name in "ymd"]).sql("duckdb")
    values = ", ".join(f'${place} as "{name}"' for place, name in enumerate("ymd", start=1))
    assert connection.execute(f"select {tree} from (select {values})", list(parts)).fetchall() == [(text,)]
