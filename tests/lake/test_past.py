"""A table's past: what the log tells is what deltalake reads, and it tells it for ever."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from keepfit import Category, Events, Files, Float, clock
from keepfit.errors import LakeError
from keepfit.lake import Lake
from keepfit.lake.past import moment_of

TYPES = {"batch": "BIGINT", "row": "BIGINT"}
DAY = 86_400_000_000


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "a lake")


def batch(engine, number, rows=2):
    return engine.relation({"batch": np.full(rows, number), "row": np.arange(rows)}, TYPES)


def test_every_version_of_the_past_holds_the_files_and_rows_that_are_read(engine, lake):
    lake.append("t", batch(engine, 1, rows=0))
    for number in (1, 2):
        lake.append("t", batch(engine, number))
    lake.replace("t", batch(engine, 1, rows=3), where="batch = 1")
    lake.replace("t", batch(engine, 7, rows=5))
    past = lake.past("t")
    for version in range(5):
        stored = {str(past.folder / part.path) for part in past.of(version)}
        assert stored == set(lake.parquet_files("t", version))
        assert sum(part.rows for part in past.of(version)) == len(engine.rows(lake.parquet_files("t", version)))
    told = [(one.operation, one.files_added, one.files_removed, one.rows) for one in past.commits]
    assert told[1:] == [("append", 1, 0, 2), ("append", 1, 0, 2), ("replace", 1, 1, 1), ("replace", 1, 2, 0)]
    assert sum(rows for *_, rows in told) == 5
    assert past.newest == 4 and past.readable() == [0, 1, 2, 3, 4]


def test_the_past_of_a_source_table_is_told_through_appends_exchanges_and_rebuilds(desk):
    def declared(**columns):
        return Events("sales", Files("sales_*.csv"), entity="who", time="at", zone="UTC", columns=columns)

    desk.write("sales_1.csv", "who,at,amount,town\na,2025-01-01,1,Rome\nb,2025-01-02,2,Oslo\n")
    desk.ingest(declared(amount=Float()), as_of="2025-02-01")
    desk.write("sales_2.csv", "who,at,amount,town\nc,2025-02-03,3,Bonn\n")
    desk.ingest(declared(amount=Float()), as_of="2025-03-01")
    desk.write("sales_2.csv", "who,at,amount,town\nc,2025-02-03,30,Bonn\nc,2025-02-04,4,Bonn\n")
    desk.ingest(declared(amount=Float()), as_of="2025-03-02", replace=("sales_2.csv",))
    desk.ingest(declared(amount=Float(), town=Category()), as_of="2025-04-01")
    past, held = desk.lake.past("source/sales"), []
    for version in range(past.newest + 1):
        files = desk.lake.parquet_files("source/sales", version)
        assert {str(past.folder / part.path) for part in past.of(version)} == set(files)
        held.append(len(desk.engine.rows(files)))
        assert sum(part.rows for part in past.of(version)) == held[-1]
    assert list(dict.fromkeys(held)) == [0, 2, 3, 4]
    assert {clock.show(one.as_of) for one in past.commits} == {"2025-02-01", "2025-03-01", "2025-03-02", "2025-04-01"}


def test_the_version_of_a_moment_is_the_newest_that_was_written_for_it_or_before(engine, lake):
    for number, day in enumerate((10, 20, 30)):
        lake.append("t", batch(engine, number), notes={"keepfit.as_of": str(day * DAY)})
    past = lake.past("t")
    found = [past.at(day * DAY, {}) for day in (9, 10, 25, 99)]
    assert [one and one.version for one in found] == [None, 0, 1, 2]


def test_a_commit_that_does_not_say_its_moment_is_asked_of_the_list_of_files_and_then_of_the_clock(engine, lake):
    lake.append("t", batch(engine, 1), notes={"keepfit.file": "a.csv"})
    commit = lake.past("t").commits[0]
    assert commit.as_of is None and commit.notes == {"keepfit.file": "a.csv"}
    assert moment_of(commit, {0: 10 * DAY}) == 10 * DAY
    assert moment_of(commit, {}) == commit.written_at > 0


def test_no_version_is_forgotten_however_old_its_log_is(engine, lake):
    lake.append("t", batch(engine, 0))
    DeltaTable(str(lake.root / "t")).alter.set_table_properties({"delta.checkpointInterval": "2"})
    for number in range(1, 5):
        lake.append("t", batch(engine, number))
    for log in (lake.root / "t" / "_delta_log").iterdir():
        os.utime(log, (1, 1))
    for number in range(5, 10):
        lake.append("t", batch(engine, number))
    assert any(log.suffix == ".parquet" for log in (lake.root / "t" / "_delta_log").iterdir())
    past = lake.past("t")
    assert [one.version for one in past.commits] == list(range(11))
    assert [len(lake.parquet_files("t", version)) for version in (0, 5, 10)] == [1, 5, 10]


def test_a_log_that_an_older_keepfit_cleaned_tells_of_what_is_left(engine, lake):
    for number in range(4):
        lake.append("t", batch(engine, number))
    DeltaTable(str(lake.root / "t"), version=2).create_checkpoint()
    log = lake.root / "t" / "_delta_log"
    for version in (0, 1):
        (log / f"{version:020}.json").unlink()
    past = lake.past("t")
    assert [one.version for one in past.commits] == [2, 3]
    assert {Path(file).name for file in lake.parquet_files("t", 3)} == {part.path for part in past.of(3)}
    assert sum(part.bytes for part in past.of(3)) > 0


def test_a_version_whose_files_are_gone_says_so_with_those_that_can_be_read(engine, lake):
    lake.append("t", batch(engine, 1))
    lake.replace("t", batch(engine, 1, rows=3))
    Path(lake.parquet_files("t", 0)[0]).unlink()
    with pytest.raises(LakeError) as refused:
        lake.parquet_files("t", 0)
    assert refused.value.what == "version 0 of 't' can no longer be read: 1 of its 1 Parquet files are gone"
    assert refused.value.fix == "it was vacuumed; versions that can be read: 1"
    Path(lake.parquet_files("t", 1)[0]).unlink()
    with pytest.raises(LakeError) as refused:
        lake.parquet_files("t", 1)
    assert refused.value.fix == "restore them from a backup"
