"""Targets that are one of several labels: their names, their words, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keepfit import Category, Cost, Events, Every, Files, Float, Gate, Linear, Logistic, Model, Records, Training
from keepfit.errors import DefinitionError
from keepfit.spec import codec
from keepfit.spec.check import Problem, check
from keepfit.spec.features.meaning import describe

people = Records("people", Files("p.csv"), entity="id", columns={"age": Float(), "segment": Category()})
air = Events(
    "air", Files("a.csv"), entity="id", time="at",
    columns={"dust": Float(), "state": Category(values=["open", "sent", "lost"]), "free": Category()},
)  # fmt: skip
AHEAD, NAMES = air.dust.at("24h", tolerance="1h"), ("good", "poor", "bad")
BAND = AHEAD.band([12, 35.5], labels=NAMES)
STATE = air.state.last(next="7d")


def model(target: Any = BAND, **changes: Any) -> Model:
    parts = {"observe": Every("1 day", of=people), "features": [air.dust.last(), people.segment], "target": target}
    return Model("level", **{**parts, **changes})


def problems(one: Model) -> list[Problem]:
    return check([people, air], [one])


@pytest.mark.parametrize(
    "target",
    [
        BAND,
        BAND.named("level_ahead"),
        STATE.among("open", "sent", "lost"),
        air.free.first(next="1d").among("a", "b", "c"),
    ],
)
def test_such_a_target_is_a_task_of_its_own_and_survives_being_written_down(target):
    one = model(target)
    assert problems(one) == []
    assert (one.task, one.metric) == ("multiclass", "log_loss")
    again = codec.decode(json.loads(json.dumps(codec.encode(one))))
    assert (again.task, again.labels, again.target.name) == (one.task, one.labels, one.target.name)
    assert codec.encode(again) == codec.encode(one)


def test_names_and_words():
    assert BAND.name == "air_dust_at_24h_within_1h_band_12_35p5"
    assert STATE.among("open", "sent", "lost").name == "air_state_last_next_7d_among_open_sent_lost"
    found = describe(BAND)
    assert (
        found.meaning
        == "the band of the last of dust of air 24h after t (at most 1h before): good, poor from 12, bad from 35.5"
    )
    assert found.type == "label"
    assert describe(STATE.among("open", "sent", "lost")).meaning.startswith(
        "which of open, sent, lost is the last of state"
    )


WRONG = [
    (model(AHEAD.band([12], ("low", "high"))), "2 labels are no 3 to 100", "predict a comparison"),
    (model(AHEAD.band([12, 35], ("low", "high", "low"))), "repeat one", "a label of its own"),
    (model(AHEAD.band([12, 35, 55], NAMES)), "3 edges part 4 bands, not 3", "one label more"),
    (model(AHEAD.band([35, 12], NAMES)), "do not ascend", "lowest to the highest"),
    (model(AHEAD.band([12, float("nan")], NAMES)), "nan is no edge", "finite numbers"),
    (model(AHEAD.band([12, "35"], NAMES)), "'35' is no edge", "finite numbers"),
    (model(AHEAD.band([12, 35], ("good", 2, "bad"))), "2 is no label", "write a text"),
    (model(STATE.among("open", "sent", "gone")), "'state' is never 'gone'", "there are"),
    (model(AHEAD.among("open", "sent", "lost")), "is not the first or the last label of a category", "use .band()"),
    (model(air.state.last(next="7d")), "last of 'state', which is category", "use one of"),
    (model(BAND + 1), "is made of a label", "use it as the target itself"),
    (model(features=[air.dust.last().band([1, 2], NAMES)]), "is made of a label", "use the number"),
    (model(training=Training(calibrate="isotonic")), "cannot keep those of several labels", "compare the target"),
    (model(training=Training(cost=Cost(1, 5))), "the target is one of several labels", "leave it out"),
    (model(training=Training(monotone={"air_dust_last": 1})), "monotone= holds one score", "the number itself"),
    (model(training=Training(interval=0.9)), "interval= is of a predicted number", "leave it out"),
    (model(training=Training(class_weight={0: 1, 1: 5})), "does not weigh the classes good, poor, bad", "'bad': 3"),
    (model(training=Training(class_weight={"good": 1, "poor": 2})), "does not weigh the classes", "'bad': 3"),
    (model(estimator=Linear()), "Linear() does not fit: the target is one of several labels", "Logistic()"),
    (model(metric="auc"), "'auc' does not fit: the target is one of several labels", "auc_ovr"),
    (model(gates=[Gate.fair_across("segment")]), "Gate.fair_across compares", "compare the target"),
    (model(features=[people.segment.named("label")]), "'label' cannot be a feature name", "rename"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "what", "fix"), WRONG)
def test_what_is_wrong_is_said_with_a_fix(one, what, fix):
    found = problems(one)
    assert any(what in problem.what and fix in problem.fix for problem in found), found
    assert all(problem.where == "definitions.py, Model 'level'" for problem in found)


def test_weights_by_label_and_other_estimators_are_accepted():
    said = Training(class_weight={"good": 1, "poor": 2, "bad": 5}, half_life="90d", hold_out=0.1, folds=2)
    assert problems(model(training=said, estimator=Logistic(), metric="f1_macro")) == []
    assert problems(model(training=Training(class_weight="balanced"))) == []


@pytest.mark.parametrize(
    ("edges", "labels", "what"),
    [(50, NAMES, "edges=50 of .band() is no list"), ([12, 35.5], "xyz", "labels='xyz' of .band() is no list")],
)
def test_bands_are_lists(edges, labels, what):
    with pytest.raises(DefinitionError) as refused:
        AHEAD.band(edges, labels=labels)
    assert refused.value.what == what
    assert "write lists" in refused.value.fix


def test_an_edge_beyond_all_floats_is_refused():
    (found,) = problems(model(AHEAD.band([12, 10**400], labels=NAMES)))
    assert "is no edge of a band" in found.what
