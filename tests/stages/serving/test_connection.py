"""Connections, over real sockets: slow clients, endless heads, too many at once, and a stop under load."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from keepfit.spec.serving import Serving
from keepfit.stages.serving.outbox import drain
from keepfit.stages.serving.protection import Protection

from .world import promote, serving, wait_until

ROOT = Path(__file__).parents[3]
HEAD = b"POST /predict HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("connections")
    promote(root, "1")
    with serving(root, protection=Protection(Serving(timeout_s=0.2, connections=6))) as running:
        running.wait()
        yield running


def told(served, sent: bytes) -> bytes:
    """Return all that the server says to what a client sends, until it closes."""
    with socket.create_connection((served.http.base_url.host, served.http.base_url.port), timeout=30) as client:
        client.sendall(sent)
        found = b""
        while chunk := client.recv(65536):
            found += chunk
    return found


@pytest.mark.parametrize("sent", [b"", b"POST /pre", HEAD, HEAD + b"Content-Length: 30\r\n\r\n{"])
def test_a_slow_client_is_told_and_left(served, sent):
    answer = told(served, sent)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"was not complete after 0.2 s" in answer
    assert served.predict(customer_id=17).status_code == 200


def test_a_head_that_does_not_end_is_refused(served):
    answer = told(served, HEAD + b"X-Much: " + b"x" * 70_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_the_timeouts_are_counted(served):
    def count() -> float:
        page = served.http.get("/metrics").text
        return float(page.partition('keepfit_refused_total{reason="timeout"} ')[2].split()[0])

    before = count()
    told(served, b"")
    assert count() == before + 1


def test_above_the_connections_a_request_is_refused_and_the_next_is_served(served):
    address = served.http.base_url.host, served.http.base_url.port
    request = HEAD + b"Content-Length: 19\r\n\r\n" + b'{"customer_id": 17}'
    wait_until(lambda: len(served.process.server_state.connections) == 1)
    held = [socket.create_connection(address) for _ in range(5)]
    wait_until(lambda: len(served.process.server_state.connections) == 6)
    for one in held:  # none of them is slow: each has been answered, and is kept
        one.sendall(request)
        assert one.recv(65536).startswith(b"HTTP/1.1 200 ")
    answer = told(served, request)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1\r\n" in answer and b"connection: close" in answer
    for one in held:
        one.close()
    wait_until(lambda: len(served.process.server_state.connections) == 1)
    assert served.predict(customer_id=17).status_code == 200


def test_no_answer_names_the_server_or_shows_a_trace(served):
    for answer in (served.http.get("/nothing"), served.http.post("/predict", content=b"{"), served.http.get("/docs")):
        assert "server" not in answer.headers and "Traceback" not in answer.text
    nonsense = told(served, b"NONSENSE\r\n\r\n")
    assert nonsense.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"connection: close" in nonsense
    assert b"x-content-type-options: nosniff\r\n" in nonsense and b'"what":"this is no HTTP/1.1 request"' in nonsense
    assert b"uvicorn" not in nonsense.lower()


def test_the_next_head_is_measured_by_itself(served):
    body = b'{"customer_id": 17' + b" " * 69_000 + b"}"
    first = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answer = told(served, first + HEAD)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 431" not in answer
    assert told(served, HEAD + b"X-Much: " + b"x" * 120_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_body_that_is_refused_is_answered_once_and_read_no_further(served):
    answer = told(served, HEAD + b"Content-Length: 3000000\r\n\r\n" + b"x" * 1000)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_half_sent_bodies_have_a_bound_together_and_small_ones_their_place(tmp_path):
    promote(tmp_path, "1")
    protection = Protection(Serving(bodies=300_000, timeout_s=5))
    with serving(tmp_path, protection=protection) as running:
        running.wait()
        half = HEAD + b"Content-Length: 500000\r\n\r\n" + b"{" + b" " * 150_000
        with socket.create_connection((running.http.base_url.host, running.http.base_url.port)) as first:
            first.sendall(half)
            wait_until(lambda: protection.admission.bytes > 150_000)
            answer = told(running, half)
            assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1\r\n" in answer and b"300,000" in answer
            assert running.predict(customer_id=17).status_code == 200
        wait_until(lambda: protection.admission.bytes == 0)
        assert running.predict(customer_id=17).status_code == 200
        assert protection.admission.bytes == 0
        assert 'refused_total{reason="bodies"} 1.0' in running.http.get("/metrics").text


def test_a_client_that_sends_ahead_and_leaves_is_no_error(served, caplog):
    for _ in range(5):
        with socket.create_connection((served.http.base_url.host, served.http.base_url.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves with a reset
            client.sendall(ONE * 50)
            client.recv(1)
    wait_until(lambda: len(served.process.server_state.connections) == 1)
    assert served.predict(customer_id=17).status_code == 200
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]


ONE = HEAD + b"Content-Length: 19\r\n\r\n" + b'{"customer_id": 17}'


@pytest.fixture
def narrow(tmp_path):
    promote(tmp_path, "1")
    protection = Protection(Serving(timeout_s=0.5, queue=2, max_body=50_000))
    with serving(tmp_path, protection=protection) as running:
        running.wait()
        yield running, protection.admission


def test_nobody_takes_places_by_sending_ahead_or_by_not_reading(narrow):
    served, admission = narrow
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect((served.http.base_url.host, served.http.base_url.port))
        client.setblocking(False)
        try:
            while True:
                client.send(ONE * 500)
        except BlockingIOError:
            pass
        assert admission.waiting + admission.taken <= admission.limit
        wait_until(lambda: served.predict(customer_id=17).status_code == 200)
        wait_until(lambda: len(served.process.server_state.connections) <= 1)  # it is left, since it does not read
    wait_until(lambda: admission.waiting + admission.taken == 0)


def test_a_request_without_a_place_is_answered_by_its_kind(narrow):
    served, admission = narrow
    admission.taken = admission.limit
    try:
        answer = told(served, ONE.replace(b"Host", b"X-Request-Id: mine-1\r\nConnection: close\r\nHost"))
        assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1\r\n" in answer
        assert b"x-request-id: mine-1\r\n" in answer and b"x-content-type-options: nosniff\r\n" in answer
        for sent in (b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n", b"Content-Length: 60000\r\n\r\n",
                     b"Transfer-Encoding: chunked\r\n\r\n"):  # fmt: skip
            early = told(served, HEAD + sent)
            assert early.startswith(b"HTTP/1.1 503 ") and b"connection: close" in early
        head = told(served, ONE.replace(b"POST", b"HEAD").replace(b"Host", b"Connection: close\r\nHost"))
        assert head.startswith(b"HTTP/1.1 ") and not head.partition(b"\r\n\r\n")[2]
        kept = told(served, ONE + ONE.replace(b"Host", b"Connection: close\r\nHost"))
        assert kept.count(b"HTTP/1.1 503 ") == 2
    finally:
        admission.taken = 0
    assert served.predict(customer_id=17).status_code == 200


STOPPING = """
import sys
from pathlib import Path
from tests.stages.serving.world import NOW, fill
from keepfit.spec.serving import Serving
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.server import run_server
from keepfit.stages.serving.sqlite import SQLiteStore

root = Path(sys.argv[1])
store, outbox = SQLiteStore(root / "online.sqlite"), Outbox(root / "outbox.sqlite")
fill(store)
app = create_app(root / "churn.json", store, outbox, now=lambda: NOW, protection=Protection(Serving(drain_s=1)))
run_server(app, "127.0.0.1", 0, lambda port: print(port, flush=True))
outbox.close()
print("closed", flush=True)
"""


class Client(threading.Thread):
    """Predicts over one connection until the server says that it is the last time."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.http = httpx.Client(base_url=url, timeout=60)
        self.answered: list[str] = []
        self.failed: list[str] = []
        self.wait()

    def wait(self) -> None:
        wait_until(lambda: self.http.get("/readyz").status_code == 200)

    def run(self) -> None:
        last = False
        while not last:
            try:
                answer = self.http.post("/predict", json={"customer_id": 17})
            except httpx.HTTPError as error:
                self.failed.append(repr(error))
                return
            last = answer.headers.get("connection") == "close"
            if answer.status_code == 200:
                self.answered.append(answer.json()["request_id"])
            else:
                self.failed.append(answer.text)


class Newcomer(Client):
    """Predicts over a connection of its own each time, until nobody listens."""

    def run(self) -> None:
        self.http.close()
        while True:
            try:
                answer = httpx.post(f"{self.http.base_url}/predict", json={"customer_id": 17}, timeout=60, verify=False)
                self.answered.append(answer.json()["request_id"])
            except httpx.ConnectError:
                return
            except (httpx.HTTPError, KeyError) as error:
                self.failed.append(repr(error))
                return


def test_a_stop_under_load_cuts_nobody_and_loses_no_answer(tmp_path):
    promote(tmp_path, "1")
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPING, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{int(child.stdout.readline())}"
        clients = [*(Client(url) for _ in range(2)), *(Newcomer(url) for _ in range(3))]
        for one in clients:
            one.start()
        wait_until(lambda: all(len(one.answered) > 5 for one in clients))
        child.send_signal(signal.SIGTERM)
        with httpx.Client(base_url=url, timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 503, seconds=10)
            assert http.get("/livez").status_code == 200
        for one in clients:
            one.join()
        assert child.stdout.readline() == "closed\n"
        assert child.wait(timeout=60) == 0
    finally:
        child.kill()
        child.stdout.close()
    assert [one.failed for one in clients] == [[]] * 5
    logged = {row["request_id"] for row in drain(tmp_path / "outbox.sqlite", limit=1_000_000).rows}
    assert {answer for one in clients for answer in one.answered} == logged
