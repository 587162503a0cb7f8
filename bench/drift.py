"""Time a comparison of two files beside the same counts by hand in DuckDB, scipy column by column, and Evidently's preset.

Each file has 25 columns of numbers and 5 of labels. Of the second, `amount00` has moved by a quarter of a standard deviation,
`level00` by a twentieth, `unit00` misses a tenth more, and `kind00` has other shares; nothing else has. All take turns in whole
processes, from Parquet files to what each tells: seconds and CPU are those of the process with its start.

    keepfit    `keepfit drift`: bins by a sample, exact counts, seven measures and chances, with 35 bins and a bin of nulls
    duckdb     edges by a sample, one scan a file with `histogram`, then PSI, KS, chi-square by numpy: 32 bins, no nulls
    scipy      a column at a time, in pyarrow: quantiles, PSI, two-sample KS, chi-square
    evidently  DataDriftPreset on pandas: one round, for it takes minutes

`--scale` measures keepfit alone, on files of several sizes: seconds per million rows and peak memory should stay.

    uv run python bench/drift.py --rounds 5
    uv run python bench/drift.py --scale 1,10,100 --columns 6
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sidebyside

OUT = Path(__file__).parent / "out"
PEERS: dict[str, list[str]] = {
    "duckdb": [],  # as keepfit has it
    "scipy": ["scipy", "pyarrow", "numpy"],
    "evidently": ["evidently==0.7.23", "pandas<3", "pyarrow"],
}
PART = 10_000_000
"""Rows of a file: larger sides come in several."""


def main() -> None:
    options = _options()
    if options.mode:
        print(json.dumps(MODES[options.mode](*options.files)))
        return
    if options.scale:
        scaled([int(float(one) * 1e6) for one in options.scale.split(",")], options.columns, options.rounds)
        return
    before, after = made(1_000_000, 30)
    contenders = [
        sidebyside.Contender("keepfit drift", keepfit(before, after)),
        *(
            sidebyside.Contender(
                name,
                [_python(name, packages), __file__, "--mode", name, before, after],
                once=name == "evidently",
            )
            for name, packages in PEERS.items()
            if not options.only or name in options.only.split(",")
        ),
    ]
    _measured(contenders, options.rounds, made(1_000, 30), (before, after))
    sidebyside.report(contenders, "keepfit drift")


def scaled(sizes: list[int], columns: int, rounds: int) -> None:
    """Print what rows cost when there are more and more of them."""
    contenders = [sidebyside.Contender(f"{rows / 1e6:g}M x {columns}", keepfit(*made(rows, columns))) for rows in sizes]
    _measured(contenders, rounds, made(1_000, columns), made(sizes[0], columns))
    sidebyside.report(contenders, contenders[0].name)


def _measured(contenders: list[sidebyside.Contender], rounds: int, few: tuple[str, str], many: tuple[str, str]) -> None:
    """Measure all in turn; each has run before, on few rows, so that its bytecode lies on disk."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(OUT / "bytecode")
    renamed = dict(zip(many, few, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        for one in contenders:
            command = [renamed.get(word, word) for word in one.command]
            if command != one.command:
                subprocess.run(command, check=False, capture_output=True, cwd=folder)
        sidebyside.run(contenders, rounds, folder=folder)


def _python(name: str, packages: list[str]) -> str:
    """Return the interpreter of an environment with some packages, which is made first if it is not there."""
    if not packages:
        return sys.executable
    found = OUT / "environments" / name / "bin" / "python"
    if not found.exists():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        subprocess.run(["uv", "venv", "--quiet", "--python", version, str(found.parents[1])], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", str(found), *packages], check=True)
    return str(found)


def keepfit(before: str, after: str) -> list[str]:
    """Return the command, which runs where there is no project."""
    return [sys.executable, "-m", "keepfit", "drift", before, after, "--json"]


def made(rows: int, columns: int) -> tuple[str, str]:
    """Return patterns of both sides' files, made once: each value depends on its row's number and its column only."""
    import duckdb

    folder = OUT / "drift"
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("create macro u(i, k) as (hash(i * 1000003 + k) >> 11)::double / 9007199254740992.0")
    connection.execute("create macro g(i, k) as sqrt(-2 * ln(u(i, k) + 1e-300)) * cos(2 * pi() * u(i, k + 500))")
    for side in ("before", "after"):
        for part in range(0, rows, PART):
            path = folder / f"{side}_{rows}x{columns}_{part // PART:02d}.parquet"
            if path.exists():
                continue
            first = part + (0 if side == "before" else 7_000_000_000)
            picked = ", ".join(_columns(columns, moved=side == "after"))
            last = min(part + PART, rows) - part
            made = path.with_suffix(".making")
            connection.execute(
                f"copy (select {picked} from (select range + {first} as i from range({last}))) to '{made}' (format parquet)"
            )
            made.rename(path)
    before, after = (str(folder / f"{side}_{rows}x{columns}_*.parquet") for side in ("before", "after"))
    return before, after


def _columns(columns: int, *, moved: bool) -> list[str]:
    """Return a sixth of labels; of the numbers a third each of normal, of lognormal in cents, and with nulls."""
    shown, labels = [], columns // 6
    for k in range(columns - labels):
        name, place = ("amount", "level", "unit")[k % 3], k // 3
        shift = (0.25 if name == "amount" else 0.05) if moved and place == 0 else 0
        value = f"g(i, {k}) + {shift}"
        if name == "amount":
            value = f"round(exp({value}) * 40, 2)"
        if name == "unit":
            value = f"case when u(i, {k + 200}) >= {0.15 if moved and place == 0 else 0.05} then g(i, {k}) end"
        shown.append(f"({value})::double as {name}{place:02d}")
    for k in range(labels):
        power = 1.3 if moved and k == 0 else 1
        shown.append(f"'c' || floor(pow(u(i, {k + 100}), {power}) * 12)::int as kind{k:02d}")
    return shown


def duckdb_by_hand(before: str, after: str) -> dict[str, object]:
    """Count in 32 bins with DuckDB; compare the counts."""
    import math

    import duckdb
    import numpy as np

    begin, bins = time.perf_counter(), 32
    connection = duckdb.connect()
    kinds = connection.execute(f"describe select * from '{before}'").fetchall()
    numbers = [name for name, kind, *_ in kinds if kind == "DOUBLE"]
    labels = [name for name, kind, *_ in kinds if kind == "VARCHAR"]
    at = [one / bins for one in range(1, bins)]
    sampled = f"(from '{before}' using sample 50000 rows (reservoir, 7))"
    edges = connection.execute(
        f"select {', '.join(f'quantile_cont({name}, {at})' for name in numbers)} from {sampled}"
    ).fetchone()
    asked = [f"histogram({name}, {own})" for name, own in zip(numbers, edges, strict=True)]
    asked += [f"histogram({name})" for name in labels]
    counted = [connection.execute(f"select {', '.join(asked)} from '{path}'").fetchone() for path in (before, after)]
    found = {}
    for place, name in enumerate(numbers):
        a, b = (np.array(list(side[place].values()), float) for side in counted)
        n, m = a.sum(), b.sum()
        p, q = np.maximum(a / n, 1e-6), np.maximum(b / m, 1e-6)
        far = np.abs(np.cumsum(a / n) - np.cumsum(b / m)).max()
        found[name] = (float(((q - p) * np.log(q / p)).sum()), 2 * math.exp(-2 * far * far * n * m / (n + m)))
    for place, name in enumerate(labels, len(numbers)):
        names = sorted(counted[0][place].keys() | counted[1][place].keys())
        a, b = (np.array([side[place].get(one, 0) for one in names], float) for side in counted)
        both = (a + b) / (a + b).sum()
        found[name] = tuple(float((((x - x.sum() * both) ** 2) / (x.sum() * both)).sum()) for x in (a, b))
    return {"inside_s": time.perf_counter() - begin, "check": sum(first for first, _ in found.values())}


def scipy_by_column(before: str, after: str) -> dict[str, object]:
    """Compare with scipy, a column at a time."""
    import numpy as np
    import pyarrow.parquet as pq
    from scipy.stats import chi2_contingency, ks_2samp

    begin, alarms = time.perf_counter(), []
    old, new = (pq.ParquetFile(_first(path)) for path in (before, after))
    for field in old.schema_arrow:
        a, b = (side.read(columns=[field.name])[field.name].drop_null() for side in (old, new))
        if str(field.type) == "double":
            x, y = a.to_numpy(), b.to_numpy()
            ends = np.quantile(x, np.arange(1, 32) / 32)
            p, q = (np.bincount(np.searchsorted(ends, z), minlength=32) / len(z) for z in (x, y))
            psi = ((q - p) * np.log(np.maximum(q, 1e-6) / np.maximum(p, 1e-6))).sum()
            chance = ks_2samp(x, y, method="asymp").pvalue
        else:
            p, q = ({str(one["values"]): one["counts"] for one in z.value_counts().to_pylist()} for z in (a, b))
            table = [[side.get(one, 0) for one in sorted(p.keys() | q.keys())] for side in (p, q)]
            psi, chance = 0.0, chi2_contingency(table).pvalue
        if chance < 0.05 or psi > 0.1:
            alarms.append(field.name)
    return {"inside_s": time.perf_counter() - begin, "check": alarms}


def evidently_preset(before: str, after: str) -> dict[str, object]:
    """Run the preset with its defaults."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    begin = time.perf_counter()
    old, new = (pd.read_parquet(_first(path)) for path in (before, after))
    labels = [name for name in old.columns if name.startswith("kind")]
    kinds = DataDefinition(
        numerical_columns=[name for name in old.columns if name not in labels], categorical_columns=labels
    )
    known, current = (Dataset.from_pandas(one, data_definition=kinds) for one in (old, new))
    found = Report([DataDriftPreset()]).run(current, known).dict()
    return {"inside_s": time.perf_counter() - begin, "check": len(found["metrics"])}


def _first(pattern: str) -> Path:
    return next(Path(pattern).parent.glob(Path(pattern).name))


MODES = {"duckdb": duckdb_by_hand, "scipy": scipy_by_column, "evidently": evidently_preset}


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="", help="peers, by comma")
    options.add_argument("--scale", default="", help="millions of rows, by comma: keepfit alone")
    options.add_argument("--columns", type=int, default=30)
    options.add_argument("--mode", choices=tuple(MODES), help=argparse.SUPPRESS)
    options.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    return options.parse_args()


if __name__ == "__main__":
    main()
