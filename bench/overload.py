"""Load above what a server can do: how long accepted requests take, and what becomes of the others.

The server is that of `bench/serving.py`: features from 200 raw events, 300 trees, on a core of its own. First its capacity,
at 8 connections that ask again as soon as they are answered. Then requests arrive at a fixed rate, a multiple of that,
whatever the answers are (an open loop), over as many connections as it takes, at most 512. A request's time counts from the
moment at which it was due, so that nothing is left out while the client waits.

    python bench/overload.py --seconds 5 --times 0.7,1,2,3,5
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

import uvloop
from serving import _command, _first_answer

CONNECTIONS = 512


class Client(asyncio.Protocol):
    """One connection; asks one request at a time."""

    def __init__(self, free: deque, found: dict[int, list[float]]) -> None:
        self.free, self.found, self.due, self.held = free, found, 0.0, b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Be free."""
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.free.append(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due then."""
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note when a whole answer is there."""
        self.held += data
        head, end, body = self.held.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self.found.setdefault(int(head[9:12]), []).append(time.perf_counter() - self.due)
        self.held = b""
        self.free.append(self)


async def load(port: int, requests: list[bytes], rate: float | None, seconds: float, connections: int) -> dict:
    """Return status -> seconds of each answer; with no rate, every connection asks again at once."""
    loop, free, found, made = asyncio.get_running_loop(), deque(), {}, []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: Client(free, found), "127.0.0.1", port)
        made += [client]
    waiting, began, asked = deque(), time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        if rate is not None:
            due = int(now * rate)
            waiting.extend(began + number / rate for number in range(asked, due))
            asked = due
        while free and (waiting or rate is None):
            moment = waiting.popleft() if rate is not None else time.perf_counter()
            free.popleft().ask(requests[len(waiting) % len(requests)], moment)
        await asyncio.sleep(0 if rate is None else 0.0005)
    until = time.perf_counter() + 5
    while len(free) < connections and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    unanswered = connections - len(free)
    for each in made:
        each.transport.close()
    return found | ({0: [5.0] * (unanswered + len(waiting))} if unanswered or waiting else {})


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=5.0, help="of load at each rate")
    options.add_argument("--times", default="0.7,1,2,3,5", help="of capacity")
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        subprocess.run([sys.executable, str(Path(__file__).with_name("serving.py")), "--mode", "prepare", "--dir", folder],
                       check=True)  # fmt: skip
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = _command("features", Path(folder), port)
        process = subprocess.Popen(["taskset", "-c", str(cores[0]), *command])
        os.sched_setaffinity(0, {cores[-1]})
        try:
            lines = Path(folder, "features.jsonl").read_bytes().splitlines()
            _first_answer(f"http://127.0.0.1:{port}/predict", lines[0], process, Path(folder, "none"))
            compare(port, [_request(line) for line in lines], chosen.seconds, list(map(float, chosen.times.split(","))))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def compare(port: int, requests: list[bytes], seconds: float, times: list[float]) -> None:
    """Print a line for each rate."""
    uvloop.run(load(port, requests, None, 1.0, 8))
    closed = uvloop.run(load(port, requests, None, seconds, 8))
    capacity = len(closed[200]) / seconds
    print(f"capacity at 8 connections: {capacity:,.0f} requests/s, p99 {1e3 * _at(closed[200], 0.99):.1f} ms")
    print(f"{'times':>6}{'asked/s':>9}{'accepted/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'refused':>9}{'p99 ms':>9}  others")
    for each in times:
        found = uvloop.run(load(port, requests, each * capacity, seconds, CONNECTIONS))
        good, refused = found.pop(200, []), found.pop(503, [])
        others = dict(Counter({status: len(spent) for status, spent in found.items()}))
        print(
            f"{each:6.1f}{each * capacity:9,.0f}{len(good) / seconds:12,.0f}{1e3 * _at(good, 0.5):9.1f}{1e3 * _at(good, 0.99):9.1f}"
            f"{len(refused) / max(1, len(good) + len(refused)):9.0%}{1e3 * _at(refused, 0.99):9.1f}  {others or ''}"
        )


def _at(spent: list[float], share: float) -> float:
    return sorted(spent)[int(len(spent) * share)] if spent else float("nan")


def _request(body: bytes) -> bytes:
    head = f"POST /predict HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
