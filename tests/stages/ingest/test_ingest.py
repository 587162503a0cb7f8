"""Ingest: twice adds nothing, whatever happened in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from keepfit import Events, Files, Float, Integer, Records, clock, tables
from keepfit.errors import SourceError
from keepfit.stages.ingest import begins, unread

sales = Events("sales", Files("sales_*"), entity="who", time="at", columns={"amount": Float(min=0)})
people = Records("people", Files("people.csv"), entity="who", columns={"age": Integer()})
JANUARY = "who,at,amount\na,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,2\nb,2025-01-03T00:00Z,-2\n"
FEBRUARY = "who,at,amount\na,2025-02-01T00:00Z,3\nb,2025-02-02T00:00Z,4\n"


def amounts(desk):
    return sorted(row["amount"] for row in desk.rows(sales))


def ages(desk):
    return {row["who"]: row["age"] for row in desk.rows(people)}


def refusal(desk, *declared, **options):
    with pytest.raises(SourceError) as refused:
        desk.ingest(*declared, **options)
    return refused.value


def test_ingest_tells_good_rows_from_bad_and_says_what_it_did(desk):
    desk.write("sales_1.csv", JANUARY)
    (done,) = desk.ingest(sales)
    assert (done.files, done.rows_read, done.appended, done.quarantined) == (("sales_1.csv",), 3, 2, 1)
    assert done.reasons == {"amount is below 0": 1}
    (bad,) = desk.rows(tables.QUARANTINE)
    assert (bad["table"], bad["file"], bad["line"], bad["reason"]) == ("sales", "sales_1.csv", 4, "amount is below 0")
    (listed,) = desk.rows(tables.FILES)
    assert (listed["rows_read"], listed["appended"], listed["quarantined"]) == (3, 2, 1)


def test_ingest_twice_adds_nothing(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales)
    (done,) = desk.ingest(sales)
    assert (done.files, done.appended) == ((), 0)
    assert (amounts(desk), len(desk.rows(tables.QUARANTINE))) == ([1, 2], 1)


@pytest.mark.parametrize("together", [True, False])
def test_a_copy_under_another_name_adds_nothing(desk, together):
    desk.write("sales_1.csv", JANUARY)
    if not together:
        desk.ingest(sales)
    desk.write("sales_1 (copy).csv", JANUARY)
    done = desk.ingest(sales)[0]
    assert done.appended == (2 if together else 0)
    assert (amounts(desk), len(desk.rows(tables.QUARANTINE))) == ([1, 2], 1)
    assert desk.ingest(sales)[0].files == ()


def test_rows_keep_the_order_in_which_they_came(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales)
    desk.write("sales_0.csv", FEBRUARY)
    desk.ingest(sales)
    rows = sorted(desk.rows(sales), key=lambda row: row["_order"])
    assert [(row["_file"], row["_record"]) for row in rows] == [
        ("sales_1.csv", 1), ("sales_1.csv", 2), ("sales_0.csv", 1), ("sales_0.csv", 2)
    ]  # fmt: skip


def test_a_changed_events_file_is_refused_and_the_others_are_read(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales)
    desk.write("sales_1.csv", FEBRUARY)
    desk.write("sales_2.csv", "who,at,amount\na,2025-03-01T00:00Z,5\n")
    refused = refusal(desk, sales)
    assert refused.what == "sales_1.csv has changed after it was ingested into sales"
    assert "keepfit ingest --replace sales_1.csv" in refused.fix
    assert amounts(desk) == [1, 2, 5]


def test_replace_exchanges_the_rows_of_a_changed_events_file(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales)
    desk.write("sales_1.csv", "who,at,amount\na,2025-01-01T00:00Z,10\n")
    desk.write("sales_2.csv", FEBRUARY)
    desk.ingest(sales, replace=("sales_1.csv",))
    desk.ingest(sales)
    assert amounts(desk) == [3, 4, 10]


def test_content_that_was_replaced_may_come_back_under_another_name(desk):
    desk.write("sales_1.csv", FEBRUARY)  # a slip: February under January's name
    desk.ingest(sales)
    desk.write("sales_1.csv", JANUARY)
    desk.write("sales_0.csv", FEBRUARY)
    desk.ingest(sales, replace=("sales_1.csv",))
    assert amounts(desk) == [1, 2, 3, 4]


def test_a_changed_records_file_replaces_the_old_one_however_often(desk):
    old, new = "who,age\na,30\nb,40\n", "who,age\na,31\n"
    for text, expected in [(old, {"a": 30, "b": 40}), (new, {"a": 31}), (old, {"a": 30, "b": 40}), (new, {"a": 31})]:
        desk.write("people.csv", text)
        desk.ingest(people)
        assert ages(desk) == expected


def test_a_file_of_the_future_waits_until_it_has_happened(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.write("sales_2.csv", FEBRUARY)
    (early,) = desk.ingest(sales, as_of="2025-02-01")
    assert (early.files, early.waiting, amounts(desk)) == (("sales_1.csv",), ("sales_2.csv",), [1, 2])
    (later,) = desk.ingest(sales, as_of="2025-02-01T00:00:01Z")
    assert (later.files, later.waiting, amounts(desk)) == (("sales_2.csv",), (), [1, 2, 3, 4])


def test_a_table_whose_files_all_lie_in_the_future_is_there_without_rows(desk):
    desk.write("sales_2.csv", FEBRUARY)
    desk.ingest(sales, as_of="2025-01-01")
    assert desk.lake.exists("source/sales") and desk.rows(sales) == []


def test_a_replay_begins_at_the_first_event_of_the_first_files(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.write("sales_2.csv", FEBRUARY)
    assert begins(desk.engine, desk.lake, desk.place, [sales]) == clock.to_micros(clock.parse_moment("2025-01-01"))


def test_a_replay_begins_past_files_that_hold_no_row(desk):
    desk.write("sales_0.csv", "who,when,amount\n")
    desk.write("sales_1.csv", JANUARY)
    assert begins(desk.engine, desk.lake, desk.place, [sales]) == clock.to_micros(clock.parse_moment("2025-01-01"))


def test_one_bad_file_stops_no_other_and_is_named(desk):
    desk.write("sales_1.csv", "who,when,amount\n")
    desk.write("sales_2.csv", FEBRUARY)
    desk.write("people.csv", "who,age\na,30\n")
    refused = refusal(desk, sales, people)
    assert refused.what == "sales_1.csv has no column 'at', which sales declares"
    assert (amounts(desk), ages(desk)) == ([3, 4], {"a": 30})


def test_several_bad_files_are_counted(desk):
    for name in ("sales_1.csv", "sales_2.csv", "sales_3.csv"):
        desk.write(name, "")
    assert refusal(desk, sales).what == "sales_1.csv is empty (and 2 more files with errors)"


def test_a_file_of_the_wrong_kind_is_refused_and_nothing_of_it_is_kept(desk):
    desk.write(
        "sales_1.csv", "who,at,amount\na,2025-01-01T00:00Z,one\nb,2025-01-01T00:00Z,two\nb,2025-01-01T00:00Z,3\n"
    )
    refused = refusal(desk, sales)
    assert "2 of 3 rows break the rule: amount is not a number" in refused.what
    assert not desk.lake.exists("source/sales") and not desk.lake.exists("quarantine")


def test_a_file_without_rows_is_read_once(desk):
    desk.write("sales_1.csv", "who,at,amount\n")
    assert desk.ingest(sales)[0].files == ("sales_1.csv",)
    assert desk.ingest(sales)[0].files == ()


@pytest.mark.parametrize(("name", "holds"), [(None, "it is empty"), ("sale.csv", "it holds: sale.csv")])
def test_a_folder_without_a_matching_file_says_what_it_holds(desk, name, holds):
    if name:
        desk.write(name, JANUARY)
    refused = refusal(desk, sales)
    assert refused.what == "sales: no file matches 'sales_*'"
    assert holds in refused.fix


def test_a_file_of_no_known_format_is_refused_by_name(desk):
    desk.write("sales_1.docx", "PK")
    assert refusal(desk, sales).what == "sales_1.docx is of no known format"


def test_unread_names_what_an_ingest_would_read(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales)
    desk.write("sales_2.csv", FEBRUARY)
    assert unread(desk.engine, desk.lake, desk.place, [sales]) == {"sales": ["sales_2.csv"]}
    assert amounts(desk) == [1, 2]


INGEST = """
import sys
from pathlib import Path
from keepfit import Events, Files, Float
from keepfit.engines.local import LocalEngine
from keepfit.connect import Place
from keepfit.lake import Lake
from keepfit.stages.ingest import ingest
sales = Events("sales", Files("sales_*"), entity="who", time="at", columns={"amount": Float(min=0)})
engine, lake = LocalEngine(threads=1), Lake(Path(sys.argv[2]))
print("ready", flush=True)
ingest(engine, lake, Place(Path(sys.argv[1]), lake.root / 'landing', {}), [sales], 4102444800000000)
"""


def test_an_ingest_that_is_killed_again_and_again_ends_with_each_row_once(desk):
    lottery = random.Random(3)
    for file in range(30):
        rows = [f"a,2025-01-01T00:00Z,{-1 if row == 7 else file * 100 + row}\n" for row in range(20)]
        desk.write(f"sales_{file:02}.csv", "who,at,amount\n" + "".join(rows))
    for _ in range(6):
        command = [sys.executable, "-c", INGEST, str(desk.data), str(desk.lake.root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(lottery.uniform(0.01, 0.5))
            os.kill(process.pid, signal.SIGKILL)
    assert not desk.rows(tables.FILES), "no kill came before the end; the promise was not put to the test"
    desk.ingest(sales)
    assert amounts(desk) == [file * 100 + row for file in range(30) for row in range(20) if row != 7]
    assert sorted(row["file"] for row in desk.rows(tables.QUARANTINE)) == [f"sales_{file:02}.csv" for file in range(30)]
