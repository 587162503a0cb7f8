"""Intervals hold the share of rows that they promise, whatever learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keepfit import (
    Events,
    Every,
    Files,
    Float,
    HistGradientBoosting,
    LightGBM,
    Linear,
    Model,
    RandomForest,
    Records,
    Sklearn,
    Training,
    XGBoost,
    clock,
)  # fmt: skip
from keepfit.artifact import Predictor, encode
from keepfit.errors import DefinitionError, TrainingError
from keepfit.measure.metrics import measure, measure_all
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.training.grow import TrainingRows
from keepfit.stages.training.interval import conformal
from keepfit.stages.training.train import Trained, backtest, train

people = Records("people", Files("p.csv"), entity="id", columns={"age": Float()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
NINE = Training(interval=0.9)
spend = Model(
    "spend", Every("1 week", of=people), [people.age, sales.count(last="30d")],
    target=sales.amount.sum(next="7d"), estimator=XGBoost(n_estimators=150, learning_rate=0.1), metric="pinball", training=NINE,
)  # fmt: skip
random = np.random.default_rng(5)
T = np.repeat(np.arange(52, dtype=np.int64) * clock.WEEK, 80)
AGE, COUNT = random.normal(0, 1, len(T)), random.poisson(3, len(T)).astype(float)
# how far a value strays grows with the count
TARGET = 10 * COUNT + random.normal(0, 1 + 2 * COUNT)
ROWS = TrainingRows(T, {"people_age": AGE, "sales_count_30d": COUNT}, TARGET)
ESTIMATORS = {
    "xgboost": spend.estimator,
    "lightgbm": LightGBM(n_estimators=150, learning_rate=0.1),
    "histograms": HistGradientBoosting(max_iter=60),
    "linear": Linear(),
    "forest": RandomForest(n_estimators=20),
    "class": Sklearn("sklearn.ensemble:GradientBoostingRegressor", n_estimators=20),
}
LEARN = ("xgboost", "lightgbm", "histograms")


def trained(model: Model = spend, rows: TrainingRows = ROWS) -> Trained:
    return train(model, rows, seed=7, choose_threshold=choose_threshold)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_interval_holds_its_share_of_later_rows_around_the_score(name):
    found = trained(replace(spend, estimator=ESTIMATORS[name]))
    test = found.split.test
    answers = found.scores[test]
    assert 0.85 < measure("coverage", TARGET[test], answers, said=NINE) < 0.95
    assert (answers[:, 1] <= answers[:, 0]).all() and (answers[:, 0] <= answers[:, 2]).all()
    assert found.grown.bounds.interval.learnt == (name in LEARN)
    few, many = COUNT[test] <= 1, COUNT[test] >= 5
    width = answers[:, 2] - answers[:, 1]
    if name in LEARN:  # narrow where the target is certain
        assert width[many].mean() > 1.5 * width[few].mean()
    else:
        assert np.ptp(width) < 1e-6


def test_learnt_quantiles_beat_one_width_for_all():
    learnt, one = (trained(replace(spend, estimator=ESTIMATORS[name])) for name in ("xgboost", "forest"))
    test = learnt.split.test
    assert measure("pinball", TARGET[test], learnt.scores[test], said=NINE) < measure(
        "pinball", TARGET[test], one.scores[test], said=NINE
    )


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "histograms", "linear"])
def test_a_row_is_answered_alone_as_among_others(name):
    found = trained(replace(spend, estimator=ESTIMATORS[name]))
    quantiles = [found.onnx[file] for file in ("low.onnx", "high.onnx") if file in found.onnx]
    predictor = Predictor(found.onnx["model.onnx"], None, found.grown.bounds.interval, quantiles)
    matrix = encode(ROWS.features, found.features, found.grown.categories)[-50:]
    together = predictor.score(matrix)
    alone = np.concatenate([predictor.score(matrix[place : place + 1]) for place in range(50)])
    assert np.array_equal(alone, together)
    assert np.array_equal(together, found.scores[-50:])
    assert np.abs(found.grown.answers(matrix) - together).max() < 1e-3


@pytest.mark.parametrize("name", LEARN)
def test_the_same_rows_make_the_same_files(name):
    model = replace(spend, estimator=ESTIMATORS[name])
    first, second = trained(model).files(), trained(model).files()
    assert first == second
    assert {"model.onnx", "low.onnx", "high.onnx"} < set(first)
    assert sum(file.startswith(("low.", "high.")) for file in first) == 4


def test_an_interval_changes_nothing_of_the_score():
    plain = trained(replace(spend, training=Training(), metric="rmse"))
    of_bounds = {"low.onnx", "high.onnx", "low.ubj", "high.ubj"}
    assert plain.files() == {name: content for name, content in trained().files().items() if name not in of_bounds}
    test = plain.split.test
    assert np.array_equal(plain.scores[test], trained().scores[test, 0])


def test_the_test_rows_do_not_influence_the_bounds():
    test = trained().split.test
    other = replace(ROWS, target=np.where(test, -TARGET, TARGET))
    assert trained(rows=other).files() == trained().files()
    assert trained(rows=other).grown.bounds.interval == trained().grown.bounds.interval


def test_a_constraint_holds_the_score_whatever_the_bounds():
    model = replace(spend, estimator=LightGBM(n_estimators=30), training=replace(NINE, monotone={"sales_count_30d": 1}))
    matrix = np.stack([np.zeros(9), np.arange(9.0)], axis=1).astype(np.float32)
    assert np.diff(trained(model).grown.answers(matrix)[:, 0]).min() >= -1e-6


def test_folds_are_measured_with_their_bounds():
    folds = list(backtest(spend, ROWS, 2, seed=7, choose_threshold=choose_threshold))
    for fold in folds:
        found = measure_all("regression", TARGET[fold.split.test], fold.scores, said=NINE)
        assert 0.8 < found["coverage"] < 1


@pytest.mark.parametrize(("share", "value"), [(0.5, 5.0), (0.8, 8.0), (0.9, 9.0)])
def test_the_conformal_quantile_counts_the_row_to_come(share, value):
    assert conformal(np.arange(1.0, 10.0), share) == value  # of nine rows: rank ceil(10 * share)


def test_too_few_rows_for_a_share_are_said():
    with pytest.raises(TrainingError, match="9 validation rows cannot tell what 95% of the rows stay within") as raised:
        conformal(np.arange(9.0), 0.95)
    assert raised.value.fix == "wait for 19 rows or more, or declare a smaller share"
    assert conformal(np.arange(19.0), 0.95) == 18.0


@pytest.mark.parametrize("name", LEARN)
def test_a_quantile_is_what_its_share_of_rows_stays_below(name):
    model = replace(spend, estimator=ESTIMATORS[name], training=Training(quantile=0.9), metric="pinball")
    found = trained(model)
    test = found.split.test
    found_all = measure_all("regression", TARGET[test], found.scores[test], said=model.training)
    assert 0.8 < found_all["coverage"] < 0.97
    constant = np.full(test.sum(), np.quantile(TARGET[found.split.train], 0.9))
    assert found_all["pinball"] < 0.7 * measure("pinball", TARGET[test], constant, said=model.training)


def test_an_estimator_of_others_that_learns_no_quantile_is_refused(monkeypatch):
    model = replace(spend, estimator=replace(XGBoost(), kind="own"), training=Training(quantile=0.9))
    monkeypatch.setattr("keepfit.stages.training.estimators.find", lambda kind: lambda task, rows, validation: None)
    monkeypatch.setattr("keepfit.stages.training.grow.find", lambda kind: lambda task, rows, validation: None)
    with pytest.raises(DefinitionError, match="own cannot learn a quantile"):
        trained(model)
