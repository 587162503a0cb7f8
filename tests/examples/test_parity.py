"""For every example project: what the server computes for a request is the training set's row of that moment, bit for bit.

The project is run as of a moment, served and asked at that moment. Then time goes on, labels mature, and the training set of
the later moment must hold for that (entity, t) exactly the features that the server answered with.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = os.environ.get("KEEPFIT_DATA")
ASKED = 60


@dataclass(frozen=True)
class Example:
    """An example project and the moments to look at it.

    Attributes
    ----------
    data : str or None
        The folder of real data it reads; None if it makes its own.
    served, later : str
        When it is run and served, and when the labels of that moment are mature.
    """

    name: str
    model: str
    data: str | None
    served: str
    later: str


CASES = [
    Example("shop", "churn", None, "2025-10-01", "2025-12-31"),
    Example("online_retail", "churn", "online_retail", "2011-10-01", "2011-12-09"),
    Example("air_quality", "dust", "beijing_multisite_air_quality", "2014-06-01T00:00:00.000001Z", "2014-06-10"),
]


def parameter(case: Example) -> Any:
    missing = case.data is not None and (DATA is None or not (Path(DATA) / case.data).is_dir())
    marks = [pytest.mark.slow, *([pytest.mark.data] if case.data else [])]
    marks += [pytest.mark.skip(reason="KEEPFIT_DATA does not hold it")] if missing else []
    return pytest.param(case, marks=marks, id=case.name)


def keepfit(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "keepfit", *arguments, "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


def begun(case: Example, folder: Path) -> tuple[Path, dict[str, str]]:
    if case.data is None:
        keepfit(folder, dict(os.environ), "init", case.name, "--template", case.name, "--as-of", "2026-01-01")
        return folder / case.name, dict(os.environ)
    project, data = folder / case.name, Path(DATA or "") / case.data
    shutil.copytree(EXAMPLES / case.name, project, ignore=shutil.ignore_patterns(".keepfit", "data"))
    return project, {**os.environ, "KEEPFIT__STORAGE__DATA": str(data)}


@contextlib.contextmanager
def server(folder: Path, environment: dict[str, str], model: str, as_of: str) -> Iterator[str]:
    """Serve on a free port and yield the address."""
    command = [
        sys.executable,
        "-m",
        "keepfit",
        "serve",
        model,
        "--project",
        str(folder),
        "--port",
        "0",
        "--as-of",
        as_of,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                return
        raise AssertionError("".join(said))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ready(client: httpx.Client) -> None:
    """Wait until the champion answers."""
    for _ in range(600):
        if client.get("/readyz").status_code == 200:
            return
        time.sleep(0.1)
    raise AssertionError(client.get("/readyz").text)


@pytest.mark.parametrize("case", [parameter(case) for case in CASES])
def test_a_request_has_the_features_of_the_training_set_bit_for_bit(case: Example, tmp_path: Path) -> None:
    folder, environment = begun(case, tmp_path)
    (turn,) = [json.loads(keepfit(folder, environment, "run", case.model, "--json", "--as-of", case.served))]
    assert turn["decision"] == "promote"
    scored = tmp_path / "scored.parquet"
    keepfit(folder, environment, "predict", case.model, "--as-of", case.served, "--to", str(scored))
    batch = duckdb.sql(f"select entity, epoch_us(t) as t, score from '{scored}' order by hash(entity), t desc")
    asked = batch.fetchall()[:ASKED]
    answers = {}
    with (
        server(folder, environment, case.model, case.served) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        ready(client)
        (key,) = client.get("/openapi.json").json()["components"]["schemas"]["Entity"]["required"]
        for entity, t, score in asked:
            at = duckdb.sql(f"select strftime(make_timestamp({t}), '%Y-%m-%dT%H:%M:%S.%fZ')").fetchall()[0][0]
            answer = client.post("/predict", json={key: entity, "at": at})
            assert answer.status_code == 200, answer.text
            assert answer.json()["score"] == score
            answers[entity, t] = answer.json()["features"]
    trained = tmp_path / "trained.parquet"
    keepfit(folder, environment, "dataset", case.model, "--as-of", case.later, "--to", str(trained))
    rows = duckdb.sql(f"select * replace (epoch_us(t) as t) from '{trained}'")
    names, compared = rows.columns, 0
    for row in rows.fetchall():
        found = dict(zip(names, row, strict=True))
        answered = answers.get((found["entity"], found["t"]))
        if answered is not None:
            compared += 1
            # the values of by= were learnt at another moment, and need not be the same
            shared = [name for name in answered if name in found]
            assert {name: found[name] for name in shared} == {name: answered[name] for name in shared}
            assert all("_direction_" in name for name in set(answered) - set(shared))
    assert compared >= min(len(asked), 5)
