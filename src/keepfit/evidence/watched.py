"""What is watched, for those who look at it: how columns are distributed, then and now, and what a turn saw in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepfit.evidence.turn import Drift


@dataclass(frozen=True)
class Bin:
    """A part of a column's values, and the rows in it.

    Attributes
    ----------
    label : str or None
        A label; None of numbers, of missing values and of all other labels together.
    low, high : float or None
        Of numbers: `[low, high)`; equal ends are one value, None is no end.
    before, now : int
        Rows of the reference, and current ones.
    """

    kind: str
    before: int
    now: int
    label: str | None = None
    low: float | None = None
    high: float | None = None


MISSING, OTHERS, LABEL, RANGE = "missing", "others", "label", "range"
"""Kinds of bins."""


@dataclass(frozen=True)
class Distribution:
    """One column in the bins of the reference: missing values first if there are any, then in the order of the values."""

    column: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Described:
    """A column of some rows in numbers.

    Attributes
    ----------
    rows, missing : int
    distinct : int
        Values that differ, missing ones left out.
    mean, std, min, max : float or None
        Of numbers; None of labels, and without a value. The standard deviation is that of these rows (divided by their number).
    quantiles : dict of str to float
        Of numbers: "0.05" and so on -> a value that occurs, the least with at least that share of rows at or below it.
    top : dict of str to float
        Of labels: the most frequent -> its share of the rows that have one.
    """

    rows: int
    missing: int
    distinct: int
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    quantiles: dict[str, float] = field(default_factory=dict)
    top: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One metric of one version at one stage: evaluation (its test rows), realised or estimated.

    Attributes
    ----------
    low, high : float or None
        The 90% interval, where there is one.
    baseline : float or None
        Of the constant on the same rows; of an estimate, the value on the test rows.
    """

    version: str
    stage: str
    metric: str
    value: float
    rows: int
    low: float | None = None
    high: float | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class Watched:
    """What the newest turn saw of a model, for who follows it from outside.

    Attributes
    ----------
    blocked : bool
        Whether it stopped after its ingest; then what was measured is of the turn before.
    version, trained_at :
        The champion after the turn; None without one.
    watched : str or None
        The version that drift was measured of: the champion before the turn.
    columns : int
        Columns that were compared; `drift` has the most important of them.
    alarms : dict of str to int
        Severity -> columns.
    rows : dict of str to int
        Of the turn: known, appended, quarantined, predicted.
    new_labels : int or None
        Labels that have matured since the champion was trained, if the policy asks.
    """

    model: str
    as_of: int
    blocked: bool = False
    version: str | None = None
    trained_at: int | None = None
    metrics: tuple[Measured, ...] = ()
    watched: str | None = None
    columns: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    new_labels: int | None = None
