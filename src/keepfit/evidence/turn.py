"""What a turn knows, and what it decided on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keepfit.evidence.alerts import Symptom
from keepfit.evidence.estimated import Estimated
from keepfit.evidence.evaluation import Estimate, Evaluation, Verdict
from keepfit.evidence.outcome import Outcome
from keepfit.evidence.sign import Sign

KEEP, RETRAIN, PROMOTE, REJECT, ROLL_BACK = "keep", "retrain", "promote", "reject", "roll back"
PULL = "pull"
"""A version came from another registry: nothing follows from it."""
AWAIT = "await approval"
"""The challenger has passed all that no person decides."""
TRAIN, CHALLENGE, APPROVE, ARCHIVE = "train", "challenge", "approve", "archive"
"""Steps that only a person takes."""
ALARM, NOTE = "alarm", "note"
INFO, WARNING, CRITICAL = "info", "warning", "critical"
SEVERITIES = (INFO, WARNING, CRITICAL)
"""Of what is watched: as always; an alarm; an alarm that costs."""
FEATURE, PREDICTION, LABEL, CONCEPT, MULTIVARIATE = "feature", "prediction", "label", "concept", "multivariate"
"""What can drift: an input, the answer, what happened, what happens to such inputs, and all inputs together."""


@dataclass(frozen=True)
class Drift:
    """How far one feature, the score, the target, or what inputs mean, has moved from what the champion was made with.

    Attributes
    ----------
    psi : float
        Population stability index over the reference's quantile bins (or categories), nulls as a bin of their own; of a
        CONCEPT 0: there are no two samples.
    statistic : float
        Kolmogorov-Smirnov distance for numbers, chi-square for categories; of a CONCEPT the surprise, in standard deviations.
    p_value : float
        Of the statistic, before correction.
    significant : bool
        Whether `chance` is below `bound`: an alarm.
    rows : int
        Current rows.
    kind : str
        FEATURE; PREDICTION of the model's answer; LABEL of what happened, in the newest window whose labels have matured;
        CONCEPT of what happens to the same inputs: what came out of that window against what was to be expected of it;
        MULTIVARIATE of all features together.
    severity : str
        INFO: no alarm. WARNING: an alarm. CRITICAL: an alarm that is expected to raise the loss by a tenth or more, or in which a
        tenth of the rows or more has values that never came before; without losses, one with a PSI of 0.25 or more.
        Without a past to be held against, none with a PSI below 0.1.
    chance : float or None
        Of such a difference while nothing moves but what always moves: held against the model's own past, seasons and memory
        included, and corrected for what is tested of the column.
    bound : float or None
        What the budget of false alarms leaves to each test of this window.
    effect : float or None
        The expected rise of the loss per row (squared error, or logarithmic loss): `sum((q - p) * loss)` over the bins, p and q
        being the shares then and now, with the loss that test rows had there. No label is needed. Of a CONCEPT what the loss was
        above what was to be expected.
    relative_effect : float or None
        The same as a share of the loss.
    unseen : float
        Share of the current rows in bins in which the reference had none.
    measures : dict of str to float
        The statistic of every test that fits, by its name.
    """

    column: str
    test: str
    psi: float
    statistic: float
    p_value: float
    significant: bool
    rows: int
    kind: str = FEATURE
    severity: str = INFO
    chance: float | None = None
    bound: float | None = None
    effect: float | None = None
    relative_effect: float | None = None
    unseen: float = 0.0
    measures: dict[str, float] = field(default_factory=dict)

    @property
    def binned(self) -> bool:
        """Whether two samples were compared in bins, and it has a PSI: not of CONCEPT and MULTIVARIATE."""
        return self.kind not in (CONCEPT, MULTIVARIATE)


@dataclass(frozen=True)
class Realised:
    """How predictions turned out once their labels matured.

    Grain: one model version and one window of observations `[from_at, to_at]`. `estimated` is what was to be expected of the same
    rows before; empty of versions that carry nothing to estimate by.
    """

    version: str
    from_at: int
    to_at: int
    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    estimated: dict[str, Estimate] = field(default_factory=dict)


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
    trainings_at : tuple of int
        The as_of of every training, promoted or not, ascending.
    new_labels : int or None
        Labels that have matured since the newest one that the champion was trained or tested on; None if no condition asks.
    realised : Realised or None
        The newest matured window of the champion's predictions.
    estimated : Estimated or None
        What is to be expected of its newest predictions, whose labels have not matured.
    drift : tuple of Drift
        One per feature and one for the score; once labels have matured, one for the target and one for what inputs mean.
    signs : tuple of Sign
        Whether tables are as fresh and as full as usual, and what servers answered.
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
    trainings_at: tuple[int, ...] = ()
    new_labels: int | None = None
    realised: Realised | None = None
    estimated: Estimated | None = None
    drift: tuple[Drift, ...] = ()
    signs: tuple[Sign, ...] = ()
    against_previous: Estimate | None = None
    changed: tuple[str, ...] = ()
    trainable: str = ""
    awaiting: str | None = None

    @property
    def measured(self) -> dict[str, Any]:
        """What a turn keeps of it, by name."""
        return {name: getattr(self, name) for name in ("realised", "estimated", "drift", "signs")}

    @property
    def last_training_at(self) -> int | None:
        """The as_of of the last training, promoted or not."""
        return self.trainings_at[-1] if self.trainings_at else None


@dataclass(frozen=True)
class Decision:
    """What to do, and why: `action` is keep, retrain or roll back before training; promote, reject or await approval after it.

    `failed` says why a training ended in an error; empty if none did.
    """

    action: str
    reasons: tuple[str, ...]
    failed: str = ""


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
    symptoms : tuple of Symptom
        What went otherwise than it should, beside what metrics and drift say: data, training, predictions.
    outcomes : tuple of Outcome
        What became of earlier decisions, as far as that could be told for the first time.
    inputs : dict of str to int
        Table -> the version of it that the turn was decided on: source tables, predictions, decisions; -1 if it was not there.
    definition : str
        Fingerprint of the model's definition.
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
    estimated: Estimated | None = None
    drift: tuple[Drift, ...] = ()
    signs: tuple[Sign, ...] = ()
    quarantine: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    blocked: bool = False
    by: str | None = None
    overridden: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    inputs: dict[str, int] = field(default_factory=dict)
    definition: str = ""


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
