"""A project with every word of `Training`: what is served is calibrated, and a training that fails changes nothing."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from keepfit import Cost, Logistic, Training, clock, loop, steps
from keepfit.artifact import read_pointer
from keepfit.begin import begin
from keepfit.evidence import KEEP, PROMOTE
from keepfit.project import Project, open_project
from keepfit.snapshot import take
from keepfit.spec.model import Model
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.sqlite import SQLiteStore

pytestmark = pytest.mark.slow
FIRST, LATER = (clock.to_micros(datetime(2025, month, 1, tzinfo=UTC)) for month in (10, 11))
WORDS = Training(
    class_weight="balanced",
    half_life="360d",
    monotone={"sales_count_30d": -1},
    calibrate="isotonic",
    cost=Cost(false_positive=1, false_negative=5),
    hold_out=0.1,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("projects") / "shop"
    begin(folder, "shop", "dev", LATER, 7)
    return open_project(folder, None, {})


@pytest.fixture(scope="module")
def model(shop: Project) -> Model:
    return replace(shop.model("churn"), training=WORDS, gates=(), metric="cost")


@pytest.fixture(scope="module")
def first(shop: Project, model: Model) -> loop.Turn:
    return loop.turn(shop, model, FIRST)


def test_the_words_are_acted_on_and_their_numbers_recorded(shop, first):
    assert first.decision == PROMOTE, first.reasons
    assert first.evaluation is not None
    assert first.evaluation.metrics["cost"] < first.evaluation.baseline["cost"]
    assert first.evaluation.estimate.value == first.evaluation.metrics["cost"]
    assert 50 < first.evaluation.rows["held_out"] < first.evaluation.rows["test"] / 3
    assert 0 < first.evaluation.held_out["cost"] < first.evaluation.baseline["cost"]
    before, after = first.evaluation.uncalibrated, first.evaluation.metrics
    assert set(before) == {"log_loss", "brier", "ece"}
    # steps of 0 and 1 on few rows: nearer to the rates, and too sure
    assert after["ece"] < before["ece"] and after["log_loss"] > before["log_loss"]
    assert any(one.startswith("warning: the calibration made log_loss worse") for one in first.reasons)
    told = json.loads((shop.registry.champion("churn").folder / "report.json").read_text())
    assert told["numbers"]["uncalibrated.ece"]["value"] == before["ece"]
    page = (shop.registry.champion("churn").folder / "evaluation.html").read_text()
    assert "Warning: the calibration made log_loss worse" in page
    manifest = json.loads((shop.registry.champion("churn").folder / "artifact.json").read_text())
    assert manifest["format"] == 2
    assert manifest["definition"]["model"]["training"]["calibrate"] == "isotonic"


def test_batch_and_request_are_calibrated_to_the_same_bits(shop, model, first):
    loaded = steps.champion_at(shop, model, FIRST)
    knots = loaded.artifact.calibration
    snapshot = take(shop.engine, shop.lake, model.tables(), FIRST)
    scored = steps.answer(shop, loaded, snapshot)
    files = shop.serving("churn")
    pointer = read_pointer(files.pointer)
    observed = list(zip(scored.observations.keys(), scored.observations.t, scored.score, strict=True))
    assert len(observed) > 100
    with closing(SQLiteStore(files.store)) as store:
        scorer = Scorer(pointer, files.pointer.parent / pointer.folder, store)
        for entity, t, score in observed[:60]:
            (answer,) = scorer.answers(scorer.matrix([scorer.features(str(entity), int(t))]))
            assert answer == score
    assert np.isin(scored.score, knots.to).mean() > 0.3  # steps: many scores lie on one


def test_a_training_that_fails_leaves_the_champion_and_says_why(shop, model, first, monkeypatch):
    def fit(task, rows, validation):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("keepfit.stages.training.grow.find", lambda kind: fit)
    before = shop.registry.champion("churn")
    other = replace(model, estimator=Logistic(), training=replace(WORDS, monotone={}))
    turn = loop.turn(shop, other, LATER)
    assert turn.decision == KEEP
    *_, failed, run = turn.reasons
    assert "the training failed: Logistic failed on" in failed
    assert "is marked FAILED" in run
    assert failed.endswith("RuntimeError: out of luck")
    assert shop.registry.champion("churn") == before
