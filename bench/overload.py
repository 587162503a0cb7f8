"""Load above what a server can do: how long accepted requests take, and what becomes of the others. Needs wrk.

The server is that of `bench/serving.py`: features from 50 to 200 raw events, 300 trees. First its capacity, at 8 connections;
then as many connections as places, and three and six times as many. Each connection asks again as soon as it is answered, a
refused one too, which is worse than any client that reads Retry-After. Times are those of one more client, which has a connection
of its own and asks again as soon as it is answered; wrk's own would mix the accepted with the refused.

    python bench/overload.py --seconds 5
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import httpx
from serving import _command

QUEUE = 64
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies, place = {}, 0
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
function request() place = place % #bodies + 1; return wrk.format(nil, "/predict", nil, bodies[place]) end
"""
REFUSED = re.compile(r'^keepfit_refused_total\{reason="queue"\} (\S+)', re.M)
ANSWERED = re.compile(r'^keepfit_requests_total\{route="/predict",status="200"\} (\S+)', re.M)


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=5.0, help="of load at each number of connections")
    chosen = options.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(_command("prepare", folder), check=True)
        bodies = json.loads(Path(folder, "keepfit.json").read_text())
        Path(folder, "bodies").write_text("".join(json.dumps(body) + "\n" for body in bodies))
        Path(folder, "load.lua").write_text(SCRIPT.replace("BODIES", f"{folder}/bodies"))
        process = subprocess.Popen(_command("keepfit", folder), stdout=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            compare(url, folder, chosen.seconds)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def compare(url: str, folder: str, seconds: float) -> None:
    load(url, folder, 8, 1.0)
    print(f"{'connections':>11} {'accepted/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'refused/s':>10} {'refused':>8}")
    for connections in (8, QUEUE, 3 * QUEUE, 6 * QUEUE):
        before, probe = scraped(url), Probe(url, Path(folder, "bodies").read_text().splitlines()[0])
        probe.start()
        load(url, folder, connections - 1, seconds)
        probe.over = True
        probe.join()
        after = scraped(url)
        accepted, refused = (after[name] - before[name] for name in ("accepted", "refused"))
        times = sorted(probe.times)
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        share = refused / (accepted + refused)
        print(
            f"{connections:11} {accepted / seconds:10.0f} {1000 * p50:8.1f} {1000 * p99:8.1f} "
            f"{refused / seconds:10.0f} {share:8.1%}",
            flush=True,
        )


def load(url: str, folder: str, connections: int, seconds: float) -> None:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", f"{folder}/load.lua", url]
    subprocess.run(command, check=True, capture_output=True)


def scraped(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        page = answer.read().decode()
    return {
        "accepted": sum(map(float, ANSWERED.findall(page))),
        "refused": sum(map(float, REFUSED.findall(page))),
    }


class Probe(threading.Thread):
    """Asks over one connection until it is over; `times` are the seconds that accepted requests took."""

    def __init__(self, url: str, body: str) -> None:
        super().__init__()
        self.times: list[float] = []
        self.over = False
        self._url, self._body = url, body

    def run(self) -> None:
        """Ask until it is over."""
        with httpx.Client(base_url=self._url, timeout=60) as http:
            while not self.over:
                began = time.perf_counter()
                answer = http.post("/predict", content=self._body)
                if answer.status_code == 200:
                    self.times.append(time.perf_counter() - began)


if __name__ == "__main__":
    main()
