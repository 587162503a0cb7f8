"""Where a request's time goes: stages note when they began and ended, wherever in the request's task they run."""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter
from typing import NamedTuple

STAGES = ("features", "model", "log")


class Lap(NamedTuple):
    """One stage of a request: its name, one of `STAGES`, and when it began and ended, in seconds of `perf_counter`."""

    stage: str
    began: float
    ended: float


_laps: ContextVar[list[Lap] | None] = ContextVar("laps", default=None)


def begin() -> list[Lap]:
    """Return the list to which the laps of this task's request are added from now on."""
    laps: list[Lap] = []
    _laps.set(laps)
    return laps


def lap(stage: str, began: float) -> float:
    """Note that a stage which began then has ended, and return that moment, at which the next one may begin."""
    ended, laps = perf_counter(), _laps.get()
    if laps is not None:
        laps.append(Lap(stage, began, ended))
    return ended
