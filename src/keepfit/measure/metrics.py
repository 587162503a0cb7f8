"""Every metric that a definition may name, as a function of weighted sums over rows.

Most metrics depend on the rows through a few sums: f1 through the counts of the confusion matrix, rmse through the
squared errors. Such a metric is two functions: what to add up for each row, and how to finish from the sums. The
bootstrap and the choice of a threshold use the same two, so each formula is written once. Those that need the order of
the scores, such as AUC, are in `keepfit.measure.ranking`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from keepfit.answers import Answers, score_of
from keepfit.errors import DefinitionError, did_you_mean
from keepfit.measure.intervals import OF_BOUNDS
from keepfit.measure.labels import OF_LABELS
from keepfit.measure.ranking import RANKED, ranking_of
from keepfit.measure.sums import Floats, Sums, mean, ratio, with_count
from keepfit.spec.metric import COST, METRICS
from keepfit.spec.training import Cost, Training

PLAIN = Training()


def measure(metric: str, actual: Floats, predicted: Answers, threshold: float = 0.5, said: Training = PLAIN) -> float:
    """Return a metric of predictions against what happened.

    Parameters
    ----------
    metric : str
        A name in `keepfit.spec.metric.METRICS`.
    actual : float64 array, shape (rows,)
        What happened; 0 or 1 for classification, of several labels the place.
    predicted : float64 array, shape (rows,) or (rows, columns)
        What was answered, as in `keepfit.answers`; finite.
    threshold : float
        Scores >= threshold are called positive; only f1, precision, recall, accuracy and cost look at it.
    said : Training
        What mistakes cost, what an interval is to hold, which quantile is predicted: for the metrics of these.

    Returns
    -------
    float
        In the metric's own unit. NaN where it is undefined: no rows; auc with one class; precision with nothing called
        positive; recall, pr_auc, lift and gain with no positives; r2 of a constant; mape with no row other than 0. f1 is
        0.0 when nothing is positive, predicted or actual.

    Raises
    ------
    DefinitionError
        If there is no such metric.
    """
    _known(metric)
    if len(actual) == 0:
        return float("nan")
    if metric in RANKED:
        return RANKED[metric](ranking_of(actual, predicted).weigh())
    sums = sums_of(metric, said, several=predicted.ndim > 1)
    return float(sums.finish(sums.per_row(actual, predicted, threshold).sum(axis=0)))


def measure_all(
    task: str, actual: Floats, predicted: Answers, threshold: float = 0.5, said: Training = PLAIN
) -> dict[str, float]:
    """Return every metric of a task by name, of those that the words of `said` make only the declared ones."""
    return {name: measure(name, actual, predicted, threshold, said) for name in names_of(task, said)}


def names_of(task: str, said: Training = PLAIN) -> list[str]:
    """Return the names of the metrics of a task."""
    return [one.name for one in METRICS.values() if one.measures(task, said)]


def sums_of(metric: str, said: Training = PLAIN, *, several: bool = False, centre: float | None = None) -> Sums:
    """Return a metric as sums; that of `cost` with what each mistake costs: the mean over all rows, 0 is best.

    `several`: whether answers have a column for each label; some metrics are of both kinds of classification. `centre`: what r2
    takes deviations from, in the place of the rows' median; the terms of parts of the rows add up only if they share it.
    """
    if several and metric in OF_LABELS:
        return OF_LABELS[metric]
    if metric in OF_BOUNDS:
        return OF_BOUNDS[metric](said)
    if metric == "r2" and centre is not None:
        return Sums(partial(_r2_terms, centre=centre), _r2)
    if metric != COST:
        return SUMS[metric]
    each = said.cost or Cost()

    def mean_cost(sums: Floats) -> Floats:
        return ratio(each.false_positive * sums[..., 1] + each.false_negative * sums[..., 2], sums.sum(axis=-1))

    return Sums(_confusion, mean_cost)


def _known(metric: str) -> None:
    if metric not in METRICS:
        raise DefinitionError(f"There is no metric {metric!r}", fix=did_you_mean(metric, METRICS))


# Terms of the confusion matrix, in this order: true positives, false positives, false negatives, true negatives.
def _confusion(actual: Floats, score: Floats, threshold: float) -> Floats:
    happened, called = actual > 0, score >= threshold
    cells = (happened & called, ~happened & called, happened & ~called, ~happened & ~called)
    return np.stack(cells, axis=1).astype(np.float64)


def _f1(sums: Floats) -> Floats:
    tp, fp, fn = sums[..., 0], sums[..., 1], sums[..., 2]
    return ratio(2 * tp, 2 * tp + fp + fn, undefined=0.0)


def _precision(sums: Floats) -> Floats:
    return ratio(sums[..., 0], sums[..., 0] + sums[..., 1])


def _recall(sums: Floats) -> Floats:
    return ratio(sums[..., 0], sums[..., 0] + sums[..., 2])


def _accuracy(sums: Floats) -> Floats:
    return ratio(sums[..., 0] + sums[..., 3], sums.sum(axis=-1))


def _log_loss(actual: Floats, score: Floats, _: float) -> Floats:
    # Clipped as scikit-learn does: one sure and wrong score costs 36, not infinity.
    sure = np.finfo(np.float64).eps
    score = np.clip(score, sure, 1 - sure)
    return with_count(-np.log(np.where(actual > 0, score, 1 - score)))


def _squared_error(actual: Floats, predicted: Answers, _: float) -> Floats:
    predicted = score_of(predicted)
    return with_count((actual - predicted) ** 2)


def _absolute_error(actual: Floats, predicted: Answers, _: float) -> Floats:
    predicted = score_of(predicted)
    return with_count(np.abs(actual - predicted))


def _relative_error(actual: Floats, predicted: Answers, _: float) -> Floats:
    predicted = score_of(predicted)
    # a row whose actual value is 0 has no relative error, and is left out
    counted = actual != 0
    size = np.where(counted, np.abs(actual), 1.0)
    return np.stack([np.where(counted, np.abs(actual - predicted) / size, 0.0), counted.astype(np.float64)], axis=1)


def _symmetric_error(actual: Floats, predicted: Answers, _: float) -> Floats:
    predicted = score_of(predicted)
    # Makridakis 1993, from 0 to 2; 0 where both are 0
    size = np.abs(actual) + np.abs(predicted)
    return with_count(np.where(size > 0, 2 * np.abs(actual - predicted) / np.where(size > 0, size, 1.0), 0.0))


def _root_mean(sums: Floats) -> Floats:
    return np.sqrt(mean(sums))


def _r2_terms(actual: Floats, predicted: Answers, _: float, centre: float | None = None) -> Floats:
    predicted = score_of(predicted)
    # Centred at the median: a constant becomes exactly 0, and large values do not cancel in the variance.
    centred = actual - (np.median(actual) if centre is None else centre)
    return np.stack([(actual - predicted) ** 2, centred**2, centred, np.ones_like(centred)], axis=1)


def _r2(sums: Floats) -> Floats:
    residual, squares, total, count = (sums[..., term] for term in range(4))
    return 1 - ratio(residual, np.maximum(squares - ratio(total**2, count), 0.0))


SUMS = {
    "f1": Sums(_confusion, _f1),
    "precision": Sums(_confusion, _precision),
    "recall": Sums(_confusion, _recall),
    "accuracy": Sums(_confusion, _accuracy),
    "log_loss": Sums(_log_loss, mean),
    "brier": Sums(_squared_error, mean),
    "rmse": Sums(_squared_error, _root_mean),
    "mae": Sums(_absolute_error, mean),
    "r2": Sums(_r2_terms, _r2),
    "mape": Sums(_relative_error, mean),
    "smape": Sums(_symmetric_error, mean),
}
"""The metrics that are functions of sums alone: all of `METRICS` but those of `RANKED`, and those that words of `Training` make."""

WITH_THRESHOLD = frozenset(name for name, sums in SUMS.items() if sums.per_row is _confusion)
"""The metrics that look at the decision threshold."""
