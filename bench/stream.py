"""Bring events larger than memory through the window features: time and peak memory for 8, 100 and 200 million.

24 monthly files of 8.3 million events are written as the lake writes them (sorted by entity and time, row groups of a
million rows; each covers every entity). `LocalEngine.events` and the sweep then compute windows of 7, 30 and 90 days
for 100,000 entities x 24 months from 1, 12 and 24 of the files. Entities and observations stay the same, so what grows
is the events alone. Each size runs in a process of its own whose address space is limited to 4 GB, beyond which an
allocation fails. Files that are in the folder already are used as they are.

    uv run python bench/stream.py --files 1 12 24 --dir /tmp/keepfit-stream
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENTITIES, MONTHS, FILE_ROWS = 100_000, 24, 200_000_000 // 24
LIMIT_GB = 4.0
DAY_US = 86_400_000_000
START = 1_640_995_200_000_000  # 2022-01-01


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(MODES[options.mode](Path(options.dir), options)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.dir or temporary
        Path(folder).mkdir(parents=True, exist_ok=True)
        _in_process("warm", folder, options)  # compiles
        _in_process("prepare", folder, options)
        print(f"{'events':>12} {'seconds':>9} {'peak MB':>9} {'M events/s':>11} {'runs':>5}", flush=True)
        for count in options.files:
            found = _in_process("measure", folder, options, "--files", str(count))
            rate = found["events"] / found["seconds"] / 1e6
            shown = f"{found['seconds']:9.1f} {found['peak_mb']:9.0f} {rate:11.2f} {found['runs']:5}"
            print(f"{found['events']:12,} {shown}   {found['check']}", flush=True)


def prepare(folder: Path, options: argparse.Namespace, rows: int = FILE_ROWS) -> dict[str, Any]:
    """Write the monthly files that are not there yet; the same on every run (hashes of the row number)."""
    import duckdb

    con = duckdb.connect()
    con.execute("set TimeZone='UTC'")
    con.execute("create macro uniform(i, salt) as (hash(i * 1000003 + salt) >> 11)::double / 9007199254740992.0")
    length = 730 * DAY_US // MONTHS
    for month in range(max(options.files)):
        path = folder / f"events_{month:02d}.parquet"
        if path.exists():
            continue
        con.execute(
            f"""copy (select *, happened as _known from (
                select cast(floor(uniform(i, 1) * {ENTITIES})::int as varchar) as entity,
                make_timestamptz({START + month * length} + floor(uniform(i, 2) * {length})::bigint) as happened,
                round(uniform(i, 3) * 100, 2) as amount, 'file_{month}' as _file, i as _record, i as _order
                from range({month * rows}, {(month + 1) * rows}) rows(i)) order by entity, happened, _order)
            to '{path}.part' (format parquet, row_group_size 1048576)"""
        )
        Path(f"{path}.part").rename(path)
    return {}


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Sweep the events of the first files; memory is limited from here on."""
    limit = int(options.limit_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    import numpy as np
    import windows

    from keepfit import col
    from keepfit.engines.local import LocalEngine
    from keepfit.kernel.sweep import sweep

    files = sorted(str(file) for file in folder.glob("events_*.parquet"))[: options.files[0]]
    table = dataclasses.replace(windows.lake_table(), time="happened")
    seen, wanted = windows.observations(ENTITIES), windows.program()
    start = time.perf_counter()
    engine = LocalEngine(memory=options.duckdb_memory)
    out, runs, events = np.empty((len(wanted.outputs), len(seen))), 0, 0
    for run in engine.events(table, files, (col("amount"),), seen, START + 10_000 * DAY_US):
        bounds = seen.offsets[run.first : run.stop + 1]
        own = slice(int(bounds[0]), int(bounds[-1]))
        out[:, own] = sweep(wanted, run.time, run.known, run.values, run.offsets, seen.t[own], bounds - bounds[0])
        runs, events = runs + 1, events + len(run.time)
        del run  # else it is still there while the next is made
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    check = f"90-day counts {np.nansum(out[11]):.0f}"
    return {"seconds": seconds, "peak_mb": peak, "runs": runs, "events": events, "check": check}


def warm(_: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Compile the sweep and the merge, on a handful of events."""
    options.files = [1]
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), options, rows=10_000)
        return measure(Path(folder), options)


MODES = {"prepare": prepare, "measure": measure, "warm": warm}


def _in_process(mode: str, folder: str, options: argparse.Namespace, *more: str) -> dict[str, Any]:
    limits = ["--limit-gb", str(options.limit_gb), "--duckdb-memory", options.duckdb_memory]
    command = [sys.executable, __file__, "--mode", mode, "--dir", folder, *limits]
    command += more or ["--files", *map(str, options.files)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"{mode} failed:\n{made.stderr[-2000:]}")
    return dict(json.loads(made.stdout))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[1, 12, 24], help="months of 8.3 million events")
    parser.add_argument("--dir", help="where the data goes for a while (200 million events take 6 GB)")
    parser.add_argument("--limit-gb", type=float, default=LIMIT_GB, help="of address space")
    parser.add_argument("--duckdb-memory", default="1GB", help="DuckDB's own limit")
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
