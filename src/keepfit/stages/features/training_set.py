"""The training set: mature observations, their features and their target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.engines.protocol import Column, Observations
from keepfit.snapshot import Snapshot
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.stages.features import observe
from keepfit.stages.features.compute import compute


@dataclass(frozen=True)
class TrainingSet:
    """Mature observations with features and target, sorted by (t, entity).

    Attributes
    ----------
    entity : object array [rows]
        Keys as text.
    t : int64 array [rows]
        Microseconds UTC, ascending.
    features : dict of str to array [rows]
        float64 with NaN for null, or labels and None.
    target : float64 array [rows]
        1 and 0 for a classification.
    """

    entity: Column
    t: NDArray[np.int64]
    features: dict[str, Column]
    target: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.t)

    def columns(self) -> tuple[dict[str, Column], dict[str, str]]:
        """Return the set as table columns and their DuckDB types."""
        columns = {"entity": self.entity, "t": self.t, **self.features, "target": self.target}
        types = {name: "VARCHAR" if values.dtype == object else "DOUBLE" for name, values in columns.items()}
        return columns, {**types, "t": "TIMESTAMPTZ"}


def training_set(model: Model, snapshot: Snapshot) -> TrainingSet:
    """Return every mature observation of a model; rows whose target is null are left out."""
    return labelled(model, snapshot, observe.mature(model, snapshot))


def labelled(model: Model, snapshot: Snapshot, observations: Observations) -> TrainingSet:
    """Return features and target at the observations given, in the order of time."""
    columns = compute([*model.features, model.target], snapshot, observations)
    target = columns[model.target.name].astype(np.float64)
    order = np.lexsort((observations.codes(), observations.t))
    order = order[~np.isnan(target[order])]
    features = {feature.name: columns[feature.name][order] for feature in model.features}
    return TrainingSet(observations.keys()[order], observations.t[order], features, target[order])


def shortage(model: Model, found: TrainingSet, min_rows: int) -> str:
    """Return why a model cannot be trained on this set, or an empty text if it can.

    Training needs rows at three moments at least (train, validation, test) that the horizon keeps apart.
    """
    if len(found) < min_rows:
        return f"{len(found):,} mature observations, {min_rows:,} are needed"
    span = int(found.t[-1] - found.t[0])
    if span == 0:
        return f"all {len(found):,} mature observations are of one moment; there is nothing to split by time"
    if span <= model.horizon:
        horizon, length = clock.duration_text(model.horizon), clock.duration_text(max(span // clock.DAY, 1) * clock.DAY)
        return (
            f"mature observations span {length}; more than the target's horizon of {horizon} is needed to split by time"
        )
    if model.task == CLASSIFICATION and len(np.unique(found.target)) < 2:
        only = "true" if found.target[0] else "false"
        return f"the target is {only} in all {len(found):,} mature observations; there is one class only"
    return ""
