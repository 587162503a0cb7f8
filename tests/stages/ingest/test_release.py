"""Release: a row leaves the quarantine exactly once, through the contract, whatever happens in between."""

from __future__ import annotations

import gzip

import pytest
from tests.conftest import at

from keepfit import Events, Evolution, Files, Float, Key, Lookup, Records, Text, tables
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.stages.ingest import Wish, in_quarantine, release
from keepfit.stages.ingest.quarantine import LINES
from keepfit.stages.ingest.release import Work

HEADER = "who,at,amount\n"
JANUARY = HEADER + "a,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,-2\nc,2025-01-03T00:00Z,3\nd,2025-01-04T00:00Z,x\n"
LATER = at("2025-06-01")


def sales(**more):
    return Events("sales", Files("sales_*"), entity="who", time="at", **({"columns": {"amount": Float(min=0)}} | more))


def held(desk, table, **asked):
    return in_quarantine(desk.engine, desk.lake, table, **asked)


def released(desk, table, edits=None, **asked):
    """Release everything in quarantine; `edits` are new values, by place in it."""
    rows = held(desk, table, **asked)
    wishes = [
        Wish(row, (row.values() or {}) | edits[nth] if nth in (edits or {}) else None) for nth, row in enumerate(rows)
    ]
    return release(desk.engine, desk.lake, table, wishes, LATER)


def rows(desk, table):
    return sorted((row["_file"], row["_record"], row["amount"]) for row in desk.rows(table))


@pytest.fixture
def january(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales())
    return desk


def test_quarantine_holds_the_bad_rows_with_their_place_and_reason(january):
    found = [(row.file, row.line, row.record, row.reason, row.values()["amount"]) for row in held(january, sales())]
    assert found == [
        ("sales_1.csv", 3, 2, "amount is below 0", "-2"),
        ("sales_1.csv", 5, 4, "amount is not a number", "x"),
    ]


def test_a_row_that_still_breaks_the_contract_stays_with_its_reason(january):
    done = released(january, sales())
    assert (done.rows, done.released) == (2, 0)
    assert [(row.line, row.reason) for row in done.stayed] == [(3, "amount is below 0"), (5, "amount is not a number")]
    assert len(held(january, sales())) == 2


def test_an_edited_row_takes_its_own_place_in_the_table(january):
    done = released(january, sales(), {0: {"amount": "2"}})
    assert (done.released, len(done.stayed)) == (1, 1)
    assert rows(january, sales()) == [("sales_1.csv", 1, 1), ("sales_1.csv", 2, 2), ("sales_1.csv", 3, 3)]
    orders = sorted((row["_order"], row["who"]) for row in january.rows(sales()))
    assert [who for _, who in orders] == ["a", "b", "c"]
    assert [row.line for row in held(january, sales())] == [5]


def test_a_released_row_is_released_once(january):
    before = held(january, sales())
    released(january, sales(), {0: {"amount": "2"}, 1: {"amount": "4"}})
    assert held(january, sales()) == []
    assert january.ingest(sales())[0].appended == 0
    assert len(before) == 2 and len(rows(january, sales())) == 4


def test_a_row_whose_key_came_later_is_released_as_it_was_read(desk):
    people = Records("people", Files("people*"), entity="who", columns={"town": Text()})
    table = sales(lookup=Lookup(people, on="who", take=("town",)), evolution=Evolution(retype="ignore"))
    desk.write("people_1.csv", "who,town\na,Rome\n")
    desk.write("sales_1.csv", HEADER + "a,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,2\n")
    desk.ingest(people, table)
    assert [row.reason for row in held(desk, table)] == ["who is not in people"]
    desk.write("people_2.csv", "who,town\nb,Pisa\n")
    desk.ingest(people, table)
    assert released(desk, table).released == 1
    assert {row["who"]: row["town"] for row in desk.rows(table)} == {"a": "Rome", "b": "Pisa"}


def test_a_line_that_is_no_record_needs_values_and_gets_a_number_that_no_record_has(desk):
    desk.write("sales_1.csv", HEADER + "a,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z\nc,2025-01-03T00:00Z,3\n")
    desk.ingest(sales())
    (row,) = held(desk, sales())
    assert (row.line, row.record, row.values()) == (3, None, None)
    (stayed,) = released(desk, sales()).stayed
    assert stayed.reason.endswith("write its values by hand and release it with --from")
    released(desk, sales(), {0: {"who": "b", "at": "2025-01-02T00:00Z", "amount": "2"}})
    assert rows(desk, sales())[-1] == ("sales_1.csv", LINES + 3, 2)
    assert held(desk, sales()) == []


def test_a_key_holds_for_released_rows_too(desk):
    table = sales(key=Key("who", duplicates="last"))
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(table)
    done = released(
        desk, table, {0: {"who": "a", "amount": "2"}, 1: {"who": "c", "at": "2025-01-03T00:00Z", "amount": "3"}}
    )
    assert [row.reason for row in done.stayed] == [
        "repeats who of sales_1.csv, record 1",
        "repeats another row entirely",
    ]
    assert rows(desk, table) == [("sales_1.csv", 1, 1), ("sales_1.csv", 3, 3)]


def test_two_released_rows_of_one_value_are_not_unique(desk):
    table = sales(columns={"amount": Float(min=0, unique=True)})
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(table)
    done = released(desk, table, {0: {"amount": "7"}, 1: {"amount": "7"}})
    assert (done.released, [row.reason for row in done.stayed]) == (1, ["repeats amount of sales_1.csv, record 2"])


def test_rows_of_packed_files_and_of_several_files_are_one_commit(january):
    (january.data / "sales_2.csv.gz").write_bytes(gzip.compress(JANUARY.replace("2025", "2024").encode()))
    january.ingest(sales())
    version = january.lake.version("source/sales")
    done = released(january, sales(), {0: {"amount": "2"}, 2: {"amount": "5"}})
    assert (done.released, done.version) == (2, version + 1)
    assert rows(january, sales())[1::3] == [("sales_1.csv", 2, 2), ("sales_2.csv.gz", 2, 5)]


def test_a_file_without_a_good_row_gives_its_released_rows_a_place_of_their_own(desk):
    table = sales(evolution=Evolution(retype="ignore"))
    desk.write("sales_1.csv", HEADER + "a,2025-01-01T00:00Z,-1\n")
    desk.write("sales_2.csv", HEADER + "a,2025-01-02T00:00Z,2\n")
    desk.ingest(table)
    released(desk, table, {0: {"amount": "1"}})
    desk.write("sales_3.csv", HEADER + "a,2025-01-03T00:00Z,3\n")
    desk.ingest(table)
    assert len({row["_order"] for row in desk.rows(table)}) == 3


@pytest.mark.parametrize("step", ["append", "commit"])
def test_a_release_that_is_killed_is_as_if_it_had_not_begun(january, monkeypatch, step):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, step, killed)
        with pytest.raises(KeyboardInterrupt):
            released(january, sales(), {0: {"amount": "2"}})
    january.ingest(sales())
    assert (len(held(january, sales())), len(rows(january, sales()))) == (2, 2)
    assert released(january, sales(), {0: {"amount": "2"}}).released == 1
    assert len(january.rows(tables.RELEASED)) == 1
    assert rows(january, sales()) == [("sales_1.csv", 1, 1), ("sales_1.csv", 2, 2), ("sales_1.csv", 3, 3)]


def test_a_release_killed_after_its_commit_is_done(january, monkeypatch):
    commit = Lake.commit

    def killed(*given, **named):
        commit(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            released(january, sales(), {0: {"amount": "2"}})
    assert [row.line for row in held(january, sales())] == [5]
    assert january.ingest(sales())[0].appended == 0
    assert len(january.rows(sales())) == 3


def test_a_table_that_is_declared_differently_is_read_again_first(january):
    with pytest.raises(SourceError, match="declared differently") as refused:
        released(january, sales(known_after="1d"), {0: {"amount": "2"}})
    assert "keepfit ingest" in refused.value.fix


def test_a_rebuild_loses_no_row_that_was_released_with_an_edited_text(january):
    released(january, sales(), {0: {"amount": "2"}, 1: {"amount": "4"}})
    for table in (sales(columns={"amount": Float(min=0, max=50)}), sales(known_after="1d")):
        january.ingest(table)
        assert [amount for *_, amount in rows(january, table)] == [1, 2, 3, 4]
        assert held(january, table) == []


def test_an_edited_text_goes_through_the_new_contract(january):
    released(january, sales(), {0: {"amount": "2"}, 1: {"amount": "4"}})
    january.ingest(table := sales(columns={"amount": Float(min=0, max=3)}))
    assert [amount for *_, amount in rows(january, table)] == [1, 2, 3]
    assert [row.line for row in held(january, table)] == [5]


def test_a_row_that_the_new_contract_takes_is_taken_as_its_file_has_it(january):
    released(january, sales(), {0: {"amount": "2"}})
    january.ingest(table := sales(columns={"amount": Float(min=-9)}))
    assert [amount for *_, amount in rows(january, table)] == [1, -2, 3]


def test_a_crash_between_a_rebuild_and_the_edited_rows_is_made_good(january, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    released(january, sales(), {0: {"amount": "2"}})
    table = sales(known_after="1d")
    with monkeypatch.context() as patch:
        patch.setattr(Work, "done", killed)
        with pytest.raises(KeyboardInterrupt):
            january.ingest(table)
    january.ingest(table)
    january.ingest(table)
    assert [amount for *_, amount in rows(january, table)] == [1, 2, 3]


def test_a_file_that_is_exchanged_takes_its_released_rows_along_and_may_come_back(january):
    released(january, sales(), {0: {"amount": "2"}})
    for text, amounts in [(HEADER + "a,2025-01-01T00:00Z,9\n", [9]), (JANUARY, [1, 2, 3])]:
        january.write("sales_1.csv", text)
        january.ingest(sales(), replace=("sales_1.csv",))
        assert [amount for *_, amount in rows(january, sales())] == amounts
    assert [row.line for row in held(january, sales())] == [5]


def test_the_quarantine_of_a_moment_holds_what_had_come_by_then(desk):
    desk.write("sales_1.csv", JANUARY)
    desk.ingest(sales(), as_of="2025-03-01")
    assert held(desk, sales(), as_of=at("2025-02-01")) == []
    assert len(held(desk, sales(), as_of=at("2025-03-01"))) == 2
