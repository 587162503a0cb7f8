"""`POST /predict` of many: the steps of one entity, with one call of the model and one commit of the log for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any

from keepfit.errors import RequestError
from keepfit.stages.serving.answering import Asked, answered, count
from keepfit.stages.serving.challenger import CANARY
from keepfit.stages.serving.laps import lap
from keepfit.stages.serving.patience import patiently
from keepfit.stages.serving.requested import Requested, TooEarly, all_observed, as_asked, requested, unknown
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.shadow import Shadow
from keepfit.stages.serving.told import REQUEST, Told, request_id
from keepfit.stages.serving.turns import beside, check_count, placed, turns
from keepfit.stages.serving.wire import check_flat

SEND = 'send each as an object: [{{"{key}": <key>}}, ...]'


async def predict_many(
    service: Service, shadow: Shadow, scorer: Scorer, bodies: Sequence[object], *, explain: bool = False
) -> dict[str, Any]:
    """Return an answer for each object of a request, in their order; they are in the outbox then.

    All are of one version, but for those that a canary answers. An entity of which nothing is known has its error in its place.

    Raises
    ------
    RequestError
        422 if one of them does not fit, with its place, or cannot be explained; then nothing is answered.
    """
    now = service.now()
    bodied = await _requested(service, scorer, bodies, now)
    answers = await _by_canary(service, bodied, now, explain=explain)
    left = [place for place in range(len(bodied)) if place not in answers]
    ours = [bodied[place] for place in left]
    answers.update(zip(left, await _answers(service, scorer, ours, now, left, REQUEST, explain=explain), strict=True))
    told = [place for place, answer in answers.items() if "request_id" in answer]
    if told:
        service.metrics.batch("/predict", len(told))
    for place in told:
        shadow.follow(bodied[place], answers[place]["request_id"])
    return {"answers": [answers[place] for place in range(len(bodied))]}


async def _by_canary(service: Service, bodied: Sequence[Requested], now: int, *, explain: bool) -> dict[int, Told]:
    """Return place -> answer of those that the challenger is to answer, and can."""
    drawn = [(place, service.challenger.canary(one.entity)) for place, one in enumerate(bodied)]
    places, canary = [place for place, found in drawn if found is not None], service.challenger.current
    if not places or canary is None:
        return {}
    version, asked = canary.pointer.version, [as_asked(canary, bodied[place]) for place in places]
    try:
        found = await _answers(service, canary, asked, now, places, CANARY, explain=explain)
    except TooEarly:  # it would be for the champion as well
        raise
    except Exception:  # whatever it is, the champion answers
        found = [{} for _ in places]
    told = {place: answer for place, answer in zip(places, found, strict=True) if "request_id" in answer}
    for place in places:
        service.metrics.challenged(version, CANARY if place in told else "failed")
    return told


async def _answers(
    service: Service,
    scorer: Scorer,
    bodied: Sequence[Requested],
    now: int,
    places: Sequence[int],
    origin: str,
    *,
    explain: bool,
) -> list[Told]:
    """Return an answer to each of some objects, which stand at these places of the request, or the error of an unknown entity."""
    began = perf_counter()
    rows = await all_observed(scorer, list(zip(places, bodied, strict=True)))
    lap("features", began)
    refusals = [None if row.known else unknown(scorer, one) for one, row in zip(bodied, rows, strict=True)]
    answers = [
        {} if refusal is None else placed(refusal, f"[{at}]").as_dict()
        for at, refusal in zip(places, refusals, strict=True)
    ]
    kept = [place for place, refusal in enumerate(refusals) if refusal is None]
    if kept:
        asked = [Asked(bodied[place], rows[place], request_id(now), origin) for place in kept]
        found = await patiently(partial(beside, len(asked), partial(answered, service, scorer, asked, explain=explain)))
        count(service, scorer, asked, found)
        for place, answer in zip(kept, found, strict=True):
            answers[place] = answer
    return answers


async def _requested(service: Service, scorer: Scorer, bodies: Sequence[object], now: int) -> list[Requested]:
    fix = SEND.format(key=scorer.table.entity)
    check_count(bodies, service.max_rows, "body", fix)
    found: list[Requested] = []
    async for place, body in turns(enumerate(bodies)):
        if not isinstance(body, dict):
            raise RequestError(f"element {place} is no object", where=f"[{place}]", fix=fix)
        try:
            check_flat(body)
            found.append(requested(scorer, body, now))
        except RequestError as error:
            raise placed(error, f"[{place}]") from None
    return found
