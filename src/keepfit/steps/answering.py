"""Load a version and let it answer for the observations of a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit.artifact import Artifact, Predictor
from keepfit.engines.protocol import Column, Observations
from keepfit.snapshot import Snapshot
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import current
from keepfit.stages.registry.mlflow import Version

SCORE = "score"  # the column of a profile that is the model's answer


@dataclass(frozen=True)
class Loaded:
    """A version ready to answer."""

    version: Version
    artifact: Artifact
    predictor: Predictor

    def score(self, features: dict[str, Column]) -> NDArray[np.float64]:
        """Return a score for each row of feature columns."""
        return self.predictor.score(artifacts.encode(features, self.artifact.features, self.artifact.categories))


@dataclass(frozen=True)
class Scored:
    """The observations of a turn with the features and answers of one version."""

    by: Loaded
    observations: Observations
    features: dict[str, Column]
    score: NDArray[np.float64]


def load(version: Version) -> Loaded:
    """Return a version's artifact, verified, and its predictor."""
    return Loaded(version, artifacts.read(version.folder, version.digest), Predictor.load(version.folder))


def answer(by: Loaded, snapshot: Snapshot) -> Scored:
    """Return the version's answers at the snapshot's as_of, by the definition the version was built from."""
    model = by.artifact.model
    observations = current(model, snapshot)
    features = compute(model.features, snapshot, observations)
    return Scored(by, observations, features, by.score(features))
