"""From a score to a score with bounds: an interval is a number or two, and two more models where quantiles were learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """What conformal calibration found on rows that the quantiles were not learnt from.

    Attributes
    ----------
    share : float
        Of the rows, what the interval is to hold.
    widen : float
        By how much each bound lies outside of its learnt quantile, or of the score if none were learnt; in the target's
        unit, below 0 if the learnt quantiles were too wide.
    learnt : bool
        Whether two models predict the quantiles.
    """

    share: float
    widen: float
    learnt: bool

    def around(self, score: Floats, quantiles: Sequence[Floats] = ()) -> Answers:
        """Return answers, shape (rows, 3): each score with its bounds, `low <= score <= high`.

        Parameters
        ----------
        score : float64 array, shape (rows,)
            What was predicted.
        quantiles : sequence of float64 array, shape (rows,)
            The predicted quantiles, the lower first; none if none were learnt.

        Notes
        -----
        Quantiles that cross change places (Chernozhukov, Fernandez-Val & Galichon 2010). Bounds that were narrowed past each
        other meet in the middle. Then the bound that a score lies beyond moves to the score, which can only cover more.
        """
        below, above = quantiles if self.learnt else (score, score)
        low, high = np.minimum(below, above) - self.widen, np.maximum(below, above) + self.widen
        middle = (low + high) / 2
        low, high = np.where(low > high, middle, low), np.where(low > high, middle, high)
        return np.stack([score, np.minimum(low, score), np.maximum(high, score)], axis=1)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def interval_from(data: dict[str, Any] | None) -> Interval | None:
    """Return the interval that `as_data` wrote; None for None."""
    return None if data is None else Interval(**data)
