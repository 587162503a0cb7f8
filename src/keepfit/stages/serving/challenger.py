"""The challenger: a second version beside the champion, in shadow or as canary, which never gets in the champion's way.

A canary answers for a share of the entities in the champion's place; whatever goes wrong with it, the champion answers. A
shadow answers after the champion has, for the log alone (`shadow.py`).
"""

from __future__ import annotations

import logging
from hashlib import blake2b

from keepfit import artifact
from keepfit.artifact import Pointer
from keepfit.errors import ServingError
from keepfit.spec.serving import Challenge
from keepfit.stages.serving.scorer import Champion, Scorer, told_of

log = logging.getLogger("keepfit.serving")

SHADOW, CANARY = "shadow", "canary"
LONGEST_PAUSE = 64
"""After how many looks at most a version that could not be loaded is tried again."""


class Challenger:
    """The version that the second pointer names, as the settings want it.

    Parameters
    ----------
    champion : Champion
        Whom it challenges; without one it does nothing.
    said : Challenge, optional
        What it does, and for which share of the entities; without it there is no challenger.

    Attributes
    ----------
    current : Scorer or None
        Replaced whole, as the champion is.
    refused : str or None
        Why the version that is named cannot challenge.
    """

    def __init__(self, champion: Champion, said: Challenge | None) -> None:
        self._champion, self.said = champion, said
        self._path = artifact.challenger_of(champion.path)
        self._pair: tuple[Pointer, Pointer] | None = None
        self._pause = self._left = 0
        self._salt, self._below = b"", 0
        self.current: Scorer | None = None
        self.refused: str | None = None

    def canary(self, entity: str) -> Scorer | None:
        """Return the version if it is to answer for an entity in the champion's place."""
        return self.current if self._draws(CANARY, entity) else None

    def shadow(self, entity: str) -> Scorer | None:
        """Return the version if it is to answer for an entity after the champion."""
        return self.current if self._draws(SHADOW, entity) else None

    def _draws(self, mode: str, entity: str) -> bool:
        if self.current is None or self.said is None or self.said.mode != mode:
            return False
        drawn = blake2b(entity.encode("utf-8", "surrogatepass"), digest_size=8, key=self._salt).digest()
        return int.from_bytes(drawn) < self._below

    def refresh(self) -> None:
        """Load what the pointer names, if it is not what challenges; one that does not load is none, and tried again."""
        if self.said is None:
            return
        try:
            pointer, champion = artifact.read_pointer(self._path), self._champion.current
            if pointer is None or champion is None or pointer == champion.pointer:
                self.current = self._pair = self.refused = None
            elif self._is_new((champion.pointer, pointer)):
                self._swap(champion, pointer, self.said)
        # whatever is wrong with it, the champion goes on
        except Exception as error:
            self._refuse(told_of(error))

    def _is_new(self, pair: tuple[Pointer, Pointer]) -> bool:
        """Return whether a pair is to be looked at: it is another one, or was refused a while ago."""
        if pair != self._pair:
            self._pair, self._pause, self.current, self.refused = pair, 1, None, None
            return True
        if self.refused is None:
            return False
        self._left -= 1
        return self._left <= 0

    def _refuse(self, why: str) -> None:
        if why != self.refused:
            log.error("the challenger named by %s is refused: %s", self._path, why)
        self.current, self.refused, self._left = None, why, self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _swap(self, champion: Scorer, pointer: Pointer, said: Challenge) -> None:
        scorer = self._champion.load(self._path, pointer)
        _require_same_question(champion, scorer)
        # others are drawn for each version, so that it is not always the same who get the newest
        self._salt, self._below = pointer.digest.encode()[:64], int(said.share * 2**64)
        self.refused, self.current = None, scorer
        log.info("%s version %s challenges as %s", pointer.model, pointer.version, said.mode)
        if said.mode == CANARY:
            scorer.prepare_explaining()


def _require_same_question(champion: Scorer, challenger: Scorer) -> None:
    """Refuse a version to which the champion's requests cannot be put, or whose answers are not of the same kind."""
    own, its = champion.artifact.model, challenger.artifact.model
    if its.observe.of.entity != own.observe.of.entity:
        raise _other(f"it is asked for {its.observe.of.entity}, the champion for {own.observe.of.entity}")
    if (its.task, its.labels) != (own.task, own.labels):
        raise _other(f"it answers a {its.task} of {its.target.name}, the champion a {own.task} of {own.target.name}")
    for name, sent in challenger.inputs.items():
        known = champion.inputs.get(name)
        if known is None or known.column != sent.column:
            raise _other(f"it reads the input {name!r}, which requests to the champion do not hold")


def _other(what: str) -> ServingError:
    return ServingError(what, where="challenger", fix="promote it, which changes what requests hold")
