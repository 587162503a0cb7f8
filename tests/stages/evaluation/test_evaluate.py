"""An evaluation holds everything the gates ask about."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from keepfit import Events, Every, Files, Float, Model, Records
from keepfit.errors import TrainingError
from keepfit.evidence import as_data, evaluation_from
from keepfit.measure.baseline import baseline
from keepfit.measure.metrics import measure_all
from keepfit.stages.evaluation.evaluate import evaluate

customers = Records("customers", Files("c.csv"), entity="customer_id", columns={"age": Float()})
sales = Events("sales", Files("s.csv"), entity="customer_id", time="sold_at", columns={"amount": Float()})
CHURN = Model(
    "churn",
    observe=Every("1 month", of=customers),
    features=[sales.count(last="30d")],
    target=sales.count(next="30d") == 0,
    metric="f1",
)
SPEND = Model(
    "spend", observe=Every("1 month", of=customers), features=[customers.age], target=sales.amount.sum(next="30d")
)

ACTUAL = np.array([1.0, 0.0, 1.0, 0.0])
SCORE = np.array([0.9, 0.2, 0.7, 0.6])
GIVEN: dict[str, Any] = {
    "parts": {"train": np.array([1.0, 0.0, 0.0]), "validation": np.array([1.0])},
    "test": ACTUAL,
    "t": np.array([20, 10, 30, 20]),
    "answers": SCORE,
    "threshold": 0.65,
    "clusters": np.array([1, 2, 1, 2]),
    "groups": {"segment": np.array(["a", "b", "a", "b"], dtype=object)},
    "champion": None,
    "seed": 1,
}


def test_metrics_and_baseline_are_of_the_test_rows() -> None:
    found = evaluate(CHURN, **GIVEN)
    assert (found.task, found.metric, found.threshold) == ("classification", "f1", 0.65)
    assert found.metrics == measure_all("classification", ACTUAL, SCORE, 0.65)
    assert found.baseline == baseline("classification", 1 / 3, ACTUAL)
    assert found.estimate.value == found.metrics["f1"] == 1.0


def test_rows_and_times_of_the_parts_are_recorded() -> None:
    found = evaluate(CHURN, **GIVEN)
    assert found.rows == {"train": 3, "validation": 1, "test": 4}
    assert (found.test_from_at, found.test_to_at) == (10, 30)


def test_groups_are_judged_at_the_threshold() -> None:
    assert evaluate(CHURN, **GIVEN).groups["segment"]["a"] == {"rows": 2.0, "rate": 1.0}
    assert evaluate(CHURN, **{**GIVEN, "threshold": 0.8}).groups["segment"]["a"] == {"rows": 2.0, "rate": 0.5}


def test_without_a_champion_there_is_no_comparison() -> None:
    assert evaluate(CHURN, **GIVEN).against_champion is None


def test_the_champion_is_compared_at_its_own_threshold() -> None:
    same = evaluate(CHURN, **{**GIVEN, "champion": (SCORE, 0.65)}).against_champion
    strict = evaluate(CHURN, **{**GIVEN, "champion": (SCORE, 0.8)}).against_champion
    assert same is not None and strict is not None
    assert same.value == 0.0
    assert strict.value == pytest.approx(1 - 2 / 3)


def test_a_regression_is_evaluated_by_its_own_metric() -> None:
    found = evaluate(SPEND, **GIVEN)
    assert found.metric == "rmse"
    assert set(found.metrics) == {"rmse", "mae", "r2", "mape", "smape"}


def test_every_metric_has_an_interval_and_the_models_own_is_the_estimate() -> None:
    found = evaluate(CHURN, **GIVEN)
    assert list(found.intervals) == list(found.metrics)
    assert found.intervals["f1"] == found.estimate
    assert {name: one.value for name, one in found.intervals.items()} == found.metrics


def test_an_evaluation_reads_back_as_it_was_written_and_so_does_one_of_an_earlier_version() -> None:
    found = evaluate(CHURN, **GIVEN)
    data = json.loads(json.dumps(as_data(found)))
    back = evaluation_from(data)
    assert back is not None
    assert as_data(back) == as_data(found)
    earlier = evaluation_from({name: value for name, value in data.items() if name not in ("intervals", "rivals")})
    assert earlier is not None and earlier.estimate == found.estimate
    assert (earlier.intervals, earlier.rivals) == ({}, {})


def test_an_evaluation_turns_into_json() -> None:
    assert json.loads(json.dumps(as_data(evaluate(CHURN, **GIVEN))))["rows"]["test"] == 4


def test_no_test_rows_is_an_error_that_names_the_model() -> None:
    empty = {
        "test": np.empty(0),
        "answers": np.empty(0),
        "t": np.empty(0, dtype=np.int64),
        "clusters": np.empty(0, dtype=np.int64),
    }
    with pytest.raises(TrainingError, match="no test rows") as caught:
        evaluate(CHURN, **{**GIVEN, **empty, "groups": {}})
    assert "churn" in caught.value.where
    assert "30d" in caught.value.fix
