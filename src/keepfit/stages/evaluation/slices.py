"""Where a model is weak: conditions on one or two features under which it errs more than elsewhere.

Every condition (a quantile bin, a category, null) and every pair of them with enough rows is tried, which is a few
matrix products. That many trials find something by chance, so the p-values are corrected by Holm (1979).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats
from keepfit.stages.evaluation.judged import Judged

BINS, LABELS, FEATURES = 4, 8, 20
"""Quantile bins of a number, most frequent labels of a category, and features that are looked at."""
SUPPORT, FEWEST = 0.02, 30
"""A slice must hold this share of the rows, and this many rows."""
ALPHA, SHOWN, OVERLAP = 0.05, 8, 0.6
"""Corrected p-value below which a slice counts, how many are kept, and how much two kept ones may share (Jaccard)."""


@dataclass(frozen=True)
class Slice:
    """A part of the test rows where the model does worse.

    Attributes
    ----------
    conditions : tuple of str
        One or two, both of which hold: 'age <= 30', 'segment is premium', 'spend is null'.
    loss, elsewhere : float
        The mean loss inside and outside.
    effect : float
        Their difference.
    p_value : float
        That this is chance, one-sided, corrected for all slices that were tried.
    """

    conditions: tuple[str, ...]
    rows: int
    loss: float
    elsewhere: float
    effect: float
    p_value: float


@dataclass(frozen=True)
class Search:
    """What a search for weak slices tried and found, the surest first."""

    loss: str
    tried: int
    rows: int
    found: tuple[Slice, ...]


def weak_slices(judged: Judged, features: Sequence[str]) -> Search:
    """Return the slices that are significantly worse than the rest.

    Parameters
    ----------
    features : sequence of str
        Those to look at, the most important first; the first `FEATURES` are taken.

    Notes
    -----
    Welch's test, one-sided, of the mean loss inside against outside. Rows of one entity resemble each other: standard
    errors are widened by the design effect of the mean loss over all rows (Kish 1965), which is at least 1.
    """
    conditions = [one for name in features[:FEATURES] for one in _conditions(name, judged.features[name])]
    if not conditions or len(judged) < 2 * FEWEST:
        return Search(judged.loss_name, 0, len(judged), ())
    inside = np.stack([rows for _, _, rows in conditions]).astype(np.float64)
    loss = judged.loss
    first, second = _pairs([name for name, _, _ in conditions])
    counts, sums, squares = (((inside * term) @ inside.T)[first, second] for term in (1.0, loss, loss**2))
    least = max(FEWEST, SUPPORT * len(judged))
    kept = np.flatnonzero((counts >= least) & (len(judged) - counts >= least))
    if not len(kept):
        return Search(judged.loss_name, 0, len(judged), ())
    effect, p = _welch(loss, counts[kept], sums[kept], squares[kept], judged.design_effect)
    corrected = holm(p)
    found: list[tuple[Slice, NDArray[np.bool_]]] = []
    for place in np.lexsort((-effect, p)):
        one, other = first[kept[place]], second[kept[place]]
        rows = (inside[one] * inside[other]) > 0
        if corrected[place] > ALPHA or len(found) == SHOWN:
            break
        if all((rows & taken).sum() / (rows | taken).sum() <= OVERLAP for _, taken in found):
            words = tuple(dict.fromkeys(conditions[index][1] for index in (one, other)))
            mean, rest = float(loss[rows].mean()), float(loss[~rows].mean())
            found.append((Slice(words, int(rows.sum()), mean, rest, mean - rest, float(corrected[place])), rows))
    return Search(judged.loss_name, len(kept), len(judged), tuple(one for one, _ in found))


def _conditions(name: str, values: NDArray[Any]) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """Return the conditions on a feature: its name, the words, and the rows that meet it."""
    if values.dtype == object:
        labels = np.array(["" if value is None else str(value) for value in values])
        known = np.array([value is not None for value in values], dtype=bool)
        names, counts = np.unique(labels[known], return_counts=True)
        frequent = names[np.lexsort((names, -counts))][:LABELS]
        found = [(name, f"{name} is {label}", known & (labels == label)) for label in frequent]
    else:
        known = np.isfinite(values)
        found = _bins(name, values, known)
    return found if known.all() else [*found, (name, f"{name} is null", ~known)]


def _bins(name: str, values: Floats, known: NDArray[np.bool_]) -> list[tuple[str, str, NDArray[np.bool_]]]:
    if not known.any():
        return []
    distinct = np.unique(values[known])
    if len(distinct) <= BINS:
        return [(name, f"{name} = {_number(one)}", values == one) for one in distinct] if len(distinct) > 1 else []
    # edges are values that occur, so that what is printed parts the rows as it says
    edges = np.unique(np.quantile(values[known], np.arange(1, BINS) / BINS, method="lower"))
    edges = edges[edges < distinct[-1]] if edges[0] < distinct[-1] else distinct[-2:-1]
    found = [(name, f"{name} <= {_number(edges[0])}", known & (values <= edges[0]))]
    for low, high in itertools.pairwise(edges):
        rows = known & (values > low) & (values <= high)
        found.append((name, f"{_number(low)} < {name} <= {_number(high)}", rows))
    return [*found, (name, f"{name} > {_number(edges[-1])}", known & (values > edges[-1]))]


def _number(value: float) -> str:
    return f"{value:.6g}"


def _pairs(names: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of each condition with itself, and of each two of different features."""
    feature = np.unique(names, return_inverse=True)[1].ravel()
    one, other = np.triu_indices(len(names))
    apart = (feature[one] != feature[other]) | (one == other)
    return one[apart], other[apart]


def _welch(loss: Floats, counts: Floats, sums: Floats, squares: Floats, design: float) -> tuple[Floats, Floats]:
    """Return the difference of the mean losses, inside less outside, and its one-sided p-value."""
    rest = len(loss) - counts
    mean, other = sums / counts, (loss.sum() - sums) / rest
    spread = np.maximum(squares / counts - mean**2, 0) / (counts - 1)
    spread += np.maximum(((loss**2).sum() - squares) / rest - other**2, 0) / (rest - 1)
    effect = mean - other
    score = np.divide(effect, np.sqrt(spread * design), out=np.zeros_like(effect), where=spread > 0)
    return effect, np.array([0.5 * math.erfc(one / math.sqrt(2)) for one in score])


def holm(p: Floats) -> Floats:
    """Return p-values corrected for how many there are, by Holm's step-down method (1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(stepped, 1.0)
    return found
