"""How sure a measured value is: bootstrap intervals that respect that the rows of one entity resemble each other.

Whole clusters (entities) are drawn with replacement, not rows: rows of one customer are not independent, and an
interval from rows would be too narrow (Davison & Hinkley 1997, section 3.8). Drawing is weighting: each round weighs
every row by how often its cluster was drawn, and a metric that is a function of sums needs only the sums of each
cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.evidence import Estimate
from keepfit.measure.metrics import PLAIN, measure, sums_of
from keepfit.measure.ranking import RANKED, ranking_of
from keepfit.measure.sums import Floats, PerRow
from keepfit.spec.metric import METRICS
from keepfit.spec.training import Training

INTERVAL = (5.0, 95.0)
"""Percentiles of the replicates that bound the 90% interval."""
RAISED_BY_NOISE = frozenset({"ece"})
"""Metrics that chance can only raise, so that replicates lie above the value: their interval reaches down to it."""


def estimate(
    metric: str,
    actual: Floats,
    predicted: Answers,
    threshold: float,
    *,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int = 300,
    said: Training = PLAIN,
) -> Estimate:
    """Return a metric with its 90% percentile bootstrap interval.

    Parameters
    ----------
    metric, actual, predicted, threshold, said
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
    return estimates([metric], actual, predicted, threshold, clusters=clusters, seed=seed, rounds=rounds, said=said)[
        metric
    ]


def estimates(
    metrics: Sequence[str],
    actual: Floats,
    predicted: Answers,
    threshold: float,
    *,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int = 300,
    said: Training = PLAIN,
) -> dict[str, Estimate]:
    """Return several metrics with their intervals, all from the same draws; parameters as in `estimate`."""
    found = _replicates(metrics, actual, predicted, threshold, clusters, seed, rounds, said)
    values = {metric: measure(metric, actual, predicted, threshold, said) for metric in metrics}
    return {metric: _summary(metric, values[metric], found[metric], len(actual)) for metric in metrics}


def paired_gain(
    metric: str,
    actual: Floats,
    challenger: Answers,
    challenger_threshold: float,
    champion: Answers,
    champion_threshold: float,
    *,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int = 300,
    said: Training = PLAIN,
) -> Estimate:
    """Return how much better the challenger is than the champion on the same rows, with its 90% interval.

    Positive if the challenger is better, whichever way the metric points; of a coverage, if it is nearer to the declared share.
    Both are measured on the same draws, so what
    makes rows hard for both cancels out. Parameters as in `estimate`; `challenger` and `champion` are answers.
    """
    gain = partial(METRICS[metric].gain, said=said)
    ours = measure(metric, actual, challenger, challenger_threshold, said)
    theirs = measure(metric, actual, champion, champion_threshold, said)
    new = _replicates([metric], actual, challenger, challenger_threshold, clusters, seed, rounds, said)[metric]
    old = _replicates([metric], actual, champion, champion_threshold, clusters, seed, rounds, said)[metric]
    gains = np.array([gain(after, before) for after, before in zip(new, old, strict=True)], dtype=np.float64)
    return _summary("", gain(ours, theirs), gains, len(actual))


def _summary(metric: str, value: float, replicates: Floats, rows: int) -> Estimate:
    defined = replicates[np.isfinite(replicates)]
    low, high = np.percentile(defined, INTERVAL) if len(defined) else (np.nan, np.nan)
    if metric in RAISED_BY_NOISE:
        low = np.fmin(low, value)
    return Estimate(value=value, low=float(low), high=float(high), rows=rows)


def _replicates(
    metrics: Sequence[str],
    actual: Floats,
    predicted: Answers,
    threshold: float,
    clusters: NDArray[np.integer],
    seed: int,
    rounds: int,
    said: Training,
) -> dict[str, Floats]:
    """Return metrics in each round, shape (rounds,); equal seeds draw equal clusters, which pairs two models."""
    if len(actual) == 0:
        return {metric: np.empty(0) for metric in metrics}
    codes = np.unique(clusters, return_inverse=True)[1].ravel()
    # One entity drawn with replacement is always the same sample: an interval of width zero would feign certainty.
    codes = codes if codes.max() > 0 else np.arange(len(actual))
    # metrics of the same sums, such as all of the confusion matrix, share them
    sums_by = {metric: sums_of(metric, said, several=predicted.ndim > 1) for metric in metrics if metric not in RANKED}
    added = {one.per_row for one in sums_by.values()}
    terms = {per_row: _by_cluster(per_row(actual, predicted, threshold), codes) for per_row in added}
    ranked: dict[str, list[float]] = {metric: [] for metric in metrics if metric in RANKED}
    ranking = ranking_of(actual, predicted) if ranked else None
    ordered = ranking.order(codes) if ranking else codes
    sums: dict[PerRow, list[Floats]] = {per_row: [] for per_row in added}
    for weights in draws(int(codes.max()) + 1, seed, rounds):
        for per_row, found in sums.items():
            found.append(weights @ terms[per_row])
        if ranking:
            order = ranking.weigh(weights[ordered])
            for metric, values in ranked.items():
                values.append(RANKED[metric](order))
    finished = {metric: one.finish(np.array(sums[one.per_row])) for metric, one in sums_by.items()}
    return finished | {metric: np.array(values, dtype=np.float64) for metric, values in ranked.items()}


def _by_cluster(terms: Floats, codes: NDArray[np.intp]) -> Floats:
    return np.stack([np.bincount(codes, weights=column) for column in terms.T], axis=1)


def draws(clusters: int, seed: int, rounds: int) -> Iterator[Floats]:
    """Yield, for each round, how often each cluster is drawn, shape (clusters,)."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.bincount(random.integers(0, clusters, clusters), minlength=clusters).astype(np.float64)
