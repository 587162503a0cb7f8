"""What a model version showed on rows it was not trained on, and what its gates say of that."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from keepfit.evidence.data import from_data

EMPTY, CONSTANT, REDUNDANT, SUSPICIOUS, UNSTABLE, UNUSED = (
    "empty",
    "constant",
    "redundant",
    "suspicious",
    "unstable",
    "unused",
)
"""What may be the matter with a feature."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 90% bootstrap interval, and the number of rows it was measured on."""

    value: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Fold:
    """What the same training showed at an earlier origin, on the rows that came next; the baseline learnt there, too."""

    from_at: int
    to_at: int
    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]


@dataclass(frozen=True)
class FeatureNote:
    """What is to be known of a feature before it is trusted.

    Attributes
    ----------
    kept : bool
        Whether the model learnt from it.
    about : str
        One of EMPTY, CONSTANT, REDUNDANT, SUSPICIOUS, UNSTABLE, UNUSED; an empty text if there is nothing to say.
    reason : str
        The same in a sentence with numbers.
    alone : float
        How well it alone orders the target of the train rows: an AUC from 0.5, or the size of a rank correlation; NaN if unknown.
    folds : tuple of float
        Its permutation importance at earlier origins, the oldest first; empty without a selection.
    """

    feature: str
    kept: bool = True
    about: str = ""
    reason: str = ""
    alone: float = math.nan
    folds: tuple[float, ...] = ()


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
    metrics, baseline : dict
        All metrics of the task on the test rows, and the same for the trivial prediction learnt on the training rows.
    estimate : Estimate
        The model's own metric with its interval.
    against_champion : Estimate or None
        Gain over the champion on the same test rows, positive if the challenger is better, paired.
    held_out : dict
        All metrics on the test's rows of entities that nothing was learnt from; empty if none are held out.
    groups : dict
        column -> group -> {"rows": judged rows, "rate": true positive rate or mean absolute error}.
    intervals : dict
        metric -> its value on the test rows with its interval; empty in evaluations of earlier versions.
    rivals : dict
        name -> the same metrics for a simple rule: persistence, seasonal naive, recency.
    folds : tuple of Fold
        A rolling-origin backtest, the oldest first; empty unless it was asked for.
    features : tuple of FeatureNote
        Every feature that was declared, in its order; empty in evaluations of earlier versions.
    uncalibrated : dict
        log_loss, brier and ece of the scores before their calibration, on the test rows; empty if there is none.
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
    intervals: dict[str, Estimate] = field(default_factory=dict)
    rivals: dict[str, dict[str, float]] = field(default_factory=dict)
    folds: tuple[Fold, ...] = ()
    features: tuple[FeatureNote, ...] = ()
    uncalibrated: dict[str, float] = field(default_factory=dict)


def evaluation_from(data: dict[str, Any]) -> Evaluation | None:
    """Return the evaluation that `as_data` wrote down; None if the data is of something else."""
    if "estimate" not in data:
        return None
    found: Evaluation = from_data(Evaluation, data)
    return found


@dataclass(frozen=True)
class Verdict:
    """What a gate found: the value, the bound it was held to, and whether it passed, in a sentence with numbers.

    `evidence` is the id of the number in the version's report; empty where there was none.
    """

    gate: str
    passed: bool
    value: float | None
    bound: float
    reason: str
    evidence: str = ""
