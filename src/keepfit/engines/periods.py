"""The periods that a table's time is cut into for a reader: few enough to be seen at once, and of the calendar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.engines.summary import GAPS, Gap

MOST = 72
STEPS = ("1 hour", "1 day", "1 week", "1 month", "3 months", "12 months", "120 months", "1200 months")
FINE = 800 * clock.DAY
"""Up to this span, rows are counted by the hour; beyond it by the day."""

Numbers = NDArray[np.int64]


def bucket_of(first: int, last: int) -> int:
    """Return the width in which rows are to be counted (microseconds) for `cut` and `gaps`."""
    return clock.HOUR if last - first <= FINE else clock.DAY


def cut(first: int, last: int) -> tuple[str, Numbers]:
    """Return the finest step that cuts `[first, last]` into 72 periods at most, and where they start."""
    for step in STEPS:
        grid = clock.Grid(step)
        if (last - first) // grid.step <= 2 * MOST or step == STEPS[-1]:
            starts = grid.moments(grid.at_or_before(first), last)
            if len(starts) <= MOST or step == STEPS[-1]:
                return step, np.array(starts, np.int64)
    raise AssertionError("the last step is always taken")


def gathered(starts: Numbers, at: Numbers, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts of buckets (by their first moment) as counts of periods, along the first axis."""
    found = np.zeros((len(starts), *counts.shape[1:]), np.int64)
    np.add.at(found, np.searchsorted(starts, at, side="right") - 1, counts)
    return found


def gaps(at: Sequence[int] | Numbers, width: int) -> tuple[Gap, ...]:
    """Return the longest times between buckets that hold rows, the longest first."""
    held = np.unique(np.asarray(at, np.int64))
    lengths = np.diff(held) - width
    order = np.argsort(-lengths, kind="stable")[:GAPS]
    return tuple(Gap(int(held[i]) + width, int(held[i + 1])) for i in order if lengths[i] > 0)
