"""`POST /predict` of many: the steps of one entity, with one call of the model and one commit of the log for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepfit.errors import RequestError
from keepfit.stages.serving.online import Features
from keepfit.stages.serving.requested import Requested, about, requested, unknown
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.told import REQUEST, Told, log_row, request_id, told
from keepfit.stages.serving.turns import beside, check_count, placed, turns
from keepfit.stages.serving.wire import check_flat, encode

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
    now = service.now()
    asked = await _requested(service, scorer, bodies, now)
    rows = [scorer.features(one.entity, one.t, one.sent) async for one in turns(asked)]
    refusals = [None if row.known else unknown(scorer, one) for one, row in zip(asked, rows, strict=True)]
    kept = [place for place, refusal in enumerate(refusals) if refusal is None]
    answers: list[dict[str, Any]] = [
        {} if refusal is None else placed(refusal, f"[{place}]").as_dict() for place, refusal in enumerate(refusals)
    ]
    if kept:
        said = await _said(scorer, [rows[place] for place in kept], explain=explain)
        log = []
        async for place, (words, explanation) in turns(zip(kept, said, strict=True)):
            features, one = rows[place].values(), asked[place]
            start = about(scorer, one, request_id(now))
            answers[place] = {**start, **words, **_threshold(scorer), "features": features, **explanation}
            log.append(_row(scorer, start["request_id"], one, words, features))
            service.metrics.predicted(scorer, words["score"])
        await beside(len(log), service.outbox.append_all, log)
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


async def _said(scorer: Scorer, rows: list[Features], *, explain: bool) -> list[tuple[Told, dict[str, Any]]]:
    """Return the fields of each answer, and its explanation, if there is to be one."""
    matrix = await beside(len(rows), scorer.matrix, rows)
    words = told(scorer.artifact, await beside(len(rows), scorer.answers, matrix))
    explained = await beside(len(rows), scorer.explained, matrix) if explain else [{} for _ in rows]
    return list(zip(words, explained, strict=True))


def _threshold(scorer: Scorer) -> dict[str, float]:
    return {"threshold": scorer.artifact.threshold} if scorer.classifies else {}


def _row(scorer: Scorer, request_id: str, one: Requested, words: Told, features: dict[str, Any]) -> dict[str, Any]:
    return log_row(
        scorer.artifact,
        scorer.pointer.version,
        words,
        request_id=request_id,
        entity=one.entity,
        t=one.t,
        origin=REQUEST,
        features=encode(features).decode(),
    )
