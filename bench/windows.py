"""Time point-in-time window features beside the best that Polars, DuckDB and Spark do by hand.

Windows of 7, 30 and 90 days x sum, count, mean, min, max of one column, and the time since the last event, for
2.4 million observations (100,000 entities, 24 months each) over 10 million events. From Parquet files to columns in
memory. All take turns in processes and environments of their own, and their results must agree. keepfit runs what the
product runs: `LocalEngine.events` and the sweep, on the lake's own layout (text keys, `_order`, `_known`):

    keepfit lake       one commit, sorted by (entity, time) as `ingest` leaves it
    keepfit monthly    24 commits, each a month of all entities, sorted
    keepfit unsorted   the same rows in no order, as the peers read them

    uv run python bench/windows.py --rounds 3 --scale 1.0 --dir /tmp/keepfit-windows
    uv run python bench/windows.py --latency         one request: 200 events, 40 outputs
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sidebyside

# keepfit is imported where it runs: what starts the processes stays small, for they inherit its peak of memory
if TYPE_CHECKING:
    from keepfit.engines.protocol import Observations
    from keepfit.kernel.program import Program
    from keepfit.spec.tables import Events

DAYS = (7, 30, 90)
FUNCTIONS = ("sum", "count", "mean", "min", "max")
TOLERANCE = 1e-6
DAY_US = 86_400_000_000
START = 1_640_995_200_000_000  # 2022-01-01
# from 2022-02-01 to 2024-01-01
MONTHS = np.arange("2022-02", "2024-02", dtype="datetime64[M]").astype("datetime64[us]").astype(np.int64)
KEEPFIT = ("lake", "monthly", "unsorted")
PEERS = {
    "polars_rolling": ["polars==2.1.0"],
    "polars_mixed": ["polars==2.1.0"],
    "duckdb_sort": ["duckdb==2.0.0", "pyarrow"],
    "duckdb_sort_text": ["duckdb==2.0.0", "pyarrow"],
    "duckdb_join": ["duckdb==2.0.0"],
    "duckdb_windows": ["duckdb==2.0.0"],
    "spark_windows": ["pyspark==4.3.0", "pandas<3", "pyarrow"],
    "spark_join": ["pyspark==4.3.0", "pandas<3", "pyarrow"],
}
SLOW = ("duckdb_windows", "spark_windows", "spark_join")  # one round each: they take minutes


def main() -> None:
    options = _options()
    if options.latency:
        print("one request, 200 events, 40 outputs: {p50_us:.0f} us p50, {p99_us:.0f} us p99".format(**latency()))
        return
    if options.mode:
        print(json.dumps(MODES[options.mode](Path(options.dir), options)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.dir or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare = [sys.executable, __file__, "--dir", str(folder), "--scale", str(options.scale), "--mode", "prepare"]
        subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL)
        contenders = _contenders(folder, options.only)
        sidebyside.run(contenders, options.rounds)
    _compare(contenders)
    sidebyside.report(contenders, "keepfit lake")
    lake = contenders[0]
    rows = int(10_000_000 * options.scale) + 24 * int(100_000 * options.scale)
    print(
        f"keepfit lake: events together {lake.middle('together_s'):.2f} s, sweep {lake.middle('sweep_s'):.2f} s", end=""
    )
    print(f" ({rows / lake.middle('sweep_s') / 1e6:.1f} M rows/s)")


def _contenders(folder: Path, only: list[str]) -> list[sidebyside.Contender]:
    own = [sys.executable, __file__, "--dir", str(folder), "--mode"]
    found = [sidebyside.Contender(f"keepfit {mode}", [*own, mode]) for mode in KEEPFIT]
    script = str(Path(__file__).parent / "peers" / "windows.py")
    found += [
        sidebyside.Contender(mode, sidebyside.uv(packages, script, mode, str(folder)), once=mode in SLOW)
        for mode, packages in PEERS.items()
    ]
    return [one for one in found if not only or one.name.startswith(("keepfit lake", *only))]


def make_data(folder: Path, scale: float) -> None:
    """Write events and observations, uniform and the same on every run (hashes of the row number)."""
    import duckdb
    from deltalake import write_deltalake

    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    entities, events = int(100_000 * scale), int(10_000_000 * scale)
    con = duckdb.connect()
    con.execute("set TimeZone='UTC'")
    con.execute("create macro uniform(i, salt) as (hash(i * 1000003 + salt) >> 11)::double / 9007199254740992.0")
    con.execute(
        f"""copy (select floor(uniform(i, 1) * {entities})::int as entity,
            make_timestamp({START} + floor(uniform(i, 2) * 730 * {DAY_US})::bigint) as ts,
            round(uniform(i, 3) * 100, 2) as amount from range({events}) rows(i)) to '{folder}/events.parquet'"""
    )
    months = ", ".join(f"make_timestamp({month})" for month in MONTHS)
    con.execute(
        f"""copy (select entity::int as entity, unnest([{months}]) as ts from range({entities}) entities(entity))
            to '{folder}/observations.parquet'"""
    )
    con.execute(
        f"""copy (select entity::varchar as entity, timezone('UTC', ts) as ts, amount, 'a.csv' as _file,
            row_number() over () as _record, row_number() over () as _order, timezone('UTC', ts) as _known
            from '{folder}/events.parquet') to '{folder}/unsorted.parquet'"""
    )
    # one sort for all: filtered by month, its rows come in order
    con.execute(f"create table sorted as select * from '{folder}/unsorted.parquet' order by entity, ts, _order")
    write_deltalake(f"{folder}/lake", con.sql("from sorted"))
    con.execute("create table months as select *, date_diff('month', timestamptz '2022-01-01', ts) as m from sorted")
    for month in range(24):
        write_deltalake(
            f"{folder}/monthly", con.sql(f"select * exclude (m) from months where m = {month}"), mode="append"
        )
    (folder / "done").touch()


def prepare(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Write the data and compile keepfit."""
    make_data(folder, options.scale)
    options.mode = "lake"
    return run_keepfit(folder, options)


def run_keepfit(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Bring events together and sweep, as `stages.features.compute` does."""
    from deltalake import DeltaTable

    from keepfit import col
    from keepfit.engines.local import LocalEngine, merge
    from keepfit.kernel.sweep import sweep

    mode, table, wanted = options.mode, lake_table(), program()
    one, none = np.ones(1, np.int64), np.array([0, 1])
    sweep(wanted, one, None, np.ones((1, 1)), none, one, none)  # loads the compiled code
    merge.merged(np.zeros(1, np.int32), one, one, 1, 1)
    merge.gather(np.ones(1), np.zeros(1, np.int32), np.ones(1), 1)
    start, cpu = time.perf_counter(), time.process_time()
    files = [f"{folder}/unsorted.parquet"] if mode == "unsorted" else DeltaTable(f"{folder}/{mode}").file_uris()
    engine = LocalEngine()
    keys = engine.connection.sql(f"select max(entity) + 1 from '{folder}/observations.parquet'").fetchone() or (0,)
    seen = observations(int(keys[0]))
    out, swept = np.empty((len(wanted.outputs), len(seen))), 0.0
    for run in engine.events(table, files, (col("amount"),), seen, START + 10_000 * DAY_US):
        bounds = seen.offsets[run.first : run.stop + 1]
        own, began = slice(int(bounds[0]), int(bounds[-1])), time.perf_counter()
        out[:, own] = sweep(wanted, run.time, run.known, run.values, run.offsets, seen.t[own], bounds - bounds[0])
        swept += time.perf_counter() - began
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    check = [float(np.nansum(column)) for column in out]
    return {"seconds": seconds, "cpu_s": cpu, "sweep_s": swept, "together_s": seconds - swept, "check": check}


def lake_table() -> Events:
    """Return the declaration of the events."""
    from keepfit import Events, Files, Float

    return Events("events", Files("*.csv"), entity="entity", time="ts", columns={"amount": Float()})


def observations(entities: int) -> Observations:
    """Return 24 monthly observations of each entity; keys are text, in the order of text."""
    from keepfit.engines.protocol import Observations

    keys = np.array(sorted(map(str, range(entities))), object)
    return Observations(keys, np.arange(entities + 1) * len(MONTHS), np.tile(MONTHS, entities))


def program() -> Program:
    """Return the 16 outputs, in the order of the peers' columns."""
    from keepfit.kernel.program import UNBOUNDED, Output, Program, Window

    outputs = [Output(function, 0, Window(-days * DAY_US, 0)) for days in DAYS for function in FUNCTIONS]
    return Program((*outputs, Output("time_since_last", -1, Window(UNBOUNDED, 0))))


def latency() -> dict[str, float]:
    """Time requests: one entity, 200 events, 40 outputs."""
    from keepfit.kernel.program import UNBOUNDED, Output, Program, Window
    from keepfit.kernel.sweep import sweep

    rng = np.random.default_rng(1)
    windows = [Window(-days * DAY_US, 0) for days in DAYS]
    outputs = [Output(f, c, w) for c in (0, 1) for w in windows for f in (*FUNCTIONS, "std")]
    ever = Window(UNBOUNDED, 0)
    outputs += [Output(f, c, ever) for f, c in (("last", 0), ("last", 1), ("time_since_last", -1), ("count", -1))]
    wanted, time_us = Program(tuple(outputs)), np.sort(rng.integers(0, 180 * DAY_US, 200))
    request = (time_us, None, rng.random((2, 200)), np.array([0, 200]), np.array([180 * DAY_US]), np.array([0, 1]))
    sweep(wanted, *request)
    took_us = []
    for _round in range(10_000):
        start = time.perf_counter_ns()
        sweep(wanted, *request)
        took_us.append((time.perf_counter_ns() - start) / 1000)
    return {"p50_us": float(np.percentile(took_us, 50)), "p99_us": float(np.percentile(took_us, 99))}


MODES = {"prepare": prepare, **dict.fromkeys(KEEPFIT, run_keepfit)}


def _compare(contenders: list[sidebyside.Contender]) -> None:
    """Stop if two results disagree; units of `since` differ, and Spark's join has none."""
    expected = contenders[0].found[0]["check"]
    since_unit = DAY_US / 1e6  # keepfit's is in days
    for one in contenders[1:]:
        got = one.found[0]["check"] if one.found else []
        if not got:
            continue
        scale = 1 if one.name.startswith("keepfit") else since_unit
        np.testing.assert_allclose(got[:-1], expected[:-1], rtol=TOLERANCE, err_msg=one.name)
        if one.name != "spark_join":
            np.testing.assert_allclose(got[-1] / scale, expected[-1], rtol=TOLERANCE, err_msg=one.name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--dir", help="where to put the data; a temporary folder if not given")
    parser.add_argument("--only", nargs="+", default=[], help="those whose names begin so, and keepfit lake")
    parser.add_argument("--latency", action="store_true", help="time single requests instead")
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
