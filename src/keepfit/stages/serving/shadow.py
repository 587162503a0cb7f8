"""A shadow answers what the champion has answered already, while nobody waits: for the log, never for a client.

It works on the event loop between requests, for a millisecond at a time: a thread of its own would take the interpreter
from requests for several. What does not find its time is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextvars import Context
from time import perf_counter
from typing import NamedTuple

from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.answering import Asked, answered
from keepfit.stages.serving.challenger import SHADOW
from keepfit.stages.serving.requested import Requested, as_asked, observed, unknown
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
        self._turning: asyncio.Task[None] | None = None

    def follow(self, one: Requested, request_id: str) -> None:
        """Have the challenger answer as well, if it is to; called when the champion's answer has been sent."""
        scorer = self._service.challenger.shadow(one.entity)
        if scorer is None:
            return None
        if len(self._waiting) >= LONGEST:
            return self._service.metrics.challenged(scorer.pointer.version, "dropped")
        self._waiting.append(Shadowed(scorer, one, request_id))
        if self._turning is None or self._turning.done():  # in a context of its own: it is no part of this request
            self._turning = asyncio.get_running_loop().create_task(self._turns(), context=Context())

    async def _turns(self) -> None:
        while self._waiting:
            await asyncio.sleep(PAUSE_S)
            until = perf_counter() + TURN_S
            while self._waiting and not self._admission.taken and perf_counter() < until:
                await self._answer(self._waiting.popleft())

    async def _answer(self, each: Shadowed) -> None:
        service, scorer, version = self._service, each.scorer, each.scorer.pointer.version
        try:
            one = as_asked(scorer, each.one)
            features = await observed(scorer, one)
            if not features.known and (refusal := unknown(scorer, one)) is not None:
                raise refusal
            asked = Asked(one, features, f"{each.request_id}/{SHADOW}", SHADOW)
            (answer,) = answered(service, scorer, [asked], explain=False)
        except Exception as error:  # whatever it is, nobody was to be answered
            log.debug("version %s cannot shadow %s: %s", version, each.request_id, error)
            return service.metrics.challenged(version, "failed")
        service.metrics.challenged(version, SHADOW)
        service.metrics.of(scorer.artifact, version).shadowed(answer["score"])
