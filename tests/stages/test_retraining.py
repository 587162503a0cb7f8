"""Decisions follow from the evidence alone: by example, and by law."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit import clock
from keepfit.evidence import (
    CONCEPT,
    Champion,
    Decision,
    Drift,
    Estimate,
    Estimated,
    Evaluation,
    Evidence,
    Realised,
    Verdict,
)
from keepfit.spec import policy as spec
from keepfit.spec.policy import Condition, Policy, when
from keepfit.spec.timetable import Quiet, Rate
from keepfit.stages.retraining import FINDERS, conclude, decide, find

NOW = clock.to_micros(datetime(2025, 3, 1, tzinfo=UTC))
DRIFTED = Drift("sales_amount_sum_30d", "ks", psi=0.41, statistic=0.18, p_value=1e-30, significant=True, rows=900)
CALM = Drift("age", "ks", psi=0.08, statistic=0.02, p_value=0.4, significant=False, rows=900)


def days(count: int) -> int:
    return count * clock.DAY


def matured(rows: int = 1840, **metrics: float) -> Realised:
    return Realised("4", from_at=NOW, to_at=NOW, rows=rows, metrics=metrics, baseline={})


CHAMPION = Champion("4", trained_at=NOW - days(92), promoted_at=NOW - days(30), previous="3")
EVIDENCE = Evidence(
    as_of=NOW,
    champion=CHAMPION,
    trainings_at=(NOW - days(92),),
    realised=matured(f1=0.742),
    drift=(DRIFTED, CALM),
    new_labels=512,
)


def decided(condition: Condition, **changes: Any) -> Decision:
    return decide(replace(EVIDENCE, **changes), Policy(retrain=condition, cooldown="14d", probation="62d"))


# --- one condition at a time


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (when.metric_below("f1", 0.8), "f1 0.742 on 1,840 matured rows of 2025-03-01 is below 0.8"),
        (when.drift(), "sales_amount_sum_30d drifted: psi 0.41 >= 0.2, ks 0.18, p 1e-30"),
        (when.older_than("90d"), "the champion is 92 days old, limit 90"),
        (when.older_than("36h"), "the champion is 2,208 hours old, limit 36"),
        (when.new_labels(500), "512 labels have matured that the champion has not seen, >= 500"),
        (
            when.schedule("0 6 1 * *"),
            "the timetable '0 6 1 * *' UTC came on 2025-02-01T06:00:00Z, after the last training of 2024-11-29",
        ),
    ],
)
def test_a_condition_that_holds_retrains_and_says_why(condition: Condition, reason: str) -> None:
    assert decided(condition) == Decision("retrain", (reason,))


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (when.metric_below("f1", 0.742), "f1 0.742 on 1,840 matured rows of 2025-03-01 is not below 0.742"),
        (when.metric_below("auc", 0.8), "auc is undefined on 1,840 matured rows of 2025-03-01"),
        (when.drift(0.5), "no column drifted: the largest is sales_amount_sum_30d, psi 0.41 < 0.5"),
        (when.older_than("92d"), "the champion is 92 days old, limit 92"),
        (when.new_labels(513), "512 labels have matured that the champion has not seen, < 513"),
        (
            when.schedule("0 0 29 11 *"),
            "the timetable '0 0 29 11 *' UTC has not come since the last training of 2024-11-29",
        ),
        (when.never(), "the policy is never to retrain"),
    ],
)
def test_a_condition_that_does_not_hold_keeps_and_says_why(condition: Condition, reason: str) -> None:
    assert decided(condition) == Decision("keep", (reason,))


def test_no_matured_labels_never_call_for_a_retraining() -> None:
    assert decided(when.metric_below("f1", 0.8), realised=None).reasons == ("no labels have matured yet",)


def test_an_error_calls_for_a_retraining_when_it_is_above_the_limit() -> None:
    wrong, right = matured(rmse=12.0), matured(rmse=8.0)
    assert decided(when.metric_below("rmse", 10), realised=wrong).reasons == (
        "rmse 12 on 1,840 matured rows of 2025-03-01 is above 10",
    )
    assert decided(when.metric_below("rmse", 10), realised=right).reasons == (
        "rmse 8 on 1,840 matured rows of 2025-03-01 is not above 10",
    )


def expected(value: float, low: float, high: float, metric: str = "f1") -> Estimated:
    return Estimated("4", NOW, NOW, 900, {metric: Estimate(value, low, high, 900)}, {}, "")


def test_an_estimate_calls_for_a_retraining_only_when_all_of_its_interval_is_too_bad() -> None:
    sure, unsure = expected(0.7, 0.66, 0.74), expected(0.7, 0.59, 0.81)
    assert decided(when.estimated_below("f1", 0.8), estimated=sure) == Decision(
        "retrain", ("f1, estimated without labels, 0.7 [0.66, 0.74] on 900 predictions is surely below 0.8",)
    )
    assert decided(when.estimated_below("f1", 0.8), estimated=unsure).action == "keep"
    assert decided(when.estimated_below("f1", 0.8), estimated=expected(0.7, math.nan, math.nan)).action == "keep"
    assert decided(when.estimated_below("f1", 0.8), estimated=None).action == "keep"
    assert decided(when.estimated_below("rmse", 5), estimated=expected(7, 6, 8, "rmse")).action == "retrain"
    assert decided(when.estimated_below("rmse", 5), estimated=expected(7, 4, 8, "rmse")).action == "keep"


def test_a_window_of_several_observation_times_names_both_ends() -> None:
    window = replace(matured(f1=0.7), from_at=NOW - days(28))
    assert "of 2025-02-01 to 2025-03-01 is below" in decided(when.metric_below("f1", 0.8), realised=window).reasons[0]


def test_a_large_psi_that_may_be_chance_is_no_drift() -> None:
    far = replace(DRIFTED, significant=False, p_value=0.2, rows=12)
    assert decided(when.drift(), drift=(far,)) == Decision(
        "keep", ("sales_amount_sum_30d moved: psi 0.41 >= 0.2, ks 0.18, p 0.2, but that may be chance",)
    )


def test_a_severity_asks_for_alarms_and_not_for_distances() -> None:
    alarm = replace(CALM, severity="warning", chance=1e-6, bound=1e-3, relative_effect=0.08)
    assert decided(when.drift(severity="warning"), drift=(alarm, DRIFTED)) == Decision(
        "retrain", ("age drifted (warning): chance 1e-06 < 0.001, expected to change the loss by +8.0%",)
    )
    quiet = decided(when.drift(severity="critical"), drift=(alarm, replace(DRIFTED, chance=0.2)))
    assert quiet == Decision("keep", ("no drift is critical: the least likely is age, chance 1e-06",))
    assert decided(when.drift(severity="critical"), drift=()).reasons == ("no drift was measured",)


def test_many_drifted_columns_are_counted_not_listed() -> None:
    many = tuple(replace(DRIFTED, column=f"x{i}") for i in range(9))
    reasons = decided(when.drift(), drift=many).reasons
    assert len(reasons) == 6
    assert reasons[-1] == "4 more columns drifted"


def test_drift_that_was_not_measured_does_not_hold() -> None:
    assert decided(when.drift(), drift=()) == Decision("keep", ("no drift was measured",))


def test_every_condition_has_its_finder() -> None:
    declared = {kind for kind in spec.Condition.__subclasses__() if kind.__module__ == spec.__name__}
    assert set(FINDERS) == declared


# --- together


def test_what_has_no_distance_is_not_the_largest() -> None:
    still = Drift("visits", "ks", 0.0, 0.01, 0.9, False, 500)
    concept = Drift("concept", "surprise", 0.0, 0.2, 0.9, False, 500, kind=CONCEPT)
    found = decided(when.drift(0.5), drift=(concept, still))
    assert found.reasons == ("no column drifted: the largest is visits, psi 0 < 0.5",)


def test_any_of_gives_the_reasons_that_hold() -> None:
    found = decided(when.metric_below("f1", 0.8) | when.drift(0.5) | when.older_than("90d"))
    assert found.action == "retrain"
    assert [reason.split()[0] for reason in found.reasons] == ["f1", "the"]


def test_all_of_keeps_with_the_reasons_that_do_not_hold() -> None:
    found = decided(when.metric_below("f1", 0.8) & when.drift(0.5))
    assert found == Decision("keep", ("no column drifted: the largest is sales_amount_sum_30d, psi 0.41 < 0.5",))


# --- what holds a retraining back


def test_a_cooldown_keeps_and_says_until_when() -> None:
    found = decided(when.older_than("90d"), trainings_at=(NOW - days(13),))
    assert found == Decision(
        "keep",
        (
            "the champion is 92 days old, limit 90",
            "the last training was on 2025-02-16, the cooldown lasts until 2025-03-02",
        ),
    )


def test_a_cooldown_is_over_at_its_last_moment() -> None:
    assert decided(when.older_than("90d"), trainings_at=(NOW - days(14),)).action == "retrain"


def test_an_impossible_training_set_keeps_with_the_reason() -> None:
    found = decided(when.older_than("90d"), trainable="12 mature rows, 50 are needed")
    assert found.action == "keep"
    assert found.reasons[-1] == "no training set can be built: 12 mature rows, 50 are needed"


def test_the_first_champion_is_trained_as_soon_as_it_can_be_whatever_the_policy() -> None:
    none = {"champion": None, "trainings_at": (NOW - days(1),)}
    assert decided(when.never(), **none) == Decision("retrain", ("no champion yet",))
    assert decided(when.never(), **none, trainable="no mature rows") == Decision(
        "keep", ("no champion yet: no mature rows",)
    )


def test_a_spent_budget_keeps_and_says_when_it_is_free_again() -> None:
    policy = Policy(when.older_than("90d"), cooldown="1d", budget="2 per quarter")
    spent = replace(EVIDENCE, trainings_at=(NOW - days(120), NOW - days(40), NOW - days(20)))
    assert decide(spent, policy).reasons[1:] == (
        "the budget of 2 per quarter is spent: 2 since 2025-01-20; free again on 2025-04-21",
    )
    assert decide(replace(spent, trainings_at=(NOW - days(91), NOW - days(20))), policy).action == "retrain"


def test_quiet_hours_keep_until_they_end_and_a_roll_back_does_not_wait() -> None:
    policy = Policy(when.older_than("90d"), quiet="sat-sun 00:00-24:00")  # 2025-03-01 is a Saturday
    assert decide(EVIDENCE, policy).reasons[1:] == ("quiet hours (sat-sun 00:00-24:00) last until 2025-03-03",)
    assert decide(replace(EVIDENCE, as_of=NOW + days(2)), policy).action == "retrain"
    assert decide(replace(EVIDENCE, against_previous=WORSE), policy).action == "roll back"


# --- probation

WORSE = Estimate(-0.041, -0.07, -0.012, 120)


def test_a_champion_surely_worse_than_its_predecessor_is_rolled_back() -> None:
    assert decided(when.never(), against_previous=WORSE) == Decision(
        "roll back", ("version 4 does worse than version 3: gain -0.041 [-0.07, -0.012] on 120 matured rows",)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"against_previous": replace(WORSE, high=0.0)},
        {"against_previous": replace(WORSE, high=math.nan)},
        {"against_previous": replace(WORSE, rows=29)},
        {"against_previous": WORSE, "champion": replace(CHAMPION, previous=None)},
        {"against_previous": WORSE, "champion": replace(CHAMPION, promoted_at=NOW - days(62) - 1)},
    ],
)
def test_without_certainty_rows_predecessor_or_probation_nothing_is_rolled_back(changes: dict[str, Any]) -> None:
    assert decided(when.never(), **changes).action == "keep"


def test_probation_includes_its_last_moment() -> None:
    last = replace(CHAMPION, promoted_at=NOW - days(62))
    assert decided(when.never(), against_previous=WORSE, champion=last).action == "roll back"


def test_a_rollback_waits_for_no_cooldown() -> None:
    assert decided(when.older_than("90d"), against_previous=WORSE, trainings_at=(NOW,)).action == "roll back"


# --- laws

MOMENTS = st.integers(0, 2 * NOW)
NUMBERS = st.floats()
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(when.metric_below, st.sampled_from(["f1", "rmse", "auc"]), NUMBERS),
        st.builds(when.drift, st.floats(0, 1), severity=st.sampled_from([None, "warning", "critical"])),
        st.builds(when.older_than, st.sampled_from(["1h", "90d", "3w"])),
        st.builds(when.estimated_below, st.sampled_from(["f1", "rmse"]), NUMBERS),
        st.builds(when.new_labels, st.integers(1, 10**6)),
        st.builds(
            when.schedule, st.sampled_from(["0 6 1 * *", "*/5 * * * mon"]), st.sampled_from(["UTC", "Asia/Kolkata"])
        ),
        st.just(when.never()),
    ),
    lambda inner: st.builds(spec.AnyOf, inner, inner) | st.builds(spec.AllOf, inner, inner),
    max_leaves=6,
)
EVIDENCES = st.builds(
    Evidence,
    as_of=MOMENTS,
    champion=st.none() | st.builds(Champion, st.just("4"), MOMENTS, MOMENTS, st.none() | st.just("3")),
    trainings_at=st.lists(MOMENTS, max_size=5).map(sorted).map(tuple),
    realised=st.none()
    | st.builds(
        Realised,
        version=st.just("4"),
        from_at=MOMENTS,
        to_at=MOMENTS,
        rows=st.integers(0, 10**6),
        metrics=st.dictionaries(st.sampled_from(["f1", "rmse"]), NUMBERS),
        baseline=st.just({}),
    ),
    estimated=st.none()
    | st.builds(
        Estimated,
        version=st.just("4"),
        from_at=MOMENTS,
        to_at=MOMENTS,
        rows=st.integers(0, 10**6),
        metrics=st.dictionaries(
            st.sampled_from(["f1", "rmse"]), st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS, st.just(9))
        ),
        baseline=st.just({}),
        sentence=st.just(""),
    ),
    drift=st.lists(
        st.builds(Drift, st.sampled_from("abc"), st.just("ks"), NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.just(9)),
        max_size=8,
    ).map(tuple),
    against_previous=st.none() | st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 99)),
    new_labels=st.none() | st.integers(0, 10**6),
    trainable=st.sampled_from(["", "too few rows"]),
)
POLICIES = st.builds(
    Policy,
    CONDITIONS,
    st.sampled_from(["1h", "14d"]),
    st.sampled_from(["1d", "62d"]),
    st.sampled_from([None, "1 per day", "3 per quarter"]),
    st.sampled_from([None, "22:00-06:00", "mon-fri 08:00-18:00 Europe/London"]),
)


@settings(deadline=None)
@given(EVIDENCES, POLICIES)
def test_any_evidence_gets_a_decision_with_a_reason_and_always_the_same(evidence: Evidence, policy: Policy) -> None:
    found = decide(evidence, policy)
    assert found.action in {"keep", "retrain", "roll back"}
    assert found.reasons and all(found.reasons)
    assert decide(evidence, policy) == found


@settings(deadline=None)
@given(EVIDENCES, POLICIES)
def test_nothing_is_retrained_that_cannot_be_trained(evidence: Evidence, policy: Policy) -> None:
    assert decide(replace(evidence, trainable="too few rows"), policy).action != "retrain"


@settings(deadline=None)
@given(EVIDENCES, POLICIES, st.integers(0, 100 * clock.DAY))
def test_a_champion_is_never_retrained_within_the_cooldown(evidence: Evidence, policy: Policy, since: int) -> None:
    evidence = replace(evidence, champion=evidence.champion or CHAMPION, trainings_at=(evidence.as_of - since,))
    if decide(evidence, policy).action == "retrain":
        assert since >= clock.duration(policy.cooldown)


@settings(deadline=None)
@given(EVIDENCES, POLICIES)
def test_never_more_trainings_than_the_budget_in_any_period(evidence: Evidence, policy: Policy) -> None:
    evidence = replace(evidence, champion=evidence.champion or CHAMPION)
    if policy.budget and decide(evidence, policy).action == "retrain":
        rate = Rate.parse(policy.budget)
        before = [at for at in evidence.trainings_at if evidence.as_of - rate.period < at <= evidence.as_of]
        assert len(before) < rate.count


@settings(deadline=None)
@given(EVIDENCES, POLICIES)
def test_nothing_is_retrained_in_quiet_hours(evidence: Evidence, policy: Policy) -> None:
    evidence = replace(evidence, champion=evidence.champion or CHAMPION)
    if policy.quiet and decide(evidence, policy).action == "retrain":
        assert Quiet.parse(policy.quiet).end_of(evidence.as_of) is None


@settings(deadline=None)
@given(EVIDENCES, POLICIES)
def test_without_an_obstacle_the_condition_alone_decides(evidence: Evidence, policy: Policy) -> None:
    policy = replace(policy, quiet=None)
    free = replace(evidence, champion=CHAMPION, trainings_at=(), against_previous=None, trainable="")
    assert (decide(free, policy).action == "retrain") == find(policy.retrain, free).holds


@settings(deadline=None)
@given(EVIDENCES, CONDITIONS, CONDITIONS)
def test_conditions_combine_as_or_and_and(evidence: Evidence, left: Condition, right: Condition) -> None:
    either, both = find(left | right, evidence), find(left & right, evidence)
    assert either.holds == (find(left, evidence).holds or find(right, evidence).holds)
    assert both.holds == (find(left, evidence).holds and find(right, evidence).holds)
    assert find(right | left, evidence).holds == either.holds
    assert find(right & left, evidence).holds == both.holds


# --- after training

EVALUATION = Evaluation("classification", "f1", 0.5, {}, 0, 1, {"f1": 0.83}, {}, Estimate(0.83, 0.8, 0.86, 1200))
PASSED, FAILED = Verdict("f1", True, 0.83, 0.8, "f1 0.83 >= 0.8"), Verdict("auc", False, 0.7, 0.9, "auc 0.7 < 0.9")
WAITING = Verdict("approval", False, 0.0, 1, "waits for approval: 0 of 1 approvals")


def test_a_challenger_that_passes_every_gate_is_promoted() -> None:
    assert conclude((PASSED, PASSED), EVALUATION) == Decision("promote", ("f1 0.83 >= 0.8", "f1 0.83 >= 0.8"))


def test_one_failed_gate_rejects_a_challenger() -> None:
    assert conclude((PASSED, FAILED), EVALUATION) == Decision("reject", ("f1 0.83 >= 0.8", "auc 0.7 < 0.9"))


def test_without_gates_a_challenger_is_promoted_on_its_number() -> None:
    assert conclude((), EVALUATION) == Decision("promote", ("no gates to pass; f1 0.83 on 1,200 test rows",))


def test_a_challenger_that_lacks_nothing_but_approval_waits_for_it() -> None:
    assert conclude((PASSED, WAITING), EVALUATION) == Decision("await approval", (PASSED.reason, WAITING.reason))
    assert conclude((FAILED, WAITING), EVALUATION).action == "reject"


def test_without_a_champion_a_waiting_challenger_is_not_trained_again() -> None:
    waiting = Evidence(as_of=NOW, awaiting="1")
    assert decide(waiting, Policy(retrain=when.never())) == Decision(
        "keep", ("no champion yet", "version 1 awaits approval")
    )


def test_a_waiting_challenger_is_named_where_the_champion_is_kept() -> None:
    kept = decided(when.drift(), drift=(CALM,), awaiting="5")
    assert kept.reasons[-1] == "version 5 awaits approval"
    assert decided(when.drift(), awaiting="5").action == "retrain"
