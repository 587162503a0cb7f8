"""What each stage costs: seconds, rows and memory, told to a listener and appended to a file as JSON lines.

It measures and decides nothing. A line is appended in one write when its stage ends, so a kill loses the stage under way and
nothing else; a line that a crash tore is closed by the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepfit import clock

Listener = Callable[[str], None]
LOG = Path("metrics", "stages.jsonl")
"""Where the lines of a project lie, below its outcomes."""


def silent(stage: str) -> None:
    """Listen to nothing."""


@dataclass
class Stage:
    """One stage under way; who runs it says what it read and made.

    Attributes
    ----------
    rows_in, rows_out : int or None
        None where a stage works on no rows.
    """

    rows_in: int | None = None
    rows_out: int | None = None

    def rows(self, read: int | None = None, made: int | None = None) -> None:
        """Say how many rows the stage read, and how many it made."""
        self.rows_in, self.rows_out = read, made


@dataclass
class Stopwatch:
    """The stages of one turn.

    Attributes
    ----------
    as_of : int
        The turn's moment, microseconds UTC.
    model : str or None
        None for a stage that several models share.
    log : Path or None
        The file that lines are appended to.
    seconds : dict
        Stage -> seconds spent in it, summed.
    """

    as_of: int
    model: str | None = None
    log: Path | None = None
    listen: Listener = silent
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time one stage, and tell the listener that it began."""
        self.listen(name)
        start, stage, failed = time.perf_counter(), Stage(), None
        try:
            yield stage
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 4)
            self._write(name, spent, stage, failed)

    def _write(self, name: str, spent: float, stage: Stage, failed: str | None) -> None:
        if self.log is None:
            return
        line = {
            "as_of": clock.from_micros(self.as_of).isoformat().replace("+00:00", "Z"),
            "model": self.model,
            "stage": name,
            "seconds": round(spent, 4),
            "rows_in": stage.rows_in,
            "rows_out": stage.rows_out,
            "peak_rss_mb": round(peak_memory() / 2**20, 1),
            "failed": failed,
        }
        append_line(self.log, line)


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append one JSON line in one write; a torn line before it is ended first.

    Who appends holds the file: a line that another process has half written would look torn.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write((b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    try:  # what `getrusage` says begins with the peak of the process that started this one
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return found if sys.platform == "darwin" else found * 1024  # kilobytes elsewhere
