"""The champion: a version loaded whole, warmed, and swapped by one assignment while requests go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact
from keepfit.answers import BOUNDS, chosen, score_of
from keepfit.artifact import Artifact, Pointer, Predictor
from keepfit.artifact.folder import TREES
from keepfit.errors import RequestError, ServingError
from keepfit.measure.forest import Forest
from keepfit.spec.columns import Value
from keepfit.spec.model import CLASSIFICATION
from keepfit.spec.tables import Table
from keepfit.stages.serving.laps import lap
from keepfit.stages.serving.online import NOTHING, OnlineFeatures
from keepfit.stages.serving.store import OnlineStore

log = logging.getLogger("keepfit.serving")


class NoChampion(ServingError):
    """Nothing was promoted yet, or it cannot be loaded."""

    http_status = 503


@dataclass(frozen=True)
class Prediction:
    """A score and the features it came from.

    Attributes
    ----------
    positive : bool or None
        Whether the score reaches the threshold; None for a regression.
    known : bool
        Whether the store holds anything of the entity.
    bounds : dict of str to float
        The interval around the score, `low` and `high`; empty if the model declares none.
    label : str or None
        The likeliest of several labels, whose probability the score is; None of other targets.
    scores : dict of str to float
        The probability of each label.
    explanation : dict
        If it was asked for, `contributions` of the features and their `base`: they add up to the raw score.
    """

    score: float
    positive: bool | None
    features: dict[str, float | str | None]
    known: bool
    bounds: dict[str, float] = field(default_factory=dict)
    label: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    explanation: dict[str, Any] = field(default_factory=dict)


class Scorer:
    """One model version, ready to answer.

    Parameters
    ----------
    pointer : Pointer
        Which version it is.
    folder : Path
        Its artifact folder; every file is held against its digest.
    store : OnlineStore
        Where events and records are read.
    """

    def __init__(self, pointer: Pointer, folder: Path, store: OnlineStore) -> None:
        self.pointer = pointer
        self.artifact: Artifact = artifact.read(folder, pointer.digest)
        self.table: Table = self.artifact.model.observe.of
        self.inputs = self.artifact.model.request_inputs()
        self.classifies = self.artifact.model.task == CLASSIFICATION
        self._predictor = Predictor.load(folder)
        self._encode = artifact.RowEncoder(self.artifact.features, self.artifact.categories)
        self._online = OnlineFeatures(self.artifact.model, store)
        self._trees = folder / TREES

    def predict(self, entity: str, t: int, sent: Mapping[str, Value] = NOTHING, *, explain: bool = False) -> Prediction:
        """Return the version's prediction for (entity, t), with the request-time inputs that were sent.

        Raises
        ------
        RequestError
            422 if it is to be explained and the version cannot.
        """
        began = perf_counter()
        features = self._online.features(entity, t, sent)
        matrix = self._encode([features.row])
        began = lap("features", began)
        answer, labels = self._predictor.score(matrix), self.artifact.model.labels
        lap("model", began)
        shown, told = features.values(), self._explained(matrix) if explain else {}
        if labels:
            scores = dict(zip(labels, answer[0].tolist(), strict=True))
            label = labels[int(chosen(answer)[0])]
            return Prediction(scores[label], None, shown, features.known, label=label, scores=scores, explanation=told)
        score = float(score_of(answer)[0])
        bounds = dict(zip(BOUNDS, answer[0, 1:].tolist(), strict=True)) if answer.ndim > 1 else {}
        positive = score >= self.artifact.threshold if self.classifies else None
        return Prediction(score, positive, shown, features.known, bounds, explanation=told)

    def _explained(self, matrix: NDArray[np.float32]) -> dict[str, Any]:
        """Return what each feature adds to the raw score of one row; of several labels, to that of the likeliest."""
        if self._forest is None:
            raise RequestError(
                f"version {self.pointer.version} of {self.pointer.model} cannot explain itself",
                where="explain",
                fix="leave ?explain=true out; boosted trees of a version that this keepfit trained can",
            )
        values, base = self._forest.contributions(matrix)
        likeliest = int((values[0].sum(axis=1) + base).argmax())
        added = dict(zip(self.artifact.features, values[0, likeliest].tolist(), strict=True))
        return {"contributions": added, "base": float(base[likeliest])}

    @cached_property
    def _forest(self) -> Forest | None:
        """The version's trees, read when the first answer is to be explained."""
        return Forest.from_bytes(self._trees.read_bytes()) if self._trees.is_file() else None


class Champion:
    """The version that answers, following a pointer file.

    `current` is replaced whole: a request takes it once and keeps it to its end, so that no answer mixes two versions.

    Parameters
    ----------
    pointer_path : Path
        What `keepfit.artifact.write_pointer` writes; a relative folder in it is relative to its own.
    store : OnlineStore
        Handed to each version.
    now : callable
        Microseconds UTC; says since when a version answers.
    """

    def __init__(self, pointer_path: Path, store: OnlineStore, now: Callable[[], int]) -> None:
        self._path, self._store, self._now = pointer_path, store, now
        self.current: Scorer | None = None
        self.since: int | None = None
        self.refused: str | None = None

    def require(self) -> Scorer:
        """Return the version that answers.

        Raises
        ------
        NoChampion
            If there is none.
        """
        if self.current is not None:
            return self.current
        if self.refused is not None:
            raise NoChampion(
                f"the champion cannot be loaded: {self.refused}", where=str(self._path), fix="promote another"
            )
        raise NoChampion(
            "no version has been promoted yet",
            where=str(self._path),
            fix="run `keepfit run` until a version is promoted",
        )

    def refresh(self) -> None:
        """Load what the pointer names, if it is not what answers; a version that does not load is refused."""
        try:
            pointer = artifact.read_pointer(self._path)
            if pointer is not None and (self.current is None or self.current.pointer != pointer):
                self._swap(pointer)
            self.refused = None
        # whatever is wrong with a new version, the one that answers must go on; it is tried again at the next look
        except Exception as error:
            what: Any = getattr(error, "what", None) or f"{type(error).__name__}: {error}"
            if self.refused != what:
                log.error("the champion named by %s is refused: %s", self._path, what)
            self.refused = what

    def _swap(self, pointer: Pointer) -> None:
        scorer = Scorer(pointer, self._path.parent / pointer.folder, self._store)
        scorer.predict("", self._now())  # loads the compiled kernel, and shows that features and model fit
        self.current, self.since = scorer, self._now()
        log.info("%s version %s answers", pointer.model, pointer.version)

    async def watch(self, refresh_s: float) -> None:
        """Look at the pointer every `refresh_s` seconds, for ever; loading does not hold up requests."""
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(refresh_s)
