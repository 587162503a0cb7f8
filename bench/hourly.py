"""Time window features observed at every row: 12 stations x 4 years of hours, beside Polars and pandas rolling.

Windows of 3 h, 24 h, 7 d and 30 d x mean, min, max, std, and the values 1, 24 and 168 hours ago; 2 % of the values are
missing. keepfit reads the file, brings it into order and sweeps; its standard deviation and lags are asked for by time,
those of the peers by what their rolling functions give. Then keepfit alone, on 5-minute data observed at every row:
a window of 30 days costs about what one of an hour costs.

    uv run python bench/hourly.py --rounds 3
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sidebyside

HOUR_US = 3_600_000_000
STATIONS, YEARS_HOURS = 12, 35_064
START = 1_577_836_800_000_000  # 2020-01-01
PEERS = {"polars": ["polars==2.1.0"], "pandas": ["pandas==3.1.1", "pyarrow"]}


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(MODES[options.mode](Path(options.dir))))
        return
    with tempfile.TemporaryDirectory() as folder:
        own = [sys.executable, __file__, "--dir", folder, "--mode"]
        subprocess.run([*own, "prepare"], check=True, stdout=subprocess.DEVNULL)
        script = str(Path(__file__).parent / "peers" / "hourly.py")
        contenders = [sidebyside.Contender("keepfit", [*own, "keepfit"])]
        contenders += [
            sidebyside.Contender(name, sidebyside.uv(packages, script, name, folder))
            for name, packages in PEERS.items()
        ]
        sidebyside.run(contenders, options.rounds)
        lengths = json.loads(subprocess.run([*own, "lengths"], check=True, capture_output=True, text=True).stdout)
    expected = contenders[0].found[0]["check"]
    for one in (one for one in contenders[1:] if one.found):
        np.testing.assert_allclose(one.found[0]["check"], expected, rtol=1e-6, err_msg=one.name)
    sidebyside.report(contenders, "keepfit")
    print(f"\n5-minute data, {lengths['rows']:,} rows, observed at every row: mean, min, max, std")
    for name, seconds in lengths["seconds"].items():
        print(f"{name:12}{seconds:9.3f} s")


def prepare(folder: Path) -> dict[str, Any]:
    """Write the hours; compile keepfit."""
    import duckdb

    con = duckdb.connect()
    con.execute("set TimeZone='UTC'")
    con.execute("create macro uniform(i, salt) as (hash(i * 1000003 + salt) >> 11)::double / 9007199254740992.0")
    con.execute(
        f"""copy (select station::int as station, make_timestamp({START} + hour * {HOUR_US}) as ts,
            case when uniform(station * 100000 + hour, 1) >= .02
            then 50 + 30 * sin(hour * 0.2618) + 40 * uniform(station * 100000 + hour, 2) end as v
            from range({STATIONS}) a(station), range({YEARS_HOURS}) b(hour) order by 1, 2)
            to '{folder}/hourly.parquet'"""
    )
    con.execute(
        f"""copy (select station::varchar as station, timezone('UTC', ts) as ts, v, 'a.csv' as _file,
            row_number() over () as _record, row_number() over () as _order, timezone('UTC', ts) as _known
            from '{folder}/hourly.parquet' order by 1, 2) to '{folder}/lake.parquet'"""
    )
    return run_keepfit(folder)


def run_keepfit(folder: Path) -> dict[str, Any]:
    """Compute all columns at every row, five times; the first, which loads compiled code, is not counted."""
    from keepfit import Events, Files, Float, col
    from keepfit.engines.local import LocalEngine
    from keepfit.engines.protocol import Observations
    from keepfit.kernel.program import Output, Program, Window
    from keepfit.kernel.sweep import sweep

    table = Events("readings", Files("*.csv"), entity="station", time="ts", columns={"v": Float()})
    outputs = [Output(f, 0, Window(-h * HOUR_US, 0)) for h in (3, 24, 168, 720) for f in ("mean", "min", "max", "std")]
    # the value so many hours ago is the last in a window of a microsecond
    outputs += [Output("last", 0, Window(-h * HOUR_US, -h * HOUR_US + 1)) for h in (1, 24, 168)]
    wanted, engine = Program(tuple(outputs)), LocalEngine()
    keys = np.array(sorted(map(str, range(STATIONS))), object)
    offsets = np.arange(STATIONS + 1) * YEARS_HOURS
    t = np.tile(START + np.arange(YEARS_HOURS) * HOUR_US, STATIONS)
    took, cpu = [], 0.0
    for number in range(6):
        start, began = time.perf_counter(), time.process_time()
        seen = Observations(keys, offsets, t)
        (run,) = engine.events(table, [f"{folder}/lake.parquet"], (col("v"),), seen, START + 10**17)
        out = sweep(wanted, run.time, run.known, run.values, run.offsets, t, offsets)
        if number:
            took.append(time.perf_counter() - start)
            cpu += (time.process_time() - began) / 5
    return {"seconds": statistics.median(took), "cpu_s": cpu, "check": [float(np.nansum(column)) for column in out]}


def lengths(_: Path) -> dict[str, Any]:
    """Sweep 5-minute data of 12 stations over one year with windows from an hour to 30 days."""
    from keepfit.kernel.program import Output, Program, Window
    from keepfit.kernel.sweep import sweep

    rows = 365 * 288
    t, offsets = np.tile(START + np.arange(rows) * (HOUR_US // 12), STATIONS), np.arange(STATIONS + 1) * rows
    values = np.random.default_rng(1).random((1, t.size))
    seconds = {}
    for name, hours in {"1 hour": 1, "24 hours": 24, "7 days": 168, "30 days": 720}.items():
        outputs = [Output(function, 0, Window(-hours * HOUR_US, 0)) for function in ("mean", "min", "max", "std")]
        took = []
        for _round in range(4):
            start = time.perf_counter()
            sweep(Program(tuple(outputs)), t, None, values, offsets, t, offsets)
            took.append(time.perf_counter() - start)
        seconds[name] = statistics.median(took[1:])
    return {"rows": t.size, "seconds": seconds}


MODES = {"prepare": prepare, "keepfit": run_keepfit, "lengths": lengths}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    parser.add_argument("--dir", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
