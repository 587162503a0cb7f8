"""A turn with some symptoms, the message that follows from it, and servers that take messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.conftest import at

from keepfit.evidence import KEEP, Drift, Message, Realised, Symptom, Turn, VersionFacts
from keepfit.stages.alerting import Held, Rules, follow

DAY = 86_400_000_000
START = at("2025-06-01")
RULES = Rules({"f1": 0.8}, {"f1": 0.8})
NOW = at("2025-06-01T03:00:00Z")


def turn(
    day: int,
    drifted: dict[str, str] | None = None,
    f1: float | None = None,
    *,
    symptoms: tuple[Symptom, ...] = (),
    **more,
) -> Turn:
    """Return a turn in which these columns drifted, each with a severity, and f1 came out so."""
    moved = [
        Drift(column, "ks", 0.31, 0.2, 1e-5, True, 1593, severity=severity, chance=1e-4, bound=0.002)
        for column, severity in (drifted or {}).items()
    ]
    still = Drift("score", "ks", 0.01, 0.02, 0.7, False, 1593)
    known = None if f1 is None else Realised("3", START, START, 1593, {"f1": f1}, {"f1": 0.5})
    said = {"decision": KEEP, "reasons": ("as usual",), "rows": {"predicted": 1593}, "drift": (*moved, still), **more}
    return Turn(
        "churn", START + day * DAY, champion=VersionFacts("3", {}, {}, {}), realised=known, symptoms=symptoms, **said
    )


def message(**told) -> Message:
    """Return the one message of a turn."""
    ((said,), _) = follow(turn(0, **(told or {"drifted": {"amount": "critical"}})), Held(), RULES)
    return said


@dataclass
class Taker:
    """What a web server was sent, and what it answers: each status once, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def taking(*statuses: int) -> Iterator[Taker]:
    """Run a web server on loopback."""
    taker = Taker(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taker.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            taker.headers.append(dict(self.headers))
            self.send_response(taker.statuses.pop(0) if taker.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taker.url = f"http://127.0.0.1:{server.server_port}/services/T0/SECRET"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield taker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
