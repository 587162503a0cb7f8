"""The ledger: one entry for each step, and what stood at a moment because of them."""

from __future__ import annotations

from dataclasses import dataclass, field

ARCHIVED, REJECTED = "archived", "rejected"
"""What keeps a version from being promoted."""


@dataclass(frozen=True)
class Entry:
    """One step of the ledger.

    Attributes
    ----------
    id : str
        'churn/17': the step of the model's ledger.
    action : str
        keep, promote, reject, roll back, await approval, train, challenge, approve, archive or pull.
    version : str or None
        The champion after the step.
    about : str or None
        The version that was trained, made the challenger, approved, rejected or archived.
    by : str or None
        Who took the step; None is the loop, by the model's policy.
    evidence : str
        'churn/3@0f3a...': the version that it is based on, and the digest of all its files.
    overridden : tuple of str
        The gates in spite of which a version was promoted.
    outcome : str
        Whether it helped, as far as somebody looked that up: see `Outcome`.
    """

    id: str
    step: int
    as_of: int
    model: str
    action: str
    version: str | None
    about: str | None
    by: str | None
    reasons: tuple[str, ...]
    evidence: str = ""
    overridden: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True)
class Standing:
    """What stood at a moment.

    Attributes
    ----------
    live : Entry or None
        The step that made the champion; None before the first one.
    challenger : str or None
        The newest version that passed what no person decides, or that somebody made it, and has not been decided on.
    retired : dict of str to str
        Version -> 'archived' or 'rejected'.
    approvals : dict of str to tuple of Entry
        Version -> its approvals, the oldest first.
    """

    live: Entry | None = None
    challenger: str | None = None
    retired: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
