"""A domain classifier: whether the current rows can be told from the reference's, by all columns together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.ranking import Ranking
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Outcome
from keepfit.stages.monitoring.tests.tails import NORMAL

FOLDS, MOST_ROWS, FEWEST_ROWS = 4, 10_000, 20


def domain_classifier(before: Floats, after: Floats, *, seed: int = 0) -> Outcome:
    """Return how well a small model tells current rows from the reference's, out of fold: 0.5 is not at all, 1 is always.

    Parameters
    ----------
    before, after : float64 array, shape (rows, columns)
        NaN for null, categories as codes. Of more than 10,000 rows as many are drawn.
    seed : int
        Of the draw and the folds.

    Returns
    -------
    statistic : float
        The mean over 4 folds of the area under the ROC curve on rows that the fold's model was not fitted on.
    p_value : float
        That nothing can be told: of the mean of independent Mann-Whitney statistics, each with variance
        `(a + b + 1) / (12 a b)` for a and b rows (Mann & Whitney 1947); one-sided. 1 if a sample has fewer than 20 rows.

    Notes
    -----
    The classifier two-sample test of Lopez-Paz & Oquab (ICLR 2017), with the area instead of the accuracy so that samples of
    different sizes need no threshold. It sees what no test of single columns can: that columns which used to move together
    do so no longer.
    """
    if min(len(before), len(after)) < FEWEST_ROWS:
        return Outcome(0.5, 1.0)
    from sklearn.ensemble import HistGradientBoostingClassifier  # only here: it takes seconds to load
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    old, new = (_drawn(rows, rng) for rows in (before, after))
    rows, current = np.concatenate([old, new]), np.repeat([0.0, 1.0], [len(old), len(new)])
    fold = np.concatenate([rng.permutation(np.arange(len(part)) % FOLDS) for part in (old, new)])
    areas, variance = [], 0.0
    for held in range(FOLDS):
        inside, out = fold != held, fold == held
        model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, early_stopping=False, random_state=seed)
        with threadpool_limits(1):  # of trees this small, threads spend their time waiting for each other
            score = model.fit(rows[inside], current[inside]).predict_proba(rows[out])[:, 1]
        areas.append(Ranking(current[out], score).auc())
        a, b = float(current[out].sum()), float((1 - current[out]).sum())
        variance += (a + b + 1) / (12 * a * b)
    area = float(np.mean(areas))
    z = (area - 0.5) * FOLDS / np.sqrt(variance)
    return Outcome(area, 1 - NORMAL.cdf(z) if z < 6 else NORMAL.cdf(-z))


def _drawn(rows: Floats, rng: np.random.Generator) -> NDArray[np.float64]:
    return rows if len(rows) <= MOST_ROWS else rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))]
