"""What learns one of several labels: weights by label, what is missing is said, values of a category are places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keepfit import (
    Category,
    Estimator,
    Events,
    Every,
    Files,
    Float,
    HistGradientBoosting,
    LightGBM,
    Logistic,
    Model,
    Records,
    Training,
    XGBoost,
    clock,
)
from keepfit.artifact import Predictor, encode
from keepfit.errors import DefinitionError, TrainingError
from keepfit.kernel.evaluate import banded, evaluate
from keepfit.measure.metrics import measure
from keepfit.spec.rows import code_of
from keepfit.stages.evaluation.confusion import by_label, confusion
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.evaluation.rivals import rivals
from keepfit.stages.training.grow import TrainingRows
from keepfit.stages.training.train import Trained, train
from keepfit.stages.training.weights import class_weights, weights

people = Records("people", Files("p.csv"), entity="id", columns={"age": Float()})
air = Events("air", Files("a.csv"), entity="id", time="at", columns={"dust": Float(), "state": Category()})
NAMES = ("good", "poor", "bad")
level = Model(
    "level", Every("1 week", of=people), [air.dust.last(), people.age],
    target=air.dust.at("1w", tolerance="1d").band([12, 35.5], labels=NAMES), estimator=XGBoost(n_estimators=60),
)  # fmt: skip
random = np.random.default_rng(5)
T = np.repeat(np.arange(30, dtype=np.int64) * clock.WEEK, 60)
DUST = random.gamma(2, 12, len(T))
TARGET = banded(DUST * random.lognormal(0, 0.3, len(T)), (12, 35.5))
ROWS = TrainingRows(T, {"air_dust_last": DUST, "people_age": random.normal(40, 9, len(T))}, TARGET)


def trained(model: Model = level, rows: TrainingRows = ROWS) -> Trained:
    return train(model, rows, seed=7, choose_threshold=lambda *_: 0.5)


def test_a_value_at_an_edge_belongs_to_the_band_above_it_and_null_to_none():
    found = banded(np.array([-1.0, 12.0, 35.499, 35.5, 1e9, np.nan]), (12, 35.5))
    assert np.array_equal(found, [0, 1, 1, 2, 2, np.nan], equal_nan=True)


def test_a_category_is_the_place_of_its_label_and_any_other_is_null():
    target = air.state.last(next="7d").among("sent", "lost", "kept")
    codes = np.array([code_of("kept"), code_of("sent"), code_of("other"), np.nan])
    found = evaluate(target, {"air_state_last_next_7d": codes})
    assert np.array_equal(found, [2, 0, np.nan, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    "estimator", [level.estimator, LightGBM(n_estimators=60), HistGradientBoosting(max_iter=60), Logistic()]
)
def test_probabilities_of_every_label_are_served_to_the_same_bits(estimator):
    found = trained(replace(level, estimator=estimator))
    test = found.split.test
    scores = found.scores[test]
    assert scores.shape == (test.sum(), 3) and np.isnan(found.scores[~test]).all()
    assert measure("accuracy", TARGET[test], scores) > 0.6
    matrix = encode(ROWS.features, found.features, found.grown.categories)[test]
    predictor = Predictor(found.onnx["model.onnx"], labels=3)
    alone = np.concatenate([predictor.score(matrix[place : place + 1]) for place in range(40)])
    assert np.array_equal(alone, scores[:40])
    assert found.onnx_difference < 1e-5
    assert trained(replace(level, estimator=estimator)).files() == found.files()


def test_a_heavier_label_is_called_more():
    even, heavy = trained(), trained(replace(level, training=Training(class_weight={"good": 1, "poor": 1, "bad": 8})))
    assert np.nanmean(heavy.scores[:, 2]) > np.nanmean(even.scores[:, 2]) + 0.1


def test_balanced_labels_weigh_the_same_in_sum():
    target = np.array([0.0, 0, 0, 1, 2, 2])
    by_class = class_weights(Training(class_weight="balanced"), target, NAMES)
    assert by_class == pytest.approx((6 / 9, 6 / 3, 6 / 6))
    found = weights(Training(class_weight="balanced"), np.zeros(6, np.int64), target, by_class=by_class)
    assert [found[target == place].sum() for place in range(3)] == pytest.approx([2, 2, 2])


def test_a_label_that_no_train_row_has_is_named():
    with pytest.raises(TrainingError, match="no train row of level is 'bad'; there are") as raised:
        trained(rows=replace(ROWS, target=np.minimum(TARGET, 1)))
    assert raised.value.fix.startswith("see that it is spelt as in the data")


def test_a_plug_in_that_does_not_say_that_it_learns_labels_is_refused(monkeypatch):
    for room in ("grow", "estimators"):
        monkeypatch.setattr(f"keepfit.stages.training.{room}.find", lambda kind: lambda task, rows, validation: None)
    with pytest.raises(DefinitionError, match="own cannot learn one of several labels"):
        trained(replace(level, estimator=Estimator("own")))


def test_persistence_calls_the_band_of_the_last_value():
    split = trained().split
    found = rivals(level, ROWS.features, TARGET, split.train, split.test)["persistence (air_dust_last)"]
    called = banded(DUST, (12, 35.5))
    assert found["accuracy"] == pytest.approx((called == TARGET)[split.test].mean())
    prior = np.bincount(TARGET[split.train].astype(int), minlength=3) / split.train.sum()
    rows = split.train & (called == 2)
    followed = (np.bincount(TARGET[rows].astype(int), minlength=3) + prior) / (rows.sum() + 1)
    assert found["log_loss"] < -np.log(prior[TARGET[split.test].astype(int)]).mean()
    only = split.test & (called == 2)
    assert rivals(level, ROWS.features, TARGET, split.train, only)["persistence (air_dust_last)"][
        "log_loss"
    ] == pytest.approx(-np.log(followed[TARGET[only].astype(int)]).mean())


def test_the_confusion_counts_each_pair_and_each_label():
    actual, answers = (
        np.array([0.0, 0, 1, 2]),
        np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.6, 0.2], [0.5, 0.3, 0.2]]),
    )
    rows = np.arange(4)
    judged = Judged(
        "multiclass",
        rows.astype(object),
        rows,
        {},
        np.zeros((4, 1), np.float32),
        actual,
        answers,
        0.5,
        rows,
        labels=NAMES,
    )
    cells = {(one["actual"], one["predicted"]): (one["rows"], one["share"]) for one in confusion(judged)}
    assert cells["good", "poor"] == (1, 0.5) and cells["bad", "good"] == (1, 1.0) and len(cells) == 9
    good, poor, bad = by_label(judged)
    assert (good["precision"], good["recall"], good["f1"], good["rows"], good["called"]) == (0.5, 0.5, 0.5, 2, 2)
    assert (poor["precision"], poor["recall"]) == (0.5, 1.0)
    assert (bad["precision"], bad["recall"], bad["f1"]) == (None, 0.0, 0.0)
    assert judged.score.tolist() == [0.7, 0.8, 0.6, 0.5] and judged.loss_name == "log loss"
    assert judged.loss == pytest.approx(-np.log([0.7, 0.1, 0.6, 0.2]))
