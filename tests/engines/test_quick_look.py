"""The ways a row takes into a part: proven with all others, let in by a quick look, or by a second one at every rule."""

from __future__ import annotations

import struct

import pytest

from keepfit import Boolean, Category, Events, Evolution, Files, Float, Integer, Text, Time
from keepfit.engines.local import check, parts, reading


def levels(**columns):
    """Return a table of its own: what proved itself is remembered of a table."""
    declared = {"level": Float(min=-5, max=1000, sentinels=(-999, "NA")), "wind": Float(nullable=False)}
    return Events("levels", Files("*"), entity="site", time="at", zone="Asia/Kolkata", columns=columns or declared)


HEADER = "site,at,level,wind\n"
GOOD = "a,2025-06-01 00:00:00,1.5,2\n"


@pytest.fixture
def taken(monkeypatch):
    """Return the ways that were taken, in order."""
    ways = []
    for name in ("swift", "quick", "left", "late"):
        monkeypatch.setattr(reading, name, _noted(ways, name, getattr(reading, name)))
    return ways


def _noted(ways, name, build):
    def noted(*arguments):
        ways.append(name)
        return build(*arguments)

    return noted


def test_rows_without_a_fault_are_proven_by_what_the_part_tells(desk, taken):
    desk.write("a.csv", HEADER + GOOD + "b,2025-06-01 00:15:00,,3\n" + "b,2025-06-01 00:30:00,-999,3\n")
    good, bad = desk.check(levels(), "a.csv")
    assert [row["level"] for row in good] == [1.5, None, None]
    assert bad == []
    assert taken == ["swift"]


@pytest.mark.parametrize(("level", "ways"), [("7", ["swift"]), ("1001", ["swift", "quick", "left"])])
def test_a_row_group_without_values_of_a_column_proves_the_others(desk, taken, monkeypatch, level, ways):
    monkeypatch.setattr(parts, "ROW_GROUP_ROWS", 2048)
    desk.write("a.csv", HEADER + "a,2025-06-01 00:00:00,,2\n" * 4096 + f"b,2025-06-01 00:00:00,{level},2\n" * 10)
    good, bad = desk.check(levels(), "a.csv")
    assert (len(good), len(bad)) == ((4106, 0) if ways == ["swift"] else (4096, 10))
    assert taken == ways


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,2025-06-01 00:00:00,1000.0000000000001,2", "level is above 1000"),
        ("a,2025-06-01 00:00:00,-6,2", "level is below -5"),
        ("a,2025-06-01 00:00:00,-inf,2", "level is not a number"),
        ("a,2025-06-01 00:00:00,nan,2", "level is not a number"),
        ("a,2025-06-01 00:00:00,1e999,2", "level is not a number"),
        ("a,2025-06-01 00:00:00,1,", "wind is missing"),
        ("a,2025-06-01 00:00:00,1,infinity", "wind is not a number"),
        ("a,soon,1,2", "at is not a time"),
        (",2025-06-01 00:00:00,1,2", "site is missing"),
    ],
)
def test_one_fault_among_many_rows_is_found(desk, taken, line, reason):
    desk.write("a.csv", HEADER + GOOD * 3 + line + "\n" + GOOD)
    good, bad = desk.check(levels(), "a.csv")
    assert [row["_record"] for row in good] == [1, 2, 3, 5]
    assert [(row["record"], row["line"], row["reason"]) for row in bad] == [(4, 5, reason)]
    assert taken == ["swift", "quick", "left"]


def test_a_row_that_only_the_second_look_understands_goes_in_with_the_others_in_order(desk, taken):
    desk.write("b.csv", HEADER + "z,2025-06-01 00:00:00, 7 ,1\n" + GOOD + "a,2025-06-01T00:00,+3,-0\n" + "q,x,x,\n")
    good, bad = desk.check(levels(), "b.csv")
    assert [(row["site"], row["level"]) for row in good] == [("z", 7.0), ("a", 1.5), ("a", 3.0)]
    assert [row["_order"] for row in good] == [1, 2, 3]
    assert struct.pack("d", good[2]["wind"]) == struct.pack("d", 0.0)
    assert [row["reason"] for row in bad] == ["level is not a number; wind is missing; at is not a time"]
    assert taken[-2:] == ["left", "late"]
    checked = desk.checked(levels(), "b.csv")
    (file,) = checked.files
    desk.engine.release(checked)
    assert (file.rows, file.quarantined) == (4, 1)
    assert (file.first_time, file.last_time) == (1748716200000000, 1748716200000000)


def test_many_rows_are_tried_by_a_few_and_none_is_lost(desk, taken, monkeypatch):
    monkeypatch.setattr(check, "MANY", 10)
    monkeypatch.setattr(check, "FEW", 3)
    desk.write("a.csv", HEADER + "a,2025-06-01 00:00:00,NA,2\n" + GOOD * 20)
    good, bad = desk.check(levels(), "a.csv")
    assert (len(good), len(bad)) == (21, 0)
    assert taken == ["quick"]


def test_texts_that_mean_missing_are_let_in_by_the_quick_look(desk, taken):
    table = Events(
        "t",
        Files("*"),
        entity="site",
        time="at",
        zone="UTC",
        sentinels=("NA", "1900-01-01"),
        columns={"level": Float(max=5), "note": Text(), "count": Integer(sentinels=(-1,)), "seen": Time(zone="UTC")},
    )
    desk.write(
        "a.csv",
        "site,at,level,note,count,seen\n"
        "a,2025-06-01,NA,NA,NA,NA\na,2025-06-01,3,x,-1,1900-01-01\na,2025-06-01,NA,,4,2025-01-01\n",
    )
    good, bad = desk.check(table, "a.csv")
    assert [(row["level"], row["note"], row["count"], row["seen"] is None) for row in good] == [
        (None, None, None, True),
        (3.0, "x", None, True),
        (None, None, 4, False),
    ]
    assert bad == []
    assert "left" not in taken


def test_a_column_that_appears_is_kept_of_early_and_late_rows(desk):
    table = Events(
        "t",
        Files("*"),
        entity="site",
        time="at",
        zone="UTC",
        columns={"level": Float()},
        evolution=Evolution(appear="add"),
    )
    desk.write("a.csv", "site,at,level,new\na,2025-06-01,1,p\na,2025-06-01, 2,q\na,2025-06-01,x,r\n")
    good, bad = desk.check(table, "a.csv")
    assert [(row["level"], row["new"]) for row in good] == [(1.0, "p"), (2.0, "q")]
    assert len(bad) == 1


def test_a_nan_in_the_first_of_several_row_groups_is_found(desk):
    lines = [f"s{row % 3},2025-01-01 00:00:00,{row % 7},1\n" for row in range(150_000)]
    lines[10] = "s0,2025-01-01 00:00:00,nan,1\n"
    lines[20] = "s1,2025-01-01 00:00:00,1,NaN\n"
    desk.write("a.csv", HEADER + "".join(lines))
    good, bad = desk.check(levels(), "a.csv")
    assert len(good) == 149_998
    assert [(row["record"], row["reason"]) for row in bad] == [
        (11, "level is not a number"),
        (21, "wind is not a number"),
    ]


NUMBER = Float(source="X")


@pytest.mark.parametrize(
    "beside",
    [
        Integer(source="X"),
        Category(source="X", values=("1.5", "2")),
        Text(source="X"),
        Boolean(source="X"),
        Float(source="X", thousands=","),
        Float(source="X", sentinels=("1.50",)),
        Time(source="X", format="%Y"),
    ],
    ids=lambda column: f"{column.kind}",
)
def test_two_columns_of_one_header_are_each_as_they_are_alone(desk, beside):
    texts = ["1e3", "9007199254740993", "12.", "-0", "0.1e1", "1.50", "2.000", "2", "2024", "nan", "1_0", "yes", ""]
    desk.write("a.csv", "site,at,X\n" + "".join(f"a,2025-01-01 00:00:00,{text}\n" for text in texts))

    def found(**columns):
        good, bad = desk.check(levels(**columns), "a.csv")
        reasons = {row["record"]: set(row["reason"].split("; ")) for row in bad}
        return {row["_record"]: {name: row[name] for name in columns} for row in good}, reasons

    (left, bad_left), (right, bad_right), (both, bad) = (
        found(one=NUMBER),
        found(two=beside),
        found(one=NUMBER, two=beside),
    )
    assert both == {record: left[record] | right[record] for record in left if record in right}
    assert bad == {
        record: bad_left.get(record, set()) | bad_right.get(record, set()) for record in {*bad_left, *bad_right}
    }


def test_parts_of_a_time_may_be_numbers_too(desk):
    at = Time(source=("year", "month"), format="%Y %m", zone="UTC")
    table = Events(
        "t", Files("*"), entity="site", time="at", columns={"at": at, "year": Float(), "month": Float(min=1, max=12)}
    )
    desk.write("a.csv", "site,year,month\na,2024,05\nb,2024,13\n")
    good, bad = desk.check(table, "a.csv")
    assert [(row["site"], row["year"], row["month"]) for row in good] == [("a", 2024.0, 5.0)]
    assert [row["record"] for row in bad] == [2]
