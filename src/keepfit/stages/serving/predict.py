"""`POST /predict`, the hot path: a bare ASGI route, from body to logged answer without a framework in between."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from starlette.types import Receive, Scope, Send

from keepfit import clock
from keepfit.errors import RequestError, did_you_mean
from keepfit.rows.contract import entity_key
from keepfit.spec.columns import Value
from keepfit.stages.serving.laps import lap
from keepfit.stages.serving.scorer import Prediction, Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.wire import PREDICTION, VERSION, Body, encode, read_object, send_json

LARGEST = 2**63 - 1


class PredictRoute:
    """Answers for one entity at one moment and logs the answer before it is sent."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scorer = self._service.champion.require()
        scope[VERSION] = scorer.pointer.version
        explain = _explain(scope["query_string"])
        answer = predict(self._service, scorer, await read_object(receive), explain=explain)
        scope[PREDICTION] = answer["request_id"]
        await send_json(send, 200, answer)


def predict(service: Service, scorer: Scorer, body: Body, *, explain: bool = False) -> dict[str, Any]:
    """Return the answer to one request; it is in the outbox when this returns.

    Raises
    ------
    RequestError
        422 if the request does not fit or cannot be explained, 404 if nothing is known of the entity.
    """
    key = scorer.table.entity
    _check_names(body, (key, "at", *scorer.inputs))
    now = service.now()
    entity, t = _entity(scorer, body), _moment(service, body.get("at"), now)
    made = scorer.predict(entity, t, _sent(scorer, body), explain=explain)
    if not made.known:
        fix = f"check {key}, or POST /events with its first event"
        raise RequestError(f"nothing is known of {key} {entity!r}", where=key, fix=fix, http_status=404)
    request_id = f"{now:014x}{secrets.token_hex(8)}"  # ids of later requests sort after those of earlier ones
    began = perf_counter()
    service.outbox.append(_logged(scorer, request_id, entity, t, made))
    lap("log", began)
    bound = service.metrics.of(scorer.artifact, scorer.pointer.version)
    bound.predicted(made.score, made.features)
    bound.batch("/predict", 1)
    return {
        "model": scorer.pointer.model,
        "version": scorer.pointer.version,
        "request_id": request_id,
        key: body[key],
        "at": clock.from_micros(t).isoformat().replace("+00:00", "Z"),
        "score": made.score,
        **made.bounds,
        **({"label": made.label, "scores": made.scores} if made.label is not None else {}),
        **({"positive": made.positive, "threshold": scorer.artifact.threshold} if scorer.classifies else {}),
        "features": made.features,
        **made.explanation,
    }


def _explain(query: bytes) -> bool:
    """Return whether an answer is to be explained."""
    if query in (b"", b"explain=false"):
        return False
    if query == b"explain=true":
        return True
    what = f"unknown query {query.decode('utf-8', 'replace')!r}"
    raise RequestError(what, where="query", fix="?explain=true, or none; all else stands in the body")


def _check_names(body: Body, known: tuple[str, ...]) -> None:
    key = known[0]
    if key not in body:
        raise RequestError(f"{key!r} is missing", where=key, fix=f'send {{"{key}": <key>}}')
    for name in body:
        if name not in known:
            raise RequestError(f"unknown field {name!r}", where=name, fix=did_you_mean(name, known))


def _sent(scorer: Scorer, body: Body) -> dict[str, Value]:
    """Return the request-time inputs of a body under their contracts."""
    sent: dict[str, Value] = {}
    for name, declared in scorer.inputs.items():
        if name in body:
            try:
                sent[name] = declared.column.parse(body[name])
            except ValueError as error:
                fix = f"send {name} as {scorer.pointer.model} declares it, or leave it out"
                raise RequestError(f"{name} {error}", where=name, fix=fix) from None
    return sent


def _entity(scorer: Scorer, body: Mapping[str, Any]) -> str:
    raw, where = body[scorer.table.entity], scorer.table.entity
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        found = "null" if raw is None else "a truth value"
        raise RequestError(f"{where} is {found}", where=where, fix="send a text or a number")
    if isinstance(raw, int) and abs(raw) > LARGEST:
        raise RequestError(f"{where} is beyond 64 bits", where=where, fix="send it as a text")
    return entity_key(scorer.table, raw)


def _moment(service: Service, at: object, now: int) -> int:
    if at is None:
        return now
    try:
        t = clock.to_micros(clock.parse_moment(at if isinstance(at, str) else repr(at)))
    except (ValueError, OverflowError) as error:
        raise RequestError(
            f"at: {error}", where="at", fix="write 2025-06-01T00:00:00Z, or leave it out for now"
        ) from None
    if t > now:
        what = f"at {clock.show(t)} lies ahead of {clock.show(now)}; what happens until then is not known"
        raise RequestError(what, where="at", fix="leave `at` out for now")
    earliest = service.store.answers_from()
    if t < earliest:
        what = f"the server knows what predictions need from {clock.show(earliest)} on, not at {clock.show(t)}"
        raise RequestError(what, where="at", fix="leave `at` out, or use `keepfit predict --as-of`")
    return t


def _logged(scorer: Scorer, request_id: str, entity: str, t: int, made: Prediction) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "model": scorer.pointer.model,
        "version": scorer.pointer.version,
        "entity": entity,
        "t": t,
        "score": made.score,
        "positive": made.positive,
        "threshold": scorer.artifact.threshold,
        "origin": "request",
        "features": encode(made.features).decode(),
        **made.bounds,
        "label": made.label,
        "scores": encode(made.scores).decode() if made.label is not None else None,
    }
