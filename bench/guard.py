"""What the guard costs a request: an application that answers at once, without it and with all of it, in this process.

No socket is in it: the same ASGI messages go through both, and the difference is the processor time that a request pays.

    python bench/guard.py
"""

import argparse
import io
import time

import uvloop

from keepfit.spec.serving import Serving
from keepfit.stages.serving.guard import Guard
from keepfit.stages.serving.logs import Log
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.tokens import Tokens, new_token

BODY = b'{"customer_id": "C00001"}'


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--requests", type=int, default=2000, help="a round")
    chosen = options.parse_args()
    uvloop.run(compare(chosen.rounds, chosen.requests))


async def compare(rounds: int, requests: int) -> None:
    secret, own = new_token("shopfront", ["predict"])
    lines = [own.line(), *(new_token(f"other{place}", ["predict"])[1].line() for place in range(4))]
    plain = Protection()
    log = Log("json", io.StringIO(), lambda: 1_750_000_000_000_000)
    full = Protection(Serving(rate=1e9, burst=1_000_000, log="json", log_share=1), Tokens("\n".join(lines)), log)
    tried = {
        "no guard": (answer, []),
        "limits only": (Guard(answer, plain), []),
        "all of it": (Guard(answer, full), headers(secret)),
    }
    found = {name: [] for name in tried}
    for _ in range(rounds):
        for name, (app, sent) in tried.items():
            found[name].append(await timed(app, sent, requests))
    base = min(found["no guard"])
    for name, runs in found.items():
        print(f"{name:12} {min(runs):6.2f} us a request, guard {min(runs) - base:6.2f} us")


def headers(secret: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"authorization", f"Bearer {secret}".encode()),
        (b"x-request-id", b"7e7d2c1e-8f5b-4f0e-9a55-0d2f6e1c9b11"),
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ]


async def timed(app, sent, requests: int) -> float:
    async def receive():
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message):
        pass

    host = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"25")]
    began = time.process_time()
    for _ in range(requests):
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "client": ("127.0.0.1", 1),
            "headers": [*host, *sent],
        }
        await app(scope, receive, send)
    return 1e6 * (time.process_time() - began) / requests


async def answer(scope, receive, send) -> None:
    await receive()
    scope["keepfit.version"] = "3"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    main()
