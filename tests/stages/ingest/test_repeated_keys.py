"""Rows that repeat a key: which one stays, and what the quarantine shows of the other."""

from __future__ import annotations

import json

import pytest

from keepfit import Events, Files, Integer, Key, Records, Text, Time, tables


def test_a_row_that_differs_from_the_one_kept_is_quarantined_whatever_its_columns_are_called(desk):
    # two columns share a header, and others have names that a list of dropped rows has too
    yearly = Events(
        "yearly",
        Files("yearly.csv"),
        entity="who",
        time="at",
        zone="UTC",
        columns={
            "at": Time(source="Year", format="%Y"),
            "year": Integer(source="Year"),
            "record": Integer(),
            "same": Integer(),
        },
        key=Key("who", "at", duplicates="first"),
    )
    desk.write("yearly.csv", "who,Year,record,same\na,2001,1,1\na,2001,1,1\na,2001,2,1\n")
    desk.ingest(yearly)
    assert [(row["year"], row["record"]) for row in desk.rows(yearly)] == [(2001, 1)]
    (bad,) = desk.rows(tables.QUARANTINE)
    assert bad["reason"] == "repeats who, at of yearly.csv, record 1"
    assert set(json.loads(bad["raw"])) == {"who", "Year", "record", "same"}


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("who,note\na,x\nb,x\na,y\n\n", [4]),
        ("who,note\na,x\n\na,y\n", [None]),
        ("who,note\na,x\nshort\na,y\n", [3, None]),
        ('who,note\na,"x\nx"\na,y\n', [None]),
    ],
    ids=["records are lines", "blank line", "broken line", "lines in a value"],
)
def test_a_row_that_repeats_a_key_is_told_with_its_line_where_records_are_lines(desk, content, lines):
    people = Records(
        "people", Files("a.csv"), entity="who", columns={"note": Text()}, key=Key("who", duplicates="first")
    )
    desk.write("a.csv", content)
    desk.ingest(people)
    found = desk.rows(tables.QUARANTINE)
    assert [row["line"] for row in found] == lines
    assert [row["record"] for row in found][-1] == content.count("\nb") + 2
