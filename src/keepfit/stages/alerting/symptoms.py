"""What a turn saw that somebody may want to be told, and what it was able to see at all.

A new kind is a name in `keepfit.evidence.alerts`, a function `(turn, rules) -> symptoms` in `SEEN`, and in `JUDGED` when a turn can
see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from keepfit import clock
from keepfit.evidence import (
    AWAIT,
    CONCEPT,
    CRITICAL,
    EXPECTED,
    INFO,
    LABEL,
    PROMOTE,
    REJECT,
    ROLL_BACK,
    WARNING,
    Drift,
    Sign,
    Symptom,
    Turn,
)
from keepfit.evidence.alerts import (
    DECISION,
    DRIFT,
    ESTIMATED,
    FAILED,
    QUALITY,
    REALISED,
    SILENT,
    STALE,
    TRAINING,
    UNUSUAL,
)
from keepfit.measure.wording import number
from keepfit.spec.metric import METRICS
from keepfit.stages.alerting.rules import Rules

STEPS = {PROMOTE: INFO, REJECT: INFO, AWAIT: WARNING, ROLL_BACK: WARNING}
"""Decisions that are told, with their severity: one that waits for a person is more than information."""
MATURING = ("target", "concept")
"""What drift is of that is known once labels have matured."""


def seen(turn: Turn, rules: Rules) -> tuple[Symptom, ...]:
    """Return all symptoms of a turn, each once."""
    every = [*turn.symptoms, *(one for found in SEEN for one in found(turn, rules))]
    return tuple({(one.kind, one.about): one for one in every}.values())


def judged(turn: Turn, rules: Rules, kind: str, about: str) -> bool:
    """Return whether a turn could see a symptom: if not, that it saw none means nothing."""
    return JUDGED[kind](turn, rules, about)


def _drift(turn: Turn, _: Rules) -> Iterator[Symptom]:
    for one in turn.drift:
        if one.significant and one.severity != INFO:
            yield Symptom(DRIFT, one.column, one.severity, drifted(one))


def drifted(one: Drift) -> str:
    """Return how far a column has moved, in a sentence."""
    chance = one.p_value if one.chance is None else one.chance
    bound = "" if one.bound is None else f" < {number(one.bound, chance)}"
    if one.kind == CONCEPT:
        said = f"the same inputs turn out otherwise: surprise {number(one.statistic)}, chance {number(chance, one.bound)}{bound}"
        beside = (
            ""
            if one.relative_effect is None
            else f"; the loss was {one.relative_effect:+.1%} of what was to be expected"
        )
        return f"{said}, on {one.rows:,} matured rows{beside}"
    said = (
        f"{one.column} drifted: psi {number(one.psi)}, chance {number(chance, one.bound)}{bound}, on {one.rows:,} rows"
    )
    if one.unseen > 0:
        said += f"; {number(100 * one.unseen)}% of them have values never seen before"
    if one.relative_effect is not None:
        verb = "raise" if one.relative_effect >= 0 else "lower"
        said += f"; expected to {verb} the loss by {number(100 * abs(one.relative_effect))}%"
    return said


def _unusual(turn: Turn, _: Rules) -> Iterator[Symptom]:
    for one in turn.signs:
        # what is declared of loads, their ingest has told
        if one.severity != INFO and one.kind != EXPECTED:
            said = one.sentence if one.chance is None else f"{one.sentence} (chance {number(one.chance)})"
            yield Symptom(UNUSUAL, _sign(one), one.severity, said)


def _sign(one: Sign) -> str:
    return f"{one.kind}: {one.about}"


def _realised(turn: Turn, rules: Rules) -> Iterator[Symptom]:
    found = turn.realised
    for name, bound in rules.realised.items() if found else ():
        assert found is not None
        value = found.metrics.get(name, math.nan)
        if math.isfinite(value) and not METRICS[name].reaches(value, bound):
            first, last = clock.show(found.from_at), clock.show(found.to_at)
            rows = f"{found.rows:,} matured rows of {first if first == last else f'{first} to {last}'}"
            said = f"{name} {number(value, bound)} on {rows} is {_side(name)} {number(bound, value)}"
            yield Symptom(REALISED, name, CRITICAL, f"{said} (version {found.version})")


def _estimated(turn: Turn, rules: Rules) -> Iterator[Symptom]:
    found = turn.estimated
    for name, bound in rules.estimated.items() if found else ():
        assert found is not None
        one, metric = found.metrics.get(name), METRICS[name]
        best = math.nan if one is None else one.high if metric.greater_is_better else one.low
        # surely: all of its interval is
        if one is not None and math.isfinite(best) and not metric.reaches(best, bound):
            interval = f"{number(one.value, bound)} [{number(one.low, bound)}, {number(one.high, bound)}]"
            said = f"{name}, estimated without labels, {interval} on {found.rows:,} predictions"
            sentence = f"{said} is surely {_side(name)} {number(bound, one.value)} (version {found.version})"
            yield Symptom(ESTIMATED, name, WARNING, sentence)


def _side(name: str) -> str:
    return "below" if METRICS[name].greater_is_better else "above"


def _decided(turn: Turn, _: Rules) -> Iterator[Symptom]:
    if turn.decision not in STEPS:
        return
    about = turn.challenger or turn.champion
    version = about.version if about else "none"
    who = f" by {turn.by}" if turn.by else ""
    said = f"{turn.decision} (version {version}){who}: {'; '.join(turn.reasons) or 'no reason given'}"
    # it is an event: each moment has its own
    place = f"{turn.decision} {version} {clock.show(turn.as_of)}"
    yield Symptom(DECISION, place, STEPS[turn.decision], said)


def _of_a_turn(turn: Turn, _: Rules, __: str) -> bool:
    """Return whether it is a turn of the loop: a step that a person took looks at nothing."""
    return turn.by is None and bool(turn.rows)


def _drift_known(turn: Turn, _: Rules, about: str) -> bool:
    """Return whether a turn looked: at what happened, only once labels have matured; columns that are gone are over."""
    late = [one.column for one in turn.drift if one.kind in (LABEL, CONCEPT)]
    return about in late if about in MATURING else bool(turn.drift)


def _finite(metrics: dict[str, float] | None, bounds: object, name: str) -> bool:
    if metrics is None:
        return False
    return math.isfinite(metrics.get(name, math.nan)) or name not in bounds  # type: ignore[operator]


def _realised_known(turn: Turn, rules: Rules, name: str) -> bool:
    return _finite(turn.realised.metrics if turn.realised else None, rules.realised, name)


def _estimate_known(turn: Turn, rules: Rules, name: str) -> bool:
    values = {key: one.value for key, one in turn.estimated.metrics.items()} if turn.estimated else None
    return _finite(values, rules.estimated, name)


SEEN: tuple[Callable[[Turn, Rules], Iterator[Symptom]], ...] = (_drift, _unusual, _realised, _estimated, _decided)
"""What finds symptoms in what a turn measured and decided; those of `turn.symptoms` it knew itself."""
JUDGED: dict[str, Callable[[Turn, Rules, str], bool]] = {
    FAILED: _of_a_turn,
    STALE: _of_a_turn,
    QUALITY: _of_a_turn,
    UNUSUAL: lambda turn, _, __: any(one.kind != EXPECTED for one in turn.signs),  # tables that are gone are over
    SILENT: lambda turn, rules, about: _of_a_turn(turn, rules, about) and not turn.blocked,
    TRAINING: lambda turn, _, __: turn.evaluation is not None,
    REALISED: _realised_known,
    ESTIMATED: _estimate_known,
    DRIFT: _drift_known,
    DECISION: lambda _, __, ___: True,
}
"""When a turn tells by its silence that something has passed: a blocked turn watches nothing, for example."""
