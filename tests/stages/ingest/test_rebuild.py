"""A declaration that is edited after an ingest: the table is what an ingest of all its files from nothing would make."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from keepfit import Category, Events, Files, Float, Integer, Records, clock, col, tables
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.stages.ingest import listing, unread

JANUARY = "who,at,amount,kind\na,2025-01-01T00:00Z,1,x\nb,2025-01-02T00:00Z,2,y\nb,2025-01-03T00:00Z,-2,x\n"
FEBRUARY = "who,at,amount,kind\na,2025-02-01T00:00Z,3,x\nb,2025-02-02T00:00Z,4,y\n"
AMOUNT = {"amount": Float(min=0)}


def sales(**changes):
    parts = {"source": Files("sales_*"), "entity": "who", "time": "at", "columns": AMOUNT}
    return Events("sales", **{**parts, **changes})


TWICE = sales(derive={"twice": col("amount") * 2})


def values(desk, column):
    rows = sorted(desk.rows(sales()), key=lambda row: row["_order"])
    return [row[column] for row in rows]


@pytest.fixture
def old(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.write("sales_2.csv", FEBRUARY)
    desk.ingest(sales())
    return desk


def test_a_new_derived_column_fills_old_rows_and_the_files_are_reported_as_read(old):
    (done,) = old.ingest(TWICE)
    assert (done.files, done.rows_read, done.appended, done.quarantined) == (("sales_1.csv", "sales_2.csv"), 5, 4, 1)
    assert values(old, "twice") == [2, 4, 6, 8]
    assert len({row["declared"] for row in old.rows(tables.FILES)}) == 2


def test_a_new_column_is_read_from_old_files(old):
    old.ingest(sales(columns={**AMOUNT, "kind": Category()}))
    assert values(old, "kind") == ["x", "y", "x", "y"]


def test_a_delay_added_moves_the_moments_at_which_rows_were_known(old):
    old.ingest(sales(known_after="2d"))
    assert all(row["_known"] == row["at"] + 2 * clock.DAY for row in old.rows(sales()))


def test_bounds_that_widen_bring_rows_back(old):
    old.ingest(sales(columns={"amount": Float()}))
    assert values(old, "amount") == [1, 2, -2, 3, 4]


def test_bounds_that_narrow_put_rows_into_quarantine_once(old):
    narrow = sales(columns={"amount": Float(min=0, max=3)})
    old.ingest(narrow)
    assert values(old, "amount") == [1, 2, 3]
    now = [row["reason"] for row in old.rows(tables.QUARANTINE) if row["declared"] == listing.declaration(narrow)]
    assert sorted(now) == ["amount is above 3", "amount is below 0"]


def test_a_type_may_change(desk):
    desk.write("people.csv", "who,age\na,30\n")
    desk.ingest(Records("people", Files("people.csv"), entity="who", columns={"age": Integer()}))
    people = Records("people", Files("people.csv"), entity="who", columns={"age": Float()})
    desk.ingest(people)
    (row,) = desk.rows(people)
    assert row["age"] == 30.0 and isinstance(row["age"], float)


def test_back_and_forth_and_twice_doubles_nothing(old):
    for table in (TWICE, TWICE, sales(), TWICE, sales()):
        old.ingest(table)
        assert values(old, "amount") == [1, 2, 3, 4]
    held = [(row["line"], row["declared"]) for row in old.rows(tables.QUARANTINE)]
    assert len(held) == len(set(held)) == 2  # once for each declaration
    assert "twice" not in old.rows(sales())[0]


def test_new_files_and_copies_come_after_the_old_ones(old):
    old.write("sales_0.csv", FEBRUARY)
    old.write("sales_3.csv", FEBRUARY.replace(",4,", ",5,"))
    (done,) = old.ingest(TWICE)
    assert done.files == ("sales_1.csv", "sales_2.csv", "sales_0.csv", "sales_3.csv")
    assert values(old, "twice") == [2, 4, 6, 8, 6, 10]
    old.ingest(sales())
    assert values(old, "amount") == [1, 2, 3, 4, 3, 5]


@pytest.mark.parametrize("table", [sales(), sales(quiet="9d")], ids=["unchanged", "quiet"])
def test_what_does_not_decide_what_rows_become_reads_nothing_again(old, table):
    version = old.lake.version("source/sales")
    assert old.ingest(table)[0].files == ()
    assert old.lake.version("source/sales") == version


@pytest.mark.parametrize("then", [TWICE, sales(), sales(known_after="1d")], ids=["same", "back", "third"])
def test_a_crash_between_the_rows_and_the_list_is_made_good(old, monkeypatch, then):
    def crash(*_):
        raise KeyboardInterrupt

    old.write("sales_3.csv", FEBRUARY.replace(",4,", ",5,"))
    with monkeypatch.context() as patch:
        patch.setattr("keepfit.stages.ingest.rebuild.list_files", crash)
        with pytest.raises(KeyboardInterrupt):
            old.ingest(TWICE)
    old.ingest(then)
    old.ingest(then)
    assert values(old, "amount") == [1, 2, 3, 4, 3, 5]
    assert ("twice" in old.rows(sales())[0]) == (then is TWICE)


@pytest.mark.parametrize("listed", [True, False])
def test_files_appended_before_a_crash_and_not_listed_are_there_once(desk, monkeypatch, listed):
    def crash(*_):
        raise KeyboardInterrupt

    desk.write("sales_1.csv", JANUARY)
    if listed:
        desk.ingest(sales())
    desk.write("sales_2.csv", FEBRUARY)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["keepfit.stages.ingest.ingest"], "list_files", crash)
        for table in (sales(), TWICE, sales()):
            with suppress(KeyboardInterrupt):
                desk.ingest(table)
    desk.ingest(TWICE)
    assert values(desk, "twice") == [2, 4, 6, 8]


def test_a_crash_before_the_rows_leaves_the_old_table(old, monkeypatch):
    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            old.ingest(sales(columns={"amount": Float(min=0, max=3)}))
    assert values(old, "amount") == [1, 2, 3, 4]
    old.ingest(sales())
    assert values(old, "amount") == [1, 2, 3, 4]


def test_a_file_that_is_gone_is_named_and_the_table_stays(old):
    (old.data / "sales_1.csv").unlink()
    with pytest.raises(SourceError) as refused:
        old.ingest(TWICE)
    assert refused.value.what == (
        "sales is declared differently since its files were ingested, and sales_1.csv is gone"
    )
    assert refused.value.fix == "put it back, or restore the declaration"
    assert values(old, "amount") == [1, 2, 3, 4]
    assert old.ingest(sales())[0].files == ()


def test_a_file_that_was_renamed_is_not_gone(old):
    (old.data / "sales_1.csv").rename(old.data / "sales_9.csv")
    old.ingest(TWICE)
    assert values(old, "twice") == [2, 4, 6, 8]


def test_a_file_that_has_changed_is_refused_and_the_table_stays(old):
    old.write("sales_1.csv", FEBRUARY)
    with pytest.raises(SourceError, match="has changed after it was ingested"):
        old.ingest(TWICE)
    assert values(old, "amount") == [1, 2, 3, 4]
    old.ingest(TWICE, replace=("sales_1.csv",))
    assert values(old, "twice") == [6, 8]


def test_files_that_the_pattern_no_longer_matches_are_left_out(old):
    old.ingest(sales(source=Files("sales_2*")))
    assert values(old, "amount") == [3, 4]
    old.ingest(sales())
    assert values(old, "amount") == [3, 4, 1, 2]


def test_a_file_that_does_not_fit_the_new_declaration_leaves_the_old_table(old):
    with pytest.raises(SourceError, match="does not fit sales"):
        old.ingest(sales(columns={"amount": Float(min=4)}))
    assert values(old, "amount") == [1, 2, 3, 4]
    assert len(old.rows(tables.QUARANTINE)) == 1


def test_a_table_of_the_future_alone_takes_the_new_columns(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales(), as_of="2024-01-01")
    desk.ingest(TWICE, as_of="2024-01-01")
    assert desk.rows(sales()) == []
    desk.ingest(TWICE)
    assert values(desk, "twice") == [2, 4]


def test_unread_names_the_files_that_would_be_read_again(old):
    assert unread(old.engine, old.lake, old.place, [TWICE]) == {"sales": ["sales_1.csv", "sales_2.csv"]}


def test_quiet_is_no_part_of_the_fingerprint():
    assert listing.declaration(sales()) == listing.declaration(sales(quiet="9d")) != listing.declaration(TWICE)
