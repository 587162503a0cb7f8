"""A training as MLflow and Comet show it: what went in, what came out, how it ended. Real stores, nothing imitated."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from tests.conftest import at
from tests.stages.serving.world import port_of, wait_until

from keepfit import Sklearn, Training, actions, exporting, loop, predicting, proving
from keepfit.errors import MissingExtra, TrainingError
from keepfit.project import open_project
from keepfit.stages.registry.tracking import Tracked
from keepfit.stages.serving.server import bind
from keepfit.steps.targets import Target

DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Model, Policy, Records, Training, XGBoost, when

shops = Records("shops", Files("shops.csv"), entity="shop", columns={"kind": Category()})
sales = Events("sales", Files("sales*.csv"), entity="shop", time="at", columns={"amount": Float()}, quiet="99d")
takings = Model(
    "takings", observe=Every("1 day", of=shops),
    features=[sales.amount.sum(last="1d"), sales.amount.mean(last="7d"), shops.kind],
    target=sales.amount.sum(next="1d"), estimator=XGBoost(n_estimators=20),
    training=Training(folds=2, half_life="60d", hold_out=0.1),
    policy=Policy(retrain=when.older_than("10d")),
)
"""
SHOPS = [f"shop{place}" for place in range(20)]
BEGIN = date(2025, 1, 1)
APRIL, MAY = at("2025-04-01"), at("2025-05-01")


class Raising(Ridge):
    """An estimator that raises when it is half way."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803 - as scikit-learn calls it
        raise RuntimeError(f"row {len(X) // 2} is odd")


class Interrupted(Ridge):
    """An estimator whose user has had enough."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a project with one version, which its first turn promoted."""
    folder = tmp_path_factory.mktemp("a shop & its takings")
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (folder / "data").mkdir()
    kinds = [f"{shop},{'' if place == 0 else 'corner' if place % 2 else 'mall'}" for place, shop in enumerate(SHOPS)]
    (folder / "data" / "shops.csv").write_text("shop,kind\n" + "\n".join(kinds) + "\n")
    rows = [
        f"{shop},{BEGIN + timedelta(day)}T12:00:00Z,{100 + 40 * place + 30 * math.sin(day / 5 + place):.2f}"
        for day in range(130)
        for place, shop in enumerate(SHOPS)
    ]
    (folder / "data" / "sales_1.csv").write_text("\n".join(["shop,at,amount", *rows, ""]))
    project = open_project(folder, None, {})
    assert loop.run(project, None, APRIL)[0].decision == "promote"
    return project


def run_of(project, estimator):
    """Return the one run of an estimator."""
    client = project.registry.client
    found = client.search_runs([client.get_experiment_by_name("takings").experiment_id])
    (run,) = [one for one in found if one.data.params.get("estimator") == estimator]
    return run


def first_run(project):
    client = project.registry.client
    return client.get_run(client.get_model_version("takings", "1").run_id)


def text(project, run, path):
    return (project.outcomes / "artifacts" / run.info.run_id / "artifacts" / path).read_text(encoding="utf-8")


# what a run shows


def test_a_run_has_what_was_asked_and_what_came_out(opened):
    run, evaluation = first_run(opened), proving.evidence_of(opened.registry.version("takings", "1"))
    asked = run.data.params
    assert (asked["estimator"], asked["seed"], asked["half_life"], asked["hold_out"]) == ("xgboost", "7", "60d", "0.1")
    assert int(asked["n_estimators"]) <= 20
    assert int(asked["train_rows"]) == evaluation["rows"]["train"]
    found = run.data.metrics
    interval = evaluation["intervals"]["rmse"]
    assert found["test_rmse"] == evaluation["metrics"]["rmse"]
    assert (found["test_rmse_low"], found["test_rmse_high"]) == (interval["low"], interval["high"])
    assert found["baseline_rmse"] == evaluation["baseline"]["rmse"]
    assert found["held_out_rmse"] == evaluation["held_out"]["rmse"]
    assert {name for name in found if name.startswith("rival_")} >= {"rival_persistence_rmse"}
    assert run.info.status == "FINISHED"
    assert run.info.end_time >= run.info.start_time == APRIL // 1000


def test_folds_are_steps_with_moments_of_their_own(opened):
    run, folds = first_run(opened), proving.evidence_of(opened.registry.version("takings", "1"))["folds"]
    history = opened.registry.client.get_metric_history(run.info.run_id, "fold_rmse")
    assert [(one.step, one.value) for one in history] == [
        (0, folds[0]["metrics"]["rmse"]),
        (1, folds[1]["metrics"]["rmse"]),
    ]
    assert [one.timestamp for one in history] == [at(fold["to_at"]) // 1000 for fold in folds]
    values = [fold["metrics"]["rmse"] for fold in folds]
    assert run.data.metrics["fold_rmse_mean"] == pytest.approx(np.mean(values))
    assert run.data.metrics["fold_rmse_std"] == pytest.approx(np.std(values, ddof=1))


def test_boosting_shows_its_rounds(opened):
    run = first_run(opened)
    for side in ("train", "validation"):
        history = opened.registry.client.get_metric_history(run.info.run_id, f"{side}_rmse")
        assert [one.step for one in history] == list(range(20))
        assert history[-1].value < history[0].value


def test_what_was_read_are_inputs_with_versions(opened):
    inputs = {one.dataset.name: (one.dataset, one.tags[0].value) for one in first_run(opened).inputs.dataset_inputs}
    assert {name: role for name, (_, role) in inputs.items()} == {
        "training/takings": "training", "source/shops": "source", "source/sales": "source",
    }  # fmt: skip
    lineage = json.loads(first_run(opened).data.tags["keepfit.lineage"])
    sales = json.loads(inputs["source/sales"][0].source)
    assert sales["delta_table_version"] == lineage["tables"]["sales"]
    assert json.loads(inputs["source/sales"][0].profile)["num_rows"] == 130 * len(SHOPS)
    schema = json.loads(inputs["training/takings"][0].schema)["mlflow_colspec"]
    assert {"name": "shops_kind", "type": "string"} in schema
    assert {"name": "target", "type": "double"} in schema


def test_the_page_the_lineage_and_the_pictures_are_artifacts(opened):
    run = first_run(opened)
    files = {one.path for one in opened.registry.client.list_artifacts(run.info.run_id, "figures")}
    assert {"figures/predicted_and_actual.svg", "figures/errors.svg", "figures/importance.svg"} <= files
    picture = text(opened, run, "figures/importance.svg")
    assert picture.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and picture.endswith("</svg>")
    assert json.loads(text(opened, run, "lineage.json")) == json.loads(run.data.tags["keepfit.lineage"])
    assert text(opened, run, "model/evaluation.html").startswith("<!doctype html>")


def test_a_run_says_what_it_cost(opened):
    found = first_run(opened).data.metrics
    assert found["system/cpu_seconds"] > 0
    assert 0 < found["system/seconds"] < 600
    assert 50 < found["system/peak_memory_mb"] < 100_000


def test_every_stage_of_the_turn_is_a_line(opened):
    lines = [json.loads(line) for line in opened.stages.read_text().splitlines()]
    assert [one["stage"] for one in lines if one["as_of"] == "2025-04-01T00:00:00Z"] == [
        "ingest", "registry", "predict", "watch", "features", "train", "promote", "predict",
    ]  # fmt: skip
    of = {one["stage"]: one for one in lines}
    assert of["ingest"]["rows_out"] == 130 * len(SHOPS) + len(SHOPS)
    assert of["train"]["rows_in"] == of["features"]["rows_out"] > 1000
    assert (of["ingest"]["model"], of["train"]["model"]) == (None, "takings")


# the model, as MLflow loads it


def test_mlflow_reads_a_signature_and_an_example_that_hold_no_time_and_no_chance(opened):
    folder = opened.registry.version("takings", "1").folder
    model = json.loads((folder / "MLmodel").read_text())
    inputs = json.loads(model["signature"]["inputs"])
    assert [(one["name"], one["type"]) for one in inputs] == [
        ("sales_amount_sum_1d", "double"), ("sales_amount_mean_7d", "double"), ("shops_kind", "string"),
    ]  # fmt: skip
    example = json.loads((folder / "input_example.json").read_text())
    assert example["columns"] == [one["name"] for one in inputs]
    assert len(example["data"]) == 3
    assert model["utc_time_created"] == "2025-04-01 00:00:00+00:00"
    assert model["model_uuid"] == opened.registry.version("takings", "1").digest[:32]


def test_a_version_is_still_built_anew_byte_for_byte(opened):
    assert proving.reproduce(opened, opened.model("takings"), "1")["equal"]


LOADS = """
import json, sys, pandas, mlflow
uri, scores, *exported = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
loaded = mlflow.pyfunc.load_model("models:/takings@champion")
rows = json.loads(open(scores).read())
frame = pandas.DataFrame([{one.name: row[one.name] for one in loaded.metadata.signature.inputs} for row in rows])
assert frame["shops_kind"].isna().any()
print(json.dumps(loaded.predict(frame)["score"].tolist()), len(loaded.predict(loaded.input_example)), sep="\\n")
print(json.dumps([mlflow.pyfunc.load_model(folder).predict(frame)["score"].tolist() for folder in exported]))
try:
    loaded.predict(frame.drop(columns="shops_kind"))
except Exception as error:
    print(error)
"""
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def with_pandas():
    """Return the Python of the environment of `make mlflow`: with MLflow's server and pandas, which the tests do without."""
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    place = ROOT / ".venv-ui"
    told = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"} | {
        "UV_PROJECT_ENVIRONMENT": str(place)
    }
    command = [uv, "sync", "--frozen", "--quiet", "--no-dev", "--extra", "ui", "--project", str(ROOT)]
    subprocess.run(command, env=told, check=True)
    return place / "bin" / "python"


@pytest.fixture(scope="module")
def batch(opened):
    """Return what a batch answers, row by row, with the features."""
    scored = predicting.predict(opened, opened.model("takings"), APRIL, Target(opened.folder / "scores.parquet"))
    return [{**row, "t": 0} for row in opened.engine.rows([scored["path"]])]


def test_mlflow_loads_the_champion_and_its_exports_and_they_answer_what_the_batch_answers(
    opened, batch, with_pandas, tmp_path
):
    (opened.folder / "scores.json").write_text(json.dumps(batch))
    forms = {form: tmp_path / form for form in ("onnx", "native")}
    for form, folder in forms.items():
        exporting.export(opened, opened.model("takings"), "1", APRIL, form, folder)
    done = subprocess.run(
        [with_pandas, "-c", LOADS, opened.registry.uri, str(opened.folder / "scores.json"), *forms.values()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores, example, exports, *refusal = done.stdout.splitlines()
    assert [json.loads(scores), *json.loads(exports)] == [[row["score"] for row in batch]] * 3
    assert example == "3"
    assert "missing inputs ['shops_kind']" in " ".join(refusal)


def test_mlflow_serves_the_champion_and_it_answers_what_the_batch_answers(opened, batch, with_pandas, tmp_path):
    features = [one.name for one in opened.model("takings").features]
    listener = bind("127.0.0.1", 0)
    port = port_of(listener)
    listener.close()
    command = [
        with_pandas,
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        "models:/takings@champion",
        "--env-manager",
        "local",
    ]
    told = os.environ | {"MLFLOW_TRACKING_URI": opened.registry.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    told["PATH"] = f"{with_pandas.parent}:{told['PATH']}"  # MLflow starts uvicorn by its name
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            env=told, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            wait_until(lambda: is_there(http, process), seconds=120)
            rows = [[row[name] for name in features] for row in batch]
            answer = http.post("/invocations", json={"dataframe_split": {"columns": features, "data": rows}})
            refusal = http.post("/invocations", json={"dataframe_split": {"columns": features[:1], "data": [[1.0]]}})
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    assert answer.status_code == 200, answer.text
    assert [one["score"] for one in answer.json()["predictions"]] == [row["score"] for row in batch]
    assert refusal.status_code == 400 and "shops_kind" in refusal.text


def is_there(http, process):
    assert process.poll() is None, "it ended"
    try:
        return http.get("/ping").status_code == 200
    except httpx.TransportError:
        return False


# how it ends


def test_a_training_that_raises_is_a_failed_run_and_the_champion_stays(opened):
    model = replace(opened.model("takings"), estimator=Sklearn(f"{__name__}:Raising", alpha=3.0), training=Training())
    before = opened.registry.champion("takings")
    turn = loop.turn(opened, model, MAY)
    run = run_of(opened, f"{__name__}:Raising")
    assert turn.decision == "keep"
    assert any("Raising failed on" in reason and "is odd" in reason for reason in turn.reasons)
    assert f"MLflow run {run.info.run_id} is marked FAILED and has the whole error" in turn.reasons
    assert opened.registry.champion("takings") == before
    assert len(opened.registry.versions("takings")) == 1
    assert run.info.status == "FAILED"
    assert run.data.params["alpha"] == "3.0"
    assert "keepfit.lineage" not in run.data.tags
    assert "keepfit.definition" in run.data.tags
    said = text(opened, run, "error.txt")
    assert "Traceback" in said and "in fit" in said and "is odd" in said


def test_a_training_that_is_interrupted_is_a_killed_run(opened):
    model = replace(opened.model("takings"), estimator=Sklearn(f"{__name__}:Interrupted"), training=Training())
    with pytest.raises(KeyboardInterrupt) as raised:
        actions.train(opened, model, MAY)
    run = run_of(opened, f"{__name__}:Interrupted")
    assert run.info.status == "KILLED"
    assert raised.value.__notes__ == [f"MLflow run {run.info.run_id} is marked KILLED and has the whole error"]
    assert "KeyboardInterrupt" in text(opened, run, "error.txt")
    last = json.loads(opened.stages.read_text().splitlines()[-1])
    assert (last["stage"], last["failed"]) == ("train", "KeyboardInterrupt")


def test_a_run_that_a_kill_left_open_is_closed_by_the_next_training(opened):
    left = opened.registry.begin(Tracked("takings", MAY))
    client = opened.registry.client
    assert client.get_run(left.id).info.status == "RUNNING"
    opened.registry.begin(Tracked("takings", MAY)).end("FINISHED", 0.0)
    assert client.get_run(left.id).info.status == "KILLED"


# while somebody works on a definition

DRAFTS = """
import json, sys
from pathlib import Path
from keepfit import actions
from keepfit.project import open_project
project = open_project(Path(sys.argv[1]), None, {})
found = actions.draft(project, project.model("takings"), int(sys.argv[2]))
print(json.dumps([found["version"], found["evaluation"].metrics["rmse"], found["evaluation"].baseline["rmse"]]))
print("mlflow" in sys.modules, "xgboost" in sys.modules)
"""


def test_a_draft_is_judged_and_leaves_nothing(opened):
    def left():
        state = {path for path in opened.state.rglob("*") if path.is_file() and path != opened.stages}
        return {path for path in state if "duckdb" not in path.name and "__pycache__" not in path.parts}

    before = left()
    done = subprocess.run(
        [sys.executable, "-c", DRAFTS, str(opened.folder), str(APRIL)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found, loaded = done.stdout.splitlines()
    version, rmse, constant = json.loads(found)
    assert version is None
    assert rmse < 0.8 * constant
    assert loaded.split()[0] == "False"
    assert left() == before


# Comet


@pytest.fixture(scope="module")
def archive(opened):
    """Return the archive of a training, as a zip file."""
    variables = {
        "KEEPFIT__TRACKING__COMET__PROJECT": "shops",
        "COMET_API_KEY": "",
        "KEEPFIT__TRACKING__URI": opened.registry.uri,
    }
    told = open_project(opened.folder, None, variables)
    actions.train(told, told.model("takings"), MAY)
    (found,) = (opened.outcomes / "comet").glob("*.zip")
    with zipfile.ZipFile(found) as content:
        yield content


def messages(archive):
    return [json.loads(line) for line in archive.read("messages.json").splitlines()]


def test_comet_is_told_parameters_metrics_and_series(archive):
    said = messages(archive)
    parameters = {one["payload"]["param"]["paramName"]: one for one in said if one["type"] == "parameter_msg"}
    metrics = [one["payload"]["metric"] for one in said if one["type"] == "metric_msg"]
    assert {"half_life", "n_estimators", "threshold"} <= set(parameters)
    assert {"test_rmse", "baseline_rmse", "fold_rmse"} <= {one["metricName"] for one in metrics}
    assert sorted(one["step"] for one in metrics if one["metricName"] == "fold_rmse") == [0, 1]
    assert json.loads(archive.read("experiment.json"))["project_name"] == "shops"


def test_comet_looks_at_nothing_by_itself(archive):
    kinds = {one["type"] for one in messages(archive)}
    assert kinds & {"standard_output", "os_packages", "git_metadata", "system_details", "installed_packages"} == set()


def test_without_comet_the_extra_is_named(opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "comet_ml", None)
    from keepfit.spec.settings import Comet
    from keepfit.stages.registry.comet import CometRun

    with pytest.raises(MissingExtra) as raised:
        CometRun(Tracked("takings", MAY), Comet(), opened.outcomes, {})
    assert raised.value.fix == "pip install 'keepfit[comet]'"


def test_a_training_that_cannot_begin_is_a_failed_run_too(opened):
    model = replace(opened.model("takings"), training=Training(test="100d"))
    with pytest.raises(TrainingError, match="a test of 100d leaves too little before it") as raised:
        actions.train(opened, model, APRIL)
    client = opened.registry.client
    found = client.search_runs([client.get_experiment_by_name("takings").experiment_id], "attributes.status = 'FAILED'")
    (run,) = (one for one in found if any(one.info.run_id in note for note in raised.value.notes))
    assert run.data.params["test"] == "100d"
    assert "error.txt" in [one.path for one in client.list_artifacts(run.info.run_id)]
    with pytest.raises(TrainingError) as drafted:
        actions.draft(opened, model, APRIL)
    assert drafted.value.notes == ()
