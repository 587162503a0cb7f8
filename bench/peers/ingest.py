"""Station files to one typed Parquet file in DuckDB, pandas and pyarrow; run by `bench/ingest.py`.

python ingest.py MODE FOLDER TARGET [FILES]     prints one JSON line: seconds, and (rows, sum of the first numbers)

A value of the wrong type stops all of them; none of them looks at bounds, keeps bad rows, or can be asked what it has read.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

DATES = ("From Date", "To Date")
NUMBERS = [f"P{number:02d} (ug/m3)" for number in range(18)]


def header(path):
    with Path(path).open() as text:
        return tuple(text.readline().strip().replace('"', "").split(","))


def types(names):
    each = ", ".join(f"'{name}': '{'TIMESTAMP' if name in DATES else 'DOUBLE'}'" for name in names)
    return f"{{{each}}}"


def duckdb_header(files, target):
    """The best by hand: headers read first, files grouped by them, nothing sniffed."""
    groups = {}
    for path in files:
        groups.setdefault(header(path), []).append(path)
    options = "header=true, auto_detect=false, delim=',', quote='\"', escape='\"'"
    reads = [f"from read_csv({group}, {options}, columns={types(names)})" for names, group in groups.items()]
    _duckdb(" union all by name ".join(reads), target)


def duckdb_union(files, target):
    """The usual way: every file is sniffed."""
    declared = types([*DATES, *NUMBERS])
    _duckdb(f"from read_csv({files}, header=true, union_by_name=true, types={declared})", target)


def _duckdb(query, target):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order=false")
    connection.execute(f"copy ({query}) to '{target}' (format parquet)")


def pandas(files, target):
    import pandas as pd

    frame = pd.concat([pd.read_csv(path) for path in files], ignore_index=True)
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d %H:%M:%S")
    frame[NUMBERS] = frame[NUMBERS].astype("float64")
    frame.to_parquet(target)


MODES = {"duckdb_header": duckdb_header, "duckdb_union": duckdb_union, "pandas": pandas}

if __name__ == "__main__":
    mode, folder, target, *few = sys.argv[1:]
    files = sorted(map(str, Path(folder).glob("*.csv")))[: int(few[0]) if few else None]
    start, cpu = time.perf_counter(), time.process_time()
    MODES[mode](files, target)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(target, columns=NUMBERS[:1])
    check = [table.num_rows, float(pc.sum(table[NUMBERS[0]]).as_py())]
    print(json.dumps({"seconds": seconds, "cpu_s": cpu, "check": check}))
