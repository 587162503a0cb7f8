"""An answer that was sent is in the log, and reaches the lake once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from keepfit.stages.serving import outbox as module
from keepfit.stages.serving.outbox import Outbox, drain, forget
from keepfit.stages.serving.patience import Busy
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.tables import PREDICTIONS

from .process import process
from .world import fill, promote, serving, wait_until


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


def test_a_batch_is_forgotten_in_slices_that_leave_the_lock_to_others(outbox, monkeypatch):
    monkeypatch.setattr(module, "SLICE", 2)
    for name in "abcdef":
        outbox.append(row(name))
    batch, drop, left = drain(outbox.path, limit=5), module._drop, []

    def logging_in_between(*arguments):
        outbox.append(row(f"later {len(left)}"))  # nobody holds the lock
        left.append(outbox.backlog())
        return drop(*arguments)

    monkeypatch.setattr(module, "_drop", logging_in_between)
    assert forget(outbox.path, batch.transaction) == 5 and left == [7, 6, 5]
    assert ids(drain(outbox.path)) == ["f", "later 0", "later 1", "later 2"]


def test_a_kill_between_two_slices_leaves_the_rest_under_the_same_transaction(outbox, monkeypatch):
    monkeypatch.setattr(module, "SLICE", 2)
    for name in "abcde":
        outbox.append(row(name))
    batch, drop, done = drain(outbox.path), module._drop, []

    def killed_at_the_second(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(drop(*arguments))
        return done[0]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "_drop", killed_at_the_second)
        forget(outbox.path, batch.transaction)
    again = drain(outbox.path)
    assert again.transaction == batch.transaction and ids(again) == ["c", "d", "e"]
    assert forget(outbox.path, batch.transaction) == 3 and drain(outbox.path) is None


def test_an_answer_that_cannot_be_logged_is_not_given(tmp_path):
    promote(tmp_path, "1")
    with serving(tmp_path) as running:
        running.wait()
        with closing(sqlite3.connect(running.outbox.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            answer = running.predict(customer_id=17)
            assert answer.status_code == 503 and "is not logged is not given" in answer.json()["what"]
            assert answer.headers["retry-after"] == "1"
            with closing(Outbox(running.outbox.path)) as another, pytest.raises(Busy):
                another.append(row("a"))
        assert running.outbox.backlog() == 0
        assert running.predict(customer_id=17).status_code == 200 and running.outbox.backlog() == 1


def test_while_others_write_the_log_nobody_else_waits_and_the_answer_comes(tmp_path):
    promote(tmp_path, "1")
    with serving(tmp_path) as running, ThreadPoolExecutor(3) as pool:
        running.wait()
        with closing(sqlite3.connect(running.outbox.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            bodies = [{"customer_id": 17}, [{"customer_id": 17}, {"customer_id": 18}]]
            waiting = [pool.submit(running.http.post, "/predict", json=body) for body in bodies]
            admission = running.process.config.protection.admission
            wait_until(lambda: admission.taken == 2)
            assert running.http.get("/livez").status_code == 200 and not any(one.done() for one in waiting)
            other.execute("rollback")
            assert [one.result().status_code for one in waiting] == [200, 200]
        assert running.outbox.backlog() == 3


def test_an_outbox_that_is_not_there_holds_nothing(tmp_path):
    assert drain(tmp_path / "none.sqlite") is None


def test_what_was_answered_survives_a_kill(tmp_path):
    promote(tmp_path, "1")
    with closing(SQLiteStore(tmp_path / "online.sqlite")) as store:
        fill(store)
    outbox = tmp_path / "outbox.sqlite"
    with process(tmp_path, outbox) as (running, url), httpx.Client(base_url=url, timeout=60) as http:
        answers = [http.post("/predict", json={"customer_id": 17}).json() for _ in range(50)]
        os.kill(running.pid, signal.SIGKILL)
    batch = drain(outbox)
    assert ids(batch) == [answer["request_id"] for answer in answers]
    assert [found["score"] for found in batch.rows] == [answer["score"] for answer in answers]
    assert json.loads(batch.rows[0]["features"]) == answers[0]["features"]


def test_a_durable_log_waits_for_the_disk_at_each_answer(tmp_path):
    for name, durable, full in (("a", False, 1), ("b", True, 2)):
        with closing(Outbox(tmp_path / name, durable=durable)) as opened:
            assert opened._connection.execute("pragma synchronous").fetchone() == (full,)
