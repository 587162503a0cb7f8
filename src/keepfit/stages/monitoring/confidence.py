"""How classifications will turn out: by how sure they are, once scores are known to mean what they say.

Confidence-based performance estimation: on rows that no model learnt from, scores are calibrated; then a row scored 0.9 is expected
to be right nine times in ten, and every metric has an expected value before any label is known (Guillory et al. 2021, Garg et al.
2022; Kivimäki et al. 2025 for metrics of the confusion matrix). It follows inputs that drift, for scores move with them. It does
not see concept drift: that the same score no longer means the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.measure.between import Spread, between
from keepfit.measure.calibrated import Calibrated, calibrated, chance, log_odds, logistic
from keepfit.measure.expected import Possible
from keepfit.measure.sums import Floats

PRIOR = (0.2, 0.1)
"""By how many log-odds windows differ in level, and by how much in slope, if nothing tells: a rate of 50% becomes 55%."""
TILTS = np.array([1.0, 0.5])
"""How far a single window is believed to lie off, before its rows are looked at: level, slope."""


@dataclass(frozen=True)
class Confidence:
    """What the scores of one label mean: calibrated, and how far a window lies from that in level and in slope."""

    map: Calibrated
    level: Spread
    slope: Spread

    def chance(self, score: Floats, random: np.random.Generator | None = None, wider: float = 1.0) -> Floats:
        """Return the chance of class 1 at each score; with `random`, in a window and by a map that may be as well."""
        if random is None:
            return chance(self.map.log_odds(score))
        weights = self.map.drawn(random)
        level, slope = self.level.drawn(random), self.slope.drawn(random)
        return self.tilted(score, weights, wider * level, wider * slope)

    def tilted(self, score: Floats, weights: Floats | None = None, level: float = 0.0, slope: float = 0.0) -> Floats:
        """Return the chance of class 1 at each score, in a window of another level and slope; by a map of other weights."""
        return chance(self.map.log_odds(score, weights) + level + slope * (log_odds(score) - self.map.centre))

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Confidence:
        """Return what `as_data` wrote."""
        return cls(Calibrated(**data["map"]), Spread(**data["level"]), Spread(**data["slope"]))


def learn_confidence(
    actual: Floats, scores: Answers, clusters: NDArray[np.integer], windows: NDArray[np.intp], fitted: NDArray[np.bool_]
) -> list[Confidence]:
    """Return what the scores mean: of class 1, or of each label.

    Parameters
    ----------
    actual : float64 array, shape (rows,)
        What happened; 0 or 1, or the place of a label.
    scores : float64 array, shape (rows,) or (rows, labels)
        By models that did not learn from these rows.
    clusters : integer array, shape (rows,)
        A code for each row's entity.
    windows : integer array, shape (rows,)
        Which window each row is of, from 0.
    fitted : bool array, shape (rows,)
        The rows that the map is fitted on; the others only tell how windows differ.
    """
    if scores.ndim == 1:
        return [_learn(actual, scores, clusters, windows, fitted)]
    each = range(scores.shape[1])
    return [_learn((actual == place).astype(np.float64), scores[:, place], clusters, windows, fitted) for place in each]


def _learn(
    actual: Floats, score: Floats, clusters: NDArray[np.integer], windows: NDArray[np.intp], fitted: NDArray[np.bool_]
) -> Confidence:
    found = calibrated(actual[fitted], score[fitted], clusters[fitted])
    odds, x = found.log_odds(score), log_odds(score) - found.centre
    own, variance = [], []
    for window in range(int(windows.max()) + 1):
        rows = windows == window
        basis = np.stack([np.ones(rows.sum()), x[rows]], axis=1)
        tilt, inverse = logistic(basis, actual[rows], odds[rows], TILTS)
        own.append(tilt)
        variance.append(np.diag(inverse))
    level, slope = (between(*one) for one in zip(np.array(own).T, np.array(variance).T, PRIOR, strict=True))
    return Confidence(found, level, slope)


def possible_labels(
    learnt: Sequence[Confidence], scores: Answers, random: np.random.Generator | None = None, wider: float = 1.0
) -> Possible:
    """Return how likely each label is, of every row; with `random`, in a world that may be as well.

    Of several labels, each is calibrated against the others, and a row's chances are made to add up to 1.
    """
    if scores.ndim == 1:
        one = learnt[0].chance(scores, random, wider)
        chances = np.stack([1 - one, one], axis=1)
    else:
        each = [own.chance(scores[:, place], random, wider) for place, own in enumerate(learnt)]
        chances = np.stack(each, axis=1)
        chances = chances / chances.sum(axis=1, keepdims=True)
    return Possible(np.broadcast_to(np.arange(chances.shape[1], dtype=np.float64), chances.shape), chances)
