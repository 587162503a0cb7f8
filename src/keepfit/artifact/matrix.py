"""Feature columns to the float32 matrix that models read; the only place where labels become numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
Categories = Mapping[str, Sequence[str]]
LARGEST = np.finfo(np.float32).max


def learn_categories(columns: Columns) -> dict[str, tuple[str, ...]]:
    """Return the labels of each category column, ascending; to be called on training rows only."""
    return {
        name: tuple(sorted({str(value) for value in values if value is not None}))
        for name, values in columns.items()
        if values.dtype == object
    }


def encode(columns: Columns, features: Sequence[str], categories: Categories) -> NDArray[np.float32]:
    """Return a matrix [rows, features]; null and labels that training never saw are NaN, a label is its position.

    Numbers beyond float32, infinities too, become its largest: XGBoost learns from no infinity. NaN tells it null.
    """
    rows = len(next(iter(columns.values())))
    matrix = np.empty((rows, len(features)), np.float32)
    with np.errstate(over="ignore"):
        for place, name in enumerate(features):
            labels = categories.get(name)
            matrix[:, place] = columns[name] if labels is None else _codes(columns[name], labels)
    return np.clip(matrix, -LARGEST, LARGEST, out=matrix)


class RowEncoder:
    """What `encode` does, for rows as requests have them: name -> number, label or null; to the same bits.

    Parameters
    ----------
    features : sequence of str
        The columns of the matrix.
    categories : mapping
        Category -> its labels.
    """

    def __init__(self, features: Sequence[str], categories: Categories) -> None:
        self._features = tuple(features)
        self._codes = [
            (place, {label: float(code) for code, label in enumerate(categories[name])})
            for place, name in enumerate(features)
            if name in categories
        ]

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Return a matrix [rows, features]."""
        held = [[row[name] for name in self._features] for row in rows]
        for place, codes in self._codes:
            for values in held:
                values[place] = codes.get(values[place], np.nan)
        wide = np.array(held, np.float64)
        return np.minimum(np.maximum(wide, -LARGEST), LARGEST).astype(np.float32)


def _codes(values: NDArray[Any], labels: Sequence[str]) -> NDArray[np.float32]:
    code = {label: place for place, label in enumerate(labels)}
    return np.array([code.get(value, np.nan) for value in values], np.float32)
