"""Events in one request: one or a list, all or none, and once however often it is sent."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing

import pytest

from keepfit import Float, clock
from keepfit.errors import RequestError
from keepfit.spec.serving import Serving
from keepfit.stages.serving import receipts
from keepfit.stages.serving.events import EventsRefused, checked
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.receipts import Receipt
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.stages.serving.tokens import Tokens, new_token

from .world import NOW, churn, promote, sales, serving

EVENT = {"customer_id": 18, "sold_at": "2025-05-31T00:00:00Z", "amount": 7}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("events")
    promote(root, "1")
    with serving(root, protection=Protection(Serving(max_rows=200))) as running:
        running.wait()
        yield running


def bought(served, key):
    found = served.predict(customer_id=key)
    return found.json()["features"]["sales_count_90d"] if found.status_code == 200 else 0


def test_a_list_is_taken_in_whole(served):
    answer = served.http.post("/events", json=[{**EVENT, "customer_id": 30}, {**EVENT, "customer_id": 31}] * 2)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 4})
    assert (bought(served, 30), bought(served, 31)) == (2, 2)


def test_of_a_list_that_does_not_fit_nothing_is_taken_in(served):
    events = [
        {**EVENT, "customer_id": 32},
        {**EVENT, "amount": -1},
        7,
        {**EVENT, "amuont": 1},
        {**EVENT, "amount": [1]},
    ]
    answer = served.http.post("/events", json=events)
    assert answer.status_code == 422
    found = answer.json()
    assert "4 of 5 events do not fit" in found["what"] and found["where"] == "[1].sales"
    assert [one["where"] for one in found["refusals"]] == ["[1].sales", "[2]", "[3].amuont", "[4].amount"]
    assert "amount is below 0" in found["refusals"][0]["what"]
    assert bought(served, 32) == 0


def test_a_list_has_a_first_event_and_a_last(served):
    assert served.http.post("/events", json=[]).status_code == 422
    assert "may hold 200" in served.http.post("/events", json=[EVENT] * 201).json()["what"]
    found = served.http.post("/events", json=[{}] * 200).json()
    assert len(found["refusals"]) == 100 and "200 of 200" in found["what"]


@pytest.mark.parametrize("one", [True, False])
def test_a_retry_with_its_key_adds_nothing(served, one):
    key = 40 + one
    body = {**EVENT, "customer_id": key} if one else [{**EVENT, "customer_id": key}] * 2
    told = {"Idempotency-Key": f"retry-{key}"}
    answers = [served.http.post("/events", json=body, headers=told) for _ in range(3)]
    assert [(answer.status_code, answer.json()["accepted"]) for answer in answers] == [
        (202, 2 - one),
        (202, 0),
        (202, 0),
    ]
    assert bought(served, key) == 2 - one


def test_a_key_is_of_one_request(served):
    told = {"Idempotency-Key": "twice"}
    assert served.http.post("/events", json=EVENT, headers=told).status_code == 202
    other = served.http.post("/events", json={**EVENT, "amount": 8}, headers=told)
    assert (other.status_code, other.json()["where"]) == (409, "Idempotency-Key")
    wrong = served.http.post("/events", json={**EVENT, "amount": -1}, headers={"Idempotency-Key": "mended"})
    assert wrong.status_code == 422
    # what was refused was not taken in: its key is free
    assert served.http.post("/events", json=EVENT, headers={"Idempotency-Key": "mended"}).json() == {"accepted": 1}


@pytest.mark.parametrize("key", ["", "x" * 256, "ä"])
def test_a_key_has_a_shape(served, key):
    found = served.http.post("/events", json=EVENT, headers={"Idempotency-Key": key.encode()})
    assert (found.status_code, found.json()["where"]) == (422, "Idempotency-Key")


def test_keys_are_kept_for_a_week_and_survive_a_restart(tmp_path):
    row = {"customer_id": "18", "time": NOW, "known": NOW, "amount": 7.0}
    for now, added in ((NOW, True), (NOW + receipts.KEPT, False), (NOW + receipts.KEPT + clock.DAY, True)):
        store = SQLiteStore(tmp_path / "online.sqlite")
        assert store.append_all([(sales, row)], Receipt("one", "digest", now)) == added
        store.close()
    store = SQLiteStore(tmp_path / "online.sqlite")
    assert store.rows() == {"sales": 2}
    with pytest.raises(RequestError, match="another body"):
        store.append_all([(sales, row)], Receipt("one", "else", NOW + receipts.KEPT + clock.DAY))
    assert store.rows() == {"sales": 2}
    store.close()


def test_a_truth_value_is_no_key():
    named = dataclasses.replace(sales, columns={"amount": Float()})
    asked = dataclasses.replace(churn, features=[named.count(last="90d")], target=named.count(next="30d") == 0)
    rows = checked(asked, [{**EVENT, "customer_id": key} for key in ("false", 7)])
    assert [row["customer_id"] for _, row in rows] == ["false", "7"]
    with pytest.raises(EventsRefused, match="customer_id is a truth value"):
        checked(asked, [{**EVENT, "customer_id": False}])


def test_events_that_cannot_be_written_are_refused_with_when_to_come_again(tmp_path):
    promote(tmp_path, "1")
    path = tmp_path / "busy.sqlite"
    with closing(SQLiteStore(path, post_s=0.05)) as store, serving(tmp_path, store=store) as running:
        running.wait()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            answer = running.http.post("/events", json=EVENT)
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        assert "written by others" in answer.json()["what"]
        assert 'keepfit_refused_total{reason="store"} 1' in running.http.get("/metrics").text
        assert running.http.post("/events", json=EVENT).status_code == 202


def test_a_key_of_another_token_is_another_key(tmp_path):
    promote(tmp_path, "1")
    made = [new_token(name, ["events"]) for name in ("till", "web")]
    tokens = Tokens(";".join(token.line() for _, token in made))
    with serving(tmp_path, protection=Protection(tokens=tokens)) as running:
        running.wait()
        said = []
        for secret, amount in ((made[0][0], 1.0), (made[1][0], 2.0), (made[0][0], 1.0)):
            headers = {"Idempotency-Key": "1", "Authorization": f"Bearer {secret}"}
            said.append(running.http.post("/events", json={**EVENT, "amount": amount}, headers=headers).json())
    assert said == [{"accepted": 1}, {"accepted": 1}, {"accepted": 0}]
