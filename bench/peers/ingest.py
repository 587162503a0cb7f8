"""CSV files to one Parquet file by DuckDB and pandas; run by `bench/ingest.py`.

python ingest.py MODE FOLDER     prints one JSON line: seconds, and rows and the sum of a column
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

TIMES = ("From Date", "To Date")
NAMES = [f"P{place:02d} (ug/m3)" for place in range(18)]


def _files(folder):
    return sorted(str(path) for path in Path(folder).glob("*.csv"))


def types(names):
    return "{" + ", ".join(f"'{name}': '{'TIMESTAMP' if name in TIMES else 'DOUBLE'}'" for name in names) + "}"


def copied(query, folder):
    import duckdb

    con = duckdb.connect()
    con.execute("set threads=2; set preserve_insertion_order=false")
    con.execute(f"copy ({query}) to '{folder}/peer.parquet' (format parquet)")


def grouped(folder):
    """Read the headers, then each group of files with one header, types declared, nothing sniffed."""
    groups = {}
    for path in _files(f"{folder}/csv"):
        with Path(path).open() as lines:
            groups.setdefault(tuple(lines.readline().strip().replace('"', "").split(",")), []).append(path)
    # of dirty files it takes the values as they stand: nothing is checked
    text = "NA" in Path(_files(f"{folder}/csv")[0]).read_text()[: 1 << 20]
    nulls = ", nullstr=['', 'NA']" if text else ""
    reads = [
        f"from read_csv({paths}, header=true, auto_detect=false, delim=',', quote='\"', escape='\"', columns={types(names)}{nulls})"
        for names, paths in groups.items()
    ]
    copied(" union all by name ".join(reads), folder)


def union_by_name(folder):
    """The usual way: every file is sniffed."""
    copied(
        f"from read_csv('{folder}/csv/*.csv', header=true, union_by_name=true, types={types([*TIMES, *NAMES])})", folder
    )


def pandas(folder):
    """One frame of everything."""
    import pandas as pd

    table = pd.concat([pd.read_csv(path) for path in _files(f"{folder}/part")], ignore_index=True)
    for name in TIMES:
        table[name] = pd.to_datetime(table[name], format="%Y-%m-%d %H:%M:%S")
    table[NAMES] = table[NAMES].astype("float64")
    table.to_parquet(f"{folder}/peer.parquet")
    return [len(table), float(table[NAMES[0]].sum())]


def main(mode, folder):
    start = time.perf_counter()
    check = {"grouped": grouped, "union_by_name": union_by_name, "pandas": pandas}[mode](folder)
    seconds = time.perf_counter() - start
    if check is None:
        import duckdb

        check = duckdb.sql(f"select count(*), sum(\"{NAMES[0]}\") from '{folder}/peer.parquet'").fetchone()
    print(json.dumps({"seconds": seconds, "check": list(check)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
