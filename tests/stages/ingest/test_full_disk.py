"""A disk that is full: a clear error, every table as it was, and the next ingest goes on when there is room."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from keepfit import Events, Files, Float, Text, tables
from keepfit.errors import LakeError
from keepfit.lake import Lake

SALES = Events("sales", Files("sales_*.csv"), entity="who", time="at", columns={"note": Text(), "amount": Float(min=0)})
HEADER = "who,at,note,amount\n"
ROWS = 400


@pytest.fixture
def small(tmp_path):
    """Return a folder that is a disk of 2 MB; only who may mount one can run these tests."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("may not mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def sales(file):
    """Return rows that cannot be packed, every fourth of them bad."""
    lottery = random.Random(file)
    lines = (f"w{row},2025-01-01T00:00Z,{lottery.randbytes(60).hex()},{row % 4 - 1}\n" for row in range(ROWS))
    return HEADER + "".join(lines)


def fill(disk: Path, left: int) -> Path:
    """Fill a disk but for some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as content, suppress(OSError):
        while True:
            content.write(b"x" * 4096)
    os.truncate(filler, filler.stat().st_size // 4096 * 4096 - left)
    return filler


def require_whole(desk, files):
    held: dict[str, set[int]] = {}
    for row in desk.rows(SALES):
        held.setdefault(row["_file"], set()).add(row["_record"])
    assert len(desk.rows(SALES)) == sum(map(len, held.values()))
    assert all(len(records) == ROWS * 3 // 4 for records in held.values())
    bad = [(row["file"], row["line"]) for row in desk.rows(tables.QUARANTINE)]
    assert len(bad) == len(set(bad))
    assert held.keys() >= {f"sales_{file}.csv" for file in range(files)}


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_is_half_or_lost(desk, small):
    again = type(desk)(desk.data, Lake(small / "lake"), desk.engine)
    again.write("sales_0.csv", sales(0))
    again.ingest(SALES)
    again.write("sales_1.csv", sales(1))
    refused = 0
    for left in [0, 4096, 8192, *range(16384, 180_000, 16384)]:
        filler = fill(small, left)
        try:
            again.ingest(SALES)
        except LakeError as error:
            refused += 1
            assert error.what.startswith("the disk is full") and error.fix.startswith("make room")
            assert error.exit_code == 4
        filler.unlink()
        require_whole(again, 1)
        named = set(again.lake.parquet_files("source/sales"))
        assert {str(path) for path in again.lake.folder("source/sales").rglob("*.parquet")} == named
    assert refused > 3
    again.ingest(SALES)
    require_whole(again, 2)
    assert len(again.rows(tables.QUARANTINE)) == 2 * ROWS // 4
    assert sorted(row["path"] for row in again.rows(tables.FILES)) == ["sales_0.csv", "sales_1.csv"]


DEFINITIONS = """
from keepfit import Events, Files, Float, Text
sales = Events("sales", Files("sales_*"), entity="who", time="at", columns={"note": Text(), "amount": Float(min=0)})
"""


@pytest.mark.slow
def test_a_full_scratch_folder_is_said_with_the_file_that_filled_it(project, small):
    folder = project(DEFINITIONS, {"sales_0.csv": sales(0)})
    (folder / "data" / "sales_1.csv.gz").write_bytes(gzip.compress(sales(1).encode() + b"x" * 10_000_000))
    command = [sys.executable, "-m", "keepfit", "ingest", "--json"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "TMPDIR": str(small)}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
    answer = json.loads(done.stdout)
    assert answer["error"] == "LakeError" and answer["what"].startswith("the disk is full")
    assert str(small) in answer["where"] and "sales_1.csv.gz" in answer["where"] and "TMPDIR" in answer["fix"]
    assert not list(small.glob("keepfit*")), "scratch files are left"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["tables"][0]["appended"] == 2 * ROWS * 3 // 4
