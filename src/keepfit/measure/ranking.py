"""Metrics that look at the order of scores rather than at sums over rows: all of them from one sort.

A metric here is a function of how much weight the positives and the negatives have at each distinct score, so that the
bootstrap sorts once and only weighs anew. A new one is a method of `Ranked` and an entry in `RANKED`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)

TOP = 0.1
"""The share of the rows, those that score highest, that lift and gain look at."""
BINS = 10
"""Bins of about equal weight that the calibration error is taken over."""
TINY = np.finfo(np.float64).tiny


class Ranking:
    """Scores sorted once, so that metrics can be taken again and again under other row weights.

    Parameters
    ----------
    actual, score : float64 array, shape (rows,)
        0 or 1, and the score of class 1; at least one row.
    """

    def __init__(self, actual: Floats, score: Floats) -> None:
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        # Where each run of equal scores begins: within a run no pair is ranked, so it counts half.
        self._runs = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._positive = (actual[self._order] > 0).astype(np.float64)
        self._scores = ordered[self._runs]

    def order(self, values: NDArray[Number]) -> NDArray[Number]:
        """Return row by row values in the order of the scores."""
        return values[self._order]

    def weigh(self, ordered: Floats | None = None) -> Ranked:
        """Return the runs of equal scores under row weights in the order of the scores; without them, each row is one.

        `ordered`: float64, shape (rows,).
        """
        weights = np.ones(len(self._order)) if ordered is None else ordered
        positives = weights * self._positive
        if len(self._runs) < len(weights):
            weights, positives = np.add.reduceat(weights, self._runs), np.add.reduceat(positives, self._runs)
        return Ranked(self._scores, positives, weights)

    def auc(self, weights: Floats | None = None) -> float:
        """Return the area under the ROC curve with weights row by row; see `Ranked.auc`."""
        return self.weigh(None if weights is None else weights[self._order]).auc()


@dataclass(frozen=True)
class Ranked:
    """The weight of the positives, and of all rows, at each distinct score, ascending: float64, shape (scores,)."""

    scores: Floats
    positives: Floats
    weights: Floats

    @cached_property
    def caught(self) -> Floats:
        """How many positives score at least each distinct score, descending."""
        return np.cumsum(self.positives[::-1])

    @cached_property
    def called(self) -> Floats:
        """How many rows score at least each distinct score, descending."""
        return np.cumsum(self.weights[::-1])

    def auc(self) -> float:
        """Return P(score of a positive > score of a negative) + P(equal) / 2 over weighted pairs; NaN with one class.

        The Mann-Whitney form of the area under the ROC curve (Hanley & McNeil 1982).
        """
        positives, all_ = self.caught[-1], self.called[-1]
        pairs = positives * (all_ - positives)
        if pairs <= 0:
            return float("nan")
        # of the negatives at or above each score, those at it count half
        above = (self.called - self.caught)[::-1] - (self.weights - self.positives) / 2
        return float((pairs - _dot(self.positives, above)) / pairs)

    def pr_auc(self) -> float:
        """Return the average precision: the sum over thresholds of (recall gained) x precision; NaN without positives.

        Step-wise, without interpolation, which would be too optimistic (Davis & Goadrich 2006); as scikit-learn's.
        """
        if self.caught[-1] <= 0:
            return float("nan")
        precision = self.caught / np.maximum(self.called, TINY)
        return float(_dot(self.positives[::-1], precision) / self.caught[-1])

    def ece(self) -> float:
        """Return the expected calibration error: the mean over rows of |mean score - share of positives| in their bin.

        `BINS` bins of about equal weight (Nguyen & O'Connor 2015); equal scores are never parted. 0 is calibrated.
        """
        total = self.called[-1]
        if total <= 0:
            return float("nan")
        starts = self.bins()
        gaps = np.add.reduceat(self.scores * self.weights - self.positives, starts)
        return float(np.abs(gaps).sum() / total)

    def bins(self) -> NDArray[np.intp]:
        """Return where each bin of about equal weight begins; fewer than `BINS` if equal scores fill several."""
        below = self.called[-1] - self.called[::-1]
        inner = np.searchsorted(below * BINS, self.called[-1] * np.arange(1, BINS))
        return np.unique(np.concatenate([[0], inner[inner < len(below)]]))

    def gain_10(self) -> float:
        """Return the share of all positives among the tenth of the rows that scores highest; NaN without positives.

        Of rows with the score at which that tenth ends, the share that still belongs to it counts.
        """
        if self.caught[-1] <= 0:
            return float("nan")
        wanted = TOP * self.called[-1]
        place = int(np.searchsorted(self.called, wanted))
        before = (self.called[place - 1], self.caught[place - 1]) if place else (0.0, 0.0)
        part = (wanted - before[0]) / (self.called[place] - before[0])
        return float((before[1] + part * (self.caught[place] - before[1])) / self.caught[-1])

    def lift_10(self) -> float:
        """Return how many times more positives that tenth has than a tenth drawn blindly."""
        return self.gain_10() / TOP


class Rankings:
    """The scores of several labels, each ranked by itself against the other labels.

    Parameters
    ----------
    actual : float64 array, shape (rows,)
        The place of the label that a row was.
    scores : float64 array, shape (rows, labels)
        The probability of each label; at least one row.
    """

    def __init__(self, actual: Floats, scores: Floats) -> None:
        labels = range(scores.shape[1])
        self._each = [Ranking((actual == place).astype(np.float64), scores[:, place]) for place in labels]

    def order(self, values: NDArray[Number]) -> NDArray[Number]:
        """Return row by row values in the order of each label's scores, shape (labels, rows)."""
        return np.stack([one.order(values) for one in self._each])

    def weigh(self, ordered: Floats | None = None) -> RankedLabels:
        """Return the rankings under row weights, shape (labels, rows), in the order of each label's scores."""
        weights = [None] * len(self._each) if ordered is None else list(ordered)
        return RankedLabels(tuple(one.weigh(own) for one, own in zip(self._each, weights, strict=True)))


@dataclass(frozen=True)
class RankedLabels:
    """One ranking for each label."""

    each: tuple[Ranked, ...]

    def auc_ovr(self) -> float:
        """Return the mean over labels of the AUC of each against the others; labels that no row was, or every, are left out.

        Hand & Till 2001 call it one against the rest, unweighted; as scikit-learn's `multi_class="ovr", average="macro"`.
        """
        found = [area for area in (one.auc() for one in self.each) if area == area]
        return sum(found) / len(found) if found else float("nan")


def ranking_of(actual: Floats, scores: Floats) -> Ranking | Rankings:
    """Return the ranking of scores of class 1, or of the probabilities of several labels."""
    return Ranking(actual, scores) if scores.ndim == 1 else Rankings(actual, scores)


def _dot(one: Floats, other: Floats) -> Any:
    # not BLAS: for a vector it wakes a second thread, and on a busy machine the two wait for each other
    return np.einsum("i,i->", one, other)


RANKED: dict[str, Callable[[Any], float]] = {
    "auc": Ranked.auc,
    "pr_auc": Ranked.pr_auc,
    "ece": Ranked.ece,
    "lift_10": Ranked.lift_10,
    "gain_10": Ranked.gain_10,
    "auc_ovr": RankedLabels.auc_ovr,
}
"""The metrics that look at the order of scores: all of `METRICS` that are no functions of sums."""
