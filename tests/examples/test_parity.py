"""By the commands alone: what the server computes for a request is the training set's row of that moment, bit for bit.

The shop is run as of a moment, served and asked at that moment. Then time goes on, labels mature, and the training set of the
later moment must hold for that (entity, t) exactly the features that the server answered with. What the server computes of
published data is in the certificates of the other examples.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

ASKED = 60
SERVED, LATER = "2025-10-01", "2025-12-31"  # when it is run and served, and when the labels of that moment are mature


def keepfit(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "keepfit", *arguments, "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve on a free port and yield the address."""
    command = [
        sys.executable,
        "-m",
        "keepfit",
        "serve",
        "churn",
        "--project",
        str(folder),
        "--port",
        "0",
        "--as-of",
        SERVED,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
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


@pytest.mark.slow
def test_a_request_has_the_features_of_the_training_set_bit_for_bit(tmp_path: Path) -> None:
    keepfit(tmp_path, "init", "shop", "--template", "shop", "--as-of", "2026-01-01")
    folder = tmp_path / "shop"
    turn = json.loads(keepfit(folder, "run", "churn", "--json", "--as-of", SERVED))
    assert turn["decision"] == "promote"
    scored = tmp_path / "scored.parquet"
    keepfit(folder, "predict", "churn", "--as-of", SERVED, "--to", str(scored))
    batch = duckdb.sql(f"select entity, epoch_us(t) as t, score from '{scored}' order by hash(entity), t desc")
    asked = batch.fetchall()[:ASKED]
    answers = {}
    with server(folder) as address, httpx.Client(base_url=address, timeout=30) as client:
        ready(client)
        (key,) = client.get("/openapi.json").json()["components"]["schemas"]["Entity"]["required"]
        for entity, t, score in asked:
            at = duckdb.sql(f"select strftime(make_timestamp({t}), '%Y-%m-%dT%H:%M:%S.%fZ')").fetchall()[0][0]
            answer = client.post("/predict", json={key: entity, "at": at})
            assert answer.status_code == 200, answer.text
            assert answer.json()["score"] == score
            answers[entity, t] = answer.json()["features"]
    trained = tmp_path / "trained.parquet"
    keepfit(folder, "dataset", "churn", "--as-of", LATER, "--to", str(trained))
    rows = duckdb.sql(f"select * replace (epoch_us(t) as t) from '{trained}'")
    names, compared = rows.columns, 0
    for row in rows.fetchall():
        found = dict(zip(names, row, strict=True))
        answered = answers.get((found["entity"], found["t"]))
        if answered is not None:
            compared += 1
            assert {name: found[name] for name in answered} == answered
    assert compared >= min(len(asked), 5)
