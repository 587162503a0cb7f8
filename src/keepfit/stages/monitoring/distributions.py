"""Two profiles side by side as a reader sees them: at most a dozen parts of each column, the same ones then and now.

A profile has a bin for each 32nd of its rows, which is right for tests and too many to read. Neighbours are put together
until each part has about a tenth of the reference's rows; a value that many rows share keeps a part of its own.
"""

from __future__ import annotations

import numpy as np

from keepfit.evidence.watched import LABEL, MISSING, OTHERS, RANGE, Bin, Distribution
from keepfit.stages.monitoring.profile import Labels, Numbers, Profile

PARTS = 10
"""Parts of a column of numbers, about; labels that are shown by name."""


def distributions(before: Profile, now: Profile) -> tuple[Distribution, ...]:
    """Return the columns that both profiles have, counted in the same bins, in the order of the first."""
    found = []
    for name, old in before.columns.items():
        new = now.columns.get(name)
        if isinstance(old, Numbers) and isinstance(new, Numbers):
            found.append(Distribution(name, (*_missing(old.nulls, new.nulls), *_ranges(old, new))))
        elif isinstance(old, Labels) and isinstance(new, Labels):
            found.append(Distribution(name, (*_missing(old.nulls, new.nulls), *_labels(old, new))))
    return tuple(found)


def _missing(before: int, now: int) -> list[Bin]:
    return [Bin(MISSING, before, now)] if before or now else []


def _labels(old: Labels, new: Labels) -> list[Bin]:
    """Return the labels that are frequent in either, as the reference orders them; the others are one part."""
    ends = [sum(one.counts.values()) + one.rest or 1 for one in (old, new)]
    weight = {name: max(rows / ends[0], new.counts[name] / ends[1]) for name, rows in old.counts.items()}
    shown = sorted(weight, key=lambda name: -weight[name])[:PARTS]
    left = [name for name in old.counts if name not in shown]
    before, after = (one.rest + sum(one.counts[name] for name in left) for one in (old, new))
    found = [Bin(LABEL, old.counts[name], new.counts[name], label=name) for name in old.counts if name in shown]
    return [*found, Bin(OTHERS, before, after)] if before or after else found


def _ranges(old: Numbers, new: Numbers) -> list[Bin]:
    """Return runs of bins until each has a tenth of the reference's rows; one value that has as many, then or now, stands alone."""
    edges = (None, *old.edges, None)
    tenths = [max(1.0, sum(one.counts) / PARTS) for one in (old, new)]
    rows = [(place, *both) for place, both in enumerate(zip(old.counts, new.counts, strict=True)) if any(both)]
    few = len(rows) <= PARTS - 2
    found: list[Bin] = []
    grows = False
    for place, before, now in rows:
        one = _bin(edges[place], edges[place + 1], before, now)
        heavy = one.low is not None and one.low == one.high and (before >= tenths[0] or now >= tenths[1])
        if grows and not heavy:
            found[-1] = _together(found[-1], one)
        else:
            found.append(one)
        grows = not few and not heavy and found[-1].before < tenths[0]
    return found


def _bin(low: float | None, high: float | None, before: int, now: int) -> Bin:
    """Return a bin as it is meant: one that ends at the next double holds one value, one that begins there begins at the value."""
    if low is not None and high is not None and float(np.nextafter(low, np.inf)) == high:
        return Bin(RANGE, before, now, low=low, high=low)
    return Bin(RANGE, before, now, low=None if low is None else _rounded(low), high=high)


def _rounded(edge: float) -> float:
    """Return the value after which an edge comes, if it is the next double after a shorter number."""
    before = float(np.nextafter(edge, -np.inf))
    return before if len(repr(before)) < len(repr(edge)) else edge


def _together(one: Bin, more: Bin) -> Bin:
    return Bin(RANGE, one.before + more.before, one.now + more.now, low=one.low, high=more.high)
