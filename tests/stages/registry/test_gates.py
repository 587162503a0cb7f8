"""Gates pass and fail at their bounds, and say why with numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from keepfit.evidence import Estimate, Evaluation, Verdict
from keepfit.spec.gates import Gate
from keepfit.stages.registry.gates import judge

EVALUATION = Evaluation(
    task="classification",
    metric="f1",
    threshold=0.5,
    rows={"train": 100, "validation": 50, "test": 50},
    test_from_at=0,
    test_to_at=1,
    metrics={"f1": 0.842, "auc": math.nan, "log_loss": 0.4},
    baseline={"f1": 0.5},
    estimate=Estimate(0.842, 0.8, 0.88, 50),
)


def one(gate: Gate, **changes: Any) -> Verdict:
    (verdict,) = judge([gate], replace(EVALUATION, **changes))
    return verdict


def test_verdicts_come_in_the_order_of_the_gates() -> None:
    gates = [Gate.not_worse_than_champion(), Gate("f1", threshold=0.8), Gate.fair_across("segment")]
    assert [verdict.gate for verdict in judge(gates, EVALUATION)] == [
        "not_worse_than_champion",
        "f1",
        "fair_across_segment",
    ]


@pytest.mark.parametrize(
    ("value", "passed", "reason"),
    [(0.842, True, "f1 0.842 >= 0.8"), (0.8, True, "f1 0.8 >= 0.8"), (0.74, False, "f1 0.74 < 0.8")],
)
def test_a_threshold_is_reached_or_not(value: float, passed: bool, reason: str) -> None:
    verdict = one(Gate("f1", threshold=0.8), metrics={"f1": value})
    assert (verdict.passed, verdict.value, verdict.bound, verdict.reason) == (passed, value, 0.8, reason)


@pytest.mark.parametrize(("bound", "reason"), [(0.5, "log_loss 0.4 <= 0.5"), (0.3, "log_loss 0.4 > 0.3")])
def test_an_error_must_lie_below_its_threshold(bound: float, reason: str) -> None:
    verdict = one(Gate("log_loss", threshold=bound))
    assert (verdict.passed, verdict.reason) == (bound == 0.5, reason)


def test_a_gate_without_a_metric_uses_the_models_own() -> None:
    assert one(Gate(threshold=0.8)).reason == "f1 0.842 >= 0.8"


@pytest.mark.parametrize("metric", ["auc", "rmse"])
def test_an_undefined_or_unmeasured_metric_does_not_pass(metric: str) -> None:
    verdict = one(Gate(metric, threshold=0.0))
    assert not verdict.passed
    assert verdict.value is None
    assert verdict.reason == f"{metric} is undefined on the test rows, the bound is 0"


def test_without_a_champion_the_comparison_passes() -> None:
    verdict = one(Gate.not_worse_than_champion())
    assert (verdict.passed, verdict.value, verdict.reason) == (True, None, "no champion to compare with")


def test_a_challenger_surely_not_much_worse_passes() -> None:
    verdict = one(Gate.not_worse_than_champion(), against_champion=Estimate(0.031, 0.012, 0.049, 50))
    assert verdict.passed
    assert (verdict.value, verdict.bound) == (0.012, -0.02)
    assert verdict.reason == "gain over the champion +0.031 [0.012, 0.049] lies above -0.02"


def test_a_challenger_that_may_be_worse_by_the_margin_fails_even_if_it_looks_better() -> None:
    verdict = one(Gate.not_worse_than_champion(), against_champion=Estimate(0.01, -0.02, 0.04, 50))
    assert not verdict.passed
    assert verdict.reason == "gain over the champion +0.01 [-0.02, 0.04] does not lie above -0.02"


def test_an_undefined_gain_does_not_pass() -> None:
    verdict = one(Gate.not_worse_than_champion(), against_champion=Estimate(math.nan, math.nan, math.nan, 4))
    assert not verdict.passed
    assert verdict.reason == "the gain over the champion is undefined on 4 rows"


GROUPS = {"a": {"rows": 1400.0, "rate": 0.9}, "b": {"rows": 30.0, "rate": 0.63}, "c": {"rows": 29.0, "rate": 0.0}}


def test_fairness_names_the_worst_and_the_best_group_of_30_rows_or_more() -> None:
    verdict = one(Gate.fair_across("segment"), groups={"segment": GROUPS})
    assert not verdict.passed
    assert verdict.value == pytest.approx(0.7)
    assert verdict.reason == (
        "true positive rate by segment: worst 'b' 0.63 (30 rows), best 'a' 0.9 (1,400 rows), ratio 0.7 < 0.8"
    )
    assert one(Gate.fair_across("segment", ratio=0.69), groups={"segment": GROUPS}).passed


def test_fairness_of_a_regression_holds_the_largest_error_for_the_worst() -> None:
    verdict = one(Gate.fair_across("segment"), task="regression", groups={"segment": GROUPS})
    assert "mean absolute error by segment: worst 'a' 0.9 (1,400 rows), best 'b' 0.63" in verdict.reason
    assert verdict.value == pytest.approx(0.7)


def test_too_few_rows_to_compare_groups_pass() -> None:
    small = {"c": GROUPS["c"]}
    assert (
        one(Gate.fair_across("segment"), groups={"segment": small}).reason
        == "no group of segment has 30 rows to judge on"
    )
    alone = one(Gate.fair_across("segment"), groups={"segment": small | {"a": GROUPS["a"]}})
    assert (alone.passed, alone.reason) == (True, "only group 'a' of segment has 30 rows to judge on")


def test_groups_all_missed_alike_are_equal() -> None:
    missed = {name: {"rows": 50.0, "rate": 0.0} for name in "ab"}
    assert one(Gate.fair_across("segment"), groups={"segment": missed}).value == 1.0


def test_groups_that_were_not_measured_do_not_pass() -> None:
    verdict = one(Gate.fair_across("county"), groups={"segment": GROUPS})
    assert (verdict.passed, verdict.reason) == (False, "the groups of county were not measured")
