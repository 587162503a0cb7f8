"""How much one column alone says about the target (0.5 or 0 is nothing, 1 is all), and which columns say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import CONSTANT, EMPTY
from keepfit.measure.ranking import Ranking
from keepfit.spec.model import CLASSIFICATION

Column = NDArray[Any]
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


def twins(columns: Mapping[str, Column], least: float) -> dict[str, str]:
    """Return each column that says what an earlier one says, and that one.

    Numbers do if their ranks correlate by `least` or more, in either direction (Spearman), nulls counting as the mean rank;
    labels do if each of the one goes with one of the other. A column of one value says nothing and has no twin.
    """
    found = _twin_labels({name: values for name, values in columns.items() if values.dtype == object})
    numbers = {name: values.astype(np.float64) for name, values in columns.items() if values.dtype != object}
    names = list(numbers)
    ranks = np.array([_unit(values) for values in numbers.values()]).reshape(len(names), -1)
    alike = np.abs(ranks @ ranks.T) >= least
    for place, name in enumerate(names):
        earlier = [one for one in np.flatnonzero(alike[place, :place]).tolist() if names[one] not in found]
        if earlier:
            found[name] = names[earlier[0]]
    return found


def one_value(values: Column) -> str:
    """Return 'empty' or 'constant' for a column that says nothing, else an empty text; a null beside one value says something."""
    null = _null(values) > 0
    if null.all():
        return EMPTY
    if null.any():
        return ""
    same = all(one == values[0] for one in values) if values.dtype == object else bool(np.ptp(values) == 0)
    return CONSTANT if same else ""


def _unit(values: Floats) -> Floats:
    """Return the ranks of the values that are there as a vector of mean 0 and length 1, and 0 for a null."""
    unit, there = np.zeros(len(values)), ~np.isnan(values)
    if there.any():
        ranks = _ranks(values[there])
        unit[there] = ranks - ranks.mean()
    length = float(np.linalg.norm(unit))
    return unit / length if length > 0 else unit


def _twin_labels(columns: Mapping[str, Column]) -> dict[str, str]:
    codes = {name: _codes(values) for name, values in columns.items()}
    found: dict[str, str] = {}
    for place, (name, own) in enumerate(codes.items()):
        for other in list(codes)[:place]:
            kinds = int(own.max(initial=0)) + 1
            if other in found or kinds < 2 or kinds != int(codes[other].max(initial=0)) + 1:
                continue
            if len(np.unique(own * kinds + codes[other])) == kinds:
                found[name] = other
                break
    return found


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
