"""What tests of the examples share: a copy of an example beside the published files it reads, which stay as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOT = os.environ.get("KEEPFIT_DATA")


def needs(folder: str) -> list[Any]:
    """Return the marks of tests that read a folder of the real data sets."""
    there = ROOT is not None and (Path(ROOT) / folder).is_dir()
    reason = "KEEPFIT_DATA is not set" if ROOT is None else f"KEEPFIT_DATA holds no {folder}"
    return [pytest.mark.data, pytest.mark.skipif(not there, reason=reason), pytest.mark.xdist_group(folder)]


@dataclass(frozen=True)
class Copy:
    """A copy of an example project with published files in its data folder."""

    folder: Path

    def link(self, data: str, names: Sequence[str] = ("*",)) -> Copy:
        """Put published files into the data folder."""
        (self.folder / "data").mkdir(exist_ok=True)
        for name in names:
            for path in sorted((Path(ROOT or "") / data).glob(name)):
                (self.folder / "data" / path.name).symlink_to(path)
        return self

    def say(self, *arguments: str) -> str:
        """Return what a command printed to stdout."""
        command = [sys.executable, "-m", "keepfit", *arguments, "--project", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def turn(self, *arguments: str) -> dict[str, Any]:
        """Return what a turn says of itself."""
        found: dict[str, Any] = json.loads(self.say("run", "--json", *arguments))
        return found

    def ingest(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Return what an ingest says of each table."""
        return {one["table"]: one for one in json.loads(self.say("ingest", "--json", *arguments))["tables"]}

    def scores(self, model: str, as_of: str, metric: str) -> dict[str, float]:
        """Return a metric of a model trained now, on the test rows: its own `value` and each simple rule's, by name."""
        self.say("train", model, "--as-of", as_of)
        metrics = json.loads(self.say("report", model, "--json"))["metrics"]
        found: dict[str, float] = next(one for one in metrics if one["metric"] == metric)
        return found

    def rows(self, table: str) -> duckdb.DuckDBPyRelation:
        """Return the rows of a source table that was never rebuilt."""
        return duckdb.read_parquet(f"{self.folder}/.keepfit/dev/lake/source/{table}/**/*.parquet")


def served_exactly(folder: Path) -> bool:
    """Whether a server of each version computed 1,000 rows, from raw events, to the last bit as the batch did."""
    found = [json.loads(path.read_bytes())["routes"] for path in folder.glob(".keepfit/*/artifacts/**/parity.json")]
    ways = [[one[name] for name in ("request", "events") if name in one] for one in found]
    return bool(ways) and all(
        sum(way["rows"] for way in own) == 1000 and not any(way["concerned"] or way["refused"] for way in own)
        for own in ways
    )


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Copy]:
    """Return a function that copies an example and puts published files into its data folder."""

    def copy(name: str, data: str, names: Sequence[str] = ("*",)) -> Copy:
        folder = tmp_path_factory.mktemp(name) / name
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".keepfit", "data", "reports"))
        return Copy(folder).link(data, names)

    return copy
