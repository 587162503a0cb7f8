"""The curves of a version on its test rows, as points: what pictures are drawn from, thinned to what an eye can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.measure.intervals import covered
from keepfit.measure.ranking import Ranking
from keepfit.measure.sums import Floats
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.evaluation.confusion import by_label, confusion
from keepfit.stages.evaluation.judged import Judged, design_effect

POINTS, BINS, LABELS = 200, 10, 12
Z = 1.6448536269514722
"""The 95% point of the normal distribution: it bounds a 90% interval."""
Points = list[dict[str, Any]]


def curves(judged: Judged, seed: int) -> dict[str, Points]:
    """Return every curve of the task, by name, each a list of points.

    Classification: roc (x false, y true positive rate), pr (x recall, y precision), gain (x share of rows called, y
    share of positives caught; lift is y / x), calibration (mean score, rate of positives, its 90% Wilson interval, rows).
    Several labels: confusion (rows by what they were and were called), labels (precision, recall, f1, auc of each).
    Regression: fit (predicted, actual), residuals (bins), spread (by tenth of the prediction: quantiles of the error).
    With an interval: band (by tenth of the prediction: mean bounds), and how often the interval holds by the same parts as errors.
    Both: error by hour, weekday, month (UTC) and each category.
    """
    if judged.labels:
        own = {"confusion": confusion(judged), "labels": by_label(judged)}
    else:
        own = _classified(judged) if judged.task == CLASSIFICATION else _regressed(judged, seed)
        own |= _bounded(judged) if judged.answers.ndim > 1 else {}
    return own | {f"error_by_{name}": points for name, points in _by_part(judged).items() if len(points) > 1}


def _classified(judged: Judged) -> dict[str, Points]:
    ranked = Ranking(judged.actual, judged.score).weigh()
    caught = np.concatenate([[0.0], ranked.caught])
    called = np.concatenate([[0.0], ranked.called])
    positives, negatives, rows = max(caught[-1], 1.0), max(called[-1] - caught[-1], 1.0), called[-1]
    recall, precision = caught[1:] / positives, caught[1:] / called[1:]
    return {
        "roc": _thin((called - caught) / negatives, caught / positives),
        "pr": _thin(recall, precision),
        "gain": _thin(called / rows, caught / positives),
        "calibration": _calibration(judged, ranked.scores, ranked.bins()),
    }


def _thin(x: Floats, y: Floats) -> Points:
    places = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(np.int64))
    return [{"x": float(x[place]), "y": float(y[place])} for place in places]


def _calibration(judged: Judged, scores: Floats, starts: NDArray[np.intp]) -> Points:
    bins = np.searchsorted(scores[starts], judged.score, side="right") - 1
    found = []
    for bin_ in np.unique(bins):
        inside = bins == bin_
        rows, rate = int(inside.sum()), float(judged.actual[inside].mean())
        low, high = wilson(rate, rows)
        found.append({"x": float(judged.score[inside].mean()), "y": rate, "low": low, "high": high, "rows": rows})
    return found


def wilson(rate: float, rows: float, z: float = Z) -> tuple[float, float]:
    """Return the 90% interval of a share (Wilson 1927); NaN without rows."""
    if rows <= 0:
        return float("nan"), float("nan")
    middle, size = rate + z * z / (2 * rows), 1 + z * z / rows
    half = z * np.sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows))
    # a share of all or none: rounding must not put it outside of its own interval
    return min(rate, max(0.0, float((middle - half) / size))), max(rate, min(1.0, float((middle + half) / size)))


def _regressed(judged: Judged, seed: int) -> dict[str, Points]:
    some = judged.sample(2 * POINTS, seed)
    fit = [{"x": float(x), "y": float(y)} for x, y in zip(some.score, some.actual, strict=True)]
    error = judged.score - judged.actual
    # the outermost bars hold what lies beyond: one far miss must not press all others into one bar
    low, high = np.quantile(error, (0.005, 0.995))
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(error, low, high), bins=30, range=(low, high))
    bars = [
        {"from": float(edges[place]), "to": float(edges[place + 1]), "rows": int(count)}
        for place, count in enumerate(counts)
    ]
    return {"fit": fit, "residuals": bars, "spread": _spread(judged.score, error)}


def _spread(score: Floats, error: Floats) -> Points:
    edges = np.unique(np.quantile(score, np.arange(1, BINS) / BINS))
    bins = np.searchsorted(edges, score, side="right")
    found = []
    for bin_ in np.unique(bins):
        inside = bins == bin_
        low, middle, high = (float(one) for one in np.quantile(error[inside], (0.05, 0.5, 0.95)))
        found.append(
            {"x": float(score[inside].mean()), "low": low, "y": middle, "high": high, "rows": int(inside.sum())}
        )
    return found


def _bounded(judged: Judged) -> dict[str, Points]:
    """Return the mean bounds by tenth of the prediction, and coverage by part with 90% Wilson intervals, widened as slices are."""
    tenths = np.unique(np.quantile(judged.score, np.arange(1, BINS) / BINS))
    bins = np.searchsorted(tenths, judged.score, side="right")
    band = []
    for bin_ in np.unique(bins):
        score, low, high = judged.answers[bins == bin_].mean(axis=0).tolist()
        band.append({"x": score, "low": low, "y": score, "high": high, "rows": int((bins == bin_).sum())})
    held = covered(judged.actual, judged.answers)
    widened = design_effect(held, judged.clusters)
    parts = {"tenth": bins.astype(np.int64) + 1, **_parts(judged)}
    found = {f"coverage_by_{name}": _shares_by(held, values, widened) for name, values in parts.items()}
    return {"band": band, **{name: points for name, points in found.items() if len(points) > 1}}


def _shares_by(held: Floats, values: NDArray[Any], widened: float) -> Points:
    found = _mean_by(held, values, 0.0)
    for one in found:
        one["low"], one["high"] = wilson(one["y"], one["rows"] / widened)
    return found


def _by_part(judged: Judged) -> dict[str, Points]:
    """Return the mean loss by part of the calendar and by category, with its 90% interval, widened as slices are."""
    width = Z * float(np.sqrt(judged.design_effect))
    return {name: _mean_by(judged.loss, values, width) for name, values in _parts(judged).items()}


def _parts(judged: Judged) -> dict[str, NDArray[Any]]:
    """Return the part of the calendar that each row lies in, and its categories."""
    hours, days = judged.t // clock.HOUR, judged.t // clock.DAY
    months = judged.t.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    parts: dict[str, NDArray[Any]] = {"hour": hours % 24, "weekday": (days + 3) % 7}
    # a part that each moment has for itself, such as the weekday of a monthly grid, would only tell the moments apart
    moments = len(np.unique(judged.t))
    parts = {name: values for name, values in parts.items() if 2 * len(np.unique(values)) <= moments}
    parts["month"] = months % 12 + 1
    return parts | {name: values for name, values in judged.features.items() if values.dtype == object}


def _mean_by(loss: Floats, values: NDArray[Any], width: float) -> Points:
    names = np.array(["(none)" if value is None else str(value) for value in values])
    labels, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
    kept = (
        np.lexsort((labels, -counts))[:LABELS] if values.dtype == object else np.argsort([int(one) for one in labels])
    )
    found = []
    for place in kept:
        inside = loss[codes.ravel() == place]
        half = width * float(inside.std(ddof=1)) / np.sqrt(len(inside)) if len(inside) > 1 else float("nan")
        mean = float(inside.mean())
        found.append(
            {"label": str(labels[place]), "y": mean, "low": mean - half, "high": mean + half, "rows": len(inside)}
        )
    return found
