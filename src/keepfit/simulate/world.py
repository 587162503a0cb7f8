"""What every world is: a law of nature, knobs that drift, and months of raw files with the truth that they do not show.

To add a world, write a file like `air.py` with a `WORLD`, name it in `worlds.py`, and put its definitions
into `templates/<name>/definitions.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.simulate.drift import CONCEPT, COVARIATE, PRIOR, Drift, Knobs
from keepfit.simulate.frame import Frame

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """One world, asked for: when, how large, with which drifts.

    Parameters
    ----------
    start, end : datetime
        Aware UTC, each the first instant of a month; `end` is exclusive.
    rows : int
        About how many rows the main table is to have.
    seed : int
        Of all random streams.
    drifts : tuple of Drift
        What moves.
    """

    start: datetime
    end: datetime
    rows: int
    seed: int = 7
    drifts: tuple[Drift, ...] = ()

    def months(self) -> list[int]:
        """Return the first second of each month, and at last of `end`."""
        first, last = clock.to_micros(self.start), clock.to_micros(self.end)
        return [moment // clock.SECOND for moment in clock.Grid("1 month").moments(first, last)]

    def stream(self, name: str, month: int = 0) -> np.random.Generator:
        """Return the random stream of one purpose in the month that begins at this second, independent of all others."""
        return np.random.default_rng([self.seed, month & 0xFFFF_FFFF_FFFF, zlib.crc32(name.encode())])

    def moved(self, column: str, at: NDArray[Any]) -> Floats:
        """Return how far a column has moved at each moment (seconds), in the units of its covariate drifts."""
        return self._sum(COVARIATE, column, at)

    def rate(self, at: NDArray[Any]) -> Floats:
        """Return how far the label's base has moved at each moment."""
        return self._sum(PRIOR, None, at)

    def effect(self, column: str, at: NDArray[Any]) -> Floats:
        """Return how much a column's effect on the label has changed at each moment."""
        return self._sum(CONCEPT, column, at)

    def _sum(self, kind: str, column: str | None, at: NDArray[Any]) -> Floats:
        total = np.zeros(np.shape(at))
        for drift in self.drifts:
            if drift.kind == kind and column in (None, drift.column):
                total = total + drift.size * drift.strength(at)
        return total


@dataclass(frozen=True)
class Month:
    """What one month leaves: its files, its arrays before they became texts, and what is known to be true."""

    frames: tuple[Frame, ...]
    arrays: Mapping[str, NDArray[Any]] = field(repr=False, default_factory=dict)
    truth: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # month YYYY-MM -> name -> value


@dataclass(frozen=True)
class World:
    """A world that can be simulated.

    Parameters
    ----------
    name : str
        As the command line says it; `templates/<name>/definitions.py` declares its project.
    knobs : Knobs
        What can drift.
    main : str
        The table that rows are counted of and that faults fall on.
    columns : tuple of str
        Its headers that a fault can fall on.
    labels : tuple of str
        Which of these hold labels, not numbers.
    rows, months : int
        How large and how long it is unless asked otherwise.
    settled : str
        The declaration of a table `settled` that reads the label's files as known DELAY later.
    awaited : str
        What of the definitions waits for the label, as `table.window`; of `settled` instead, if labels are late.
    once : callable
        Setting -> the files that are written once.
    live : callable
        Setting -> its months, in order, one at a time.
    """

    name: str
    knobs: Knobs
    main: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    rows: int
    months: int
    settled: str
    awaited: str
    once: Callable[[Setting], tuple[Frame, ...]]
    live: Callable[[Setting], Iterator[Month]]


def stamp_of(second: int, dash: str = "-") -> str:
    """Return the month that begins at a second, as YYYY-MM."""
    return clock.from_micros(second * clock.SECOND).strftime(f"%Y{dash}%m")
