"""A model is laid beside the simple rules that its own features hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit import Cost, Events, Every, Files, Float, Model, Records, Training
from keepfit.measure.metrics import measure_all
from keepfit.stages.evaluation.rivals import rivals, rules

stations = Records("stations", Files("s.csv"), entity="station", columns={"height": Float()})
air = Events("air", Files("a.csv"), entity="station", time="at", columns={"dust": Float(), "rain": Float()})
EVERY = Every("1 day", of=stations)


def model(features: list[object], target: object) -> Model:
    return Model("m", observe=EVERY, features=features, target=target)


def lags(*hours: str) -> list[object]:
    return [air.dust.lag(hour, tolerance="1h") for hour in hours]


def test_persistence_is_the_newest_value_of_the_targets_quantity() -> None:
    found = dict(rules(model([air.rain.last(last="1h"), *lags("6h", "1h")], air.dust.at("6h", tolerance="1h"))))
    assert found == {"persistence": "air_dust_lag_1h_within_1h"}


def test_seasonal_naive_is_the_same_hour_of_another_day_and_of_the_week_if_there_is_one() -> None:
    ahead = air.dust.at("6h", tolerance="1h")
    assert dict(rules(model(lags("1h", "18h", "24h"), ahead)))["seasonal naive"] == "air_dust_lag_18h_within_1h"
    assert dict(rules(model(lags("1h", "18h", "162h"), ahead)))["seasonal naive"] == "air_dust_lag_162h_within_1h"
    assert "seasonal naive" not in dict(rules(model(lags("1h", "24h"), ahead)))


def test_a_sum_is_held_against_the_sum_of_as_long_a_window_and_a_mean_against_any() -> None:
    sums, means = air.rain.sum(last=["7d", "30d"]), air.rain.mean(last=["7d"])
    assert dict(rules(model(sums, air.rain.sum(next="30d")))) == {"persistence": "air_rain_sum_30d"}
    assert dict(rules(model(sums, air.rain.sum(next="14d")))) == {}
    assert dict(rules(model(means, air.rain.mean(next="30d")))) == {"persistence": "air_rain_mean_7d"}


def test_a_regressions_rule_predicts_the_feature_and_the_training_mean_where_it_is_null() -> None:
    wanted = model(lags("1h"), air.dust.at("6h", tolerance="1h"))
    target = np.array([2.0, 4.0, 5.0, 7.0])
    train = np.array([True, True, False, False])
    found = rivals(wanted, {"air_dust_lag_1h_within_1h": np.array([1.0, 1.0, 6.0, math.nan])}, target, train, ~train)
    assert found == {
        "persistence (air_dust_lag_1h_within_1h)": measure_all("regression", np.array([5.0, 7.0]), np.array([6.0, 3.0]))
    }


def test_the_recency_rule_learns_its_threshold_and_its_direction_on_training_rows() -> None:
    churn = model([air.time_since_last().named("gone")], air.count(next="30d") == 0)
    days = np.array([1.0, 2.0, 40.0, 50.0, 3.0, 45.0, math.nan])
    target = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    train = np.arange(7) < 4
    found = rivals(churn, {"gone": days}, target, train, ~train)["recency (gone)"]
    assert (found["auc"], found["f1"], found["accuracy"]) == (1.0, 1.0, 1.0)
    other = rivals(churn, {"gone": -days}, target, train, np.arange(7) == 4)["recency (gone)"]
    assert other["accuracy"] == 1.0


def test_a_rules_probability_is_the_training_rate_on_its_side() -> None:
    churn = model([air.time_since_last().named("gone")], air.count(next="30d") == 0)
    days = np.array([1.0, 1.0, 1.0, 9.0, 9.0, 1.0, 9.0])
    target = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0])
    train = np.arange(7) < 5
    found = rivals(churn, {"gone": days}, target, train, ~train)["recency (gone)"]
    assert found["brier"] == pytest.approx(((1 / 3) ** 2 + 0) / 2)


def test_a_rule_is_measured_by_what_its_mistakes_cost() -> None:
    found = [air.time_since_last().named("gone")]
    dear = Training(cost=Cost(false_positive=1, false_negative=9))
    churn = Model("m", EVERY, found, air.count(next="30d") == 0, metric="cost", training=dear)
    days = np.array([1.0, 2.0, 3.0, 4.0, 2.0, 3.0])
    target = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    train = np.arange(6) < 4
    # 2 and more is called positive: on training rows that costs one false positive, any higher a positive
    assert rivals(churn, {"gone": days}, target, train, ~train)["recency (gone)"]["cost"] == 1.0


def test_a_model_without_such_features_has_no_rivals() -> None:
    assert dict(rules(model([stations.height], air.dust.at("6h", tolerance="1h")))) == {}
