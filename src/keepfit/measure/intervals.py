"""How good bounds are: how often they hold, how wide they are, and both in one number.

The interval score of Winkler (1972) is 4 / (1 - share) times the pinball loss of both bounds, so it is not shown beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keepfit.answers import Answers, score_of
from keepfit.measure.sums import Floats, Sums, mean, with_count
from keepfit.spec.metric import COVERAGE, PINBALL, WIDTH
from keepfit.spec.training import Training


def pinball_loss(actual: Floats, predicted: Floats, level: float) -> Floats:
    """Return the pinball loss of a predicted quantile, shape (rows,): least, in the mean, at the true one (Koenker & Bassett 1978).

    `level` of what lies above it and `1 - level` of what lies below it: 0.9 counts a value above nine times as much.
    """
    over = actual - predicted
    return np.maximum(level * over, (level - 1) * over)


def _pinball(said: Training) -> Sums:
    def per_row(actual: Floats, answers: Answers, _: float) -> Floats:
        if said.quantile is not None:
            return with_count(pinball_loss(actual, score_of(answers), said.quantile))
        low, high = said.levels
        return with_count((pinball_loss(actual, answers[:, 1], low) + pinball_loss(actual, answers[:, 2], high)) / 2)

    return Sums(per_row, mean)


def _coverage(said: Training) -> Sums:
    def per_row(actual: Floats, answers: Answers, _: float) -> Floats:
        if said.quantile is not None:
            return with_count((actual <= score_of(answers)).astype(np.float64))
        return with_count(covered(actual, answers).astype(np.float64))

    return Sums(per_row, mean)


def covered(actual: Floats, answers: Answers) -> Floats:
    """Return which rows lie within their interval, both bounds included, shape (rows,): 1.0 or 0.0."""
    return ((answers[:, 1] <= actual) & (actual <= answers[:, 2])).astype(np.float64)


def _width(_: Training) -> Sums:
    def per_row(actual: Floats, answers: Answers, _: float) -> Floats:
        return with_count(answers[:, 2] - answers[:, 1])

    return Sums(per_row, mean)


OF_BOUNDS: dict[str, Callable[[Training], Sums]] = {PINBALL: _pinball, COVERAGE: _coverage, WIDTH: _width}
"""The metrics of an interval or a quantile, each made for what is declared."""
