"""How much one column alone says about the target: 0.5 or 0 is nothing, 1 is all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column
from keepfit.measure.ranking import Ranking
from keepfit.spec.model import CLASSIFICATION

Floats = NDArray[np.float64]
LEAST = 30  # rows of each class, and rows that are null or not, below which nothing is said
BINS, FOLDS = 32, 5


def strength(task: str, values: Column, target: Floats, folds: NDArray[np.int64]) -> float:
    """Return how well a column orders the target: AUC or Spearman's rank correlation, in either direction; NaN if unknown.

    Numbers are taken as they are and in quantile bins, categories by their target's mean. Means are learnt on the rows of
    other folds, so that a key that names each row says nothing. Null numbers are left out; see `absence`.
    """
    there = np.ones(len(values), bool) if values.dtype == object else ~np.isnan(values.astype(np.float64))
    values, target, folds = values[there], target[there], folds[there]
    if not _enough(task, target):
        return float("nan")
    if values.dtype == object:
        return _order(task, _encoded(_codes(values), target, folds), target)
    numbers = values.astype(np.float64)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    binned = _encoded(np.searchsorted(edges, numbers, side="right").astype(np.int64), target, folds)
    return max(_order(task, numbers, target), _order(task, binned, target))


def absence(task: str, values: Column, target: Floats) -> float:
    """Return how well a column's nulls alone tell the target, as an AUC in either direction; NaN if there are too few."""
    null = _null(values)
    if min(null.sum(), len(null) - null.sum()) < LEAST or not _enough(task, target):
        return float("nan")
    area = Ranking(target, null).auc() if task == CLASSIFICATION else Ranking(null, target).auc()
    return max(area, 1 - area)


def folds_of(entities: Column, seed: int) -> NDArray[np.int64]:
    """Return a fold for each row; rows of one entity share it, unless there are too few entities."""
    lottery = np.random.default_rng(seed)
    keys = np.unique(entities.astype(str), return_inverse=True)[1]
    if len(keys) == 0 or keys.max() < 4 * FOLDS:
        return lottery.integers(0, FOLDS, len(entities))
    return lottery.integers(0, FOLDS, int(keys.max()) + 1)[keys]


def _null(values: Column) -> Floats:
    if values.dtype == object:
        return np.array([value is None for value in values], np.float64)
    return np.isnan(values.astype(np.float64)).astype(np.float64)


def _enough(task: str, target: Floats) -> bool:
    if task == CLASSIFICATION:
        return bool(min((target > 0).sum(), (target <= 0).sum()) >= LEAST)
    return len(target) >= 2 * LEAST and bool(np.ptp(target) > 0)


def _codes(values: Column) -> NDArray[np.int64]:
    return np.unique(np.array(["-" if value is None else f"+{value}" for value in values]), return_inverse=True)[1]


def _encoded(codes: NDArray[np.int64], target: Floats, folds: NDArray[np.int64]) -> Floats:
    """Return each row's mean target of its code in the other folds, drawn to the overall mean by one row."""
    encoded = np.empty(len(target))
    for fold in range(FOLDS):
        inside = folds == fold
        size = int(codes.max()) + 1
        rows = np.bincount(codes[~inside], minlength=size)
        sums = np.bincount(codes[~inside], target[~inside], minlength=size)
        prior = target[~inside].mean() if (~inside).any() else 0.0
        encoded[inside] = ((sums + prior) / (rows + 1))[codes[inside]]
    return encoded


def _order(task: str, score: Floats, target: Floats) -> float:
    if task == CLASSIFICATION:
        area = Ranking(target, score).auc()
        return max(area, 1 - area)
    one, other = _ranks(score), _ranks(target)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return abs(float(np.corrcoef(one, other)[0, 1]))


def _ranks(values: Floats) -> Floats:
    """Return ranks; equal values share their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = (ends - (counts - 1) / 2)[places]
    return middle
