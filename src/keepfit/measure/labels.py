"""Metrics of one of several labels as sums over rows: answers are probabilities, shape (rows, labels), what happened a place.

Each equals scikit-learn's metric of the same name; f1_macro is its `f1_score(average="macro")`.
"""

from __future__ import annotations

import numpy as np

from keepfit.answers import Answers, chosen
from keepfit.measure.sums import Floats, Sums, mean, ratio, with_count


def _right(actual: Floats, answers: Answers, _: float) -> Floats:
    return with_count((chosen(answers) == actual).astype(np.float64))


def _log_loss(actual: Floats, answers: Answers, _: float) -> Floats:
    return with_count(log_loss(actual, answers))


def log_loss(actual: Floats, answers: Answers) -> Floats:
    """Return -ln of the probability of what happened, shape (rows,); no surer than a 64-bit float can tell."""
    likely = np.take_along_axis(answers, actual.astype(np.intp)[:, None], axis=1)[:, 0]
    return np.asarray(-np.log(np.clip(likely, np.finfo(np.float64).eps, 1.0)))


def _squares(actual: Floats, answers: Answers, _: float) -> Floats:
    # Brier 1950: summed over labels, from 0 to 2
    return with_count(((answers - _happened(actual, answers)) ** 2).sum(axis=1))


def _happened(actual: Floats, answers: Answers) -> Floats:
    return np.asarray(actual[:, None] == np.arange(answers.shape[1]), np.float64)


def _cells(actual: Floats, answers: Answers, _: float) -> Floats:
    """Return for each label, one after the other: was and called, called, was."""
    was = _happened(actual, answers)
    called = _happened(chosen(answers).astype(np.float64), answers)
    return np.concatenate([was * called, called, was], axis=1)


def _parted(sums: Floats) -> tuple[Floats, Floats, Floats]:
    both, called, was = np.split(sums, 3, axis=-1)
    return both, called, was


def _f1_macro(sums: Floats) -> Floats:
    both, called, was = _parted(sums)
    # a label that nothing was, and nothing was called, is none of the rows' labels
    return _mean_of(ratio(2 * both, called + was))


def _balanced(sums: Floats) -> Floats:
    both, _, was = _parted(sums)
    return _mean_of(ratio(both, was))


def _mean_of(values: Floats) -> Floats:
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


OF_LABELS = {
    "accuracy": Sums(_right, mean),
    "log_loss": Sums(_log_loss, mean),
    "brier": Sums(_squares, mean),
    "f1_macro": Sums(_cells, _f1_macro),
    "balanced_accuracy": Sums(_cells, _balanced),
}
"""The metrics of one of several labels; auc_ovr looks at the order of scores (`keepfit.measure.ranking`)."""
