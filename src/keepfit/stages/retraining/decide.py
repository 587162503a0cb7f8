"""Keep the champion, train a challenger, or roll back; and what to do with a challenger once it is judged."""

from __future__ import annotations

from collections.abc import Sequence

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
from keepfit.measure.wording import number, signed
from keepfit.spec.gates import APPROVAL
from keepfit.spec.policy import Policy
from keepfit.stages.retraining.conditions import Finding, find
from keepfit.stages.retraining.obstacles import obstacles

FEWEST_ROWS = 30
"""A champion on probation is not rolled back on fewer matured rows."""


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """Return whether to keep the champion, train a challenger, or roll back.

    In this order: without a champion, retrain whenever a training set can be built, cooldown or not, for there is
    nothing to protect, unless a challenger awaits approval; a champion that does worse than its predecessor in its probation
    is rolled back; then a changed definition or the policy's condition decides, and a cooldown, a spent budget, quiet hours or an
    impossible training set holds it back.

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
    held = obstacles(evidence, policy) if finding.holds else ()
    if finding.holds and not held:
        return Decision(RETRAIN, finding.sentences)
    return Decision(KEEP, finding.sentences + held + awaiting)


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


def _regret(evidence: Evidence, champion: Champion, policy: Policy) -> str:
    """Return why the champion must go back to its predecessor, or nothing."""
    gain = evidence.against_previous
    on_probation = evidence.as_of - champion.promoted_at <= clock.duration(policy.probation)
    if gain is None or champion.previous is None or not on_probation or gain.rows < FEWEST_ROWS or not gain.high < 0:
        return ""
    interval = f"{signed(gain.value)} [{number(gain.low)}, {number(gain.high)}]"
    versions = f"version {champion.version} does worse than version {champion.previous}"
    return f"{versions}: gain {interval} on {gain.rows:,} matured rows"
