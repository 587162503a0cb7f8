"""A metric as sums over rows: what to add up for each, and how to finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PerRow = Callable[[Floats, Floats, float], Floats]


@dataclass(frozen=True)
class Sums:
    """A metric that is a function of sums over rows.

    Parameters
    ----------
    per_row : callable
        (actual, predicted, threshold) -> the terms to add up, shape (rows, terms).
    finish : callable
        Sums, shape (..., terms), -> the metric, shape (...); NaN where it is undefined.
    """

    per_row: PerRow
    finish: Callable[[Floats], Floats]


def ratio(numerator: Floats, denominator: Floats, undefined: float = float("nan")) -> Floats:
    """Return a quotient element by element, `undefined` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    out = np.full(denominator.shape, undefined)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def with_count(terms: Floats) -> Floats:
    """Return one term a row with a 1 beside it, so that `mean` can finish."""
    return np.stack([terms, np.ones_like(terms)], axis=1)


def mean(sums: Floats) -> Floats:
    """Return the mean of what `with_count` added up."""
    return ratio(sums[..., 0], sums[..., 1])
