"""Conditions as trees, and metrics that know their direction."""

from __future__ import annotations

import pytest

from keepfit import Gate, Policy, when
from keepfit.spec.metric import METRICS
from keepfit.spec.policy import AllOf, AnyOf, Drift, MetricBelow, Never, OlderThan


def test_conditions_combine_as_they_read():
    retrain = when.metric_below("f1", 0.8) | when.drift(psi=0.3) & when.older_than("90d")
    assert retrain == AnyOf(MetricBelow("f1", 0.8), AllOf(Drift(0.3), OlderThan("90d")))
    assert retrain.leaves() == [MetricBelow("f1", 0.8), Drift(0.3), OlderThan("90d")]


def test_or_and_and_are_refused_as_they_would_drop_a_condition():
    with pytest.raises(TypeError, match=r"combine conditions with \| and &"):
        when.drift() or when.never()
    with pytest.raises(TypeError, match=r"combine conditions with \| and &"):
        when.drift() and when.never()


def test_a_policy_waits_two_weeks_and_watches_two_months_unless_told():
    assert Policy(when.never()) == Policy(Never(), cooldown="14d", probation="62d")


@pytest.mark.parametrize(
    ("gate", "name"),
    [
        (Gate("f1", threshold=0.8), "f1"),
        (Gate.not_worse_than_champion(), "not_worse_than_champion"),
        (Gate.fair_across("segment"), "fair_across_segment"),
    ],
)
def test_a_gate_has_a_name_for_tables(gate, name):
    assert gate.name == name


def test_a_gain_is_positive_when_better_whichever_way_a_metric_points():
    assert METRICS["f1"].gain(0.9, over=0.8) == pytest.approx(0.1)
    assert METRICS["rmse"].gain(8.0, over=9.0) == 1.0
    assert METRICS["f1"].better(0.9, than=0.8)
    assert METRICS["rmse"].better(8.0, than=9.0)


def test_a_threshold_is_reached_from_the_metrics_own_side():
    assert [METRICS["f1"].reaches(value, 0.8) for value in (0.79, 0.8, 0.81)] == [False, True, True]
    assert [METRICS["rmse"].reaches(value, 0.8) for value in (0.79, 0.8, 0.81)] == [True, True, False]
