"""How well a model does for each group of people or things: the numbers that fairness gates compare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats
from keepfit.spec.model import CLASSIFICATION

NO_LABEL = "(none)"
"""The group of the rows without a label: leaving them out would hide how they are treated."""


def group_rates(
    task: str, actual: Floats, predicted: Floats, threshold: float, groups: NDArray[Any]
) -> dict[str, dict[str, float]]:
    """Return, for each group, the rows it is judged on and its rate.

    Parameters
    ----------
    task : str
        'classification' or 'regression'.
    actual, predicted : float64 array, shape (rows,)
        What happened, and the score of class 1 or the predicted value.
    threshold : float
        Scores >= threshold are called positive.
    groups : object array, shape (rows,)
        Each row's label; None is the group '(none)'.

    Returns
    -------
    dict
        group -> {"rows", "rate"}, in the order of the labels. For classification the judged rows are those that
        happened to be positive and the rate is the share of them called positive (true positive rate; Hardt et al.
        2016); for regression all rows and the mean absolute error. The rate of a group with no rows to judge on is NaN.
    """
    names, codes = np.unique([NO_LABEL if label is None else str(label) for label in groups], return_inverse=True)
    positive = task == CLASSIFICATION
    judged = (actual > 0 if positive else np.ones(len(actual), dtype=bool)).astype(np.float64)
    amount = (predicted >= threshold).astype(np.float64) if positive else np.abs(actual - predicted)
    rows = np.bincount(codes.ravel(), weights=judged, minlength=len(names))
    total = np.bincount(codes.ravel(), weights=judged * amount, minlength=len(names))
    rates = np.divide(total, rows, out=np.full(len(names), np.nan), where=rows > 0)
    found = zip(names.tolist(), rows.tolist(), rates.tolist(), strict=True)
    return {name: {"rows": count, "rate": rate} for name, count, rate in found}
