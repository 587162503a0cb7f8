"""What policies came to on the same past: their logged answers beside what happened, as known at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock, tables
from keepfit.answers import Answers, answers_from
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import (
    PROMOTE,
    ROLL_BACK,
    Advice,
    Contest,
    Costs,
    Estimate,
    PolicyOutcome,
    PolicyWindow,
)
from keepfit.measure.contest import efficient, mistakes, saving
from keepfit.measure.metrics import measure
from keepfit.measure.wording import number
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec.metric import METRICS
from keepfit.spec.model import Model
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import mature_until
from keepfit.steps.ledger import entries

HELD_BACK = 1 / 3
"""The share of the turns with known labels, the newest, that no policy is chosen by."""
FEWEST_TURNS = 6
"""Turns with known labels below which none are held back."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """A policy on trial: a model that declares it, in a project whose outcomes are its own (`Project.replaying`)."""

    name: str
    project: Project
    model: Model


@dataclass(frozen=True)
class _Answered:
    """One policy's answers, in the order of (entity, t)."""

    entity: Column
    t: NDArray[np.int64]
    answers: Answers
    threshold: Floats
    version: Column

    def at(self, places: NDArray[np.intp]) -> _Answered:
        answers, threshold = self.answers[places], self.threshold[places]
        return _Answered(self.entity[places], self.t[places], answers, threshold, self.version[places])


@dataclass(frozen=True)
class _Scored:
    """One policy on the rows that all of them answered; `errors` and `at`, the turn that answered, are of each row."""

    by: Contender
    windows: tuple[PolicyWindow, ...]
    errors: Floats
    at: NDArray[np.int64]
    trainings: tuple[int, ...]

    def cost(self, costs: Costs, rows: NDArray[np.bool_], first: int, until: int) -> float:
        """Return what the policy cost in a time: its trainings in `[first, until)`, and its mistakes on these rows."""
        trained = sum(first <= at < until for at in self.trainings)
        return costs.retrain * trained + costs.error * float(self.errors[rows].sum())


def contest(
    contenders: Sequence[Contender], snapshot: Snapshot, moments: Sequence[int], costs: Costs
) -> Contest | None:
    """Return how policies compare, by what is known at the snapshot's as_of; None if no answer has a label that is known.

    Parameters
    ----------
    contenders : sequence of Contender
        The first one is the reference.
    moments : sequence of int
        The turns, ascending, microseconds UTC.
    """
    model, seed = contenders[0].model, contenders[0].project.settings.training.seed
    found = _common([_answered(one, snapshot) for one in contenders])
    actual = _actual(model, snapshot, found[0])
    known = np.flatnonzero(~np.isnan(actual))
    if not len(known):
        return None
    found, actual = [one.at(known) for one in found], actual[known]
    scored = [_scored(one, told, actual, moments) for one, told in zip(contenders, found, strict=True)]
    codes = np.unique(found[0].entity.astype(str), return_inverse=True)[1].ravel()
    outcomes = _outcomes(scored, codes, costs, seed)
    recommended = min(outcomes, key=lambda one: (one.cost, len(one.trainings_at))).name
    advice = _advice(scored, found[0].t, codes, moments, costs, seed)
    told = _says(outcomes, recommended, advice, len(actual), model.metric, costs)
    reference = contenders[0].name
    return Contest(model.name, model.metric, costs, reference, len(actual), outcomes, recommended, advice, told)


def _answered(one: Contender, snapshot: Snapshot) -> _Answered:
    project, model, name = one.project, one.model, tables.PREDICTIONS.name
    wanted = ["entity", "t", "version", "threshold", "score", "low", "high", "scores"]
    files = project.records.parquet_files(name) if project.records.exists(name) else []
    until = mature_until(model, snapshot)
    own = f"model = '{model.name}' and origin = 'batch' and t <= make_timestamptz({until})"
    rows = project.engine.rows(files, f"{own} order by entity, t, cast(version as bigint)", wanted) if files else []
    # what a version could learn the label of is no prediction, and what was answered again later was answered before
    trained = {one.number: one.trained_at for one in project.registry.versions(model.name)}
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        if row["t"] > trained[row["version"]] - model.horizon:
            first.setdefault((row["entity"], row["t"]), row)
    kept = list(first.values())
    return _Answered(
        np.array([row["entity"] for row in kept], object),
        np.array([row["t"] for row in kept], np.int64),
        answers_from(model, kept),
        np.array([row["threshold"] for row in kept], np.float64),
        np.array([row["version"] for row in kept], object),
    )


def _common(every: Sequence[_Answered]) -> list[_Answered]:
    """Return the answers to the observations that every policy answered."""
    keys = [list(zip(one.entity.tolist(), one.t.tolist(), strict=True)) for one in every]
    shared = set(keys[0]).intersection(*keys[1:])
    places = [np.array([place for place, key in enumerate(own) if key in shared], np.intp) for own in keys]
    return [one.at(place) for one, place in zip(every, places, strict=True)]


def _actual(model: Model, snapshot: Snapshot, answered: _Answered) -> Floats:
    observations, order = Observations.grouped(answered.entity, answered.t)
    found: Floats = np.empty(len(answered.t))
    found[order] = compute([model.target], snapshot, observations)[model.target.name].astype(np.float64)
    return found


def _scored(one: Contender, answered: _Answered, actual: Floats, moments: Sequence[int]) -> _Scored:
    model = one.model
    errors = mistakes(model.task, actual, answered.answers, answered.threshold, model.training)
    # an answer is of the first turn at or after its t
    turns = np.minimum(np.searchsorted(np.asarray(moments), answered.t), len(moments) - 1)
    windows = []
    for turn in np.unique(turns):
        rows = np.flatnonzero(turns == turn)
        value = _value(model, answered.at(rows), actual[rows])
        windows.append(PolicyWindow(moments[turn], len(rows), value, float(errors[rows].sum())))
    at = np.asarray(moments)[turns]
    return _Scored(one, tuple(windows), errors, at, one.project.registry.trained_at(model.name))


def _value(model: Model, answered: _Answered, actual: Floats) -> float:
    """Return the metric of a window: the mean of its versions', weighted by rows, for each has a threshold of its own."""
    total, count = 0.0, 0
    for version in sorted(set(answered.version.tolist())):
        rows = np.flatnonzero(answered.version == version)
        threshold = float(answered.threshold[rows[0]])
        value = measure(model.metric, actual[rows], answered.answers[rows], threshold, model.training)
        if np.isfinite(value):
            total, count = total + value * len(rows), count + len(rows)
    return total / count if count else float("nan")


def _outcomes(scored: Sequence[_Scored], codes: NDArray[np.intp], costs: Costs, seed: int) -> tuple[PolicyOutcome, ...]:
    values = [_mean(one.windows) for one in scored]
    metric, reference = METRICS[scored[0].by.model.metric], scored[0]
    best = efficient([len(one.trainings) for one in scored], values, metric)
    return tuple(
        PolicyOutcome(
            name=one.by.name,
            says=str(one.by.model.policy),
            trainings_at=one.trainings,
            promotions_at=_moves(one.by, PROMOTE),
            roll_backs_at=_moves(one.by, ROLL_BACK),
            windows=one.windows,
            value=value,
            errors=float(one.errors.sum()),
            cost=costs.retrain * len(one.trainings) + costs.error * float(one.errors.sum()),
            saved=saving(
                costs.error * (reference.errors - one.errors),
                costs.retrain * (len(reference.trainings) - len(one.trainings)),
                codes,
                seed,
            ),
            efficient=frontier,
        )
        for one, value, frontier in zip(scored, values, best, strict=True)
    )


def _moves(one: Contender, action: str) -> tuple[int, ...]:
    return tuple(step.as_of for step in entries(one.project, one.model.name) if step.action == action)


def _mean(windows: Sequence[PolicyWindow]) -> float:
    """Return the mean of the windows' values, weighted by rows, of those where it is defined."""
    defined = [one for one in windows if np.isfinite(one.value)]
    rows = sum(one.rows for one in defined)
    return sum(one.value * one.rows for one in defined) / rows if rows else float("nan")


def _advice(
    scored: Sequence[_Scored],
    t: NDArray[np.int64],
    codes: NDArray[np.intp],
    moments: Sequence[int],
    costs: Costs,
    seed: int,
) -> Advice | None:
    """Return the policy that the older turns speak for, and what it cost more than the best one on the newest."""
    judged = [one.as_of for one in scored[0].windows]
    if len(judged) < FEWEST_TURNS or len(scored) < 2:
        return None
    until = judged[-max(1, round(len(judged) * HELD_BACK))]
    after = scored[0].at >= until
    # who chose at that moment knew these labels, and no others: what happened becomes known late
    known = ~after & (t + _late(scored[0].by.model) <= until)
    first, end = moments[0], moments[-1] + 1
    chosen = min(scored, key=lambda one: (one.cost(costs, known, first, until), len(one.trainings)))
    best = min(scored, key=lambda one: (one.cost(costs, after, until, end), len(one.trainings)))
    more = costs.error * (chosen.errors - best.errors)[after]
    trained = [sum(until <= at < end for at in one.trainings) for one in (chosen, best)]
    regret = saving(more, costs.retrain * (trained[0] - trained[1]), codes[after], seed)
    if chosen is best:
        regret = Estimate(0.0, 0.0, 0.0, int(after.sum()))
    return Advice(chosen.by.name, until, best.by.name, regret)


def _late(model: Model) -> int:
    """Return how long after its t a label is known, in microseconds."""
    delays = (clock.duration(table.known_after) for table in model.awaited() if table.known_after)
    return model.horizon + max(delays, default=0)


def _says(
    outcomes: Sequence[PolicyOutcome], recommended: str, advice: Advice | None, rows: int, metric: str, costs: Costs
) -> tuple[str, ...]:
    best = next(one for one in outcomes if one.name == recommended)
    priced = f"{number(costs.retrain)} for a training and {number(costs.error)} for an error"
    told = [
        f"at {priced}, {recommended!r} would have cost least on {rows:,} predictions: {number(best.cost)}"
        f" with {len(best.trainings_at)} training{'' if len(best.trainings_at) == 1 else 's'}, {metric} {number(best.value)}",
    ]
    reference = outcomes[0]
    if best.name != reference.name:
        sure = "" if best.saved.low > 0 else "; that may be chance"
        told.append(
            f"that is {number(best.saved.value)} less than {reference.name!r}"
            f" [{number(best.saved.low)}, {number(best.saved.high)}]{sure}"
        )
    if advice is not None:
        told.append(_held_back(advice))
    return tuple(told)


def _held_back(advice: Advice) -> str:
    until = clock.show(advice.chosen_until_at)
    if advice.policy == advice.best_later:
        return f"chosen by the turns before {until} it would have been {advice.policy!r}, which was the best from then on too"
    interval = f"[{number(advice.regret.low)}, {number(advice.regret.high)}]"
    return (
        f"chosen by the turns before {until} it would have been {advice.policy!r}; from then on {advice.best_later!r} cost least,"
        f" {number(advice.regret.value)} {interval} less"
    )
