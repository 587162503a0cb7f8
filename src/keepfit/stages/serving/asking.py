"""Ask an application in this process: every byte that a client would send and get, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import Any

from fastapi import FastAPI

from keepfit.stages.serving.wire import Body, encode

LOOKS, LOOK_S = 6000, 0.01
AT_ONCE = 32
Reply = tuple[int, dict[str, Any]]


def ask(app: FastAPI, asked: Sequence[tuple[str, Body]]) -> list[Reply]:
    """Start an application, POST each body to its path once the champion is warm, and return status and answer of each.

    Those of one path that follow each other are asked some at a time, as by several clients; a path after another, in order.
    A champion that cannot be loaded answers as it does a client: 503, with the reason.
    """
    # a thread of its own, for a caller whose thread runs an event loop already
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_asked(app, asked))).result()


async def _asked(app: FastAPI, asked: Sequence[tuple[str, Body]]) -> list[Reply]:
    async with app.router.lifespan_context(app):
        for _ in range(LOOKS):
            status, found = await _call(app, "GET", "/health")
            if status != 200 or found["refused"] is not None or found["version"] is not None:
                break
            await asyncio.sleep(LOOK_S)
        replies: list[Reply] = []
        for path, run in groupby(asked, key=itemgetter(0)):
            for some in _batched([encode(body) for _, body in run]):
                replies += await asyncio.gather(*(_call(app, "POST", path, body) for body in some))
        return replies


def _batched(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield as many as clients may well ask at a time."""
    for place in range(0, len(bodies), AT_ONCE):
        yield bodies[place : place + AT_ONCE]


async def _call(app: FastAPI, method: str, path: str, body: bytes = b"") -> Reply:
    status, chunks = 0, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            chunks.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return status, json.loads(b"".join(chunks))
