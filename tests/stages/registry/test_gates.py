"""Gates pass and fail at their bounds, and say why with numbers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from keepfit.evidence import Candidate, Estimate, Evaluation, Latency, Parity, Route, Verdict, as_data, parity_from
from keepfit.spec.check.gates import WRITTEN
from keepfit.spec.gates import Gate
from keepfit.stages.registry.gates import JUDGES, REQUIRED, judge
from keepfit.stages.registry.version import Version
from keepfit.steps import judging

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
    (verdict,) = judge([gate], Candidate(replace(EVALUATION, **changes)))
    return verdict


def of(gate: Gate, **known: Any) -> Verdict:
    """Return the verdict on a version of which this is known beside its evaluation."""
    evaluation = known.pop("evaluation", EVALUATION)
    (verdict,) = judge([gate], Candidate(evaluation, **{"number": "3", **known}))
    return verdict


def test_verdicts_come_in_the_order_of_the_gates() -> None:
    gates = [Gate.not_worse_than_champion(), Gate("f1", threshold=0.8), Gate.fair_across("segment")]
    assert [verdict.gate for verdict in judge(gates, Candidate(EVALUATION))] == [
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


def test_every_kind_has_a_judge_and_a_way_to_write_it() -> None:
    assert set(JUDGES) == set(WRITTEN)


def test_a_gap_is_the_difference_of_the_rates() -> None:
    verdict = one(Gate.max_fairness_gap("segment", 0.25), groups={"segment": GROUPS})
    assert (verdict.passed, verdict.value) == (False, pytest.approx(0.27))
    assert verdict.reason.endswith("difference 0.27 > 0.25")
    assert verdict.evidence == "group.segment.b.tpr"
    assert one(Gate.max_fairness_gap("segment", 0.28), groups={"segment": GROUPS}).passed


@pytest.mark.parametrize(
    ("gate", "passed", "reason"),
    [
        (Gate.min_absolute_change(0.03), True, "f1 is better than the champion's by 0.031 >= 0.03"),
        (Gate.min_absolute_change(0.04), False, "f1 is better than the champion's by 0.031 < 0.04"),
        (Gate.min_relative_change(0.03), True, "f1 is better than the champion's 0.811 by a share of 0.0382 >= 0.03"),
        (Gate.min_relative_change(0.05), False, "f1 is better than the champion's 0.811 by a share of 0.0382 < 0.05"),
    ],
)
def test_a_change_is_held_as_it_was_measured(gate: Gate, passed: bool, reason: str) -> None:
    verdict = one(gate, against_champion=Estimate(0.031, -0.1, 0.1, 50))
    assert (verdict.passed, verdict.reason, verdict.evidence) == (passed, reason, "champion.gain")


def test_a_relative_change_of_an_error_is_of_the_champions_error() -> None:
    less = replace(EVALUATION, metric="log_loss", against_champion=Estimate(0.1, 0.0, 0.2, 50))
    # the champion's log loss is 0.5
    assert of(Gate.min_relative_change(0.2), evaluation=less).value == pytest.approx(0.2)


CHANGES = [Gate.min_absolute_change(0.01), Gate.min_relative_change(0.01), Gate.not_worse_than_champion()]


@pytest.mark.parametrize("gate", CHANGES, ids=lambda gate: gate.name)
def test_what_was_compared_with_another_champion_does_not_pass(gate: Gate) -> None:
    better = replace(EVALUATION, against_champion=Estimate(0.1, 0.05, 0.2, 50))
    assert of(gate, evaluation=better, against="1", champion="1").passed
    assert of(gate, evaluation=better, against="1", champion="3").passed  # it is the champion itself
    assert of(gate, evaluation=better, champion="2").passed  # an earlier keepfit did not note with whom
    stale = of(gate, evaluation=better, against="1", champion="2")
    assert (stale.passed, stale.value) == (False, None)
    assert stale.reason == "it was compared with version 1 when it was trained, and version 2 is the champion now"
    none = of(gate, against="", champion="2")
    assert (none.passed, "compared with no champion" in none.reason) == (False, True)


@pytest.mark.parametrize("gate", CHANGES, ids=lambda gate: gate.name)
def test_a_version_that_was_compared_with_nothing_is_not_held_to_be_as_good_as_the_champion(gate: Gate) -> None:
    verdict = of(gate, against=None, champion="2")
    assert (verdict.passed, verdict.value) == (False, None)
    assert "was not compared with version 2, the champion now: train one here" in verdict.reason
    assert of(gate, against=None, champion=None).passed
    assert of(gate, against=None, champion="3").passed  # it is the champion itself


@pytest.mark.parametrize("gate", CHANGES, ids=lambda gate: gate.name)
def test_without_a_champion_there_is_no_change_to_ask_for(gate: Gate) -> None:
    assert of(gate, against="", champion=None).passed


def test_latency_is_held_with_the_machine_it_was_measured_on() -> None:
    measured = Latency(0.05, 0.42, 1000, "a processor, 2 cores")
    verdict = of(Gate.latency(p99_ms=0.4), latency=measured)
    assert (verdict.passed, verdict.value, verdict.bound) == (False, 0.42, 0.4)
    assert verdict.reason == "p99 0.42 ms > 0.4 ms of 1,000 single rows on a processor, 2 cores"
    assert of(Gate.latency(p99_ms=0.5), latency=measured).passed
    assert of(Gate.latency(p99_ms=0.5)) == Verdict("latency", False, None, 0.5, "its latency was not measured")


def test_size_is_that_of_all_files() -> None:
    verdict = of(Gate.size(megabytes=1), files={"model.onnx": 900_000, "artifact.json": 200_000})
    assert (verdict.passed, verdict.value, verdict.reason) == (False, 1.1, "2 files 1.1 MB > 1 MB together")
    assert of(Gate.size(megabytes=1.1), files={"model.onnx": 1_100_000}).passed


def test_documents_are_complete_when_each_is_there() -> None:
    assert of(Gate.documents(), files=dict.fromkeys(REQUIRED, 1)).passed
    verdict = of(Gate.documents(), files=dict.fromkeys(REQUIRED[:-1], 1))
    assert (verdict.passed, verdict.value, verdict.bound) == (False, 3.0, 4.0)
    assert verdict.reason == f"without {REQUIRED[-1]}"


def test_a_version_waits_until_enough_people_have_approved_it() -> None:
    verdict = of(Gate.approval(people=2), approvals={"ann": "churn/4"})
    assert (verdict.passed, verdict.value) == (False, 1.0)
    assert verdict.reason == "waits for approval: 1 of 2 approvals"
    both = of(Gate.approval(people=2), approvals={"ann": "churn/4", "bo": "churn/5"})
    assert (both.passed, both.reason, both.evidence) == (True, "approved by ann, bo", "churn/4, churn/5")


def test_without_a_certificate_parity_does_not_pass() -> None:
    for parity in (None, Parity({})):
        verdict = of(Gate.parity(), parity=parity)
        assert (verdict.passed, verdict.value) == (False, None)
        assert verdict.reason.startswith("no certificate")


def test_parity_holds_the_worst_route() -> None:
    routes = {"onnx": Route(1000, 2e-7, 0), "request": Route(1000, 3e-6, 0)}
    verdict = of(Gate.parity(1e-5), parity=Parity(routes))
    assert (verdict.passed, verdict.value, verdict.evidence) == (True, 3e-6, "parity.request")
    assert not of(Gate.parity(1e-6), parity=Parity(routes)).passed
    flipped = of(Gate.parity(1e-5), parity=Parity(routes | {"single": Route(1000, 1e-6, 2)}))
    assert (flipped.passed, flipped.evidence) == (False, "parity.single")
    assert "2 of 1,000 decisions flipped (single)" in flipped.reason


def test_parity_judges_what_is_rounded_by_design_only_by_name() -> None:
    found = Parity({"single": Route(1000, 0.0, 0), "float16": Route(1000, 0.08, 2, 900)})
    plain = of(Gate.parity(), parity=found)
    assert (plain.passed, plain.reason) == (
        True, "1 route, no decision flipped (single), largest difference 0 <= 0.0001",
    )  # fmt: skip
    named = of(Gate.parity(0.1, routes=["float16"]), parity=found)
    assert (named.gate, named.passed, named.value) == ("parity_float16", False, 0.08)
    assert "2 of 1,000 decisions flipped (float16)" in named.reason
    may = of(Gate.parity(0.1, routes=["float16"], flips=0.002), parity=found)
    assert (may.passed, may.reason.endswith(", up to 0.002 of decisions may flip")) == (True, True)
    assert not of(Gate.parity(0.1, routes=["float16"], flips=0.001), parity=found).passed
    assert not of(Gate.parity(0.01, routes=["float16"], flips=0.002), parity=found).passed


def test_a_route_that_no_certificate_has_does_not_pass() -> None:
    verdict = of(Gate.parity(0.1, routes=["float16"]), parity=Parity({"single": Route(1000, 0.0, 0)}))
    assert (verdict.passed, verdict.value) == (False, None)
    assert verdict.reason == "no certificate has float16: measure it with keepfit parity"


def test_a_certificate_goes_through_json_and_back() -> None:
    certificate = Parity({"onnx": Route(1000, 2e-7, 0), "request": Route(12, math.inf, 3)})
    assert parity_from(json.loads(json.dumps(as_data(certificate)))) == certificate


@pytest.mark.parametrize("origin", ["", "m/7@0f3a"])
def test_a_gain_over_the_champion_of_another_registry_is_none_here(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gained = replace(EVALUATION, against_champion=Estimate(0.5, 0.4, 0.6, 50))
    monkeypatch.setattr(judging, "evaluation_from", lambda _: gained)
    monkeypatch.setattr(judging, "stood", lambda *_: SimpleNamespace(approvals={}))
    monkeypatch.setattr(judging, "aliases_at", lambda *_: {"champion": "1"})
    version = Version("m", "2", tmp_path, "", 0, 0, None, against="1", origin=origin)
    (verdict,) = judge([Gate.not_worse_than_champion()], judging.candidate(cast(Any, None), version, 0))
    assert (verdict.passed, verdict.value) == ((False, None) if origin else (True, 0.4))
