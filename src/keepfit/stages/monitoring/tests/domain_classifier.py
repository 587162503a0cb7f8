"""A domain classifier: whether the current rows can be told from the reference's, by all columns together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.ranking import Ranking
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.counts import Outcome
from keepfit.stages.monitoring.tests.tails import NORMAL

FOLDS, MOST_ROWS, FEWEST_ROWS = 4, 10_000, 20


class Apart(NamedTuple):
    """How well current rows are told from the reference's: the area, its chance, and by how much it falls without each column."""

    area: float
    p_value: float
    columns: Floats


def domain_classifier(before: Floats, after: Floats, *, seed: int = 0) -> Outcome:
    """Return how well a small model tells current rows from the reference's, out of fold: 0.5 is not at all, 1 is always.

    See `told_apart`; the chance is that of sampling alone.
    """
    return Outcome(*told_apart(before, after, seed=seed)[:2])


def told_apart(
    before: Floats, after: Floats, *, entities: tuple[NDArray[Any], NDArray[Any]] | None = None, seed: int = 0
) -> Apart:
    """Return how well a small model tells current rows from the reference's, out of fold, and by which columns.

    Parameters
    ----------
    before, after : float64 array, shape (rows, columns)
        NaN for null, categories as codes. Of more than 10,000 rows as many are drawn.
    entities : two arrays, each of shape (rows,), optional
        Whose the rows are. All rows of one are in one fold, or what is learnt of somebody's rows then would be asked of them now.
    seed : int
        Of the draw, the folds, and the permutations.

    Returns
    -------
    area : float
        The mean over 4 folds of the area under the ROC curve on rows that the fold's model was not fitted on.
    p_value : float
        That nothing can be told: of the mean of independent Mann-Whitney statistics, each with variance
        `(a + b + 1) / (12 a b)` for a and b rows (Mann & Whitney 1947); one-sided. 1 if a sample has fewer than 20 rows.
    columns : float64 array, shape (columns,)
        By how much the area falls if a column is permuted (Breiman 2001).

    Notes
    -----
    The classifier two-sample test of Lopez-Paz & Oquab (ICLR 2017), with the area instead of the accuracy so that samples of
    different sizes need no threshold. It sees what no test of single columns can: that columns which used to move together
    do so no longer.
    """
    if min(len(before), len(after)) < FEWEST_ROWS:
        return Apart(0.5, 1.0, np.zeros(before.shape[1]))
    from sklearn.ensemble import HistGradientBoostingClassifier  # only here: it takes seconds to load
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    picked = [_drawn(len(rows), rng) for rows in (before, after)]
    rows = np.concatenate([part[some] for part, some in zip((before, after), picked, strict=True)])
    current = np.repeat([0.0, 1.0], [len(some) for some in picked])
    fold = _folds(picked, entities, rng)
    areas, variance, falls = [], 0.0, np.zeros(rows.shape[1])
    for held in range(FOLDS):
        inside, out = fold != held, fold == held
        a, b = float(current[out].sum()), float((1 - current[out]).sum())
        if not a or not b or len(np.unique(current[inside])) < 2:
            continue
        model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, early_stopping=False, random_state=seed)
        with threadpool_limits(1):  # of trees this small, threads spend their time waiting for each other
            model.fit(rows[inside], current[inside])
            areas.append(_area(model, rows[out], current[out]))
            for place in range(rows.shape[1]):
                other = rows[out]
                other[:, place] = rng.permutation(other[:, place])
                falls[place] += areas[-1] - _area(model, other, current[out])
        variance += (a + b + 1) / (12 * a * b)
    if not areas:
        return Apart(0.5, 1.0, falls)
    area = float(np.mean(areas))
    z = (area - 0.5) * len(areas) / np.sqrt(variance)
    return Apart(area, 1 - NORMAL.cdf(z) if z < 6 else NORMAL.cdf(-z), falls / len(areas))


def _area(model: Any, rows: Floats, current: Floats) -> float:
    return Ranking(current, model.predict_proba(rows)[:, 1]).auc()


def _folds(
    picked: list[NDArray[np.intp]], entities: tuple[NDArray[Any], NDArray[Any]] | None, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the fold of each row: at random in each sample, or by whose it is."""
    if entities is None:
        return np.concatenate([rng.permutation(np.arange(len(some)) % FOLDS) for some in picked])
    keys = np.concatenate([own[some].astype(str) for own, some in zip(entities, picked, strict=True)])
    _, codes = np.unique(keys, return_inverse=True)
    return np.asarray(rng.permutation(np.arange(int(codes.max()) + 1) % FOLDS)[codes.ravel()], np.intp)


def _drawn(rows: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.arange(rows) if rows <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))
