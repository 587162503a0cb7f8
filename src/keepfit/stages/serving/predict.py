"""`POST /predict`, the hot path: a bare ASGI route, from body to logged answer without a framework in between.

One entity is answered here, a list of them in `many.py` by the same steps.
"""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from keepfit.errors import KeepfitError, RequestError
from keepfit.stages.serving.many import predict_many
from keepfit.stages.serving.requested import Requested, about, requested, unknown
from keepfit.stages.serving.scorer import Prediction, Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.told import REQUEST, request_id
from keepfit.stages.serving.wire import Body, check_flat, decoded, encode, read_body, send_json

SEND = 'send one object, {"name": value}, or a list of them'


class PredictRoute:
    """Answers for one entity at one moment, or for a list of them, and logs each answer before it is sent."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            scorer = self._service.champion.require()
            explain = _explain(scope["query_string"])
            found = decoded(await read_body(receive, "send fewer entities a request"), SEND)
            if isinstance(found, list):
                answer = await predict_many(self._service, scorer, found, explain=explain)
            else:
                check_flat(found)
                answer = predict(self._service, scorer, found, explain=explain)
        except KeepfitError as error:
            return await send_json(send, error.http_status, error.as_dict())
        await send_json(send, 200, answer)


def predict(service: Service, scorer: Scorer, body: Body, *, explain: bool = False) -> dict[str, Any]:
    """Return the answer to one request; it is in the outbox when this returns.

    Raises
    ------
    RequestError
        422 if the request does not fit or cannot be explained, 404 if nothing is known of the entity.
    """
    now = service.now()
    one = requested(service, scorer, body, now)
    made = scorer.predict(one.entity, one.t, one.sent, explain=explain)
    if not made.known and (refusal := unknown(scorer, one)) is not None:
        raise refusal
    answer = {
        **about(scorer, one, request_id(now)),
        "score": made.score,
        **made.bounds,
        **({"label": made.label, "scores": made.scores} if made.label is not None else {}),
        **({"positive": made.positive, "threshold": scorer.artifact.threshold} if scorer.classifies else {}),
        "features": made.features,
        **made.explanation,
    }
    service.outbox.append(_logged(scorer, answer["request_id"], one, made))
    service.metrics.predicted(scorer, made.score)
    return answer


def _explain(query: bytes) -> bool:
    """Return whether an answer is to be explained."""
    if query in (b"", b"explain=false"):
        return False
    if query == b"explain=true":
        return True
    what = f"unknown query {query.decode('utf-8', 'replace')!r}"
    raise RequestError(what, where="query", fix="?explain=true, or none; all else stands in the body")


def _logged(scorer: Scorer, request_id: str, one: Requested, made: Prediction) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "model": scorer.pointer.model,
        "version": scorer.pointer.version,
        "entity": one.entity,
        "t": one.t,
        "score": made.score,
        "positive": made.positive,
        "threshold": scorer.artifact.threshold,
        "origin": REQUEST,
        "features": encode(made.features).decode(),
        **made.bounds,
        "label": made.label,
        "scores": encode(made.scores).decode() if made.label is not None else None,
    }
