"""What a gate may ask for, and what `check` refuses of it."""

from __future__ import annotations

import math

import pytest

from keepfit import Category, Events, Every, Files, Float, Gate, Model, Records
from keepfit.spec.check import Problem, check

customers = Records("customers", Files("c.csv"), entity="id", columns={"segment": Category()})
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
COUNT, SUM = sales.count(next="30d"), sales.amount.sum(next="30d")


def problems(*gates: Gate, target: object = COUNT == 0) -> list[Problem]:
    features = [sales.count(last="30d"), customers.segment]
    model = Model("churn", Every("1 month", of=customers), features, target, gates=gates)  # type: ignore[arg-type]
    return check([customers, sales], [model])


def test_every_gate_can_be_declared_beside_the_others() -> None:
    assert (
        problems(
            Gate("auc", threshold=0.7),
            Gate.min_absolute_change(0.01),
            Gate.min_relative_change(0.02),
            Gate.not_worse_than_champion(),
            Gate.fair_across("segment"),
            Gate.max_fairness_gap("segment", 0.1),
            Gate.calibrated(0.05),
            Gate.latency(p99_ms=5),
            Gate.size(megabytes=20),
            Gate.parity(1e-5),
            Gate.documents(),
            Gate.approval(people=2),
        )
        == []
    )


def test_names_tell_gates_apart() -> None:
    gates = [Gate.min_absolute_change(0.01), Gate.max_fairness_gap("segment"), Gate.calibrated(), Gate.approval()]
    assert [gate.name for gate in gates] == ["min_absolute_change", "fairness_gap_segment", "ece", "approval"]


@pytest.mark.parametrize(
    ("gate", "fix"),
    [
        (Gate("auc", threshold=-0.1), "use a number above 0: auc is never below"),
        (Gate("auc", threshold=0), "use a number above 0: auc is never below"),
        (Gate.calibrated(2), "use a number below 1: ece is never above"),
        (Gate.not_worse_than_champion(5), "use a number below 1: auc is a share"),
        (Gate.min_absolute_change(1.5), "use a number below 1: auc is a share"),
        (Gate.parity(5), "use a difference of probabilities, below 1"),
        (Gate("auc", threshold=80), "auc is a share, from 0 to 1: 0.8"),
        (Gate("auc", threshold=math.nan), "use a finite number"),
        (Gate.calibrated(-0.05), "use a number above 0: ece is never below"),
        (Gate.min_absolute_change(-0.01), "use a number from 0 on"),
        (Gate.min_relative_change(-0.01), "use a number from 0 on"),
        (Gate.not_worse_than_champion(-0.01), "to ask for a gain: Gate.min_absolute_change(0.01)"),
        (Gate.fair_across("segment", ratio=1.25), "use a ratio above 0 and up to 1"),
        (Gate.max_fairness_gap("segment", gap=-0.1), "use a difference of two rates from 0 and below 1"),
        (Gate.latency(p99_ms=0), "use a number above 0"),
        (Gate.size(megabytes=-1), "use a number above 0"),
        (Gate.parity(-1e-6), "use a number from 0 on"),
        (Gate.approval(people=0), "use a whole number from 1 to 20"),
        (Gate.approval(people=1.5), "use a whole number from 1 to 20"),  # type: ignore[arg-type]
    ],
)
def test_a_bound_that_cannot_be_reached_or_missed_is_refused(gate: Gate, fix: str) -> None:
    (problem,) = problems(gate)
    assert "is no bound that a version can reach and miss" in problem.what
    assert fix in problem.fix


@pytest.mark.parametrize("bound", ["0.8", None, True])
def test_a_bound_is_a_number(bound: object) -> None:
    (problem,) = problems(Gate("auc", threshold=bound))  # type: ignore[arg-type]
    assert problem.what == f"Gate('auc', threshold={bound!r}) has no bound that is a number"


def test_r2_may_be_held_to_a_bound_below_zero() -> None:
    assert problems(Gate("r2", threshold=-0.5), target=SUM) == []


def test_a_gap_of_errors_may_be_of_any_size() -> None:
    assert problems(Gate.max_fairness_gap("segment", gap=40.0), target=SUM) == []


@pytest.mark.parametrize(
    ("gates", "what"),
    [
        (
            (Gate("auc", threshold=0.7), Gate("auc", threshold=0.8)),
            "Gate('auc', threshold=0.7) and Gate('auc', threshold=0.8) hold the same number",
        ),
        (
            (Gate.calibrated(0.05), Gate("ece", threshold=0.1)),
            "Gate('ece', threshold=0.05) and Gate('ece', threshold=0.1) hold the same number",
        ),
        (
            (Gate.approval(), Gate.approval(2)),
            "Gate.approval(people=1) and Gate.approval(people=2) hold the same number",
        ),
    ],
)
def test_a_gate_is_declared_once(gates: tuple[Gate, ...], what: str) -> None:
    (problem,) = problems(*gates)
    assert (problem.what, problem.fix) == (what, "keep the stricter one")


def test_a_gap_needs_an_attribute_of_the_model() -> None:
    (problem,) = problems(Gate.max_fairness_gap("segmnt"))
    assert problem.what == "Gate.max_fairness_gap('segmnt'): no such attribute among the features"
    assert "did you mean 'segment'?" in problem.fix


def test_an_unknown_kind_is_refused() -> None:
    (problem,) = problems(Gate(kind="aproval"))
    assert problem.what == "gate kind 'aproval' is unknown"
    assert "did you mean 'approval'?" in problem.fix
