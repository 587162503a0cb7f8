"""Rolling windows over hourly sensors in Polars and pandas; run by `bench/hourly.py`.

python hourly.py MODE FOLDER     prints one JSON line: the median seconds of five, and the sum of every column
"""

from __future__ import annotations

import json
import statistics
import sys
import time

HOURS, LAGS = (3, 24, 168, 720), (1, 24, 168)
FUNCTIONS = ("mean", "min", "max", "std")
NAMES = [f"{name}{hours}" for hours in HOURS for name in FUNCTIONS] + [f"lag{hours}" for hours in LAGS]


def polars(folder):
    import polars as pl

    table, value = pl.read_parquet(f"{folder}/hourly.parquet"), pl.col("v")
    rolling = {name: getattr(value, f"rolling_{name}_by") for name in FUNCTIONS}
    windows = [
        rolling[name]("ts", f"{hours}h", closed="left").over("station").alias(f"{name}{hours}")
        for hours in HOURS
        for name in FUNCTIONS
    ]
    # by position: right only while no hour is missing
    return table.with_columns(*windows, *[value.shift(hours).over("station").alias(f"lag{hours}") for hours in LAGS])


def pandas(folder):
    import pandas as pd

    table = pd.read_parquet(f"{folder}/hourly.parquet")
    stations = table.set_index("ts").groupby("station")["v"]
    for hours in HOURS:
        rolling = stations.rolling(f"{hours}h", closed="left", min_periods=1)
        for name in FUNCTIONS:
            table[f"{name}{hours}"] = getattr(rolling, name)().to_numpy()
    for hours in LAGS:
        table[f"lag{hours}"] = table.groupby("station")["v"].shift(hours)
    return table


MODES = {"polars": polars, "pandas": pandas}

if __name__ == "__main__":
    mode, folder = sys.argv[1:]
    MODES[mode](folder)  # imports are not timed
    took, cpu = [], time.process_time()
    for _ in range(5):
        start = time.perf_counter()
        table = MODES[mode](folder)
        took.append(time.perf_counter() - start)
    found = {"seconds": statistics.median(took), "cpu_s": (time.process_time() - cpu) / len(took)}
    numbers = {name: table[name].fill_nan(None) if mode == "polars" else table[name] for name in NAMES}
    print(json.dumps({**found, "check": [float(numbers[name].sum()) for name in NAMES]}))
