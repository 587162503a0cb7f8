"""What keeps a wanted training from happening now."""

from __future__ import annotations

from keepfit import clock
from keepfit.evidence import Evidence
from keepfit.spec.policy import Policy
from keepfit.spec.timetable import Quiet, Rate


def obstacles(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """Return a sentence for each obstacle, and nothing if the way is free."""
    trainable = (f"no training set can be built: {evidence.trainable}",) if evidence.trainable else ()
    return (*_cooldown(evidence, policy), *_budget(evidence, policy), *_quiet(evidence, policy), *trainable)


def _cooldown(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    last = evidence.last_training_at
    if last is None or evidence.as_of >= (until := last + clock.duration(policy.cooldown)):
        return ()
    return (f"the last training was on {clock.show(last)}, the cooldown lasts until {clock.show(until)}",)


def _budget(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """Return that the budget is spent, if as many trainings as it allows lie in the period that ends now."""
    if policy.budget is None:
        return ()
    rate = Rate.parse(policy.budget)
    spent = sorted(at for at in evidence.trainings_at if evidence.as_of - rate.period < at <= evidence.as_of)
    if len(spent) < rate.count:
        return ()
    free = clock.show(spent[-rate.count] + rate.period)
    return (f"the budget of {policy.budget} is spent: {len(spent)} since {clock.show(spent[0])}; free again on {free}",)


def _quiet(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    until = None if policy.quiet is None else Quiet.parse(policy.quiet).end_of(evidence.as_of)
    return () if until is None else (f"quiet hours ({policy.quiet}) last until {clock.show(until)}",)
