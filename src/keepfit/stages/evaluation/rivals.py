"""Simple rules that a model has to beat, found among its own features: persistence, seasonal naive, recency.

A constant (`keepfit.measure.baseline`) is often too weak a rival: of hourly dust, the value of an hour ago knows most. A
rule here is one feature of the model and, for a classification, one threshold chosen on training rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.kernel.evaluate import banded
from keepfit.measure.metrics import measure_all
from keepfit.measure.ranking import Ranking
from keepfit.measure.sums import Floats
from keepfit.spec.features import Aggregate, Banded, Expression
from keepfit.spec.features.expression import Named
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION, Model
from keepfit.stages.evaluation.threshold import choose_threshold

LEVELS = ("mean", "median", "quantile", "min", "max", "first", "last")
"""Functions whose value does not grow with the length of the window."""
RECENCY = "time_since_last"


def rivals(
    model: Model,
    features: Mapping[str, NDArray[Any]],
    target: Floats,
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> dict[str, dict[str, float]]:
    """Return every metric of each rule that the model's features allow, on the test rows.

    Parameters
    ----------
    features : mapping of str to array, shape (rows,)
        The training set's columns.
    target : float64 array, shape (rows,)
        What happened.
    train, test : bool array, shape (rows,)
        The rows a rule may learn from, and those it is judged on.

    Returns
    -------
    dict
        'rule (feature)' -> metric -> value. A regression's rule predicts the feature itself, and the training mean
        where it is null. A classification's rule ranks by the feature; what needs a decision gets a threshold chosen for
        the model's metric, and what needs a probability the training rates on both sides of it. For a recency rule
        null is longer ago than anything. Of several labels that are bands, a rule calls the band of the feature.
    """
    found = {}
    for rule, feature in rules(model):
        values = np.asarray(features[feature], np.float64)
        judged = JUDGED[model.task]
        found[f"{rule} ({feature})"] = judged(model, values, target, train, test)
    return found


def rules(model: Model) -> Iterator[tuple[str, str]]:
    """Yield the rules that the features allow, and the feature of each."""
    shifts = sorted(_same_quantity(model), key=lambda one: one[0])
    if shifts:
        yield "persistence", shifts[0][1]
        for season in (7 * clock.DAY, clock.DAY):
            seasonal = [name for shift, name in shifts[1:] if shift % season == 0]
            if seasonal:
                yield "seasonal naive", seasonal[0]
                break
    recent = [feature.name for feature in model.inputs() if _is_recency(feature)]
    if recent and model.task == CLASSIFICATION:
        yield "recency", recent[0]


def _is_recency(feature: Expression) -> bool:
    plain = _plain(feature)
    return isinstance(plain, Aggregate) and plain.function == RECENCY


def _plain(feature: Expression) -> Expression:
    return _plain(feature.value) if isinstance(feature, Named) else feature


def _same_quantity(model: Model) -> Iterator[tuple[int, str]]:
    """Yield the features that tell the target's own quantity at an earlier time: how much earlier, and the name."""
    ahead = [leaf for leaf in model.target.leaves() if isinstance(leaf, Aggregate) and leaf.window.future]
    # of several labels, only a band can be told from an earlier value
    if len(ahead) != 1 or (model.labels and not isinstance(_plain(model.target), Banded)):
        return
    wanted = ahead[0]
    for feature in model.inputs():
        plain = _plain(feature)
        if isinstance(plain, Aggregate) and not plain.window.future and _what(plain) == _what(wanted):
            shift = _shift(wanted, plain)
            if shift is not None:
                yield shift, feature.name


def _what(one: Aggregate) -> tuple[Any, ...]:
    where = one.where.slug if one.where is not None else None
    return one.events.name, one.column, one.function, one.argument, where, one.via and one.via.name


def _shift(wanted: Aggregate, feature: Aggregate) -> int | None:
    """Return how far the feature's window lies before the target's; None if the two cannot be compared."""
    start, end = feature.window.offsets()
    from_, until = wanted.window.offsets()
    if from_ is None:
        return None
    if wanted.window.at is not None:  # the last value before a moment: however long the window, its end tells
        return until - end
    alike = start is not None and end - start == until - from_
    return until - end if alike or (wanted.function in LEVELS and start is not None) else None


def _predicted(
    model: Model, values: Floats, target: Floats, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> dict[str, float]:
    filled = np.where(np.isfinite(values[test]), values[test], target[train].mean())
    # a rule predicts a value, and no bounds of it
    return measure_all(model.task, target[test], filled, said=replace(model.training, interval=None))


def _classified(
    model: Model, values: Floats, target: Floats, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> dict[str, float]:
    known = values[np.isfinite(values)]
    longest = float(known.max()) + 1 if len(known) else 1.0
    filled = np.where(np.isfinite(values), values, longest)
    # onto (0, 1) without changing the order, so that a threshold can be chosen as for any score
    score = 0.5 + np.arctan(filled) / np.pi
    if Ranking(target[train], score[train]).auc() < 0.5:
        score = 1 - score
    said = model.training
    threshold = choose_threshold(model.metric, target[train], score[train], said)
    ranked = measure_all(model.task, target[test], score[test], threshold, said)
    rates = measure_all(model.task, target[test], _rates(score, threshold, target, train)[test])
    return ranked | {name: rates[name] for name in ("log_loss", "brier", "ece")}


def _labelled(
    model: Model, values: Floats, target: Floats, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the metrics of calling the band that the feature's value lies in.

    What needs probabilities gets the training rates of the labels that followed that band; where the feature is null, it is the
    training rates of all rows.
    """
    target_ = _plain(model.target)
    assert isinstance(target_, Banded)
    bands, count = banded(values, target_.edges), len(model.labels)
    prior = np.bincount(target[train].astype(np.intp), minlength=count) / train.sum()
    called = np.where(np.isnan(bands), prior.argmax(), bands)[test]
    followed = np.stack([_followed(target[train & (bands == band)], prior) for band in range(count)] + [prior])
    likely = followed[np.where(np.isnan(bands), count, bands)[test].astype(np.intp)]
    ranked = measure_all(model.task, target[test], np.eye(count)[called.astype(np.intp)])
    rates = measure_all(model.task, target[test], likely)
    return ranked | {name: rates[name] for name in ("log_loss", "brier", "auc_ovr")}


def _followed(labels: Floats, prior: Floats) -> Floats:
    """Return the rates of the labels of some rows, one row more of the prior among them: none is impossible."""
    counts = np.bincount(labels.astype(np.intp), minlength=len(prior)) + prior
    return np.asarray(counts / counts.sum())


def _rates(score: Floats, threshold: float, target: Floats, train: NDArray[np.bool_]) -> Floats:
    """Return the share of positives among the training rows on the same side of the threshold."""
    called = score >= threshold
    overall = float(target[train].mean())
    sides = [target[train & side] for side in (called, ~called)]
    high, low = (float(side.mean()) if len(side) else overall for side in sides)
    return np.where(called, high, low)


JUDGED = {CLASSIFICATION: _classified, MULTICLASS: _labelled, REGRESSION: _predicted}
