"""Time an ingest of 453 station files, 2 GB, beside what DuckDB and pandas do by hand with the same files.

Every fourth file lacks three of the 20 columns. keepfit runs what the product runs, `keepfit ingest`: each value is held
against the contract, times are taken from Asia/Kolkata to UTC, the station comes from the file's name, and the rows stand
sorted in a Delta table in cleanly committed batches. The peers parse the files into one plain Parquet file. All take turns in
processes of their own, and count and sum of the rows must agree.

    keepfit                what `keepfit ingest` takes in all, from the start of its process
    keepfit bad            one row in a hundred of every file breaks a bound
    keepfit missing        one value in fifty is 'NA', declared as missing
    keepfit again          nothing is new
    keepfit one more       one file is new among all
    duckdb_header          headers read first, files grouped by them, declared types
    duckdb_union           union_by_name with declared types
    keepfit part, pandas   as many files as pandas has room for

    uv run python bench/ingest.py --rounds 3 --dir /tmp/keepfit-ingest
    uv run python bench/ingest.py --files 45 --part 12      a tenth
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sidebyside

ROWS = 28_000
ZONE = "Asia/Kolkata"
DIRTY = ("bad", "missing")
PEERS = {
    "duckdb_header": ["duckdb==2.0.0", "pyarrow"],
    "duckdb_header 1.5": ["duckdb==1.5.6", "pyarrow"],
    "duckdb_union": ["duckdb==2.0.0", "pyarrow"],
    "duckdb_union 1.5": ["duckdb==1.5.6", "pyarrow"],
}
PANDAS = ["pandas<3", "pyarrow"]
DEFINITIONS = """from keepfit import Events, Evolution, Files, Float, Time

numbers = {f"p{k:02d}": Float(source=f"P{k:02d} (ug/m3)", min=0, max=1000, sentinels=SENTINELS) for k in range(18)}
readings = Events(
    "readings", Files("FOLDER/site_{station}.csv"), entity="station", time="From Date", zone="Asia/Kolkata",
    columns={"until": Time(source="To Date", zone="Asia/Kolkata")} | numbers, evolution=Evolution(vanish="ignore"),
)
"""
SETTINGS = """default_profile: bench
storage: {data: DATA, state: state}
profiles:
  bench:
    engine: {kind: local}
    tracking: {uri: "sqlite:///{state}/mlflow.db"}
"""


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(MODES[options.mode](Path(options.dir), options)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.dir or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("csv", *DIRTY):
            if not options.only or name == "csv" or f"keepfit {name}" in options.only:
                _in_process(folder, options, "prepare", name)
        contenders = _contenders(folder, options)
        sidebyside.run(contenders, options.rounds)
    _compare(contenders)
    sidebyside.report(contenders, "keepfit")


def _contenders(folder: Path, options: argparse.Namespace) -> list[sidebyside.Contender]:
    own = [sys.executable, __file__, "--dir", str(folder), "--files", str(options.files)]

    def keepfit(name: str, mode: str, *more: str) -> sidebyside.Contender:
        return sidebyside.Contender(name, [*own, *more, "--mode", mode])

    def peer(name: str, packages: list[str], *more: str) -> sidebyside.Contender:
        script, target = str(Path(__file__).parent / "peers" / "ingest.py"), str(folder / "peer.parquet")
        return sidebyside.Contender(
            name, sidebyside.uv(packages, script, name.split()[0], str(folder / "csv"), target, *more)
        )

    found = [keepfit("keepfit", "ingest")]  # `again` and `one more` follow in its lake
    found += [keepfit("keepfit again", "again"), keepfit("keepfit one more", "more")]
    found += [peer(name, packages) for name, packages in PEERS.items()]
    found += [keepfit(f"keepfit {name}", "ingest", "--content", name) for name in DIRTY]
    part = str(options.part)
    found += [keepfit("keepfit part", "ingest", "--part", part, "--content", "part"), peer("pandas", PANDAS, part)]
    return [one for one in found if not options.only or one.name in ("keepfit", *options.only)]


def make_files(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Write the station files that are not there yet; the same on every run (hashes of the row number)."""
    import duckdb

    content = options.content
    (folder / content).mkdir(exist_ok=True)
    con = duckdb.connect()
    con.execute("create macro uniform(i, salt) as (hash(i * 1000003 + salt) >> 11)::double / 9007199254740992.0")
    for file in range(options.files):
        path = folder / content / f"site_{file:03d}.csv"
        if path.exists():
            continue
        lacking = (3, 9, 15) if file % 4 == 3 else ()
        columns = ", ".join(f"{_number(file, k, content)} as {_header(k)}" for k in range(18) if k not in lacking)
        times = ", ".join(
            f"strftime(timestamp '2018-01-01' + to_minutes(15 * (i + {later})), '%Y-%m-%d %H:%M:%S') as \"{name}\""
            for later, name in ((0, "From Date"), (1, "To Date"))
        )
        con.execute(f"copy (select {times}, {columns} from range({ROWS}) rows(i)) to '{path}.new' (format csv, header)")
        Path(f"{path}.new").rename(path)
    return {}


def _header(number: int) -> str:
    return f'"P{number:02d} (ug/m3)"'


def _number(file: int, number: int, content: str) -> str:
    row = f"i + {file} * 100000"
    value = f"round(uniform({row}, {number + 50}) * 400, 2)"
    if content == "bad" and number == 4:
        value = f"case when uniform({row}, 900) < .01 then -5.5 else {value} end"
    empty = f"when uniform({row}, {number}) < .08 then null"
    if content == "missing":
        return f"case {empty} when uniform({row}, {number + 1000}) < .02 then 'NA' else cast({value} as varchar) end"
    return f"case {empty} else {value} end"


def ingest(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ingest all files into a new lake."""
    project = folder / f"project_{options.content}"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    files, sentinels = ("part" if options.content == "part" else options.content), options.content == "missing"
    if files == "part":
        (folder / files).mkdir(exist_ok=True)
        for old in (folder / files).iterdir():
            old.unlink()
        for path in sorted((folder / "csv").glob("*.csv"))[: options.part]:
            (folder / files / path.name).hardlink_to(path)
    said = DEFINITIONS.replace("FOLDER", files).replace("SENTINELS", "('NA',)" if sentinels else "()")
    (project / "definitions.py").write_text(said)
    (project / "keepfit.yaml").write_text(SETTINGS.replace("DATA", str(folder)))
    return _run(project) | {"check": _check(project)}


def again(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ingest once more: nothing is new."""
    project = folder / "project_csv"
    before = _check(project)
    found = _run(project)
    if _check(project)[0] != before[0]:
        raise SystemExit("an ingest of nothing new added rows")
    return found | {"check": before}


def more(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ingest one file more, and leave it out of the next round."""
    project, new = folder / "project_csv", folder / "csv" / f"site_{options.files}.csv"
    before = _check(project)
    shutil.copyfile(folder / "csv" / "site_000.csv", new)
    with new.open("a") as text:  # a copy of a file that is there would add nothing
        text.write(f"2030-01-01 00:00:00,2030-01-01 00:15:00,{','.join(['1'] * 18)}\n")
    try:
        found = _run(project, "--as-of", "2031-01-01")
    finally:
        new.unlink()
    if (after := _check(project))[0] - before[0] != ROWS + 1:
        raise SystemExit(f"one more file added {after[0] - before[0]} rows")
    return found | {"check": before}


def _run(project: Path, *more: str) -> dict[str, Any]:
    moment = more or ("--as-of", "2026-01-01")
    command = [sys.executable, "-m", "keepfit", "ingest", "--project", str(project), "--json", *moment]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": seconds, "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def _check(project: Path) -> list[float]:
    """Return rows and the sum of a column, as any reader of Delta sees them; in a process of its own: its memory is not ours."""
    script = (
        "import sys, duckdb; from deltalake import DeltaTable;"
        f" files = DeltaTable('{project}/state/lake/source/readings').file_uris();"
        " duckdb.sql('set enable_progress_bar=false');"
        " print(*duckdb.sql(f'select count(*), sum(p00) from read_parquet({files})').fetchone())"
    )
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return [float(one) for one in said.split()]


MODES = {"prepare": make_files, "ingest": ingest, "again": again, "more": more}


def _in_process(folder: Path, options: argparse.Namespace, mode: str, content: str) -> None:
    said = ["--dir", str(folder), "--files", str(options.files), "--content", content, "--mode", mode]
    subprocess.run([sys.executable, __file__, *said], check=True, stdout=subprocess.DEVNULL)


def _compare(contenders: list[sidebyside.Contender]) -> None:
    """Stop if two results disagree."""
    for part in (False, True):
        alike = [one for one in contenders if (one.name in ("keepfit part", "pandas")) == part]
        checks = {
            one.name: one.found[0]["check"]
            for one in alike
            if one.found and one.name not in [f"keepfit {d}" for d in DIRTY]
        }
        for name, (rows, total) in checks.items():
            expected = next(iter(checks.values()))
            if rows != expected[0] or not math.isclose(total, expected[1], rel_tol=1e-9):
                raise SystemExit(f"{name}: {rows} rows, {total}; expected {expected}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=453)
    parser.add_argument("--part", type=int, default=116, help="files that pandas reads")
    parser.add_argument("--dir", help="where to put the data; a temporary folder if not given")
    parser.add_argument("--only", nargs="+", default=[], help="the names of those to run, and keepfit")
    parser.add_argument("--content", default="csv", help=argparse.SUPPRESS)
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
