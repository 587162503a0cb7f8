"""A challenger learns from train and validation rows, is the same every time, and beats a guess."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from keepfit import Category, Estimator, Events, Every, Files, Float, Model, Records, XGBoost, clock
from keepfit.artifact import Predictor, encode
from keepfit.errors import DefinitionError, TrainingError
from keepfit.measure.metrics import measure
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.training import train as train_room
from keepfit.stages.training.grow import TrainingRows
from keepfit.stages.training.split import split
from keepfit.stages.training.train import Trained, train

people = Records("people", Files("p.csv"), entity="id", columns={"age": Float(), "segment": Category()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
churn = Model(
    "churn", Every("1 month", of=people), [people.age, sales.count(last="30d"), people.segment],
    target=sales.count(next="30d") == 0, estimator=XGBoost(n_estimators=60), metric="f1",
)  # fmt: skip
revenue = replace(churn, name="revenue", target=sales.amount.sum(next="30d"), metric="rmse")


@dataclass
class Rows:
    """24 months of 40 entities; segment b and few sales make leavers of them."""

    t: np.ndarray
    features: dict[str, np.ndarray]
    target: np.ndarray

    def train(self, model: Model = churn, **options: Any) -> Trained:
        arguments = {"seed": 7, "choose_threshold": choose_threshold, **options}
        return train(model, TrainingRows(self.t, self.features, self.target), **arguments)


@pytest.fixture
def rows() -> Rows:
    random = np.random.default_rng(3)
    t = np.repeat(clock.Grid("1 month").moments(0, 23 * 31 * clock.DAY)[:24], 40).astype(np.int64)
    count = random.poisson(3, len(t)).astype(float)
    age = np.where(random.random(len(t)) < 0.1, math.nan, random.normal(40, 10, len(t)))
    segment = random.choice(np.array(["a", "b", "c", None], object), len(t))
    leaving = 1.5 - count + 2 * (segment == "b") + random.logistic(0, 0.5, len(t))
    features = {"people_age": age, "sales_count_30d": count, "people_segment": segment}
    return Rows(t, features, (leaving > 0).astype(float))


def ubj(trained: Trained) -> bytes:
    return trained.fitted.native()[1]


def test_two_trainings_make_the_same_bytes(rows):
    first, second = rows.train(), rows.train()
    assert ubj(first) == ubj(second)
    assert first.onnx == second.onnx
    assert first.threshold == second.threshold


def test_another_seed_makes_another_model(rows):
    assert ubj(rows.train(seed=8)) != ubj(rows.train(seed=7))


def test_a_challenger_beats_a_guess_on_rows_it_never_saw(rows):
    trained = rows.train()
    test = trained.split.test
    assert measure("auc", rows.target[test], trained.scores[test]) > 0.85
    guess = measure("f1", rows.target[test], np.ones(test.sum()))
    assert measure("f1", rows.target[test], trained.scores[test], trained.threshold) > guess + 0.1


def test_test_rows_do_not_influence_the_model(rows):
    before = rows.train()
    test = before.split.test
    rows.target[test] = 1 - rows.target[test]
    rows.features["people_age"][test] = 99
    rows.features["people_segment"][test] = "new"
    after = rows.train()
    assert (ubj(after), after.threshold, after.grown.categories) == (
        ubj(before),
        before.threshold,
        before.grown.categories,
    )


def test_validation_rows_teach_the_final_model(rows):
    before = rows.train()
    validation = before.split.validation
    rows.features["people_age"][validation] = 99
    assert ubj(rows.train()) != ubj(before)


def test_the_threshold_is_chosen_on_validation_rows_by_a_model_that_did_not_see_them(rows):
    asked = []

    def choose(metric, actual, score):
        asked.append((metric, actual, score))
        return 0.375

    trained = rows.train(choose_threshold=choose)
    ((metric, actual, score),) = asked
    validation = trained.split.validation
    assert (metric, trained.threshold) == ("f1", 0.375)
    assert np.array_equal(actual, rows.target[validation])
    final = trained.fitted.predict(encode(rows.features, trained.features, trained.grown.categories)[validation])
    assert not np.allclose(score, final, atol=1e-3)


def test_categories_are_learnt_on_train_rows_only(rows):
    parts = split(rows.t, churn.horizon)
    rows.features["people_segment"][np.flatnonzero(parts.validation)[0]] = "later"
    trained = rows.train()
    assert trained.grown.categories == {"people_segment": ("a", "b", "c")}
    assert trained.features == ("people_age", "sales_count_30d", "people_segment")


def test_early_stopping_chooses_the_number_of_trees(rows):
    model = replace(churn, estimator=XGBoost(n_estimators=300, early_stopping_rounds=5, learning_rate=0.5))
    parameters = rows.train(model).fitted.parameters
    assert 0 < parameters["n_estimators"] < 100
    assert parameters["learning_rate"] == 0.5


def test_a_regression_beats_the_mean(rows):
    random = np.random.default_rng(5)
    rows.target = 20 * rows.features["sales_count_30d"] + random.normal(0, 5, len(rows.t))
    trained = rows.train(revenue)
    test, fitted = trained.split.test, trained.split.fitted
    mean = np.full(test.sum(), rows.target[fitted].mean())
    assert measure("rmse", rows.target[test], trained.scores[test]) < 0.5 * measure("rmse", rows.target[test], mean)
    assert trained.threshold == 0.5


def test_scores_are_those_of_onnx_for_every_row_it_is_judged_on(rows):
    trained = rows.train()
    matrix, test = encode(rows.features, trained.features, trained.grown.categories), trained.split.test
    assert np.array_equal(trained.scores[test], Predictor(trained.onnx["model.onnx"]).score(matrix)[test])
    assert np.isnan(trained.scores[~test]).all()


def test_what_is_learnt_is_the_same_with_and_without_its_history(rows):
    silent, told = rows.train(), rows.train(history=True)
    assert silent.grown.history is None
    assert told.grown.history.kept == told.fitted.parameters["n_estimators"]
    assert silent.files() == told.files()


def test_how_far_onnx_lies_from_xgboost_is_recorded(rows):
    trained = rows.train()
    test = trained.split.test
    matrix = encode(rows.features, trained.features, trained.grown.categories)
    native = trained.fitted.predict(matrix)[test]
    assert trained.onnx_difference == np.abs(native - trained.scores[test]).max()
    assert trained.onnx_difference < 1e-6


def test_a_model_that_onnx_cannot_express_is_refused(rows, monkeypatch):
    monkeypatch.setattr(train_room, "PARITY", -1.0)
    with pytest.raises(TrainingError, match=r"ONNX predicts .* away from xgboost itself"):
        rows.train()


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_of_one_class_is_named(rows, part):
    rows.target[getattr(split(rows.t, churn.horizon), part)] = 1.0
    with pytest.raises(TrainingError, match=rf"^the {part} rows of churn have one class only \(\d+ rows\)") as raised:
        rows.train()
    assert raised.value.where == "target sales_count_next_30d_eq_0"


def test_a_past_that_is_too_short_is_refused(rows):
    short = Rows(rows.t[:80], {name: values[:80] for name, values in rows.features.items()}, rows.target[:80])
    with pytest.raises(TrainingError, match="2 moments of observation"):
        short.train()


def test_an_infinite_feature_is_a_large_one(rows):
    rows.features["people_age"][::7] = math.inf
    trained = rows.train()
    assert np.isfinite(trained.scores[trained.split.test]).all()
    assert trained.onnx_difference < 1e-6


def test_a_feature_without_any_value_is_no_obstacle(rows):
    rows.features["people_age"][:] = math.nan
    rows.features["people_segment"][:] = None
    trained = rows.train()
    assert trained.grown.categories == {"people_segment": ()}
    assert np.isfinite(trained.scores[trained.split.test]).all()


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"max_depth": "deep"}, "max_depth"),
        ({"max_dept": 3}, 'it does not know "max_dept"'),
        ({"objective": "binary:nope"}, "binary:nope"),
        ({"n_estimators": 0}, "n_estimators=0 is not a whole number above 0"),
        ({"early_stopping_rounds": "5"}, "early_stopping_rounds='5' is not a whole number"),
    ],
)
def test_a_bad_parameter_is_the_definitions_fault(rows, parameters, why):
    with pytest.raises(DefinitionError, match=r"^XGBoost refuses its parameters: ") as raised:
        rows.train(replace(churn, estimator=XGBoost(**parameters)))
    assert why in raised.value.what
    assert raised.value.where == "definitions.py, XGBoost(...)"


def test_eta_is_the_learning_rate(rows):
    short = {"n_estimators": 5}
    by_alias = rows.train(replace(churn, estimator=XGBoost(eta=0.4, **short)))
    by_name = rows.train(replace(churn, estimator=XGBoost(learning_rate=0.4, **short)))
    assert by_alias.fitted.parameters["learning_rate"] == 0.4
    assert ubj(by_alias) == ubj(by_name)


def test_an_unknown_estimator_asks_which_was_meant(rows):
    with pytest.raises(DefinitionError, match="unknown estimator 'xgbost'") as raised:
        rows.train(replace(churn, estimator=Estimator("xgbost")))
    assert raised.value.fix.startswith("did you mean 'xgboost'?")
