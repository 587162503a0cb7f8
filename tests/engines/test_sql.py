"""The contract in SQL says what `Column.parse` says in Python."""

from __future__ import annotations

import csv
import struct

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keepfit import Boolean, Category, Files, Float, Integer, Records, Text

COLUMNS = {
    "float": Float(source="raw"),
    "float within bounds": Float(source="raw", min=-1.5, max=1e9),
    "float never null": Float(source="raw", nullable=False),
    "integer": Integer(source="raw"),
    "integer within bounds": Integer(source="raw", min=0, max=120),
    "integer never null": Integer(source="raw", nullable=False),
    "boolean": Boolean(source="raw"),
    "boolean never null": Boolean(source="raw", nullable=False),
    "category": Category(source="raw", values=("web", "it's", "é", "1")),
    "category never null": Category(source="raw", nullable=False),
    "text": Text(source="raw"),
    "text never null": Text(source="raw", nullable=False),
}
EDGES = [
    "", " ", "\t", "\xa0", "nan", "NaN", "inf", "-Infinity", "null", "NULL", "None", "1_000", "1,000", "0x10", "1e400",
    "-1e400", "1e-400", "4.9e-324", "2.4703282292062327e-324", "1.7976931348623159e308", ".5", "5.", ".", "+3", "-0",
    "+-3", "3.000", "3.10", "1e2", "١", "٣.٥", "²", "½", "9007199254740992", "9007199254740993", "-9007199254740993",
    "9223372036854775807", "-9223372036854775808", "9" * 40, "0.1" + "0" * 60 + "1", "TRUE", "t", "Yes", "nO", "01",
    " 7 ", "\x0b7", "7\u2003", "a\nb", 'say "so"', "\u212a", "ſ", "it's", " é ", "-1.5", "1000000000.1", "120", "121",
]  # fmt: skip
numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers().map(str),
    st.from_regex(r"\A[+-]?[0-9]{0,3}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?\Z"),
)
words = st.text(st.sampled_from("0123456789+-.eE_ \t\n\xa0\u2003,'\"infatyesoNO١é\\"), max_size=6)
raw_texts = st.lists(st.one_of(st.sampled_from(EDGES), numbers, words), min_size=1, max_size=30)


def in_python(column, text):
    try:
        value = column.parse(text)
    except ValueError as error:
        return f"raw {error}"
    return struct.pack("d", value) if isinstance(value, float) else value


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@given(texts=raw_texts)
@example(texts=EDGES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_python_accept_the_same_texts_as_the_same_values_for_the_same_reasons(desk, column, texts):
    table = Records("sheet", Files("*"), entity="key", columns={"raw": column})
    with (desk.data / "sheet.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
            [["key", "raw"], *(["k", text] for text in texts)]
        )
    good, bad = desk.check(table, "sheet.csv")
    in_sql = {row["_record"]: row["raw"] for row in good} | {row["record"]: row["reason"] for row in bad}
    bits = {n: struct.pack("d", value) if isinstance(value, float) else value for n, value in in_sql.items()}
    assert bits == {number: in_python(column, text) for number, text in enumerate(texts, start=1)}
