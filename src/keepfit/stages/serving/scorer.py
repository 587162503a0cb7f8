"""The champion: a version loaded whole, warmed, and swapped by one assignment while requests go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact
from keepfit.answers import Answers
from keepfit.artifact import Artifact, Pointer, Predictor
from keepfit.artifact.folder import TREES
from keepfit.errors import RequestError, ServingError
from keepfit.measure.forest import Forest
from keepfit.spec.columns import Value
from keepfit.spec.model import CLASSIFICATION
from keepfit.spec.tables import Table
from keepfit.stages.serving.memory import give_back
from keepfit.stages.serving.online import NOTHING, Features, OnlineFeatures
from keepfit.stages.serving.rows import Ready
from keepfit.stages.serving.store import OnlineStore
from keepfit.stages.serving.unknown import stand_ins

log = logging.getLogger("keepfit.serving")


class NoChampion(ServingError):
    """Nothing was promoted yet, or it cannot be loaded."""

    http_status = 503


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
        self.stand_ins = stand_ins(self.artifact.model)
        self.classifies = self.artifact.model.task == CLASSIFICATION
        self._predictor = Predictor.load(folder)
        self.ready = Ready(self.artifact, self._predictor, pointer.version)
        self._online = OnlineFeatures(self.artifact.model, store)
        self.remote = store.remote
        self._folder = folder

    def features(self, entity: str, t: int, sent: Mapping[str, Value] = NOTHING) -> Features:
        """Return the features of (entity, t), with the request-time inputs that were sent."""
        return self._online.features(entity, t, sent)

    def matrix(self, rows: Sequence[Features]) -> NDArray[np.float32]:
        """Return the features of some observations, at least one, as the model reads them, shape (rows, features)."""
        return self.ready.matrix([[row.row[name] for name in self.artifact.features] for row in rows])

    def answers(self, matrix: NDArray[np.float32]) -> Answers:
        """Return the answer to each row, which does not depend on the others."""
        return self._predictor.score(matrix)

    def explained(self, matrix: NDArray[np.float32]) -> list[dict[str, Any]]:
        """Return what each feature adds to the raw score of each row; of several labels, to that of the likeliest.

        Raises
        ------
        RequestError
            422 if the version cannot.
        """
        if self._forest is None:
            raise RequestError(
                f"version {self.pointer.version} of {self.pointer.model} cannot explain itself",
                where="explain",
                fix="leave ?explain=true out; boosted trees of a version that this keepfit trained can",
            )
        values, base = self._forest.contributions(matrix)
        likeliest, names = (values.sum(axis=2) + base).argmax(axis=1), self.artifact.features
        return [
            {"contributions": dict(zip(names, row[label].tolist(), strict=True)), "base": float(base[label])}
            for row, label in zip(values, likeliest, strict=True)
        ]

    def prepare_explaining(self) -> None:
        """Read the trees and load what walks them, or compile it, so that the first who asks for reasons does not wait for it."""
        try:
            if self._forest is not None:
                self._forest.contributions(np.full((1, len(self.artifact.features)), np.nan, np.float32))
        # it answers without them, and who asks for reasons is told
        except Exception as error:
            log.error("version %s cannot explain itself: %s", self.pointer.version, told_of(error))

    @cached_property
    def _forest(self) -> Forest | None:
        """The version's trees, read, and held against their digest again, once it answers."""
        trees = artifact.verified(self._folder, TREES, self.pointer.digest)
        return None if trees is None else Forest.from_bytes(trees)


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
        self.path, self._store, self._now = pointer_path, store, now
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
                f"the champion cannot be loaded: {self.refused}", where=str(self.path), fix="promote another"
            )
        raise NoChampion(
            "no version has been promoted yet",
            where=str(self.path),
            fix="run `keepfit run` until a version is promoted",
        )

    def refresh(self) -> None:
        """Load what the pointer names, if it is not what answers; a version that does not load is refused."""
        try:
            pointer = artifact.read_pointer(self.path)
            if pointer is not None and (self.current is None or self.current.pointer != pointer):
                self._swap(pointer)
            self.refused = None
        # whatever is wrong with a new version, the one that answers must go on; it is tried again at the next look
        except Exception as error:
            what = told_of(error)
            if self.refused != what:
                log.error("the champion named by %s is refused: %s", self.path, what)
            self.refused = what

    def _swap(self, pointer: Pointer) -> None:
        scorer = self.load(self.path, pointer)
        self.current, self.since = scorer, self._now()
        log.info("%s version %s answers", pointer.model, pointer.version)
        scorer.prepare_explaining()
        give_back()

    def load(self, path: Path, pointer: Pointer) -> Scorer:
        """Return the version that a pointer at `path` names, warm."""
        scorer = Scorer(pointer, path.parent / pointer.folder, self._store)
        scorer.answers(scorer.matrix([scorer.features("", self._now())]))  # loads the kernel, shows that both fit
        return scorer


def told_of(error: Exception) -> str:
    """Return what an error says, in a line."""
    return str(getattr(error, "what", None) or f"{type(error).__name__}: {error}")
