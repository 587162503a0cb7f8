"""Build a training set, train a challenger on it, judge it beside the champion, and record the version."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.artifact import Artifact
from keepfit.engines.protocol import Observations
from keepfit.errors import TrainingError
from keepfit.evidence import (
    Decision,
    Evaluation,
    Verdict,
    as_data,
)
from keepfit.lake.past import AS_OF
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.features import Calendar, Constant, Expression, Holiday
from keepfit.spec.model import Model
from keepfit.stages.evaluation.evaluate import evaluate
from keepfit.stages.evaluation.rivals import rivals
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.features import versions
from keepfit.stages.features.compute import compute
from keepfit.stages.features.reuse import Stored, fingerprints, semantics
from keepfit.stages.features.training_set import TrainingSet, shortage, training_set
from keepfit.stages.monitoring.profile import profile
from keepfit.stages.registry.gates import judge
from keepfit.stages.registry.mlflow import LINEAGE, Version
from keepfit.stages.retraining import conclude
from keepfit.stages.training.split import split, trains_until
from keepfit.stages.training.train import Trained, train
from keepfit.steps.answering import SCORE, Loaded, comparable
from keepfit.steps.explaining import explained
from keepfit.steps.searching import backtested, learnt_from, rows_of, searched

# what is kept with a training set, so that the next one can take from it
FEATURES, VERSIONS, SEMANTICS = "keepfit.features", "keepfit.versions", "keepfit.semantics"


@dataclass(frozen=True)
class Challenge:
    """A training and what came of it."""

    version: Version
    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    conclusion: Decision


def build(project: Project, model: Model, snapshot: Snapshot) -> tuple[TrainingSet, str]:
    """Return the training set at as_of, and the reason why nothing can be trained on it, if there is one."""
    found = training_set(model, snapshot, trains_until, stored_set(project, model))
    reason = shortage(model, found, project.settings.training.min_rows)
    if not reason:
        try:
            split(found.t, model.horizon)
        except TrainingError as error:
            reason = error.what
    return found, reason


def challenge(
    project: Project, model: Model, snapshot: Snapshot, found: TrainingSet, champion: Loaded | None
) -> Challenge:
    """Train on a training set, evaluate beside the champion, judge by the gates, record the version."""
    seed, model = project.settings.training.seed, found.model
    columns, types = found.columns()
    name, notes = tables.training_set(model.name), _notes(found, snapshot)
    version = project.records.replace(name, project.engine.relation(columns, types), notes=notes)
    choose = partial(choose_threshold, cost=model.training.cost)
    tuned, search = searched(project, model, found, snapshot.as_of, choose)
    trained = train(tuned, rows_of(found), seed=seed, choose_threshold=choose)
    evaluation = _evaluate(project, model, snapshot, found, trained, champion)
    evaluation = replace(evaluation, folds=backtested(tuned, found, seed, choose))
    verdicts = judge(model.gates, evaluation)
    definition = codec.encode(model)
    versions.enter(project.engine, project.records, model, snapshot.as_of)
    lineage = {
        "as_of": clock.from_micros(snapshot.as_of).isoformat(),
        "definition": codec.fingerprint(definition),
        "tables": snapshot.versions,
        "training_set": {"table": tables.training_set(model.name), "version": version, "rows": len(found)},
        "seed": seed,
        "parameters": tuned.estimator.parameters,
        "onnx_difference": trained.onnx_difference,
    }
    grown: dict[str, Any] = {"history": trained.history, "search": search}
    if not project.is_replay:
        grown["learning_curve"] = learnt_from(tuned, found, trained, evaluation.estimate, seed, choose)
    recorded = _record(project, model, snapshot.as_of, found, trained, evaluation, verdicts, lineage, grown)
    return Challenge(recorded, evaluation, verdicts, conclude(verdicts, evaluation))


def stored_set(project: Project, model: Model) -> Stored | None:
    """Return the model's last training set, with what it was computed from; None if there is none."""
    name = tables.training_set(model.name)
    notes = project.records.notes(name)
    if not {FEATURES, VERSIONS} <= set(notes) or notes.get(SEMANTICS) != semantics():
        return None
    columns = project.engine.columns(project.records.parquet_files(name))
    return Stored(json.loads(notes[FEATURES]), json.loads(notes[VERSIONS]), columns)


def _notes(found: TrainingSet, snapshot: Snapshot) -> dict[str, str]:
    features = json.dumps(fingerprints(found.model.inputs()))
    versions_ = json.dumps(snapshot.versions)
    return {FEATURES: features, VERSIONS: versions_, SEMANTICS: semantics(), AS_OF: str(snapshot.as_of)}


def _evaluate(
    project: Project, model: Model, snapshot: Snapshot, found: TrainingSet, trained: Trained, champion: Loaded | None
) -> Evaluation:
    test, held = trained.split.test, trained.split.held_out
    rival = None
    if champion is not None and comparable(champion.artifact.model, model):
        features = {name: values[test] for name, values in found.features.items()}
        if codec.encode(champion.artifact.model)["model"]["features"] != codec.encode(model)["model"]["features"]:
            # the champion was built from other features, be they of the same names: compute those at the same rows
            keys, t = found.entity[test], found.t[test]
            rows, order = Observations.grouped(keys, t)
            computed = compute(champion.artifact.model.inputs(), snapshot, rows)
            back = np.argsort(order)
            features = {name: values[back] for name, values in computed.items()}
        rival = (champion.score(features), champion.artifact.threshold)
    return evaluate(
        model,
        parts={"train": found.target[trained.split.train], "validation": found.target[trained.split.validation]},
        test=found.target[test],
        t=found.t[test],
        score=trained.scores[test],
        threshold=trained.threshold,
        clusters=np.unique(found.entity[test].astype(str), return_inverse=True)[1],
        groups={
            column: found.features[name][test]
            for column, name in model.group_columns().items()
            if name in found.features
        },
        champion=rival,
        seed=project.settings.training.seed,
        rivals=rivals(model, found.features, found.target, trained.split.train, test),
        held_out=None if held is None else (found.target[held], trained.scores[held]),
    )


def _record(
    project: Project,
    model: Model,
    as_of: int,
    found: TrainingSet,
    trained: Trained,
    evaluation: Evaluation,
    verdicts: Sequence[Verdict],
    lineage: dict[str, Any],
    grown: dict[str, Any],
) -> Version:
    fitted = trained.split.fitted
    # the newest rows, those it was validated and tested on: has the world changed since this version was approved?
    # of the scores only those of the test: the others it has learnt from, and they are too sure
    newest = trained.split.validation | trained.split.test
    # the calendar moves by itself: that is no drift
    moving = {feature.name for feature in model.inputs() if not _of_the_moment(feature)}
    reference = {name: values[newest] for name, values in found.features.items() if name in moving}
    artifact = Artifact(
        model,
        trained.features,
        trained.categories,
        trained.threshold,
        float(found.target[fitted].mean()),
        lineage,
        profile({**reference, SCORE: trained.scores[trained.split.test]}).as_data(),
        trained.calibration,
    )
    judged = {**as_data(evaluation), "verdicts": as_data(verdicts)}
    native = trained.fitted.native()
    files = {native[0]: native[1]} if native else {}
    files |= {"model.onnx": trained.onnx, "evaluation.json": json.dumps(judged, indent=1).encode()}
    files |= explained(project, model, clock.show(as_of), found, trained, evaluation, grown)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        digest = artifacts.write(artifact, files, folder)
        return project.registry.record(
            model.name,
            folder,
            digest,
            as_of=as_of,
            metrics={
                **{f"test_{name}": value for name, value in evaluation.metrics.items()},
                **{f"baseline_{name}": value for name, value in evaluation.baseline.items()},
                **{f"held_out_{name}": value for name, value in evaluation.held_out.items()},
                **{f"rows_{part}": float(rows) for part, rows in evaluation.rows.items()},
            },
            parameters={**trained.fitted.parameters, "threshold": trained.threshold, "features": len(trained.features)},
            tags={"keepfit.definition": lineage["definition"], LINEAGE: json.dumps(lineage)},
        )


def _of_the_moment(feature: Expression) -> bool:
    return all(isinstance(leaf, Calendar | Holiday | Constant) for leaf in feature.leaves())
