"""What a model says of itself, and the churn system that the design shows."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepfit
from keepfit import Estimator, Events, Every, Files, Float, Model, Records, XGBoost
from keepfit.clock import DAY
from keepfit.project import load_definitions

shop = load_definitions(Path(keepfit.__file__).parent / "templates" / "shop")
people = Records("people", Files("p.csv"), entity="id", columns={"age": Float()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
visits = Events("visits", Files("v.csv"), entity="id", time="at")


def model(**changes) -> Model:
    parts = {"observe": Every("1 day", of=people), "features": [people.age], "target": sales.count(next="7d") > 0}
    return Model("m", **{**parts, **changes})


def test_the_shop_checks_clean():
    assert shop.problems() == []


def test_the_features_of_the_shop_have_the_names_that_reports_show():
    (churn,) = shop.models
    assert [feature.name for feature in churn.features] == [
        "sales_amount_sum_7d",
        "sales_amount_sum_30d",
        "sales_amount_sum_90d",
        "sales_count_30d",
        "sales_count_90d",
        "sales_time_since_last",
        "sales_amount_mean_30d_over_sales_amount_mean_90d",
        "feedback_sentiment_mean_90d",
        "customers_age",
        "customers_segment",
    ]
    assert churn.target.name == "sales_count_next_30d_eq_0"


def test_the_shop_is_a_classification_thirty_days_ahead():
    (churn,) = shop.models
    assert (churn.task, churn.metric, churn.horizon) == ("classification", "f1", 30 * DAY)
    assert [table.name for table in churn.tables()] == ["customers", "feedback", "sales"]
    assert [table.name for table in churn.events()] == ["feedback", "sales"]
    assert [table.name for table in churn.records()] == ["customers"]


@pytest.mark.parametrize(
    ("target", "task", "metric"),
    [
        (sales.count(next="7d") > 0, "classification", "auc"),
        ((sales.count(next="7d") > 0).named("bought"), "classification", "auc"),
        (sales.amount.sum(next="7d"), "regression", "rmse"),
    ],
)
def test_a_comparison_makes_a_classification_and_anything_else_a_regression(target, task, metric):
    made = model(target=target)
    assert (made.task, made.metric) == (task, metric)


def test_the_horizon_is_the_farthest_that_the_target_looks():
    target = sales.amount.sum(next="7d") / sales.amount.at("30d", tolerance="1d")
    assert model(target=target).horizon == 30 * DAY


def test_lists_of_features_are_flattened_in_order():
    made = model(features=[sales.count(last=["1d", "2d"]), [people.age, [sales.count()]]])
    assert [one.name for one in made.features] == ["sales_count_1d", "sales_count_2d", "people_age", "sales_count"]


def test_a_table_that_only_the_condition_reads_is_a_table_of_the_model():
    made = model(observe=Every("1 day", of=people, active=visits.within("9d")))
    assert [table.name for table in made.tables()] == ["people", "sales", "visits"]


def test_xgboost_is_an_estimator_by_name_and_the_default():
    assert XGBoost(max_depth=3) == Estimator("xgboost", {"max_depth": 3})
    assert model().estimator == Estimator("xgboost")
