"""Station files into a checked Delta table, beside DuckDB and pandas that only parse and write Parquet.

453 CSV files of about 4 MB, 20 columns, every fourth file without three of them. keepfit checks types and bounds, converts local
times to UTC, sorts by station and time, names each row's file and record, and commits to Delta. DuckDB reads the headers first
and each group of files with declared types; or all files with `union_by_name`; pandas reads a part that fits it. Rows and the sum
of a column are compared. Then the same folder again, and with one new file: wall seconds of `keepfit ingest`, process start
included.
`--dirty` breaks a bound in 1 % of the rows of every file, and writes NA for 2 % of the values.

    uv run python bench/ingest.py --rounds 3
    uv run python bench/ingest.py --files 64 --part 32 --dirty
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sidebyside

ROWS = 28_000
COLUMNS = [f"P{place:02d} (ug/m3)" for place in range(18)]
ABSENT = (3, 9, 15)
TIMES = {"From Date": 0, "To Date": 15}
DEFINITIONS = """
from keepfit import Events, Evolution, Files, Float, Time

columns = {f"p{place:02d}": Float(min=0, max=1000, source=f"P{place:02d} (ug/m3)", sentinels=SENTINELS) for place in range(18)}
air = Events(
    "air", Files("site_{station}.csv"), entity="station", time="measured_at", zone="Asia/Kolkata",
    columns={"measured_at": Time(source="From Date"), **columns}, evolution=Evolution(vanish="ignore"),
)
"""
PEERS = {"grouped": ["duckdb==1.5.5"], "union_by_name": ["duckdb==1.5.5"], "pandas": ["pandas==3.1.1", "pyarrow"]}


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(keepfit(Path(options.dir), options.mode)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(folder, options.files, options.part, options.dirty)
        contenders = _contenders(folder, options.dirty)
        sidebyside.run(contenders, options.rounds)
        _compare(contenders, options.dirty)
        sidebyside.report(contenders, "duckdb, grouped by header")
        for name, seconds in _again(folder, options.files, options.rounds).items():
            print(f"{name:42}{seconds:9.2f} s")


def _contenders(folder: Path, dirty: bool) -> list[sidebyside.Contender]:
    own = [sys.executable, __file__, "--dir", str(folder), "--mode"]
    script = str(Path(__file__).parent / "peers" / "ingest.py")
    found = [sidebyside.Contender("keepfit", [*own, "all"])]
    if not dirty:  # what peers do with a broken value is another thing
        found += [sidebyside.Contender("keepfit, the part", [*own, "part"])]
    told = {
        "grouped": "duckdb, grouped by header",
        "union_by_name": "duckdb, union_by_name",
        "pandas": "pandas, the part",
    }
    for mode in ["grouped"] if dirty else PEERS:
        command = sidebyside.uv(PEERS[mode], script, mode, str(folder))
        found.append(sidebyside.Contender(told[mode], command, once=mode == "union_by_name"))
    return found


def _compare(contenders: list[sidebyside.Contender], dirty: bool) -> None:
    by_name = {one.name: one.found[0]["check"] for one in contenders if one.found}
    pairs = [
        ("keepfit", "duckdb, grouped by header"),
        ("keepfit", "duckdb, union_by_name"),
        ("keepfit, the part", "pandas, the part"),
    ]
    for own, peer in [] if dirty else pairs:
        if own in by_name and peer in by_name:
            np.testing.assert_allclose(by_name[own], by_name[peer], rtol=1e-9, err_msg=peer)


def prepare(folder: Path, files: int, part: int, dirty: bool) -> None:
    """Write the station files, one more for later, a folder with a part of them, and the project folders."""
    import duckdb

    con = duckdb.connect()
    # a uniform number that depends only on the row and a salt
    con.execute("create macro u(i, k) as (hash(i * 1000003 + k) >> 11)::double / 9007199254740992.0")
    (folder / "csv").mkdir()
    for number in range(files + 1):
        values = ", ".join(
            f'{_value(number, place, dirty)} as "{COLUMNS[place]}"'
            for place in range(18)
            if not (number % 4 == 3 and place in ABSENT)
        )
        start = "timestamp '2018-01-01' + to_minutes(15 * i)"
        times = ", ".join(
            f"strftime({start} + to_minutes({later}), '%Y-%m-%d %H:%M:%S') as \"{name}\""
            for name, later in TIMES.items()
        )
        name = folder / "csv" / f"site_{number:03d}.csv" if number < files else folder / "later.csv"
        con.execute(f"copy (select {times}, {values} from range({ROWS}) t(i)) to '{name}' (header)")
    (folder / "part").mkdir()
    for path in sorted((folder / "csv").iterdir())[:part]:
        (folder / "part" / path.name).symlink_to(path)
    for name, data in (("all", "csv"), ("part", "part")):
        project = folder / f"project_{name}"
        project.mkdir()
        sentinels = '("NA",)' if dirty else "()"
        (project / "definitions.py").write_text(DEFINITIONS.replace("SENTINELS", sentinels))
        (project / "keepfit.yaml").write_text(f"storage: {{data: {folder / data}}}\nprofiles: {{dev: {{}}}}\n")


def _value(number: int, place: int, dirty: bool) -> str:
    row = f"i + {number} * 100000"
    value = f"round(u({row}, {place + 50}) * 400, 2)"
    if dirty:
        bad = f"when u({row}, {place + 200}) < {0.01 / 18} then '-1'" if place else ""
        value = f"case when u({row}, {place + 100}) < .02 then 'NA' {bad} else {value}::varchar end"
    return f"case when u({row}, {place}) < .08 then null else {value} end"


def keepfit(folder: Path, which: str) -> dict[str, Any]:
    """Ingest into an empty lake."""
    from keepfit import loop
    from keepfit.project import open_project

    path = folder / f"project_{which}"
    shutil.rmtree(path / ".keepfit", ignore_errors=True)
    start = time.perf_counter()
    project = open_project(path, None, os.environ)
    done = loop.ingest_all(project, 4_000_000_000_000_000)[0]
    seconds = time.perf_counter() - start
    files = project.lake.parquet_files("source/air")
    total = project.engine.connection.sql(f"select sum(p00) from read_parquet({files})").fetchall()[0][0]
    return {"seconds": seconds, "check": [done.appended, total], "quarantined": done.quarantined}


def _again(folder: Path, files: int, rounds: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "keepfit",
        "ingest",
        "--project",
        str(folder / "project_all"),
        "--as-of",
        "2090-01-01",
    ]
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        found.setdefault("keepfit ingest, nothing new", []).append(_timed(command))
        shutil.copy(folder / "later.csv", folder / "csv" / f"site_{files + number:03d}.csv")
        with (folder / "csv" / f"site_{files + number:03d}.csv").open("a") as more:
            more.write(
                f"2019-01-0{number + 1} 00:00:00,2019-01-0{number + 1} 00:15:00"
                + "," * (len(COLUMNS) - 3 * ((files % 4) == 3))
                + "\n"
            )
        found.setdefault("keepfit ingest, one new file", []).append(_timed(command))
    return {name: float(np.median(seconds)) for name, seconds in found.items()}


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=453)
    parser.add_argument("--part", type=int, default=116)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dirty", action="store_true")
    parser.add_argument("--dir", help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
