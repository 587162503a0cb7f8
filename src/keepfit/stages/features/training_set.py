"""The training set: mature observations, their features and their target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.answers import texts_of
from keepfit.engines.protocol import Column, Observations
from keepfit.snapshot import Snapshot
from keepfit.spec.features import ByCategory
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, Model
from keepfit.stages.features import observe
from keepfit.stages.features.compute import compute
from keepfit.stages.features.reuse import Stored, compute_new
from keepfit.stages.features.room import require_room


@dataclass(frozen=True)
class TrainingSet:
    """Mature observations with features and target, sorted by (t, entity).

    Attributes
    ----------
    model : Model
        The definition that the features were computed by, with what it learned (`ByCategory`).
    entity : object array [rows]
        Keys as text.
    t : int64 array [rows]
        Microseconds UTC, ascending.
    features : dict of str to array [rows]
        float64 with NaN for null, or labels and None.
    target : float64 array [rows]
        1 and 0 for a classification; of several labels the place.
    """

    model: Model
    entity: Column
    t: NDArray[np.int64]
    features: dict[str, Column]
    target: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.t)

    def digest(self) -> str:
        """Return 12 hex digits that are others for other rows."""
        seal = hashlib.sha256()
        for values in (self.entity, self.t, *self.features.values(), self.target):
            seal.update("\0".join(map(str, values)).encode() if values.dtype == object else values.tobytes())
        return seal.hexdigest()[:12]

    def columns(self) -> tuple[dict[str, Column], dict[str, str]]:
        """Return the set as table columns and their DuckDB types; one of several labels stands there as text."""
        target = texts_of(self.model.labels, self.target) if self.model.labels else self.target
        columns = {"entity": self.entity, "t": self.t, **self.features, "target": target}
        types = {name: "VARCHAR" if values.dtype == object else "DOUBLE" for name, values in columns.items()}
        return columns, {**types, "t": "TIMESTAMPTZ"}


def training_set(
    model: Model,
    snapshot: Snapshot,
    trains_until: Callable[[NDArray[np.int64], int], int | None] = lambda t, horizon: None,
    stored: Stored | None = None,
) -> TrainingSet:
    """Return every mature observation of a model; rows whose target is null are left out.

    Parameters
    ----------
    trains_until : callable
        (t ascending, horizon) -> the last moment of the rows that are trained on, None if there are none. Values of
        `by=` are learned from events known before it; without it, none are learned.
    stored : Stored, optional
        An earlier training set, to take from it what cannot have changed.

    Raises
    ------
    TrainingError
        If it does not fit into memory.
    """
    observations = observe.mature(model, snapshot)
    require_room(model.name, len(observations), len(model.features) + 1)
    if any(isinstance(one, ByCategory) for one in model.features):
        target = compute([model.target], snapshot, observations)[model.target.name].astype(np.float64)
        observations = observations.keep(~np.isnan(target))
        until = trains_until(np.sort(observations.t), model.horizon) if len(observations) else None
        model = learn(model, snapshot, until)
    return labelled(model, snapshot, observations, stored)


def learn(model: Model, snapshot: Snapshot, until: int | None) -> Model:
    """Return the model with the most frequent values of its `by=` features among events known before `until`."""
    learned: dict[str, tuple[str, ...]] = {}
    for one in (one for one in model.features if isinstance(one, ByCategory) and one.values is None):
        table = one.aggregate.events
        found = snapshot.engine.top_values(table, snapshot.files(table), one.by, one.top, until) if until else []
        learned[one.name] = tuple(found)
    return model.learned(learned)


def labelled(model: Model, snapshot: Snapshot, observations: Observations, stored: Stored | None = None) -> TrainingSet:
    """Return features and target at the observations given, in the order of time."""
    if stored is None:
        columns = compute([*model.inputs(), model.target], snapshot, observations)
    else:  # late rows may have changed a label, so labels are always computed
        columns = compute([model.target], snapshot, observations)
        columns |= compute_new(model.inputs(), snapshot, observations, stored)
    target = columns[model.target.name].astype(np.float64)
    order = np.lexsort((observations.codes(), observations.t))
    order = order[~np.isnan(target[order])]
    features = {feature.name: columns[feature.name][order] for feature in model.inputs()}
    return TrainingSet(model, observations.keys()[order], observations.t[order], features, target[order])


def shortage(model: Model, found: TrainingSet, min_rows: int) -> str:
    """Return why a model cannot be trained on this set, or an empty text if it can.

    Training needs rows at three moments at least (train, validation, test) that the horizon keeps apart.
    """
    if len(found) < min_rows:
        return f"{len(found):,} mature observations, {min_rows:,} are needed"
    if not found.features:
        return "there are no features: no value of by= was seen in the rows to train on"
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
    if model.task == MULTICLASS and len(np.unique(found.target)) < 2:
        only = model.labels[int(found.target[0])]
        return f"the target is {only!r} in all {len(found):,} mature observations; there is one label only"
    return ""
