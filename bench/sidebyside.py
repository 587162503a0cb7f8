"""Run programs in turn, A B C A B C ..., each in a process of its own; medians, ratios and peak memory.

A program prints one JSON line with `seconds`, `check` and perhaps `cpu_s`; of one that prints anything else the whole process is
timed. What cannot be run is shown with the reason, never left out.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Contender:
    """A program to time.

    Attributes
    ----------
    command : list of str
    once : bool
        Run in the first round only: it takes minutes.
    found : list of dict
        What it printed in each round, and `peak_mb` of its largest process.
    failed : str
        Why it was not measured, empty if it was.
    """

    name: str
    command: list[str]
    once: bool = False
    found: list[dict[str, Any]] = field(default_factory=list)
    failed: str = ""

    def middle(self, key: str) -> float:
        """Return the median of a number over the rounds."""
        return float(statistics.median(found[key] for found in self.found))


def uv(packages: list[str], script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script in an environment of its own, made in uv's cache."""
    needed = [part for package in packages for part in ("--with", package)]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return ["uv", "run", "--quiet", "--no-project", "--python", version, *needed, "python", script, *arguments]


def run(contenders: list[Contender], rounds: int, limit_s: float = 900, folder: str | None = None) -> None:
    """Measure all contenders in turn, each where it is or in a folder."""
    for number in range(rounds):
        for one in contenders:
            if one.failed or (one.once and number):
                continue
            _measure(one, limit_s, folder)
            shown = one.failed or f"{one.found[-1]['seconds']:.2f} s, {one.found[-1]['peak_mb']:.0f} MB"
            print(f"round {number + 1}: {one.name}: {shown}", flush=True)


def _measure(one: Contender, limit_s: float, folder: str | None) -> None:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        try:
            process = subprocess.Popen(one.command, stdout=out, stderr=errors, start_new_session=True, cwd=folder)
        except OSError as error:
            one.failed = f"not measured: {error}"
            return
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        _, status, usage = os.wait4(process.pid, 0)  # of the largest process below it
        signal.setitimer(signal.ITIMER_REAL, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if status:
            last = (errors.read().strip().splitlines() or ["no message"])[-1][:160]
            one.failed = f"not measured: {last}" if process.returncode > 0 else f"not measured: over {limit_s:.0f} s"
            return
        told = out.read().strip().splitlines()[-1]
        found = {"seconds": seconds, **(json.loads(told) if told.startswith('{"') else {})}
    scale = 2**20 if sys.platform == "darwin" else 2**10
    one.found.append({"cpu_s": usage.ru_utime + usage.ru_stime, **found, "peak_mb": usage.ru_maxrss / scale})


def report(contenders: list[Contender], base: str) -> None:
    """Print a table of medians and ratios to one of them."""
    own = next(one for one in contenders if one.name == base)
    print(f"\n{'':42}{'median s':>9}{'min':>8}{'max':>8}{'ratio':>8}{'peak MB':>9}{'cpu s':>8}")
    for one in contenders:
        if not one.found:
            print(f"{one.name:42}{one.failed}")
            continue
        seconds = [found["seconds"] for found in one.found]
        ratio = f"{one.middle('seconds') / own.middle('seconds'):8.2f}" if own.found else f"{'':8}"
        print(
            f"{one.name:42}{one.middle('seconds'):9.2f}{min(seconds):8.2f}{max(seconds):8.2f}{ratio}"
            f"{one.middle('peak_mb'):9.0f}{one.middle('cpu_s'):8.1f}"
        )
    print(f"ratio: to {base!r}; cpu s: of all threads; Spark's with its start")
