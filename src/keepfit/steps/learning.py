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
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.artifact import Artifact
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import REJECT, Candidate, Decision, Evaluation, FeatureNote, Search, Verdict, as_data
from keepfit.measure.baseline import constant
from keepfit.measure.wording import calibration_told
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.estimators import HistGradientBoosting
from keepfit.spec.gates import BETTER, of_evaluation
from keepfit.spec.model import Model
from keepfit.stages.evaluation.evaluate import evaluate
from keepfit.stages.evaluation.rivals import rivals
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.features import versions
from keepfit.stages.features.compute import compute
from keepfit.stages.features.reuse import fingerprints
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.registry.flavor import write_flavor
from keepfit.stages.registry.gates import judge
from keepfit.stages.registry.runs import MlflowRun
from keepfit.stages.registry.tracking import Tracked
from keepfit.stages.registry.version import Version
from keepfit.stages.reports.pictures import pictures
from keepfit.stages.retraining import conclude
from keepfit.stages.training.train import Trained, train
from keepfit.steps.answering import Loaded, comparable, measurable
from keepfit.steps.building import as_declared, definition_of, notes_of
from keepfit.steps.certifying import certified
from keepfit.steps.estimating import foresight_files
from keepfit.steps.explaining import PAGE, explained
from keepfit.steps.judging import time_answers, verdicts
from keepfit.steps.remembering import reference_of
from keepfit.steps.searching import backtested, learnt_from, rows_of, searched
from keepfit.steps.selecting import reviewed, selected
from keepfit.steps.tracking import tell, tracked

EXAMPLE_ROWS, TIMED_ROWS = 3, 200
DRAFT = HistGradientBoosting(max_iter=100, learning_rate=0.1)
"""What stands for the declared estimator while somebody works on a definition; it takes nulls, labels and constraints alike."""


@dataclass(frozen=True)
class Challenge:
    """A training and what came of it."""

    version: Version
    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    conclusion: Decision


@dataclass(frozen=True)
class Learnt:
    """A challenger before it is recorded.

    Attributes
    ----------
    found : TrainingSet
        With the features that it learnt from.
    grown : dict
        How it was grown, each if there is any: history, search and learning_curve.
    """

    found: TrainingSet
    trained: Trained
    evaluation: Evaluation
    grown: dict[str, Any]


@dataclass(frozen=True)
class _Fit:
    """A fit, whoever is champion: the rows it learnt from, what was chosen and searched for it, and what was trained."""

    found: TrainingSet
    chosen: tuple[FeatureNote, ...]
    tuned: Model
    search: Search | None
    trained: Trained


def challenge(
    project: Project, model: Model, snapshot: Snapshot, found: TrainingSet, champion: Loaded | None
) -> Challenge:
    """Train on a training set, evaluate beside the champion, judge by the gates, record the version.

    All of it is one run of the trackers: begun before, and ended as finished, failed or killed.
    """
    columns, types = found.columns()
    name, notes = tables.training_set(model.name), notes_of(found, snapshot)
    version = project.records.replace(name, project.engine.relation(columns, types), notes=notes)
    with tracked(project, snapshot, found, version) as (told, run):
        lineage = _lineage(project, snapshot, found, version)
        learnt = _learn(project, snapshot, found, champion, lineage)
        measured = judge(of_evaluation(model.gates), Candidate(learnt.evaluation))
        versions.enter(project.engine, project.records, model, snapshot.as_of)
        tell(told, snapshot.as_of, learnt.trained, learnt.evaluation, lineage, learnt.grown)
        recorded = _record(project, snapshot, learnt, measured, lineage, told, run)
    judged = verdicts(project, model, recorded, snapshot.as_of)
    conclusion = conclude(judged, learnt.evaluation)
    calibrated = calibration_told(learnt.evaluation.uncalibrated, learnt.evaluation.metrics)
    warned = (calibrated,) if calibrated.startswith("warning") else ()
    conclusion = replace(conclusion, reasons=(*conclusion.reasons, *warned, *told.notes))
    if conclusion.action != REJECT:
        project.registry.aliases.challenge(model.name, recorded.number)
    return Challenge(recorded, learnt.evaluation, judged, conclusion)


def _lineage(project: Project, snapshot: Snapshot, found: TrainingSet, version: int) -> dict[str, Any]:
    return {
        "as_of": clock.from_micros(snapshot.as_of).isoformat(),
        "definition": codec.fingerprint(codec.encode(found.model)),
        "tables": snapshot.versions,
        "training_set": {"table": tables.training_set(found.model.name), "version": version, "rows": len(found)},
        "seed": project.settings.training.seed,
    }


def _learn(
    project: Project, snapshot: Snapshot, found: TrainingSet, champion: Loaded | None, lineage: dict[str, Any]
) -> Learnt:
    """Return a challenger and what it shows; what it was grown with is added to the lineage."""
    seed, model = project.settings.training.seed, found.model
    choose, shown = partial(choose_threshold, said=model.training), not project.is_replay
    every = found

    def fit() -> _Fit:
        kept, chosen = selected(project, every, choose)
        tuned, search = searched(project, kept.model, kept, snapshot.as_of, choose)
        trained = train(tuned, rows_of(kept), seed=seed, choose_threshold=choose, history=shown)
        return _Fit(kept, chosen, tuned, search, trained)

    # in a replay of several policies, those that train at the same moment train the same
    fitted = snapshot.once(("fit", definition_of(model)), fit)
    found, tuned, trained = as_declared(fitted.found, model), fitted.tuned, fitted.trained
    lineage |= {"parameters": tuned.estimator.parameters, "onnx_difference": trained.onnx_difference}
    evaluation = _evaluate(project, every, snapshot, found, trained, champion)
    said = reviewed(project, every, trained, fitted.chosen)
    evaluation = replace(evaluation, features=said)
    grown: dict[str, Any] = {"history": trained.grown.history, "search": fitted.search}
    if shown:
        evaluation = replace(evaluation, folds=backtested(tuned, found, seed, choose))
        grown["learning_curve"] = learnt_from(tuned, found, trained, evaluation.estimate, seed, choose)
    return Learnt(found, trained, evaluation, grown)


def draft(project: Project, snapshot: Snapshot, found: TrainingSet) -> tuple[Evaluation, tuple[Verdict, ...]]:
    """Return what a small model of scikit-learn shows on a training set, and what its gates say; nothing is recorded."""
    model = found.model
    training = replace(model.training, folds=0, select=None, learning_curve=False)
    quick = replace(model, estimator=DRAFT, tune=None, training=training)
    evaluation = _learn(project, snapshot, replace(found, model=quick), None, {}).evaluation
    # there is no champion beside it
    gates = [gate for gate in of_evaluation(model.gates) if gate.kind not in BETTER]
    return evaluation, judge(gates, Candidate(evaluation))


def _evaluate(
    project: Project,
    every: TrainingSet,
    snapshot: Snapshot,
    found: TrainingSet,
    trained: Trained,
    champion: Loaded | None,
) -> Evaluation:
    """Return what a challenger shows; `every` has all declared features, which rules may use, be they learnt from or not."""
    model, test, held = found.model, trained.split.test, trained.split.held_out
    rival = None
    if champion is not None and _same_question(champion.artifact.model, model):
        features = {name: values[test] for name, values in found.features.items()}
        if fingerprints(champion.artifact.model.inputs()) != fingerprints(model.inputs()):
            # the champion was built from other features, be they of the same names: compute those at the same rows
            keys, t = found.entity[test], found.t[test]
            rows, order = Observations.grouped(keys, t)
            computed = compute(champion.artifact.model.inputs(), snapshot, rows)
            back = np.argsort(order)
            features = {name: values[back] for name, values in computed.items()}
        rival = (champion.answer(features), champion.artifact.threshold)
    return evaluate(
        model,
        parts={"train": found.target[trained.split.train], "validation": found.target[trained.split.validation]},
        test=found.target[test],
        t=found.t[test],
        answers=trained.scores[test],
        threshold=trained.threshold,
        clusters=np.unique(found.entity[test].astype(str), return_inverse=True)[1],
        groups={
            column: found.features[name][test]
            for column, name in model.group_columns().items()
            if name in found.features
        },
        champion=rival,
        seed=project.settings.training.seed,
        rivals=rivals(every.model, every.features, found.target, trained.split.train, test),
        held_out=None if held is None else (found.target[held], trained.scores[held]),
        uncalibrated=trained.fitted.predict(trained.grown.matrix[test]) if trained.grown.calibration else None,
    )


def _record(
    project: Project,
    snapshot: Snapshot,
    learnt: Learnt,
    verdicts: Sequence[Verdict],
    lineage: dict[str, Any],
    told: Tracked,
    run: MlflowRun,
) -> Version:
    found, trained, evaluation, model = learnt.found, learnt.trained, learnt.evaluation, learnt.found.model
    seed = project.settings.training.seed
    left = snapshot.once(("left", definition_of(model)), lambda: _left(found, trained, seed))
    artifact = _artifact(found, trained, lineage, left.profile)
    judged = {**as_data(evaluation), "verdicts": as_data(verdicts)}
    files = left.files | {"evaluation.json": json.dumps(judged, indent=1).encode()}
    pages = explained(project, model, clock.show(snapshot.as_of), found, trained, evaluation, learnt.grown)
    files |= pages | left.foresight
    if PAGE in pages:
        told.files |= {f"figures/{name}.svg": svg for name, svg in pictures(pages[PAGE].decode()).items()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        digest = artifacts.write(artifact, files, folder)
        example = {name: values.tolist() for name, values in _first(found, trained, EXAMPLE_ROWS).items()}
        write_flavor(artifact, digest, snapshot.as_of, example, folder)
        if not project.is_replay:
            told.metrics |= time_answers(artifact, _first(found, trained, TIMED_ROWS), folder)
            told.metrics |= certified(snapshot, folder, digest, trained.grown.answers)
        return project.registry.record(run, told, folder, digest)


@dataclass(frozen=True)
class _Left:
    """What a fit leaves behind, whoever is champion: model files, what it estimates by, and its reference profile."""

    files: dict[str, bytes]
    foresight: dict[str, bytes]
    profile: dict[str, Any]


def _left(found: TrainingSet, trained: Trained, seed: int) -> _Left:
    return _Left(trained.files(), foresight_files(found, trained, seed), reference_of(found, trained).as_data())


def _first(found: TrainingSet, trained: Trained, count: int) -> dict[str, Column]:
    """Return the features of the first rows of the test."""
    rows = np.flatnonzero(trained.split.test)[:count]
    return {name: found.features[name][rows] for name in trained.features}


def _artifact(found: TrainingSet, trained: Trained, lineage: dict[str, Any], profile: dict[str, Any]) -> Artifact:
    model, grown, fitted = found.model, trained.grown, trained.split.fitted
    return Artifact(
        found.model,
        trained.features,
        grown.categories,
        trained.threshold,
        _plain(constant(model.task, found.target[fitted], model.training, len(model.labels))),
        lineage,
        profile,
        grown.calibration,
        grown.bounds.interval if grown.bounds else None,
    )


def _same_question(champion: Model, model: Model) -> bool:
    return comparable(champion, model) and measurable(champion, model.metric, model.training)


def _plain(found: NDArray[np.float64]) -> float | tuple[float, ...]:
    return float(found) if not found.ndim else tuple(found.tolist())
