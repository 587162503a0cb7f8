"""What the commands beside `run` do: one stage of the loop at a time, or a look at it. Each returns plain values."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from keepfit import clock, loop, steps
from keepfit.errors import TrainingError
from keepfit.evidence import KEEP, PROMOTE, TRAIN, Turn
from keepfit.inspecting import described, ingested
from keepfit.project import Occupied, Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.model import Model
from keepfit.stages.features import leakage, versions
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.ingest import state, unread
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
    project.engine.save(project.engine.relation(columns, types), target)
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
