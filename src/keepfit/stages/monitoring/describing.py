"""Columns in numbers: rows, missing values, mean and quantiles, or the most frequent labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence.watched import Described

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP = 10
"""Labels that are told."""


def described(columns: Mapping[str, NDArray[Any]]) -> dict[str, Described]:
    """Return each column in numbers.

    Parameters
    ----------
    columns : mapping of str to array, each of shape (rows,)
        float64 with NaN for null, or object with labels and None for null.
    """
    return {name: _labels(one) if one.dtype.kind in "OUS" else _numbers(one) for name, one in columns.items()}


def _numbers(values: NDArray[Any]) -> Described:
    numbers = np.asarray(values, np.float64)
    present = np.sort(numbers[~np.isnan(numbers)])
    rows, missing = len(numbers), len(numbers) - len(present)
    if not len(present):
        return Described(rows, missing, 0)
    distinct = 1 + int(np.count_nonzero(present[1:] != present[:-1]))
    # the least value with at least that share of rows at or below it: one that occurs
    places = [max(0, int(np.ceil(q * len(present))) - 1) for q in QUANTILES]
    quantiles = {f"{q:g}": float(present[place]) for q, place in zip(QUANTILES, places, strict=True)}
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std())
    return Described(rows, missing, distinct, mean, std, float(present[0]), float(present[-1]), quantiles)


def _labels(values: NDArray[Any]) -> Described:
    found = Counter(str(one) for one in values.tolist() if one is not None and one == one)
    known = found.total()
    # equal counts in the order of the labels: the same rows in another order say the same
    ranked = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:TOP]
    return Described(len(values), len(values) - known, len(found), top={name: rows / known for name, rows in ranked})
