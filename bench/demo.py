"""Wall time and peak memory of `make demo` from a fresh clone, once packages are in uv's cache.

usage: python bench/demo.py [--rounds 1]      clones this checkout's HEAD into a temporary folder
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def demo(folder: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak MB (largest process) of one `make demo`."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        ["make", "demo"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"make demo failed:\n{said[-2000:]}")
    reports = list(folder.glob("demo-shop/reports/*.html"))
    assert len(reports) == 1, reports
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print one line a round, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    found = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as temporary:
            found.append(demo(Path(temporary) / "keepfit"))
        wall, cpu, peak = found[-1]
        print(f"round {number}: {wall:.1f} s wall, {cpu:.1f} s CPU, {peak:.0f} MB peak", flush=True)
    medians = [statistics.median(column) for column in zip(*found, strict=True)]
    print("medians: {:.1f} s wall, {:.1f} s CPU, {:.0f} MB peak".format(*medians))


if __name__ == "__main__":
    main()
