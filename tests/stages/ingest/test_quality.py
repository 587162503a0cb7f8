"""Quality: what each load was like, and what a table was expected to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keepfit import Events, Evolution, Expect, Files, Float, Key, Records, clock, tables
from keepfit.errors import SourceError
from keepfit.stages.ingest import ingest, state

HEADER = "who,at,amount\n"
sales = Events(
    "sales",
    Files("sales_*"),
    entity="who",
    time="at",
    columns={"amount": Float(min=0)},
    key=Key(duplicates="first"),
    evolution=Evolution(vanish="ignore", retype="ignore"),
)


def expecting(*expect):
    return replace(sales, expect=expect)


def day(text):
    return clock.to_micros(clock.parse_moment(text))


def load(desk, number, *amounts, table=sales, as_of=None, accept=()):
    """File some rows, of one day each, and ingest them the day after."""
    rows = [f"a{place},2025-01-{number:02}T00:00Z,{amount}\n" for place, amount in enumerate(amounts)]
    if rows:
        desk.write(f"sales_{number:02}.csv", HEADER + "".join(rows))
    moment = day(as_of or f"2025-01-{number + 1:02}")
    return ingest(desk.engine, desk.lake, desk.place, [table], moment, accept=accept)[0]


def measured(desk, dimension, column=None):
    found = [row for row in desk.rows(tables.QUALITY) if (row["dimension"], row["column"]) == (dimension, column)]
    return [row["value"] for row in sorted(found, key=lambda row: row["as_of"])]


def test_every_load_is_measured_in_five_dimensions(desk):
    desk.write(
        "sales_01.csv",
        HEADER + "a,2025-01-01T00:00Z,1\n" * 2 + "b,2025-01-02T00:00Z,\nb,2025-01-02T00:00Z,-2\n",
    )
    load(desk, 3)
    assert measured(desk, "completeness", "amount") == [0.5]
    assert (measured(desk, "validity"), measured(desk, "uniqueness")) == ([0.75], [0.75])
    assert (measured(desk, "timeliness"), measured(desk, "volume")) == ([2.0], [2.0])
    assert {row["passed"] for row in desk.rows(tables.QUALITY)} == {None}


def test_an_ingest_without_anything_new_measures_nothing(desk):
    load(desk, 1, 1, 2)
    before = len(desk.rows(tables.QUALITY))
    load(desk, 5)
    assert len(desk.rows(tables.QUALITY)) == before


def test_a_measurement_stands_beside_the_median_of_the_earlier_loads(desk):
    for number, rows in enumerate([2, 4, 6, 10], start=1):
        load(desk, number, *range(rows))
    found = [row for row in desk.rows(tables.QUALITY) if row["dimension"] == "volume"]
    assert [row["baseline"] for row in sorted(found, key=lambda row: row["as_of"])] == [None, 2.0, 3.0, 4.0]
    assert measured(desk, "relative volume") == [2.5]


def test_what_a_killed_ingest_had_listed_is_measured_by_the_next_one(desk, monkeypatch):
    from keepfit.stages.ingest.quality import Quality

    with monkeypatch.context() as killed:
        killed.setattr(Quality, "keep", lambda self: None)
        load(desk, 1, 1, 2, -3)
    table = expecting(Expect.valid(0.9))
    (broken,) = load(desk, 2, table=table).broken
    assert broken.measured == pytest.approx(2 / 3)
    assert measured(desk, "volume") == [2.0]


def test_a_null_rate_that_moved_is_told_and_noise_is_not(desk):
    load(desk, 1, *([1] * 190 + [""] * 10))
    assert load(desk, 2, *([1] * 185 + [""] * 15)).moved == ()
    (moved,) = load(desk, 3, *([1] * 120 + [""] * 80)).moved
    assert (moved.column, moved.before, moved.now) == ("amount", pytest.approx(0.0625), pytest.approx(0.4))


def test_columns_that_come_and_go_are_told_once_with_the_first_file(desk):
    load(desk, 1, 1)
    for number in (2, 3, 4):
        desk.write(f"sales_{number:02}.csv", f"who,at,tip\na,2025-01-0{number}T00:00Z,1\n")
    found = load(desk, 5)
    assert found.changes == (
        "column 'tip' appeared in sales_02.csv (and 2 more)",
        "column 'amount' vanished in sales_02.csv (and 2 more)",
    )
    assert load(desk, 6).changes == ()


@pytest.mark.parametrize(
    ("expect", "amounts", "said"),
    [
        (
            Expect.complete("amount", 0.9),
            [1, 2, 3, ""],
            "sales.amount has a value in 75% of rows, at least 90% expected",
        ),
        (Expect.valid(0.9), [1, 2, 3, -1], "75% of the rows read of sales met the contract, at least 90% expected"),
        (Expect.volume(min=5), [1, 2], "the load of sales has 2 rows, at least 5 expected"),
        (Expect.volume(max=1), [1, 2], "the load of sales has 2 rows, at most 1 expected"),
        (Expect.fresh("12h"), [1], "sales is 1.0 days old, at most 0.5 expected"),
    ],
)
def test_a_load_that_is_not_as_expected_is_told(desk, expect, amounts, said):
    found = load(desk, 1, *amounts, table=expecting(expect))
    assert [one.what for one in found.broken] == [said]
    assert [row["passed"] for row in desk.rows(tables.QUALITY) if row["passed"] is not None] == [False]


def test_rows_that_repeat_are_not_unique_whether_they_are_dropped_or_bad(desk):
    table = replace(expecting(Expect.unique(0.9)), key=Key("who", "at", duplicates="first"))
    desk.write(
        "sales_01.csv",
        HEADER + "a,2025-01-01T00:00Z,1\n" * 2 + "a,2025-01-01T00:00Z,2\nb,2025-01-01T00:00Z,1\n",
    )
    (broken,) = load(desk, 2, table=table).broken
    assert broken.what == "50% of the rows read of sales repeat no other, at least 90% expected"


def test_a_relative_volume_needs_three_earlier_loads(desk):
    table = expecting(Expect.volume(min=0.5, relative=True))
    for number in (1, 2, 3):
        assert load(desk, number, *range(10 if number < 3 else 1), table=table).broken == ()
    (broken,) = load(desk, 4, 1, 2, table=table).broken
    assert broken.what == "the load of sales has 0.20 times the rows of a usual one, at least 0.5 expected"


def test_expectations_change_no_rows(desk):
    load(desk, 1, 1, 2, -3, table=expecting(Expect.valid(1.0)))
    assert sorted(row["amount"] for row in desk.rows(sales)) == [1, 2]


def test_a_broken_load_blocks_until_a_later_one_meets_the_expectation(desk):
    table = expecting(Expect.valid(0.9))
    assert load(desk, 1, 1, -1, table=table).broken
    assert load(desk, 2, table=table).broken
    assert state(desk.engine, desk.lake, [table], day("2025-01-03"))
    assert load(desk, 3, 1, 2, table=table).broken == ()
    assert state(desk.engine, desk.lake, [table], day("2025-01-04")) == ()


def test_a_broken_load_blocks_no_turn_before_it(desk):
    table = expecting(Expect.valid(0.9))
    load(desk, 1, 1, -1, table=table)
    assert state(desk.engine, desk.lake, [table], day("2025-01-01")) == ()


def test_a_user_accepts_what_is_there_and_not_what_comes(desk):
    table = expecting(Expect.valid(0.9))
    assert load(desk, 1, 1, -1, table=table).broken
    assert load(desk, 2, table=table, accept=("sales",)).broken == ()
    assert load(desk, 3, table=table).broken == ()
    assert load(desk, 4, 1, -1, table=table).broken
    (accepted,) = [row for row in desk.rows(tables.QUALITY) if row["dimension"] == "accepted"]
    assert (accepted["table"], accepted["as_of"]) == ("sales", day("2025-01-03"))


def test_a_table_that_nobody_declared_cannot_be_accepted(desk):
    with pytest.raises(SourceError, match="no table 'sale'") as refused:
        load(desk, 1, 1, accept=("sale",))
    assert "did you mean 'sales'" in refused.value.fix


def test_a_table_grows_stale_while_nothing_comes(desk):
    table = expecting(Expect.fresh("2d"))
    assert load(desk, 1, 1, table=table).broken == ()
    (broken,) = load(desk, 1, table=table, as_of="2025-01-06").broken
    assert (broken.what, broken.bound) == ("sales is 5.0 days old, at most 2 expected", 2.0)
    assert load(desk, 6, 1, table=table).broken == ()


def test_a_bound_that_is_declared_anew_judges_the_load_that_is_there(desk):
    load(desk, 1, 1, 2, 3, -1)
    assert load(desk, 2, table=expecting(Expect.valid(0.9))).broken
    assert load(desk, 3, table=expecting(Expect.valid(0.7))).broken == ()


def test_a_table_that_is_read_again_is_no_load_of_an_unusual_size(desk):
    for number in (1, 2, 3, 4):
        load(desk, number, 1, 2)
    table = replace(expecting(Expect.volume(max=1.5, relative=True)), columns={"amount": Float(min=-9)})
    found = load(desk, 5, table=table)
    assert (found.appended, found.broken) == (8, ())


def test_records_without_a_time_are_never_stale(desk):
    people = Records("people", Files("people.csv"), entity="who", columns={"age": Float()})
    desk.write("people.csv", "who,age\na,1\n")
    desk.ingest(people)
    assert "timeliness" not in {row["dimension"] for row in desk.rows(tables.QUALITY)}
