"""The score from which a row is called positive, chosen on validation rows."""

from __future__ import annotations

import numpy as np

from keepfit.measure.metrics import PLAIN, SUMS, WITH_THRESHOLD, sums_of
from keepfit.measure.sums import Floats
from keepfit.spec.metric import COST
from keepfit.spec.training import Training

DEFAULT = 0.5
"""When there is nothing to choose on: no rows, or rows of one class."""


def choose_threshold(metric: str, actual: Floats, score: Floats, said: Training = PLAIN) -> float:
    """Return the threshold at which a metric is best on the given rows.

    Parameters
    ----------
    metric : str
        f1, precision, recall or accuracy; for the metrics that look at no threshold, f1 is maximised.
    actual : float64 array, shape (rows,)
        0 or 1.
    score : float64 array, shape (rows,)
        The score of class 1, in [0, 1].
    said : Training
        If it declares costs, mistakes cost least at the threshold, whatever the metric.

    Returns
    -------
    float
        Halfway between two neighbouring distinct scores (the outermost neighbours are 0 and 1), so that a score that
        moves by a rounding error stays on its side. Of equally good thresholds the one with the better f1, then the
        highest. 0.5 if the rows are of one class.

    Notes
    -----
    Sorts once and counts the confusion matrix cumulatively: O(rows log rows).
    """
    if len(np.unique(actual)) < 2:
        return DEFAULT
    distinct, confusion = _confusions(actual, score)
    if said.cost is not None:
        value = -sums_of(COST, said).finish(confusion)
    else:
        chosen = metric if metric in WITH_THRESHOLD else "f1"
        value = np.nan_to_num(SUMS[chosen].finish(confusion), nan=-np.inf)
    # lexsort's last key leads; it is stable, so among equals the last cut, which calls the fewest positive, is found.
    best = int(np.lexsort((SUMS["f1"].finish(confusion), value))[-1])
    return _between(distinct, best)


def _confusions(actual: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Return the distinct scores, ascending, and the confusion matrix of each cut below one of them and above all.

    Shapes (k,) and (k + 1, 4): row i calls positive what scores at least `distinct[i]`, the last row nothing.
    """
    distinct, codes = np.unique(score, return_inverse=True)
    negatives_at = np.bincount(codes.ravel(), weights=actual <= 0)
    positives_at = np.bincount(codes.ravel(), weights=actual > 0)
    fn = np.concatenate([[0.0], np.cumsum(positives_at)])
    tn = np.concatenate([[0.0], np.cumsum(negatives_at)])
    return distinct, np.stack([fn[-1] - fn, tn[-1] - tn, fn, tn], axis=1)


def _between(distinct: Floats, cut: int) -> float:
    """Return a threshold that parts the `cut` lowest distinct scores from the others."""
    below = distinct[cut - 1] if cut > 0 else min(0.0, distinct[0])
    above = distinct[cut] if cut < len(distinct) else max(1.0, np.nextafter(distinct[-1], np.inf))
    middle = below + (above - below) / 2
    # Between neighbouring doubles there is no middle; `score >= above` parts them all the same.
    return float(middle if cut == 0 or middle > below else above)
