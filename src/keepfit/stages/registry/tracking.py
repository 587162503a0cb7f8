"""What trackers are told of a training, and how a training ends in each of them: finished, failed or killed.

A tracker is a file with a class that has `end` (see `Run`): `runs.py` is MLflow's, `comet.py` is Comet's.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from keepfit.stopwatch import peak_memory

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
ERROR = "error.txt"


@dataclass(frozen=True)
class Point:
    """One value of a series: its step (a boosting round, a fold) and its moment, microseconds UTC."""

    value: float
    step: int
    at: int


@dataclass(frozen=True)
class Source:
    """A table that a training read.

    Attributes
    ----------
    role : str
        'training' for the training set, 'source' for a table that it was computed from.
    path, version
        The Delta table, and which version of it.
    digest : str
        Of its content; the same rows have the same.
    columns : dict of str to str
        Name -> 'string', 'double' or 'datetime'; empty if they are not told.
    """

    name: str
    role: str
    path: str
    version: int
    digest: str
    rows: int
    columns: dict[str, str] = field(default_factory=dict)


@dataclass
class Tracked:
    """What there is to tell of one training; more of it is known the further the training is.

    Attributes
    ----------
    as_of : int
        Microseconds UTC.
    parameters, metrics, tags
        By name.
    series : dict of str to list of Point
        Metrics that have several values: by fold, by boosting round.
    files : dict of str to bytes
        What lies beside the model: 'figures/roc.svg', 'lineage.json'.
    notes : list of str
        What a tracker could not do; the training goes on.
    """

    model: str
    as_of: int
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: dict[str, list[Point]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Run(Protocol):
    """One training as one tracker shows it."""

    @property
    def name(self) -> str:
        """What a reader finds the run by."""

    def end(self, status: str, seconds: float) -> None:
        """Show all that was told, and how it ended, after so many seconds."""


@contextmanager
def training(told: Tracked, runs: Sequence[Run]) -> Iterator[None]:
    """Hold a training: measure it, and end its runs as it ends.

    An error goes on with a note that names the runs. What a tracker cannot do then is a note, not another error.
    """
    clock, cpu = time.perf_counter(), time.process_time()

    def measure() -> float:
        seconds = time.perf_counter() - clock
        told.metrics |= {
            "system/seconds": round(seconds, 3),
            "system/cpu_seconds": round(time.process_time() - cpu, 3),
            "system/peak_memory_mb": round(peak_memory() / 2**20, 1),
        }
        return seconds

    try:
        yield
    except BaseException as error:
        told.files[ERROR] = "".join(traceback.format_exception(error)).encode()
        status, seconds = FAILED if isinstance(error, Exception) else KILLED, measure()
        for run in runs:
            try:
                run.end(status, seconds)
                error.add_note(f"{run.name} is marked {status} and has the whole error")
            except Exception as second:
                error.add_note(f"{run.name} could not be ended: {type(second).__name__}: {second}")
        raise
    seconds = measure()
    for run in runs:
        run.end(FINISHED, seconds)
