"""What a turn knows, and what it decided on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keepfit.evidence.evaluation import Estimate, Evaluation, Verdict

KEEP, RETRAIN, PROMOTE, REJECT, ROLL_BACK = "keep", "retrain", "promote", "reject", "roll back"
PULL = "pull"
"""A version came from another registry: nothing follows from it."""
AWAIT = "await approval"
"""The challenger has passed all that no person decides."""
TRAIN, CHALLENGE, APPROVE, ARCHIVE = "train", "challenge", "approve", "archive"
"""Steps that only a person takes."""
ALARM, NOTE = "alarm", "note"


@dataclass(frozen=True)
class Drift:
    """How far one feature, or the score, has moved from the champion's reference profile.

    Attributes
    ----------
    psi : float
        Population stability index over the reference's quantile bins (or categories), nulls as a bin of their own.
    statistic : float
        Kolmogorov-Smirnov distance for numbers, chi-square for categories.
    p_value : float
        Of the statistic, before correction.
    significant : bool
        Whether the p-value is below alpha divided by the number of columns tested (Bonferroni).
    rows : int
        Current rows.
    """

    column: str
    test: str
    psi: float
    statistic: float
    p_value: float
    significant: bool
    rows: int


@dataclass(frozen=True)
class Realised:
    """How predictions turned out once their labels matured.

    Grain: one model version and one window of observations `[from_at, to_at]`.
    """

    version: str
    from_at: int
    to_at: int
    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]


@dataclass(frozen=True)
class Champion:
    """The facts about the champion that a decision needs."""

    version: str
    trained_at: int
    promoted_at: int
    previous: str | None = None


@dataclass(frozen=True)
class Evidence:
    """All that a decision may look at, known at `as_of`.

    Attributes
    ----------
    champion : Champion or None
        None before the first promotion.
    last_training_at : int or None
        The as_of of the last training, promoted or not.
    realised : Realised or None
        The newest matured window of the champion's predictions.
    drift : tuple of Drift
        One per feature, and one for the score.
    against_previous : Estimate or None
        During probation: gain of the champion over its predecessor on the newest matured rows, paired.
    changed : tuple of str
        What the definition says otherwise than when the champion was trained: features, target, observe, estimator.
    trainable : str
        Empty if a training set can be built at as_of, else the reason why not.
    awaiting : str or None
        The challenger that awaits approval.
    """

    as_of: int
    champion: Champion | None = None
    last_training_at: int | None = None
    realised: Realised | None = None
    drift: tuple[Drift, ...] = ()
    against_previous: Estimate | None = None
    changed: tuple[str, ...] = ()
    trainable: str = ""
    awaiting: str | None = None


@dataclass(frozen=True)
class Decision:
    """What to do, and why: `action` is keep, retrain or roll back before training; promote, reject or await approval after it."""

    action: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class VersionFacts:
    """A model version as `run` reports it."""

    version: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    rows: dict[str, int]


@dataclass(frozen=True)
class Turn:
    """One pass of the loop for one model at one as_of, or one step that a person took.

    Attributes
    ----------
    rows : dict
        Rows of the turn: events known, appended and quarantined in this turn, observations predicted.
    quarantine : dict of str to int
        Why rows went to quarantine in this turn: table and broken rule -> rows.
    champion : VersionFacts or None
        The champion after the turn, with the evidence it was promoted on.
    challenger : VersionFacts or None
        The version trained in this turn, or that a person decided on.
    blocked : bool
        Whether a table that the model reads is not as expected, so that nothing was predicted, watched or trained.
    by : str or None
        Who took the step; None is the loop.
    overridden : tuple of str
        The gates in spite of which a version was promoted.
    """

    model: str
    as_of: int
    decision: str
    reasons: tuple[str, ...]
    rows: dict[str, int]
    champion: VersionFacts | None = None
    challenger: VersionFacts | None = None
    evaluation: Evaluation | None = None
    verdicts: tuple[Verdict, ...] = ()
    realised: Realised | None = None
    drift: tuple[Drift, ...] = ()
    quarantine: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    blocked: bool = False
    by: str | None = None
    overridden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A trace of the future that a leakage test found in features, or in the rows they are made of.

    Attributes
    ----------
    severity : str
        'alarm': what is trained on this cannot be trusted; 'note': worth a look.
    what, where, fix : str
        As an error says it.
    numbers : dict
        The evidence: counts, shares, and one example.
    """

    test: str
    severity: str
    what: str
    where: str
    fix: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tested:
    """What one leakage test compared, in a sentence and in numbers, and what it found.

    `compared` says why if there was nothing to compare.
    """

    test: str
    compared: str
    numbers: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def alarms(self) -> int:
        """How many of the findings are alarms."""
        return sum(finding.severity == ALARM for finding in self.findings)
