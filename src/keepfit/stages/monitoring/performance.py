"""How predictions turned out, once their labels are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import Realised
from keepfit.measure.baseline import baseline
from keepfit.measure.metrics import Floats, measure_all
from keepfit.spec.training import Cost


def realised(
    task: str,
    version: str,
    t: NDArray[np.int64],
    actual: Floats,
    predicted: Floats,
    threshold: float,
    trained_base: Floats | float,
    cost: Cost | None = None,
) -> Realised | None:
    """Return how one version's predictions turned out over a window of matured observations.

    Parameters
    ----------
    task : str
        'classification' or 'regression'.
    version : str
        The model version that predicted.
    t : int64 array, shape (rows,)
        When each row was observed, microseconds UTC.
    actual, predicted : float64 array, shape (rows,)
        What happened, and the score of class 1 or the value that was predicted at t.
    threshold : float
        The version's: scores >= threshold are called positive.
    trained_base : float64 array or float
        The actual values of its training rows, or their mean; the baseline learns from these.
    cost : Cost, optional
        What mistakes cost, if the model declares it.

    Returns
    -------
    Realised or None
        None if there are no rows: no labels have matured yet.
    """
    if len(actual) == 0:
        return None
    return Realised(
        version=version,
        from_at=int(t.min()),
        to_at=int(t.max()),
        rows=len(actual),
        metrics=measure_all(task, actual, predicted, threshold, cost),
        baseline=baseline(task, trained_base, actual, cost),
    )
