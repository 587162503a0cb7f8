"""Load above what a server can do: how long accepted requests take, and what becomes of the others. Needs wrk.

The server is that of `bench/serving.py`: features from 50 to 200 raw events, 300 trees. First its capacity, at 8 connections;
then as many connections as places, and three and six times as many. Each connection asks again as soon as it is answered, a
refused one too, which is worse than any client that reads Retry-After.

    python bench/overload.py --seconds 5
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from serving import _command

QUEUE = 64
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies, place = {}, 0
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
function request() place = place % #bodies + 1; return wrk.format(nil, "/predict", nil, bodies[place]) end
"""
ACCEPTED = re.compile(
    r'^keepfit_request_duration_seconds_bucket\{le="([^"]+)",route="/predict",version="1"\} (\S+)', re.M
)
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
        before = scraped(url)
        load(url, folder, connections, seconds)
        after = scraped(url)
        accepted, refused = after["accepted"] - before["accepted"], after["refused"] - before["refused"]
        counts = {bound: after["buckets"][bound] - before["buckets"].get(bound, 0) for bound in after["buckets"]}
        p50, p99 = quantile(counts, 0.5), quantile(counts, 0.99)
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
        "buckets": {float(bound): float(count) for bound, count in ACCEPTED.findall(page)},
        "accepted": sum(map(float, ANSWERED.findall(page))),
        "refused": sum(map(float, REFUSED.findall(page))),
    }


def quantile(counts: dict[float, float], share: float) -> float:
    """Return a quantile as Prometheus' histogram_quantile has it: straight lines between the bounds."""
    wanted, below, from_count = share * counts[max(counts)], 0.0, 0.0
    for bound in sorted(counts):
        if counts[bound] >= wanted:
            if bound == float("inf"):
                return below
            return below + (bound - below) * (wanted - from_count) / max(counts[bound] - from_count, 1)
        below, from_count = bound, counts[bound]
    return below


if __name__ == "__main__":
    main()
