"""What each word of `Training` does to a challenger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xgboost

from keepfit import (
    Category,
    Estimator,
    Events,
    Every,
    Files,
    Float,
    HistGradientBoosting,
    LightGBM,
    Linear,
    Logistic,
    Model,
    Records,
    Training,
    XGBoost,
    clock,
)
from keepfit.errors import DefinitionError, TrainingError
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.training import estimators
from keepfit.stages.training.grow import TrainingRows
from keepfit.stages.training.learning_curve import learning_curve
from keepfit.stages.training.split import held_out
from keepfit.stages.training.train import Trained, train

people = Records("people", Files("p.csv"), entity="id", columns={"age": Float(), "segment": Category()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
churn = Model(
    "churn", Every("1 month", of=people), [people.age, sales.count(last="30d"), people.segment],
    target=sales.count(next="30d") == 0, estimator=XGBoost(n_estimators=40, learning_rate=0.2), metric="f1",
)  # fmt: skip
random = np.random.default_rng(3)
T = np.repeat(clock.Grid("1 month").moments(0, 23 * 31 * clock.DAY)[:24], 40).astype(np.int64)
COUNT = random.poisson(3, len(T)).astype(float)
AGE = random.normal(40, 10, len(T))
SEGMENT = random.choice(np.array(["a", "b", "c", None], object), len(T))
TARGET = (random.logistic(0, 0.7, len(T)) - COUNT + 2 * (SEGMENT == "b") > -0.5).astype(float)
FEATURES = {"people_age": AGE, "sales_count_30d": COUNT, "people_segment": SEGMENT}


def trained(model: Model = churn, target: np.ndarray = TARGET, **words: Any) -> Trained:
    model = replace(model, training=Training(**words))
    return train(model, TrainingRows(T, FEATURES, target), seed=7, choose_threshold=choose_threshold)


@pytest.mark.parametrize("estimator", [churn.estimator, LightGBM(n_estimators=40), HistGradientBoosting(), Logistic()])
def test_a_heavier_class_is_called_more(estimator):
    model = replace(churn, estimator=estimator)
    even, heavy = trained(model), trained(model, class_weight={0: 1, 1: 8})
    assert np.nanmean(heavy.scores) > np.nanmean(even.scores) + 0.05


def test_equal_weights_change_nothing():
    assert np.allclose(trained().scores, trained(class_weight={0: 1, 1: 1}).scores, atol=1e-6, equal_nan=True)


def test_the_newest_rows_count_most():
    turned = np.where(np.median(T) > T, 1 - TARGET, TARGET)
    test = trained().split.test

    def loss(found: Trained) -> float:
        return float(np.mean((found.scores[test] - TARGET[test]) ** 2))

    assert loss(trained(target=turned, half_life="60d")) < loss(trained(target=turned)) - 0.02


@pytest.mark.parametrize("estimator", [churn.estimator, LightGBM(n_estimators=40), HistGradientBoosting()])
def test_a_score_never_rises_with_what_may_only_lower_it(estimator):
    found = trained(replace(churn, estimator=estimator), monotone={"people_age": -1})
    matrix = np.tile(np.array([[0, 3, 1]], np.float32), (50, 1))
    matrix[:, 0] = np.linspace(10, 70, 50)
    scores = found.fitted.predict(matrix)
    assert np.diff(scores).max() <= 1e-7


def test_a_constraint_on_what_was_not_learned_is_refused():
    with pytest.raises(DefinitionError, match=r"monotone=\{'sales_count_30d_web': ...\}: no such feature") as raised:
        trained(monotone={"sales_count_30d_web": 1})
    assert "did you mean 'sales_count_30d'" in raised.value.fix


def test_an_estimator_that_raises_midway_is_named_with_what_it_said(monkeypatch):
    def fit(task, rows, validation):
        raise RuntimeError("the disk of the solver\nis gone")

    monkeypatch.setattr("keepfit.stages.training.grow.find", lambda kind: fit)
    with pytest.raises(TrainingError) as raised:
        trained(replace(churn, estimator=Estimator("own")))
    assert raised.value.what.startswith("own failed on ")
    assert raised.value.what.endswith("rows: RuntimeError: the disk of the solver")
    assert raised.value.where == "model churn"


def test_a_library_that_is_not_there_names_its_extra(monkeypatch):
    from keepfit.errors import MissingExtra

    class Point:
        name = "lightgbm"

        def load(self):
            raise MissingExtra("lightgbm", "definitions.py, LightGBM(...)")

    monkeypatch.setattr(estimators, "entry_points", lambda group: [Point()])
    with pytest.raises(MissingExtra) as raised:
        trained(replace(churn, estimator=LightGBM()))
    assert raised.value.fix == "pip install 'keepfit[lightgbm]'"


def test_a_device_that_is_not_there_is_said():
    if xgboost.build_info()["USE_CUDA"]:
        pytest.skip("this XGBoost knows GPUs")
    with pytest.raises(TrainingError, match="XGBoost finds no GPU for device='cuda'") as raised:
        trained(replace(churn, estimator=XGBoost(device="cuda")))
    assert "leave device= out" in raised.value.fix


def test_the_processor_is_a_device():
    plain, named = trained(), trained(replace(churn, estimator=XGBoost(**churn.estimator.parameters, device="cpu")))
    assert plain.fitted.native() == named.fitted.native()


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
def test_a_calibrated_score_is_a_probability(how):
    heavy = {"class_weight": {0: 1, 1: 20}}
    plain, calibrated = trained(**heavy), trained(**heavy, calibrate=how)
    test = plain.split.test
    assert abs(plain.scores[test].mean() - TARGET[test].mean()) > 0.15
    assert abs(calibrated.scores[test].mean() - TARGET[test].mean()) < 0.1
    assert plain.fitted.native() == calibrated.fitted.native()
    assert np.array_equal(calibrated.scores[test], calibrated.grown.calibration(plain.scores[test]))


def test_the_threshold_is_one_of_calibrated_scores():
    asked = []
    model = replace(churn, training=Training(calibrate="sigmoid", class_weight={0: 1, 1: 20}))
    train(model, TrainingRows(T, FEATURES, TARGET), seed=7, choose_threshold=lambda *rows: asked.append(rows) or 0.5)
    ((_, actual, score),) = asked
    assert abs(score.mean() - actual.mean()) < 0.02


ENTITY = np.tile(np.array([f"P{number:02}" for number in range(40)], object), 24)


def held(share: float, target: np.ndarray = TARGET) -> Trained:
    model = replace(churn, training=Training(hold_out=share))
    return train(model, TrainingRows(T, FEATURES, target, ENTITY), seed=7, choose_threshold=choose_threshold)


def test_nothing_is_learnt_from_entities_that_are_held_out():
    first = held(0.25)
    apart = set(ENTITY[first.split.held_out])
    assert 4 <= len(apart) <= 16
    for part in (first.split.train, first.split.validation, first.split.test):
        assert not apart & set(ENTITY[part])
    assert T[first.split.held_out].min() == T[first.split.test].min()
    turned = np.where(np.isin(ENTITY, list(apart)), 1 - TARGET, TARGET)
    assert held(0.25, turned).fitted.native() == first.fitted.native()


def test_the_same_entities_are_held_out_of_whatever_rows():
    few, many = held_out(ENTITY[:30], 0.25), held_out(ENTITY, 0.25)
    assert np.array_equal(few, many[:30])
    assert not held_out(ENTITY, 0.0).any()
    assert set(ENTITY[held_out(ENTITY, 0.1)]) <= set(ENTITY[many])


def test_without_the_word_no_part_is_held_out():
    assert trained().split.held_out is None


def test_a_share_that_leaves_no_rows_is_said():
    model = replace(churn, training=Training(hold_out=0.5))
    one = np.full(len(T), next(key for key in ENTITY if held_out(np.array([key], object), 0.5)[0]), object)
    with pytest.raises(TrainingError, match="no train rows of churn are left"):
        train(model, TrainingRows(T, FEATURES, TARGET, one), seed=7, choose_threshold=choose_threshold)


def test_a_target_of_one_value_teaches_nothing():
    revenue = replace(churn, target=sales.amount.sum(next="30d"), metric="rmse", estimator=Linear())
    with pytest.raises(TrainingError, match=r"the target is 3 in all \d+ train rows of churn"):
        trained(revenue, np.full(len(T), 3.0))


def curve(model: Model, target: np.ndarray = TARGET) -> list[float]:
    rows = TrainingRows(T, FEATURES, target)
    return [one.share for one in learning_curve(model, rows, seed=7, choose_threshold=choose_threshold)]


def test_a_learning_curve_leaves_out_parts_of_one_class_and_tells_of_everything_else(monkeypatch):
    assert curve(churn) == [0.1, 0.25, 0.5]
    late = (T[len(T) * 8 // 10] < T) | (T[len(T) // 2] > T)
    assert curve(churn, np.where(late, TARGET, 0.0)) == [0.5]
    fit = estimators.find("xgboost")

    def picky(task: Any, rows: Any, validation: Any) -> Any:
        if len(rows.target) < 300:
            raise ValueError("too few neighbours")
        return fit(task, rows, validation)

    monkeypatch.setattr("keepfit.stages.training.grow.find", lambda kind: picky)
    with pytest.raises(TrainingError, match="failed on 80 rows: ValueError: too few neighbours") as raised:
        curve(churn)
    assert raised.value.notes == ("learnt from the newest 10% of the train rows only: Training(learning_curve=True)",)
