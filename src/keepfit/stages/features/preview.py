"""The values of features on some observations, and how they are distributed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column, Observations

BINS = 16
LABELS = 8


@dataclass(frozen=True)
class Distribution:
    """How one feature is distributed over the observations.

    Attributes
    ----------
    rows, nulls : int
        Observations, and those where the feature is null.
    quantiles : tuple of float
        Least value, quartiles and greatest value; none for a category.
    edges, counts : tuple
        A histogram of the finite values in `BINS` bins of equal width; of a category the most frequent labels.
    """

    rows: int
    nulls: int
    quantiles: tuple[float, ...]
    edges: tuple[float | str, ...]
    counts: tuple[int, ...]


def sample(observations: Observations, rows: int) -> Observations:
    """Return at most `rows` observations, evenly spread over entities and time."""
    if len(observations) <= rows:
        return observations
    picked = np.zeros(len(observations), bool)
    picked[np.linspace(0, len(observations) - 1, rows).astype(np.int64)] = True
    return observations.keep(picked)


def distribution(values: Column) -> Distribution:
    """Return how a feature's column is distributed."""
    if values.dtype == object:
        return _of_labels(values)
    numbers: NDArray[np.float64] = values[~np.isnan(values)]
    finite = numbers[np.isfinite(numbers)]
    counts, edges = np.histogram(finite, BINS) if len(finite) else (np.zeros(0, int), np.zeros(0))
    quantiles = np.quantile(finite, [0, 0.25, 0.5, 0.75, 1]) if len(finite) else np.zeros(0)
    return Distribution(
        len(values),
        len(values) - len(numbers),
        tuple(float(one) for one in quantiles),
        tuple(float(one) for one in edges),
        tuple(int(one) for one in counts),
    )


def _of_labels(values: Column) -> Distribution:
    labels, counts = np.unique([str(value) for value in values if value is not None], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:LABELS]
    nulls = sum(value is None for value in values)
    return Distribution(
        len(values), nulls, (), tuple(str(one) for one in labels[order]), tuple(int(one) for one in counts[order])
    )
