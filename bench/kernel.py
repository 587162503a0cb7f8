"""Time the kernel beside DuckDB's inequality join on point-in-time window features.

Windows of 7, 30 and 90 days x sum, count, mean, min, max of one column, and the time since the last event, for
2.4 million observations (100,000 entities, 24 months each) over 10 million events. The two take turns in fresh
processes, and their results must agree within 1e-6. Machines are noisy: read the medians and the ratio.

    python bench/kernel.py --rounds 3 --scale 1.0 --dir /tmp/keepfit-bench
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from keepfit.kernel.program import DAY_US, UNBOUNDED, Output, Program, Window
from keepfit.kernel.sweep import sweep

DAYS = (7, 30, 90)
FUNCTIONS = ("sum", "count", "mean", "min", "max")
TOLERANCE = 1e-6


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(MODES[options.mode](Path(options.dir))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.dir or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        make_data(folder, options.scale)
        _in_process("latency", folder)  # also compiles, outside the clock
        rounds = [{mode: _in_process(mode, folder) for mode in ("kernel", "join")} for _ in range(options.rounds)]
        report(rounds, _in_process("latency", folder))


def make_data(folder: Path, scale: float) -> None:
    """Write events and observations, uniform and the same on every run (hashes of the row number)."""
    entities, events = int(100_000 * scale), int(10_000_000 * scale)
    con = duckdb.connect()
    con.execute("create macro uniform(i, salt) as (hash(i * 1000003 + salt) >> 11)::double / 9007199254740992.0")
    con.execute(
        f"""copy (select (uniform(i, 1) * {entities})::int % {entities} as entity,
            timestamp '2022-01-01' + to_microseconds((uniform(i, 2) * 730 * {DAY_US})::bigint) as happened_at,
            round(uniform(i, 3) * 100, 2) as amount
        from range({events}) rows(i)) to '{folder}/events.parquet'"""
    )
    con.execute(
        f"""copy (select entity::int as entity, month as t from range({entities}) entities(entity),
            (select unnest(generate_series(timestamp '2022-02-01', timestamp '2024-01-01', interval 1 month)) as month)
        ) to '{folder}/observations.parquet'"""
    )


def run_kernel(folder: Path) -> dict[str, Any]:
    """Read and sort with DuckDB, sweep with the kernel."""
    warm_up()
    start = time.perf_counter()
    con = duckdb.connect()
    events = con.sql(
        f"select entity, epoch_us(happened_at) as time, amount from '{folder}/events.parquet' order by entity, time"
    ).fetchnumpy()
    observations = con.sql(
        f"select entity, epoch_us(t) as t from '{folder}/observations.parquet' order by all"
    ).fetchnumpy()
    values = np.ma.filled(events["amount"], np.nan)[np.newaxis]
    edges = np.arange(int(observations["entity"].max()) + 2)
    offsets = [np.searchsorted(rows["entity"], edges).astype(np.int64) for rows in (events, observations)]
    sorted_at = time.perf_counter()
    out = sweep(features(), events["time"], None, values, offsets[0], observations["t"], offsets[1])
    end = time.perf_counter()
    rows = events["time"].size + observations["t"].size
    return {
        "total_s": end - start,
        "sweep_s": end - sorted_at,
        "rows_per_s": rows / (end - sorted_at),
        "peak_mb": _peak_mb(),
        "check": [float(np.nansum(column)) for column in out],
    }


def run_join(folder: Path) -> dict[str, Any]:
    """Join every observation with the events of its widest window, aggregate with filters; as-of join for the last."""
    aggregates = [
        f"{'avg' if function == 'mean' else function}(e.amount) filter (e.happened_at >= o.t - interval {days} day)"
        f" as {function}_{days}"
        for days in DAYS
        for function in FUNCTIONS
    ]
    names = [f"{function}_{days}" for days in DAYS for function in FUNCTIONS] + ["since"]
    start = time.perf_counter()
    con = duckdb.connect()
    con.execute(
        f"""create table features as
        with windows as (
            select o.entity, o.t, {", ".join(aggregates)}
            from '{folder}/observations.parquet' o left join '{folder}/events.parquet' e
            on e.entity = o.entity and e.happened_at < o.t and e.happened_at >= o.t - interval {max(DAYS)} day
            group by o.entity, o.t)
        select w.*, (epoch_us(w.t) - epoch_us(e.happened_at)) / {DAY_US} as since
        from windows w asof left join (select entity, happened_at from '{folder}/events.parquet') e
        on e.entity = w.entity and e.happened_at < w.t"""
    )
    end = time.perf_counter()
    check = con.sql(f"select {', '.join(f'coalesce(sum({name}), 0)' for name in names)} from features").fetchone() or ()
    return {"total_s": end - start, "peak_mb": _peak_mb(), "check": [float(x) for x in check]}


def run_latency(_: Path) -> dict[str, Any]:
    """Time requests: one entity, 200 events, 40 outputs."""
    warm_up()
    rng = np.random.default_rng(1)
    windows = [Window(-days * DAY_US, 0) for days in DAYS]
    outputs = [Output(f, c, w) for c in (0, 1) for w in windows for f in (*FUNCTIONS, "std")]
    ever = Window(UNBOUNDED, 0)
    outputs += [
        Output("last", 0, ever),
        Output("last", 1, ever),
        Output("time_since_last", -1, ever),
        Output("count", -1, ever),
    ]
    program, time_us = Program(tuple(outputs)), np.sort(rng.integers(0, 180 * DAY_US, 200))
    request = (time_us, None, rng.random((2, 200)), np.array([0, 200]), np.array([180 * DAY_US]), np.array([0, 1]))
    sweep(program, *request)
    took_us = []
    for _round in range(10_000):
        start = time.perf_counter_ns()
        sweep(program, *request)
        took_us.append((time.perf_counter_ns() - start) / 1000)
    return {"p50_us": float(np.percentile(took_us, 50)), "p99_us": float(np.percentile(took_us, 99))}


MODES = {"kernel": run_kernel, "join": run_join, "latency": run_latency}


def features() -> Program:
    outputs = [Output(function, 0, Window(-days * DAY_US, 0)) for days in DAYS for function in FUNCTIONS]
    return Program((*outputs, Output("time_since_last", -1, Window(UNBOUNDED, 0))))


def warm_up() -> None:
    """Load the compiled sweep; compile it if this machine never has."""
    one, offsets = np.ones(1, np.int64), np.array([0, 1])
    sweep(features(), one, None, np.ones((1, 1)), offsets, one, offsets)


def report(rounds: list[dict[str, dict[str, Any]]], latency: dict[str, Any]) -> None:
    """Print medians; stop if the two disagree."""
    for number, result in enumerate(rounds, 1):
        np.testing.assert_allclose(result["kernel"]["check"], result["join"]["check"], rtol=TOLERANCE)
        print(f"round {number}: " + ", ".join(f"{mode} {result[mode]['total_s']:.2f} s" for mode in ("kernel", "join")))
    middle = {
        (mode, key): statistics.median(result[mode][key] for result in rounds)
        for mode, key in [(m, k) for m in ("kernel", "join") for k in ("total_s", "peak_mb")]
        + [("kernel", "sweep_s"), ("kernel", "rows_per_s")]
    }
    print(f"kernel  {middle['kernel', 'total_s']:7.2f} s  {middle['kernel', 'peak_mb']:7.0f} MB")
    print(f"join    {middle['join', 'total_s']:7.2f} s  {middle['join', 'peak_mb']:7.0f} MB")
    print(f"ratio   {middle['join', 'total_s'] / middle['kernel', 'total_s']:7.2f}")
    print(f"sweep   {middle['kernel', 'sweep_s']:7.2f} s  {middle['kernel', 'rows_per_s'] / 1e6:.1f} M rows/s")
    print(f"request {latency['p50_us']:7.0f} us p50, {latency['p99_us']:.0f} us p99 (200 events, 40 outputs)")


def _in_process(mode: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--mode", mode, "--dir", str(folder)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--dir", help="where to put the data; a temporary folder if not given")
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
