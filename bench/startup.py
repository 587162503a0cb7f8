"""How long a user waits: `import keepfit`, `keepfit --help`, a look at features; bare Python beside them.

`features`, `preview` and `check leakage` look at the simulated shop of 24 months, made and ingested before.

usage: python bench/startup.py [--rounds 9]      medians of whole processes, run in turn
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import keepfit": [sys.executable, "-c", "import keepfit"],
    "keepfit --help": [sys.executable, "-m", "keepfit", "--help"],
    "keepfit run --help": [sys.executable, "-m", "keepfit", "run", "--help"],
    "import click (floor of a command line)": [sys.executable, "-c", "import click"],
}
AS_OF = ["--as-of", "2026-01-01"]
LOOKS = {
    "keepfit features": ["features"],
    "keepfit preview": ["preview", *AS_OF],
    "keepfit preview --entity": ["preview", "--entity", "C00002", *AS_OF],
    "keepfit check leakage": ["check", "leakage", *AS_OF],
}


def looks(folder: str) -> dict[str, list[str]]:
    """Return the commands that look at a shop, which is made and ingested in the folder."""
    keepfit = [sys.executable, "-m", "keepfit"]
    project = ["--project", f"{folder}/shop"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*keepfit, "init", "shop", "--project", folder, *AS_OF], **quiet)
    subprocess.run([*keepfit, "ingest", *project, *AS_OF], **quiet)
    return {name: [*keepfit, *words, *project] for name, words in LOOKS.items()}


def seconds(command: list[str]) -> float:
    """Return the wall seconds of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        commands = COMMANDS | looks(folder)
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds + 1):  # the first round warms the caches and is dropped
            for name, command in commands.items():
                found[name].append(seconds(command))
    base = statistics.median(found["python -c pass"][1:])
    print(f"{'':42} median s   min s   above bare python s")
    for name, times in found.items():
        median = statistics.median(times[1:])
        print(f"{name:42} {median:8.3f} {min(times[1:]):7.3f} {median - base:14.3f}")


if __name__ == "__main__":
    main()
