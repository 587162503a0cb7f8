"""A probe against literal rows: what it deletes, marks and counts is what one sees by reading them."""

from __future__ import annotations

import numpy as np

from keepfit import Events, Files, Float, Records, clock
from keepfit.engines.protocol import Observations

DAY = clock.DAY


def day(number):
    return clock.to_micros(clock.parse_moment("2025-01-01")) + number * DAY


def sales(**options):
    return Events(
        "sales", Files("sales*.csv"), entity="who", time="at", zone="UTC", columns={"amount": Float()}, **options
    )


def observed(**moments):
    keys = sorted(moments)
    return Observations(np.array(keys, object), np.arange(len(keys) + 1), np.array([day(moments[key]) for key in keys]))


def probed(desk, table):
    desk.ingest(table)
    snapshot = desk.snapshot(table, as_of="2026-01-01")
    return snapshot, snapshot.engine.probe(table, snapshot.files(table))


ROWS = (
    "who,at,seen,amount\na,2025-01-02,2025-01-02,1\na,2025-01-05,2025-01-05,2\n"
    "a,2025-01-03,2025-01-09,4\nb,2025-01-06,2025-01-06,8\n"
)


def test_the_past_is_what_was_known_before_the_moment_of_its_entity(desk, tmp_path):
    desk.write("sales.csv", ROWS)
    snapshot, probe = probed(desk, sales(known="seen"))
    files, deleted = probe.write_past(["amount"], observed(a=4), tmp_path)
    # b has no moment of its own: it is cut at the earliest
    assert [row["amount"] for row in snapshot.engine.rows(files)] == [1]
    assert deleted == 3
    files, deleted = probe.write_past(["amount"], observed(a=4, b=6), tmp_path)
    assert sorted(row["amount"] for row in snapshot.engine.rows(files)) == [1, 8]


def test_a_delay_is_reckoned_again_from_the_time(desk, tmp_path):
    desk.write("sales.csv", ROWS)
    snapshot, probe = probed(desk, sales(known_after="2d"))
    assert [
        row["amount"] for row in snapshot.engine.rows(probe.write_past(["amount"], observed(a=4), tmp_path)[0])
    ] == [1]


def test_a_window_holds_its_first_moment_and_not_its_last(desk, tmp_path):
    desk.write("sales.csv", ROWS)
    snapshot, probe = probed(desk, sales())
    files = probe.write_window(["amount"], observed(a=1), 3 * DAY, tmp_path)
    assert sorted(row["amount"] for row in snapshot.engine.rows(files)) == [1, 4]


def test_observations_are_marked_by_their_rows(desk):
    desk.write("sales.csv", ROWS)
    _, probe = probed(desk, sales(known="seen"))
    both = observed(a=5, b=4)
    assert list(probe.tempting(both)) == [True, False]  # a's row of the 3rd was noticed on the 9th
    assert list(probe.unseen(both)) == [False, True]
    at_rows = Observations(both.entities, both.offsets, np.array([day(4) + 1, day(5)]))
    assert list(probe.strangers(at_rows)) == [False, True]


def test_records_are_compared_with_what_they_first_were(desk):
    people = Records("people", Files("people.csv"), entity="who", columns={"age": Float()})
    first = "who,age\na,1\na,2\nb,5\nc,\nd,7\n"  # of a, the last line counts
    desk.write("people.csv", first)
    desk.ingest(people)
    before = desk.snapshot(people, as_of="2026-01-01").files(people)
    desk.write("people.csv", "who,age\na,2\nb,6\nc,9\ne,1\n")
    snapshot, _ = probed(desk, people)
    now = snapshot.files(people)
    found = snapshot.engine.probe(people, [*before, *now]).updates(["age"], now)
    assert found == {"entities": (5, "a"), "removed": (1, "d"), "age": (2, "b")}


def test_twins_share_every_row_and_not_by_chance(desk):
    lines = [
        f"{who},2025-01-{n + 1:02},{n * k}\n" for k, who in ((1, "a"), (2, "b"), (1, "c"), (3, "d")) for n in range(9)
    ]
    lines += [f"{who},2025-02-{n + 1:02},1\n" for who in ("x", "y") for n in range(4)]  # too few
    desk.write("sales.csv", "who,at,amount\n" + "".join(lines))
    _, probe = probed(desk, sales())
    compared, keys, groups = probe.twins(5, day(400))
    assert (compared, list(keys), len(set(groups))) == (4, ["a", "c"], 1)
