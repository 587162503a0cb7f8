"""What the commands beside `run` do: one stage of the loop at a time, or a look at it. Each returns plain values."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from keepfit import clock, loop, steps
from keepfit.answers import columns_of
from keepfit.errors import ProjectError, RegistryError, TrainingError
from keepfit.evidence import KEEP, PROMOTE, TRAIN, Evidence, Turn
from keepfit.inspecting import described, ingested
from keepfit.project import Occupied, Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.spec.policy import MetricBelow
from keepfit.stages.features import leakage, versions
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.ingest import state, unread
from keepfit.stages.reports.replay import write_replay
from keepfit.stages.retraining import decide
from keepfit.stages.training.split import split, trains_until
from keepfit.steps.tracking import tracked
from keepfit.stopwatch import Stopwatch


def _snapshot(project: Project, model: Model, as_of: int) -> Snapshot:
    return take(project.engine, project.lake, model.tables(), as_of)


def plan(project: Project, model: Model, as_of: int) -> dict[str, Any]:
    """Return what a turn would read, compute and decide, without doing it."""
    change = versions.difference(project.engine, project.records, model)
    found: dict[str, Any] = {
        "as_of": as_of,
        "model": model.name,
        "ingest": unread(project.engine, project.lake, project.sources, project.definitions.tables),
        "features": described(model),
        "feature_set": change,
        "target": model.target.name,
        "gates": [gate.name for gate in model.gates],
        "champion": None,
        "decision": "retrain",
        "reasons": ["nothing has been ingested yet"],
    }
    if ingested(project, model):
        snapshot = _snapshot(project, model, as_of)
        champion = steps.champion_at(project, model, as_of)
        answers = steps.answer(project, champion, snapshot) if champion else None
        decision = decide(steps.watch(project, model, snapshot, answers), model.policy)
        found |= {
            "champion": champion and champion.version.number,
            "decision": decision.action,
            "reasons": list(decision.reasons),
        }
    broken = state(project.engine, project.lake, project.definitions.tables, as_of)
    quality = steps.judged(model, broken)
    if quality.blocked:
        found |= {"decision": KEEP, "reasons": list(quality.blocked)}
    return found | {"reasons": [*found["reasons"], *quality.warned], "blocked": bool(quality.blocked)}


def check_leakage(project: Project, model: Model, as_of: int, sample: int) -> dict[str, Any]:
    """Return what each test for leaks compared and found on the rows ingested so far; changes nothing."""
    seed = project.settings.training.seed
    parts, until = partial(split, test=model.tested), partial(trains_until, test=model.tested)
    material = leakage.gathered(model, _snapshot(project, model, as_of), parts, until, sample, seed)
    tests = leakage.prove(material)
    return {"model": model.name, "as_of": as_of, "alarms": sum(test.alarms for test in tests), "tests": tests}


def replay(
    project: Project,
    model: Model,
    start: int | None,
    end: int,
    every: str,
    *,
    listen: Callable[[Turn], None] = lambda turn: None,
) -> dict[str, Any]:
    """Run the loop over the past beside production, and return the turns and the path of a report."""
    moments = loop.moments_of(project, start, end, every)
    if not moments:
        raise ProjectError(
            "there is no turn between the first event and the end", fix="give an earlier --from or a later --to"
        )
    # replays of two definitions stand side by side
    definition = codec.fingerprint(codec.encode(model))[:8]
    name = f"{model.name}_{clock.show(moments[0])}_{clock.show(moments[-1])}_{definition}".replace(":", "")
    beside = project.replaying(name)
    shutil.rmtree(beside.outcomes, ignore_errors=True)
    turns = loop.replay(beside, model, moments, listen=listen)
    bounds = [
        leaf.threshold
        for leaf in model.policy.retrain.leaves()
        if isinstance(leaf, MetricBelow) and leaf.metric == model.metric
    ]
    report = write_replay(
        turns,
        project.folder / "reports" / f"replay_{name}.html",
        title=f"{model.name}: {clock.show(moments[0])} to {clock.show(moments[-1])}",
        metric=model.metric,
        threshold=bounds[0] if bounds else None,
    )
    return {"model": model.name, "metric": model.metric, "turns": turns, "report": str(report)}


def train(project: Project, model: Model, as_of: int) -> dict[str, Any]:
    """Train, judge and record a challenger at as_of, whatever the policy says; nothing is promoted.

    Raises
    ------
    BlockedError
        If a table that the model reads is not as expected.
    TrainingError
        If nothing can be trained on what is mature.
    """
    watch = Stopwatch(as_of, model.name, project.stages)
    snapshot, found = _trainable(project, model, as_of, watch, recorded=True)
    champion = steps.champion_at(project, model, as_of)
    steps.require_no_later_move(project, model.name, as_of)
    with watch.stage("train") as stage:
        made = steps.challenge(project, model, snapshot, found, champion)
        stage.rows(len(found), made.evaluation.rows["test"])
    steps.write_ledger(project, _trained(model, as_of, made, champion))
    return {
        "model": model.name,
        "as_of": as_of,
        "version": made.version.number,
        "evaluation": made.evaluation,
        "verdicts": made.verdicts,
        "conclusion": made.conclusion,
    }


def _trained(model: Model, as_of: int, made: steps.Challenge, champion: steps.Loaded | None) -> Turn:
    """Return a training by hand as a step of the ledger: what passes its gates is a challenger, and nothing is promoted."""
    action = TRAIN if made.conclusion.action == PROMOTE else made.conclusion.action
    failed = tuple(verdict.reason for verdict in made.verdicts if not verdict.passed)
    return Turn(
        model.name,
        as_of,
        action,
        failed or made.conclusion.reasons,
        rows={},
        champion=steps.facts(champion.version if champion else None),
        challenger=steps.facts(made.version),
        evaluation=made.evaluation,
        verdicts=made.verdicts,
    )


def draft(project: Project, model: Model, as_of: int) -> dict[str, Any]:
    """Train as `train` does, with a small estimator in the place of the declared one, and record nothing of it.

    For whoever works on a definition: no search, no folds, no registry. What a feature is worth shows in seconds.
    """
    watch = Stopwatch(as_of, model.name, project.stages)
    snapshot, found = _trainable(project, model, as_of, watch)
    with watch.stage("train") as stage:
        evaluation, verdicts = steps.draft(project, snapshot, found)
        stage.rows(len(found), evaluation.rows["test"])
    return {"model": model.name, "as_of": as_of, "version": None, "evaluation": evaluation, "verdicts": verdicts}


def _trainable(
    project: Project, model: Model, as_of: int, watch: Stopwatch, *, recorded: bool = False
) -> tuple[Snapshot, TrainingSet]:
    """Return what a training reads and learns from; where there is too little, a run marked FAILED says so if it is recorded."""
    steps.require_expected(model, loop.ingest_all(project, as_of, watch=watch))
    snapshot = _snapshot(project, model, as_of)
    with watch.stage("features") as stage:
        found, reason = steps.build(project, model, snapshot)
        stage.rows(steps.known(model, snapshot), len(found))
    if reason:
        with tracked(project, snapshot, found) if recorded else nullcontext():
            raise TrainingError(
                f"{model.name} cannot be trained: {reason}",
                where=f"as of {clock.show(as_of)}",
                fix="wait for more history, or load an older past",
            )
    return snapshot, found


def watch(project: Project, model: Model, as_of: int) -> Evidence:
    """Return the evidence about the champion at as_of.

    Raises
    ------
    RegistryError
        If there is no champion to watch.
    """
    loop.ingest_all(project, as_of)
    snapshot = _snapshot(project, model, as_of)
    steps.collect_requests(project, model)
    return steps.watch(project, model, snapshot, steps.answer(project, _champion(project, model, as_of), snapshot))


def predict(project: Project, model: Model, as_of: int, target: Path | None) -> dict[str, Any]:
    """Score the current observations with the champion, log the answers, and write them to a file if one is named."""
    steps.require_expected(model, loop.ingest_all(project, as_of))
    champion = _champion(project, model, as_of)
    scored = steps.answer(project, champion, _snapshot(project, model, as_of))
    rows = steps.log_predictions(project, scored)
    if target is not None:
        columns = {
            "entity": scored.observations.keys(),
            "t": scored.observations.t,
            **columns_of(champion.artifact.model, scored.answers),
            **scored.features,
        }
        project.engine.write_file(columns, _types(columns), target)
    return {
        "model": model.name,
        "as_of": as_of,
        "version": champion.version.number,
        "rows": rows,
        "t": clock.show(int(scored.observations.t.max())) if rows else None,
        "path": str(target) if target else None,
    }


def dataset(project: Project, model: Model, as_of: int, target: Path) -> dict[str, Any]:
    """Write the training set as of a moment to a Parquet or CSV file.

    New files are ingested first. While another command is at work in the project, what it has ingested so far is read instead.
    """
    ingested_first = True
    try:
        with project.locked():
            loop.ingest_all(project, as_of)
    except Occupied:
        ingested_first = False
    snapshot = _snapshot(project, model, as_of)
    found, _ = steps.build(project, model, snapshot)
    columns, types = found.columns()
    project.engine.write_file(columns, types, target)
    return {
        "model": model.name,
        "as_of": as_of,
        "path": str(target),
        "rows": len(found),
        "features": len(found.features),
        "from": clock.show(int(found.t[0])) if len(found) else None,
        "to": clock.show(int(found.t[-1])) if len(found) else None,
        "tables": snapshot.versions,
        "ingested": ingested_first,
    }


def _types(columns: dict[str, Any]) -> dict[str, str]:
    types = {name: "VARCHAR" if values.dtype == object else "DOUBLE" for name, values in columns.items()}
    return {**types, "t": "TIMESTAMPTZ"}


def _champion(project: Project, model: Model, as_of: int) -> steps.Loaded:
    champion = steps.champion_at(project, model, as_of)
    if champion is None:
        raise RegistryError(
            f"{model.name} has no champion yet",
            where=project.registry.uri,
            fix="run `keepfit run` until a version is promoted",
        )
    return champion
