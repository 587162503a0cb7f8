"""How predictions turned out, once their labels are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.evidence import Estimate, Realised
from keepfit.measure.baseline import baseline
from keepfit.measure.metrics import PLAIN, measure_all
from keepfit.measure.sums import Floats
from keepfit.spec.training import Training


def realised(
    task: str,
    version: str,
    t: NDArray[np.int64],
    actual: Floats,
    predicted: Answers,
    threshold: float,
    trained_base: Floats | float,
    said: Training = PLAIN,
    estimated: dict[str, Estimate] | None = None,
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
    actual : float64 array, shape (rows,)
        What happened.
    predicted : float64 array, shape (rows,) or (rows, columns)
        What was answered at t; see `keepfit.answers`.
    threshold : float
        The version's: scores >= threshold are called positive.
    trained_base : float64 array or float
        What `keepfit.measure.baseline.constant` learnt from its training rows.
    said : Training
        What the model declares of costs and bounds.
    estimated : dict, optional
        What was to be expected of the same rows.

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
        metrics=measure_all(task, actual, predicted, threshold, said),
        baseline=baseline(task, trained_base, actual, said),
        estimated=estimated or {},
    )
