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
)
from keepfit.measure.bootstrap import paired_gain
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec.gates import APPROVAL
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.stages.features.compute import compute
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.performance import realised
from keepfit.stages.monitoring.profile import Profile
from keepfit.stages.registry.aliases import CHALLENGER
from keepfit.steps.answering import SCORE, Loaded, Scored, changed, comparable, load, measurable

ROWS_WINDOW = 30 * clock.DAY


def watch(project: Project, model: Model, snapshot: Snapshot, scored: Scored | None) -> Evidence:
    """Return what is known about the champion at as_of: drift of its inputs and answers, and how it turned out."""
    last, awaiting = project.registry.last_trained_at(model.name), _awaiting(project, model)
    if scored is None:
        return Evidence(snapshot.as_of, last_training_at=last, awaiting=awaiting)
    version = scored.by.version
    matured = _matured(project, scored.by, snapshot)
    return Evidence(
        as_of=snapshot.as_of,
        champion=Champion(version.number, version.trained_at, version.promoted_at, version.previous),
        last_training_at=last,
        realised=_realised(scored.by, matured),
        drift=_drift(scored),
        against_previous=_against_previous(project, scored.by, snapshot, matured, model.policy.probation),
        changed=changed(scored.by.artifact.model, model),
        awaiting=awaiting,
    )


def _awaiting(project: Project, model: Model) -> str | None:
    """Return the challenger, if it is a person who decides on it."""
    asked = any(gate.kind == APPROVAL for gate in model.gates)
    return project.registry.aliases.of(model.name).get(CHALLENGER) if asked and not project.is_replay else None


def _drift(scored: Scored) -> tuple[Drift, ...]:
    if not len(scored.observations):
        return ()
    reference = Profile.from_data(scored.by.artifact.profile)
    return drift(reference, {**scored.features, SCORE: watched(scored.by.artifact.model, scored.answers)})


@dataclass(frozen=True)
class _Matured:
    observations: Observations
    answers: Answers
    actual: NDArray[np.float64]


def _matured(project: Project, champion: Loaded, snapshot: Snapshot) -> _Matured | None:
    """Return the champion's newest matured answers with what really happened, or None if there are none."""
    rows = _newest_window(project, champion, snapshot)
    if not rows:
        return None
    keys = np.array([row["entity"] for row in rows], object)
    t = np.array([row["t"] for row in rows], np.int64)
    observations, order = Observations.grouped(keys, t)
    target = champion.artifact.model.target
    actual = compute([target], snapshot, observations)[target.name].astype(np.float64)
    answers = answers_from(champion.artifact.model, rows)[order]
    known = ~np.isnan(actual)
    return _Matured(observations.keep(known), answers[known], actual[known]) if known.any() else None


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
