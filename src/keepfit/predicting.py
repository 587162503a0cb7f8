"""Answers in batches: of the current observations, of rows of ready features, of (entity, t) that a file names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from keepfit import clock, loop, steps
from keepfit.engines.protocol import Column
from keepfit.engines.ready import Parts
from keepfit.errors import SourceError
from keepfit.project import Occupied, Project
from keepfit.snapshot import take
from keepfit.spec.model import Model
from keepfit.steps import asked as asking
from keepfit.steps import scoring
from keepfit.steps.aside import Aside
from keepfit.steps.targets import Target

TYPES = {"O": "VARCHAR", "b": "BOOLEAN"}


def predict(
    project: Project, model: Model, as_of: int, target: Target | None, version: str | None = None
) -> dict[str, Any]:
    """Score the current observations, and write the answers to a target if one is named.

    The champion's answers go to the prediction log; those of a version that is asked for by its number do not.
    """
    if target is not None:
        _require(project, target)
    steps.require_expected(model, loop.ingest_all(project, as_of))
    by = _version(project, model, as_of, version)
    scored = steps.answer(project, by, take(project.engine, project.lake, model.tables(), as_of))
    if version is None:
        steps.log_predictions(project, scored)
    observations = scored.observations
    if target is not None:
        told = scoring.answered(by.artifact, scored.answers)
        with target.workplace() as folder:
            parts = project.engine.parts(folder)
            _add(parts, by, {"entity": observations.keys(), "t": observations.t, **told}, scored.features)
            target.write(project.engine, parts.rows())
    at = clock.show(int(observations.t.max())) if len(observations) else None
    return _said(by, model, as_of, len(observations), target) | {"t": at}


def predict_rows(
    project: Project, model: Model, as_of: int, rows: str, target: Target, *, bad: Path | None, version: str | None
) -> dict[str, Any]:
    """Score rows of ready features; see `keepfit.steps.scoring`. Nothing is logged: they are of no observation."""
    aside = _asides(project, target, rows, bad)
    by = _version(project, model, as_of, version)
    found = scoring.found(project.lake, rows)
    answered = scoring.score_rows(project.engine, by, found, Path(rows).name, target, aside)
    return _said(by, model, as_of, answered, target) | _aside(aside, bad)


def predict_asked(
    project: Project, model: Model, as_of: int, pairs: str, target: Target, *, bad: Path | None, version: str | None
) -> dict[str, Any]:
    """Score (entity, t) that a file names, with features as of each t; see `keepfit.steps.asked`. Nothing is logged.

    New files are ingested first. While another command is at work in the project, what it has ingested so far is read.
    """
    aside, rows = _asides(project, target, pairs, bad), scoring.found(project.lake, pairs)
    with suppress(Occupied), project.locked():
        steps.require_expected(model, loop.ingest_all(project, as_of))
    by = _version(project, model, as_of, version)
    own, name, count = by.artifact.model, Path(pairs).name, 0
    snapshot = take(project.engine, project.lake, own.tables(), as_of)
    with target.workplace() as folder, aside:
        read, parts = project.engine.ready(rows, name, folder / "read"), project.engine.parts(folder)
        aside.put(read.unread())
        for asked in asking.pieces(own, snapshot, read, name):
            aside.put(asked.wrong)
            features = asking.features_of(own, snapshot, asked)
            told = scoring.answered(by.artifact, by.answer(features))
            _add(parts, by, {own.observe.of.entity: asked.entities, "t": asked.t, **told}, features)
            count += len(asked)
        target.write(project.engine, parts.rows())
        aside.keep()
    return _said(by, model, as_of, count, target) | _aside(aside, bad)


def _require(project: Project, target: Target) -> None:
    """Refuse a target that cannot be written, or that lies among what keepfit keeps: answers in the place of a source table."""
    if target.path.resolve().is_relative_to(project.state.resolve()):
        what = f"{target.path.name} lies in the project's state, which is keepfit's own"
        raise SourceError(what, where=str(target.path), fix="name a place outside of it")
    target.require()


def _asides(project: Project, target: Target, rows: str, bad: Path | None) -> Aside:
    """Return where rows go that cannot be answered; refuses places that cannot be written, before anything is computed."""
    _require(project, target)
    places = [path.resolve() for path in (Path(rows), target.path, bad) if path is not None]
    if len(set(places)) < len(places):
        what = "rows, answers and rows that cannot be answered are in one place"
        raise SourceError(what, where=str(bad or target.path), fix="name another place")
    return Aside(bad, Path(rows).name, force=target.force)


def _version(project: Project, model: Model, as_of: int, number: str | None) -> steps.Loaded:
    if number is None:
        return steps.require_champion(project, model, as_of)
    return steps.load(steps.version_at(project, model, number, as_of))


def _add(parts: Parts, by: steps.Loaded, told: dict[str, Column], features: dict[str, Column]) -> None:
    scoring.require_free(by, list(features), by.artifact.model.name)
    found = {**told, **features}
    types = {name: TYPES.get(values.dtype.kind, "DOUBLE") for name, values in found.items()} | {"t": "TIMESTAMPTZ"}
    parts.add(found, scoring.stamps(by), types)


def _said(by: steps.Loaded, model: Model, as_of: int, rows: int, target: Target | None) -> dict[str, Any]:
    path = str(target.path) if target else None
    return {"model": model.name, "as_of": as_of, "version": by.version.number, "rows": rows, "path": path}


def _aside(aside: Aside, bad: Path | None) -> dict[str, Any]:
    return {"bad": aside.rows, "bad_path": str(bad) if bad else None}
