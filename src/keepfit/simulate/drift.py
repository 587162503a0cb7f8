"""Drifts on request: one line says what moves, when, how far and in which way.

    COLUMN@DATE:SIZE[:SHAPE]          covariate: the column's distribution moves; what depends on it follows
    LABEL@DATE:SIZE[:SHAPE]           prior: the label's base rate moves, whatever the columns say
    LABEL~COLUMN@DATE:SIZE[:SHAPE]    concept: the effect of the column on the label changes

DATE is a day or a month. SHAPE is `sudden` (the default), `gradual=90d` (a straight ramp that long) or `recurring=365d`
(there for the first half of each period, gone for the second).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.errors import DefinitionError, did_you_mean

COVARIATE, PRIOR, CONCEPT = "covariate", "prior", "concept"
SHAPES = ("sudden", "gradual", "recurring")
FORM = re.compile(
    r"(?:(?P<label>\w+)~)?(?P<column>\w+)@(?P<date>\d{4}-\d\d(?:-\d\d)?):(?P<size>[^:]+)(?::(?P<shape>.+))?"
)
WRITE = "write COLUMN@DATE:SIZE, such as {example}, and if you like :gradual=90d or :recurring=365d after it"
SHAPE = "write sudden, gradual=90d or recurring=365d"
SHARE = "share"


@dataclass(frozen=True)
class Knobs:
    """What of a world can drift.

    Parameters
    ----------
    covariates : mapping of str to str
        Column -> what a SIZE of 1 means; a text that begins with 'share' bounds SIZE to (0, 1].
    label : str
        The name of the label in a drift.
    prior : str
        What a SIZE of 1 of the label means.
    effects : mapping of str to str
        Column whose effect on the label can change -> what a SIZE of 1 means.
    """

    covariates: Mapping[str, str]
    label: str
    prior: str
    effects: Mapping[str, str]

    @property
    def example(self) -> str:
        """A drift that this world takes."""
        return f"{next(iter(self.covariates))}@2024-06:0.3"


@dataclass(frozen=True)
class Drift:
    """One drift, understood.

    Parameters
    ----------
    said : str
        As it was written.
    kind : str
        'covariate', 'prior' or 'concept'.
    column : str
        What moves; of a concept drift, the column whose effect changes.
    start : int
        Seconds since 1970 UTC.
    size : float
        How far, in the unit that `unit` tells.
    unit : str
        What a size of 1 means.
    shape : str
        One of `SHAPES`.
    period : int
        Seconds of the ramp or of one recurrence; 0 of a sudden drift.
    """

    said: str
    kind: str
    column: str
    start: int
    size: float
    unit: str
    shape: str = "sudden"
    period: int = 0

    def strength(self, at: NDArray[Any]) -> NDArray[np.float64]:
        """Return how much of the drift is there at each moment (seconds since 1970 UTC): 0 is nothing, 1 all of it."""
        since = np.asarray(at, np.float64) - self.start
        if self.shape == "gradual":
            return np.clip(since / self.period, 0.0, 1.0)
        begun = since >= 0
        if self.shape == "recurring":
            begun &= since % self.period < self.period / 2
        return begun.astype(np.float64)

    def as_dict(self) -> dict[str, Any]:
        """Return the drift as plain data, for truth.json."""
        told = {
            "said": self.said,
            "kind": self.kind,
            "column": self.column,
            "from": clock.show(self.start * clock.SECOND),
        }
        told |= {"size": self.size, "unit": self.unit, "shape": self.shape}  # type: ignore[dict-item]
        return told | ({"days": self.period / 86_400} if self.period else {})


def parse(said: str, knobs: Knobs, end: int) -> Drift:
    """Return the drift that a line asks for of a world that ends at `end`, seconds since 1970 UTC.

    Raises
    ------
    DefinitionError
        If it is no drift, this world has no such column, or it would begin when the world has ended.
    """
    match = FORM.fullmatch(said.strip())
    if match is None:
        raise _refused(said, "is not a drift", WRITE.format(example=knobs.example))
    kind, unit = _meaning(said, match["label"], match["column"], knobs)
    shape, period = _shape(said, match["shape"] or "sudden")
    size = _size(said, match["size"], unit)
    start = month_or_day(said, match["date"], "--drift")
    if start >= end:
        ends = clock.show(end * clock.SECOND)
        raise _refused(
            said, f"would begin after the world: it ends on {ends}", "name an earlier day, or a later --as-of"
        )
    return Drift(said, kind, match["column"], start, size, unit, shape, period)


def month_or_day(said: str, text: str, option: str) -> int:
    """Return the seconds at which a day, or a month, begins in UTC."""
    try:
        return clock.to_micros(clock.parse_moment(text if len(text) > len("2024-06") else f"{text}-01")) // clock.SECOND
    except ValueError:
        raise _refused(
            said, f"names no date: {text!r}", "write a day or a month: 2024-06-15, 2024-06", option
        ) from None


def _refused(said: str, what: str, fix: str, option: str = "--drift") -> DefinitionError:
    return DefinitionError(f"{said!r} {what}", where=option, fix=fix)


def _meaning(said: str, label: str | None, column: str, knobs: Knobs) -> tuple[str, str]:
    if label is None:
        if column == knobs.label:
            return PRIOR, knobs.prior
        if column in knobs.covariates:
            return COVARIATE, knobs.covariates[column]
        names = [*knobs.covariates, knobs.label]
        raise _refused(said, f"moves unknown column {column!r}", did_you_mean(column, names, of="this world"))
    if label != knobs.label:
        raise _refused(said, f"names unknown label {label!r}", f"the label of this world is {knobs.label}")
    if column not in knobs.effects:
        known = did_you_mean(column, knobs.effects, of=f"{knobs.label}~")
        raise _refused(said, f"changes the effect of {column!r}, which has none", known)
    return CONCEPT, knobs.effects[column]


def _size(said: str, text: str, unit: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not math.isfinite(size) or size == 0:
        raise _refused(said, f"has no size: {text!r}", "write a number that is not 0, such as 0.3 or -1")
    if unit.startswith(SHARE) and not 0 < size <= 1:
        raise _refused(said, f"moves a share of {size:g}", "write a share between 0 and 1, such as 0.3")
    return size


def _shape(said: str, text: str) -> tuple[str, int]:
    name, _, period = text.partition("=")
    if name not in SHAPES:
        raise _refused(said, f"has unknown shape {name!r}", did_you_mean(name, SHAPES))
    if (name == "sudden") == bool(period):
        raise _refused(said, f"has shape {text!r}", SHAPE)
    try:
        return name, clock.duration(period) // clock.SECOND if period else 0
    except ValueError:
        raise _refused(said, f"has shape {text!r}", SHAPE) from None
