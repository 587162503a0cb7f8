"""`POST /predict` of many: the steps of one entity, with one call of the model and one commit of the log for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any

from keepfit.errors import RequestError
from keepfit.stages.serving.answering import Asked, answered, count
from keepfit.stages.serving.laps import lap
from keepfit.stages.serving.requested import Requested, requested, unknown
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.told import request_id
from keepfit.stages.serving.turns import beside, check_count, placed, turns
from keepfit.stages.serving.wire import check_flat

SEND = 'send each as an object: [{{"{key}": <key>}}, ...]'


async def predict_many(
    service: Service, scorer: Scorer, bodies: Sequence[object], *, explain: bool = False
) -> dict[str, Any]:
    """Return an answer for each object of a request, in their order, all of one version; they are in the outbox then.

    An entity of which nothing is known has its error in its place.

    Raises
    ------
    RequestError
        422 if one of them does not fit, with its place, or cannot be explained; then nothing is answered.
    """
    now, began = service.now(), perf_counter()
    bodied = await _requested(service, scorer, bodies, now)
    rows = [scorer.features(one.entity, one.t, one.sent) async for one in turns(bodied)]
    lap("features", began)
    refusals = [None if row.known else unknown(scorer, one) for one, row in zip(bodied, rows, strict=True)]
    answers = [
        {} if refusal is None else placed(refusal, f"[{place}]").as_dict() for place, refusal in enumerate(refusals)
    ]
    kept = [place for place, refusal in enumerate(refusals) if refusal is None]
    if kept:
        asked = [Asked(bodied[place], rows[place], request_id(now)) for place in kept]
        found = await beside(len(asked), partial(answered, service, scorer, asked, explain=explain))
        count(service, scorer, asked, found)
        for place, answer in zip(kept, found, strict=True):
            answers[place] = answer
    return {"answers": answers}


async def _requested(service: Service, scorer: Scorer, bodies: Sequence[object], now: int) -> list[Requested]:
    fix = SEND.format(key=scorer.table.entity)
    check_count(bodies, service.max_rows, "body", fix)
    found: list[Requested] = []
    async for place, body in turns(enumerate(bodies)):
        if not isinstance(body, dict):
            raise RequestError(f"element {place} is no object", where=f"[{place}]", fix=fix)
        try:
            check_flat(body)
            found.append(requested(service, scorer, body, now))
        except RequestError as error:
            raise placed(error, f"[{place}]") from None
    return found
