"""Events are brought together in runs of whole entities, and how many runs there are changes nothing."""

from __future__ import annotations

import random

import numpy as np
import pytest

from keepfit import Events, Files, Float, Text, clock, col
from keepfit.engines.local import together
from keepfit.engines.protocol import Observations
from keepfit.spec.rows import Present

COLUMNS = {"amount": Float(), "note": Text()}
FUTURE = clock.to_micros(clock.parse_moment("2100-01-01"))
DELAYS = {"at once": {}, "noticed later": {"known": "noticed"}}


@pytest.fixture(params=DELAYS)
def sales(request, desk):
    """Return a table of 400 events of six entities in three files, times tied more often than not."""
    table = Events(
        "sales", Files("sales_*.csv"), entity="who", time="at", columns=COLUMNS, zone="UTC", **DELAYS[request.param]
    )
    lottery = random.Random(5)
    for file in range(3):
        lines = ["who,at,noticed,amount,note"]
        for _ in range(133):
            who = lottery.choice(["a", "b", "b", "b", "it's", "é", "z", "unseen"])
            day = lottery.randint(1, 9)
            amount, note = lottery.choice(["", lottery.randint(1, 99)]), lottery.choice(["", "x"])
            lines.append(f"{who},2025-0{file + 1}-0{day},2025-0{file + 1}-1{day},{amount},{note}")
        desk.write(f"sales_{2 - file}.csv", "\n".join(lines) + "\n")
    desk.ingest(table)
    return table


def brought(desk, table, monkeypatch, rows):
    monkeypatch.setattr(together, "RUN_ROWS", rows)
    keys = np.array(["a", "b", "it's", "q", "z", "é"], object)
    observations = Observations(keys, np.arange(7), np.zeros(6, np.int64))
    files = desk.lake.parquet_files("source/sales")
    return list(desk.engine.events(table, files, (col("amount"), Present("note")), observations, FUTURE))


def naive(desk, table):
    """Return (position of the key, time, known, amount, note) of each row, sorted in Python."""
    keys = ["a", "b", "it's", "q", "z", "é"]
    rows = [row for row in desk.rows(table) if row["who"] in keys]
    rows.sort(key=lambda row: (keys.index(row["who"]), row["at"], row["_order"]))
    return [(keys.index(row["who"]), row["at"], row["_known"], row["amount"], row["note"] and 1.0) for row in rows]


@pytest.mark.parametrize("rows", [1, 40, 100, 10_000])
def test_any_number_of_runs_gives_every_row_once_in_order(desk, sales, monkeypatch, rows):
    runs = brought(desk, sales, monkeypatch, rows)
    assert (len(runs) == 1) == (rows == 10_000)
    assert [run.first for run in runs] == [0, *(run.stop for run in runs[:-1])]
    assert runs[-1].stop == 6
    found = []
    for run in runs:
        codes = run.first + np.repeat(np.arange(run.stop - run.first), np.diff(run.offsets))
        known = run.time if run.known is None else run.known
        values = [[None if np.isnan(x) else x for x in column] for column in run.values]
        found += zip(codes.tolist(), run.time.tolist(), known.tolist(), *values, strict=True)
    assert found == naive(desk, sales)


def test_a_run_holds_no_more_rows_than_asked_unless_one_entity_does(desk, sales, monkeypatch):
    for run in brought(desk, sales, monkeypatch, 100):
        assert len(run.time) <= 100 or run.stop == run.first + 1


def test_a_table_without_rows_gives_one_empty_run(desk, monkeypatch):
    table = Events("sales", Files("sales_*.csv"), entity="who", time="at", columns=COLUMNS, zone="UTC")
    observations = Observations(np.array(["a", "b"], object), np.arange(3), np.zeros(2, np.int64))
    (run,) = desk.engine.events(table, (), (col("amount"),), observations, FUTURE)
    assert (len(run.time), run.values.shape, run.offsets.tolist()) == (0, (1, 0), [0, 0, 0])
