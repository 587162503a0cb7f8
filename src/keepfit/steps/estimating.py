"""What a version needs to estimate how it does before labels mature: learnt at its training, used when it is watched.

Classifications are told by their scores (`keepfit.stages.monitoring.confidence`), predicted values by a small model of their errors
(`keepfit.stages.monitoring.losses`). No row is looked at that the answering model learnt from: of the test rows it is the version
itself that answers, of the validation rows before them the model that stopped early on these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock
from keepfit.answers import Answers, score_of
from keepfit.artifact import Artifact
from keepfit.artifact.folder import ESTIMATION, LOSS
from keepfit.artifact.predictor import Session
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import Estimate, Estimated
from keepfit.measure.between import FEWEST, windows
from keepfit.measure.expected import Possible, foreseen
from keepfit.snapshot import Snapshot
from keepfit.spec.estimators import HistGradientBoosting
from keepfit.spec.model import REGRESSION, Model
from keepfit.spec.observe import Every
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.monitoring.confidence import Confidence, learn_confidence, possible_labels
from keepfit.stages.monitoring.estimation import estimated, estimates
from keepfit.stages.monitoring.losses import Losses, learn_losses, possible_values, target_of
from keepfit.stages.monitoring.surprise import Surprises, of_labels, of_values
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.training.estimators import Fitted, Rows, Task, find
from keepfit.stages.training.train import Trained
from keepfit.steps.answering import SCORE, Loaded, Scored
from keepfit.steps.building import definition_of

ROWS_WINDOW = 30 * clock.DAY
"""Microseconds that make a window of single rows; of a grid, each moment is one."""
MOST_ROWS, BLOCKS = 10_000, 2
"""Rows of a part that are looked at; of more, as many, evenly drawn."""
SMALL = HistGradientBoosting(max_iter=60, max_leaf_nodes=8, learning_rate=0.1, min_samples_leaf=40)
"""The model of losses. The answering model's own library may not be one that learns a number."""


@dataclass(frozen=True)
class _Held:
    """Rows that the answering model did not learn from, in the order of time; `test` marks those of the test."""

    t: NDArray[np.int64]
    actual: NDArray[np.float64]
    scores: Answers
    matrix: NDArray[np.float32]
    clusters: NDArray[np.intp]
    test: NDArray[np.bool_]

    def part(self, rows: NDArray[Any]) -> _Held:
        """Return some of the rows."""
        return _Held(*(values[rows] for values in vars(self).values()))


def foresight_files(found: TrainingSet, trained: Trained, seed: int) -> dict[str, bytes]:
    """Return what a version carries to estimate its metrics by, file name -> content; nothing of too few test rows."""
    if trained.split.test.sum() < FEWEST:
        return {}
    length, held = _window(found.model), _held(found, trained)
    if found.model.task != REGRESSION:
        places = windows(held.t, length)
        learnt = learn_confidence(held.actual, held.scores, held.clusters, places, held.test)
        return {ESTIMATION: _json({"labels": [one.as_data() for one in learnt], "window": length})}
    losses, model = _losses(found.model, trained, held, length, seed)
    return {ESTIMATION: _json({"losses": losses.as_data(), "window": length}), LOSS: model.onnx()}


def _window(model: Model) -> int:
    return 0 if isinstance(model.observe, Every) else max(model.horizon, ROWS_WINDOW)


def _held(found: TrainingSet, trained: Trained) -> _Held:
    before, test = (_some(np.flatnonzero(part)) for part in (trained.split.validation, trained.split.test))
    scores = np.concatenate([trained.grown.validated(before), _served(found.model, trained.scores[test])])
    rows = np.concatenate([before, test])
    clusters = np.unique(found.entity[rows].astype(str), return_inverse=True)[1].ravel()
    return _Held(
        found.t[rows], found.target[rows], scores, trained.grown.matrix[rows], clusters, trained.split.test[rows]
    )


def _some(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return at most `MOST_ROWS` of some rows, evenly drawn."""
    return rows if len(rows) <= MOST_ROWS else rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.intp)]


def _served(model: Model, answers: Answers) -> Answers:
    return answers if model.labels else score_of(answers)


def _losses(model: Model, trained: Trained, held: _Held, length: int, seed: int) -> tuple[Losses, Fitted]:
    """Return what errors are like, and the model that says how large each is to be expected.

    What it says of a block of the test is also told by a model that learnt from what was over before that block began: how far
    windows lie off is measured there, where nothing flatters.
    """
    error, matrix = held.actual - held.scores, _beside(held.matrix, held.scores)
    task = Task(REGRESSION, (*trained.features, SCORE), trained.grown.categories, SMALL.parameters, seed, SMALL.of)

    fit = find(SMALL.kind)

    def learn(rows: NDArray[np.bool_]) -> Fitted:
        return fit(task, Rows(matrix[rows], target_of(error[rows])), None)

    whole = learn(np.ones(len(error), bool))
    test = np.flatnonzero(held.test)
    before = np.empty(len(test))
    for block in _blocks(held.t[test]):
        rows = test[block]
        earlier = held.t + model.horizon <= held.t[rows].min()
        enough = earlier if earlier.sum() >= FEWEST else ~held.test
        before[block] = learn(enough).predict(matrix[rows])
    return learn_losses(error[test], whole.predict(matrix[test]), before, windows(held.t[test], length)), whole


def _blocks(t: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the places of rows in some blocks of about as many moments."""
    places = np.unique(t, return_inverse=True)[1].ravel()
    block = places * BLOCKS // (int(places.max()) + 1)
    return [np.flatnonzero(block == one) for one in np.unique(block)]


def _beside(matrix: NDArray[np.float32], score: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what the model of losses reads: the features, and the prediction."""
    return np.column_stack([matrix, score]).astype(np.float32)


@dataclass(frozen=True)
class Foreseen:
    """A version with what it estimates its metrics by; `seal` is the digest of the files that hold it."""

    by: Artifact
    window: int
    labels: tuple[Confidence, ...] = ()
    losses: tuple[Losses, Session] | None = None
    seal: str = ""

    @property
    def reads_features(self) -> bool:
        """Whether it looks at the features of rows, not at their answers alone."""
        return self.losses is not None

    def estimates(self, t: NDArray[np.int64], answers: Answers, features: Mapping[str, Column]) -> dict[str, Estimate]:
        """Return what is to be expected of answers at some moments, each metric with its interval."""
        found = self.by
        possible = self._possible(t, answers, features)
        names = foreseen(found.model.task, found.model.training)
        return estimates(names, possible, answers, found.threshold, found.model.training)

    def surprises(
        self,
        t: NDArray[np.int64],
        answers: Answers,
        features: Mapping[str, Column],
        actual: NDArray[np.float64],
        window: NDArray[np.intp],
    ) -> Surprises:
        """Return what came out of windows beside what was to be expected of them; `window` counts from 0, none is empty."""
        first, last = np.full((2, int(window.max()) + 1), t[0])
        np.minimum.at(first, window, t)
        np.maximum.at(last, window, t)
        wider = np.maximum(1.0, self.window / np.maximum(last - first, 1)) ** 0.5
        if self.losses is None:
            return of_labels(self.labels, answers, actual, window, wider)
        return of_values(self.losses[0], answers, self._told(answers, features), actual, window, wider)

    def _told(self, answers: Answers, features: Mapping[str, Column]) -> NDArray[np.float64]:
        """Return what the model of losses says of rows."""
        assert self.losses is not None
        matrix = artifacts.encode(features, self.by.features, self.by.categories)
        return np.asarray(self.losses[1](_beside(matrix, score_of(answers))), np.float64)

    def once(
        self, snapshot: Snapshot, rows: Observations, answers: Answers, features: Mapping[str, Column]
    ) -> dict[str, Estimate]:
        """Return the same; policies whose versions answer alike and estimate alike share it."""
        answered = hashlib.sha256(answers.tobytes()).hexdigest()
        key = (definition_of(self.by.model), self.by.threshold, self.seal, seal_of(rows), answered)
        return snapshot.once(("estimates", *key), lambda: self.estimates(rows.t, answers, features))

    def _possible(
        self, t: NDArray[np.int64], answers: Answers, features: Mapping[str, Column]
    ) -> Callable[[Any, np.random.Generator | None], Possible]:
        # a window shorter than those that were seen has less time for its luck to even out
        wider = max(1.0, self.window / max(int(np.ptp(t)), 1)) ** 0.5 if self.window else 1.0
        if self.losses is None:
            return lambda rows, random: possible_labels(self.labels, answers[rows], random, wider)
        learnt, told = self.losses[0], self._told(answers, features)
        return lambda rows, random: possible_values(learnt, answers[rows], told[rows], random, wider)


def foresight_of(loaded: Loaded) -> Foreseen | None:
    """Return a version with what it estimates by; None if it carries nothing: an earlier keepfit trained it, or on few rows."""
    folder, digest = loaded.version.folder, loaded.version.digest
    written = {name: artifacts.verified(folder, name, digest) for name in (ESTIMATION, LOSS)}
    return foreseen_by(loaded.artifact, {name: content for name, content in written.items() if content is not None})


def foreseen_by(artifact: Artifact, files: Mapping[str, bytes]) -> Foreseen | None:
    """Return a version with what these files of it estimate by; None without them."""
    if ESTIMATION not in files:
        return None
    data, seal = (
        json.loads(files[ESTIMATION]),
        hashlib.sha256(b"".join(files[one] for one in sorted(files))).hexdigest(),
    )
    if "labels" in data:
        return Foreseen(artifact, data["window"], tuple(Confidence.of(one) for one in data["labels"]), seal=seal)
    return Foreseen(artifact, data["window"], losses=(Losses.of(data["losses"]), Session(files[LOSS])), seal=seal)


def seal_of(rows: Observations) -> str:
    """Return a digest of the entities and moments of observations."""
    told = (json.dumps(rows.entities.tolist()).encode(), rows.offsets.tobytes(), rows.t.tobytes())
    return hashlib.sha256(b"\0".join(told)).hexdigest()


def estimated_of(scored: Scored, foresight: Foreseen | None, snapshot: Snapshot) -> Estimated | None:
    """Return what is to be expected of a turn's answers; None of none, or if the version carries nothing to estimate by."""
    if foresight is None or not len(scored.observations):
        return None
    found = foresight.once(snapshot, scored.observations, scored.answers, scored.features)
    trained = evidence_of(scored.by.version).get("metrics", {})
    baseline = {name: value for name, value in trained.items() if value is not None}
    version, model = scored.by.version.number, scored.by.artifact.model
    return estimated(version, model.metric, scored.observations.t, found, baseline)


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True).encode()
