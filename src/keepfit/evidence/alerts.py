"""What somebody is to be told of a model: symptoms that a turn saw, alerts that follow from them, and messages."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

DRIFT, REALISED, ESTIMATED = "drift", "metric", "estimate"
STALE, QUALITY, UNUSUAL, TRAINING, SILENT = "stale", "quality", "unusual", "training", "silent"
FAILED = "turn"
"""A turn ended in an error, so that nothing else is known of it."""
DECISION, TEST = "decision", "test"
"""What the loop or a person did, which is told once and passes by itself; and a message that is sent to see whether it comes."""
KINDS = (FAILED, STALE, QUALITY, UNUSUAL, SILENT, TRAINING, REALISED, ESTIMATED, DRIFT, DECISION)
NEW, WORSE, AGAIN, RESOLVED = "new", "worse", "again", "resolved"


@dataclass(frozen=True)
class Symptom:
    """Something that a turn saw and that somebody may want to be told.

    Attributes
    ----------
    kind : str
        One of KINDS.
    about : str
        What it is about, without numbers that change: a column, a metric, an expectation.
    severity : str
        info, warning or critical.
    sentence : str
        With the evidence in numbers.
    """

    kind: str
    about: str
    severity: str
    sentence: str


@dataclass(frozen=True)
class Alert:
    """A symptom of a model over turns, and what was told of it.

    Grain: one model, kind and `about`.

    Attributes
    ----------
    since_at, seen_at : int
        The first turn that saw it, and the last.
    active : bool
        Whether the last turn that could see it did.
    told : str
        The severity that was told last, or 'resolved'.
    told_at : int
        The turn of which it was.
    """

    model: str
    kind: str
    about: str
    severity: str
    sentence: str
    since_at: int
    seen_at: int
    active: bool
    told: str
    told_at: int

    @property
    def fingerprint(self) -> str:
        """What tells it from every other alert, the same in each turn."""
        return fingerprint(self.model, self.kind, self.about)


@dataclass(frozen=True)
class Notice:
    """One alert in a message.

    Attributes
    ----------
    status : str
        new, worse, again (it is still so after a cooldown) or resolved.
    severity : str
        That of now; of a resolved one, what was told last.
    before : str or None
        The severity that was told before; None of a new one.
    """

    fingerprint: str
    status: str
    about: str
    severity: str
    sentence: str
    since_at: int
    before: str | None = None


@dataclass(frozen=True)
class Message:
    """What is sent of one turn, one model and one kind of alert.

    Attributes
    ----------
    id : str
        The same however often it is made or sent.
    version : str or None
        The champion after the turn.
    link : str
        Where to read on; empty if the settings name no place.
    """

    id: str
    model: str
    kind: str
    as_of: int
    severity: str
    version: str | None
    notices: tuple[Notice, ...]
    link: str = ""

    @property
    def resolved(self) -> bool:
        """Whether all that it tells has passed."""
        return all(one.status == RESOLVED for one in self.notices)


def fingerprint(model: str, kind: str, about: str) -> str:
    """Return the fingerprint of an alert."""
    return digest([model, kind, about])


def digest(said: object) -> str:
    """Return 16 hexadecimal digits that stand for plain data."""
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()
