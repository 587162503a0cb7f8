"""Load a version and let it answer for the observations of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.answers import Answers, score_of
from keepfit.artifact import Artifact, Predictor
from keepfit.artifact.folder import ONNX, QUANTILES
from keepfit.engines.protocol import Column, Observations
from keepfit.errors import ProjectError, RegistryError
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.metric import COST, METRICS
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow
from keepfit.spec.training import Training
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import current
from keepfit.stages.registry.version import Version

SCORE, TARGET = "score", "target"  # the columns of a profile that are the model's answer, and what happened
SCORE = "score"  # the column of a profile that is the model's answer
KEPT = 32
"""Versions, and definitions, of which a process keeps what it has read or worked out."""


@dataclass(frozen=True)
class Loaded:
    """A version ready to answer."""

    version: Version
    artifact: Artifact
    predictor: Predictor

    def answer(self, features: dict[str, Column]) -> Answers:
        """Return an answer to each row of feature columns."""
        return self.predictor.score(artifacts.encode(features, self.artifact.features, self.artifact.categories))


@dataclass(frozen=True)
class Scored:
    """The observations of a turn with the features and answers of one version."""

    by: Loaded
    observations: Observations
    features: dict[str, Column]
    answers: Answers

    @property
    def score(self) -> NDArray[np.float64]:
        """The score of each answer, shape (rows,)."""
        return score_of(self.answers)


def load(version: Version) -> Loaded:
    """Return a version's artifact, its files verified now, and its predictor."""
    if not version.digest:
        return Loaded(version, artifacts.read(version.folder), Predictor.load(version.folder))
    artifact, predictor, seals = _opened(version.folder, version.digest)
    artifacts.require_sealed(version.folder, seals)
    return Loaded(version, artifact, predictor)


@lru_cache(maxsize=KEPT)
def _opened(folder: Path, digest: str) -> tuple[Artifact, Predictor, dict[str, str]]:
    """Return what answers as a version does, and its files' digests: a replay asks for the same few again and again."""
    return artifacts.read(folder, digest), Predictor.load(folder), artifacts.seals(folder)


def files_of(artifact: Artifact, folder: Path) -> dict[str, bytes]:
    """Return the model files that answer, name -> content: the model, and the quantiles if an interval has learnt them."""
    interval = artifact.interval
    names = (ONNX, *(QUANTILES if interval is not None and interval.learnt else ()))
    return {name: (folder / name).read_bytes() for name in names}


def predictor_of(artifact: Artifact, files: Mapping[str, bytes]) -> Predictor:
    """Return what answers as a version does, by other model files of these names."""
    quantiles = [files[name] for name in QUANTILES if name in files]
    labels = len(artifact.model.labels)
    return Predictor(files[ONNX], artifact.calibration, artifact.interval, quantiles, labels)


def version_at(project: Project, model: Model, number: str, as_of: int) -> Version:
    """Return a version by its number.

    Raises
    ------
    RegistryError
        If there is none, or it was trained after as_of.
    """
    version = project.registry.version(model.name, number)
    if version.trained_at > as_of:
        raise RegistryError(
            f"version {number} of {model.name} was trained as of {clock.show(version.trained_at)}",
            where=f"--as-of {clock.show(as_of)}",
            fix="give a later --as-of",
        )
    return version


@lru_cache(maxsize=KEPT)
def changed(before: Model, now: Model) -> tuple[str, ...]:
    """Return the parts of a definition that make another model of it: observe, features, target, estimator, training."""
    # what `by=` learned is of a version, not of the definition
    old, new = (codec.encode(model.learned({}))["model"] for model in (before, now))
    parts = ("observe", "features", "target", "estimator", "training", "tune")
    return tuple(part for part in parts if old.get(part) != new.get(part))


def comparable(one: Model, other: Model) -> bool:
    """Return whether two models answer the same question: the same value of the same target at the same observations."""
    same_value = one.training.quantile == other.training.quantile
    return same_value and not {"observe", "target"} & set(changed(one, other))


def measurable(one: Model, metric: str, said: Training) -> bool:
    """Return whether a model answers what a metric needs: bounds of the same share, if it is one of bounds."""
    return not METRICS[metric].words or (one.training.interval == said.interval or METRICS[metric].name == COST)


def champion_at(project: Project, model: Model, as_of: int) -> Loaded | None:
    """Return the champion, ready to answer at as_of; None if nothing was promoted.

    Raises
    ------
    ProjectError
        If the champion was trained after as_of: it knows what had not happened yet.
    """
    version = project.registry.champion(model.name)
    if version is None:
        return None
    if version.trained_at > as_of:
        raise ProjectError(
            f"the champion of {model.name}, version {version.number}, was trained as of {clock.show(version.trained_at)},"
            f" after {clock.show(as_of)}",
            where="--as-of",
            fix="use `keepfit replay` to look at the past, or an --as-of from that moment on",
        )
    return load(version)


def require_champion(project: Project, model: Model, as_of: int) -> Loaded:
    """Return the champion, ready to answer at as_of.

    Raises
    ------
    RegistryError
        If nothing was promoted.
    """
    champion = champion_at(project, model, as_of)
    if champion is None:
        raise RegistryError(
            f"{model.name} has no champion yet",
            where=project.registry.uri,
            fix="run `keepfit run` until a version is promoted",
        )
    return champion


def answer(project: Project, by: Loaded, snapshot: Snapshot) -> Scored:
    """Return the version's answers at the snapshot's as_of, by the definition the version was built from."""
    model = by.artifact.model
    since = _predicted_until(project, model, snapshot.as_of) if isinstance(model.observe, EachRow) else None

    def computed() -> tuple[Observations, dict[str, Column]]:
        observations = current(model, snapshot, since)
        return observations, compute(model.inputs(), snapshot, observations)

    observations, features = snapshot.once(("answer", question(model), since), computed)
    return Scored(by, observations, features, by.answer(features))


@lru_cache(maxsize=KEPT)
def question(model: Model) -> str:
    """Return a fingerprint of what a model is asked: the observations, and the features that it answers by."""
    encoded = codec.encode(model)
    asked = {name: encoded["model"][name] for name in ("observe", "features", "kept") if name in encoded["model"]}
    return codec.fingerprint({"tables": encoded["tables"], **asked})


def _predicted_until(project: Project, model: Model, as_of: int) -> int | None:
    """Return the newest t before as_of that was predicted in a batch, by whichever version."""
    name = tables.PREDICTIONS.name
    if not project.records.exists(name):
        return None
    own = f"model = '{model.name}' and origin = 'batch' and t < make_timestamptz({as_of})"
    rows = project.engine.rows(
        project.records.parquet_files(name), f"{own} qualify row_number() over (order by t desc) = 1"
    )
    return int(rows[0]["t"]) if rows else None
