"""Build a training set once for all that ask for it at a moment, and keep with it what the next one needs to take from it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache, partial

from keepfit import tables
from keepfit.errors import TrainingError
from keepfit.lake.past import AS_OF
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.spec.policy import Policy, when
from keepfit.stages.features.reuse import Stored, fingerprints, semantics
from keepfit.stages.features.training_set import TrainingSet, shortage, training_set
from keepfit.stages.training.split import split, trains_until

# what is kept with a training set, so that the next one can take from it
FEATURES, VERSIONS, SEMANTICS = "keepfit.features", "keepfit.versions", "keepfit.semantics"


def build(project: Project, model: Model, snapshot: Snapshot) -> tuple[TrainingSet, str]:
    """Return the training set at as_of, and the reason why nothing can be trained on it, if there is one."""
    found = snapshot.once(
        ("training set", definition_of(model)),
        lambda: training_set(model, snapshot, partial(trains_until, test=model.tested), stored_set(project, model)),
    )
    found = as_declared(found, model)
    reason = shortage(model, found, project.settings.training.min_rows)
    if not reason:
        try:
            split(found.t, model.horizon, model.tested)
        except TrainingError as error:
            reason = error.what
    return found, reason


@lru_cache(maxsize=64)
def definition_of(model: Model) -> str:
    """Return a fingerprint of all in a definition that decides what is learnt: not by what it is judged and when it is trained."""
    return codec.fingerprint(codec.encode(replace(model, gates=(), policy=Policy(when.never()))))


def as_declared(found: TrainingSet, model: Model) -> TrainingSet:
    """Return a training set of the same rows, judged and trained as this model declares."""
    return replace(found, model=replace(found.model, gates=model.gates, policy=model.policy))


def stored_set(project: Project, model: Model) -> Stored | None:
    """Return the model's last training set, with what it was computed from; None if there is none."""
    name, records = tables.training_set(model.name), project.records
    version = records.version(name) if records.exists(name) else None
    notes = records.notes(name)
    if not {FEATURES, VERSIONS} <= set(notes) or notes.get(SEMANTICS) != semantics():
        return None
    if (
        records.version(name) != version
    ):  # a training has written another one between: these notes may not be of these rows
        return None
    columns = project.engine.columns(records.parquet_files(name, version))
    return Stored(json.loads(notes[FEATURES]), json.loads(notes[VERSIONS]), columns)


def notes_of(found: TrainingSet, snapshot: Snapshot) -> dict[str, str]:
    """Return what is kept with a training set."""
    features = json.dumps(fingerprints(found.model.inputs()))
    versions_ = json.dumps(snapshot.versions)
    return {FEATURES: features, VERSIONS: versions_, SEMANTICS: semantics(), AS_OF: str(snapshot.as_of)}
