"""What a turn leaves behind: predictions, and what the server needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

import numpy as np

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.answers import columns_of
from keepfit.project import Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.stages.ingest import Ingested
from keepfit.stages.registry.version import Version
from keepfit.stages.serving.outbox import drain, forget
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.stores import open_store
from keepfit.steps.answering import Scored, answer, load
from keepfit.steps.ledger import column_of


def log_answers(
    project: Project, model: Model, snapshot: Snapshot, scored: Scored | None, champion: Version | None
) -> int:
    """Log the answers of a turn and return how many.

    The moment of a grid is answered by the champion after the turn. Rows that came since the last turn are answered by the
    champion of their time, `scored`: the new one was trained on them.
    """
    rows, same = 0, scored is not None and champion is not None and scored.by.version.number == champion.number
    if scored is not None and (same or not isinstance(model.observe, Every)):
        rows += log_predictions(project, scored)
    if champion is not None and not same:
        rows += log_predictions(project, answer(project, load(champion), snapshot))
    return rows


def known(model: Model, snapshot: Snapshot) -> int:
    """Return how many events of the model's tables are known."""
    return sum(snapshot.span(table)[0] for table in model.events())


def inputs_of(project: Project, snapshot: Snapshot) -> dict[str, int]:
    """Return table -> version of what a turn is decided on: what it reads of the lake, and what earlier turns left."""
    left = (tables.PREDICTIONS.name, tables.DECISIONS.name)
    own = {name: project.records.version(name) if project.records.exists(name) else -1 for name in left}
    return {tables.source(name): version for name, version in snapshot.versions.items()} | own


def rows_of(model: Model, snapshot: Snapshot, ingested: Sequence[Ingested], predicted: int) -> dict[str, int]:
    """Return the row counts of a turn: known, appended, quarantined, predicted."""
    return {
        "known": known(model, snapshot),
        "appended": sum(one.appended for one in ingested),
        "quarantined": sum(one.quarantined for one in ingested),
        "predicted": predicted,
    }


def nothing_predicted(model: Model, snapshot: Snapshot) -> tuple[str, ...]:
    """Return why there was no observation to predict, as far as the newest rows tell."""
    newest = {table.name: snapshot.span(table) for table in model.events()}
    told = ", ".join(f"{name} {clock.show(last)}" for name, (rows, _, last) in newest.items() if rows)
    return (
        f"nothing to predict: no entity is observed at {clock.show(snapshot.as_of)}; newest rows: {told or 'none'}",
    )


def log_predictions(project: Project, scored: Scored) -> int:
    """Append the version's answers to the prediction log and return how many there are; twice adds nothing."""
    version, observations, found = scored.by.version, scored.observations, scored.by.artifact
    if not len(observations):
        return 0
    keys, threshold = observations.keys(), np.full(len(observations), found.threshold)
    mark = f"{version.model}/{version.number}/"
    positive = np.full(len(keys), np.nan)
    if found.model.task == "classification":
        positive = (scored.answers >= threshold).astype(np.float64)
    columns = {
        "request_id": np.array([f"{mark}{key}/{t}" for key, t in zip(keys, observations.t, strict=True)], object),
        "model": np.full(len(keys), version.model, object),
        "version": np.full(len(keys), version.number, object),
        "entity": keys,
        "t": observations.t,
        **columns_of(found.model, scored.answers),
        "positive": positive,
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
        columns = {name: column_of([row[name] for row in batch.rows]) for name in tables.PREDICTIONS.columns}
        relation = project.engine.relation(columns, tables.PREDICTIONS.columns)
        project.records.append(tables.PREDICTIONS.name, relation, transaction=batch.transaction)
        moved += forget(outbox, batch.transaction)
    return moved


def publish_online(project: Project, name: str, versions: Iterable[Version | None], as_of: int) -> dict[str, int]:
    """Bring a model's online store to what the lake holds, for the definitions these versions were built from."""
    found = [artifacts.read(one.folder, one.digest).model for one in versions if one is not None]
    if not found:
        return {}
    tables_ = {table.name: table for model in found for table in model.tables()}
    snapshot = take(project.engine, project.lake, tables_.values(), as_of)
    files = project.serving(name)
    with closing(open_store(project.settings.serving.store, files.store, files.shared)) as store:
        return publish(found, snapshot, store)


def before(project: Project, name: str, version: Version | None) -> Version | None:
    """Return the predecessor of a version, which a roll back would give its place to."""
    if version is None or version.previous is None:
        return None
    return project.registry.version(name, version.previous)
