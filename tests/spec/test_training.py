"""Each rule of what learns and how, and that a definition without these words is the one it was."""

from __future__ import annotations

import json
from typing import Any

import lightgbm
import pytest
import xgboost

from keepfit import (
    Category,
    Cost,
    Estimator,
    Events,
    Every,
    Files,
    Float,
    Gate,
    HistGradientBoosting,
    Integer,
    LightGBM,
    Linear,
    Logistic,
    Model,
    RandomForest,
    Records,
    Sklearn,
    Training,
    Tune,
    XGBoost,
)
from keepfit.spec import codec
from keepfit.spec.check import Problem, check
from keepfit.spec.estimators import HIST, LIGHTGBM, LINEAR, LOGISTIC, RANDOM_FOREST, XGBOOST
from keepfit.spec.parameters import KNOWN
from keepfit.stages.training.estimators import sklearn

people = Records("people", Files("c.csv"), entity="id", columns={"age": Integer(), "segment": Category()})
sales = Events(
    "sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float(), "channel": Category()}
)  # fmt: skip
EVERY = (XGBoost(), LightGBM(), Logistic(), RandomForest(), HistGradientBoosting(), Sklearn("a.b:C", x=1))


def churn(**changes: Any) -> Model:
    parts = {
        "observe": Every("1 month", of=people),
        "features": [people.age, people.segment, sales.count(last="30d"), sales.count(last="7d", by="channel", top=3)],
        "target": sales.count(next="30d") == 0,
    }
    return Model("churn", **{**parts, **changes})


def revenue(**changes: Any) -> Model:
    return churn(target=sales.amount.sum(next="30d"), **changes)


def level(**changes: Any) -> Model:
    return churn(target=sales.amount.sum(next="30d").band([1, 9], labels=("low", "usual", "high")), **changes)


def problems(model: Model) -> list[Problem]:
    return check([people, sales], [model])


@pytest.mark.parametrize("estimator", EVERY, ids=lambda one: one.of or one.kind)
def test_every_estimator_of_a_classification_is_accepted_and_survives_being_written_down(estimator):
    model = churn(estimator=estimator)
    assert problems(model) == []
    assert codec.decode(json.loads(json.dumps(codec.encode(model)))).estimator == estimator


@pytest.mark.parametrize(
    "training",
    [
        Training(class_weight="balanced", half_life="180d"),
        Training(class_weight={0: 1, 1: 5}, monotone={"sales_count_30d": -1, "people_age": 1}),
        Training(calibrate="isotonic", cost=Cost(1, 5), hold_out=0.1, test="365d"),
        Training(monotone={"sales_count_7d_channel_web": 1}),
    ],
)
def test_every_word_is_accepted_and_survives_being_written_down(training):
    model = churn(training=training)
    assert problems(model) == []
    assert codec.decode(json.loads(json.dumps(codec.encode(model)))).training == training
    assert codec.fingerprint(codec.encode(model)) != codec.fingerprint(codec.encode(churn()))


def test_a_definition_without_these_words_is_written_as_before():
    written = codec.encode(churn())["model"]
    assert "training" not in written
    assert written["estimator"] == {"is": "Estimator", "kind": "xgboost", "parameters": {"map": {}}}
    assert written == codec.encode(churn(training=Training(), estimator=Estimator("xgboost")))["model"]


@pytest.mark.parametrize(
    ("model", "what", "fix"),
    [
        (churn(estimator="xgboost"), "estimator='xgboost' is no estimator", "XGBoost()"),
        (churn(estimator=XGBoost), "is no estimator", "call it"),
        (churn(training={"cost": 1}), "is no Training", "Training("),
        (churn(estimator=Linear()), "Linear() does not fit: the target is a comparison", "Logistic()"),
        (revenue(estimator=Logistic()), "Logistic() does not fit: the target is a number", "Linear()"),
        (churn(estimator=Sklearn("SVC")), "Sklearn('SVC') names no class", "package.module:Class"),
        (churn(estimator=Sklearn("os; x:SVC")), "names no class", "package.module:Class"),
        (churn(training=Training(class_weight="even")), "does not weigh the classes", "balanced"),
        (churn(training=Training(class_weight={1: 5})), "does not weigh the classes", "{0: 1, 1: 5}"),
        (churn(training=Training(class_weight={0: 1, 1: 0})), "does not weigh the classes", "above 0"),
        (revenue(training=Training(class_weight="balanced")), "the target is a number", "leave it out"),
        (churn(training=Training(half_life="soon")), "half_life", "d, h"),
        (churn(training=Training(test="a year")), "Training(test=...)", "d, h"),
        (churn(training=Training(half_life=180)), "half_life: 180 is no duration", "'180d'"),
        (churn(training=Training(monotone=["people_age"])), "names no features", "monotone={"),
        (churn(training=Training(monotone={"people_aeg": 1})), "no such feature", "did you mean 'people_age'"),
        (churn(training=Training(monotone={"people_segment": 1})), "labels have no order", "leave it out"),
        (churn(training=Training(monotone={"people_age": 2})), "is no direction", "1 (the score never falls"),
        (churn(training=Training(monotone={"people_age": True})), "is no direction", "1 (the score never falls"),
        (churn(estimator=RandomForest(), training=Training(monotone={"people_age": 1})), "RandomForest", "XGBoost()"),
        (churn(training=Training(calibrate="platt")), "calibrate='platt' is unknown", "'sigmoid'"),
        (revenue(training=Training(calibrate="isotonic")), "the target is a number", "leave it out"),
        (churn(training=Training(cost=5)), "cost=5 is no Cost", "Cost(false_positive=1"),
        (churn(training=Training(cost=Cost(0, 5))), "Cost(false_positive=0) is no cost", "above 0"),
        (churn(training=Training(cost=Cost(1, float("inf")))), "Cost(false_negative=inf)", "finite"),
        (revenue(training=Training(cost=Cost(1, 5))), "the target is a number", "leave it out"),
        (churn(metric="cost"), "metric 'cost' is of models that declare costs", "Cost(false_positive=1"),
        (churn(training=Training(interval=0.9)), "interval= is of a predicted number", "leave it out"),
        (churn(training=Training(quantile=0.9)), "quantile= is of a predicted number", "leave it out"),
        (revenue(training=Training(interval=0.5)), "interval=0.5 is no share of the rows", "between 0.5 and 1"),
        (revenue(training=Training(interval=90)), "interval=90 is no share of the rows", "between 0.5 and 1"),
        (revenue(training=Training(interval=True)), "interval=True is no share", "between 0.5 and 1"),
        (revenue(training=Training(interval=float("nan"))), "interval=nan is no share", "between 0.5 and 1"),
        (revenue(training=Training(quantile=1.0)), "quantile=1.0 is no share", "between 0.0 and 1"),
        (revenue(training=Training(interval=0.9, quantile=0.9)), "both declared", "both bounds"),
        (revenue(training=Training(quantile=0.9), estimator=Linear()), "Linear cannot learn a quantile", "XGBoost()"),
        (revenue(metric="pinball"), "metric 'pinball' is of models that declare an interval", "Training(interval=0.9)"),
        (revenue(gates=[Gate("coverage", 0.85)]), "metric 'coverage' is of models that declare", "Training(interval"),
        (revenue(training=Training(interval=0.9), metric="coverage"), "alone says nothing", "metric='pinball'"),
        (revenue(training=Training(quantile=0.9), metric="rmse"), "a quantile is predicted", "'pinball'"),
        (churn(metric="coverage"), "does not fit: the target is a comparison", "there are: accuracy"),
        (churn(estimator=XGBoost(booster="dart")), "XGBoost(booster='dart') cannot be served", "leave booster= out"),
        (churn(estimator=XGBoost(max_dept=3)), "XGBoost(max_dept=...): there is no such parameter", "'max_depth'"),
        (churn(estimator=LightGBM(num_leafs=3)), "LightGBM(num_leafs=...)", "did you mean 'num_leaf'"),
        (churn(estimator=Logistic(c=3)), "Logistic(c=...)", "Logistic has: C, class_weight"),
        (churn(tune=Tune({"max_dept": (2, 8)})), "Tune({'max_dept': ...}): there is no", "did you mean 'max_depth'"),
        (
            level(estimator=XGBoost(objective="multi:softmax")),
            "one loss gives the labels' probabilities",
            "leave it out",
        ),
        (
            level(tune=Tune({"objective": ["multi:softmax"]})),
            "Tune({'objective': ...}) cannot be chosen",
            "leave it out",
        ),
        (level(estimator=LightGBM(app="multiclassova")), "LightGBM(app=...) cannot be chosen", "leave it out"),
        (
            revenue(training=Training(quantile=0.9), estimator=HistGradientBoosting(loss="poisson")),
            "HistGradientBoosting(loss=...) cannot be chosen: one loss gives the quantile",
            "leave it out",
        ),
        (churn(training=Training(hold_out=0.9)), "hold_out=0.9 is no share", "0 to 0.5"),
        (churn(training=Training(hold_out="10%")), "hold_out='10%' is no share", "hold_out=0.1"),
        (
            churn(training=Training(split="random")),
            "split='random' would judge the model on rows that lie between",
            "hold_out=0.1",
        ),
    ],
)
def test_what_is_wrong_is_said_once_with_a_fix(model, what, fix):
    (problem,) = problems(model)
    assert what in problem.what
    assert fix in problem.fix
    assert problem.where == "definitions.py, Model 'churn'"


def test_a_model_that_declares_an_interval_may_be_judged_by_its_bounds():
    gates = [Gate("coverage", 0.85), Gate("width", 40)]
    assert problems(revenue(metric="pinball", training=Training(interval=0.9), gates=gates)) == []
    assert revenue(metric="", training=Training(quantile=0.9)).metric == "pinball"
    assert problems(revenue(metric="", training=Training(quantile=0.9))) == []


def test_bounds_take_their_names_only_where_they_are_declared():
    low = people.age.named("low")
    assert problems(revenue(features=[low])) == []
    (problem,) = problems(revenue(features=[low], training=Training(interval=0.9)))
    assert problem.what == "'low' cannot be a feature name"


def test_a_model_that_declares_costs_may_be_judged_by_them():
    assert problems(churn(metric="cost", training=Training(cost=Cost(1, 5)))) == []


def test_the_known_parameters_are_those_of_the_libraries():
    boosting = {"missing", "callbacks", "importance_type", "enable_categorical", "feature_types", "feature_weights"}
    assert set(xgboost.XGBModel().get_params()) - boosting <= KNOWN[XGBOOST]
    aliases = lightgbm.basic._ConfigAliases._get_all_param_aliases()
    assert {*aliases, *(name for names in aliases.values() for name in names)} <= KNOWN[LIGHTGBM]
    for of in (LOGISTIC, LINEAR, RANDOM_FOREST, HIST):
        classes = [one for (name, _), one in sklearn.CLASSES.items() if name == of]
        assert {name for one in classes for name in one().get_params()} == KNOWN[of]


def test_a_parameter_that_is_known_is_learnt_with_and_one_of_another_class_is_left_to_its_library():
    assert (
        problems(churn(estimator=XGBoost(eta=0.1, n_estimators=5, device="cuda"), tune=Tune({"gamma": (0, 3)}))) == []
    )
    assert problems(revenue(estimator=XGBoost(objective="reg:tweedie", tweedie_variance_power=1.2))) == []
    assert problems(churn(estimator=Sklearn("sklearn.naive_bayes:GaussianNB", smoothing=1))) == []
