"""Whether a classification treats declared groups alike: rates of each group, and the widest gaps, with intervals.

The rates are those of fairlearn's `MetricFrame` (a test holds them equal where it is installed); the formulas are our own
confusion sums, because then the intervals draw whole entities, as all others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import Estimate
from keepfit.measure.bootstrap import INTERVAL, draws
from keepfit.measure.sums import Floats, ratio
from keepfit.stages.evaluation.groups import NO_LABEL
from keepfit.stages.evaluation.judged import Judged

FEWEST_ROWS = 30
"""Groups with fewer rows are shown, and left out of the gaps."""
RATES = ("selection_rate", "tpr", "fpr", "precision", "accuracy")


def fairness(judged: Judged, groups: Mapping[str, NDArray[Any]], seed: int, rounds: int = 300) -> dict[str, Any]:
    """Return for each column its groups' rates and the gaps between them.

    Parameters
    ----------
    groups : mapping of str to object array, shape (rows,)
        Each declared column, as labels or None.

    Returns
    -------
    dict
        column -> {"groups": group -> {"rows", rate -> Estimate}, "gaps": rate -> Estimate, "all": rate -> value}.
        `selection_rate` is the share called positive (demographic parity), `tpr` of those that were positive (equal
        opportunity), `fpr` of those that were not (together: equalized odds; Hardt et al. 2016). A gap is the highest
        less the lowest rate.
    """
    return {column: _column(judged, labels, seed, rounds) for column, labels in groups.items()}


def _column(judged: Judged, labels: NDArray[Any], seed: int, rounds: int) -> dict[str, Any]:
    names, codes = np.unique([NO_LABEL if label is None else str(label) for label in labels], return_inverse=True)
    happened, called = judged.actual > 0, judged.score >= judged.threshold
    cells = np.stack([happened & called, ~happened & called, happened & ~called, ~happened & ~called], axis=1)
    owner = np.unique(judged.clusters, return_inverse=True)[1].ravel()
    owner = owner if owner.max() > 0 else np.arange(len(judged))
    entities = int(owner.max()) + 1
    place = owner * len(names) + codes.ravel()
    by = [np.bincount(place, weights=cell, minlength=entities * len(names)) for cell in cells.T.astype(np.float64)]
    sums = np.stack(by, axis=1).reshape(entities, -1)
    shape = (len(names), 4)
    whole = _rates(sums.sum(axis=0).reshape(shape))
    drawn = [_rates((weights @ sums).reshape(shape)) for weights in draws(entities, seed, rounds)]
    again = {rate: np.array([one[rate] for one in drawn]) for rate in RATES}
    rows = sums.sum(axis=0).reshape(shape).sum(axis=1)
    kept = rows >= FEWEST_ROWS
    found = {
        str(name): {
            "rows": int(rows[at]),
            **{rate: _estimate(float(whole[rate][at]), again[rate][:, at], int(rows[at])) for rate in RATES},
        }
        for at, name in enumerate(names)
    }
    gaps = {
        rate: _estimate(float(_gap(whole[rate][None, kept])[0]), _gap(again[rate][:, kept]), int(rows[kept].sum()))
        for rate in RATES
        if kept.sum() > 1
    }
    overall = _rates(sums.sum(axis=0).reshape(shape).sum(axis=0, keepdims=True))
    return {"groups": found, "gaps": gaps, "all": {rate: float(overall[rate][0]) for rate in RATES}}


def _rates(cells: Floats) -> dict[str, Floats]:
    tp, fp, fn, tn = cells.T
    return {
        "selection_rate": ratio(tp + fp, cells.sum(axis=1)),
        "tpr": ratio(tp, tp + fn),
        "fpr": ratio(fp, fp + tn),
        "precision": ratio(tp, tp + fp),
        "accuracy": ratio(tp + tn, cells.sum(axis=1)),
    }


def _gap(rates: Floats) -> Floats:
    """Return the highest less the lowest defined rate in each row, shape (rounds,)."""
    if not rates.shape[1]:
        return np.full(len(rates), np.nan)
    undefined = np.isnan(rates).sum(axis=1) > rates.shape[1] - 2
    high = np.where(np.isnan(rates), -np.inf, rates).max(axis=1)
    low = np.where(np.isnan(rates), np.inf, rates).min(axis=1)
    return np.where(undefined, np.nan, np.where(undefined, 0.0, high) - np.where(undefined, 0.0, low))


def _estimate(value: float, again: Floats, rows: int) -> Estimate:
    defined = again[np.isfinite(again)]
    low, high = np.percentile(defined, INTERVAL) if len(defined) else (np.nan, np.nan)
    return Estimate(value, float(low), float(high), rows)
