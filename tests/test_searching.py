"""A training that looks for parameters first, and is repeated at earlier origins."""

from __future__ import annotations

import json

import pytest
from tests.conftest import at
from tests.test_proving import DEFINITIONS, SHOPS, lines

from keepfit import actions, clock, proving, reporting, tables
from keepfit.cli import render
from keepfit.errors import DefinitionError
from keepfit.evidence import as_data, evaluation_from
from keepfit.project import open_project
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.steps.explaining import title_of

WORDS = """estimator=XGBoost(n_estimators=20),
    tune=Tune({"max_depth": [1, 4], "learning_rate": [0.001, 0.3]}, method="grid", folds=2, prune=False),
    training=Training(folds=3, learning_curve=True),
"""


def project(tmp_path, words):
    (tmp_path / "definitions.py").write_text(
        DEFINITIONS.replace("estimator=XGBoost(n_estimators=20),", words).replace(
            "XGBoost\n", "XGBoost, Training, Tune\n"
        )
    )
    (tmp_path / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shops.csv").write_text("shop\n" + "\n".join(SHOPS) + "\n")
    (tmp_path / "data" / "sales_1.csv").write_text(lines(0, 120))
    return open_project(tmp_path, None, {})


def test_a_training_tunes_before_its_test_and_is_repeated_at_earlier_origins(tmp_path, capsys):
    opened = project(tmp_path, WORDS)
    model = opened.model("takings")
    found = actions.train(opened, model, at("2025-05-01"))["evaluation"]

    rows = opened.engine.rows(opened.records.parquet_files(tables.TUNING.name))
    assert len(rows) == 4
    best = [json.loads(row["parameters"]) for row in rows if row["best"]]
    assert best == [json.loads(min(rows, key=lambda row: row["value"])["parameters"])]
    assert best[0]["learning_rate"] == 0.3

    assert len(found.folds) == 3
    assert all(older.to_at < newer.from_at for older, newer in zip(found.folds, found.folds[1:], strict=False))
    assert found.folds[-1].to_at < found.test_from_at
    assert all(one.metrics["rmse"] < one.baseline["rmse"] for one in found.folds)

    version = opened.registry.version("takings", "1")
    assert evaluation_from(evidence_of(version)).folds == found.folds
    assert evaluation_from(json.loads(json.dumps(as_data(found)))).folds == found.folds
    again = proving.reproduce(opened, model, "1")
    assert again["equal"]

    told = json.loads((version.folder / "report.json").read_text())
    grown, numbers = told["grown"], told["numbers"]
    assert [one["best"] for one in grown["search"]["trials"]] == [
        row["best"] for row in sorted(rows, key=lambda row: row["trial"])
    ]
    assert numbers["fold.3.rmse"]["value"] == found.folds[2].metrics["rmse"]
    assert numbers["history.rounds"]["value"] == grown["history"]["kept"]
    learnt = grown["learning_curve"]
    assert [one["share"] for one in learnt] == [0.1, 0.25, 0.5, 1.0]
    assert [one["rows"] for one in learnt] == sorted(one["rows"] for one in learnt)
    assert learnt[-1]["rows"] == found.rows["train"]
    assert learnt[-1]["from_at"] < learnt[0]["from_at"]
    assert numbers["learning_curve.100%"]["value"] == found.estimate.value

    series = opened.registry.client
    run = series.get_model_version("takings", "1").run_id
    assert [one.step for one in series.get_metric_history(run, "learning_curve_rmse")] == [
        one["rows"] for one in learnt
    ]
    values = [one.value for one in series.get_metric_history(run, "trial_rmse")]
    assert values == [trial["value"] for trial in grown["search"]["trials"]]

    shown = reporting.report(opened, model, at("2025-05-01"), None, None)
    assert (shown["learning_curve"], shown["search"]) == (learnt, grown["search"])
    render.grown(shown)
    text = " ".join(capsys.readouterr().out.split())
    assert "search by grid: 4 trials (4 complete), rmse over earlier folds:" in text
    assert "learning curve" in text and f"50% {learnt[2]['rows']}" in text.replace(",", "")

    # the page can be drawn again from the numbers that lie beside it, years later
    title = title_of("takings", clock.show(version.trained_at))
    assert evaluation_page(title, found, told) == (version.folder / "evaluation.html").read_text()
    alive = tmp_path / "alive.html"
    reporting.report(opened, model, at("2025-05-01"), None, None, alive)
    assert "Search" in alive.read_text() and "vegaEmbed" in alive.read_text()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("tune=Tune({}),", "looks for nothing"),
        ("tune=Tune({'max_depth': (8, 2)}),", "is no range of a tpe search"),
        ("tune=Tune({'learning_rate': (0.1, float('inf'))}),", "is no range of a tpe search"),
        ("tune=Tune({'eta': (0, 1, 'log')}),", "is no range of a tpe search"),
        ("tune=Tune({'max_depth': (2, 8)}, method='grid'),", "is no range of a grid search"),
        ("tune=Tune({'max_depth': (2, 8)}, method='bayes'),", "method='bayes' is unknown"),
        ("tune=Tune({'max_depth': (2, 8)}, trials=0),", "Tune(trials=0) is no number from 1"),
        ("tune=Tune({'max_depth': (2, 8)}, budget='soon'),", "Tune(budget=...)"),
        ("tune={'max_depth': (2, 8)},", "is no Tune"),
        ("training=Training(folds=-1),", "Training(folds=-1) is no number from 0"),
        ("training=Training(learning_curve=3),", "Training(learning_curve=3) is neither True nor False"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused_by_check(tmp_path, words, what):
    with pytest.raises(DefinitionError) as refused:
        project(tmp_path, words).model("takings")
    assert what in str(refused.value)
