"""FLAML or AutoGluon on the rows that keepfit learnt from, for the seconds that keepfit took, scored on the same test rows.

keepfit ingests an example, trains its model as declared (`train`, which also evaluates, explains and records) and writes the
training set; the peer gets the train and validation rows of that set, the first as they are and the second as its own validation,
and as many seconds on as many threads. Both answer for the same test rows; keepfit's figures are those of its report, the
peer's are scikit-learn's. FLAML learns once more from train and validation rows, as keepfit does; AutoGluon's models learn from
train rows alone.

    uv run python bench/automl.py examples/online_retail churn --as-of 2011-12-10 --data /where/online_retail/is
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

PACKAGES = {
    "flaml": ["flaml[automl]==2.7.0", "scikit-learn<1.7", "pandas<3", "setuptools"],
    "autogluon": ["autogluon.tabular[lightgbm,xgboost]==1.6.3"],
}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        shutil.copytree(options.project, folder, ignore=shutil.ignore_patterns(".keepfit", "data", "reports"))
        keepfit(folder, options, "ingest", "--as-of", options.as_of)
        begin = time.perf_counter()
        keepfit(folder, options, "train", options.model, "--as-of", options.as_of)
        seconds = time.perf_counter() - begin
        report = json.loads(keepfit(folder, options, "report", options.model, "--json"))
        written = Path(temporary) / "set.parquet"
        keepfit(folder, options, "dataset", options.model, "--as-of", options.as_of, "--to", str(written))
        handed(folder, options, written, Path(temporary) / "set.npz")
        budget = options.seconds or seconds
        script = str(Path(__file__).parent / "peers" / "automl.py")
        command = sidebyside.uv(
            PACKAGES[options.peer],
            script,
            options.peer,
            str(Path(temporary) / "set.npz"),
            str(budget),
            str(options.threads),
        )
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stderr.strip().splitlines() or [f"{options.peer} said nothing"])[-1])
        found = json.loads(done.stdout.strip().splitlines()[-1])
    show(report, found, seconds, budget, options.peer)


def keepfit(folder: Path, options: argparse.Namespace, *arguments: str) -> str:
    """Return what a command printed."""
    environment = {**os.environ, "KEEPFIT__STORAGE__DATA": str(options.data), "OMP_NUM_THREADS": str(options.threads)}
    command = [sys.executable, "-m", "keepfit", *arguments, "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def handed(folder: Path, options: argparse.Namespace, written: Path, to: Path) -> None:
    """Write the rows as numbers, labels as their places, with the part of each row: 0 train, 1 validation, 2 test, 3 none."""
    import duckdb

    from keepfit.artifact import encode, learn_categories
    from keepfit.project import open_project
    from keepfit.stages.training.split import split

    os.environ["KEEPFIT__STORAGE__DATA"] = str(options.data)
    model = open_project(folder, None, os.environ).model(options.model)
    rows = duckdb.sql(f"select * replace (epoch_us(t) as t) from '{written}' order by t, entity").fetchnumpy()
    t, target = np.asarray(rows["t"], np.int64), np.asarray(rows["target"], np.float64)
    names = tuple(name for name in rows if name not in ("entity", "t", "target"))
    features = {name: _column(rows[name]) for name in names}
    parts = split(t, model.horizon, model.tested)
    matrix = encode(features, names, learn_categories({name: one[parts.train] for name, one in features.items()}))
    part = np.select([parts.train, parts.validation, parts.test], [0, 1, 2], 3)
    np.savez(to, matrix=matrix, target=target, part=part, task=model.task)


def _column(values: Any) -> Any:
    if values.dtype == object:
        return np.array([None if one is np.ma.masked else one for one in values], object)
    return np.ma.filled(values.astype(np.float64), np.nan)


def show(report: dict[str, Any], found: dict[str, Any], seconds: float, budget: float, peer: str) -> None:
    """Print both beside the constant."""
    scores = {one["metric"]: one for one in report["metrics"]}
    print(
        f"keepfit train {seconds:.0f} s, with evaluation, report and registry; {peer} {budget:.0f} s of search: {found['best']}"
    )
    print(f"{'':14}{'keepfit':>10}{peer:>10}{'constant':>10}")
    for name, value in found["metrics"].items():
        mine = scores[name]
        print(f"{name:14}{mine['value']:10.4f}{value:10.4f}{mine['baseline']:10.4f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("model")
    parser.add_argument("--as-of", required=True)
    parser.add_argument("--data", type=Path, required=True, help="the published files")
    parser.add_argument("--seconds", type=float, help="the peer's budget; default: what keepfit's train took")
    parser.add_argument("--peer", choices=sorted(PACKAGES), default="flaml")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
