"""Gather the evidence about a champion: drift of its inputs and answers, and how its predictions turned out."""

from __future__ import annotations

from functools import partial

import numpy as np

from keepfit import clock
from keepfit.answers import happened, watched
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
from keepfit.spec.policy import NewLabels
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import newly_mature
from keepfit.stages.monitoring.concept import concept
from keepfit.stages.monitoring.drift import drift, importance
from keepfit.stages.monitoring.performance import realised
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.registry.aliases import CHALLENGER
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.version import Version
from keepfit.steps.answering import SCORE, TARGET, Loaded, Scored, changed, comparable, load, measurable
from keepfit.steps.apart import told
from keepfit.steps.arriving import arrivals, expectations
from keepfit.steps.estimating import Foreseen, estimated_of, foresight_of
from keepfit.steps.ledger import entries
from keepfit.steps.maturing import Matured, columns_of, matured
from keepfit.steps.serving import Served, health, served, skew

SIGNS = 0.1
"""Of the budget of false alarms: freshness and volume."""


def watch(project: Project, model: Model, snapshot: Snapshot, scored: Scored | None) -> Evidence:
    """Return what is known about the champion at as_of: drift of its inputs and answers, and how it turned out."""
    trainings, awaiting = _trainings(project, model, snapshot.as_of), _awaiting(project, model)
    if scored is None:
        return Evidence(snapshot.as_of, trainings_at=trainings, awaiting=awaiting)
    version = scored.by.version
    foresight = foresight_of(scored.by)
    answered = served(project, scored, snapshot.as_of)
    bound, slight = _share(model, scored.by, foresight, answered)
    every = matured(project, scored.by, snapshot, features=foresight is not None and foresight.reads_features)
    newest = every and every.part(every.newest)
    found = _drift(project, model, scored, every, foresight, bound)
    signs = (*arrivals(model, snapshot, slight), *expectations(project, model, snapshot.as_of))
    if answered is not None:
        found += skew(answered, bound) if answered.many else ()
        signs += health(answered, scored)
    return Evidence(
        as_of=snapshot.as_of,
        champion=Champion(version.number, version.trained_at, version.promoted_at, version.previous),
        trainings_at=trainings,
        new_labels=_new_labels(model, version, snapshot),
        realised=_realised(scored.by, newest, foresight, snapshot),
        estimated=estimated_of(scored, foresight, snapshot),
        drift=tuple(sorted(found, key=importance)),
        signs=signs,
        against_previous=_against_previous(project, scored.by, snapshot, newest, model.policy.probation),
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


def _share(model: Model, champion: Loaded, foresight: Foreseen | None, answered: Served | None) -> tuple[float, float]:
    """Return the chance of a false alarm that each test of drift may have, and each sign.

    The budget is the one declared now. A tenth of it is for signs: a table that stops coming is no matter of doubt. The rest is
    shared evenly by the columns, those of requests if there are any, and what inputs mean.
    """
    alpha, signs = model.watch.alpha(model.observe), 2 * len(model.events())
    tests = len(champion.artifact.profile) + (foresight is not None) + model.watch.multivariate
    tests += len(answered.features) if answered and answered.many else 0
    return (1 - SIGNS) * alpha / tests, SIGNS * alpha / max(signs, 1)


def _drift(
    project: Project, model: Model, scored: Scored, every: Matured | None, foresight: Foreseen | None, bound: float
) -> tuple[Drift, ...]:
    """Return the drift of what was predicted now, and of what happened in the newest window whose labels have matured."""
    reference, own = Reference.from_data(scored.by.artifact.profile), scored.by.artifact.model
    grid, share = model.watch.grid(model.observe), partial(drift, reference, alpha=bound, tests=1)
    found: tuple[Drift, ...] = ()
    if len(scored.observations):
        rows = {**scored.features, SCORE: watched(own, scored.answers)}
        found = share(rows, t=int(scored.observations.t.max()))
    if every is not None:
        # as long as the windows that its past was cut into
        t = every.observations.t
        last = t > t.max() - grid.step
        found += share({TARGET: happened(own, every.actual[last])}, t=int(t.max()))
        if foresight is not None:
            found += (_concept(every, foresight, grid, bound),)
    if model.watch.multivariate and (apart := told(project, model, scored, bound)) is not None:
        found += (apart,)
    return found


def _concept(every: Matured, foresight: Foreseen, grid: clock.Grid, bound: float) -> Drift:
    """Return whether inputs mean what they meant, by the newest matured window and by all of the version's."""
    t, newest = every.observations.t, every.part(every.newest)
    starts = np.array(grid.moments(grid.at_or_before(int(t.min())), int(t.max())), np.int64)
    window = np.unique(np.searchsorted(starts, t, side="right"), return_inverse=True)[1].ravel()
    last, sequence = (
        foresight.surprises(one.observations.t, one.answers, one.features, one.actual, place)
        for one, place in ((newest, np.zeros(len(newest.actual), np.intp)), (every, window))
    )
    return concept(last, sequence, bound)


def _realised(
    champion: Loaded, matured: Matured | None, foresight: Foreseen | None, snapshot: Snapshot
) -> Realised | None:
    if matured is None:
        return None
    found, rows, answers = champion.artifact, matured.observations, matured.answers
    expected = foresight.once(snapshot, rows, answers, matured.features) if foresight is not None else {}
    return realised(
        found.model.task,
        champion.version.number,
        rows.t,
        matured.actual,
        answers,
        found.threshold,
        np.asarray(found.training_base),
        found.model.training,
        expected,
    )


def _against_previous(
    project: Project, champion: Loaded, snapshot: Snapshot, matured: Matured | None, probation: str
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
        previous.answer(columns_of(previous, before.inputs(), snapshot, rows)),
        previous.artifact.threshold,
        clusters=rows.codes(),
        seed=project.settings.training.seed,
        said=model.training,
    )
