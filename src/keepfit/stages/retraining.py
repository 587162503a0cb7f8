"""When to retrain, and whether to promote: evidence and policy in, a decision with its reasons out.

Pure and total: no clock, no I/O, an answer for any evidence. That is what lets `replay` try a policy on the past. A new
condition is a class in `keepfit.spec.policy` and a function `(condition, evidence) -> Finding` in `FINDERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit import clock
from keepfit.evidence import (
    AWAIT,
    KEEP,
    PROMOTE,
    REJECT,
    RETRAIN,
    ROLL_BACK,
    Champion,
    Decision,
    Evaluation,
    Evidence,
    Verdict,
)
from keepfit.evidence import Drift as Drifted
from keepfit.measure.wording import number, signed
from keepfit.spec.gates import APPROVAL
from keepfit.spec.metric import METRICS
from keepfit.spec.policy import AllOf, AnyOf, Condition, Drift, MetricBelow, Never, OlderThan, Policy

FEWEST_ROWS = 30
"""A champion on probation is not rolled back on fewer matured rows."""
SHOWN = 5
"""Drifted columns named in a reason; the others are counted."""


@dataclass(frozen=True)
class Finding:
    """Whether a condition holds, and the sentences that say why, or why not."""

    holds: bool
    sentences: tuple[str, ...]


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """Return whether to keep the champion, train a challenger, or roll back.

    In this order: without a champion, retrain whenever a training set can be built, cooldown or not, for there is
    nothing to protect, unless a challenger awaits approval; a champion that does worse than its predecessor in its probation
    is rolled back; then a changed definition or the policy's condition decides, and a cooldown or an impossible training set
    holds it back.

    Parameters
    ----------
    evidence : Evidence
        What is known at `evidence.as_of`.
    policy : Policy
        Its durations are exact: '14d', '36h'.

    Returns
    -------
    Decision
        "keep", "retrain" or "roll back", with at least one reason.
    """
    champion = evidence.champion
    awaiting = (f"version {evidence.awaiting} awaits approval",) if evidence.awaiting else ()
    if champion is None:
        reason = f"no champion yet: {evidence.trainable}" if evidence.trainable else "no champion yet"
        return Decision(KEEP if evidence.trainable or awaiting else RETRAIN, (reason, *awaiting))
    regret = _regret(evidence, champion, policy)
    if regret:
        return Decision(ROLL_BACK, (regret,))
    finding = _either_changed(evidence, find(policy.retrain, evidence))
    obstacles = _obstacles(evidence, policy) if finding.holds else ()
    wanted = finding.holds and not obstacles
    if wanted:
        return Decision(RETRAIN, finding.sentences)
    return Decision(KEEP, finding.sentences + obstacles + awaiting)


def _either_changed(evidence: Evidence, finding: Finding) -> Finding:
    """Return the finding, or that the definition is no longer the champion's, which calls for a training by itself."""
    if not evidence.changed or evidence.champion is None:
        return finding
    what = ", ".join(evidence.changed)
    sentence = f"the definition has changed since version {evidence.champion.version} was trained: {what}"
    return Finding(True, (sentence, *(finding.sentences if finding.holds else ())))


def conclude(verdicts: Sequence[Verdict], evaluation: Evaluation) -> Decision:
    """Return whether to promote a challenger: if it passed all its gates; the reasons are the verdicts'.

    If a person's approval is all that it lacks, it waits for that.
    """
    if not verdicts:
        value, rows = number(evaluation.estimate.value), evaluation.estimate.rows
        return Decision(PROMOTE, (f"no gates to pass; {evaluation.metric} {value} on {rows:,} test rows",))
    lacks = {verdict.gate for verdict in verdicts if not verdict.passed}
    action = REJECT if lacks - {APPROVAL} else AWAIT if lacks else PROMOTE
    return Decision(action, tuple(verdict.reason for verdict in verdicts))


def find(condition: Condition, evidence: Evidence) -> Finding:
    """Return whether a condition holds on the evidence, with the sentences of the simple conditions that made it so."""
    return FINDERS[type(condition)](condition, evidence)


def _regret(evidence: Evidence, champion: Champion, policy: Policy) -> str:
    """Return why the champion must go back to its predecessor, or nothing."""
    gain = evidence.against_previous
    on_probation = evidence.as_of - champion.promoted_at <= clock.duration(policy.probation)
    if gain is None or champion.previous is None or not on_probation or gain.rows < FEWEST_ROWS or not gain.high < 0:
        return ""
    interval = f"{signed(gain.value)} [{number(gain.low)}, {number(gain.high)}]"
    versions = f"version {champion.version} does worse than version {champion.previous}"
    return f"{versions}: gain {interval} on {gain.rows:,} matured rows"


def _obstacles(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """Return what keeps a wanted training from happening now."""
    found = []
    until = (evidence.last_training_at or 0) + clock.duration(policy.cooldown)
    if evidence.last_training_at is not None and evidence.as_of < until:
        last = clock.show(evidence.last_training_at)
        found.append(f"the last training was on {last}, the cooldown lasts until {clock.show(until)}")
    if evidence.trainable:
        found.append(f"no training set can be built: {evidence.trainable}")
    return tuple(found)


def _either(condition: AnyOf, evidence: Evidence) -> Finding:
    sides = [find(side, evidence) for side in condition.parts()]
    return _together(any(side.holds for side in sides), sides)


def _both(condition: AllOf, evidence: Evidence) -> Finding:
    sides = [find(side, evidence) for side in condition.parts()]
    return _together(all(side.holds for side in sides), sides)


def _together(holds: bool, sides: Sequence[Finding]) -> Finding:
    """Return a finding with the sentences of the sides that settled it: those that came out as the whole did."""
    return Finding(holds, tuple(sentence for side in sides if side.holds == holds for sentence in side.sentences))


def _metric_below(condition: MetricBelow, evidence: Evidence) -> Finding:
    matured, name, bound = evidence.realised, condition.metric, condition.threshold
    if matured is None:
        return Finding(False, ("no labels have matured yet",))
    start, end = clock.show(matured.from_at), clock.show(matured.to_at)
    where = f"{matured.rows:,} matured rows of {start if start == end else f'{start} to {end}'}"
    value = matured.metrics.get(name, math.nan)
    if math.isnan(value):
        return Finding(False, (f"{name} is undefined on {where}",))
    metric = METRICS[name]
    holds = not metric.reaches(value, bound)
    relation = f"is {'' if holds else 'not '}{'below' if metric.greater_is_better else 'above'}"
    return Finding(holds, (f"{name} {number(value, bound)} on {where} {relation} {number(bound, value)}",))


def _drift(condition: Drift, evidence: Evidence) -> Finding:
    if not evidence.drift:
        return Finding(False, ("no drift was measured",))
    far = [item for item in evidence.drift if item.psi >= condition.psi]
    moved = [item for item in far if item.significant]
    if moved:
        return Finding(True, _drifted(moved, condition.psi))
    worst = max(evidence.drift, key=lambda item: item.psi)
    if far:
        return Finding(False, (f"{_words(worst, condition.psi, 'moved')}, but that may be chance",))
    return Finding(False, (f"no column drifted: the largest is {worst.column}, {_against(worst, condition.psi)}",))


def _drifted(moved: Sequence[Drifted], limit: float) -> tuple[str, ...]:
    shown = tuple(_words(item, limit, "drifted") for item in moved[:SHOWN])
    return shown if len(moved) <= SHOWN else (*shown, f"{len(moved) - SHOWN} more columns drifted")


def _against(item: Drifted, limit: float) -> str:
    return f"psi {number(item.psi, limit)} {'>=' if item.psi >= limit else '<'} {number(limit, item.psi)}"


def _words(item: Drifted, limit: float, verb: str) -> str:
    test = f"{item.test} {number(item.statistic)}, p {number(item.p_value)}"
    return f"{item.column} {verb}: {_against(item, limit)}, {test}"


def _older_than(condition: OlderThan, evidence: Evidence) -> Finding:
    if evidence.champion is None:
        return Finding(False, ("no champion yet",))
    age, limit = evidence.as_of - evidence.champion.trained_at, clock.duration(condition.age)
    # In the unit the limit reads best in, so that '36h' is not held against '1.5 days'.
    unit, word = (clock.DAY, "days") if limit % clock.DAY == 0 else (clock.HOUR, "hours")
    shown, bound = number(age / unit, limit / unit), number(limit / unit, age / unit)
    return Finding(age > limit, (f"the champion is {shown} {word} old, limit {bound}",))


def _never(_: Never, __: Evidence) -> Finding:
    return Finding(False, ("the policy is never to retrain",))


FINDERS: dict[type[Condition], Callable[[Any, Evidence], Finding]] = {
    AnyOf: _either,
    AllOf: _both,
    MetricBelow: _metric_below,
    Drift: _drift,
    OlderThan: _older_than,
    Never: _never,
}
"""Each condition, and who finds out whether it holds."""
