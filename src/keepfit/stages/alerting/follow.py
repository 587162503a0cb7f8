"""Alerts over turns: what is new, worse, still so or over, and which of it is said.

Pure: the same turn twice says nothing twice, what has passed is said once, and what lasts is said in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from keepfit import clock
from keepfit.evidence import CRITICAL, SEVERITIES, Alert, Message, Notice, Symptom, Turn
from keepfit.evidence.alerts import AGAIN, DECISION, KINDS, NEW, RESOLVED, WORSE, digest, fingerprint
from keepfit.stages.alerting.rules import Rules
from keepfit.stages.alerting.symptoms import judged, seen


@dataclass(frozen=True)
class Held:
    """The alerts of a model after the turn of `as_of`, and those that were over less than a cooldown ago."""

    as_of: int = 0
    alerts: tuple[Alert, ...] = ()


def follow(turn: Turn, held: Held, rules: Rules) -> tuple[tuple[Message, ...], Held]:
    """Return what is to be said of a turn, and what is held after it.

    A turn that is older than the last one says nothing: what was so then is known better by now.

    Parameters
    ----------
    held : Held
        After the turn before.
    """
    if turn.as_of < held.as_of:
        return (), held
    least = SEVERITIES.index(rules.severity)
    found = {
        fingerprint(turn.model, one.kind, one.about): one
        for one in seen(turn, rules)
        if SEVERITIES.index(one.severity) >= least
    }
    kept: list[Alert] = []
    said: list[tuple[str, Notice]] = []
    for alert in held.alerts:
        symptom = found.pop(alert.fingerprint, None)
        silent = symptom is None and not judged(turn, rules, alert.kind, alert.about)
        now, status = (alert, "") if silent and alert.active else _followed(alert, symptom, turn.as_of, rules.cooldown)
        if status:
            assert now is not None
            said.append((alert.kind, _notice(alert, now, status)))
        if now is not None:
            kept.append(now)
    for symptom in found.values():
        begun = _begun(turn, symptom)
        kept.append(begun)
        said.append((begun.kind, _notice(None, begun, NEW)))
    return _messages(turn, said, rules), Held(turn.as_of, tuple(kept))


def _begun(turn: Turn, one: Symptom) -> Alert:
    moments = {"since_at": turn.as_of, "seen_at": turn.as_of, "told_at": turn.as_of}
    return Alert(
        model=turn.model, kind=one.kind, about=one.about, severity=one.severity, sentence=one.sentence,
        active=one.kind != DECISION, told=one.severity, **moments,
    )  # fmt: skip


def _followed(alert: Alert, symptom: Symptom | None, at: int, cooldown: int) -> tuple[Alert | None, str]:
    """Return an alert after a turn, None if it is forgotten, and what is said of it, if anything is."""
    rested = at - alert.told_at >= cooldown
    if symptom is None:
        if not alert.active:
            return (None if rested else alert), ""
        if alert.told == RESOLVED:  # it came back and went before it was told again
            return (None if rested else replace(alert, active=False)), ""
        return replace(alert, active=False, told=RESOLVED, told_at=at), RESOLVED
    if alert.kind == DECISION:
        return alert, ""
    since = alert.since_at if alert.active else at
    now = replace(
        alert, severity=symptom.severity, sentence=symptom.sentence, since_at=since, seen_at=at, active=True
    )  # fmt: skip
    status = _spoken(alert.told, symptom.severity, rested=rested)
    return (replace(now, told=symptom.severity, told_at=at) if status else now), status


def _spoken(told: str, severity: str, *, rested: bool) -> str:
    """Return what is said of an alert that is seen, having been told so: nothing until it has rested, unless it got worse."""
    if told == RESOLVED:
        return NEW if rested or severity == CRITICAL else ""
    if SEVERITIES.index(severity) > SEVERITIES.index(told):
        return WORSE
    return AGAIN if rested else ""


def _notice(before: Alert | None, now: Alert, status: str) -> Notice:
    told = before.told if before and before.told != RESOLVED else None
    severity = told if status == RESOLVED and told else now.severity
    return Notice(now.fingerprint, status, now.about, severity, now.sentence, now.since_at, told)


def _messages(turn: Turn, said: Iterable[tuple[str, Notice]], rules: Rules) -> tuple[Message, ...]:
    """Return one message for each kind, what is worst first."""
    by_kind: dict[str, list[Notice]] = {}
    for kind, notice in said:
        by_kind.setdefault(kind, []).append(notice)
    version = turn.champion.version if turn.champion else None
    link = (
        rules.link.replace("{model}", turn.model)
        .replace("{version}", version or "")
        .replace("{as_of}", clock.show(turn.as_of))
    )
    made = []
    for kind in sorted(by_kind, key=KINDS.index):
        notices = sorted(by_kind[kind], key=lambda one: (one.status == RESOLVED, -SEVERITIES.index(one.severity)))
        made.append(message(turn.model, kind, turn.as_of, version, notices, link))
    return tuple(made)


def message(
    model: str, kind: str, as_of: int, version: str | None, notices: Iterable[Notice], link: str = ""
) -> Message:
    """Return a message; its id follows from what it says."""
    every = tuple(notices)
    worst = max((one.severity for one in every), key=SEVERITIES.index)
    mark = digest([model, kind, as_of, sorted((one.fingerprint, one.status) for one in every)])
    return Message(f"{model}/{kind}/{mark}", model, kind, as_of, worst, version, every, link)


def at_least(said: Message, severity: str) -> Message | None:
    """Return a message with what is at least so severe; None if nothing is."""
    least = SEVERITIES.index(severity)
    kept = [one for one in said.notices if SEVERITIES.index(one.severity) >= least]
    if not kept:
        return None
    return said if len(kept) == len(said.notices) else replace(said, notices=tuple(kept))
