"""Gather the evidence about a champion: drift of its inputs and answers, and how its predictions turned out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock, tables
from keepfit.answers import Answers, answers_from, watched
from keepfit.engines.protocol import Observations
from keepfit.evidence import (
    Champion,
    Drift,
    Estimate,
    Evidence,
    Realised,
    evaluation_from,
)
from keepfit.measure.bootstrap import paired_gain
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec.gates import APPROVAL
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.spec.policy import NewLabels
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import newly_mature
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.performance import realised
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.registry.aliases import CHALLENGER
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.version import Version
from keepfit.steps.answering import SCORE, Loaded, Scored, changed, comparable, load, measurable
from keepfit.steps.estimating import Foreseen, estimated_of, foresight_of
from keepfit.steps.ledger import entries

ROWS_WINDOW = 30 * clock.DAY


def watch(project: Project, model: Model, snapshot: Snapshot, scored: Scored | None) -> Evidence:
    """Return what is known about the champion at as_of: drift of its inputs and answers, and how it turned out."""
    trainings, awaiting = _trainings(project, model, snapshot.as_of), _awaiting(project, model)
    if scored is None:
        return Evidence(snapshot.as_of, trainings_at=trainings, awaiting=awaiting)
    version = scored.by.version
    foresight = foresight_of(scored.by)
    matured = _matured(project, scored.by, snapshot, foresight)
    return Evidence(
        as_of=snapshot.as_of,
        champion=Champion(version.number, version.trained_at, version.promoted_at, version.previous),
        trainings_at=trainings,
        new_labels=_new_labels(model, version, snapshot),
        realised=_realised(scored.by, matured),
        estimated=estimated_of(scored, foresight),
        drift=_drift(model, scored),
        against_previous=_against_previous(project, scored.by, snapshot, matured, model.policy.probation),
        changed=changed(scored.by.artifact.model, model),
        awaiting=awaiting,
    )


def _awaiting(project: Project, model: Model) -> str | None:
    """Return the challenger, if it is a person who decides on it."""
    asked = any(gate.kind == APPROVAL for gate in model.gates)
    return project.registry.aliases.of(model.name).get(CHALLENGER) if asked and not project.is_replay else None


def _trainings(project: Project, model: Model, as_of: int) -> tuple[int, ...]:
    """Return when versions were trained. One of a turn at as_of that was cut off does not count: the turn is run again."""
    trained = tuple(at for at in project.registry.trained_at(model.name) if at <= as_of)
    ended = any(one.as_of == as_of and one.about for one in entries(project, model.name)) if as_of in trained else True
    return trained if ended else tuple(at for at in trained if at != as_of)


def _new_labels(model: Model, champion: Version, snapshot: Snapshot) -> int | None:
    """Return how many labels the champion has not seen, if the policy asks."""
    if not any(isinstance(leaf, NewLabels) for leaf in model.policy.retrain.leaves()):
        return None
    found = evaluation_from(evidence_of(champion))
    seen = found.test_to_at if found else champion.trained_at - model.horizon
    fresh = newly_mature(model, snapshot, seen)
    return int(
        np.count_nonzero(~np.isnan(compute([model.target], snapshot, fresh)[model.target.name].astype(np.float64)))
    )


def _drift(model: Model, scored: Scored) -> tuple[Drift, ...]:
    """Return the drift of what was predicted now; the budget of false alarms is the one declared now."""
    if not len(scored.observations):
        return ()
    reference = Reference.from_data(scored.by.artifact.profile)
    rows = {**scored.features, SCORE: watched(scored.by.artifact.model, scored.answers)}
    alpha, t = model.watch.alpha(model.observe), int(scored.observations.t.max())
    return drift(reference, rows, alpha=alpha, t=t, score=SCORE)


@dataclass(frozen=True)
class _Matured:
    observations: Observations
    answers: Answers
    actual: NDArray[np.float64]
    estimated: dict[str, Estimate]


def _matured(project: Project, champion: Loaded, snapshot: Snapshot, foresight: Foreseen | None) -> _Matured | None:
    """Return the champion's newest matured answers with what really happened, or None if there are none."""
    rows = _newest_window(project, champion, snapshot)
    if not rows:
        return None
    keys = np.array([row["entity"] for row in rows], object)
    t = np.array([row["t"] for row in rows], np.int64)
    observations, order = Observations.grouped(keys, t)
    target = champion.artifact.model.target
    inputs = champion.artifact.model.inputs() if foresight is not None and foresight.reads_features else []
    columns = compute([target, *inputs], snapshot, observations)
    actual = columns.pop(target.name).astype(np.float64)
    answers = answers_from(champion.artifact.model, rows)[order]
    known = ~np.isnan(actual)
    if not known.any():
        return None
    kept, said = observations.keep(known), answers[known]
    features = {name: values[known] for name, values in columns.items()}
    expected = foresight.estimates(kept.t, said, features) if foresight is not None else {}
    return _Matured(kept, said, actual[known], expected)


def _newest_window(project: Project, champion: Loaded, snapshot: Snapshot) -> list[dict[str, Any]]:
    model, name = champion.artifact.model, tables.PREDICTIONS.name
    if not project.records.exists(name):
        return []
    end = min(snapshot.complete_until(table) for table in model.awaited()) - model.horizon
    # what the version could learn the label of is no prediction: its horizon must end after the training
    after = champion.version.trained_at - model.horizon
    # what is said of ready rows is of no entity: nothing shows how it turned out; nobody was told what a shadow says
    own = f"model = '{model.name}' and version = '{champion.version.number}' and origin not in ('rows', 'shadow')"
    own += f" and t > make_timestamptz({after}) and t <= make_timestamptz({end})"
    files = project.records.parquet_files(name)
    # a window is one moment of a grid with the requests since the one before, or the newest month of single rows
    grid = clock.Grid(model.observe.every).step - 1 if isinstance(model.observe, Every) else None
    length = max(model.horizon, ROWS_WINDOW) if grid is None else grid
    rows = project.engine.rows(files, f"{own} qualify t >= max(t) over () - to_microseconds({length})")
    latest = {(row["entity"], row["t"]): row for row in rows}
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
        matured.answers,
        found.threshold,
        np.asarray(found.training_base),
        found.model.training,
        matured.estimated,
    )


def _against_previous(
    project: Project, champion: Loaded, snapshot: Snapshot, matured: _Matured | None, probation: str
) -> Estimate | None:
    version, model = champion.version, champion.artifact.model
    on_probation = snapshot.as_of - version.promoted_at <= clock.duration(probation)
    if matured is None or version.previous is None or not on_probation:
        return None
    before_ = project.registry.version(model.name, version.previous)
    if before_.retired:  # it may not answer again
        return None
    previous = load(before_)
    # rows whose labels the predecessor could learn would flatter it, and answers to another question say nothing
    fair = matured.observations.t > previous.version.trained_at - model.horizon
    before = previous.artifact.model
    if not (comparable(before, model) and measurable(before, model.metric, model.training)) or not fair.any():
        return None
    rows = matured.observations.keep(fair)
    return paired_gain(
        model.metric,
        matured.actual[fair],
        matured.answers[fair],
        champion.artifact.threshold,
        previous.answer(compute(before.inputs(), snapshot, rows)),
        previous.artifact.threshold,
        clusters=rows.codes(),
        seed=project.settings.training.seed,
        said=model.training,
    )
