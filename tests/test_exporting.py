"""Versions taken elsewhere: every format of models with a decision, an interval and labels, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import onnx
import onnxruntime
import pytest
from tests.conftest import at
from tests.stages.serving.world import wait_until, write_version

from keepfit import actions, exporting, steps
from keepfit import artifact as artifacts
from keepfit.artifact import Predictor, interval_from, knots_from
from keepfit.cli import main
from keepfit.errors import RegistryError
from keepfit.project import Project, open_project
from keepfit.stages.registry import flavor
from keepfit.stages.registry.version import Version

pytestmark = pytest.mark.slow
DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, HistGradientBoosting, Model, RandomForest, Records, Training, XGBoost

shops = Records("shops", Files("shops.csv"), entity="shop", columns={"region": Category()})
sales = Events("sales", Files("sales.csv"), entity="shop", time="at", quiet="99d", columns={"amount": Float(unit="EUR")})
features = [sales.amount.sum(last="1d"), sales.amount.mean(last="7d"), sales.count(last="7d"), shops.region]
daily = Every("1 day", of=shops)
busy = Model(
    "busy", observe=daily, features=features, target=sales.amount.sum(next="1d") > 150,
    estimator=XGBoost(n_estimators=60, learning_rate=0.2), training=Training(calibrate="isotonic"),
)
takings = Model(
    "takings", observe=daily, features=features, target=sales.amount.sum(next="1d"),
    estimator=HistGradientBoosting(max_iter=40), training=Training(interval=0.8),
)
level = Model(
    "level", observe=daily, features=features, estimator=RandomForest(n_estimators=30),
    target=sales.amount.at("1d", tolerance="1d").band([120, 180], labels=("low", "usual", "high")),
)
"""
SHOPS = {f"s{place:02}": "north" if place % 2 else "south" for place in range(12)}
NOW = at("2025-06-30")
MODELS = ("busy", "takings", "level")
LOADABLE = {"artifact.json", "profile.json", *flavor.FILES}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("exported")
    random = np.random.default_rng(1)
    rows = [
        f"{shop},{date(2025, 1, 1) + timedelta(day)}T12:00:00Z,{100 + 10 * place + 25 * random.normal():.2f}"
        for day in range(180)
        for place, shop in enumerate(SHOPS)
    ]
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "data").mkdir()
    (folder / "data" / "shops.csv").write_text("shop,region\n" + "".join(f"{a},{b}\n" for a, b in SHOPS.items()))
    (folder / "data" / "sales.csv").write_text("\n".join(["shop,at,amount", *rows, ""]))
    project = open_project(folder, None, {})
    for name in MODELS:
        actions.train(project, project.model(name), NOW)
    return project


def exported(project: Project, name: str, form: str, target: Path, **options) -> dict:
    return exporting.export(project, project.model(name), "1", NOW, form, target, **options)


def loaded(project: Project, name: str) -> steps.Loaded:
    return steps.load(project.registry.version(name, "1"))


def features(project: Project, name: str, rows: int = 50) -> dict[str, np.ndarray]:
    kept = loaded(project, name).artifact
    told = kept.lineage["training_set"]
    columns = project.engine.columns(project.records.parquet_files(told["table"], told["version"]))
    return {one: columns[one][:rows] for one in kept.features}


def props(path: Path) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(path).metadata_props}


def test_an_onnx_answers_as_the_version_with_nothing_but_what_it_says_of_itself(project, tmp_path) -> None:
    for name in MODELS:
        found = exported(project, name, "onnx", tmp_path / name)
        assert found["rows"] >= 1000
        assert found["largest_difference"] == 0.0
        said = props(tmp_path / name / "model.onnx")
        own = features(project, name)
        # encoded by what the file says, not by keepfit
        matrix = np.empty((50, len(own)), np.float32)
        for place, feature in enumerate(json.loads(said["keepfit.features"])):
            values = own[feature["name"]]
            codes = {label: code for code, label in enumerate(feature.get("labels", ()))}
            matrix[:, place] = [codes.get(one, np.nan) for one in values] if codes else values
        calibration, interval = (json.loads(said.get(f"keepfit.{one}", "null")) for one in ("calibration", "interval"))
        bounds = [(tmp_path / name / one).read_bytes() for one in ("low.onnx", "high.onnx") if interval]
        predictor = Predictor(
            (tmp_path / name / "model.onnx").read_bytes(),
            knots_from(calibration), interval_from(interval), bounds, len(json.loads(said.get("keepfit.labels", "[]"))),
        )  # fmt: skip
        assert np.array_equal(predictor.score(matrix), loaded(project, name).answer(own))


def test_an_onnx_says_what_it_is(project, tmp_path) -> None:
    exported(project, "busy", "onnx", tmp_path / "busy")
    said, one = props(tmp_path / "busy" / "model.onnx"), loaded(project, "busy")
    assert (said["keepfit.model"], said["keepfit.version"]) == ("busy", "1")
    assert said["keepfit.definition"] == one.artifact.lineage["definition"]
    assert said["keepfit.evidence"] == one.version.evidence
    assert json.loads(said["keepfit.lineage"]) == one.artifact.lineage
    assert json.loads(said["keepfit.threshold"]) == one.artifact.threshold
    assert said["keepfit.positive"].startswith("score >= threshold: ")
    told = json.loads(said["keepfit.features"])
    assert [feature["name"] for feature in told] == list(one.artifact.features)
    assert [feature["unit"] for feature in told] == ["EUR", "EUR", None, None]
    assert [feature["type"] for feature in told] == ["number", "number", "number", "category"]
    assert told[3]["labels"] == ["north", "south"]
    session = onnxruntime.InferenceSession(tmp_path / "busy" / "model.onnx")
    assert json.loads(said["keepfit.input"])["name"] == session.get_inputs()[0].name
    assert json.loads(said["keepfit.output"])["name"] == session.get_outputs()[-1].name
    exported(project, "takings", "onnx", tmp_path / "takings")
    assert json.loads(props(tmp_path / "takings" / "model.onnx")["keepfit.interval"])["share"] == 0.8


def test_float16_is_measured_on_real_rows_and_says_so(project, tmp_path) -> None:
    for name in MODELS:
        found = exported(project, name, "onnx-fp16", tmp_path / name)
        one, own = loaded(project, name), features(project, name, 100_000)
        assert found["rows"] >= 1000
        assert found["bytes_after"] < 0.75 * found["bytes_before"]
        # a leaf of the compact operator has one label: trees of several are told again for each, which gzip knew
        assert (found["gzip_after"] < found["gzip_before"]) == (name != "level")
        files = {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.onnx")}
        rows = artifacts.encode(own, one.artifact.features, one.artifact.categories)
        differs = np.abs(exporting._predictor(one, files).score(rows) - one.predictor.score(rows))
        assert 0 < found["largest_difference"] <= differs.max()  # of all rows, those measured are the newest
        said = json.loads(props(tmp_path / name / "model.onnx")["keepfit.float16"])
        assert said == {key: found[key] for key in said}
        assert (said["flipped"] is None) == (name == "takings")
        assert said["flipped"] is None or said["flipped"] <= 0.05 * said["rows"]


def test_decisions_that_flip_are_counted(project) -> None:
    busy, level = loaded(project, "busy"), loaded(project, "level")
    t = busy.artifact.threshold
    assert exporting.flipped(busy, np.array([t, t, 0.0]), np.array([t - 0.01, t + 0.01, t])) == 2
    own, other = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]), np.array([[0.4, 0.5, 0.1], [0.3, 0.4, 0.3]])
    assert exporting.flipped(level, own, other) == 1


def test_native_files_are_those_of_the_version(project, tmp_path) -> None:
    stems = ("model", "low", "high")
    names = {
        "busy": {"model.ubj", "model.onnx"},
        "takings": {f"{one}.{end}" for one in stems for end in ("skops", "onnx")},
    }
    for name, models in names.items():
        expected = models | LOADABLE
        exported(project, name, "native", tmp_path / name)
        files = {path.name for path in (tmp_path / name).iterdir()} - {"export.json"}
        assert files == expected
        version = project.registry.version(name, "1")
        assert all((tmp_path / name / one).read_bytes() == (version.folder / one).read_bytes() for one in models)
        said = json.loads((tmp_path / name / "export.json").read_bytes())
        assert (said["format"], said["version"], set(said["files"])) == ("native", "1", expected)


def test_a_version_without_native_files_says_how_to_get_them(project, tmp_path) -> None:
    pointer = write_version(tmp_path, "7")
    one = steps.load(Version("churn", "7", tmp_path / "7", pointer.digest, 0, 0, None))
    with pytest.raises(RegistryError, match="has no file in its library's own format") as error:
        exporting.FORMATS["native"](project, one)
    assert "keepfit[skops]" in error.value.fix


@pytest.mark.parametrize("form", list(exporting.FORMATS))
def test_the_same_version_makes_the_same_bytes(project, tmp_path, form: str) -> None:
    for place in ("one", "other"):
        exported(project, "takings", form, tmp_path / place)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files == sorted(
        one.relative_to(tmp_path / "other") for one in (tmp_path / "other").rglob("*") if one.is_file()
    )
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "other" / path).read_bytes() for path in files)


def test_what_is_there_is_written_over_only_by_force_and_only_if_it_is_an_export(project, tmp_path) -> None:
    exported(project, "busy", "onnx", tmp_path / "out")
    (tmp_path / "out" / "model.onnx").write_bytes(b"old")
    with pytest.raises(RegistryError, match="is there already") as error:
        exported(project, "busy", "onnx", tmp_path / "out")
    assert "--force" in error.value.fix
    assert (tmp_path / "out" / "model.onnx").read_bytes() == b"old"
    exported(project, "busy", "native", tmp_path / "out", force=True)
    models = {"model.ubj", "model.onnx"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == models | LOADABLE | {"export.json"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(RegistryError, match="is no export"):
        exported(project, "busy", "onnx", tmp_path / "mine", force=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


def test_an_unknown_version_or_format_or_one_of_later_is_refused(project, tmp_path) -> None:
    model = project.model("busy")
    for number, as_of, form, what in (
        ("9", NOW, "onnx", "busy has no version '9'"),
        ("1", NOW, "onxx", "there is no format 'onxx'"),
        ("1", at("2025-01-31"), "onnx", "was trained as of"),
    ):
        with pytest.raises(RegistryError, match=what) as error:
            exporting.export(project, model, number, as_of, form, tmp_path / "never")
        assert error.value.fix
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("name", MODELS)
def test_an_image_s_server_answers_what_the_version_answers_and_writes_nothing(project, tmp_path, name: str) -> None:
    folder = tmp_path / name
    exported(project, name, "docker", folder)
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert not [path for path in before if path.name in ("worst.csv", "evaluation.html", "MLmodel")]
    # the exported package, not the installed one
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "keepfit", "serve", "--artifact", "artifact", "--port", "0", "--json"]
    running = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        told = json.loads("".join(iter(running.stdout.readline, "}\n")) + "}")
        assert told["model"] == name
        own = features(project, name)
        rows = [
            {key: None if one is None or one != one else one for key, one in zip(own, row, strict=True)}
            for row in zip(*(values.tolist() for values in own.values()), strict=True)
        ]
        with httpx.Client(base_url=told["url"], timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200)
            answer = http.post("/predict/rows", json={"rows": rows}).json()
    finally:
        running.terminate()
        assert running.wait(timeout=20) is not None
        running.stdout.close()
    assert (answer["model"], answer["version"]) == (name, "1")
    names = {"busy": ["score"], "takings": ["score", "low", "high"], "level": ["scores"]}[name]
    found = [[one[key] for key in names] for one in answer["answers"]]
    values = [list(row[0].values()) if name == "level" else row for row in found]
    assert np.array_equal(np.squeeze(values), loaded(project, name).answer(own))
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before


def test_the_command_prints_what_it_lost(project, tmp_path, capsys, monkeypatch) -> None:
    where = ["--project", str(project.folder), "--as-of", "2025-06-30"]
    words = ["export", "busy", "1", "--format", "onnx-fp16", *where]
    monkeypatch.setattr(sys, "argv", ["keepfit", *words])
    main()
    shown = capsys.readouterr().out
    assert f"busy version 1 as onnx-fp16: {project.folder / 'exports' / 'busy-1-onnx-fp16'}" in shown
    assert " without rounding); compressed " in shown
    assert "flipped decisions: " in shown
    monkeypatch.setattr(sys, "argv", ["keepfit", *words, "--json", "--to", str(tmp_path / "out")])
    main()
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["path"]) == ("onnx-fp16", str(tmp_path / "out"))
    assert found["bytes_after"] < found["bytes_before"]
