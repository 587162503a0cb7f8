"""The trivial prediction that a model has to beat: what one would say knowing only the training labels."""

from __future__ import annotations

import numpy as np

from keepfit.measure.metrics import Floats, measure, measure_all
from keepfit.spec.metric import COST
from keepfit.spec.model import CLASSIFICATION
from keepfit.spec.training import Cost


def baseline(task: str, trained_on: Floats | float, actual: Floats, cost: Cost | None = None) -> dict[str, float]:
    """Return every metric of the task for a constant prediction learnt on the training rows.

    Parameters
    ----------
    task : str
        'classification' or 'regression'.
    trained_on : float64 array, shape (training rows,), or float
        The actual values of the training rows, or their mean.
    actual : float64 array, shape (rows,)
        What happened in the rows to judge on; 0 or 1 for classification.

    Returns
    -------
    dict of str to float
        For regression each metric is that of the training mean. For classification each metric gets the constant that
        suits it:

        - log_loss, brier: the training base rate as the score of every row;
        - auc: the same constant, which ranks nothing: 0.5 (NaN if the rows are of one class);
        - f1, precision, recall: every row called positive;
        - accuracy: every row called what most training rows were;
        - cost: every row called what would have cost less on the training rows.
    """
    base = float(np.mean(trained_on))
    constant = np.full(len(actual), base)
    if task != CLASSIFICATION:
        return measure_all(task, actual, constant)
    everything_positive = measure_all(task, actual, constant, threshold=base)
    found = everything_positive | {"accuracy": measure("accuracy", actual, constant, threshold=0.5)}
    if cost is not None:
        # of a constant score, the one threshold calls everything and the other nothing
        everything = (1 - base) * cost.false_positive <= base * cost.false_negative
        found[COST] = measure(COST, actual, constant, base if everything else np.inf, cost)
    return found
