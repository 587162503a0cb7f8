"""What a turn is made of. Each step joins stages that do not know each other; `loop.py` says in which order."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.artifact import Artifact, Predictor
from keepfit.engines.protocol import Column, Observations
from keepfit.errors import TrainingError
from keepfit.evidence import (
    Champion,
    Decision,
    Drift,
    Estimate,
    Evaluation,
    Evidence,
    Realised,
    Turn,
    Verdict,
    VersionFacts,
    as_data,
)
from keepfit.measure.bootstrap import paired_gain
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.stages.evaluation.evaluate import evaluate
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import current
from keepfit.stages.features.training_set import TrainingSet, shortage, training_set
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.performance import realised
from keepfit.stages.monitoring.profile import Profile, profile
from keepfit.stages.registry.gates import judge
from keepfit.stages.registry.mlflow import Version, evidence_of
from keepfit.stages.retraining import conclude
from keepfit.stages.serving.outbox import drain, forget
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.store import SQLiteStore
from keepfit.stages.training.split import split
from keepfit.stages.training.train import Trained, train

SCORE = "score"  # the column of a profile that is the model's answer


@dataclass(frozen=True)
class Loaded:
    """A version ready to answer."""

    version: Version
    artifact: Artifact
    predictor: Predictor

    def score(self, features: dict[str, Column]) -> NDArray[np.float64]:
        """Return a score for each row of feature columns."""
        return self.predictor.score(artifacts.encode(features, self.artifact.features, self.artifact.categories))


@dataclass(frozen=True)
class Scored:
    """The observations of a turn with the features and answers of one version."""

    by: Loaded
    observations: Observations
    features: dict[str, Column]
    score: NDArray[np.float64]


@dataclass(frozen=True)
class Challenge:
    """A training and what came of it."""

    version: Version
    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    conclusion: Decision


def load(version: Version) -> Loaded:
    """Return a version's artifact, verified, and its predictor."""
    return Loaded(version, artifacts.read(version.folder, version.digest), Predictor.load(version.folder))


def answer(by: Loaded, snapshot: Snapshot) -> Scored:
    """Return the version's answers at the snapshot's as_of, by the definition the version was built from."""
    model = by.artifact.model
    observations = current(model, snapshot)
    features = compute(model.features, snapshot, observations)
    return Scored(by, observations, features, by.score(features))


def watch(project: Project, model: Model, snapshot: Snapshot, scored: Scored | None) -> Evidence:
    """Return what is known about the champion at as_of: drift of its inputs and answers, and how it turned out."""
    last = project.registry.last_trained_at(model.name)
    if scored is None:
        return Evidence(snapshot.as_of, last_training_at=last)
    version = scored.by.version
    matured = _matured(project, scored.by, snapshot)
    return Evidence(
        as_of=snapshot.as_of,
        champion=Champion(version.number, version.trained_at, version.promoted_at, version.previous),
        last_training_at=last,
        realised=_realised(scored.by, matured),
        drift=_drift(scored),
        against_previous=_against_previous(project, model, scored.by, snapshot, matured),
    )


def _drift(scored: Scored) -> tuple[Drift, ...]:
    if not len(scored.observations):
        return ()
    reference = Profile.from_data(scored.by.artifact.profile)
    return drift(reference, {**scored.features, SCORE: scored.score})


@dataclass(frozen=True)
class _Matured:
    observations: Observations
    score: NDArray[np.float64]
    actual: NDArray[np.float64]


def _matured(project: Project, champion: Loaded, snapshot: Snapshot) -> _Matured | None:
    """Return the champion's newest matured answers with what really happened, or None if there are none."""
    rows = _newest_window(project, champion, snapshot)
    if not rows:
        return None
    keys = np.array([row["entity"] for row in rows], object)
    t = np.array([row["t"] for row in rows], np.int64)
    order = np.lexsort((t, keys))
    entities, starts = np.unique(keys[order].astype(str), return_index=True)
    observations = Observations(entities.astype(object), np.append(starts, len(rows)).astype(np.int64), t[order])
    target = champion.artifact.model.target
    actual = compute([target], snapshot, observations)[target.name].astype(np.float64)
    score = np.array([row["score"] for row in rows])[order]
    known = ~np.isnan(actual)
    return _Matured(observations.keep(known), score[known], actual[known]) if known.any() else None


def _newest_window(project: Project, champion: Loaded, snapshot: Snapshot) -> list[dict[str, Any]]:
    model, name = champion.artifact.model, tables.PREDICTIONS.name
    if not project.records.exists(name):
        return []
    targets = {leaf.events.name: leaf.events for leaf in model.target.leaves() if hasattr(leaf, "events")}
    end = min(snapshot.complete_until(table) for table in targets.values()) - model.horizon
    own = f"model = '{model.name}' and version = '{champion.version.number}' and t <= make_timestamptz({end})"
    files = project.records.parquet_files(name)
    # a window is one moment of a grid with the requests since the one before, or a horizon's length of single rows
    grid = isinstance(model.observe, Every)
    length = (
        clock.Grid(model.observe.every).step - 1 if isinstance(model.observe, Every) else max(model.horizon, clock.DAY)
    )
    rows = project.engine.rows(files, f"{own} and t >= make_timestamptz({end - (2 if grid else 1) * length})")
    newest = max((row["t"] for row in rows), default=0)
    latest = {(row["entity"], row["t"]): row for row in rows if row["t"] >= newest - length}
    return list(latest.values())


def _realised(champion: Loaded, matured: _Matured | None) -> Realised | None:
    if matured is None:
        return None
    found = champion.artifact
    return realised(
        found.model.task,
        champion.version.number,
        matured.observations.t,
        matured.actual,
        matured.score,
        found.threshold,
        found.training_base,
    )


def _against_previous(
    project: Project, model: Model, champion: Loaded, snapshot: Snapshot, matured: _Matured | None
) -> Estimate | None:
    version = champion.version
    on_probation = snapshot.as_of - version.promoted_at <= clock.duration(model.policy.probation)
    if matured is None or version.previous is None or not on_probation:
        return None
    previous = load(project.registry.version(model.name, version.previous))
    features = compute(previous.artifact.model.features, snapshot, matured.observations)
    return paired_gain(
        model.metric,
        matured.actual,
        matured.score,
        champion.artifact.threshold,
        previous.score(features),
        previous.artifact.threshold,
        clusters=matured.observations.codes(),
        seed=project.settings.training.seed,
    )


def build(project: Project, model: Model, snapshot: Snapshot) -> tuple[TrainingSet, str]:
    """Return the training set at as_of, and the reason why nothing can be trained on it, if there is one."""
    found = training_set(model, snapshot)
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
    seed = project.settings.training.seed
    columns, types = found.columns()
    version = project.lake.replace(tables.training_set(model.name), project.engine.relation(columns, types))
    trained = train(model, found.t, found.features, found.target, seed=seed, choose_threshold=choose_threshold)
    evaluation = _evaluate(project, model, snapshot, found, trained, champion)
    verdicts = judge(model.gates, evaluation)
    definition = codec.encode(model)
    lineage = {
        "as_of": clock.from_micros(snapshot.as_of).isoformat(),
        "definition": codec.fingerprint(definition),
        "tables": snapshot.versions,
        "training_set": {"table": tables.training_set(model.name), "version": version, "rows": len(found)},
        "seed": seed,
        "onnx_difference": trained.onnx_difference,
    }
    recorded = _record(project, model, snapshot.as_of, found, trained, evaluation, verdicts, lineage)
    return Challenge(recorded, evaluation, verdicts, conclude(verdicts, evaluation))


def _evaluate(
    project: Project, model: Model, snapshot: Snapshot, found: TrainingSet, trained: Trained, champion: Loaded | None
) -> Evaluation:
    test = trained.split.test
    rival = None
    if champion is not None:
        features = {name: values[test] for name, values in found.features.items()}
        if not set(champion.artifact.features) <= set(features):
            # the champion was built from other features: compute those at the same rows
            keys, t = found.entity[test], found.t[test]
            order = np.lexsort((t, keys))
            entities, starts = np.unique(keys[order].astype(str), return_index=True)
            rows = Observations(entities.astype(object), np.append(starts, len(t)).astype(np.int64), t[order])
            computed = compute(champion.artifact.model.features, snapshot, rows)
            back = np.argsort(order)
            features = {name: values[back] for name, values in computed.items()}
        rival = (champion.score(features), champion.artifact.threshold)
    attributes = {
        gate.column: f"{table.name}_{gate.column}" for gate in model.gates if gate.column for table in model.records()
    }
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
            for column, name in attributes.items()
            if column is not None and name in found.features
        },
        champion=rival,
        seed=project.settings.training.seed,
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
) -> Version:
    fitted = trained.split.fitted
    # the newest rows, those it was validated and tested on: has the world changed since this version was approved?
    newest = trained.split.validation | trained.split.test
    reference = {name: values[newest] for name, values in found.features.items()}
    artifact = Artifact(
        model,
        trained.features,
        trained.categories,
        trained.threshold,
        float(found.target[fitted].mean()),
        lineage,
        profile({**reference, SCORE: trained.scores[newest]}).as_data(),
    )
    judged = {**as_data(evaluation), "verdicts": as_data(verdicts)}
    native, content = trained.fitted.native()
    files = {native: content, "model.onnx": trained.onnx, "evaluation.json": json.dumps(judged, indent=1).encode()}
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
                **{f"rows_{part}": float(rows) for part, rows in evaluation.rows.items()},
            },
            parameters={**trained.fitted.parameters, "threshold": trained.threshold, "features": len(trained.features)},
            tags={"keepfit.definition": lineage["definition"], "keepfit.lineage": json.dumps(lineage)},
        )


def log_predictions(project: Project, scored: Scored) -> int:
    """Append the version's answers to the prediction log and return how many there are; twice adds nothing."""
    version, observations, found = scored.by.version, scored.observations, scored.by.artifact
    if not len(observations):
        return 0
    keys, threshold = observations.keys(), np.full(len(observations), found.threshold)
    mark = f"{version.model}/{version.number}/"
    positive: Column = scored.score >= threshold
    columns = {
        "request_id": np.array([f"{mark}{key}/{t}" for key, t in zip(keys, observations.t, strict=True)], object),
        "model": np.full(len(keys), version.model, object),
        "version": np.full(len(keys), version.number, object),
        "entity": keys,
        "t": observations.t,
        "score": scored.score,
        "positive": positive.astype(np.float64) if found.model.task == "classification" else np.full(len(keys), np.nan),
        "threshold": threshold,
        "origin": np.full(len(keys), "batch", object),
        # of a batch they can be built again from the lake
        "features": np.full(len(keys), None, object),
    }
    relation = project.engine.relation(columns, tables.PREDICTIONS.columns)
    project.records.append(tables.PREDICTIONS.name, relation, transaction=f"{mark}{int(observations.t.max())}")
    return len(keys)


def collect_requests(project: Project, model: Model) -> int:
    """Move what the server answered since the last turn to the prediction log and return how many rows."""
    moved, outbox = 0, project.serving(model.name).outbox
    while (batch := drain(outbox)) is not None:
        columns = {name: _column([row[name] for row in batch.rows]) for name in tables.PREDICTIONS.columns}
        relation = project.engine.relation(columns, tables.PREDICTIONS.columns)
        project.records.append(tables.PREDICTIONS.name, relation, transaction=batch.transaction)
        moved += forget(outbox, batch.transaction)
    return moved


def publish_online(project: Project, champion: Version, snapshot: Snapshot) -> dict[str, int]:
    """Bring the online store to what the lake holds, for the definition the champion was built from."""
    found = artifacts.read(champion.folder, champion.digest)
    with closing(SQLiteStore(project.serving(champion.model).store)) as store:
        return publish(found.model, snapshot, store)


def facts(version: Version | None) -> VersionFacts | None:
    """Return a version as `run` reports it."""
    if version is None:
        return None
    evidence = evidence_of(version)
    return VersionFacts(
        version.number, evidence.get("metrics", {}), evidence.get("baseline", {}), evidence.get("rows", {})
    )


def write_ledger(project: Project, turn: Turn) -> None:
    """Append a turn's measurements and its decision to the ledger."""
    measured = _measurements(turn)
    if measured:
        columns = {name: _column([row[name] for row in measured]) for name in tables.METRICS.columns}
        project.records.append(tables.METRICS.name, project.engine.relation(columns, tables.METRICS.columns))
    entry = {
        "decision_id": f"{turn.model}/{turn.as_of}/{turn.decision}",
        "as_of": turn.as_of,
        "model": turn.model,
        "action": turn.decision,
        "version": turn.champion.version if turn.champion else None,
        "challenger": turn.challenger.version if turn.challenger else None,
        "reasons": json.dumps(turn.reasons),
        "turn": json.dumps(as_data(turn)),
    }
    columns = {name: _column([value]) for name, value in entry.items()}
    project.records.append(tables.DECISIONS.name, project.engine.relation(columns, tables.DECISIONS.columns))


def _column(values: list[Any]) -> Column:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, int):
        return np.array(values, np.int64)
    return np.array(values, np.float64 if isinstance(first, float) else object)


def _measurements(turn: Turn) -> list[dict[str, Any]]:
    rows = []

    def add(
        stage: str, version: str, name: str, value: float, baseline: float, count: int, span: tuple[int, int]
    ) -> None:
        identity = f"{turn.model}/{turn.as_of}/{stage}/{version}/{name}"
        first, last = span
        rows.append(
            {
                "evidence_id": identity,
                "as_of": turn.as_of,
                "model": turn.model,
                "version": version,
                "stage": stage,
                "name": name,
                "value": value,
                "baseline": baseline,
                "rows": count,
                "from": first,
                "to": last,
            }
        )

    if turn.evaluation and turn.challenger:
        found = turn.evaluation
        for name, value in found.metrics.items():
            span = (found.test_from_at, found.test_to_at)
            add("evaluation", turn.challenger.version, name, value, found.baseline[name], found.rows["test"], span)
    if turn.realised:
        for name, value in turn.realised.metrics.items():
            span = (turn.realised.from_at, turn.realised.to_at)
            add("realised", turn.realised.version, name, value, turn.realised.baseline[name], turn.realised.rows, span)
    for moved in turn.drift:
        add("drift", "", f"psi:{moved.column}", moved.psi, float("nan"), moved.rows, (turn.as_of, turn.as_of))
    return rows
