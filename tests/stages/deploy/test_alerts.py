"""The service, Prometheus and Alertmanager as they are written, run on loopback: an alert fires, is told, and ends."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connect.servers import free_port, program
from tests.stages.serving.world import promote

from keepfit.project import Project

from .world import METRIC, bearer, deployed, metrics, queries, rules, running, secrets, see, service, shop

pytestmark = pytest.mark.slow
UNSEEN = "Labels that training has not seen A"  # the model of this shop has no labels


@dataclass
class Watched:
    """What runs, and what the webhook was told."""

    project: Project
    place: Path
    port: int
    prometheus: str = ""
    alertmanager: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask Prometheus."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def shown(self) -> set[str]:
        """Return the alerts that Alertmanager holds and does not inhibit."""
        alerts = httpx.get(f"{self.alertmanager}/api/v2/alerts", timeout=10).json()
        return {one["labels"]["alertname"] for one in alerts if one["status"]["state"] == "active"}

    def heard(self, name: str, status: str) -> dict[str, Any] | None:
        """Return what the webhook was told of an alert."""
        alerts = [alert for message in self.told for alert in message["alerts"]]
        found = [one for one in alerts if one["labels"]["alertname"] == name and one["status"] == status]
        return found[-1] if found else None


def soon(holds: Callable[[], Any], what: object, seconds: float = 40) -> Any:
    """Return what holds at last."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


@contextmanager
def receiver(told: list[dict[str, Any]]) -> Iterator[str]:
    """Run what alerts are sent to."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def quicker(text: str) -> str:
    """Return a configuration whose every interval is a second, as no one would wait for it else."""
    text = re.sub(r"\b(scrape_interval|evaluation_interval|group_wait|group_interval|for): \w+", r"\1: 1s", text)
    return text.replace("/run/secrets/metrics_token", "secrets/metrics_token")


def written(watched: Watched, ports: dict[str, int], webhook: str) -> None:
    """Change what a test has to: how long it waits, where the others are, and whom Alertmanager tells."""
    place = watched.place
    secrets(place)
    changes = {
        "prometheus.yml": {"service:8000": f"127.0.0.1:{watched.port}", "alertmanager:9093": f"127.0.0.1:{ports['alertmanager']}"},
        "rules/keepfit.yml": {}, "rules/policy.yml": {},
        # as the folder's README says
        "alertmanager.yml": {"receiver: nobody": "receiver: webhook", "http://receiver.example.com:8080/alerts": webhook},
    }  # fmt: skip
    for name, words in changes.items():
        text = quicker((place / name).read_text())
        for old, new in words.items():
            assert old in text
            text = text.replace(old, new)
        (place / name).write_text(text)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Return Prometheus and Alertmanager at work; the service does not run yet."""
    programs = {name: program(name) for name in ("prometheus", "prometheus-alertmanager")}
    root = tmp_path_factory.mktemp("watched")
    ports = {"prometheus": free_port(), "alertmanager": free_port()}
    found = Watched(shop(root), root / "out", free_port())
    found.prometheus, found.alertmanager = (f"http://127.0.0.1:{port}" for port in ports.values())
    deployed(found.project, found.place)
    with receiver(found.told) as webhook, ExitStack() as stack:
        written(found, ports, webhook)
        own = {
            "prometheus": ["--config.file=prometheus.yml", f"--storage.tsdb.path={root / 'tsdb'}"],
            "alertmanager": ["--config.file=alertmanager.yml", f"--storage.path={root / 'held'}", "--cluster.listen-address="],
        }  # fmt: skip
        for (name, words), path in zip(own.items(), programs.values(), strict=True):
            listen = f"--web.listen-address=127.0.0.1:{ports[name]}"
            stack.enter_context(running([path, *words, listen], found.place))
            soon(lambda port=ports[name]: _ready(port), f"{name} did not start")
        yield found


def client(watched: Watched) -> httpx.Client:
    """Return a client with the token that the README makes for clients."""
    return httpx.Client(base_url=watched.url, timeout=30, headers=bearer(watched.place, "client_token"))


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_an_alert_fires_is_told_and_ends(watched) -> None:
    with service(watched.project, watched.place, watched.port) as process:
        soon(lambda: watched.heard("KeepfitNotReady", "firing"), "nobody heard that there is no champion")
        promote(watched.project.pointers, "1")
        soon(lambda: watched.heard("KeepfitNotReady", "resolved"), "nobody heard that there is one")
        see(watched.project, f1=0.75)
        told = soon(
            lambda: watched.heard("KeepfitMetric", "firing"), "nobody heard that f1 is below what the policy says"
        )
        assert told["annotations"]["summary"] == "f1 of churn is 0.75, below 0.8"
        see(watched.project, f1=0.85)
        soon(lambda: watched.heard("KeepfitMetric", "resolved"), "nobody heard that f1 is good again")
        soon(lambda: not watched.query("ALERTS") and not watched.shown(), "an alert of before the start did not end")
        watched.told.clear()
        process.kill()
        process.wait()
        told = soon(lambda: watched.heard("KeepfitDown", "firing"), "nobody heard that it is down")
        assert watched.shown() == {"KeepfitDown"}
    assert told["labels"] | {"service": "churn", "severity": "critical"} == told["labels"]
    assert told["annotations"]["summary"] == "The server of churn does not answer"
    assert f"127.0.0.1:{watched.port}" in told["annotations"]["description"]
    with service(watched.project, watched.place, watched.port):
        soon(lambda: watched.heard("KeepfitDown", "resolved"), "nobody heard that it is back")


def test_what_rules_and_panels_name_is_given_and_shown(watched) -> None:
    promote(watched.project.pointers, "1")
    see(watched.project, f1=0.85)
    asked = queries(watched.place)
    asked.pop(UNSEEN)
    empty = list(asked)

    def shows() -> bool:
        http.post("/predict", json={"customer_id": 17})
        http.post("/predict", json={"customer_id": "nobody"})  # an error
        event = {"table": "sales", "customer_id": 17, "sold_at": "2025-05-30T00:00:00Z", "amount": 5}
        assert http.post("/events", json=event).status_code == 202
        empty[:] = [name for name, text in asked.items() if not watched.query(text)]
        return not empty

    with service(watched.project, watched.place, watched.port), client(watched) as http:
        soon(lambda: http.get("/readyz").status_code == 200, "it was never ready", 120)
        soon(shows, empty)
        given = set(
            METRIC.findall(
                re.sub(r"\{.*?\}", "", http.get("/metrics", headers=bearer(watched.place, "metrics_token")).text)
            )
        )
    named = metrics([*queries(watched.place).values(), *(rule["expr"] for rule in rules(watched.place))])
    assert named - given <= {"up"}  # which Prometheus gives by itself
