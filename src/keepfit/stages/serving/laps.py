"""Where a request's time goes: stages note when they began and ended, wherever in the request's task they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import NamedTuple

STAGES = ("features", "model", "log")


class Lap(NamedTuple):
    """One stage of a request.

    Attributes
    ----------
    stage : str
        One of `STAGES`.
    began, ended : float
        Seconds of `perf_counter`.
    requests : int
        How many requests it was done for, in one call.
    """

    stage: str
    began: float
    ended: float
    requests: int = 1


_laps: ContextVar[list[Lap] | None] = ContextVar("laps", default=None)


def begin() -> list[Lap]:
    """Return the list to which the laps of this task's request are added from now on."""
    laps: list[Lap] = []
    _laps.set(laps)
    return laps


def laps_of_task() -> list[Lap]:
    """Return the list of this task's request; one that nobody reads if there is none."""
    found = _laps.get()
    return [] if found is None else found


@contextmanager
def lasting() -> Iterator[list[Lap]]:
    """Have laps noted in a list of their own, for what is done on behalf of several requests."""
    laps: list[Lap] = []
    token = _laps.set(laps)
    try:
        yield laps
    finally:
        _laps.reset(token)


def lap(stage: str, began: float) -> float:
    """Note that a stage which began then has ended, and return that moment, at which the next one may begin."""
    ended, laps = perf_counter(), _laps.get()
    if laps is not None:
        laps.append(Lap(stage, began, ended))
    return ended
