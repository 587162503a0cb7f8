"""The parity certificate of a version: real rows, answered every way there is, and held against what a batch answers.

A batch is what `keepfit predict` does: features computed from the lake, all rows through ONNX at once. To have another way
certified, such as another file format, add it to `_ways`; a way from raw events goes beside `_requested`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit.answers import Answers
from keepfit.artifact import Artifact, Predictor
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import Parity, Route, as_data, parity_from
from keepfit.snapshot import Snapshot
from keepfit.spec.gates import EVENTS, FLOAT16, NATIVE, REQUEST, SINGLE
from keepfit.spec.model import Model
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import observe
from keepfit.stages.registry.evidence import measured
from keepfit.stages.registry.parity import Answered, compare, decided
from keepfit.stages.registry.version import Version
from keepfit.steps.answering import files_of, predictor_of
from keepfit.steps.requesting import requested

CERTIFICATE = "parity.json"
"""The certificate of a version, beside the files that its manifest has digests of."""
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


def certificate_of(version: Version) -> Parity | None:
    """Return the certificate of a version, None if there is none."""
    found = measured(version, CERTIFICATE)
    return parity_from(found) if found else None


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
    for name, way in _ways(artifact, predictor, folder, native).items():
        routes[name] = compare(model, entity, t, batch, _answered(artifact, way(matrix)))
    told, posted = requested(artifact, folder, digest, snapshot, sample.rows, batch)
    for name, own in ((REQUEST, ~posted), (EVENTS, posted)):
        if own.any():
            routes[name] = compare(model, entity[own], t[own], batch.keep(own), told.keep(own))
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


def _ways(artifact: Artifact, predictor: Predictor, folder: Path, native: Way | None) -> dict[str, Way]:
    """Return the ways from a matrix to answers; each is held against all rows through ONNX at once."""

    def single(matrix: NDArray[np.float32]) -> Answers:
        return np.concatenate([predictor.score(matrix[place : place + 1]) for place in range(len(matrix))])

    def float16(matrix: NDArray[np.float32]) -> Answers:
        from keepfit.stages.registry.export.float16 import quantised

        files = {name: quantised(content) for name, content in files_of(artifact, folder).items()}
        return predictor_of(artifact, files).score(matrix)

    return ({} if native is None else {NATIVE: native}) | {SINGLE: single, FLOAT16: float16}


def _answered(artifact: Artifact, answers: Answers, features: dict[str, Column] | None = None) -> Answered:
    decisions = decided(artifact.model, artifact.threshold, answers)
    return Answered(answers, decisions, {name: _sendable(values) for name, values in (features or {}).items()})


def _sendable(values: Column) -> Column:
    """Return a feature as an answer in JSON can hold it: what is not finite is null."""
    return values if values.dtype == object else np.where(np.isfinite(values), values, np.nan)
