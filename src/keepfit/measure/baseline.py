"""The trivial prediction that a model has to beat: what one would say knowing only the training labels."""

from __future__ import annotations

import numpy as np

from keepfit.answers import Answers
from keepfit.measure.metrics import PLAIN, measure, measure_all
from keepfit.measure.sums import Floats
from keepfit.spec.metric import COST
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.spec.training import Training


def constant(task: str, trained_on: Floats, said: Training = PLAIN, labels: int = 0) -> Floats:
    """Return what one would answer to every row, knowing only the training labels: one row of answers without its first axis.

    Parameters
    ----------
    task : str
        'classification' or 'regression'.
    trained_on : float64 array, shape (training rows,)
        What happened in the training rows.
    said : Training
        What is predicted.
    labels : int
        How many labels the target may be, of several.

    Returns
    -------
    float64 array, shape (), (3,) or (labels,)
        The mean, which is the base rate of a classification; of a quantile the training quantile; with an interval the mean
        and the training quantiles that bound it; of several labels the rate of each.
    """
    if task == MULTICLASS:
        return np.bincount(trained_on.astype(np.intp), minlength=labels) / len(trained_on)
    if said.quantile is not None:
        return np.asarray(np.quantile(trained_on, said.quantile))
    mean = np.mean(trained_on)
    return np.asarray(mean if said.interval is None else [mean, *np.quantile(trained_on, said.levels)])


def baseline(task: str, said_of_all: Floats | float, actual: Floats, said: Training = PLAIN) -> dict[str, float]:
    """Return every metric of the task for a constant prediction learnt on the training rows.

    Parameters
    ----------
    task : str
        'classification' or 'regression'.
    said_of_all : float64 array or float
        What `constant` returned.
    actual : float64 array, shape (rows,)
        What happened in the rows to judge on; 0 or 1 for classification.

    Returns
    -------
    dict of str to float
        Of several labels, the training rate of each is its probability, and the most frequent one is called. For
        regression each metric is that of the training mean, or of the training quantiles where these are asked for. For
        classification each metric gets the constant that suits it:

        - log_loss, brier: the training base rate as the score of every row;
        - auc: the same constant, which ranks nothing: 0.5 (NaN if the rows are of one class);
        - f1, precision, recall: every row called positive;
        - accuracy: every row called what most training rows were;
        - cost: every row called what would have cost less on the training rows.
    """
    base = np.asarray(said_of_all, np.float64)
    answers: Answers = np.broadcast_to(base, (len(actual), *base.shape))
    if task == CLASSIFICATION:
        return _classified(float(base), actual, answers, said)
    return measure_all(task, actual, answers, 0.5, said)


def _classified(base: float, actual: Floats, answers: Answers, said: Training) -> dict[str, float]:
    everything_positive = measure_all(CLASSIFICATION, actual, answers, base, said)
    found = everything_positive | {"accuracy": measure("accuracy", actual, answers, threshold=0.5)}
    if said.cost is not None:
        # of a constant score, the one threshold calls everything and the other nothing
        everything = (1 - base) * said.cost.false_positive <= base * said.cost.false_negative
        found[COST] = measure(COST, actual, answers, base if everything else np.inf, said)
    return found
