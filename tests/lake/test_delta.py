"""The lake: append once, read any version, never half a write."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.errors import LakeError
from keepfit.lake import Lake

TYPES = {"batch": "BIGINT", "row": "BIGINT"}


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def batch(engine, number, rows=2):
    return engine.relation({"batch": np.full(rows, number), "row": np.arange(rows)}, TYPES)


def held(engine, lake, name="t", version=None):
    return sorted((row["batch"], row["row"]) for row in engine.rows(lake.parquet_files(name, version)))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8))
@settings(max_examples=12, deadline=None)
def test_however_often_an_append_is_repeated_each_row_is_there_once(engine, order):
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for number in order:
            lake.append("t", batch(engine, number), transaction=f"file-{number}")
        assert held(engine, lake) == [(number, row) for number in sorted(set(order)) for row in (0, 1)]
        assert lake.version("t") == len(set(order)) - 1
        marks = {f"file-{number}" for number in range(5)}
        assert lake.marked("t", sorted(marks)) == {f"file-{number}" for number in order}


def test_every_version_reads_as_it_was_written(engine, lake):
    for number in range(3):
        assert lake.append("a/t", batch(engine, number)) == number
    for version in range(3):
        assert held(engine, lake, "a/t", version) == [(n, row) for n in range(version + 1) for row in (0, 1)]
    assert lake.names() == ["a/t"]


def test_replace_exchanges_the_rows_it_names_and_leaves_the_others(engine, lake):
    for number in (1, 2):
        lake.append("t", batch(engine, number))
    lake.replace("t", batch(engine, 1, rows=3), where="batch = 1", transaction="again")
    lake.replace("t", batch(engine, 1, rows=3), where="batch = 1", transaction="again")
    assert held(engine, lake) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    assert held(engine, lake, version=1) == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_replace_by_nothing_removes_the_rows_it_names(engine, lake):
    for number in (1, 2):
        lake.append("t", batch(engine, number))
    lake.replace("t", batch(engine, 1, rows=0), where="batch = 1")
    assert held(engine, lake) == [(2, 0), (2, 1)]


def test_replace_without_a_condition_exchanges_the_table_and_its_columns(engine, lake):
    lake.append("t", batch(engine, 1))
    lake.replace("t", engine.relation({"other": np.array([7])}, {"other": "BIGINT"}))
    assert engine.rows(lake.parquet_files("t")) == [{"other": 7}]


def test_a_new_column_is_null_in_the_rows_before_it(engine, lake):
    lake.append("t", batch(engine, 1, rows=1))
    wider = {"batch": np.array([2]), "row": np.array([0]), "more": np.array([0.5])}
    lake.append("t", engine.relation(wider, {**TYPES, "more": "DOUBLE"}))
    rows = sorted(engine.rows(lake.parquet_files("t")), key=lambda row: row["batch"])
    assert [row["more"] for row in rows] == [None, 0.5]


def test_the_history_keeps_the_notes_of_each_commit(engine, lake):
    lake.append("t", batch(engine, 1), notes={"keepfit.file": "a.csv"})
    assert lake.history("t")[0]["keepfit.file"] == "a.csv"


def test_what_another_lake_object_committed_is_seen_and_a_table_in_the_place_of_another_is_read_anew(engine, lake):
    for number in range(3):
        lake.append("t", batch(engine, number), transaction=f"file-{number}")
    other = Lake(lake.root)
    assert other.append("t", batch(engine, 3), transaction="file-3") == 3
    assert (lake.version("t"), lake.marked("t", ["file-3", "file-4"])) == (3, {"file-3"})
    assert lake.append("t", batch(engine, 3), transaction="file-3") == 3
    shutil.rmtree(lake.root / "t")
    with pytest.raises(LakeError):
        lake.version("t")
    other.append("t", batch(engine, 7))
    assert (lake.version("t"), held(engine, lake)) == (0, [(7, 0), (7, 1)])


def test_an_unknown_table_is_refused_with_those_there_are(engine, lake):
    lake.append("source/sales", batch(engine, 1))
    with pytest.raises(LakeError) as refused:
        lake.parquet_files("source/sale")
    assert refused.value.what == "there is no table 'source/sale' in the lake"
    assert refused.value.fix == "did you mean 'source/sales'? there are: source/sales"


def test_an_unknown_version_is_refused_with_those_there_are(engine, lake):
    for number in range(2):
        lake.append("t", batch(engine, number))
    with pytest.raises(LakeError) as refused:
        lake.parquet_files("t", 9)
    assert "'t' has no version 9" in refused.value.what
    assert refused.value.fix == "versions are 0 to 1"


APPENDS = """
import sys, numpy as np
from pathlib import Path
from keepfit.engines.local import LocalEngine
from keepfit.lake import Lake
engine, lake = LocalEngine(threads=1), Lake(Path(sys.argv[1]))
for number in range(100_000):
    rows = engine.relation({"batch": np.full(500, number), "row": np.arange(500)}, {"batch": "BIGINT", "row": "BIGINT"})
    lake.append("t", rows, transaction=f"file-{number}")
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_commits_and_its_successor_goes_on(engine, lake):
    lottery, told = random.Random(5), 0
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", APPENDS, str(lake.root)], stdout=subprocess.PIPE) as writer:
            for _ in range(3):
                told = max(told, int(writer.stdout.readline()))
            time.sleep(lottery.uniform(0, 0.05))
            os.kill(writer.pid, signal.SIGKILL)
        rows = held(engine, lake)
        commits = len(rows) // 500
        assert rows == [(number, row) for number in range(commits) for row in range(500)]
        assert commits > told
    lake.append("t", batch(engine, commits, rows=500), transaction=f"file-{commits}")
    assert len(held(engine, lake)) == 500 * (commits + 1)
