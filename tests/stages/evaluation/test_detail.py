"""All that is shown of a version is plain data, each number with its evidence id, and the same for the same seed."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import numpy as np
import pytest

from keepfit import Category, Events, Every, Files, Float, Model, Records
from keepfit.clock import DAY
from keepfit.evidence import Evaluation
from keepfit.stages.evaluation.detail import detail, worst_csv
from keepfit.stages.evaluation.evaluate import evaluate
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.training.estimators import Rows, Task
from keepfit.stages.training.estimators.xgboost import Trees, fit

RANDOM = np.random.default_rng(0)
N = 300
customers = Records("customers", Files("c.csv"), entity="id", columns={"age": Float(), "segment": Category()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
CHURN = Model("churn", Every("1 month", of=customers), [customers.age, customers.segment], sales.count(next="30d") == 0)
AGE = RANDOM.random(N) * 60
SEGMENT = RANDOM.choice(np.array(["a", "b"], dtype=object), N)
MATRIX = np.stack([AGE, (SEGMENT == "b") * 1.0], axis=1).astype(np.float32)
ACTUAL = (AGE + 5 * RANDOM.normal(size=N) > 30).astype(np.float64)


def world() -> tuple[Evaluation, Judged, Trees, dict[str, Any]]:
    task = Task("classification", ("age", "segment"), {"segment": ("a", "b")}, {"n_estimators": 10}, 1)
    model = fit(task, Rows(MATRIX, ACTUAL), None)
    score, t, owners = model.predict(MATRIX), np.arange(N) * DAY, np.arange(N) // 2
    groups = {"segment": SEGMENT}
    evaluation = evaluate(
        CHURN,
        parts={"train": ACTUAL, "validation": ACTUAL},
        test=ACTUAL,
        t=t,
        answers=score,
        threshold=0.5,
        clusters=owners,
        groups=groups,
        champion=None,
        seed=1,
    )
    features = {"age": AGE, "segment": SEGMENT}
    entity = owners.astype(str).astype(object)
    judged = Judged("classification", entity, t, features, MATRIX, ACTUAL, score, 0.5, owners)
    return evaluation, judged, model, groups


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    evaluation, judged, model, groups = world()
    return detail(evaluation, judged, model, model.predict, groups, seed=1)


def test_every_number_has_an_evidence_id(found: dict[str, Any]) -> None:
    numbers = found["numbers"]
    assert {"test.auc", "baseline.auc", "importance.age", "permutation.segment", "gap.segment.tpr"} <= set(numbers)
    assert numbers["test.auc"]["low"] < numbers["test.auc"]["value"] < numbers["test.auc"]["high"]
    assert "group.segment.a.fpr" in numbers


def test_it_is_json_and_the_same_again(found: dict[str, Any]) -> None:
    evaluation, judged, model, groups = world()
    again = detail(evaluation, judged, model, model.predict, groups, seed=1)
    assert json.dumps(found, allow_nan=False) == json.dumps(again, allow_nan=False)


def test_the_most_important_feature_comes_first_and_its_dependence_is_kept(found: dict[str, Any]) -> None:
    assert found["importance"][0]["feature"] == "age"
    assert found["importance"][0]["permutation"] > 0.1
    assert len(found["dependence"]["age"]) == N


def test_the_summary_has_rows_of_every_feature_with_the_share_of_rows_below(found: dict[str, Any]) -> None:
    dots = found["summary"]["age"]
    assert len(dots) == min(N, 120)
    shares, ages = [dot["share"] for dot in dots], [dot["x"] for dot in dots]
    assert 0 < min(shares) < 0.05 and 0.95 < max(shares) < 1
    assert sorted(shares) == [share for _, share in sorted(zip(ages, shares, strict=True))]
    assert {dot["share"] for dot in found["summary"]["segment"]} == {None}
    assert {dot["x"] for dot in found["summary"]["segment"]} <= {"a", "b", None}


def test_worst_predictions_come_with_features_and_contributions_as_csv(found: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(worst_csv(found).decode())))
    assert len(rows) == 20
    losses = [float(row["loss"]) for row in rows]
    assert losses == sorted(losses, reverse=True)
    assert {"entity", "t_at", "actual", "predicted", "age", "segment", "contribution:age"} <= set(rows[0])


def test_a_model_that_nobody_can_explain_is_told_by_permutation_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    evaluation, judged, model, groups = world()
    found = detail(evaluation, judged, object(), model.predict, groups, seed=1)
    assert found["importance"][0] == {**found["importance"][0], "feature": "age", "contribution": None}
    assert found["dependence"] == {} and found["worst"][0]["contributions"] == {}
