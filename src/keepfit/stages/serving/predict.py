"""`POST /predict`, the hot path: a bare ASGI route, from body to logged answer without a framework in between.

Who asks for one entity is answered here, with whoever asks at the same time; a list of them in `many.py` by the same steps.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter

from starlette.types import Receive, Scope, Send

from keepfit.errors import RequestError
from keepfit.stages.serving.answering import Asked, answered, count
from keepfit.stages.serving.challenger import CANARY
from keepfit.stages.serving.group import Group
from keepfit.stages.serving.laps import Lap, lap, laps_of_task, lasting
from keepfit.stages.serving.many import predict_many
from keepfit.stages.serving.requested import Requested, TooEarly, as_asked, observed, requested, unknown
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.shadow import Shadow
from keepfit.stages.serving.told import REQUEST, Told, request_id
from keepfit.stages.serving.wire import PREDICTION, VERSION, Body, check_flat, decoded, read_body, send_json

log = logging.getLogger("keepfit.serving")

SEND = 'send one object, {"name": value}, or a list of them'


class PredictRoute:
    """Answers for one entity at one moment, or for a list of them, and logs each answer before it is sent."""

    def __init__(self, service: Service, shadow: Shadow) -> None:
        self._service, self._shadow = service, shadow
        self._group: Group[tuple[Scorer, bool], tuple[Asked, list[Lap]], Told] = Group(self._answered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scorer = self._service.champion.require()
        scope[VERSION] = scorer.pointer.version
        explain = _explain(scope["query_string"])
        found = decoded(await read_body(receive), SEND)
        if isinstance(found, list):
            return await send_json(
                send, 200, await predict_many(self._service, self._shadow, scorer, found, explain=explain)
            )
        one, answer = await self._predict(scorer, found, explain=explain)
        scope[PREDICTION], scope[VERSION] = answer["request_id"], answer["version"]
        self._service.metrics.batch("/predict", 1)
        await send_json(send, 200, answer)
        if self._service.challenger.current is not None:
            self._shadow.follow(one, answer["request_id"])

    async def _predict(self, scorer: Scorer, body: Body, *, explain: bool) -> tuple[Requested, Told]:
        """Return one object of a request and the answer to it; it is in the outbox then.

        Raises
        ------
        RequestError
            422 if the request does not fit, lies too far back or cannot be explained, 404 if nothing is known of the entity.
        """
        check_flat(body)
        now, challenger = self._service.now(), self._service.challenger
        one = requested(scorer, body, now)
        if challenger.current is not None and (canary := challenger.canary(one.entity)) is not None:
            version = canary.pointer.version
            try:
                answer = await self._answer(canary, as_asked(canary, one), now, CANARY, explain=explain)
            except TooEarly:  # it would be for the champion as well
                raise
            except Exception as error:  # whatever it is, the champion answers
                self._service.metrics.challenged(version, "failed")
                log.debug("version %s cannot answer as canary: %s", version, error)
            else:
                self._service.metrics.challenged(version, CANARY)
                return one, answer
        return one, await self._answer(scorer, one, now, REQUEST, explain=explain)

    async def _answer(self, scorer: Scorer, one: Requested, now: int, origin: str, *, explain: bool) -> Told:
        began = perf_counter()
        features = await observed(scorer, one)
        if not features.known and (refusal := unknown(scorer, one)) is not None:
            raise refusal
        lap("features", began)
        asked = Asked(one, features, request_id(now), origin)
        answer = await self._group.answer((scorer, explain), (asked, laps_of_task()))
        count(self._service, scorer, [asked], [answer])
        return answer

    def _answered(self, kind: tuple[Scorer, bool], waiting: Sequence[tuple[Asked, list[Lap]]]) -> list[Told]:
        scorer, explain = kind
        with lasting() as laps:
            found = answered(self._service, scorer, [asked for asked, _ in waiting], explain=explain)
        if len(waiting) > 1:
            laps = [each._replace(requests=len(waiting)) for each in laps]
        for _, own in waiting:
            own.extend(laps)
        return found


def _explain(query: bytes) -> bool:
    """Return whether an answer is to be explained."""
    if query in (b"", b"explain=false"):
        return False
    if query == b"explain=true":
        return True
    what = f"unknown query {query.decode('utf-8', 'replace')!r}"
    raise RequestError(what, where="query", fix="?explain=true, or none; all else stands in the body")
