"""What a scrape shows, and that the page of documents says the same."""

from __future__ import annotations

import dataclasses
import math
import re
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from keepfit import clock
from keepfit.artifact import Artifact
from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.asking import ask
from keepfit.stages.serving.counting import Spread
from keepfit.stages.serving.laps import Lap
from keepfit.stages.serving.metrics import Metrics, route_of
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.sqlite import SQLiteStore

from .world import NOW, churn, customers, fill, promote, revenue, sales, serving

DOCUMENT = Path(__file__).parents[3] / "docs" / "serving.md"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("metrics")
    promote(root, "1")
    with serving(root) as running:
        running.wait()
        running.predict(customer_id=17)
        running.predict(customer_id=4711)
        running.http.post("/events", json={"customer_id": 17, "sold_at": "2025-05-31T23:00:00Z", "amount": 7})
        yield running


def samples(page: str) -> dict[tuple[str, ...], float]:
    """Return (name, label values...) -> value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return name -> (type, labels) of the table."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| ([a-z, ]*)\|", DOCUMENT.read_text(), re.M)
    return {
        name: (kind, {label.strip() for label in labels.split(",") if label.strip()}) for name, kind, labels in rows
    }


def test_the_table_of_the_documents_is_what_a_scrape_shows(served):
    families = list(text_string_to_metric_families(served.http.get("/metrics").text))
    shown = {}
    for family in families:
        if not family.name.startswith("process_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            shown[family.name + "_total" * (family.type == "counter")] = (family.type, labels)
    told = {name: each for name, each in documented().items() if not name.startswith("process_")}
    assert set(told) == set(shown)
    assert {name: kind for name, (kind, _) in told.items()} == {name: kind for name, (kind, _) in shown.items()}
    # a counter of what has not happened has no sample to show labels with
    assert {name: labels for name, (_, labels) in shown.items() if labels} == {
        name: told[name][1] for name, (_, labels) in shown.items() if labels
    }
    processes = {family.name for family in families if family.name.startswith("process_")}
    assert {name.removesuffix("_total") for name in re.findall(r"`(process_\w+)`", DOCUMENT.read_text())} == processes


def test_a_prediction_is_counted_under_its_version(served):
    before, _ = samples(served.http.get("/metrics").text), served.predict(customer_id=17)
    after = samples(served.http.get("/metrics").text)

    def grew(*key: str) -> float:
        return after[key] - before.get(key, 0)

    assert grew("keepfit_requests_total", "/predict", "200") == 1
    assert grew("keepfit_request_duration_seconds_count", "/predict", "1") == 1
    assert grew("keepfit_predictions_total", "churn", "1") == grew("keepfit_positives_total", "churn", "1") == 1
    assert grew("keepfit_score_count", "churn", "1") == grew("keepfit_batch_size_count", "/predict") == 1
    assert {grew("keepfit_stage_duration_seconds_count", stage) for stage in ("features", "model", "log")} == {1}
    assert grew("keepfit_queue_wait_seconds_count") == 1
    assert grew("keepfit_outbox_backlog") == 1


def test_of_a_step_for_several_requests_each_has_its_share(tmp_path, monkeypatch):
    shared, staged = [], Metrics.staged
    monkeypatch.setattr(Metrics, "staged", lambda own, laps: shared.append(list(laps)) or staged(own, laps))
    promote(tmp_path, "1")
    with closing(SQLiteStore(tmp_path / "store")) as store, closing(Outbox(tmp_path / "outbox")) as outbox:
        fill(store)
        app = create_app(tmp_path / "churn.json", store, outbox, now=lambda: NOW)
        replies = ask(app, [("/predict", {"customer_id": 17})] * 4)
    assert [status for status, _ in replies] == [200] * 4
    assert [[lap.requests for lap in laps] for laps in shared] == [[1, 4, 4]] * 4
    metrics = Metrics(Admission(1))
    metrics.staged([Lap("model", 1.0, 1.5, requests=4)])
    assert b'keepfit_stage_duration_seconds_sum{stage="model"} 0.125' in metrics.page()


def test_what_is_stale_can_be_seen(served):
    found = samples(served.http.get("/metrics").text)
    assert found["keepfit_event_age_seconds", "sales"] == 3600.0
    assert found["keepfit_outbox_age_seconds",] == 0.0  # the clock of this server stands
    assert not [key for key in found if key[0] == "keepfit_store_age_seconds"]
    served.store.note_filled(NOW - clock.DAY)
    assert samples(served.http.get("/metrics").text)["keepfit_store_age_seconds",] == 86400.0
    assert found["keepfit_champion_loaded_timestamp_seconds",] == NOW / 1e6


def test_an_event_that_arrives_late_does_not_make_a_table_younger_or_older(served):
    served.store.append(sales, {"customer_id": "17", "time": NOW - 9 * clock.DAY, "known": NOW, "amount": 1.0})
    assert samples(served.http.get("/metrics").text)["keepfit_event_age_seconds", "sales"] == 3600.0


def test_labels_are_bounded(served):
    for place in range(20):
        served.http.get(f"/nothing/{place}")
    routes = {key[1] for key in samples(served.http.get("/metrics").text) if key[0] == "keepfit_requests_total"}
    assert "other" in routes and not [route for route in routes if "nothing" in route]
    assert route_of("/predict") == "/predict"


def test_labels_that_training_has_not_seen_are_counted():
    names = ("customers_age", "customers_segment")
    model = dataclasses.replace(churn, features=[customers.age, customers.segment])
    made = Artifact(model, names, {"customers_segment": ("gold", "silver")}, 0.5, 0.3, {}, {})
    metrics = Metrics(Admission(1))
    for segment in ("gold", "bronze", None, "bronze"):
        metrics.of(made, "1").predicted(0.2, {"customers_age": 3.0, "customers_segment": segment})
    found = samples(metrics.page().decode())
    assert found["keepfit_unknown_categories_total", "customers_segment"] == 2.0
    assert ("keepfit_positives_total", "churn", "1") not in found


def test_a_number_that_is_predicted_is_no_probability():
    made = Artifact(revenue, ("customers_age",), {}, 0.5, 0.3, {}, {})
    metrics = Metrics(Admission(1))
    metrics.of(made, "1").predicted(1234.5, {"customers_age": 3.0})
    found = samples(metrics.page().decode())
    assert found["keepfit_predictions_total", "revenue", "1"] == 1.0
    assert found["keepfit_score_count", "revenue", "1"] == 0.0


def test_our_histogram_is_prometheus_clients():
    bounds = (0.1, 0.5, 1.0)
    registry = CollectorRegistry()
    theirs = Histogram("x_seconds", "told", ["route"], buckets=bounds, registry=registry).labels("/a")
    ours = Spread("x_seconds", "told", ("route",), bounds)
    for value in (0.05, 0.1, 0.3, 0.5, 0.500001, 1.0, 7.0):
        theirs.observe(value)
        ours.cell("/a").observe(value)
    wanted = {
        key: value for key, value in samples(generate_latest(registry).decode()).items() if "created" not in key[0]
    }
    ours.cell("/a").observe(math.nan)
    assert wanted == {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value for each in ours.family().samples
    }
