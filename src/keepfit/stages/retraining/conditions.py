"""Whether a condition of a policy holds on the evidence, in sentences with numbers.

A new condition is a class in `keepfit.spec.policy` and a function `(condition, evidence) -> Finding` in `FINDERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit import clock
from keepfit.evidence import CONCEPT, SEVERITIES, Evidence
from keepfit.evidence import Drift as Drifted
from keepfit.measure.wording import number
from keepfit.spec.metric import METRICS
from keepfit.spec.policy import (
    AllOf,
    AnyOf,
    Condition,
    Drift,
    EstimatedBelow,
    MetricBelow,
    Never,
    NewLabels,
    OlderThan,
    Schedule,
)
from keepfit.spec.timetable import last_scheduled

SHOWN = 5
"""Drifted columns named in a reason; the others are counted."""


@dataclass(frozen=True)
class Finding:
    """Whether a condition holds, and the sentences that say why, or why not."""

    holds: bool
    sentences: tuple[str, ...]


def find(condition: Condition, evidence: Evidence) -> Finding:
    """Return whether a condition holds on the evidence, with the sentences of the simple conditions that made it so."""
    return FINDERS[type(condition)](condition, evidence)


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


def _estimated_below(condition: EstimatedBelow, evidence: Evidence) -> Finding:
    expected, name, bound = evidence.estimated, condition.metric, condition.threshold
    if expected is None:
        return Finding(
            False, ("nothing was estimated: no predictions wait for labels, or the version cannot estimate",)
        )
    found = expected.metrics.get(name)
    if found is None or not math.isfinite(found.value):
        return Finding(False, (f"{name} cannot be estimated on {expected.rows:,} predictions",))
    metric = METRICS[name]
    better = found.high if metric.greater_is_better else found.low
    # without an interval there is no certainty
    holds = math.isfinite(better) and not metric.reaches(better, bound)
    side = "below" if metric.greater_is_better else "above"
    interval = f"{number(found.value, bound)} [{number(found.low, bound)}, {number(found.high, bound)}]"
    relation = f"is {'surely' if holds else 'not surely'} {side} {number(bound, found.value)}"
    return Finding(
        holds, (f"{name}, estimated without labels, {interval} on {expected.rows:,} predictions {relation}",)
    )


def _drift(condition: Drift, evidence: Evidence) -> Finding:
    if not evidence.drift:
        return Finding(False, ("no drift was measured",))
    if condition.severity is not None:
        return _alarms(condition.severity, evidence.drift)
    far = [item for item in evidence.drift if item.psi >= condition.psi]
    moved = [item for item in far if item.significant]
    if moved:
        return Finding(True, _drifted(moved, condition.psi))
    distances = [item for item in evidence.drift if item.binned]
    if not distances:
        return Finding(False, ("no column drifted",))
    worst = max(distances, key=lambda item: item.psi)
    if far:
        return Finding(False, (f"{_words(worst, condition.psi, 'moved')}, but that may be chance",))
    return Finding(False, (f"no column drifted: the largest is {worst.column}, {_against(worst, condition.psi)}",))


def _alarms(severity: str, drift: Sequence[Drifted]) -> Finding:
    least = SEVERITIES.index(severity)
    moved = [item for item in drift if SEVERITIES.index(item.severity) >= least]
    if not moved:
        first = min(drift, key=_chance)
        return Finding(
            False, (f"no drift is {severity}: the least likely is {first.column}, chance {number(_chance(first))}",)
        )
    told = tuple(_alarm(item) for item in moved[:SHOWN])
    return Finding(True, told if len(moved) <= SHOWN else (*told, f"{len(moved) - SHOWN} more columns drifted"))


def _alarm(item: Drifted) -> str:
    found = _chance(item)
    bound = "" if item.bound is None else f" < {number(item.bound, found)}"
    effect = "" if item.relative_effect is None else f", expected to change the loss by {item.relative_effect:+.1%}"
    if item.kind == CONCEPT:
        effect = (
            "" if item.relative_effect is None else f", the loss {item.relative_effect:+.1%} of what was to be expected"
        )
    return f"{item.column} drifted ({item.severity}): chance {number(found, item.bound)}{bound}{effect}"


def _chance(item: Drifted) -> float:
    return 1.0 if item.chance is None else item.chance


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


def _new_labels(condition: NewLabels, evidence: Evidence) -> Finding:
    if evidence.new_labels is None:
        return Finding(False, ("how many labels are new was not counted",))
    holds = evidence.new_labels >= condition.rows
    relation = f"{'>=' if holds else '<'} {condition.rows:,}"
    return Finding(holds, (f"{evidence.new_labels:,} labels have matured that the champion has not seen, {relation}",))


def _schedule(condition: Schedule, evidence: Evidence) -> Finding:
    if evidence.champion is None:
        return Finding(False, ("no champion yet",))
    last = evidence.champion.trained_at if evidence.last_training_at is None else evidence.last_training_at
    due, shown = last_scheduled(condition.cron, condition.zone, evidence.as_of), f"{condition.cron!r} {condition.zone}"
    if due > last:
        return Finding(
            True, (f"the timetable {shown} came on {clock.show(due)}, after the last training of {clock.show(last)}",)
        )
    return Finding(False, (f"the timetable {shown} has not come since the last training of {clock.show(last)}",))


def _never(_: Never, __: Evidence) -> Finding:
    return Finding(False, ("the policy is never to retrain",))


FINDERS: dict[type[Condition], Callable[[Any, Evidence], Finding]] = {
    AnyOf: _either,
    AllOf: _both,
    MetricBelow: _metric_below,
    EstimatedBelow: _estimated_below,
    Drift: _drift,
    OlderThan: _older_than,
    NewLabels: _new_labels,
    Schedule: _schedule,
    Never: _never,
}
"""Each condition, and who finds out whether it holds."""
