"""Values that pass between stages: what was measured, and what was decided on it.

Stages do not know each other; they meet in tables (`keepfit.tables`) and in these. All are frozen, hold plain numbers and
texts, and turn into JSON with `as_data`. Times are microseconds UTC.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from keepfit import clock
from keepfit.errors import KeepfitError

KEEP, RETRAIN, PROMOTE, REJECT, ROLL_BACK = "keep", "retrain", "promote", "reject", "roll back"
ALARM, NOTE = "alarm", "note"


def as_data(value: Any) -> Any:
    """Return a value as plain JSON data: fields ending in `_at` become ISO text, NaN and infinities become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _moment(name, getattr(value, name)) for name in (item.name for item in dataclasses.fields(value))}
    if isinstance(value, dict):
        return {str(key): _moment(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    if isinstance(value, KeepfitError):
        return value.as_dict()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _moment(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name.endswith("_at") or name == "as_of"):
        return clock.from_micros(value).isoformat().replace("+00:00", "Z")
    return as_data(value)


@dataclass(frozen=True)
class Estimate:
    """A value with its 90% bootstrap interval, and the number of rows it was measured on."""

    value: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Evaluation:
    """What a model version showed on rows it was not trained on.

    Attributes
    ----------
    task, metric : str
        The task, and the metric the model is judged by.
    threshold : float
        The score from which a row is called positive; 0.5 and unused for regression.
    rows : dict
        Row counts by part: train, validation, test.
    test_from_at, test_to_at : int
        First and last t of the test rows.
    metrics : dict
        All metrics of the task on the test rows.
    baseline : dict
        The same metrics for the trivial prediction learnt on the training rows.
    estimate : Estimate
        The model's own metric with its interval.
    against_champion : Estimate or None
        Gain over the champion on the same test rows, positive if the challenger is better, paired.
    held_out : dict
        All metrics on the test's rows of entities that nothing was learnt from; empty if none are held out.
    groups : dict
        column -> group -> {"rows": judged rows, "rate": true positive rate or mean absolute error}.
    """

    task: str
    metric: str
    threshold: float
    rows: dict[str, int]
    test_from_at: int
    test_to_at: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    estimate: Estimate
    against_champion: Estimate | None = None
    groups: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    held_out: dict[str, float] = field(default_factory=dict)


def evaluation_from(data: dict[str, Any]) -> Evaluation | None:
    """Return the evaluation that `as_data` wrote down; None if the data is of something else."""
    if "estimate" not in data:
        return None
    values = {item.name: data[item.name] for item in dataclasses.fields(Evaluation) if item.name in data}
    for name in ("estimate", "against_champion"):
        values[name] = Estimate(**values[name]) if values[name] else None
    for name in ("test_from_at", "test_to_at"):
        values[name] = clock.to_micros(clock.parse_moment(values[name]))
    for name in ("metrics", "baseline", "held_out"):
        found = values.get(name, {})
        values[name] = {metric: math.nan if value is None else value for metric, value in found.items()}
    return Evaluation(**values)


@dataclass(frozen=True)
class Verdict:
    """What a gate found: the value, the bound it was held to, and whether it passed, in a sentence with numbers."""

    gate: str
    passed: bool
    value: float | None
    bound: float
    reason: str


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
    """

    as_of: int
    champion: Champion | None = None
    last_training_at: int | None = None
    realised: Realised | None = None
    drift: tuple[Drift, ...] = ()
    against_previous: Estimate | None = None
    changed: tuple[str, ...] = ()
    trainable: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do, and why: `action` is keep, retrain or roll back before training; promote or reject after it."""

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
    """One pass of the loop for one model at one as_of.

    Attributes
    ----------
    rows : dict
        Rows of the turn: events known, appended and quarantined in this turn, observations predicted.
    quarantine : dict of str to int
        Why rows went to quarantine in this turn: table and broken rule -> rows.
    champion : VersionFacts or None
        The champion after the turn, with the evidence it was promoted on.
    challenger : VersionFacts or None
        The version trained in this turn.
    blocked : bool
        Whether a table that the model reads is not as expected, so that nothing was predicted, watched or trained.
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
