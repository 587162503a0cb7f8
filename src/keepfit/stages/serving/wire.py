"""JSON bodies in and out: one object a request, one shape for every error. The one home of msgspec."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send

from keepfit.errors import KeepfitError, RequestError

VERSION, PREDICTION, FAILED = "keepfit.version", "keepfit.prediction", "keepfit.failed"
"""What routes note in a request's scope for the guard: the version that answers, the answer's id in the prediction log, and
the class of the error that is answered."""
Body = dict[str, Any]

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode


async def read_object(receive: Receive) -> Body:
    """Return the JSON object that a request sends.

    Raises
    ------
    RequestError
        400 if it is not JSON, 422 if it is no object.
    """
    return parse_object(await read_body(receive))


async def read_body(receive: Receive) -> bytes:
    """Return what a request sends; the guard has read it, and held it to its bound."""
    body: bytes = (await receive()).get("body", b"")
    return body


def parse_object(body: bytes) -> Body:
    """Return the JSON object in `body`; its values are texts, numbers, booleans or null."""
    found = decoded(body, 'send one object: {"name": value}')
    for name, value in found.items():
        if isinstance(value, dict | list):
            raise RequestError(
                f"{name!r} holds an object or a list", where=name, fix="send a text, a number, true, false or null"
            )
    return found


def decoded(body: bytes, fix: str) -> Body:
    """Return the JSON object in `body`, whatever its values are; `fix` says what to send."""
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        what = f"the body is not one JSON object of texts and numbers: {error}"
        raise RequestError(what, where="body", fix=fix) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fix = "send JSON in UTF-8; texts and names stand in double quotes"
        raise RequestError(f"the body is not JSON: {error}", where="body", fix=fix, http_status=400) from None


async def send_json(send: Send, status: int, content: object) -> None:
    """Answer with JSON; numbers that are not finite become null."""
    body = encode(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def failure(error: KeepfitError) -> Response:
    """Return an error as an answer."""
    return Response(encode(error.as_dict()), error.http_status, media_type="application/json")


async def refused(request: Request, error: Exception) -> Response:
    """Answer a `KeepfitError` that a route raised."""
    assert isinstance(error, KeepfitError)
    request.scope[FAILED] = type(error).__name__
    return failure(error)


async def no_such_route(request: Request, error: Exception) -> Response:
    """Answer a path or a method that does not exist."""
    status, headers = getattr(error, "status_code", 404), getattr(error, "headers", None) or {}
    what = f"{request.method} is not allowed here" if status == 405 else "there is no such path"
    fix = f"use {headers['Allow']}" if "Allow" in headers else "see /docs for what there is"
    request.scope[FAILED] = RequestError.__name__
    answer = failure(RequestError(what, where=request.url.path, fix=fix, http_status=status))
    answer.headers.update(headers)
    return answer
