"""What Redis is asked for, and what becomes of requests while it is away. What any store promises: `test_store.py`."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing

import numpy as np
import pytest
import redis

from keepfit import clock
from keepfit.stages.serving.redis import RedisStore, StoreAway
from keepfit.stages.serving.redis_scripts import EMPTY

from .redis_server import free_port, running
from .world import NOW, fill, promote, sales, serving, wait_until

ROWS = {
    "entity": np.array(["17"], object), "time": np.array([NOW - clock.DAY]), "known": np.array([NOW - clock.DAY]),
    "amount": np.array([5.0]),
}  # fmt: skip


@pytest.fixture
def port():
    return free_port()


def test_a_read_is_one_round_trip(tmp_path, port):
    with (
        running(port, tmp_path) as url,
        closing(RedisStore(url, "churn")) as store,
        closing(redis.Redis(port=port)) as own,
        closing(redis.Redis(port=port)) as marker,
    ):
        fill(store)
        store.append(sales, {"customer_id": "17", "time": NOW, "known": NOW, "amount": 1.0})
        store.read("17")
        marker.ping()
        with own.monitor() as monitor:
            store.read("17")
            marker.echo("end")
            asked = []
            while (found := monitor.next_command())["command"].split()[0] != "ECHO":
                asked.append((found["client_type"], found["command"].split()[0]))
    assert [name for kind, name in asked if kind != "lua"] == ["EVALSHA"]
    assert "HGETALL" in [name for kind, name in asked if kind == "lua"]


def test_models_that_share_a_database_are_apart(tmp_path, port):
    with running(port, tmp_path) as url, closing(RedisStore(url, "a")) as one, closing(RedisStore(url, "b")) as other:
        one.replace(sales, ROWS, NOW)
        assert one.rows() == {"sales": 1} and other.rows() == {} and not other.read("17").knows({"sales"})


def test_a_publication_that_does_not_end_changes_nothing_and_is_forgotten(tmp_path, port):
    with (
        running(port, tmp_path) as url,
        closing(RedisStore(url, "churn")) as store,
        closing(redis.Redis(port=port)) as own,
    ):
        store.replace(sales, ROWS, NOW)
        with pytest.raises(ZeroDivisionError):
            store._publish(
                "b", "sales", ((("18", b"x") if n < 600 else 1 // 0) for n in range(700)), "[]", "", "", (0, 0, None)
            )
        store._write("keepfit:{churn}:rows:left", [("18", b"x")])
        assert store.read("17").knows({"sales"}) and not store.read("18").knows({"sales"})
        left = {key: own.ttl(key) for key in own.keys("*rows:*")}
        assert sorted(seconds > 0 for seconds in left.values()) == [False, True]
        store.replace(sales, {name: values[:0] for name, values in ROWS.items()}, NOW)
        assert own.hget("keepfit:{churn}:generation", "bsales").split()[0].decode() == EMPTY
        assert len(own.keys("*rows:*")) == 1


def test_while_redis_is_away_requests_are_503_and_then_go_on(tmp_path, port):
    promote(tmp_path, "1")
    with (
        running(port, tmp_path) as url,
        closing(RedisStore(url, "churn")) as store,
        serving(tmp_path, store=store) as served,
    ):
        served.wait()
        before = served.predict(customer_id=17)
        assert before.status_code == 200
        event = {"customer_id": 17, "sold_at": "2025-05-31T00:00:00Z", "amount": 1}
        with own(port) as client:
            client.shutdown(nosave=True)
        away = served.predict(customer_id=17)
        assert (away.status_code, away.json()["error"], away.json()["where"]) == (503, "StoreAway", url)
        assert "does not answer" in away.json()["what"] and "no restart" in away.json()["fix"]
        assert served.http.post("/events", json=event).status_code == 503
        assert served.http.get("/livez").status_code == 200
        health = served.http.get("/health").json()
        assert health["status"] == "degraded" and "does not answer" in health["store"]
        assert "keepfit_store_up 0.0" in served.http.get("/metrics").text
        with running(port, tmp_path):
            wait_until(lambda: served.predict(customer_id=17).status_code == 200, 30)
            assert served.predict(customer_id=17).json()["score"] == before.json()["score"]
            assert served.http.post("/events", json=event).status_code == 202
            assert served.http.get("/health").json()["status"] == "ok"
            assert "keepfit_store_up 1.0" in served.http.get("/metrics").text


def own(port):
    return closing(redis.Redis(port=port))


def test_a_server_that_starts_without_redis_waits_for_it(tmp_path, port):
    promote(tmp_path, "1")
    url = f"redis://127.0.0.1:{port}/0"
    with closing(RedisStore(url, "churn")) as store, serving(tmp_path, store=store, filled=False) as served:
        wait_until(lambda: "does not answer" in served.http.get("/readyz").text)
        assert served.predict(customer_id=17).status_code == 503
        with running(port, tmp_path):
            with closing(RedisStore(url, "churn")) as publisher:
                fill(publisher)
            served.wait()
            assert served.predict(customer_id=17).status_code == 200


def test_nobody_waits_for_a_redis_that_does_not_answer(tmp_path, port, monkeypatch):
    asked = []
    monkeypatch.setattr("keepfit.stages.serving.redis.AGAIN_S", 3600.0)
    with closing(RedisStore(f"redis://:secret@127.0.0.1:{port}/3?socket_timeout=1", "churn")) as store:
        connect = redis.Connection.connect
        monkeypatch.setattr(redis.Connection, "connect", lambda self, *own: asked.append(1) or connect(self, *own))
        for _ in range(5):
            with pytest.raises(StoreAway) as caught:
                store.read("17")
        assert asked == [1]  # the others are told what the first was
        assert "secret" not in str(caught.value.as_dict())
        assert caught.value.where == f"redis://127.0.0.1:{port}/3"


def test_two_servers_share_events_and_receipts(tmp_path, port):
    event = {"customer_id": 17, "sold_at": "2025-05-31T00:00:00Z", "amount": 100}
    with (
        running(port, tmp_path) as url,
        closing(RedisStore(url, "churn")) as one,
        closing(RedisStore(url, "churn")) as two,
    ):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            promote(tmp_path / name, "1")
        with serving(tmp_path / "one", store=one) as first, serving(tmp_path / "two", store=two) as second:
            first.wait()
            second.wait()
            key, before = {"Idempotency-Key": "k"}, second.predict(customer_id=17).json()
            assert first.http.post("/events", json=event, headers=key).json() == {"accepted": 1}
            assert second.http.post("/events", json=event, headers=key).json() == {"accepted": 0}
            answers = [each.predict(customer_id=17).json() for each in (first, second)]
            assert answers[0]["features"] == answers[1]["features"] != before["features"]


def test_requests_and_publications_go_on_together(tmp_path, port):
    """A load of requests through publications: each answer is of one of the two, and none fails."""
    promote(tmp_path, "1")
    with (
        running(port, tmp_path) as url,
        closing(RedisStore(url, "churn")) as store,
        closing(RedisStore(url, "churn")) as lake,
        serving(tmp_path, store=store) as served,
    ):
        served.wait()
        done, failed = threading.Event(), []

        def publish():
            for turn in range(40):
                lake.replace(sales, {**ROWS, "amount": np.array([float(turn % 2)])}, NOW)
            done.set()

        lake.replace(sales, {**ROWS, "amount": np.array([0.0])}, NOW)
        publisher = threading.Thread(target=publish)
        publisher.start()
        while not done.is_set():
            answer = served.predict(customer_id=17)
            features = answer.json().get("features", {})
            if answer.status_code != 200 or features["sales_count_90d"] != 1:
                failed.append(answer.text)
        publisher.join()
    assert not failed


def test_without_the_extra_the_setting_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from pathlib import Path; from keepfit.stages.serving.stores import open_store\n"
        "try: open_store('redis://x', Path('y'), 'z')\n"
        "except Exception as error: print(error.fix)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pip install 'keepfit[redis]'"
