"""The guard: who is let in, how many, and what every answer has. Requests are ASGI messages; no clock is in it."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from keepfit.errors import RequestError
from keepfit.spec.serving import Serving
from keepfit.stages.serving.guard import CROWDED, Guard
from keepfit.stages.serving.logs import Log
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.tokens import Tokens, new_token
from keepfit.stages.serving.wire import read_body, send_json

from .world import NOW

PREDICT, PREDICTING = new_token("shopfront", ["predict"])
ADMIN, ADMINISTERING = new_token("operator", ["admin"])
LINES = f"{PREDICTING.line()}\n{ADMINISTERING.line()}"
TRACED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Answer:
    """An answer as a client sees it."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, {}, b""

    async def send(self, message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]


async def echo(scope, receive, send) -> None:
    await send_json(send, 200, {"path": scope["path"], "bytes": len(await read_body(receive))})


async def asked(guard, path="/predict", body=b"{}", token=None, chunks=None, **headers) -> Answer:
    answer = Answer()
    parts = list(chunks if chunks is not None else [body])
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["authorization"] = f"Bearer {token}"

    async def receive():
        part = parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    scope = {
        "type": "http", "method": "POST", "path": path, "client": ("10.0.0.7", 4711),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    await guard(scope, receive, answer.send)
    return answer


def ask(app=echo, protection=None, **request) -> Answer:
    return asyncio.run(asked(Guard(app, protection or Protection()), **request))


def scraped(protection, name: str) -> str:
    return next(line for line in protection.metrics.page().decode().splitlines() if line.startswith(name)).split()[-1]


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("predict", "/predict", 200), ("predict", "/model", 200), ("predict", "/events", 403),
        ("predict", "/metrics", 403), ("admin", "/events", 200), ("admin", "/health", 200),
        (None, "/predict", 401), ("keepfit_none", "/predict", 401),
        (None, "/livez", 200), (None, "/readyz", 200), (None, "/docs", 401), (None, "/nothing", 401),
    ],
)  # fmt: skip
def test_a_token_opens_what_its_roles_say(token, path, status):
    protection = Protection(tokens=Tokens(LINES))
    # a test has the same name in every process, a token has not
    answer = ask(protection=protection, token={"predict": PREDICT, "admin": ADMIN}.get(token, token), path=path)
    assert answer.status == status
    if status != 200:
        reason = {401: "unauthorized", 403: "forbidden"}[status]
        assert answer.headers["www-authenticate"].startswith('Bearer realm="keepfit"')
        assert set(json.loads(answer.body)) == {"error", "what", "where", "fix"}
        assert scraped(protection, f'keepfit_refused_total{{reason="{reason}"}}') == "1.0"


def test_a_wrong_token_is_told_nothing_that_a_missing_one_is_not():
    protection = Protection(tokens=Tokens(LINES))
    assert ask(protection=protection, token="keepfit_near").body == ask(protection=protection).body


def test_without_tokens_everybody_may_ask():
    assert ask(path="/metrics").status == 200


@pytest.mark.parametrize("request_", [{"body": b"x" * 11}, {"chunks": [b"x" * 6, b"x" * 6]}, {"content_length": "11"}])
def test_a_body_above_the_limit_is_refused(request_):
    protection = Protection(Serving(max_body=10))
    answer = ask(protection=protection, **request_)
    assert answer.status == 413 and "10 bytes" in json.loads(answer.body)["what"]
    assert scraped(protection, 'keepfit_refused_total{reason="body"}') == "1.0"


def test_a_body_in_pieces_is_one_body():
    answer = ask(chunks=[b"12", b"", b"345"])
    assert json.loads(answer.body) == {"path": "/predict", "bytes": 5}


def test_a_client_that_leaves_is_not_answered_and_is_counted():
    protection = Protection()
    answer = ask(protection=protection, chunks=[b"1", None])
    assert answer.status == 0
    assert scraped(protection, 'keepfit_requests_total{route="/predict",status="499"}') == "1.0"


def test_a_caller_above_the_rate_is_told_when_to_come_back():
    async def run():
        guard = Guard(echo, Protection(Serving(rate=0.001, burst=2), Tokens(LINES)))
        return [await asked(guard, token=token) for token in (PREDICT, PREDICT, PREDICT, ADMIN, None, None, None)]

    answers = asyncio.run(run())
    assert [answer.status for answer in answers] == [200, 200, 429, 200, 401, 401, 429]
    assert int(answers[2].headers["retry-after"]) >= 990
    assert asyncio.run(asked(Guard(echo, Protection(Serving(rate=0.001, burst=1))), path="/livez")).status == 200


def test_above_the_queue_requests_are_refused_at_once_and_operators_are_answered():
    async def slow(scope, receive, send):
        await asyncio.sleep(0.05 if scope["path"] == "/predict" else 0)
        await echo(scope, receive, send)

    async def run():
        protection = Protection(Serving(queue=4))
        guard = Guard(slow, protection)
        waiting = [asyncio.create_task(asked(guard, request_=str(place))) for place in range(10)]
        probe = asyncio.create_task(asked(guard, path="/livez"))
        answers = [await one for one in waiting]
        return protection, answers, await probe, await asked(guard)

    protection, answers, probe, later = asyncio.run(run())
    assert [answer.status for answer in answers] == [200] * 4 + [503] * 6
    assert answers[-1].headers["retry-after"] == "1"
    assert (probe.status, later.status) == (200, 200)
    assert scraped(protection, 'keepfit_refused_total{reason="queue"}') == "6.0"
    assert (protection.admission.taken, protection.admission.waiting) == (0, 0)


def test_a_place_is_given_back_whatever_happens():
    async def failing(scope, receive, send):
        raise RuntimeError("secret")

    protection = Protection(Serving(queue=1))
    for _ in range(3):
        assert ask(failing, protection).status == 500
    assert protection.admission.taken == 0
    assert scraped(protection, 'keepfit_errors_total{kind="InternalError"}') == "3.0"


def test_connections_above_the_limit_are_answered_once():
    async def run():
        answer = Answer()
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], CROWDED: True}
        await Guard(echo, Protection())(scope, None, answer.send)
        return answer

    answer = asyncio.run(run())
    assert (answer.status, answer.headers["connection"], answer.headers["retry-after"]) == (503, "close", "1")


def test_every_answer_has_the_headers_of_an_answer_to_a_program():
    for request in ({}, {"path": "/livez"}, {"body": b"x" * 2_000_000}):
        headers = ask(**request).headers
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_request_id_is_kept_if_it_is_well_formed():
    assert ask(x_request_id="order-17.3").headers["x-request-id"] == "order-17.3"
    for forged in ("a" * 129, "two words", "<script>", ""):
        assert ask(x_request_id=forged).headers["x-request-id"] not in ("", forged)


def test_what_a_request_was_is_logged():
    async def refusing(scope, receive, send):
        scope["keepfit.version"], scope["keepfit.prediction"] = "3", "p1"
        raise RequestError("no", where="here")

    stream = io.StringIO()
    log = Log("json", stream, lambda: NOW)
    ask(refusing, Protection(tokens=Tokens(LINES), log=log), token=PREDICT, x_request_id="r1", traceparent=TRACED)
    log.flush()
    said = json.loads(stream.getvalue())
    assert said.pop("ms") >= 0 and len(said.pop("span_id")) == 16
    assert said == {
        "time": "2025-06-01T00:00:00.000000Z", "level": "warning", "message": "request", "method": "POST",
        "path": "/predict", "status": 422, "request_id": "r1", "client": "shopfront", "version": "3", "prediction": "p1",
        "error": "RequestError", "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }  # fmt: skip


def test_a_trace_is_answered():
    assert ask(traceparent=TRACED).headers["traceresponse"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert "traceresponse" not in ask(traceparent="nonsense").headers


def test_a_server_that_stops_is_not_ready_and_keeps_no_connection():
    protection = Protection()
    protection.admission.draining = True
    ready, predicted = ask(protection=protection, path="/readyz"), ask(protection=protection)
    assert (ready.status, predicted.status) == (503, 200)
    assert {ready.headers["connection"], predicted.headers["connection"]} == {"close"}
