"""The features that help at one earlier origin after the other, and the others left out; the test rows are never looked at.

A feature stays if, at enough origins, the model gets worse on the rows that came next when its values are shuffled among them
(permutation importance, Breiman 2001; looked at again and again as in stability selection, Meinshausen & Buehlmann 2010). Those
that say what an earlier one says go first: they would stand in for each other. Then the folds are grown once more without what was
left out, and if the model is the worse for it, everything that says something stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column
from keepfit.evidence import REDUNDANT, UNSTABLE, FeatureNote
from keepfit.measure.metrics import measure
from keepfit.measure.strength import one_value, twins
from keepfit.spec.metric import METRICS
from keepfit.spec.model import Model
from keepfit.spec.training import Select
from keepfit.stages.training.split import Split, folds
from keepfit.stages.training.train import ChooseThreshold, Grown, grow

Floats = NDArray[np.float64]
Importance = Callable[[Grown, NDArray[np.bool_]], tuple[Floats, Floats]]
"""(grown, rows to look at) -> what shuffling each feature costs, and the spread of that over repeats."""
COMPARED = 20_000  # rows that twins are looked for in


@dataclass(frozen=True)
class Rows:
    """The training set, and how a model is grown on it."""

    t: NDArray[np.int64]
    target: Floats
    seed: int
    choose_threshold: ChooseThreshold
    entity: NDArray[np.object_] | None


def select(
    model: Model,
    features: Mapping[str, Column],
    rows: Rows,
    said: Select,
    *,
    importance: Importance,
    always: Collection[str] = (),
) -> tuple[FeatureNote, ...]:
    """Return every feature, and whether it is kept and why not.

    Parameters
    ----------
    features : mapping of str to array [rows]
        In the definition's order.
    always : collection of str
        Those that stay whatever they say.

    Raises
    ------
    TrainingError
        If there are not moments enough for so many folds.
    """
    parts = folds(rows.t, model.horizon, said.folds)
    known = np.flatnonzero(parts[-1].fitted)
    notes = _silent({name: features[name][known] for name in features}, said.redundant, always)
    left = {name: values for name, values in features.items() if name not in notes}
    grown = [_grown(model, left, rows, one) for one in parts]
    found = [importance(one, one.split.test) for one in grown]
    means = np.array([mean for mean, _ in found])
    helps = np.array([mean > np.maximum(spread, 0.0) for mean, spread in found])
    for place, name in enumerate(left):
        times, history = int(helps[:, place].sum()), tuple(means[:, place].tolist())
        stays = times >= said.stable * said.folds or name in always
        reason = f"shuffling it makes the model worse at {times} of {said.folds} earlier origins"
        notes[name] = FeatureNote(name, stays, "" if stays else UNSTABLE, reason, folds=history)
    if _worse_without(model, left, notes, grown, rows):
        reason = "; without all of these the model is worse at the earlier origins, so they stay"
        for name in left:
            if not notes[name].kept:
                notes[name] = FeatureNote(name, True, UNSTABLE, notes[name].reason + reason, folds=notes[name].folds)
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


def _grown(model: Model, features: Mapping[str, Column], rows: Rows, parts: Split) -> Grown:
    return grow(
        model,
        rows.t,
        dict(features),
        rows.target,
        parts,
        seed=rows.seed,
        choose_threshold=rows.choose_threshold,
        entity=rows.entity,
    )


def _worse_without(
    model: Model, left: Mapping[str, Column], notes: Mapping[str, FeatureNote], grown: list[Grown], rows: Rows
) -> bool:
    """Return whether the metric of the folds falls, by more than its own scatter, without the features that do not help."""
    kept = {name: values for name, values in left.items() if notes[name].kept}
    if len(kept) == len(left):
        return False
    if not kept:
        return True
    gains = []
    for one in grown:
        less = _grown(model, kept, rows, one.split)
        gains.append(METRICS[model.metric].gain(_metric(model, less, rows), over=_metric(model, one, rows)))
    scatter = float(np.std(gains, ddof=1)) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return bool(np.mean(gains) < -scatter)


def _metric(model: Model, grown: Grown, rows: Rows) -> float:
    part = grown.split.test
    return measure(model.metric, rows.target[part], grown.scores(part), grown.threshold, model.training.cost)
