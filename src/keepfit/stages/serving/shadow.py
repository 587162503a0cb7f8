"""A shadow answers what the champion has answered already, while nobody waits: for the log, never for a client.

It works on the event loop between requests, for a millisecond at a time: a thread of its own would take the interpreter
from requests for several. What does not find its time is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from time import perf_counter
from typing import NamedTuple

from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.answering import Asked, answered
from keepfit.stages.serving.challenger import SHADOW
from keepfit.stages.serving.requested import Requested, as_asked, unknown
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.turns import TURN_S

log = logging.getLogger("keepfit.serving")

LONGEST = 1000
"""Answers that may wait for their shadow."""
PAUSE_S = 0.001


class Shadowed(NamedTuple):
    """An answer that was given: what was asked, and under which id it is in the log."""

    scorer: Scorer
    one: Requested
    request_id: str


class Shadow:
    """The answers of one server that wait for their shadow.

    Parameters
    ----------
    service : Service
        Its challenger answers, into its log.
    admission : Admission
        While somebody is in it, a shadow waits.
    """

    def __init__(self, service: Service, admission: Admission) -> None:
        self._service, self._admission = service, admission
        self._waiting: deque[Shadowed] = deque()

    def follow(self, one: Requested, request_id: str) -> None:
        """Have the challenger answer as well, if it is to; called when the champion's answer has been sent."""
        scorer = self._service.challenger.shadow(one.entity)
        if scorer is None:
            return None
        if len(self._waiting) >= LONGEST:
            return self._service.metrics.challenged(scorer.pointer.version, "dropped")
        if not self._waiting:
            asyncio.get_running_loop().call_later(PAUSE_S, self._turn)
        self._waiting.append(Shadowed(scorer, one, request_id))

    def _turn(self) -> None:
        if not self._admission.taken:
            until = perf_counter() + TURN_S
            while self._waiting and perf_counter() < until:
                self._answer(self._waiting.popleft())
        if self._waiting:
            asyncio.get_running_loop().call_later(PAUSE_S, self._turn)

    def _answer(self, each: Shadowed) -> None:
        service, scorer, version = self._service, each.scorer, each.scorer.pointer.version
        try:
            one = as_asked(scorer, each.one)
            features = scorer.features(one.entity, one.t, one.sent)
            if not features.known and (refusal := unknown(scorer, one)) is not None:
                raise refusal
            asked = Asked(one, features, f"{each.request_id}/{SHADOW}", SHADOW)
            (answer,) = answered(service, scorer, [asked], explain=False)
        except Exception as error:  # whatever it is, nobody was to be answered
            log.debug("version %s cannot shadow %s: %s", version, each.request_id, error)
            return service.metrics.challenged(version, "failed")
        service.metrics.challenged(version, SHADOW)
        service.metrics.of(scorer.artifact, version).shadowed(answer["score"])
