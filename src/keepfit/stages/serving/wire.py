"""JSON bodies in and out: an object or a list of objects, one shape for every error. The one home of msgspec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send

from keepfit.errors import KeepfitError, RequestError

HOLDER = "keepfit.holder"
"""What the guard notes in a request's scope: the name of the token that it shows, if tokens are asked for."""
VERSION, PREDICTION, FAILED = "keepfit.version", "keepfit.prediction", "keepfit.failed"
"""What routes note in a request's scope for the guard: the version that answers, the answer's id in the prediction log, and
the class of the error that is answered."""
Body = dict[str, Any]

encode = msgspec.json.Encoder().encode
values_of: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
already_written = msgspec.Raw
_decode: Callable[[bytes], Any] = msgspec.json.Decoder(Body | list[Any]).decode


async def read_body(receive: Receive) -> bytes:
    """Return what a request sends; the guard has read it, and held it to its bound."""
    body: bytes = (await receive()).get("body", b"")
    return body


def decoded(body: bytes, fix: str) -> Body | list[Any]:
    """Return the JSON object or list in `body`, whatever it holds; `fix` says what to send.

    Raises
    ------
    RequestError
        400 if it is not JSON, 422 if it is neither.
    """
    found: Body | list[Any] = _checked(_decode, body, fix)
    return found


def _checked(decode: Callable[[bytes], Any], body: bytes, fix: str) -> Any:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise RequestError(f"the body is of another shape: {error}", where="body", fix=fix) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fix = "send JSON in UTF-8; texts and names stand in double quotes"
        raise RequestError(f"the body is not JSON: {error}", where="body", fix=fix, http_status=400) from None


def check_flat(found: Body, place: str = "") -> None:
    """Refuse an object that holds others: its values are texts, numbers, truth values or null."""
    for name, value in found.items():
        if isinstance(value, dict | list):
            raise RequestError(
                f"{name!r} holds an object or a list",
                where=f"{place}{name}",
                fix="send a text, a number, true, false or null",
            )


def rows_decoder(kinds: Mapping[str, Any]) -> Callable[[bytes, str], list[Any]]:
    """Return what reads `{"rows": [{name: value, ...}]}` of these names and types; `values_of` a row has them in this order.

    Raises what `decoded` raises: 422 for a name too few or too many, or a value of another type.
    """
    places = {f"f{place}": name for place, name in enumerate(kinds)}
    fields = list(zip(places, kinds.values(), strict=True))
    row: Any = msgspec.defstruct("Row", fields, rename=places, forbid_unknown_fields=True, gc=False)
    rows = msgspec.defstruct("Rows", [("rows", list[row])], forbid_unknown_fields=True, gc=False)
    decode = msgspec.json.Decoder(rows).decode
    return lambda body, fix: list(_checked(decode, body, fix).rows)


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
