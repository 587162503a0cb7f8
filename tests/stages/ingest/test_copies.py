"""Files of equal bytes: copies, unless their names say that they are about something else."""

from __future__ import annotations

from collections import Counter

from tests.conftest import at

from keepfit import Events, Files, Float, Key
from keepfit.stages.ingest import ingest

ROWS = "at,v\n2024-01-01,1\n2024-01-02,2\n"


def by_station():
    return Events("t", Files("{station}.csv"), entity="station", time="at", zone="UTC", columns={"v": Float()})


def entities(desk, table, name="station"):
    return Counter(row[name] for row in desk.rows(table))


def test_equal_bytes_under_two_names_that_hold_columns_are_the_rows_of_two(desk):
    desk.write("A.csv", ROWS)
    desk.write("B.csv", ROWS)
    table = by_station()
    (done,) = desk.ingest(table)
    assert (done.appended, done.copies) == (4, ())
    assert entities(desk, table) == {"A": 2, "B": 2}


def test_equal_bytes_that_come_later_under_such_a_name_are_read(desk):
    desk.write("A.csv", ROWS)
    table = by_station()
    desk.ingest(table)
    desk.write("B.csv", ROWS)
    (done,) = desk.ingest(table)
    assert done.appended == 2
    assert entities(desk, table) == {"A": 2, "B": 2}
    (done,) = desk.ingest(table)
    assert done.appended == 0


def test_a_copy_under_another_name_adds_nothing_and_is_told(desk):
    table = Events("t", Files("*"), entity="who", time="at", zone="UTC", columns={"v": Float()})
    for name in ("x0.csv", "x1.csv"):
        desk.write(name, "who,at,v\na,2024-01-01,1\n")
    (done,) = desk.ingest(table)
    assert (done.appended, done.copies) == (1, ("x1.csv",))


def test_a_file_that_repeats_a_key_takes_no_later_one_with_it(desk):
    table = Events(
        "t", Files("*"), entity="n", time="at", zone="UTC", columns={"v": Float()}, key=Key("n", duplicates="error")
    )
    desk.write("d1.csv", "n,at,v\n1,2024-01-01,1\n1,2024-01-02,1\n2,2024-01-03,1\n")
    desk.write("d2.csv", "n,at,v\n2,2024-01-01,1\n")
    desk.write("d3.csv", "n,at,v\n2,2024-01-02,1\n3,2024-01-02,1\n")
    (done,) = ingest(desk.engine, desk.lake, desk.place, [table], at("2100-01-01"))
    assert [error.where for error in done.errors] == ["d1.csv", "d3.csv"]
    assert entities(desk, table, "n") == {"2": 1}
