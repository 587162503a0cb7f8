"""The features that help at one earlier origin after the other, and the others left out; the test rows are never looked at.

A feature stays if, at enough origins, the model gets worse on the rows that came next when its values are shuffled among them
(permutation importance, Breiman 2001; looked at again and again as in stability selection, Meinshausen & Buehlmann 2010). Those
that say what an earlier one says go first: they would stand in for each other. Then the folds are grown once more without what was
left out, and if the model is the worse for it, everything that says something stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column
from keepfit.evidence import REDUNDANT, UNSTABLE, FeatureNote
from keepfit.measure.metrics import measure
from keepfit.measure.strength import one_value, twins
from keepfit.spec.metric import METRICS, PINBALL
from keepfit.spec.model import Model
from keepfit.spec.training import Select
from keepfit.stages.training.grow import ChooseThreshold, Grown, TrainingRows, grow
from keepfit.stages.training.split import folds

Floats = NDArray[np.float64]
Importance = Callable[[Grown, NDArray[np.bool_]], tuple[Floats, Floats]]
"""(grown, rows to look at) -> what shuffling each feature costs, and the spread of that over repeats."""
COMPARED = 20_000  # rows that twins are looked for in


def select(
    model: Model,
    rows: TrainingRows,
    said: Select,
    *,
    seed: int,
    choose_threshold: ChooseThreshold,
    importance: Importance,
    always: Collection[str] = (),
) -> tuple[FeatureNote, ...]:
    """Return every feature, and whether it is kept and why not.

    Parameters
    ----------
    choose_threshold : callable
        (metric, actual, score) -> threshold.
    always : collection of str
        Those that stay whatever they say.

    Raises
    ------
    TrainingError
        If there are not moments enough for so many folds.
    """
    parts = folds(rows.t, model.horizon, said.folds, model.tested)
    features, known = rows.features, np.flatnonzero(parts[-1].fitted)
    learn = partial(grow, model, seed=seed, choose_threshold=choose_threshold)
    notes = _silent({name: features[name][known] for name in features}, said.redundant, always)
    left = replace(rows, features={name: values for name, values in features.items() if name not in notes})
    if not left.features:  # there is nothing to choose from
        return tuple(replace(notes[name], kept=True) for name in features)
    grown = [learn(left, one) for one in parts]
    found = [importance(one, one.split.test) for one in grown]
    means = np.array([mean for mean, _ in found])
    helps = np.array([mean > np.maximum(spread, 0.0) for mean, spread in found])
    for place, name in enumerate(left.features):
        times, history = int(helps[:, place].sum()), tuple(means[:, place].tolist())
        stays = times >= said.stable * said.folds or name in always
        reason = f"shuffling it makes the model worse at {times} of {said.folds} earlier origins"
        notes[name] = FeatureNote(name, stays, "" if stays else UNSTABLE, reason, folds=history)
    kept = replace(left, features={name: values for name, values in left.features.items() if notes[name].kept})
    if len(kept.features) == len(left.features):
        return tuple(notes[name] for name in features)
    if not kept.features or _worse(model, grown, [learn(kept, one) for one in parts], rows.target):
        reason = "; without all of these the model is worse at the earlier origins, so they stay"
        for name in set(left.features) - set(kept.features):
            notes[name] = replace(notes[name], kept=True, reason=notes[name].reason + reason)
    return tuple(notes[name] for name in features)


def _silent(features: Mapping[str, Column], redundant: float, always: Collection[str]) -> dict[str, FeatureNote]:
    """Return the features that say nothing, or nothing that an earlier one does not say."""
    found: dict[str, FeatureNote] = {}
    for name, values in features.items():
        about = one_value(values)
        if about and name not in always:
            found[name] = FeatureNote(name, False, about, f"it is {about} in all {len(values):,} rows")
    some = np.unique(np.linspace(0, len(next(iter(features.values()))) - 1, COMPARED).astype(int))
    told = twins({name: values[some] for name, values in features.items() if name not in found}, redundant)
    for name, other in told.items():
        if name not in always:
            found[name] = FeatureNote(name, False, REDUNDANT, f"it says what {other} says")
    return found


def _worse(model: Model, before: Sequence[Grown], after: Sequence[Grown], target: Floats) -> bool:
    """Return whether the mean of the metric over the folds falls; if it is of bounds alone, also that of the score."""
    of_bounds = model.training.interval is not None and model.metric == PINBALL
    return any(_falls(name, model, before, after, target) for name in (model.metric, *(["rmse"] if of_bounds else [])))


def _falls(metric: str, model: Model, before: Sequence[Grown], after: Sequence[Grown], target: Floats) -> bool:
    gains = [
        METRICS[metric].gain(_measured(metric, model, one, target), over=_measured(metric, model, other, target))
        for one, other in zip(after, before, strict=True)
    ]
    return bool(np.mean(gains) < 0)


def _measured(metric: str, model: Model, grown: Grown, target: Floats) -> float:
    part = grown.split.test
    return measure(metric, target[part], grown.answers(grown.matrix[part]), grown.threshold, model.training)
