"""Surprise: how far what happened lies from what was to be expected of the very same rows, window by window.

What a version expects of a row follows its inputs wherever they drift (`confidence`, `losses`). If windows come out otherwise, and
more so than their luck, the error of the calibration and the usual differences between windows explain, the same inputs have begun
to mean something else: concept drift. Two things of a window are held against each other, its mean loss and its level: a change of
level that the loss does not feel, or the other way round, is one as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, score_of
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.confidence import Confidence
from keepfit.stages.monitoring.losses import Losses
from keepfit.stages.monitoring.tests.tails import NORMAL, student

SMALLEST, STEP = 1e-6, 1e-4
MOST = 8.0
"""Standard deviations; beyond, chances are too small for a double."""


@dataclass(frozen=True)
class Surprises:
    """What came out of windows beside what was expected of them, the oldest first.

    Attributes
    ----------
    contrasts : tuple of str
        What was compared: 'loss', and the level.
    scores : float64 array, shape (windows, contrasts)
        Standard normal while inputs mean what they meant; above 0, more happened than was expected.
    realised, expected : float64 array, shape (windows,)
        The mean loss of a row: squared error, or logarithmic loss.
    rows : int array, shape (windows,)
    """

    contrasts: tuple[str, ...]
    scores: Floats
    realised: Floats
    expected: Floats
    rows: NDArray[np.intp]


def of_labels(
    learnt: Sequence[Confidence], answers: Answers, actual: Floats, window: NDArray[np.intp], wider: Floats
) -> Surprises:
    """Return the surprises of windows of classifications.

    Parameters
    ----------
    learnt : sequence of Confidence
        What scores mean: of class 1, or of each label.
    answers : float64 array, shape (rows,) or (rows, labels)
        What was served.
    actual : float64 array, shape (rows,)
        What happened: 0 or 1, or the place of a label.
    window : int array, shape (rows,)
        Of each row, from 0 in the order of time; none is empty.
    wider : float64 array, shape (windows,)
        How much more windows of that length differ than those that `learnt` has seen.

    Notes
    -----
    A contrast is a mean over a window's rows. Its variance is that of the rows' chances, and by the delta method that of the
    calibration's coefficients, of the level and of the slope of the window's log-odds. What the latter two are estimated on gives
    Student's t its degrees of freedom (Satterthwaite 1946).
    """
    every = answers if answers.ndim > 1 else np.stack([1 - answers, answers], axis=1)
    loss, rows = -np.log(np.clip(every, SMALLEST, 1.0)), np.bincount(window)
    shown = range(every.shape[1]) if answers.ndim > 1 else (1,)
    own = [one.chance(every[:, label]) for one, label in zip(learnt, shown, strict=True)]

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(window, values) / rows)

    def expected(chances: Sequence[Floats]) -> Floats:
        p = _together(chances)
        return np.stack([mean((p * loss).sum(axis=1)), *(mean(p[:, label]) for label in shown)], axis=1)

    p, centre = _together(own), expected(own)
    of_row = (p * loss).sum(axis=1)
    noise = [(p * loss**2).sum(axis=1) - of_row**2, *(p[:, label] * (1 - p[:, label]) for label in shown)]
    variance = np.stack([mean(one) / rows for one in noise], axis=1)
    doubt = np.zeros_like(variance)
    for place, (one, label) in enumerate(zip(learnt, shown, strict=True)):
        score = every[:, label]

        def moved(chance: Floats, place: int = place) -> Floats:
            return (expected([*own[:place], chance, *own[place + 1 :]]) - centre) / STEP

        weights = np.array(one.map.weights)
        slopes = np.stack([moved(one.tilted(score, weights=weights + step)) for step in STEP * np.eye(len(weights))])
        variance += np.einsum("aws,ab,bws->ws", slopes, np.array(one.map.covariance), slopes)
        for spread, chance in (
            (one.level, one.tilted(score, level=STEP)),
            (one.slope, one.tilted(score, slope=STEP)),
        ):
            between = (moved(chance) * spread.scale * wider[:, None]) ** 2
            variance, doubt = variance + between, doubt + between**2 / spread.degrees
    there = actual.astype(np.intp)
    lost = mean(np.take_along_axis(loss, there[:, None], axis=1)[:, 0])
    found = np.stack([lost, *(mean((there == label).astype(np.float64)) for label in shown)], axis=1)
    return Surprises(
        ("loss", *("level" for _ in shown)),
        _standard(found - centre, variance, doubt),
        found[:, 0],
        centre[:, 0],
        rows,
    )


def of_values(
    learnt: Losses, answers: Answers, told: Floats, actual: Floats, window: NDArray[np.intp], wider: Floats
) -> Surprises:
    """Return the surprises of windows of predicted numbers; see `of_labels`.

    Parameters
    ----------
    told : float64 array, shape (rows,)
        What the model of losses says of each row.

    Notes
    -----
    The loss is compared by the logarithm of the mean absolute error over what was expected, for a few rows decide on squares; the
    level by the mean error over its expected size, if the version knows how that differs between windows.
    """
    rows, size = np.bincount(window), learnt.size(told)
    errors, chances = np.array(learnt.errors), np.array(learnt.chances)
    error = actual - score_of(answers)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(window, values) / rows)

    usual, middle, square = (float((values * chances).sum()) for values in (np.abs(errors), errors, errors**2))
    # of a version that never erred, an error is no smaller than this either
    usual, square = max(usual, SMALLEST), max(square, SMALLEST**2)
    happened = np.maximum(mean(np.abs(error)), SMALLEST * learnt.smallest)
    gap = [np.log(happened / (usual * mean(size)))]
    luck = [mean(size**2) * (square - usual**2) / (usual * mean(size)) ** 2 / rows]
    spreads = [learnt.spread]
    if learnt.bias is not None:
        gap.append(mean(error / size) - middle)
        luck.append((square - middle**2) / rows)
        spreads.append(learnt.bias)
    between = [(one.scale * wider) ** 2 for one in spreads]
    doubt = [own**2 / one.degrees for own, one in zip(between, spreads, strict=True)]
    variance = np.stack(luck, axis=1) + np.stack(between, axis=1)
    scores = _standard(np.stack(gap, axis=1), variance, np.stack(doubt, axis=1))
    names = ("loss", "level")[: len(spreads)]
    return Surprises(names, scores, mean(error**2), mean(size**2) * square, rows)


def _together(chances: Sequence[Floats]) -> Floats:
    """Return the chances of all labels, shape (rows, labels)."""
    if len(chances) == 1:
        return np.stack([1 - chances[0], chances[0]], axis=1)
    each = np.stack(chances, axis=1)
    return np.asarray(each / each.sum(axis=1, keepdims=True))


def _standard(gap: Floats, variance: Floats, doubt: Floats) -> Floats:
    """Return Student's t as the standard normal value of the same chance."""
    variance = np.maximum(variance, 1e-12)
    z = gap / np.sqrt(variance)
    with np.errstate(divide="ignore"):
        degrees = variance**2 / doubt
    found = [_normal(*pair) for pair in zip(z.ravel().tolist(), degrees.ravel().tolist(), strict=True)]
    return np.array(found).reshape(z.shape)


def _normal(t: float, degrees: float) -> float:
    half = student(abs(t), degrees) / 2
    return math.copysign(min(-NORMAL.inv_cdf(half), MOST) if half > 0 else MOST, t)
