"""The parity certificate of a version: real rows, answered every way there is, and held against what a batch answers.

A batch is what `keepfit predict` does: features computed from the lake, all rows through ONNX at once. To have another way
certified, such as another file format, add it to `_ways`; a way from raw events goes beside `_requested`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock
from keepfit.answers import BOUNDED, LABEL, SCORE, SCORES, Answers
from keepfit.artifact import Artifact, Pointer, Predictor
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import Parity, Route, as_data, parity_from
from keepfit.snapshot import Snapshot
from keepfit.spec.model import Model
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import observe
from keepfit.stages.registry.parity import Answered, compare, decided
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.sqlite import SQLiteStore

CERTIFICATE = "parity.json"
"""The certificate of a version, beside the files that its manifest has digests of."""
REQUEST, NATIVE, SINGLE = "request", "native", "single"
ROWS, MOMENTS = 1000, 3
"""How many rows are compared, of how many of the newest moments at least, if there are so many."""

Way = Callable[[NDArray[np.float32]], Answers]


@dataclass(frozen=True)
class Sample:
    """The rows of a certificate: some of the newest of all `population` rows that could be predicted until now."""

    rows: Observations
    population: int


def certified(snapshot: Snapshot, folder: Path, digest: str, native: Way | None = None) -> dict[str, float]:
    """Write the certificate of a version beside its files, and return what trackers show of it."""
    found = certificate(snapshot, folder, digest, native)
    (folder / CERTIFICATE).write_bytes(content_of(found))
    return shown(found)


def content_of(found: Parity) -> bytes:
    """Return a certificate as a file holds it."""
    return json.dumps(as_data(found), indent=1).encode()


def certificate_of(folder: Path) -> Parity | None:
    """Return the certificate in a version's folder, None if there is none."""
    path = folder / CERTIFICATE
    return parity_from(json.loads(path.read_bytes())) if path.is_file() else None


def shown(found: Parity) -> dict[str, float]:
    """Return a certificate as trackers show it: metric -> value."""
    return {
        f"parity/{name}_{what}": float(value)
        for name, one in found.routes.items()
        for what, value in (
            ("largest_difference", one.largest_difference),
            ("flipped", one.flipped),
            ("concerned", one.concerned),
            ("rows", one.rows),
        )
    }


def certificate(snapshot: Snapshot, folder: Path, digest: str, native: Way | None = None) -> Parity:
    """Answer real rows in a batch and every other way, and return what the others answer otherwise.

    Parameters
    ----------
    snapshot : Snapshot
        The rows are of moments until its as_of.
    folder, digest
        The version's artifact, and the digest of its manifest.
    native : callable, optional
        The library's own predictor, as one from a matrix [rows, features] to answers.
    """
    artifact, predictor = artifacts.read(folder, digest), Predictor.load(folder)
    model = artifact.model
    sample = drawn(model, snapshot)
    entity, t = sample.rows.keys(), sample.rows.t
    if not len(t):
        return Parity({})
    features = compute(model.inputs(), snapshot, sample.rows)
    matrix = artifacts.encode(features, artifact.features, artifact.categories)
    batch = _answered(artifact, predictor.score(matrix), features)
    routes: dict[str, Route] = {}
    for name, way in _ways(predictor, native).items():
        routes[name] = compare(model, entity, t, batch, _answered(artifact, way(matrix)))
    routes[REQUEST] = compare(
        model, entity, t, batch, _requested(artifact, folder, digest, snapshot, sample.rows, batch)
    )
    return Parity(routes, sample.population, int(t.min()), int(t.max()))


def drawn(model: Model, snapshot: Snapshot) -> Sample:
    """Return 1,000 of the newest observations, or all if there are fewer: drawn evenly from at least 3 moments."""
    found = observe(model, snapshot, until=snapshot.as_of)
    if len(found) <= ROWS:
        return Sample(found, len(found))
    moments = np.unique(found.t)
    first = min(np.partition(found.t, -ROWS)[-ROWS], moments[-MOMENTS:][0])
    newest = np.flatnonzero(found.t >= first)
    kept = np.zeros(len(found), bool)
    kept[newest[np.linspace(0, len(newest) - 1, ROWS).astype(np.int64)]] = True
    return Sample(found.keep(kept), len(found))


def _ways(predictor: Predictor, native: Way | None) -> dict[str, Way]:
    """Return the ways from a matrix to answers; each is held against all rows through ONNX at once."""

    def single(matrix: NDArray[np.float32]) -> Answers:
        return np.concatenate([predictor.score(matrix[place : place + 1]) for place in range(len(matrix))])

    return ({} if native is None else {NATIVE: native}) | {SINGLE: single}


def _answered(artifact: Artifact, answers: Answers, features: dict[str, Column] | None = None) -> Answered:
    decisions = decided(artifact.model, artifact.threshold, answers)
    return Answered(answers, decisions, {name: _sendable(values) for name, values in (features or {}).items()})


def _sendable(values: Column) -> Column:
    """Return a feature as an answer in JSON can hold it: what is not finite is null."""
    return values if values.dtype == object else np.where(np.isfinite(values), values, np.nan)


def _requested(
    artifact: Artifact, folder: Path, digest: str, snapshot: Snapshot, rows: Observations, batch: Answered
) -> Answered:
    """Return what the server answers for rows: raw events in an online store, features, decision, through the application.

    The store is filled as of the first of the rows: it holds what their windows reach, and what came after it.
    """
    from keepfit.stages.serving.app import create_app  # loads a web framework
    from keepfit.stages.serving.asking import ask

    model, key = artifact.model, artifact.model.observe.of.entity
    pairs = zip(rows.keys().tolist(), rows.t.tolist(), strict=True)
    bodies = [{key: entity, "at": clock.from_micros(t).isoformat()} for entity, t in pairs]
    with tempfile.TemporaryDirectory() as temporary:
        beside = Path(temporary)
        pointer = beside / "champion.json"
        artifacts.write_pointer(Pointer(model.name, "candidate", str(folder.resolve()), digest), pointer)
        with closing(SQLiteStore(beside / "online.db")) as store, closing(Outbox(beside / "outbox.db")) as outbox:
            publish([model], replace(snapshot, as_of=int(rows.t.min())), store)
            replies = ask(create_app(pointer, store, outbox, now=lambda: snapshot.as_of), bodies)
    return _told(model, [found if status == 200 else {"what": found.get("what")} for status, found in replies], batch)


def _told(model: Model, replies: Sequence[dict[str, Any]], batch: Answered) -> Answered:
    """Return the answers of a server as a batch has them; of a row that it refused, nothing but that."""
    answers = np.full(batch.answers.shape, np.nan)
    refused, decisions = "", None if batch.decisions is None else np.full(len(replies), -1)
    for place, reply in enumerate(replies):
        if SCORE not in reply:
            refused = refused or str(reply["what"])
            continue
        answers[place] = _numbers(model, reply)
        if decisions is not None:
            decisions[place] = model.labels.index(reply[LABEL]) if model.labels else reply["positive"]
    sent = [reply.get("features") for reply in replies]
    there = [name for name in batch.features if all(one is None or name in one for one in sent)]
    features = {name: _column(name, sent, batch.features[name]) for name in there}
    return Answered(answers, decisions, features, refused)


def _numbers(model: Model, reply: dict[str, Any]) -> Any:
    if model.labels:
        return [_number(reply[SCORES][label]) for label in model.labels]
    if model.training.interval is None:
        return _number(reply[SCORE])
    return [_number(reply[name]) for name in BOUNDED]


def _column(name: str, sent: Sequence[dict[str, Any] | None], batch: Column) -> Column:
    """Return a feature as a server computed it; of a row that it refused, the batch's value: it computed none."""
    values = [batch[place] if one is None else one[name] for place, one in enumerate(sent)]
    if batch.dtype == object or any(isinstance(value, str) for value in values):
        return np.array(values, object)
    return np.array([_number(value) for value in values], np.float64)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
