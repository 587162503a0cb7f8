"""Contributions of models that cannot tell them exactly, estimated by shap; the one home of shap."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import MissingExtra
from keepfit.measure.sums import Floats

BACKGROUND = 50
"""Rows that stand in for what is not known."""


def estimated(
    predict: Callable[[NDArray[np.float32]], Floats], matrix: NDArray[np.float32], seed: int
) -> tuple[Floats, float]:
    """Return contributions, shape (rows, features), and the base value, by permutations of the features.

    Strumbelj & Kononenko 2014; they add up to `predict`'s value exactly, and each is an estimate.

    Raises
    ------
    MissingExtra
        If shap is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap
    except ImportError:
        raise MissingExtra("explain", "the contributions of a model that has none of its own") from None
    places = np.unique(np.linspace(0, len(matrix) - 1, BACKGROUND).astype(np.int64))
    masker = shap.maskers.Independent(matrix[places], max_samples=len(places))
    explainer: Any = shap.PermutationExplainer(predict, masker, seed=seed)
    found = explainer(matrix, max_evals=2 * matrix.shape[1] + 1, silent=True)
    return np.asarray(found.values, np.float64), float(np.mean(found.base_values))
