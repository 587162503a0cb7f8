"""What a client of the server is promised."""

from __future__ import annotations

import dataclasses
import logging
import math
from contextlib import closing

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from keepfit import Float, Input, clock
from keepfit.measure.forest import Forest, Tree
from keepfit.stages.serving.outbox import drain
from keepfit.stages.serving.predict import PredictRoute
from keepfit.stages.serving.scorer import Champion
from keepfit.stages.serving.sqlite import SQLiteStore

from .world import NOW, churn, customers, promote, revenue, sales, serving

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    promote(root, "1")
    with serving(root) as running:
        running.wait()
        yield running


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) >= {"error", "what", "where", "fix"}
    return answer.json()


def test_a_prediction_says_what_it_is_and_what_it_rests_on(served):
    answer = served.predict(customer_id=17)
    assert answer.status_code == 200
    found = answer.json()
    features = {"sales_amount_sum_30d": 49.5, "sales_count_90d": 2.0, "customers_age": 40.0}
    assert found.pop("score") == pytest.approx(1 / (1 + math.exp(-0.915)), abs=1e-6)
    assert len(found.pop("request_id")) == 30
    assert found == {
        "model": "churn", "version": "1", "customer_id": 17, "at": "2025-06-01T00:00:00Z",
        "positive": True, "threshold": 0.5, "features": features,
    }  # fmt: skip


def stump() -> bytes:
    """Customers of more than 40 years are at 2, the others at -1; a quarter of the rows that were learnt from were older."""
    blank, left, right = np.zeros(3), np.array([1, -1, -1]), np.array([2, -1, -1])
    value, cover = np.array([0, -1, 2.0]), np.array([4, 3, 1])
    return Forest.of([Tree(left, right, blank + 2, blank + 40, blank > 0, cover, value)], 3, start=(0.5,)).as_bytes()


def test_an_answer_can_be_explained(tmp_path):
    promote(tmp_path, "1", trees=stump())
    with serving(tmp_path) as running:
        running.wait()
        found = running.http.post("/predict?explain=true", json={"customer_id": 17}).json()
        assert found["contributions"] == {
            "sales_amount_sum_30d": 0,
            "sales_count_90d": 0,
            "customers_age": pytest.approx(-0.75),
        }
        assert found["base"] == pytest.approx(0.5 - 0.25)
        for query in ("", "?explain=false"):
            plain = running.http.post(f"/predict{query}", json={"customer_id": 17}).json()
            assert "contributions" not in plain and plain["score"] == found["score"]


def test_a_version_that_answers_is_ready_to_explain(tmp_path, monkeypatch):
    promote(tmp_path, "1", trees=stump())
    walked, contributions = [], Forest.contributions
    monkeypatch.setattr(
        Forest, "contributions", lambda self, matrix: walked.append(matrix.shape) or contributions(self, matrix)
    )
    with closing(SQLiteStore(tmp_path / "online.sqlite")) as store:
        champion = Champion(tmp_path / "churn.json", store, lambda: NOW)
        champion.refresh()
        assert walked == [(1, 3)]  # what walks the trees is compiled, or loaded
        (tmp_path / "1" / "trees.npz").unlink()
        assert champion.require().explained(np.full((1, 3), np.nan, np.float32))[0]["base"] == pytest.approx(0.25)


def test_trees_that_were_changed_after_loading_explain_nothing(tmp_path):
    promote(tmp_path, "1", trees=b"what training wrote")
    with serving(tmp_path) as running:
        running.wait()
        (tmp_path / "1" / "trees.npz").write_bytes(b"something else")
        told = problem(running.http.post("/predict?explain=true", json={"customer_id": 17}), 500)
        assert told["what"] == "trees.npz is not what training wrote"


def test_what_cannot_be_explained_is_said(served):
    told = problem(served.http.post("/predict?explain=true", json={"customer_id": 17}), 422)
    assert told["what"] == "version 1 of churn cannot explain itself" and told["where"] == "explain"
    told = problem(served.http.post("/predict?explain=yes", json={"customer_id": 17}), 422)
    assert told["what"] == "unknown query 'explain=yes'"


def test_a_key_is_read_as_the_contract_reads_it(served):
    scores = {served.predict(customer_id=key).json()["score"] for key in (17, "17", 17.0, " 17 ")}
    assert len(scores) == 1


def test_a_moment_can_be_named(served):
    found = served.predict(customer_id=17, at="2025-05-20T02:00:00+02:00").json()
    assert found["at"] == "2025-05-20T00:00:00Z" and found["features"]["sales_count_90d"] == 1.0


def test_an_event_is_reflected_in_the_next_prediction(served):
    before = served.predict(customer_id=18).json()["features"]
    event = {"customer_id": 18, "sold_at": "2025-05-31T23:59:00Z", "amount": 7}
    answer = served.http.post("/events", json=event)
    assert answer.status_code == 202 and answer.json() == {"accepted": 1}
    after = served.predict(customer_id=18).json()["features"]
    assert (before["sales_count_90d"], after["sales_count_90d"]) == (0.0, 1.0)
    assert after["sales_amount_sum_30d"] == 7.0


def test_an_event_makes_a_stranger_known(served):
    assert served.predict(customer_id=99).status_code == 404
    event = {"table": "sales", "customer_id": 99, "sold_at": "2025-05-31T00:00:00Z", "amount": 1}
    assert served.http.post("/events", json=event).status_code == 202
    assert served.predict(customer_id=99).status_code == 200


def test_an_entity_known_only_by_its_record_is_answered(served):
    served.store.replace_records(customers, {"entity": ["17", "18", "20"], "age": [40.0, None, 3.0]})
    assert served.predict(customer_id=20).json()["features"]["customers_age"] == 3.0


def test_an_unknown_entity_is_a_404(served):
    found = problem(served.predict(customer_id=4711), 404)
    assert "4711" in found["what"] and found["where"] == "customer_id"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"customer_id": NaN}', b'{"customer_id": "\xff"}', b'{"a": ' + b"[" * 100_000]
)
def test_malformed_json_is_a_400(served, body):
    problem(served.http.post("/predict", content=body, headers=JSON), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"17", b"{}", b'{"customer_id": null}', b'{"customer_id": true}', b'{"customer_id": "anna"}',
        b'{"customer_id": [17]}', b'{"customer_id": 17, "at": "yesterday"}', b'{"customer_id": 17, "at": 5}',
        b'{"customer_id": 17, "at": "2025-06-01T00:00:00"}', b'{"customer_id": 1e400}', b'{"customer_id": 17, "ta": 1}',
        b'{"customer_id": 17, "at": "0001-01-01T00:00:00+14:00"}', b'{"customer_id": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_422(served, body):
    problem(served.http.post("/predict", content=body, headers=JSON), 422)


def test_a_large_body_is_a_413(served):
    problem(served.http.post("/predict", content=b'{"customer_id": "' + b"9" * 1_000_001 + b'"}', headers=JSON), 413)
    assert served.predict(customer_id=17).status_code == 200


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"table": "sale"}, "unknown table 'sale'"),
        ({"amount": -1}, "amount is below 0"),
        ({"amuont": 1}, "unknown column 'amuont' for sales"),
        ({"sold_at": "2025-05-31T00:00:00"}, "sold_at has no time zone; append Z or an offset"),
        ({"customer_id": None}, "customer_id is missing"),
        ({"amount": [1]}, "'amount' holds an object or a list"),
    ],
)
def test_an_event_that_breaks_the_contract_is_refused(served, change, what):
    event = {"customer_id": 18, "sold_at": "2025-05-31T00:00:00Z", "amount": 7, **change}
    assert what in problem(served.http.post("/events", json=event), 422)["what"]


def test_a_moment_before_the_stores_memory_is_refused(served):
    empty = {"entity": [], "time": [], "known": []}
    served.store.replace(sales, empty, 0, answers_from=NOW - clock.DAY)
    found = problem(served.predict(customer_id=17, at="2025-05-01"), 422)
    assert "2025-05-31" in found["what"]
    served.store.replace(sales, empty, 0)


def test_wrong_paths_and_methods_have_the_same_shape(served):
    problem(served.http.get("/nothing"), 404)
    assert "POST" in problem(served.http.get("/predict"), 405)["fix"]


def test_an_unforeseen_error_is_a_500_with_a_request_id(served, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(PredictRoute, "__call__", fail)
    with caplog.at_level(logging.ERROR, "keepfit.serving"):
        answer = served.predict(customer_id=17)
    found = problem(answer, 500)
    assert found["request_id"] in found["fix"] and "secret" not in answer.text
    assert found["request_id"] in caplog.text and "secret detail" in caplog.text


def test_every_answer_is_in_the_log(served):
    answer = served.predict(customer_id=17).json()
    logged = drain(served.outbox.path).rows[-1]
    assert logged["request_id"] == answer["request_id"]
    assert (logged["entity"], logged["t"], logged["origin"]) == ("17", NOW, "request")
    assert (logged["score"], logged["positive"]) == (answer["score"], answer["positive"])


def test_a_scrape_parses_and_counts(served):
    def count():
        page = served.http.get("/metrics").text
        found = {sample.name: sample for family in text_string_to_metric_families(page) for sample in family.samples}
        return found, sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == "keepfit_predictions_total"
        )

    found, before = count()
    served.predict(customer_id=17)
    _, after = count()
    assert after == before + 1
    assert found["keepfit_champion_info"].labels == {"model": "churn", "version": "1"}
    names = {
        "keepfit_requests_total",
        "keepfit_request_duration_seconds_bucket",
        "keepfit_score_bucket",
        "keepfit_outbox_backlog",
    }
    assert names <= set(found)


def test_the_document_describes_every_route(served):
    described = served.http.get("/openapi.json").json()
    routes = {"/predict", "/predict/rows", "/events", "/livez", "/readyz", "/health", "/model", "/metrics", "/docs"}
    assert {*routes, "/openapi.json"} == set(described["paths"])
    schemas = described["components"]["schemas"]
    entity, row, features = schemas["Entity"], schemas["Event.sales"], schemas["Prediction"]["properties"]["features"]
    assert entity["required"] == ["customer_id"] and "integer" in entity["properties"]["customer_id"]["type"]
    assert row["required"] == ["customer_id", "sold_at"] and row["properties"]["amount"]["minimum"] == 0
    assert features["required"] == ["sales_amount_sum_30d", "sales_count_90d", "customers_age"]


def test_the_page_of_the_document_runs_nothing_and_is_framed_by_nobody(served):
    page = served.http.get("/docs")
    policy = page.headers.get_list("content-security-policy")
    assert page.status_code == 200 and "<script" not in page.text
    assert len(policy) == 1 and "default-src 'none'" in policy[0] and "frame-ancestors 'none'" in policy[0]


def test_operators_see_what_answers(served):
    health, model = served.http.get("/health").json(), served.http.get("/model").json()
    assert served.http.get("/livez").json() == {"status": "alive"}
    assert (health["status"], health["model"], health["version"]) == ("ok", "churn", "1")
    assert health["store_rows"]["customers"] >= 2 and health["outbox_backlog"] >= 0 and health["since"] == "2025-06-01"
    assert (model["task"], model["entity"], model["threshold"]) == ("classification", "customer_id", 0.5)
    assert model["features"] == ["sales_amount_sum_30d", "sales_count_90d", "customers_age"]
    assert model["lineage"]["seed"] == 7


def test_a_regression_has_no_positive(tmp_path):
    promote(tmp_path, "1", model=revenue)
    with serving(tmp_path) as served:
        served.wait()
        found = served.predict(customer_id=17).json()
        assert not {"positive", "threshold"} & set(found)
        assert served.outbox.backlog() == 1


def test_a_moment_ahead_of_now_is_refused(served):
    ahead = clock.from_micros(NOW + clock.DAY).isoformat()
    assert "lies ahead of" in problem(served.predict(customer_id=17, at=ahead), 422)["what"]


def test_a_request_sends_what_only_it_knows(tmp_path):
    basket = Input("basket", Float(min=0), past=sales.amount.last())
    asked = dataclasses.replace(churn, features=[sales.count(last="90d"), customers.age, basket])
    promote(tmp_path, "1", model=asked)
    with serving(tmp_path) as running:
        running.wait()
        past = running.predict(customer_id=17).json()["features"]
        sent = running.predict(customer_id=17, basket="99.5").json()["features"]
        assert sent == {**past, "basket": 99.5} and past["basket"] not in (None, 99.5)
        assert running.predict(customer_id=17, basket=None).json()["features"]["basket"] is None
        found = problem(running.predict(customer_id=17, basket=-1), 422)
        assert (found["what"], found["where"]) == ("basket is below 0", "basket")
        assert "did you mean 'basket'?" in problem(running.predict(customer_id=17, baskte=1), 422)["fix"]
        schema = running.http.get("/openapi.json").json()["components"]["schemas"]["Entity"]
        assert "number" in schema["properties"]["basket"]["type"] and schema["required"] == ["customer_id"]
