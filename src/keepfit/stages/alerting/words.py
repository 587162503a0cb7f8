"""How a message reads, wherever it is sent."""

from __future__ import annotations

from keepfit import clock
from keepfit.evidence import Message, Notice
from keepfit.evidence.alerts import (
    AGAIN,
    DECISION,
    DRIFT,
    ESTIMATED,
    FAILED,
    QUALITY,
    REALISED,
    RESOLVED,
    SILENT,
    STALE,
    TEST,
    TRAINING,
    WORSE,
)

SHOWN = 10
"""Alerts that a message lists; the others are counted."""
HEADS = {
    FAILED: "a turn failed",
    STALE: "data are older than expected",
    QUALITY: "data are not as expected",
    SILENT: "nothing was predicted",
    TRAINING: "a training failed",
    REALISED: "a metric is worse than its bound",
    ESTIMATED: "a metric is expected to be worse than its bound",
    DRIFT: "drift",
    DECISION: "the champion",
    TEST: "a test",
}


def title(message: Message) -> str:
    """Return one line: severity, model, what it is about, and of when."""
    on = clock.show(message.as_of)
    if message.resolved:
        return f"resolved: {message.model}: {HEADS[message.kind]} ({on})"
    many = [one for one in message.notices if one.status != RESOLVED]
    head = HEADS[message.kind]
    if message.kind == DRIFT:
        head = f"drift of {many[0].about}" + (f" and {len(many) - 1} more" if many[1:] else "")
    if message.kind == DECISION:
        head = many[0].sentence.partition(":")[0]
    return f"{message.severity}: {message.model}: {head} ({on})"


def status_of(notice: Notice) -> str:
    """Return what a line begins with."""
    if notice.status == RESOLVED:
        return "resolved"
    if notice.status == WORSE:
        return f"{notice.severity}, was {notice.before}"
    return f"{notice.severity}, since {clock.show(notice.since_at)}" if notice.status == AGAIN else notice.severity


def lines(message: Message) -> list[str]:
    """Return one line an alert; of a resolved one, what it was."""
    told = [
        f"{status_of(one)}: {'it was so: ' if one.status == RESOLVED else ''}{one.sentence}" for one in message.notices
    ]
    return told if len(told) <= SHOWN else [*told[:SHOWN], f"and {len(told) - SHOWN} more"]


def see(message: Message) -> str:
    """Return the command that shows more."""
    on = clock.show(message.as_of)
    if message.kind == TEST:
        return "keepfit alerts list"
    if message.kind == DECISION:
        return f"keepfit ledger {message.model} --as-of {on}"
    if message.kind == FAILED:
        return f"keepfit run {message.model}"
    if message.kind in (STALE, QUALITY, SILENT):
        return f"keepfit plan {message.model} --as-of {on}"
    return f"keepfit watch {message.model} --as-of {on}"
