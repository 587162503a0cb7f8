"""How sure a measured value is: bootstrap intervals that respect that the rows of one entity resemble each other.

Whole clusters (entities) are drawn with replacement, not rows: rows of one customer are not independent, and an
interval from rows would be too narrow (Davison & Hinkley 1997, section 3.8). Drawing is weighting: each round weighs
every row by how often its cluster was drawn, and a metric that is a function of sums needs only the sums of each
cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import Estimate
from keepfit.measure.metrics import Floats, Ranking, measure, sums_of
from keepfit.spec.metric import METRICS
from keepfit.spec.training import Cost

INTERVAL = (5.0, 95.0)
"""Percentiles of the replicates that bound the 90% interval."""


def estimate(
    metric: str,
    actual: Floats,
    predicted: Floats,
    threshold: float,
    *,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int = 300,
    cost: Cost | None = None,
) -> Estimate:
    """Return a metric with its 90% percentile bootstrap interval.

    Parameters
    ----------
    metric, actual, predicted, threshold, cost
        As in `keepfit.measure.metrics.measure`.
    clusters : integer array, shape (rows,)
        A code for each row's entity. If there is one entity only, rows are drawn instead.
    seed : int
        The same seed gives the same interval.
    rounds : int
        Bootstrap replicates.

    Returns
    -------
    Estimate
        In the metric's own unit. `low` and `high` are NaN if no replicate is defined.
    """
    value = measure(metric, actual, predicted, threshold, cost)
    return _summary(value, _replicates(metric, actual, predicted, threshold, clusters, seed, rounds, cost), len(actual))


def paired_gain(
    metric: str,
    actual: Floats,
    challenger: Floats,
    challenger_threshold: float,
    champion: Floats,
    champion_threshold: float,
    *,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int = 300,
    cost: Cost | None = None,
) -> Estimate:
    """Return how much better the challenger is than the champion on the same rows, with its 90% interval.

    Positive if the challenger is better, whichever way the metric points. Both are measured on the same draws, so what
    makes rows hard for both cancels out. Parameters as in `estimate`; `challenger` and `champion` are predictions,
    shape (rows,).
    """
    gain = METRICS[metric].gain
    ours = measure(metric, actual, challenger, challenger_threshold, cost)
    theirs = measure(metric, actual, champion, champion_threshold, cost)
    new = _replicates(metric, actual, challenger, challenger_threshold, clusters, seed, rounds, cost)
    old = _replicates(metric, actual, champion, champion_threshold, clusters, seed, rounds, cost)
    gains = np.array([gain(after, before) for after, before in zip(new, old, strict=True)], dtype=np.float64)
    return _summary(gain(ours, theirs), gains, len(actual))


def _summary(value: float, replicates: Floats, rows: int) -> Estimate:
    defined = replicates[np.isfinite(replicates)]
    low, high = np.percentile(defined, INTERVAL) if len(defined) else (np.nan, np.nan)
    return Estimate(value=value, low=float(low), high=float(high), rows=rows)


def _replicates(
    metric: str,
    actual: Floats,
    predicted: Floats,
    threshold: float,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int,
    cost: Cost | None,
) -> Floats:
    """Return the metric in each round, shape (rounds,); equal seeds draw equal clusters, which pairs two models."""
    if len(actual) == 0:
        return np.empty(0)
    codes = np.unique(clusters, return_inverse=True)[1].ravel()
    # One entity drawn with replacement is always the same sample: an interval of width zero would feign certainty.
    codes = codes if codes.max() > 0 else np.arange(len(actual))
    weighted = _weighted(metric, actual, predicted, threshold, codes, cost)
    return np.array([weighted(weights) for weights in _draws(int(codes.max()) + 1, seed, rounds)], dtype=np.float64)


def _draws(clusters: int, seed: int, rounds: int) -> Iterator[Floats]:
    """Yield, for each round, how often each cluster is drawn, shape (clusters,)."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.bincount(random.integers(0, clusters, clusters), minlength=clusters).astype(np.float64)


def _weighted(
    metric: str, actual: Floats, predicted: Floats, threshold: float, codes: NDArray[np.intp], cost: Cost | None
) -> Callable[[Floats], float]:
    """Return the metric as a function of the weights of the clusters."""
    if metric == "auc":
        ranking = Ranking(actual, predicted)
        return lambda weights: ranking.auc(weights[codes])
    sums = sums_of(metric, cost)
    terms = sums.per_row(actual, predicted, threshold)
    by_cluster = np.stack([np.bincount(codes, weights=column) for column in terms.T], axis=1)
    return lambda weights: float(sums.finish(weights @ by_cluster))
