"""A sign of a model's health beside its metrics and its drift: of the tables that it reads, and of the requests that it answers."""

from __future__ import annotations

from dataclasses import dataclass

FRESHNESS, VOLUME, EXPECTED, SERVING = "freshness", "volume", "expected", "serving"
"""How old the newest row of a table is, how many rows have come, what was declared of loads, what servers answered."""


@dataclass(frozen=True)
class Sign:
    """One measured value beside what it usually is.

    Attributes
    ----------
    kind : str
        FRESHNESS (days), VOLUME (rows that became known in the newest window), EXPECTED (as `quality` measures it) or SERVING.
    about : str
        A table, an expectation of one, or what is measured of requests.
    low, high : float or None
        Between them it usually lies, or was declared to lie.
    usual : float or None
        What was to be expected by the past.
    rows : int
        What it was measured on.
    chance : float or None
        Of a value as unusual, by the model's own past windows; None if there are too few, or if it was declared.
    severity : str
        info, warning or critical.
    """

    kind: str
    about: str
    value: float
    severity: str
    sentence: str
    low: float | None = None
    high: float | None = None
    usual: float | None = None
    chance: float | None = None
    rows: int = 0
