"""What gates look at: a version's evaluation, and what is known of the version beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepfit.evidence.evaluation import Evaluation
from keepfit.evidence.parity import Parity


@dataclass(frozen=True)
class Latency:
    """How long a single row takes from features to an answer.

    Attributes
    ----------
    p50_ms, p99_ms : float
        Milliseconds, of `rows` single answers.
    machine : str
        What it was measured on.
    """

    p50_ms: float
    p99_ms: float
    rows: int
    machine: str


@dataclass(frozen=True)
class Candidate:
    """A version before its gates.

    Attributes
    ----------
    number : str
        The version; empty before it is recorded.
    against : str or None
        The champion when it was trained, that it was compared with: '' if there was none, None if it is not known.
    champion : str or None
        The champion now.
    files : dict of str to int
        The files that the version consists of -> bytes.
    approvals : dict of str to str
        Who approved it, however the name was written -> the step of the ledger.
    """

    evaluation: Evaluation
    number: str = ""
    against: str | None = None
    champion: str | None = None
    latency: Latency | None = None
    parity: Parity | None = None
    files: dict[str, int] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)
