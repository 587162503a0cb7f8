"""A model with an interval, from its definition to the server and to what matured, on a lake that knew no bounds."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from contextlib import closing
from datetime import date, timedelta

import httpx
import numpy as np
import pytest
from tests.conftest import at
from tests.stages.serving.world import port_of, wait_until

from keepfit import loop, predicting, proving, reporting, steps, watching
from keepfit.artifact import Predictor, read_pointer
from keepfit.project import open_project
from keepfit.snapshot import take
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.server import bind, server
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.steps.targets import Target

pytestmark = pytest.mark.slow
PLAIN = """
from keepfit import Category, Events, Every, Files, Float, Gate, Model, Policy, Records, Training, XGBoost, when

shops = Records("shops", Files("shops.csv"), entity="shop", columns={"region": Category()})
sales = Events("sales", Files("sales*.csv"), entity="shop", time="at", columns={"amount": Float()}, quiet="99d")
takings = Model(
    "takings", observe=Every("1 day", of=shops),
    features=[sales.amount.sum(last="1d"), sales.amount.mean(last="7d"), shops.region],
    target=sales.amount.sum(next="1d"), estimator=XGBoost(n_estimators=80, learning_rate=0.1),
    policy=Policy(when.older_than("30d")),
"""
BOUNDED = (
    PLAIN
    + '    training=Training(interval=0.8), metric="pinball", gates=[Gate("coverage", 0.7), Gate("width", 90)],\n)\n'
)
PLAIN += ")\n"
SHOPS = {f"s{place:02}": "north" if place % 2 else "south" for place in range(12)}
BEGIN = date(2025, 1, 1)


def lines(first: int, last: int) -> str:
    random = np.random.default_rng(first)
    rows = []
    for day in range(first, last):
        for place, shop in enumerate(SHOPS):
            spread = 5 if place % 2 else 25  # the south is less certain
            value = 100 + 10 * place + spread * random.normal()
            rows.append(f"{shop},{BEGIN + timedelta(day)}T12:00:00Z,{value:.2f}")
    return "\n".join(["shop,at,amount", *rows, ""])


def project_at(folder, definitions):
    (folder / "definitions.py").write_text(definitions)
    return open_project(folder, None, {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a project whose first champion declared no interval, and whose second one does."""
    folder = tmp_path_factory.mktemp("takings")
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (folder / "data").mkdir()
    (folder / "data" / "shops.csv").write_text("shop,region\n" + "".join(f"{a},{b}\n" for a, b in SHOPS.items()))
    (folder / "data" / "sales_1.csv").write_text(lines(0, 110))
    old = project_at(folder, PLAIN)
    assert loop.run(old, None, at("2025-04-10"))[-1].decision == "promote"
    before = old.records.parquet_files("predictions")
    columns = old.engine.rows(before)[0]
    assert not {"low", "high"} & set(columns)  # the log as an earlier keepfit writes it
    with closing(sqlite3.connect(old.serving("takings").outbox)) as connection:  # and its outbox
        names = [name for name in columns if name not in ("low", "high")]
        connection.execute(f"create table outbox (id integer primary key autoincrement, {', '.join(names)})")
        connection.commit()
    (folder / "data" / "sales_2.csv").write_text(lines(110, 140))
    project_at(folder, BOUNDED)
    return folder


@pytest.fixture(scope="module")
def project(folder):
    return open_project(folder, None, {})


@pytest.fixture(scope="module")
def promoted(project):
    return loop.run(project, None, at("2025-05-01"), catch_up=0)[-1]


def test_a_version_with_an_interval_is_trained_judged_and_promoted(promoted):
    assert promoted.decision == "promote", promoted.reasons
    found = promoted.evaluation
    assert 0.7 <= found.metrics["coverage"] <= 0.95
    assert found.metrics["pinball"] < found.baseline["pinball"]
    assert found.metrics["width"] < found.baseline["width"]
    assert [verdict.gate for verdict in promoted.verdicts] == ["coverage", "width"]
    assert found.against_champion is None  # the champion before knew no bounds: pinball cannot compare them
    assert found.intervals["coverage"].low < found.metrics["coverage"] < found.intervals["coverage"].high


def test_the_log_holds_bounds_beside_rows_that_have_none(project, promoted):
    rows = project.engine.rows(project.records.parquet_files("predictions"))
    by = {version: [row for row in rows if row["version"] == version] for version in ("1", "2")}
    assert len(by["1"]) >= 12 and len(by["2"]) == 12
    assert all(row["low"] is None and row["high"] is None for row in by["1"])
    assert all(row["low"] <= row["score"] <= row["high"] for row in by["2"])
    widths = {
        region: [r["high"] - r["low"] for r in by["2"] if SHOPS[r["entity"]] == region] for region in ("north", "south")
    }
    assert np.mean(widths["south"]) > 1.5 * np.mean(widths["north"])


def test_a_file_of_predictions_has_the_bounds_beside_the_score(project, promoted, tmp_path):
    target = tmp_path / "scores.csv"
    predicting.predict(project, project.model("takings"), at("2025-05-02"), Target(target))
    with target.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["entity", "t", "score", "low", "high"]
    assert all(float(row["low"]) <= float(row["score"]) <= float(row["high"]) for row in rows)


def test_the_server_answers_with_the_bounds_that_the_batch_has(project, promoted, tmp_path):
    model, moment = project.model("takings"), at("2025-05-01")
    files = project.serving("takings")
    store, outbox = SQLiteStore(files.store), Outbox(files.outbox)
    running, listener = server(create_app(files.pointer, store, outbox, now=lambda: moment)), bind("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200)
            answers = {shop: http.post("/predict", json={"shop": shop}).json() for shop in SHOPS}
            many = http.post("/predict", json=[{"shop": shop} for shop in SHOPS]).json()["answers"]
            ready = [one["features"] for one in answers.values()]
            rows = http.post("/predict/rows", json={"rows": ready}).json()["answers"]
            schemas = http.get("/openapi.json").json()["components"]["schemas"]
    finally:
        running.should_exit = True
        thread.join()
        store.close()
        outbox.close()
    loaded = steps.champion_at(project, model, moment)
    scored = steps.answer(project, loaded, take(project.engine, project.lake, model.tables(), moment))
    batch = dict(zip(scored.observations.keys(), scored.answers.tolist(), strict=True))
    assert {shop: [one["score"], one["low"], one["high"]] for shop, one in answers.items()} == batch
    assert not {"positive", "threshold"} & set(answers["s00"])
    told = schemas["Prediction"]["properties"]["low"]["description"]
    assert told == "lower bound of an interval that holds 80% of the rows"
    told_by = {"score", "low", "high"}
    for one, also, row in zip(answers.values(), many, rows, strict=True):
        assert {**one, "request_id": ""} == {**also, "request_id": ""}
        assert {name: one[name] for name in told_by} == {name: row[name] for name in told_by}
    (tmp_path / "ready.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ready))
    source, target = str(tmp_path / "ready.jsonl"), Target(tmp_path / "scores.parquet")
    predicting.predict_rows(project, model, moment, source, target, bad=None, version=None)
    filed = project.engine.rows([str(target.path)])
    assert [{name: row[name] for name in told_by} for row in filed] == [
        {name: row[name] for name in told_by} for row in rows
    ]
    assert steps.collect_requests(project, model) == 3 * len(SHOPS)
    rows = project.engine.rows(project.records.parquet_files("predictions"), "origin = 'request'")
    assert {row["entity"]: [row["score"], row["low"], row["high"]] for row in rows} == batch


def test_coverage_is_measured_again_when_predictions_mature(project, promoted):
    predicting.predict(project, project.model("takings"), at("2025-05-04"), None)
    # ready rows that were answered at that moment are of no shop: nothing can tell how they turned out
    outbox = Outbox(project.serving("takings").outbox)
    row = {
        "model": "takings",
        "version": "2",
        "t": at("2025-05-04"),
        "origin": "rows",
        "score": 1e9,
        "low": 1e9,
        "high": 1e9,
    }
    outbox.append_all([{**row, "request_id": f"row {place}"} for place in range(30)])
    outbox.close()
    assert steps.collect_requests(project, project.model("takings")) == 30
    found = watching.watch(project, project.model("takings"), at("2025-05-10"))["evidence"].realised
    assert found is not None and (found.version, found.rows) == ("2", len(SHOPS))
    assert 0.5 <= found.metrics["coverage"] <= 1
    assert found.metrics["pinball"] < found.baseline["pinball"]
    assert found.metrics["width"] == pytest.approx(promoted.evaluation.metrics["width"], rel=0.3)


def test_the_version_comes_out_byte_for_byte(project, promoted):
    found = proving.reproduce(project, project.model("takings"), "2")
    assert found["equal"]
    assert {"model.onnx", "low.onnx", "high.onnx", "low.ubj", "high.ubj"} <= set(found["files"])
    assert found["largest_score_difference"] == 0.0


def test_versions_are_compared_by_what_both_answer(project, promoted):
    found = proving.compare(project, project.model("takings"), ["1", "2"], at("2025-05-20"))
    assert set(found["versions"][0].metrics) == {"rmse", "mae", "r2", "mape", "smape"}
    found = proving.compare(project, project.model("takings"), ["2", "2"], at("2025-05-20"))
    assert {"coverage", "pinball", "width"} < set(found["versions"][1].gains)


def test_the_report_shows_the_band(project, promoted, tmp_path):
    page, alive = tmp_path / "takings.html", tmp_path / "alive.html"
    found = reporting.report(project, project.model("takings"), at("2025-05-01"), "2", page, alive)
    assert found["numbers"]["test.coverage"]["rows"] == promoted.evaluation.rows["test"]
    assert found["numbers"]["baseline.width"]["value"] == promoted.evaluation.baseline["width"]
    text = page.read_text()
    measured = promoted.evaluation.intervals["coverage"]
    assert f"Declared 80%, measured {100 * measured.value:.3g}% (90% interval {100 * measured.low:.3g}% to" in text
    assert "declared 80%</text>" in text
    assert next(one["better"] for one in found["metrics"] if one["metric"] == "coverage") == "near 80%"
    told = json.loads((project.registry.version("takings", "2").folder / "report.json").read_text())
    assert told["grown"]["history"]["metric"] == "rmse"
    for chart in ("fit-wide", "coverage_by_tenth-wide", "history-wide"):
        assert f'<div class="live" id="{chart}"' in alive.read_text()
    north, south = (
        next(one for one in told["curves"]["coverage_by_shops_region"] if one["label"] == name)
        for name in ("north", "south")
    )
    assert 0 <= north["low"] <= north["y"] <= north["high"] <= 1
    assert south["rows"] + north["rows"] == promoted.evaluation.rows["test"]


def test_what_answers_lies_as_onnx_and_in_the_librarys_own_format(project, promoted):
    folder = project.registry.champion("takings").folder
    assert {path.name for path in folder.iterdir()} >= {"low.onnx", "high.onnx", "low.ubj", "high.ubj", "model.ubj"}
    manifest = json.loads((folder / "artifact.json").read_text())
    assert manifest["interval"]["share"] == 0.8 and manifest["interval"]["learnt"]
    assert len(manifest["training_base"]) == 3
    assert Predictor.load(folder).score(np.zeros((2, 3), np.float32)).shape == (2, 3)
    assert read_pointer(project.serving("takings").pointer).version == "2"
