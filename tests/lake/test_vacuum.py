"""A vacuum takes what nobody needs and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.errors import LakeError
from keepfit.lake import Lake
from keepfit.lake.vacuum import remove, waste

TYPES = {"batch": "BIGINT", "row": "BIGINT"}
LATER = 4_000_000_000_000_000  # the year 2096


def batch(engine, number, rows=2):
    return engine.relation({"batch": np.full(rows, number), "row": np.arange(rows)}, TYPES)


def held(engine, lake, version):
    return sorted((row["batch"], row["row"]) for row in engine.rows(lake.parquet_files("t", version)))


@given(
    st.lists(st.tuples(st.sampled_from(["append", "replace", "exchange"]), st.integers(0, 2)), min_size=1, max_size=6),
    st.sets(st.integers(0, 6)),
)
@settings(max_examples=15, deadline=None)
def test_kept_versions_read_as_before_and_others_read_so_or_say_that_they_cannot(engine, steps, kept):
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for how, number in [("append", 0), *steps]:
            if how == "append":
                lake.append("t", batch(engine, number))
            else:
                lake.replace(
                    "t", batch(engine, number, rows=3), where=f"batch = {number}" if how == "exchange" else None
                )
        before = [held(engine, lake, version) for version in range(len(steps) + 1)]
        past = lake.past("t")
        found = waste(past, kept & set(range(len(before))), LATER)
        remove(found)
        for version, rows in enumerate(before):
            if version in found.lost:
                assert version not in {*kept, past.newest}
                try:
                    held(engine, lake, version)
                except LakeError:
                    continue
                raise AssertionError(f"version {version} was said to be lost")
            assert held(engine, lake, version) == rows
        assert waste(lake.past("t"), kept, LATER).files == ()


def test_a_part_that_no_version_names_goes_once_it_is_an_hour_old_and_logs_stay(engine, tmp_path):
    lake = Lake(tmp_path)
    lake.append("t", batch(engine, 1))
    now = lake.past("t").commits[0].written_at
    for name, age_s in (("killed.parquet", 3700), ("under_way.parquet", 60)):
        (tmp_path / "t" / name).write_bytes(b"half a part")
        os.utime(tmp_path / "t" / name, (now / 1e6 - age_s, now / 1e6 - age_s))
    (tmp_path / "t" / "_delta_log" / "old.checkpoint.parquet").write_bytes(b"a checkpoint")
    os.utime(tmp_path / "t" / "_delta_log" / "old.checkpoint.parquet", (1, 1))
    found = waste(lake.past("t"), set(), now)
    assert [path.name for path in found.files] == ["killed.parquet"]
    assert (found.dropped, found.lost) == ((), ())


def test_a_vacuum_adds_no_version_and_leaves_the_notes_of_the_newest(engine, tmp_path):
    lake = Lake(tmp_path)
    lake.append("t", batch(engine, 1))
    lake.replace("t", batch(engine, 2), notes={"keepfit.declared": "abc"})
    remove(waste(lake.past("t"), set(), LATER))
    assert lake.version("t") == 1 and lake.notes("t")["keepfit.declared"] == "abc"
    assert lake.append("t", batch(engine, 3)) == 2
