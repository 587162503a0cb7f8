"""Many entities in one request: the answers of single requests, all or nothing where they do not fit."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from keepfit.artifact import write_pointer
from keepfit.measure.forest import Forest, Tree
from keepfit.spec.serving import Serving
from keepfit.stages.serving.outbox import Outbox, drain
from keepfit.stages.serving.protection import Protection

from .world import NOW, promote, serving, write_version

LATER = "2025-05-20T00:00:00Z"


def stump() -> bytes:
    """Return a tree that asks the age."""
    blank = np.zeros(3)
    leaves = np.array([4, 3, 1]), np.array([0, -1, 2.0])
    tree = Tree(np.array([1, -1, -1]), np.array([2, -1, -1]), blank + 2, blank + 40, blank > 0, *leaves)
    return Forest.of([tree], 3, start=(0.5,)).as_bytes()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("many")
    promote(root, "1", trees=stump())
    with serving(root, protection=Protection(Serving(max_rows=300))) as running:
        running.wait()
        yield running


def refused(answer, where):
    assert answer.status_code == 422, answer.text
    assert answer.json()["where"] == where
    return answer.json()["what"]


def alone(served, body, query=""):
    found = served.http.post(f"/predict{query}", json=body).json()
    return {name: value for name, value in found.items() if name != "request_id"}


@pytest.mark.parametrize("query", ["", "?explain=true"])
def test_each_answer_is_what_a_request_of_its_own_gets(served, query):
    bodies = [{"customer_id": 17}, {"customer_id": 18}, {"customer_id": 17, "at": LATER}, {"customer_id": "17"}] * 20
    answers = served.http.post(f"/predict{query}", json=bodies).json()["answers"]
    assert len({one.pop("request_id") for one in answers}) == len(bodies)
    assert answers == [alone(served, body, query) for body in bodies]
    assert all(("contributions" in one) == bool(query) for one in answers)


def test_one_who_is_not_known_has_the_error_in_the_place_of_the_answer(served):
    answers = served.http.post("/predict", json=[{"customer_id": key} for key in (17, 4711, 18)]).json()["answers"]
    assert ["score" in one for one in answers] == [True, False, True]
    assert answers[1]["where"] == "[1].customer_id" and "4711" in answers[1]["what"] and answers[1]["fix"]
    (only,) = served.http.post("/predict", json=[{"customer_id": 4711}]).json()["answers"]
    assert only["where"] == "[0].customer_id"


@pytest.mark.parametrize(
    ("bodies", "where"),
    [
        ([], "body"),
        ([{"customer_id": 17}] * 301, "body"),
        ([{"customer_id": 17}, 5], "[1]"),
        ([{"customer_id": 17}, {"customer_id": "anna"}], "[1].customer_id"),
        ([{"customer_id": 17}, {"customer_id": [1]}], "[1].customer_id"),
        ([{"customer_id": 17}, {"customer_id": 17, "at": "2026-01-01"}], "[1].at"),
        ([{"customer_id": 17, "ta": LATER}], "[0].ta"),
        ([[{"customer_id": 17}]], "[0]"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_whole_with_the_place(served, bodies, where):
    before = served.outbox.backlog()
    refused(served.http.post("/predict", json=bodies), where)
    assert served.outbox.backlog() == before


def test_all_answers_are_logged_in_one_transaction(served, monkeypatch):
    commits = []
    kept = Outbox.append_all
    monkeypatch.setattr(Outbox, "append_all", lambda own, rows: commits.append(len(rows)) or kept(own, rows))
    answers = served.http.post("/predict", json=[{"customer_id": 17}, {"customer_id": 4711}] * 50).json()["answers"]
    assert commits == [50]
    logged = drain(served.outbox.path).rows[-50:]
    assert [row["request_id"] for row in logged] == [one["request_id"] for one in answers[::2]]
    assert {(row["entity"], row["t"], row["origin"], row["positive"]) for row in logged} == {
        ("17", NOW, "request", True)
    }
    assert json.loads(logged[0]["features"]) == answers[0]["features"]


def test_nothing_is_logged_if_one_cannot_be(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    with pytest.raises(Exception, match="type"):
        outbox.append_all([{"request_id": "1"}, {"request_id": object()}])
    assert outbox.backlog() == 0
    outbox.append_all([{"request_id": "1"}, {"request_id": "2"}])
    assert [row["request_id"] for row in drain(outbox.path).rows] == ["1", "2"]
    outbox.close()


def test_others_are_answered_while_many_are(served):
    """A long request gives way: of several hundred entities, some single request is answered before the last is."""
    done, order = threading.Event(), []

    def ask_many():
        for _ in range(5):
            assert served.http.post("/predict", json=[{"customer_id": 17}] * 300).status_code == 200
            order.append("many")
        done.set()

    asking = threading.Thread(target=ask_many)
    asking.start()
    while not done.is_set():
        assert served.predict(customer_id=18).status_code == 200
        order.append("one")
    asking.join()
    # each long request takes as long as dozens of single ones; were it not to give way, one at most would fit between two
    assert order.count("one") > 3 * order.count("many")


def test_one_version_answers_all_of_a_request(tmp_path):
    pointers = [write_version(tmp_path, version, bias) for version, bias in (("1", -2.0), ("2", 2.0))]
    write_pointer(pointers[0], tmp_path / "churn.json")
    with serving(tmp_path) as running:
        running.wait()
        done, seen = threading.Event(), []

        def swap():
            while not done.is_set():
                for pointer in pointers:
                    write_pointer(pointer, tmp_path / "churn.json")
                    time.sleep(0.03)

        swapping = threading.Thread(target=swap)
        swapping.start()
        while len(set(seen)) < 2 or len(seen) < 30:
            answers = running.http.post("/predict", json=[{"customer_id": 17}] * 200).json()["answers"]
            assert len({(one["version"], one["score"]) for one in answers}) == 1
            seen.append(answers[0]["version"])
        done.set()
        swapping.join()
