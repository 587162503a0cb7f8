"""What policies cost on the same rows: sums of mistakes, their paired uncertainty, and who is on the frontier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, chosen, score_of
from keepfit.evidence import Estimate
from keepfit.measure.bootstrap import INTERVAL, draws
from keepfit.measure.sums import Floats
from keepfit.spec.metric import Metric
from keepfit.spec.training import Cost, Training

ROUNDS = 1000


def mistakes(task: str, actual: Floats, answers: Answers, threshold: Floats, said: Training) -> Floats:
    """Return what each row's mistake counts, shape (rows,).

    Parameters
    ----------
    threshold : float64 array, shape (rows,)
        Scores >= threshold are called positive; of a classification only.

    Returns
    -------
    float64 array
        1 for a mistaken decision, or what `Training.cost` says of it; of a number, how far it lies off, in its own unit.
    """
    score = score_of(answers)
    found = np.zeros(len(actual))
    if task == "regression":
        found[:] = np.abs(score - actual)
    elif task == "multiclass":
        found[chosen(answers) != actual] = 1
    else:
        each, called = said.cost or Cost(), score >= threshold
        found[called & (actual == 0)] = each.false_positive
        found[~called & (actual == 1)] = each.false_negative
    return found


def saving(less: Floats, fixed: float, clusters: NDArray[np.intp], seed: int) -> Estimate:
    """Return a sum over rows and what is certain beside it, with its 90% interval.

    Parameters
    ----------
    less : float64 array, shape (rows,)
        What each row costs less; paired, so that what is hard for both policies cancels out.
    fixed : float
        What is known without rows, such as the price of trainings.
    clusters : integer array, shape (rows,)
        A code for each row's entity: whole entities are drawn with replacement (see `keepfit.measure.bootstrap`).
    """
    total = float(less.sum()) + fixed
    if not len(less):
        return Estimate(total, total, total, 0)
    codes = np.unique(clusters, return_inverse=True)[1].ravel()
    codes = codes if codes.max() > 0 else np.arange(len(less))
    sums = np.bincount(codes, weights=less)
    found = np.array([weights @ sums for weights in draws(len(sums), seed, ROUNDS)]) + fixed
    low, high = np.percentile(found, INTERVAL)
    return Estimate(total, float(low), float(high), len(less))


def efficient(trainings: Sequence[int], values: Sequence[float], metric: Metric) -> list[bool]:
    """Return which (trainings, value) no other beats: with no more trainings at least as good, and in one of both better.

    What has no value is not on the frontier.
    """

    def beats(one: int, other: int) -> bool:
        better = metric.better(values[one], values[other])
        return (trainings[one] <= trainings[other] and better) or (
            trainings[one] < trainings[other] and values[one] == values[other]
        )

    every = range(len(values))
    found = [not any(beats(one, other) for one in every if one != other) for other in every]
    return [best and bool(np.isfinite(value)) for best, value in zip(found, values, strict=True)]
