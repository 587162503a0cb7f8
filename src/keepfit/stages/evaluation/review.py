"""Features that an expert would ask about: those that say nothing, that say the same, or that say too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import REDUNDANT, SUSPICIOUS, UNUSED, FeatureNote
from keepfit.measure.strength import folds_of, one_value, strength, twins
from keepfit.spec.model import CLASSIFICATION, MULTICLASS

Floats = NDArray[np.float64]

REVIEWED = 20_000
"""At most so many rows are looked at, drawn evenly."""
SAME = 0.99
TOO_GOOD = {CLASSIFICATION: ("AUC", 0.995), MULTICLASS: ("AUC of a label", 0.995)}
TOO_GOOD_NUMBER = ("rank correlation", 0.999)
"""As in `keepfit check leakage`, which goes into it and proves what can be proven."""


def review(
    task: str,
    features: Mapping[str, NDArray[Any]],
    target: Floats,
    entity: NDArray[Any],
    notes: Sequence[FeatureNote] = (),
    *,
    seed: int,
) -> tuple[FeatureNote, ...]:
    """Return every feature with what is to be said of it, in the order of the features.

    Parameters
    ----------
    features : mapping of str to array, shape (rows,)
        Of the rows that are learnt from; float64 with NaN for null, or labels and None.
    target : float64 array, shape (rows,)
        0 or 1 for a classification, of several labels the place.
    entity : object array, shape (rows,)
        Keys; rows of one entity share a fold.
    notes : sequence of FeatureNote, optional
        What a selection said already.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(target))[:REVIEWED])
    some = {name: values[rows] for name, values in features.items()}
    folds, target = folds_of(entity[rows], seed), target[rows]
    known = {note.feature: note for note in notes}
    empty = {name: about for name, values in some.items() if (about := one_value(values))}
    same = twins({name: values for name, values in some.items() if name not in empty}, SAME)
    found = []
    for name, values in some.items():
        alone = _alone(task, values, target, folds)
        note = replace(known.get(name, FeatureNote(name)), alone=alone)
        found.append(note if note.about else _noted(note, task, empty.get(name), same.get(name), len(rows)))
    return tuple(found)


def _alone(task: str, values: NDArray[Any], target: Floats, folds: NDArray[np.int64]) -> float:
    """Return how well a feature alone orders the target; of several labels, the one that it tells best from the others."""
    if task != MULTICLASS:
        return strength(task, values, target, folds)
    found = [strength(CLASSIFICATION, values, (target == label).astype(float), folds) for label in np.unique(target)]
    return float(np.nanmax(found)) if not np.isnan(found).all() else float("nan")


def _noted(note: FeatureNote, task: str, empty: str | None, twin: str | None, rows: int) -> FeatureNote:
    measured, bound = TOO_GOOD.get(task, TOO_GOOD_NUMBER)
    if empty:
        return replace(note, about=empty, reason=f"it is {empty} in {rows:,} rows that are learnt from")
    if note.alone >= bound:
        reason = f"it alone tells the target with {measured} {note.alone:.4f}; keepfit check leakage looks into it"
        return replace(note, about=SUSPICIOUS, reason=reason)
    if twin:
        return replace(note, about=REDUNDANT, reason=f"it says what {twin} says")
    return note


def with_unused(notes: Sequence[FeatureNote], importance: Mapping[str, float]) -> tuple[FeatureNote, ...]:
    """Return the notes, and of features of which there is nothing else to say, that the model does not use them."""
    reason = "it changes no prediction"
    return tuple(
        replace(one, about=UNUSED, reason=reason)
        if one.kept and not one.about and importance.get(one.feature) == 0
        else one
        for one in notes
    )
