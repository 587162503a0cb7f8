"""Targets that are one of several labels, from their definition to the server and to what matured."""

from __future__ import annotations

import csv
import json
import threading
from datetime import date, timedelta

import httpx
import numpy as np
import pytest
from tests.conftest import at
from tests.stages.serving.world import port_of, wait_until

from keepfit import actions, loop, predicting, proving, reporting, steps, watching
from keepfit.project import open_project
from keepfit.snapshot import take
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.server import bind, server
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.steps.targets import Target

pytestmark = pytest.mark.slow
DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Gate, LightGBM, Model, Policy, Records, Training, XGBoost, when

shops = Records("shops", Files("shops.csv"), entity="shop", columns={"region": Category()})
sales = Events(
    "sales", Files("sales*.csv"), entity="shop", time="at", quiet="99d",
    columns={"amount": Float(), "mood": Category(values=["calm", "busy", "wild"])},
)
features = [sales.amount.last(), sales.amount.mean(last="7d"), sales.mood.share("wild", last="3d"), shops.region]
level = Model(
    "level", observe=Every("1 day", of=shops), features=features,
    target=sales.amount.at("1d", tolerance="1d").band([90, 120], labels=("low", "usual", "high")),
    estimator=XGBoost(n_estimators=60, learning_rate=0.1), metric="f1_macro",
    training=Training(class_weight={"low": 2, "usual": 1, "high": 1}, folds=1),
    gates=[Gate("accuracy", threshold=0.4), Gate("log_loss", threshold=1.0), Gate.not_worse_than_champion()],
    policy=Policy(when.metric_below("f1_macro", 0.2) | when.drift()),
)
mood = Model(
    "mood", observe=Every("1 day", of=shops), features=features,
    target=sales.mood.last(next="1d").among("calm", "busy", "wild"), estimator=LightGBM(n_estimators=40, learning_rate=0.1),
)
"""
SHOPS = {f"s{place:02}": "north" if place % 2 else "south" for place in range(12)}
BEGIN = date(2025, 1, 1)


def lines(first: int, last: int) -> str:
    random = np.random.default_rng(first)
    rows = []
    for day in range(first, last):
        for place, shop in enumerate(SHOPS):
            value = 80 + 5 * place + 8 * random.normal()
            mood = ("calm", "busy", "wild")[int(np.digitize(value + 6 * random.normal(), [95, 115]))]
            rows.append(
                f"{shop},{BEGIN + timedelta(day)}T12:00:00Z,{value:.2f},{mood if random.random() < 0.95 else ''}"
            )
    return "\n".join(["shop,at,amount,mood", *rows, ""])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (folder / "data").mkdir()
    (folder / "data" / "shops.csv").write_text("shop,region\n" + "".join(f"{a},{b}\n" for a, b in SHOPS.items()))
    (folder / "data" / "sales_1.csv").write_text(lines(0, 110))
    (folder / "data" / "sales_2.csv").write_text(lines(110, 140))
    return open_project(folder, None, {})


@pytest.fixture(scope="module")
def turns(project):
    return {turn.model: turn for turn in loop.run(project, None, at("2025-05-01"))}


def test_the_definitions_are_sound(project):
    assert project.definitions.problems() == []
    level = project.model("level")
    assert (level.task, level.labels, level.metric) == ("multiclass", ("low", "usual", "high"), "f1_macro")
    assert project.model("mood").metric == "log_loss"


@pytest.mark.parametrize("name", ["level", "mood"])
def test_a_version_is_trained_judged_and_promoted(turns, name):
    turn = turns[name]
    assert turn.decision == "promote", turn.reasons
    found = turn.evaluation
    assert set(found.metrics) == {"accuracy", "log_loss", "brier", "f1_macro", "balanced_accuracy", "auc_ovr"}
    for metric in ("accuracy", "f1_macro", "balanced_accuracy", "auc_ovr"):
        assert found.metrics[metric] > found.baseline[metric] + 0.1
    for metric in ("log_loss", "brier"):
        assert found.metrics[metric] < found.baseline[metric]
    assert found.baseline["auc_ovr"] == 0.5
    assert found.intervals["f1_macro"].low < found.metrics["f1_macro"] < found.intervals["f1_macro"].high


def test_persistence_calls_the_band_of_the_last_value(turns):
    rival = turns["level"].evaluation.rivals["persistence (sales_amount_last)"]
    assert rival["accuracy"] > turns["level"].evaluation.baseline["accuracy"]
    assert set(rival) == set(turns["level"].evaluation.metrics)
    assert turns["level"].evaluation.folds[0].metrics["accuracy"] > 0.4
    assert turns["mood"].evaluation.rivals == {}  # of a category there is no earlier value among the features


def test_the_log_holds_the_label_and_every_probability(project, turns):
    rows = project.engine.rows(project.records.parquet_files("predictions"), "model = 'level'")
    assert len(rows) == 12
    for row in rows:
        scores = json.loads(row["scores"])
        assert list(scores) == ["low", "usual", "high"]
        assert sum(scores.values()) == pytest.approx(1, abs=1e-6)
        assert row["score"] == scores[row["label"]] == max(scores.values())
        assert row["positive"] is None and row.get("low") is None
    assert {row["label"] for row in rows} == {"low", "usual", "high"}


def test_a_training_set_and_a_file_of_predictions_have_labels_as_text(project, turns, tmp_path):
    actions.dataset(project, project.model("mood"), at("2025-05-01"), tmp_path / "set.csv")
    with (tmp_path / "set.csv").open() as file:
        found = list(csv.DictReader(file))
    assert {row["target"] for row in found} == {"calm", "busy", "wild"}  # where there was no mood, there is no row
    predicting.predict(project, project.model("mood"), at("2025-05-02"), Target(tmp_path / "scores.csv"))
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["entity", "t", "score", "label", "scores"]
    assert all(float(row["score"]) == json.loads(row["scores"])[row["label"]] for row in rows)


@pytest.mark.parametrize("name", ["level", "mood"])
def test_the_server_answers_with_the_probabilities_that_the_batch_has(project, turns, name, tmp_path):
    model, moment, files = project.model(name), at("2025-05-01"), project.serving(name)
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
            told = http.get("/model").json()
            schemas = http.get("/openapi.json").json()["components"]["schemas"]
    finally:
        running.should_exit = True
        thread.join()
        store.close()
        outbox.close()
    snapshot = take(project.engine, project.lake, model.tables(), moment)
    scored = steps.answer(project, steps.champion_at(project, model, moment), snapshot)
    batch = dict(zip(scored.observations.keys(), scored.answers.tolist(), strict=True))
    assert {shop: list(one["scores"].values()) for shop, one in answers.items()} == batch
    for one in answers.values():
        assert one["score"] == one["scores"][one["label"]] == max(one["scores"].values())
        assert not {"positive", "threshold"} & set(one)
    assert told["task"] == "multiclass" and told["labels"] == list(model.labels)
    properties = schemas["Prediction"]["properties"]
    assert not {"positive", "threshold"} & set(properties)
    assert properties["label"]["enum"] == list(model.labels)
    told_by = {"score", "label", "scores"}
    for one, also, row in zip(answers.values(), many, rows, strict=True):
        assert {**one, "request_id": ""} == {**also, "request_id": ""}
        assert {name: one[name] for name in told_by} == {name: row[name] for name in told_by}
    (tmp_path / "ready.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ready))
    source, target = str(tmp_path / "ready.jsonl"), Target(tmp_path / "scores.parquet")
    predicting.predict_rows(project, model, moment, source, target, bad=None, version=None)
    filed = [{name: row[name] for name in told_by} for row in project.engine.rows([str(target.path)])]
    asked = [{name: row[name] for name in told_by} for row in rows]
    assert [row | {"scores": json.loads(row["scores"])} for row in filed] == asked
    assert steps.collect_requests(project, model) == 3 * len(SHOPS)
    logged = project.engine.rows(
        project.records.parquet_files("predictions"), f"origin = 'request' and model = '{name}'"
    )
    assert {row["entity"]: list(json.loads(row["scores"]).values()) for row in logged} == batch


def test_what_matured_is_measured_and_the_labels_are_watched(project, turns):
    model = project.model("level")
    predicting.predict(project, model, at("2025-05-04"), None)
    found = watching.watch(project, model, at("2025-05-10"))["evidence"]
    assert set(found.realised.metrics) == set(turns["level"].evaluation.metrics)
    assert found.realised.metrics["accuracy"] > found.realised.baseline["accuracy"]
    score = next(one for one in found.drift if one.column == "score")
    assert score.test == "chi-square" and score.rows == 12


@pytest.mark.parametrize("name", ["level", "mood"])
def test_a_version_comes_out_byte_for_byte_and_is_compared(project, turns, name):
    found = proving.reproduce(project, project.model(name), "1")
    assert found["equal"], found
    assert found["largest_score_difference"] == 0.0
    again = proving.compare(project, project.model(name), ["1", "1"], at("2025-05-10"))
    assert again["versions"][1].gains["log_loss"].value == 0.0


@pytest.mark.parametrize("name", ["level", "mood"])
def test_the_report_shows_which_label_is_taken_for_which(project, turns, name, tmp_path):
    page, model = tmp_path / "page.html", project.model(name)
    found = reporting.report(project, model, at("2025-05-01"), "1", page)
    text = page.read_text()
    assert "Confusion" in text and all(label in text for label in model.labels)
    told = json.loads((project.registry.version(name, "1").folder / "report.json").read_text())
    cells = told["curves"]["confusion"]
    assert sum(one["rows"] for one in cells) == turns[name].evaluation.rows["test"]
    right = sum(one["rows"] for one in cells if one["actual"] == one["predicted"])
    assert right / turns[name].evaluation.rows["test"] == pytest.approx(turns[name].evaluation.metrics["accuracy"])
    assert found["numbers"][f"label.{model.labels[0]}.recall"]["rows"] > 0
    assert told["loss"] == "log loss" and told["fairness"] == {} and told["dependence"] == {}
    assert {one["actual"] for one in told["worst"]} <= set(model.labels)
    worst = (project.registry.version(name, "1").folder / "worst.csv").read_text().splitlines()
    assert worst[0].startswith("entity,t_at,actual,predicted,loss,")


@pytest.mark.parametrize(("name", "metric"), [("level", "mlogloss"), ("mood", "multi_logloss")])
def test_the_report_shows_the_loss_of_all_labels_by_round_and_comes_alive(project, turns, name, metric, tmp_path):
    page = tmp_path / "alive.html"
    reporting.report(project, project.model(name), at("2025-05-01"), "1", None, page)
    told = json.loads((project.registry.version(name, "1").folder / "report.json").read_text())
    history = told["grown"]["history"]
    assert history["metric"] == metric
    assert history["validation"][history["kept"] - 1] == min(history["validation"]) < history["validation"][0]
    text = page.read_text()
    assert f"{history['kept']} rounds kept: {metric}" in text
    for chart in ("confusion-wide", "history-wide"):
        assert f'<div class="live" id="{chart}"' in text
    assert ('<div class="live" id="folds-wide"' in text) == (name == "level")
