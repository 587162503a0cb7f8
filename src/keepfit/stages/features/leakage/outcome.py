"""Is a feature too good to be true? One that tells the target alone was probably recorded with the outcome at hand.

A strongly autocorrelated series is honestly easy to predict from its own past. So a feature is held against what the
target's own past says: only one that leaves less than a quarter of that error is suspected, and one that reads nothing but
the target's own column never is, because its windows end before t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import Finding, Tested
from keepfit.measure.strength import Floats, absence, folds_of, strength
from keepfit.spec.features import Aggregate, Attribute, Expression
from keepfit.spec.model import CLASSIFICATION
from keepfit.spec.window import Window
from keepfit.stages.features.compute import compute
from keepfit.stages.features.leakage.material import Material, alarm, column_of
from keepfit.stages.features.leakage.sample import Places

TOO_GOOD = {CLASSIFICATION: 0.995}
TOO_GOOD_NUMBER = 0.999
LEFT = 0.25  # of the error that the target's own past leaves
ROWS = 200_000  # of the training set, drawn by the seed


def too_good(material: Material) -> Tested:
    """Measure each feature's power to tell the target alone, and that of its nulls."""
    training, model = material.training, material.model
    rows = np.sort(np.random.default_rng(material.seed).permutation(len(training))[:ROWS])
    target, folds = training.target[rows], folds_of(training.entity[rows], material.seed)
    strengths = {
        feature.name: strength(model.task, training.features[feature.name][rows], target, folds)
        for feature in model.inputs()
    }
    absences = {name: absence(model.task, values[rows], target) for name, values in training.features.items()}
    bound = TOO_GOOD.get(model.task, TOO_GOOD_NUMBER)
    suspects = [
        (feature, strengths[feature.name], "") for feature in model.inputs() if strengths[feature.name] >= bound
    ]
    suspects += [
        (feature, absences[feature.name], "the nulls of ")
        for feature in model.inputs()
        if absences[feature.name] >= TOO_GOOD[CLASSIFICATION]
    ]
    honest = _honest(material, rows, target, folds) if suspects else 0.0
    findings = [
        _suspected(material, feature, value, honest, nulls)
        for feature, value, nulls in suspects
        if not _own(material, feature) and 1 - value < LEFT * (1 - honest)
    ]
    measured = {name: value for name, value in strengths.items() if not np.isnan(value)}
    return Tested("outcome", _said(material, measured, len(rows)), {"rows": len(rows), **measured}, tuple(findings))


def _said(material: Material, measured: dict[str, float], rows: int) -> str:
    if not measured:
        return f"{rows:,} training rows are too few to say what one feature tells about the target"
    best = max(measured, key=lambda name: measured[name])
    measure = "AUC" if material.model.task == CLASSIFICATION else "Spearman"
    return (
        f"each of {len(material.model.inputs())} features alone, and its nulls, against the target of {rows:,} rows: the best is"
        f" {best} with {measure} {measured[best]:.3f}"
    )


def _suspected(material: Material, feature: Expression, value: float, honest: float, nulls: str) -> Finding:
    measure = "Spearman" if material.model.task != CLASSIFICATION and not nulls else "AUC"
    sources = sorted({".".join(filter(None, column_of(leaf))) for leaf in feature.leaves()} - {""})
    what = f"{nulls}{feature.name} alone tell{'' if nulls else 's'} the target with {measure} {value:.4f}"
    what += f"; the target's own past reaches {honest:.4f}" if honest > 0 else ""
    fix = f"is {' or '.join(sources) or feature.name} filled in or edited once the outcome is known? "
    fix += "drop it, or say when it became known: known=... for events, time=... for records"
    numbers = {"feature": feature.name, "measure": measure, "value": value, "own_past": honest, "nulls": bool(nulls)}
    return alarm("outcome", what, material.where, fix, **numbers)


def _own(material: Material, feature: Expression) -> bool:
    """Return whether a feature reads nothing of tables but the target's own columns."""
    own = {column_of(leaf) for leaf in material.model.target.leaves()}
    return {column_of(leaf) for leaf in feature.leaves() if isinstance(leaf, Aggregate | Attribute)} <= own


def _honest(material: Material, rows: Places, target: Floats, folds: Places) -> float:
    """Return how well the target's own past orders the target."""
    found = [strength(material.model.task, values, target, folds) for values in _own_past(material, rows)]
    return max((value for value in found if not np.isnan(value)), default=0.0)


def _own_past(material: Material, rows: Places) -> Iterator[Column]:
    """Yield what the target's own columns say before t: the newest value, and the mirror image of the target's window."""
    training = material.training
    mirrored = {
        leaf.name: leaf
        for found in material.model.target.leaves()
        if isinstance(found, Aggregate)
        for leaf in (replace(found, window=Window(last=found.window.next)), _newest(found))
    }
    keys, t = training.entity[rows].astype(str), training.t[rows]
    order = np.lexsort((t, keys))
    entities, starts = np.unique(keys[order], return_index=True)
    observations = Observations(entities.astype(object), np.append(starts, len(t)).astype(np.int64), t[order])
    for values in compute(list(mirrored.values()), material.snapshot, observations).values():
        yield values[np.argsort(order)]


def _newest(leaf: Aggregate) -> Aggregate:
    return replace(leaf, function="last" if leaf.column else "time_since_last", window=Window())
