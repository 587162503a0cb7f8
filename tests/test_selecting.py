"""A training that leaves out features which do not help, and says which ones to ask about."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from tests.conftest import at
from tests.test_proving import DEFINITIONS, SHOPS, lines

from keepfit import Training, actions, loop, proving
from keepfit.cli import main
from keepfit.errors import DefinitionError
from keepfit.evidence import FeatureNote, evaluation_from
from keepfit.project import open_project
from keepfit.stages.evaluation.review import review, with_unused
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.training import selecting
from keepfit.steps import load

MORE = 'sales.amount.mean(last="1d"), sales.count(last="1d"), sales.amount.sum(last="2d"),'
WORDS = "estimator=XGBoost(n_estimators=20), training=Training(select=Select(folds=2)),"


def opened(tmp_path, words=WORDS):
    text = DEFINITIONS.replace("estimator=XGBoost(n_estimators=20),", words)
    text = text.replace("Records, XGBoost", "Records, Select, Training, XGBoost").replace(
        "features=[", f"features=[{MORE}"
    )
    (tmp_path / "definitions.py").write_text(text)
    (tmp_path / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shops.csv").write_text("shop\n" + "\n".join(SHOPS) + "\n")
    (tmp_path / "data" / "sales_1.csv").write_text(lines(0, 120))
    return open_project(tmp_path, None, {})


def test_a_selection_keeps_what_helps_and_a_version_is_of_what_it_kept(tmp_path):
    one = opened(tmp_path)
    model = one.model("takings")
    declared = [feature.name for feature in model.inputs()]
    found = actions.train(one, model, at("2025-05-01"))["evaluation"]

    notes = {note.feature: note for note in found.features}
    assert list(notes) == declared
    # the sum of one sale a day is its mean
    assert (notes["sales_amount_sum_1d"].about, notes["sales_amount_sum_1d"].kept) == ("redundant", False)
    assert "sales_amount_mean_1d" in notes["sales_amount_sum_1d"].reason
    assert not notes["sales_count_1d"].kept
    assert notes["sales_amount_mean_1d"].kept
    # a rule may use what the model does not learn from
    assert list(found.rivals) == ["persistence (sales_amount_sum_1d)"]
    assert len(notes["sales_amount_mean_1d"].folds) == 2
    kept = [name for name, note in notes.items() if note.kept]

    version = load(one.registry.version("takings", "1"))
    assert list(version.artifact.features) == kept
    assert [feature.name for feature in version.artifact.model.inputs()] == kept
    assert evaluation_from(evidence_of(version.version)).features == found.features
    assert proving.reproduce(one, model, "1")["equal"]


def test_folds_may_not_get_worse_in_the_score_either_where_the_metric_is_of_bounds():
    actual = np.arange(20.0)
    bounds = np.stack([actual - 1, actual + 1], axis=1)

    def grown(error):
        answers = np.column_stack([actual + error, bounds])
        return SimpleNamespace(
            split=SimpleNamespace(test=np.ones(20, bool)),
            matrix=np.zeros((20, 1)),
            threshold=0.5,
            answers=lambda _: answers,
        )

    def judged(metric):
        return SimpleNamespace(metric=metric, training=Training(interval=0.9))

    assert selecting._worse(judged("pinball"), [grown(0.1)], [grown(0.3)], actual)
    assert not selecting._worse(judged("pinball"), [grown(0.3)], [grown(0.1)], actual)


def test_a_version_with_fewer_features_is_promoted_answers_and_is_no_other_definition(tmp_path):
    one = opened(tmp_path)
    first = loop.run(one, None, at("2025-04-01"))[0]
    assert first.decision == "promote"
    second = loop.run(one, None, at("2025-04-02"))[0]
    assert second.rows["predicted"] == 3
    assert not any("definition" in reason or "features changed" in reason for reason in second.reasons)


def test_what_is_to_be_asked_of_features_is_shown_and_kept(tmp_path, capsys, monkeypatch):
    one = opened(tmp_path, "estimator=XGBoost(n_estimators=20),")
    actions.train(one, one.model("takings"), at("2025-05-01"))
    folder = one.registry.version("takings", "1").folder
    told = json.loads((folder / "report.json").read_text())
    about = {note["feature"]: note["about"] for note in told["features"]}
    assert about["sales_amount_sum_1d"] == "redundant"
    assert told["numbers"]["alone.sales_amount_mean_1d"]["value"] > 0.9
    assert "says what another says" in (folder / "evaluation.html").read_text()
    said = ["keepfit", "report", "takings", "--project", str(tmp_path), "--as-of", "2025-05-01"]
    monkeypatch.setattr(sys, "argv", said)
    monkeypatch.setenv("COLUMNS", "200")
    main()
    assert "it says what sales_amount_mean_1d says" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("training=Training(select='all'),", "select='all' is no Select"),
        ("training=Training(select=Select(folds=1)),", "Select(folds=1) is no number from 2"),
        ("training=Training(select=Select(stable=0)),", "Select(stable=0) is no share"),
        ("training=Training(select=Select(redundant=0.3)),", "Select(redundant=0.3) is no share"),
        ("kept=('sales_count_1d',),", "is not declared"),
    ],
)
def test_a_selection_that_cannot_be_made_is_refused(tmp_path, words, what):
    with pytest.raises(DefinitionError) as refused:
        opened(tmp_path, f"estimator=XGBoost(n_estimators=20), {words}").model("takings")
    assert what in str(refused.value)


def test_each_kind_of_odd_feature_is_told_apart():
    random = np.random.default_rng(0)
    target = (random.random(500) < 0.4).astype(float)
    nothing = random.random(500)
    features = {
        "empty": np.full(500, np.nan),
        "constant": np.ones(500),
        "nothing": nothing,
        "same": nothing**3,
        "told": target * 2 - 1,
        "labels": np.array(["a" if one > 0.5 else "b" for one in nothing], object),
        "names": np.array(["x" if one > 0.5 else "y" for one in nothing], object),
        "sparse": np.where(nothing > 0.5, 1.0, np.nan),
    }
    entity = np.arange(500).astype(str).astype(object)
    notes = review("classification", features, target, entity, seed=0)
    assert {note.feature: note.about for note in notes} == {
        "empty": "empty", "constant": "constant", "nothing": "", "same": "redundant", "told": "suspicious",
        "labels": "", "names": "redundant", "sparse": "",
    }  # fmt: skip
    assert [note.about for note in with_unused([FeatureNote("a"), FeatureNote("b")], {"a": 0.0, "b": 0.1})] == [
        "unused",
        "",
    ]
