"""An answer that was sent is in the log, and reaches the lake once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from keepfit.stages.serving.outbox import Outbox, drain, forget
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.tables import PREDICTIONS

from .world import NOW, fill, promote, wait_until

SERVER = """
import sys
from pathlib import Path
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.server import run_server
from keepfit.stages.serving.sqlite import SQLiteStore

root, now = Path(sys.argv[1]), int(sys.argv[2])
store, outbox = SQLiteStore(root / "online.sqlite"), Outbox(root / "outbox.sqlite")
app = create_app(root / "churn.json", store, outbox, now=lambda: now)
run_server(app, "127.0.0.1", 0, lambda port: print(port, flush=True))
"""


def row(request_id):
    values = {name: None for name in PREDICTIONS.columns}
    return {**values, "request_id": request_id, "t": 5, "score": 0.25, "positive": False, "origin": "request"}


@pytest.fixture
def outbox(tmp_path):
    opened = Outbox(tmp_path / "outbox.sqlite")
    yield opened
    opened.close()


def ids(batch):
    return [found["request_id"] for found in batch.rows]


def test_rows_are_drained_as_predictions(outbox):
    outbox.append(row("a"))
    batch = drain(outbox.path)
    assert [list(found) for found in batch.rows] == [list(PREDICTIONS.columns)]
    assert batch.rows[0]["positive"] is False and batch.rows[0]["t"] == 5


def test_drained_rows_appear_once(outbox):
    for name in "abcde":
        outbox.append(row(name))
    moved = []
    while (batch := drain(outbox.path, limit=2)) is not None:
        moved += ids(batch)
        assert forget(outbox.path, batch.transaction) == len(batch.rows)
    assert moved == list("abcde") and outbox.backlog() == 0


def test_a_batch_stays_the_same_until_it_is_forgotten(outbox):
    outbox.append(row("a"))
    first = drain(outbox.path)
    outbox.append(row("b"))
    again = drain(outbox.path)
    assert again == first and ids(again) == ["a"]
    forget(outbox.path, first.transaction)
    assert ids(drain(outbox.path)) == ["b"]


def test_forgetting_twice_drops_nothing_more(outbox):
    outbox.append(row("a"))
    first = drain(outbox.path)
    assert forget(outbox.path, first.transaction) == 1
    outbox.append(row("b"))
    assert forget(outbox.path, first.transaction) == 0
    assert ids(drain(outbox.path)) == ["b"]


def test_an_outbox_that_is_not_there_holds_nothing(tmp_path):
    assert drain(tmp_path / "none.sqlite") is None


def test_what_was_answered_survives_a_kill(tmp_path):
    promote(tmp_path, "1")
    store = SQLiteStore(tmp_path / "online.sqlite")
    fill(store)
    store.close()
    command = [sys.executable, "-c", SERVER, str(tmp_path), str(NOW)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200)
            answers = [http.post("/predict", json={"customer_id": 17}).json() for _ in range(50)]
            os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    batch = drain(tmp_path / "outbox.sqlite")
    assert ids(batch) == [answer["request_id"] for answer in answers]
    assert [found["score"] for found in batch.rows] == [answer["score"] for answer in answers]
    assert json.loads(batch.rows[0]["features"]) == answers[0]["features"]
